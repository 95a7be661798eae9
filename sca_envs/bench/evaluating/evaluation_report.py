"""What a person sees of a run: live progress, and a table of the results."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

import rich.progress as bars
from rich.console import Console
from rich.table import Table

from sca_envs.bench.evaluating.evaluation import Progress
from sca_envs.bench.evaluating.metrics import Estimate
from sca_envs.bench.evaluating.results import Results
from sca_envs.bench.trajectories.trajectory import AGENT_TIMEOUT, INFRASTRUCTURE_ERROR

_PERIOD = 0.25
"""Seconds between two looks at the progress, however fast the episodes are."""


class LiveProgress:
    """Shows done, success so far, errors, tokens, cost and the time that is left.

    Args:
        console: Where.
        live: False shows nothing, for an agent that needs the terminal itself.
    """

    def __init__(self, console: Console, *, live: bool = True) -> None:
        self._bars = bars.Progress(
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TextColumn("{task.description}"),
            bars.TimeElapsedColumn(),
            bars.TextColumn("left"),
            bars.TimeRemainingColumn(),
            console=console,
            disable=not live,
            refresh_per_second=1 / _PERIOD,
        )
        self._bar: bars.TaskID | None = None
        self._next = 0.0

    def show(self, progress: Progress) -> None:
        """Show how far the run is."""
        now = time.monotonic()
        if now < self._next and progress.done < progress.total:
            return
        self._next = now + _PERIOD
        if self._bar is None:
            # What was resumed took no time, so it must not tell how long the rest takes.
            self._bar = self._bars.add_task("", total=progress.total, completed=progress.done)
        self._bars.update(self._bar, completed=progress.done, description=_describe(progress))

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._bars.stop()


def _describe(progress: Progress) -> str:
    parts = [f"success {progress.success:.1%}"]
    if progress.errors:
        missing = f", {progress.missing} of the infrastructure" if progress.missing else ""
        parts.append(f"[red]errors {progress.errors}{missing}[/]")
    if progress.timeouts:
        parts.append(f"[red]timeouts {progress.timeouts}[/]")
    if progress.tokens:
        parts.append(f"{progress.tokens:,} tokens")
    if progress.cost:
        parts.append(f"${progress.cost:.2f}")
    return ", ".join(parts)


def results_table(results: Results) -> Table:
    """Return the results as a table."""
    options = results.run.options
    table = Table(title=f"{options['agent']} on {options['env_id']}")
    table.add_column("")
    for column in ("mean", "95 % interval", "tasks"):
        table.add_column(column, justify="right")
    _add(table, "success", results.success, share=True)
    for k, one in results.pass_hat.items():
        _add(table, f"pass^{k}", one, share=True)
    for k, one in results.pass_at.items():
        _add(table, f"pass@{k}", one, share=True)
    for name, one in results.components.items():
        _add(table, f"component {name}", one, share=True)
    _add(table, "turns", results.turns)
    _add(table, "prompt tokens", results.prompt_tokens)
    _add(table, "completion tokens", results.completion_tokens)
    _add(table, "cost, US dollars", results.cost)
    reasons = (f"{reason} {n}" for reason, n in results.termination_reasons.items())
    table.caption = (
        f"{results.episodes} episodes, {results.scored} of them count; ends: {', '.join(reasons)}"
    )
    if results.remarks:
        table.caption += f"; {', '.join(results.remarks)}"
    if timeouts := results.errors.get(AGENT_TIMEOUT):
        table.caption += f"; {timeouts} failed because the agent took too long (--episode-timeout)"
    if missing := results.errors.get(INFRASTRUCTURE_ERROR):
        table.caption += f"; --resume plays {missing} again, which the infrastructure broke off"
    return table


def _add(table: Table, name: str, one: Estimate | None, *, share: bool = False) -> None:
    if one is None:
        return

    def show(value: float) -> str:
        return f"{value:.1%}" if share else f"{value:,.4g}"

    table.add_row(name, show(one.mean), f"{show(one.low)} to {show(one.high)}", str(one.tasks))
