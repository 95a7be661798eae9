"""The examination of one candidate: gate after gate, up to the first that it fails."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sca_envs.challenge.case import Case
from sca_envs.challenge.gates import Fingerprint, Gate, fingerprint
from sca_envs.challenge.lab import Lab
from sca_envs.challenge.task import CodeAsTask, Verdict
from sca_envs.core.domain import Domain
from sca_envs.core.engines import RunnerSpec, Take
from sca_envs.core.errors import InfrastructureError, OptionError

Propose = Callable[[int], CodeAsTask | None]
"""Returns the candidate of a number, the same one each time."""


class Proposal(NamedTuple):
    """A candidate that is still to be made, by whoever examines it."""

    propose: Propose
    """The challenger."""
    number: int
    """Which of its candidates."""


Candidate = CodeAsTask | Proposal
"""What is examined."""


class Examination(NamedTuple):
    """What came of a candidate."""

    task: CodeAsTask | None
    """The candidate with the gates' verdicts; None if there was none."""
    accepted: bool
    seconds: tuple[float, ...] = ()
    """How long each gate took."""
    error: str | None = None
    """Why there is no verdict: nothing was proposed, or the task's data is not at hand, say."""
    fingerprint: Fingerprint | None = None
    option_error: OptionError | None = None
    """The challenger's complaint about its options, which may hold for every candidate."""


def examine(task: CodeAsTask, gates: Sequence[Gate], lab: Lab, domain: Domain) -> Examination:
    """Take a candidate through gates, up to the first that it fails.

    Args:
        task: The candidate.
        gates: The gates, in order.
        lab: Where its code runs.
        domain: The world that it was made for.
    """
    case = Case(task, domain, lab)
    verdicts: list[Verdict] = []
    seconds: list[float] = []
    for gate in gates:
        start = time.perf_counter()
        verdict = gate.check(case)
        seconds.append(time.perf_counter() - start)
        verdicts.append(verdict)
        if not verdict.passed:
            return Examination(task.with_verdicts(tuple(verdicts)), False, tuple(seconds))
    mark = fingerprint(case) if task.solution and _runs(gates) else None
    return Examination(task.with_verdicts(tuple(verdicts)), True, tuple(seconds), None, mark)


def _runs(gates: Sequence[Gate]) -> bool:
    """Return whether gates have run the solution, so that its fingerprint costs nothing."""
    return any(gate.name == "solution" for gate in gates)


@dataclass(frozen=True)
class ExaminerSpec(RunnerSpec[Candidate, Examination | InfrastructureError]):
    """Makes examiners."""

    gates: tuple[Gate, ...]
    """The gates, in order."""
    lookahead = 4

    def make(self, seat: int | None) -> Examiner:
        """Return an examiner; one with a process of its own is pinned to a core.

        Calls between two processes, it and its sandbox, are fastest on one core.
        """
        core = None
        if seat is not None and hasattr(os, "sched_setaffinity"):
            usable = sorted(os.sched_getaffinity(0))
            core = usable[seat % len(usable)]
            os.sched_setaffinity(0, {core})
        return Examiner(self.gates, core)

    def describe(self, job: Candidate) -> str:
        """Return what errors call a candidate."""
        return f"candidate {job.id if isinstance(job, CodeAsTask) else f'number {job.number}'}"


class Examiner:
    """Examines candidates, one after the other; what goes wrong with one stops no other.

    Args:
        gates: The gates, in order.
        core: Number of the processor core that the candidates' code runs on; None for any.
    """

    capacity = 1
    spent = False

    def __init__(self, gates: Sequence[Gate], core: int | None = None) -> None:
        self._gates = gates
        self._lab = Lab(core)

    def run(self, take: Take[Candidate]) -> Iterator[tuple[int, Examination | InfrastructureError]]:
        """Examine candidates; see `Runner.run`.

        A model that cannot be reached is the result of its candidate, so that what is examined
        before it stops everything is the same with any engine.
        """
        while (item := take(True)) is not None:
            try:
                result: Examination | InfrastructureError = self._challenge(item.job)
            except InfrastructureError as error:
                result = error
            yield item.number, result

    def close(self) -> None:
        """End the processes in which code runs."""
        self._lab.close()

    def _challenge(self, candidate: Candidate) -> Examination:
        if isinstance(candidate, CodeAsTask):
            return self._examine(candidate)
        try:
            task = candidate.propose(candidate.number)
        except InfrastructureError:  # it says nothing about the candidate, which comes again
            raise
        except Exception as error:
            return Examination(
                None,
                False,
                error=f"the challenger failed: {error}",
                option_error=error if isinstance(error, OptionError) else None,
            )
        if task is None:
            return Examination(None, False, error="nothing was proposed")
        if not isinstance(task, CodeAsTask):
            kind = type(task).__name__
            problem = f"the challenger returned no Code-as-Task but {kind}"
            return Examination(None, False, error=problem)
        return self._examine(task)

    def _examine(self, task: CodeAsTask) -> Examination:
        try:
            return examine(task, self._gates, self._lab, task.load_domain())
        except Exception as error:
            return Examination(task, False, error=f"{type(error).__name__}: {error}")
