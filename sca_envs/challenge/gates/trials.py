"""Gates that run a candidate's own code: does it pass its own tests, each time?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sca_envs.challenge.case import Case
from sca_envs.challenge.gates.base import failed, passed
from sca_envs.challenge.lab import OTHER_WORLDS, Attempt, Judgement
from sca_envs.challenge.task import Verdict

MOST_CALLS = 29
"""Tool calls of a solution; with the answer they are the turns of an episode."""


def _flaw(judgement: Judgement, where: str) -> str | None:
    """Return why a judgement is none, or why it should have been made otherwise."""
    if judgement.problem is not None:
        return f"verify failed {where}: {judgement.problem}"
    if judgement.changed:
        path = judgement.changed[0]
        return f"verify changed its copy of the world {where} ({path}); it may only look"
    return None


@dataclass(frozen=True)
class Unsatisfied:
    """Doing nothing does not fulfil the task."""

    name: ClassVar[str] = "unsatisfied"

    def check(self, case: Case) -> Verdict:
        """Return the verdict."""
        judgement = case.judge(case.untouched)
        if flaw := _flaw(judgement, "on the untouched state with an empty answer"):
            return failed(self, flaw)
        if judgement.fulfilled:
            return failed(self, "verify is true before anything was done")
        return passed(self)


@dataclass(frozen=True)
class SolutionPasses:
    """The example solution runs and fulfils the task."""

    name: ClassVar[str] = "solution"

    def check(self, case: Case) -> Verdict:
        """Return the verdict."""
        attempt = case.solution
        if attempt.error is not None:
            return failed(self, f"the solution failed: {attempt.error}")
        judgement = case.judge(attempt)
        if flaw := _flaw(judgement, "on the solution"):
            return failed(self, flaw)
        if not judgement.fulfilled:
            return failed(self, f"verify is false after the solution (answer {attempt.answer!r})")
        if problem := _unplayable(case):
            return failed(self, problem)
        return passed(self, calls=len(attempt.calls), answer=attempt.answer)


def _unplayable(case: Case) -> str | None:
    """Return why an agent that makes one call a turn could not do what the solution does."""
    calls = case.solution.calls
    if len(calls) > MOST_CALLS:
        return f"the solution makes {len(calls)} tool calls; expected at most {MOST_CALLS}"
    terminal = case.domain.terminal_tools
    name = next((call.name for call in calls if call.name in terminal), None)
    if name is None:
        return None
    if calls[-1].name != name or sum(call.name in terminal for call in calls) > 1:
        return f"the solution goes on after {name}, which ends the conversation"
    if not case.judge(Attempt(case.solution.state, calls)).fulfilled:
        return f"verify wants an answer, but {name} ends the conversation before there is one"
    return None


@dataclass(frozen=True)
class FailuresFail:
    """No failure case fulfils the task."""

    name: ClassVar[str] = "failures"

    def check(self, case: Case) -> Verdict:
        """Return the verdict."""
        for number, attempt in enumerate(case.failures, 1):
            judgement = case.judge(attempt)
            if judgement.fulfilled:
                return failed(self, f"verify is true after failure case {number}")
            if flaw := _flaw(judgement, f"on failure case {number}"):
                return failed(self, flaw)
            if case.same_outcome(attempt, case.solution):
                return failed(self, f"failure case {number} ends as the solution does")
        crashed = [attempt.error for attempt in case.failures if attempt.error is not None]
        if crashed and len(crashed) == len(case.failures):
            return failed(self, f"every failure case crashed, the first one with: {crashed[0]}")
        return passed(self, crashed=len(crashed))


@dataclass(frozen=True)
class Repeatable:
    """The verdicts are the same again, and under other hash seeds, random seeds and clocks."""

    name: ClassVar[str] = "repeatable"

    def check(self, case: Case) -> Verdict:
        """Return the verdict."""
        again = case.lab.attempt(case.domain, case.task.solution)
        if not case.same_outcome(again, case.solution):
            return failed(self, "the solution leaves something else in a second run")
        named = [("the solution", case.solution), ("the untouched state", case.untouched)]
        named += [(f"failure case {i}", attempt) for i, attempt in enumerate(case.failures, 1)]
        for number, (what, attempt) in enumerate(named):
            first = case.judge(attempt).fulfilled
            worlds = range(OTHER_WORLDS) if number == 0 else (number % OTHER_WORLDS,)
            for world in worlds:
                judgement = case.lab.judge_elsewhere(case.domain, case.task.verify, attempt, world)
                if judgement.fulfilled != first:
                    return failed(self, f"the verdict on {what} differs from run to run")
        return passed(self)
