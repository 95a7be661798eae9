"""Makes the tasks of a family without end: item `index` of a split is always the same.

A task is drawn from `Random` of the family, the seed, the split and the index alone. What it is
about decides which split it belongs to, so no task of one split can occur in the other, in whatever
words.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from sca_envs.core.database import Base
from sca_envs.core.endless import EndlessTasks
from sca_envs.core.task import ExpectedAnswer, Task, TaskSource
from sca_envs.domains.m3.book import PlanBook


class GeneratedTasks(EndlessTasks):
    """The tasks of one split; their number has no end.

    Args:
        plans: What they are about.
        base: The world.
        seed: The world's seed.
        split: ``train`` or ``test``.
    """

    def __init__(self, plans: PlanBook, base: Base, seed: int, split: str) -> None:
        super().__init__(f"{plans.domain}/{split}-")
        self._plans, self._base, self._seed, self._split = plans, base, seed, split

    def __reduce__(self) -> tuple[Callable[..., TaskSource], tuple[str, str, str]]:
        return _load, (self._plans.domain, f"generated:{self._seed}", self._split)

    def _make(self, index: int) -> Task:
        domain = self._plans.domain
        rng = random.Random(f"{domain} task {self._seed} {self._split} {index}")
        plan, question = self._plans.draw(self._base, rng, self._split)
        solution, actions = plan.solution(question.answer), plan.actions
        assert solution.calls == len(actions), f"not all calls of {question.key} are needed"
        return Task(
            id=f"{domain}/{self._split}-{index}",
            domain=domain,
            data=f"generated:{self._seed}",
            split=self._split,
            instruction=question.text,
            actions=actions,
            expected=ExpectedAnswer.of(question.answer.value),
            solution=solution.write(),
            difficulty=plan.depth,
        )


def _load(name: str, data: str, split: str) -> TaskSource:
    from sca_envs.domains import domain

    return domain(name, data).tasks(split)
