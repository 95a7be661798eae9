"""A progress bar for campaigns."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn as Remaining

from sca_envs.challenge.campaign import Progress as Step


def follow(steps: Iterable[Step], wanted: int, console: Console) -> None:
    """Show how far a campaign is, until it ends.

    Args:
        steps: How far it is, again and again.
        wanted: Number of tasks to accept.
        console: Where to show it.
    """
    columns = (
        TextColumn("tasks"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} accepted"),
        TimeElapsedColumn(),
        TextColumn("left"),
        Remaining(),
    )
    with Progress(*columns, console=console) as bar:
        shown = bar.add_task("tasks", total=wanted, rate="-")
        for step in steps:
            rate = f"{step.accepted / step.candidates:.0%}" if step.candidates else "-"
            bar.update(shown, completed=step.accepted, rate=rate)
