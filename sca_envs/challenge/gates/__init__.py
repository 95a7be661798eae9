"""The gates that a candidate passes before anybody learns from it."""

from __future__ import annotations

import functools

from sca_envs.challenge.gates.base import Gate
from sca_envs.challenge.gates.code import Complete, NoLeak, Safe
from sca_envs.challenge.gates.difficulty import Difficult, Executor, difficulty_factor
from sca_envs.challenge.gates.held_out import HeldOut
from sca_envs.challenge.gates.novelty import Fingerprint, Novel, fingerprint
from sca_envs.challenge.gates.strength import Strong
from sca_envs.challenge.gates.trials import FailuresFail, Repeatable, SolutionPasses, Unsatisfied

__all__ = [
    "Complete",
    "Difficult",
    "Executor",
    "FailuresFail",
    "Fingerprint",
    "Gate",
    "HeldOut",
    "NoLeak",
    "Novel",
    "Repeatable",
    "Safe",
    "SolutionPasses",
    "Strong",
    "Unsatisfied",
    "difficulty_factor",
    "fingerprint",
    "standard_gates",
]


@functools.cache
def standard_gates(
    *,
    verify: bool = True,
    solution: bool = True,
    failures: bool = True,
    strength: float | None = 0.8,
) -> tuple[Gate, ...]:
    """Return the gates in their order, all but novelty and difficulty (see `Pipeline`).

    Leaving some out gives the ablations of the paper.

    Args:
        verify: Whether there must be a verification function that is false on the untouched state.
        solution: Whether the example solution must pass.
        failures: Whether at least three failure cases must fail.
        strength: Least share of mutants to be rejected; None tries no mutants.
    """
    gates: list[Gate] = [Complete(3 if failures else 0, code=verify)]
    if verify:
        gates += [Safe(), NoLeak(), Unsatisfied()]
    if solution:
        gates.append(SolutionPasses())
    if failures:
        gates.append(FailuresFail())
    if solution:
        gates.append(Repeatable())
    if solution and strength is not None:
        gates.append(Strong(strength))
    return tuple(gates)
