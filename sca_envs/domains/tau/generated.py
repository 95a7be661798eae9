"""Makes a customer-service domain's tasks without end: item `index` of a split is always the same.

A task is drawn from `Random` of the world's seed, the split and the index alone. Customers belong
to one split only, so no task of one split can occur in the other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sca_envs.core.database import Base, Database
from sca_envs.core.endless import EndlessTasks
from sca_envs.core.task import Fact, ReferenceAction, Task, UserScript
from sca_envs.domains.tau.goals import Context, Goal
from sca_envs.domains.tau.personas import PERSONAS

_TEST_EVERY = 5
"""One customer in five belongs to the test split."""

_REQUESTS = {1: 35, 2: 35, 3: 20, 4: 10}
"""Number of requests in a task -> how often."""


@dataclass(frozen=True)
class Recipe:
    """What a domain's tasks are made of."""

    domain: str
    """Name of the domain."""
    goals: Mapping[Callable[[Context], Goal | None], float]
    """What a customer may want -> how often, relative to the others."""
    changes: Mapping[str, Callable[..., object]]
    """The tools that write, by name: what a goal changes, the next one finds changed."""
    concern: str
    """The parameter that says which record an action is about, such as ``order_id``."""
    identity: Callable[[Context], tuple[tuple[Fact, ...], tuple[ReferenceAction, ...]]]
    """Draws what the customer says of themself, and how the agent looks them up."""
    id_pattern: str
    """Regular expression of the ids that occur in the domain."""


class GeneratedTasks(EndlessTasks):
    """The tasks of one split; their number has no end.

    Args:
        recipe: What they are made of.
        base: The generated world; it has a table ``users``.
        seed: The world's seed.
        split: ``train`` or ``test``.
    """

    def __init__(self, recipe: Recipe, base: Base, seed: int, split: str) -> None:
        super().__init__(f"{split}-")
        self._recipe, self._base, self._seed, self._split = recipe, base, seed, split
        keys = base.keys("users")
        tested = keys[_TEST_EVERY - 1 :: _TEST_EVERY]
        self._customers = tested if split == "test" else tuple(k for k in keys if k not in tested)

    def __reduce__(self) -> tuple[type[GeneratedTasks], tuple[Recipe, Base, int, str]]:
        return GeneratedTasks, (self._recipe, self._base, self._seed, self._split)

    def _make(self, index: int) -> Task:
        rng = random.Random(f"{self._recipe.domain} task {self._seed} {self._split} {index}")
        while True:
            context, goals = self._draw(rng)
            if goals:
                return self._compose(context, goals, index)

    def _draw(self, rng: random.Random) -> tuple[Context, list[Goal]]:
        """Draw a customer and compatible goals (none if nothing fits)."""
        wanted = rng.choices(list(_REQUESTS), list(_REQUESTS.values()))[0]
        customer, persona = rng.choice(self._customers), rng.choice(PERSONAS)
        context = Context(rng, Database(self._base), customer, persona)
        kinds, weights = list(self._recipe.goals), list(self._recipe.goals.values())
        goals: list[Goal] = []
        for _ in range(4 * wanted):
            goal = rng.choices(kinds, weights)[0](context)
            if goal is not None:
                self._carry_out(context, goal)
                goals.append(goal)
            if len(goals) == wanted:
                break
        return context, goals

    def _carry_out(self, c: Context, goal: Goal) -> None:
        """Let the goal's changes happen, so that the next goal is about what they leave."""
        for act in goal.actions:
            if act.name in self._recipe.changes:
                self._recipe.changes[act.name](c.db, **act.arguments)
        named = [act.arguments.get(self._recipe.concern) for act in goal.actions]
        concerned = [record for record in named if record is not None]
        c.used.update(concerned[-1:])  # what comes before was only searched through

    def _compose(self, c: Context, goals: list[Goal], index: int) -> Task:
        facts, found = self._recipe.identity(c)
        script = UserScript(
            facts=facts,
            requests=tuple(goal.request for goal in goals),
            id_pattern=self._recipe.id_pattern,
            greeting=c.rng.choice(c.persona.greetings),
            phrases=c.persona.phrases(c.rng),
        )
        wishes = [part for goal in goals for part in _prose(goal)]
        withheld = sum(not fact.given for goal in goals for fact in goal.request.facts)
        return Task(
            id=f"{self._split}-{index}",
            domain=self._recipe.domain,
            data=f"generated:{self._seed}",
            split=self._split,
            instruction=" ".join([c.persona.about, *(fact.text for fact in facts), *wishes]),
            script=script,
            actions=(*found, *(act for goal in goals for act in goal.actions)),
            outputs=tuple(output for goal in goals for output in goal.outputs),
            difficulty=len(goals) + withheld,
        )


def _prose(goal: Goal) -> list[str]:
    """Return the opening of a request and the facts that it leaves out."""
    withheld = [fact.text for fact in goal.request.facts if not fact.given]
    return [goal.request.opening, *withheld]
