"""A candidate under examination: what several gates want to know, found out once."""

from __future__ import annotations

import re
from functools import cached_property

import numpy as np

from sca_envs.challenge.lab import Attempt, Judgement, Lab
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.database import Change, Database, copy_json
from sca_envs.core.domain import Domain

_LEAVE = re.compile(r"\b(leave|leaving|keep|stay|remain|end on|end up|finish)\b", re.IGNORECASE)
"""How an instruction says that it matters where the agent is in the end."""


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
    def position_counts(self) -> bool:
        """Whether it matters where the agent is in the end: to the instruction, or to `verify`."""
        if not self.domain.scored_view_fields:
            return False
        if _LEAVE.search(self.task.instruction):
            return True
        database = Database(self.domain.base, self.solution.state)
        for table in self.domain.view_tables:
            for key, record in self.domain.base.tables[table].items():
                database.put(table, key, copy_json(record))
        solution = self.solution
        elsewhere = Attempt(database.snapshot(), solution.calls, solution.answer)
        return self.judge(solution).fulfilled and not self.judge(elsewhere).fulfilled

    @cached_property
    def changes_world(self) -> bool:
        """Whether the solution changes the world, not only finds something out."""
        return bool(self.changes(self.solution))

    def changes(self, attempt: Attempt, other: Attempt | None = None) -> list[Change]:
        """Return what an attempt changed of the initial world, or of what another attempt left."""
        database = Database(self.domain.base, attempt.state)
        since = None if other is None else other.state
        return self.domain.changes(database, since, position=self.position_counts)

    def same_outcome(self, one: Attempt, other: Attempt) -> bool:
        """Return whether two attempts left the same world and gave the same answer."""
        return one.answer == other.answer and not self.changes(one, other)

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
