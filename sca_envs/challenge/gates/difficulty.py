"""The gate that asks how often an executor fulfils the task."""

from __future__ import annotations

from collections.abc import Callable

from sca_envs.challenge.case import Case
from sca_envs.challenge.gates.base import failed, passed
from sca_envs.challenge.task import CodeAsTask, Verdict
from sca_envs.core.errors import OptionError

Executor = Callable[[CodeAsTask], float]
"""Returns the share of attempts at a task that fulfil it, from 0 to 1."""


def difficulty_factor(pass_rate: float) -> float:
    """Return ``4p(1-p)``: 1 for a task that is solved half the time, 0 for always or never."""
    return 4.0 * pass_rate * (1.0 - pass_rate)


class Difficult:
    """An executor fulfils the task neither too rarely nor too often.

    Args:
        executor: Returns its pass rate on a task.
        low: Least pass rate.
        high: Greatest pass rate.

    Raises:
        OptionError: If the band is no part of 0 to 1.
    """

    name = "difficult"

    def __init__(self, executor: Executor, low: float = 0.0, high: float = 1.0) -> None:
        if not 0.0 <= low <= high <= 1.0:
            raise OptionError(f"Expected 0 <= low <= high <= 1; got {low} and {high}")
        self.executor = executor
        self.low, self.high = low, high

    def check(self, case: Case) -> Verdict:
        """Return the verdict; its details hold the pass rate and the difficulty factor."""
        rate = self.executor(case.task)
        details = {"pass_rate": rate, "difficulty": difficulty_factor(rate)}
        if not self.low <= rate <= self.high:
            band = f"from {self.low:g} to {self.high:g}"
            return failed(self, f"expected a pass rate {band}, got {rate:g}", **details)
        return passed(self, **details)
