"""What a set of tasks is like: how different, how hard, how well tested."""

from __future__ import annotations

import ast
import builtins
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.table import Table

from sca_envs.challenge.gates.novelty import shingles
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.extras import import_extra

_COMMON = 12


class Statistics:
    """Numbers about a set of tasks.

    Args:
        tasks: The tasks, with the verdicts of the gates.
    """

    def __init__(self, tasks: Sequence[CodeAsTask]) -> None:
        self.tasks = tuple(tasks)
        self.calls = Counter(
            int(details["calls"]) for details in self._details("solution") if "calls" in details
        )
        """Number of tool calls of the solution -> number of tasks."""
        self.strengths = [
            float(details["rejected"])
            for details in self._details("strong")
            if details.get("mutants")
        ]
        """Share of mutants that were rejected, for each task."""
        self.pass_rates = [
            float(details["pass_rate"])
            for details in self._details("difficult")
            if "pass_rate" in details
        ]
        """Pass rate of the executor, for each task that one tried."""
        self.tools = Counter(name for task in tasks for name in _names(task.solution))
        """Tool -> number of tasks whose solution names it."""
        self.similarities = list(_similarities([shingles(task.instruction) for task in tasks]))
        """For each task but the first, how similar its instruction is to the most similar earlier
        one (Jaccard index of runs of three words)."""

    def _details(self, gate: str) -> Iterator[dict[str, float]]:
        for task in self.tasks:
            for verdict in task.provenance.verdicts:
                if verdict.gate == gate:
                    yield verdict.details

    def tables(self) -> list[Table]:
        """Return the numbers as tables for the terminal."""
        words = [len(task.instruction.split()) for task in self.tasks]
        distinct = len({task.instruction for task in self.tasks})
        table = Table("", title=f"{len(self.tasks)} tasks", show_header=False)
        table.add_column("", justify="right")
        table.add_row("distinct instructions", str(distinct))
        table.add_row("words in an instruction, median", _median(words))
        table.add_row("similarity to the nearest earlier one, median", _median(self.similarities))
        table.add_row("… largest", f"{max(self.similarities, default=0.0):.2f}")
        table.add_row("mutants rejected, mean", _mean(self.strengths))
        table.add_row("… least", f"{min(self.strengths):.2f}" if self.strengths else "-")
        table.add_row("pass rate of the executor, mean", _mean(self.pass_rates))
        lengths = Table("tool calls of the solution", title="Difficulty")
        lengths.add_column("tasks", justify="right")
        for length in sorted(self.calls):
            lengths.add_row(str(length), str(self.calls[length]))
        tools = Table("name in the solution", title="Diversity")
        tools.add_column("tasks", justify="right")
        for name, count in self.tools.most_common(_COMMON):
            tools.add_row(name, str(count))
        return [table, lengths, tools]

    def draw(self, path: str | Path) -> None:
        """Draw difficulty, strength and diversity as a picture.

        Args:
            path: A file that ends in ``.png``, ``.svg`` or ``.pdf``.

        Raises:
            SCAError: If the extra ``plots`` is not installed.
        """
        figure_module = import_extra("matplotlib.figure", "plots")
        figure = figure_module.Figure(figsize=(11, 3.2), layout="constrained")
        length, strength, similarity = figure.subplots(1, 3)
        lengths = sorted(self.calls)
        length.bar([str(n) for n in lengths], [self.calls[n] for n in lengths], color=_COLOR)
        length.set(title="Difficulty", xlabel="tool calls of the solution", ylabel="tasks")
        bins = [i / 20 for i in range(21)]
        strength.hist(self.strengths, bins=bins, color=_COLOR)
        strength.set(title="Strength", xlabel="share of mutants rejected", xlim=(0, 1))
        similarity.hist(self.similarities, bins=bins, color=_COLOR)
        similarity.set(title="Diversity", xlabel="similarity to nearest earlier task", xlim=(0, 1))
        for axes in (length, strength, similarity):
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(path, dpi=150)


_COLOR = "#3b6ea5"


def _names(source: str) -> set[str]:
    """Return the names of the functions that code calls, ``answer`` and built-in ones left out."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return set()
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return {name for name in called if not hasattr(builtins, name) and name != "answer"}


def _similarities(runs: Sequence[frozenset[str]]) -> Iterator[float]:
    with_run: dict[str, list[int]] = {}
    for number, wanted in enumerate(runs):
        common = Counter(other for run in wanted for other in with_run.get(run, ()))
        if number:
            yield max(
                (n / (len(wanted) + len(runs[other]) - n) for other, n in common.items()),
                default=0.0,
            )
        for run in wanted:
            with_run.setdefault(run, []).append(number)


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):g}"[:6] if values else "-"


def _mean(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.2f}" if values else "-"
