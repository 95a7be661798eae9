"""Tasks out of wishes, without end.

Item `index` of a split is always the same task: it is drawn from `Random` of the domain, the
world's seed, the split and the index alone. Customers belong to one split only, so no task of one
split can occur in the other.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from sca_envs.core.database import Base
from sca_envs.core.endless import EndlessTasks
from sca_envs.core.errors import OptionError
from sca_envs.core.task import Task, UserScript
from sca_envs.core.tools import Tool
from sca_envs.core.wishes.book import WishBook
from sca_envs.core.wishes.customer import Customer
from sca_envs.core.wishes.errors import DeadEnd, WishError
from sca_envs.core.wishes.personas import Persona
from sca_envs.core.wishes.wish import Introduction, Wish

_TEST_EVERY = 5
"""One customer in five belongs to the test split."""
_REQUESTS = {1: 35, 2: 35, 3: 20, 4: 10}
"""Number of wishes in a task -> how often."""
_MOST_CUSTOMERS = 1000
"""Customers without a fitting wish in a row before it is clear that there is none."""


class WishTasks(EndlessTasks):
    """The tasks of one split; their number has no end.

    Args:
        book: What the customers may want.
        name: The domain's name.
        tools: Its tools by name.
        base: The generated world.
        seed: The world's seed.
        split: ``train`` or ``test``.
    """

    def __init__(
        self,
        book: WishBook,
        name: str,
        tools: Mapping[str, Tool],
        base: Base,
        seed: int,
        split: str,
    ) -> None:
        super().__init__(f"{split}-")
        self._book, self._name, self._tools = book, name, tools
        self._base, self._seed, self._split = base, seed, split
        self._customers = split_customers(book.customer_keys(base), split)
        if not self._customers:
            raise OptionError(
                f"Expected at least {_TEST_EVERY} customers in the table {book.customers!r} of "
                f"{name}, so that each split has some; the split {split!r} has none"
            )

    def __reduce__(self) -> tuple[type[WishTasks], tuple[Any, ...]]:
        state = (self._book, self._name, self._tools, self._base, self._seed, self._split)
        return WishTasks, state

    def _make(self, index: int) -> Task:
        rng = random.Random(f"{self._name} task {self._seed} {self._split} {index}")
        for _ in range(_MOST_CUSTOMERS):
            number = rng.choices(list(_REQUESTS), list(_REQUESTS.values()))[0]
            try:
                customer, persona, introduction = self._book.meet(
                    self._tools, self._base, self._customers, rng, pool=self._split
                )
            except DeadEnd:
                continue
            wishes = self._book.draw_several(customer, number)
            if wishes:
                script = self._write_script(customer, persona, introduction, wishes)
                return self._build(index, persona, introduction, wishes, script)
        names = ", ".join(wish.__name__ for wish in self._book.wishes)
        raise WishError(
            f"No customer of {self._name} in the split {self._split!r} had a wish, of "
            f"{_MOST_CUSTOMERS} drawn: {names} find no occasion, or ask for nothing that could be "
            "said in one way only"
        )

    def _write_script(
        self, customer: Customer, persona: Persona, who: Introduction, wishes: list[Wish]
    ) -> UserScript:
        return UserScript(
            facts=who.facts,
            requests=tuple(wish.request for wish in wishes),
            id_pattern=self._book.id_pattern,
            greeting=customer.rng.choice(persona.greetings),
            phrases=persona.phrases(customer.rng),
        )

    def _build(
        self,
        index: int,
        persona: Persona,
        who: Introduction,
        wishes: list[Wish],
        script: UserScript,
    ) -> Task:
        facts = [fact.text for fact in who.facts]
        withheld = sum(not fact.given for wish in wishes for fact in wish.request.facts)
        return Task(
            id=self.id_of(index),
            domain=self._name,
            data=f"generated:{self._seed}",
            split=self._split,
            instruction=" ".join([persona.about, *facts, *(wish.prose for wish in wishes)]),
            script=script,
            actions=(*who.actions, *(action for wish in wishes for action in wish.actions)),
            outputs=tuple(output for wish in wishes for output in wish.request.outputs),
            difficulty=len(wishes) + withheld,
        )


def split_customers(keys: Sequence[str], split: str) -> tuple[str, ...]:
    """Return the keys of the customers that belong to a split."""
    places = range(_TEST_EVERY - 1, len(keys), _TEST_EVERY)
    return tuple(key for n, key in enumerate(keys) if (n in places) == (split == "test"))
