"""A candidate under examination: what several gates want to know, found out once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sca_envs.challenge.lab import Attempt, Judgement, Lab
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.domain import Domain


class Case:
    """A candidate, its world, and the attempts that its code describes.

    Args:
        task: The candidate.
        domain: The world that it was made for.
        lab: Where its code runs.
    """

    def __init__(self, task: CodeAsTask, domain: Domain, lab: Lab) -> None:
        self.task = task
        self.domain = domain
        self.lab = lab
        self._judged: dict[int, tuple[Attempt, Judgement]] = {}  # by identity, which is kept

    @cached_property
    def untouched(self) -> Attempt:
        """Nothing done and nothing said."""
        return Attempt(self.domain.database().snapshot())

    @cached_property
    def solution(self) -> Attempt:
        """What the example solution left."""
        return self.lab.attempt(self.domain, self.task.solution)

    @cached_property
    def failures(self) -> tuple[Attempt, ...]:
        """What the failure cases left."""
        return tuple(self.lab.attempt(self.domain, source) for source in self.task.failures)

    @cached_property
    def changes_world(self) -> bool:
        """Whether the solution changes the world, not only finds something out."""
        left = self.domain.database()
        left.restore(self.solution.state)
        return bool(self.domain.changes(left))

    @cached_property
    def answer_matters(self) -> bool:
        """Whether the solution without its answer does not count."""
        silent = Attempt(self.solution.state, self.solution.calls)
        return not self.judge(silent).fulfilled

    def judge(self, attempt: Attempt) -> Judgement:
        """Return what the verification function makes of an attempt."""
        if id(attempt) not in self._judged:
            judgement = self.lab.judge(self.domain, self.task.verify, attempt)
            self._judged[id(attempt)] = attempt, judgement
        return self._judged[id(attempt)][1]

    def rng(self) -> np.random.Generator:
        """Return a generator of random numbers that depends on the candidate's content only."""
        return np.random.default_rng(int(self.task.content_digest[:16], 16))
