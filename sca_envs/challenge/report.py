"""The gates' verdicts in plain words, for the agent or the person that wrote a task."""

from __future__ import annotations

from collections.abc import Sequence

from sca_envs.challenge.gates import Gate
from sca_envs.challenge.task import Verdict

MEANINGS = {
    "complete": "All parts are there and parse; `verify`, `answer(…)` and three failure cases.",
    "safe": "The code is short, pure computation, and independent of clock and chance.",
    "no leak": "The instruction names no tool and quotes no code.",
    "unsatisfied": "`verify` is `False` before anything was done, with an empty answer.",
    "solution": "The solution runs without an exception, and `verify` is `True` after it.",
    "failures": "`verify` is `False` after each failure case.",
    "repeatable": "All verdicts are the same in further runs, with other hash seeds and clocks.",
    "strong": "`verify` is `False` on near misses of the solution: one call left out, one argument "
    "or the answer changed.",
    "held out": "The instruction is none of a held-out task's.",
    "novel": "No task that was accepted before does the same or says nearly the same.",
    "difficult": "An executor fulfils the task neither too rarely nor too often.",
}
"""What each gate asks, by its name."""
_SHOWN = 3


def describe_gates(gates: Sequence[Gate]) -> str:
    """Return a Markdown list of what gates ask."""
    return "\n".join(
        f"{number}. **{gate.name}**: {MEANINGS.get(gate.name, '')}"
        for number, gate in enumerate(gates, 1)
    )


def describe_verdicts(verdicts: Sequence[Verdict], gates: Sequence[Gate], accepted: bool) -> str:
    """Return what gates said of a task.

    Args:
        verdicts: The verdicts, up to the first failed gate.
        gates: All gates, in order.
        accepted: Whether the task was accepted.
    """
    lines = ["The task was accepted." if accepted else "The task was not accepted."]
    for verdict in verdicts:
        lines.append(f"- {verdict.gate}: {'passed' if verdict.passed else 'FAILED'}")
        if not verdict.passed:
            lines.append(f"  {verdict.reason}")
            lines.append(f"  This gate asks: {MEANINGS.get(verdict.gate, '')}")
            for change in verdict.details.get("accepted", [])[:_SHOWN]:
                lines.append(f"  verify was true for: {change}")
    untried = len(gates) - len(verdicts)
    if untried and not accepted:
        lines.append(f"- {untried} further gates were not tried")
    return "\n".join(lines)
