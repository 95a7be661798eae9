"""How many candidates entered and left each gate, and why the others did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from rich.markup import escape
from rich.table import Table

from sca_envs.challenge.task import Verdict
from sca_envs.core.extras import import_extra

_MOST_REASONS = 10
_LONGEST_REASON = 100


class Stage(BaseModel):
    """What happened at one gate."""

    model_config = ConfigDict(extra="forbid")

    gate: str
    entered: int = 0
    passed: int = 0
    seconds: float = 0.0
    """Time that the gate took, over all candidates."""
    reasons: dict[str, int] = {}
    """Why candidates failed -> how many; a reason is cut off after its first sentence."""


class Funnel:
    """Counts verdicts, gate by gate.

    Args:
        gates: Names of the gates, in order.
    """

    def __init__(self, gates: Sequence[str]) -> None:
        self.stages = {name: Stage(gate=name) for name in gates}
        """What happened, by the gate's name."""
        self.candidates = 0
        """Number of candidates."""
        self.errors: Counter[str] = Counter()
        """Why candidates could not be examined at all -> how many."""

    def add(self, verdicts: Iterable[Verdict], seconds: Sequence[float] = ()) -> None:
        """Count one candidate.

        Args:
            verdicts: What the gates said, in order, up to the first that failed it.
            seconds: How long each of them took.
        """
        self.candidates += 1
        times = [*seconds]
        for number, verdict in enumerate(verdicts):
            stage = self.stages.setdefault(verdict.gate, Stage(gate=verdict.gate))
            stage.entered += 1
            stage.seconds += times[number] if number < len(times) else 0.0
            if verdict.passed:
                stage.passed += 1
            else:
                reason = shorten(verdict.reason)
                stage.reasons[reason] = stage.reasons.get(reason, 0) + 1

    def add_error(self, reason: str) -> None:
        """Count one candidate that could not be examined."""
        self.candidates += 1
        self.errors[shorten(reason)] += 1

    @property
    def accepted(self) -> int:
        """Number of candidates that passed every gate."""
        return (
            self.candidates
            - sum(s.entered - s.passed for s in self.stages.values())
            - sum(self.errors.values())
        )

    def reasons(self) -> list[tuple[str, str, int]]:
        """Return the most frequent reasons: gate, reason, number of candidates."""
        counted = Counter(
            {
                (stage.gate, reason): count
                for stage in self.stages.values()
                for reason, count in stage.reasons.items()
            }
        )
        counted.update({("", reason): count for reason, count in self.errors.items()})
        return [(gate, reason, n) for (gate, reason), n in counted.most_common(_MOST_REASONS)]

    def tables(self) -> list[Table]:
        """Return the funnel, and the most frequent reasons, as tables for the terminal."""
        funnel = Table("gate", title=f"{self.accepted} of {self.candidates} candidates accepted")
        for column in ("entered", "passed", "share", "ms each"):
            funnel.add_column(column, justify="right")
        for stage in self.stages.values():
            share = f"{stage.passed / stage.entered:.1%}" if stage.entered else "-"
            each = f"{1000 * stage.seconds / stage.entered:.1f}" if stage.entered else "-"
            funnel.add_row(escape(stage.gate), str(stage.entered), str(stage.passed), share, each)
        if not self.reasons():
            return [funnel]
        reasons = Table("gate", "reason", title="Most frequent reasons")
        reasons.add_column("candidates", justify="right")
        for gate, reason, count in self.reasons():
            reasons.add_row(escape(gate), escape(reason), str(count))
        return [funnel, reasons]

    def report(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {
            "candidates": self.candidates,
            "accepted": self.accepted,
            "stages": [stage.model_dump() for stage in self.stages.values()],
            "errors": dict(self.errors),
        }

    def draw(self, path: str | Path) -> None:
        """Draw the funnel as a picture.

        Args:
            path: A file that ends in ``.png``, ``.svg`` or ``.pdf``.

        Raises:
            SCAError: If the extra ``plots`` is not installed.
        """
        figure_module = import_extra("matplotlib.figure", "plots")
        names = ["candidates", *self.stages]
        counts = [self.candidates, *(stage.passed for stage in self.stages.values())]
        figure = figure_module.Figure(figsize=(7, 0.45 * len(names) + 1), layout="constrained")
        axes = figure.subplots()
        bars = axes.barh(names, counts, color="#3b6ea5")
        axes.bar_label(bars, padding=4)
        axes.invert_yaxis()
        axes.set_xlabel("candidates that passed")
        axes.locator_params(axis="x", integer=True)
        axes.set_xlim(0, max(counts, default=1) * 1.1 or 1)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, dpi=150)


def shorten(reason: str) -> str:
    """Return what a reason has in common with others of its kind: no names, no numbers."""
    first = " ".join(reason.split(":")[0].split("(")[0].splitlines()[:1]).strip() or "no reason"
    words = " ".join("…" if any(c.isdigit() for c in word) else word for word in first.split())
    return words if len(words) <= _LONGEST_REASON else words[:_LONGEST_REASON] + "…"
