"""What a verification finds, and how it is said."""

from __future__ import annotations

from typing import Any, NamedTuple

from sca_envs.bench.leaderboard.submission import Entry

_SHOWN = 200


class Problem(NamedTuple):
    """One thing that is wrong with a submission."""

    where: str
    """Which run, task, trial and turn."""
    what: str
    """What was expected and what is there."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def differs(where: str, right: Any, claimed: Any) -> Problem:
    """Return the problem that a value is another one than expected."""
    return Problem(where, f"expected {shorten(right)}, got {shorten(claimed)}")


def shorten(value: Any) -> str:
    """Return a value as text of a bounded length."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def episode_place(entry: Entry, task: str, trial: int) -> str:
    """Return the words for an episode of a run."""
    name = task if len(task) <= _SHOWN else f"{task[:_SHOWN]}…"
    return f"{entry.folder}, task {name}, trial {trial}"
