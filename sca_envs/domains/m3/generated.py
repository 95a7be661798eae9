"""Makes the tasks of a family without end: item `index` of a split is always the same.

A task is drawn from `Random` of the family, the seed, the split and the index alone. What it is
about decides which split it belongs to, so no task of one split can occur in the other, in whatever
words.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sca_envs.core.database import Base, Database
from sca_envs.core.endless import EndlessTasks
from sca_envs.core.task import ExpectedAnswer, Task, TaskSource
from sca_envs.core.tools import Tool
from sca_envs.domains.m3.plans import MAX_CALLS, DeadEnd, Draft, Plan

_TEST_EVERY = 5
"""One possible task in five belongs to the test split."""


@dataclass(frozen=True)
class Recipe:
    """What a family's tasks are made of."""

    domain: str
    """Name of the domain."""
    tools: Mapping[str, Tool]
    """Its tools."""
    kinds: Mapping[Callable[[Plan], Draft], float]
    """Draws a task of one kind -> how often, relative to the others."""
    stateful: bool = False
    """Whether every call depends on all calls before it."""


class GeneratedTasks(EndlessTasks):
    """The tasks of one split; their number has no end.

    Args:
        recipe: What they are made of.
        base: The world.
        seed: The world's seed.
        split: ``train`` or ``test``.
    """

    def __init__(self, recipe: Recipe, base: Base, seed: int, split: str) -> None:
        super().__init__(f"{recipe.domain}/{split}-")
        self._recipe, self._base, self._seed, self._split = recipe, base, seed, split

    def __reduce__(self) -> tuple[Callable[..., TaskSource], tuple[str, str, str]]:
        return _load, (self._recipe.domain, f"generated:{self._seed}", self._split)

    def _make(self, index: int) -> Task:
        recipe = self._recipe
        rng = random.Random(f"{recipe.domain} task {self._seed} {self._split} {index}")
        kinds, weights = list(recipe.kinds), list(recipe.kinds.values())
        while True:
            kind = rng.choices(kinds, weights)[0]
            plan = Plan(rng, recipe.tools, Database(self._base), stateful=recipe.stateful)
            try:
                draft = kind(plan)
            except DeadEnd:
                continue
            if _split_of(draft) == self._split:
                assert 0 < len(plan.actions) <= MAX_CALLS
                return self._compose(plan, draft, index)

    def _compose(self, plan: Plan, draft: Draft, index: int) -> Task:
        return Task(
            id=f"{self._recipe.domain}/{self._split}-{index}",
            domain=self._recipe.domain,
            data=f"generated:{self._seed}",
            split=self._split,
            instruction=draft.instruction,
            actions=tuple(plan.actions),
            expected=ExpectedAnswer.of(draft.answer.value),
            solution=plan.solution(draft.answer),
            difficulty=plan.depth,
        )


def _load(name: str, data: str, split: str) -> TaskSource:
    from sca_envs.domains import domain

    return domain(name, data).tasks(split)


def _split_of(draft: Draft) -> str:
    # `hash` differs from process to process; a cryptographic digest does not.
    digest = hashlib.sha256(repr(draft.key).encode()).digest()
    return "test" if digest[0] % _TEST_EVERY == 0 else "train"
