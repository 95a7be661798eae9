"""The plans of a family, and how the questions of both kinds of task are drawn."""

from __future__ import annotations

import functools
import hashlib
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sca_envs.core.database import Base, Database
from sca_envs.core.errors import OptionError
from sca_envs.core.tools import Tool
from sca_envs.core.wishes import DeadEnd, Draft, Wordings
from sca_envs.domains.m3.attempts import failing_attempts
from sca_envs.domains.m3.plans import Kinds, Plan, Question

_TEST_EVERY = 5
"""One possible question in five belongs to the test split."""
_AROUND = Wordings.read(__package__ or "")


@dataclass(frozen=True)
class PlanBook:
    """What a family's tasks are about.

    ```python
    PlanBook(
        domain="message_decoder",
        tools=TOOLS,
        tasks={decode: 5, longer_message: 1},
        drafts={decode: 2, count_letters: 1},
        wordings=Wordings.read(__name__),
    )
    ```
    """

    domain: str
    """Name of the domain."""
    tools: Mapping[str, Tool]
    """Its tools."""
    tasks: Kinds
    """What a `Task` may ask."""
    drafts: Kinds
    """What a Code-as-Task may ask."""
    wordings: Wordings
    """How the questions are worded, a table for each kind."""
    similar: Mapping[str, str] = field(default_factory=dict)
    """Tool -> another one that it could be mistaken for."""
    builtins: Collection[str] = ()
    """Tools that are Python's own functions in an agent's code, and no calls there."""
    stateful: bool = False
    """Whether every call depends on all calls before it."""
    tables: Collection[str] = ()
    """Tables that the questions are drawn from."""

    def draw(self, base: Base, rng: random.Random, split: str) -> tuple[Plan, Question]:
        """Draw the question of a `Task`.

        Args:
            base: The world.
            rng: Draws everything.
            split: ``train`` or ``test``.

        Returns:
            The question, and the plan that answers it.
        """
        while True:
            try:
                return self._draw(self.tasks, self.tools, base, rng, split)
            except DeadEnd:
                continue

    def draft(self, tools: Mapping[str, Tool], base: Base, rng: random.Random, calls: int) -> Draft:
        """Draw a Code-as-Task of the train split; see `DraftSource.draft`.

        Raises:
            OptionError: If the world has not the tables that the questions are drawn from.
        """
        missing = [table for table in self.tables if table not in base.tables]
        if missing:
            raise OptionError(
                f"Expected data of {self.domain} that has the tables {', '.join(self.tables)}, "
                f"which its Code-as-Tasks are drawn from; {', '.join(missing)} is missing: use "
                "data='generated'"
            )
        plan, question = self._draw(self.drafts, tools, base, rng, "train", calls)
        if plan.code_calls != calls:
            raise DeadEnd
        opening, closing = (
            rng.choice(_AROUND.of("train", "draft", key)) for key in ("opening", "closing")
        )
        return Draft(
            " ".join(part for part in (opening, question.text, closing) if part),
            plan.solution(question.answer).write(),
            failing_attempts(plan, question, self.similar),
            page=question.page,
        )

    def _draw(
        self,
        kinds: Kinds,
        tools: Mapping[str, Tool],
        base: Base,
        rng: random.Random,
        split: str,
        calls: int | None = None,
    ) -> tuple[Plan, Question]:
        kind = rng.choices(list(kinds), list(kinds.values()))[0]
        texts = functools.partial(self.wordings.of, split, kind.__name__)
        plan = Plan(rng, tools, Database(base), texts, calls=calls, builtins=self.builtins,
                    stateful=self.stateful)  # fmt: skip
        question = kind(plan)
        if _split_of(question) != split:
            raise DeadEnd
        return plan, question


def _split_of(question: Question) -> str:
    # `hash` differs from process to process; a cryptographic digest does not.
    digest = hashlib.sha256(repr(question.key).encode()).digest()
    return "test" if digest[0] % _TEST_EVERY == 0 else "train"
