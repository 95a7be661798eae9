"""What `compare_tau_bench.py` compares, its targets, and the tables that it prints."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from rich import box
from rich.table import Table

Samples = dict[str, dict[str, dict[str, list[float]]]]
"""Nanoseconds of a repetition, one a round, by side (``ours``, ``original``), work and case."""
Memory = Mapping[str, Mapping[str, float]]
"""Bytes of a further episode by side and measurement."""


class Work(NamedTuple):
    """A line of the table: some work of ours, and what it is compared with."""

    name: str
    """Its name in `compare_ours.py`."""
    original: str
    """The name of the same work in `compare_original.py`."""
    ratio: float | None = None
    """How many times faster than the original it should be."""
    microseconds: float | None = None
    """How long it should take at most, as a guide."""

    @property
    def target(self) -> str:
        """The targets as text."""
        ratio = f">= {self.ratio:.0f}x" if self.ratio else ""
        limit = f"< {self.microseconds:.0f} µs" if self.microseconds else ""
        return ", ".join(filter(None, (ratio, limit)))


TOOL_STEP = "tool step"
"""A tool call that changes nothing."""
WRITE_STEP = "write step"
"""A tool call that changes the database."""
WORKS = (
    Work("reset", "reset", 500, 50),
    Work("reset, Gymnasium", "reset"),
    Work(TOOL_STEP, TOOL_STEP, 2, 15),
    Work("tool step, Gymnasium", TOOL_STEP),
    Work(WRITE_STEP, WRITE_STEP),
    Work("terminal step", "terminal step", 1000),
    Work("terminal step, uncached", "terminal step"),
    Work("terminal step, Gymnasium", "terminal step"),
    Work("episode", "episode", 500),
    Work("episode, Gymnasium", "episode"),
)
"""What is timed. ``uncached``: the reference end state has to be computed first."""

MEMORY: dict[str, tuple[str, float | None]] = {
    "episode": ("episode", 20_000),
    "episode, after a write": ("episode, after a write", None),
    "environment": ("episode", None),
    "environment, after a write": ("episode, after a write", None),
}
"""What is weighed of ours -> its counterpart in the original, and the most bytes it should have."""


@dataclass(frozen=True)
class Row:
    """What came out for one work."""

    work: str
    ours_us: float
    """Microseconds: the mean over the cases of the medians over the rounds."""
    original_us: float
    ratio: float
    lowest_ratio: float
    """The ratio of the case that is worst for us."""
    lowest_case: str
    target: str
    reached: bool | None
    """None where there is no target."""


def _medians(cases: Mapping[str, list[float]]) -> dict[str, float]:
    """Return the medians by case, in microseconds."""
    return {case: statistics.median(times) / 1000 for case, times in cases.items()}


def summarise(samples: Samples) -> list[Row]:
    """Return a row for each of `WORKS`."""
    rows = []
    for work in WORKS:
        ours = _medians(samples["ours"][work.name])
        original = _medians(samples["original"][work.original])
        ours_us, original_us = statistics.fmean(ours.values()), statistics.fmean(original.values())
        ratio = original_us / ours_us
        ratios = {case: original[case] / ours[case] for case in ours}
        worst = min(ratios, key=lambda case: ratios[case])
        fast = work.microseconds is None or ours_us < work.microseconds
        reached = fast and ratio >= (work.ratio or 0) if work.target else None
        rows.append(
            Row(work.name, ours_us, original_us, ratio, ratios[worst], worst, work.target, reached)
        )
    return rows


def time_table(rows: list[Row]) -> Table:
    """Return the times of every work as a table."""
    table = _table("Time in µs", ("work",), ("ours", "original", "ratio", "worst case"), _TARGET)
    for row in rows:
        table.add_row(
            row.work,
            _number(row.ours_us),
            _number(row.original_us),
            f"{_number(row.ratio)}x",
            f"{_number(row.lowest_ratio)}x",
            row.target,
            _yes_or_no(row.reached),
        )
    return table


def call_table(samples: Samples) -> Table:
    """Return the times of the single tool calls as a table."""
    kernel = _medians(samples["ours"][TOOL_STEP])
    gymnasium = _medians(samples["ours"][f"{TOOL_STEP}, Gymnasium"])
    original = _medians(samples["original"][TOOL_STEP])
    columns = ("ours", "ours, Gymnasium", "original", "ratio", "ratio, Gymnasium")
    table = _table(
        "Time of a tool step in µs, by call (the cancellation is refused)", ("call",), columns
    )
    for call, its in original.items():
        ratios = (f"{_number(its / mine[call])}x" for mine in (kernel, gymnasium))
        table.add_row(call, *map(_number, (kernel[call], gymnasium[call], its)), *ratios)
    return table


def memory_table(memory: Memory) -> Table:
    """Return the memory of further episodes as a table."""
    title = "Memory of each further one in kB"
    table = _table(title, ("what",), ("ours", "original", "ratio"), _TARGET)
    for name, (counterpart, limit) in MEMORY.items():
        ours, original = memory["ours"][name], memory["original"][counterpart]
        target = f"< {limit / 1000:.0f} kB" if limit else ""
        reached = ours < limit if limit else None
        table.add_row(
            name,
            _number(ours / 1000),
            _number(original / 1000),
            f"{_number(original / ours)}x",
            target,
            _yes_or_no(reached),
        )
    return table


_TARGET = ("target", "reached")


def _table(
    title: str, left: tuple[str, ...], right: tuple[str, ...], last: tuple[str, ...] = ()
) -> Table:
    """Return an empty table, the columns `right` being aligned to the right."""
    table = Table(title=title, box=box.SIMPLE_HEAD)
    for name in (*left, *right, *last):
        table.add_column(name, justify="right" if name in right else "left", no_wrap=True)
    return table


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _yes_or_no(reached: bool | None) -> str:
    return "" if reached is None else "yes" if reached else "NO"


def agrees(counts: Mapping[str, int]) -> bool:
    """Return whether nothing differed between the two sides."""
    observations = counts["equal_observations"] == counts["observations"]
    return observations and counts["equal_rewards_and_ends"] == counts["steps"]


def describe_check(counts: Mapping[str, Any]) -> str:
    """Return what the comparison of observations and rewards found, as a sentence."""
    return (
        f"{counts['equal_observations']} of {counts['observations']} compared observations are "
        f"equal, and {counts['equal_rewards_and_ends']} of {counts['steps']} compared rewards and "
        f"ends ({counts['episodes']} episodes: of each task once the reference actions, which "
        f"scored 1 in {counts['solved']} of them, and once a reply alone; then the tool calls)."
    )
