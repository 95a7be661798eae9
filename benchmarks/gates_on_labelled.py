"""Measures the gates on the labelled set: which gate catches which kind of bad candidate.

Run it from a checkout: ``python benchmarks/gates_on_labelled.py``. It prints a Markdown table.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from sca_envs.challenge.examination import Examination
from sca_envs.challenge.gates import Novel, standard_gates
from sca_envs.challenge.pipeline import Pipeline
from sca_envs.challenge.report import MEANINGS
from tests.challenge.labelled import FLAWS, Labelled, labelled

GOOD = "good"
ACCEPTED = "accepted"


class Outcome(NamedTuple):
    """What became of a candidate of the labelled set."""

    example: Labelled
    examination: Examination

    @property
    def gate(self) -> str:
        """Name of the gate that stopped it, or `ACCEPTED`."""
        if self.examination.task is None or self.examination.error is not None:
            raise RuntimeError(f"{self.example.task.id}: {self.examination.error}")
        if self.examination.accepted:
            return ACCEPTED
        return self.examination.task.provenance.verdicts[-1].gate

    @property
    def kind(self) -> str:
        """Its flaw, or `GOOD`."""
        return GOOD if self.example.good else self.example.kind


def outcomes(examples: Iterable[Labelled], workers: int = 2) -> list[Outcome]:
    """Return what the gates make of candidates, in order.

    Args:
        examples: The candidates; a near copy comes after what it copies.
        workers: Number of processes.
    """
    examples = list(examples)
    pipeline = Pipeline(standard_gates(), novel=Novel(), workers=workers)
    found = pipeline.examine([example.task for example in examples])
    return [Outcome(*pair) for pair in zip(examples, found, strict=True)]


def markdown(found: Iterable[Outcome]) -> str:
    """Return a table: a row for each kind of candidate, a column for each gate."""
    counts = Counter((outcome.kind, outcome.gate) for outcome in found)
    gates = [name for name in MEANINGS if any(gate == name for _, gate in counts)]
    columns = [*gates, ACCEPTED]
    lines = [f"| kind | {' | '.join(columns)} | all |", f"|---|{'---:|' * (len(columns) + 1)}"]
    for kind in (*FLAWS, GOOD):
        row = [counts[kind, column] for column in columns]
        cells = [str(n or "") for n in row]
        lines.append(f"| {kind.replace('_', ' ')} | {' | '.join(cells)} | {sum(row)} |")
    return "\n".join(lines)


def rates(found: Iterable[Outcome]) -> tuple[float, float]:
    """Return the share of the good candidates that were accepted, and that of the bad ones."""
    accepted = Counter((outcome.example.good, outcome.gate == ACCEPTED) for outcome in found)
    good, bad = (
        accepted[label, True] / (accepted[label, True] + accepted[label, False])
        for label in (True, False)
    )
    return good, bad


def main() -> None:
    """Print the table and the shares."""
    found = outcomes(labelled())
    good, bad = rates(found)
    print(markdown(found))
    print(f"\nAccepted: {good:.1%} of the good candidates, {bad:.1%} of the bad ones.")


if __name__ == "__main__":
    main()
