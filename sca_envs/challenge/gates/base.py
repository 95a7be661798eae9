"""What a gate is."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from sca_envs.challenge.case import Case
from sca_envs.challenge.task import Verdict


@runtime_checkable
class Gate(Protocol):
    """Decides on one property of a candidate."""

    @property
    def name(self) -> str:
        """Short name, as the funnel shows it."""
        ...

    def check(self, case: Case) -> Verdict:
        """Return whether the candidate has the property; if not, why, in plain words."""
        ...


def passed(gate: Gate, **details: Any) -> Verdict:
    """Return the verdict that a gate lets a candidate through."""
    return Verdict(gate=gate.name, passed=True, details=details)


def failed(gate: Gate, reason: str, **details: Any) -> Verdict:
    """Return the verdict that a gate stops a candidate."""
    return Verdict(gate=gate.name, passed=False, reason=reason, details=details)
