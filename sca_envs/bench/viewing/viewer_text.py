"""The viewer in a terminal: a table of episodes, or one conversation."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from sca_envs.bench.trajectories.trajectory import RecordChange, Trajectory, TrajectoryTurn
from sca_envs.bench.viewing.viewer_data import outcome, tool_call
from sca_envs.core.errors import OptionError

OUTCOMES = {"success": ("✓", "green"), "failure": ("✗", "red"), "excluded": ("!", "yellow")}
"""How each outcome is shown: sign and colour."""

_KINDS = {"user": "green", "environment": "yellow"}
_SIGNS = {"add": ("+", "green"), "remove": ("-", "red"), "change": ("~", "yellow")}
# Whatever would move the cursor, change colours, turn the direction of text or break the encoding.
_UNSPEAKABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff]"
)


class Selection(NamedTuple):
    """Which episodes to show; None stands for any."""

    outcome: str | None = None
    """``success``, ``failure`` or ``excluded``."""
    reason: str | None = None
    """Why it ended."""
    task: str | None = None
    """Id of the task."""
    text: str | None = None
    """Something that is said, called or read in it, in any case."""

    def check(self) -> Selection:
        """Return the selection.

        Raises:
            OptionError: If there is no such outcome.
        """
        if self.outcome not in (None, *OUTCOMES):
            raise OptionError(
                f"Expected a result out of {', '.join(OUTCOMES)}; got {self.outcome!r}"
            )
        return self

    def has(self, trajectory: Trajectory) -> bool:
        """Return whether an episode is among them."""
        return (
            self.outcome in (None, outcome(trajectory))
            and self.reason in (None, trajectory.termination_reason)
            and self.task in (None, trajectory.task_id)
            and (self.text is None or self._said(self.text.lower(), trajectory))
        )

    @staticmethod
    def _said(text: str, trajectory: Trajectory) -> bool:
        said = [trajectory.instruction, trajectory.opening]
        said += [part for turn in trajectory.turns for part in (turn.action, turn.observation)]
        return any(text in part.lower() for part in said)


def visible(text: str) -> str:
    """Return a text with its invisible and dangerous characters as escapes."""
    return _UNSPEAKABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def print_list(trajectories: Iterable[Trajectory], selection: Selection, console: Console) -> None:
    """Print a table of the selected episodes; their numbers are those for `print_episode`."""
    table = Table("#", "", "task", "trial", "reward", "turns", "ended by", "agent", box=None)
    shown = solved = scored = every = 0
    for number, trajectory in enumerate(trajectories):
        every += 1
        if not selection.has(trajectory):
            continue
        shown += 1
        scored += trajectory.counts
        solved += trajectory.counts and trajectory.success
        sign, style = OUTCOMES[outcome(trajectory)]
        table.add_row(
            str(number),
            Text(sign, style),
            Text(visible(trajectory.task_id)),
            str(trajectory.trial),
            f"{trajectory.reward:g}",
            str(len(trajectory.turns)),
            Text(visible(trajectory.termination_reason)),
            Text(visible(trajectory.agent)),
        )
    share = f", {solved / scored:.1%} of those scored are solved" if scored else ""
    with _paged(console, shown):
        console.print(table)
        console.print(f"{shown} of {every} episodes{share}")


def print_episode(trajectories: Iterable[Trajectory], number: int, console: Console) -> None:
    """Print one episode.

    Raises:
        OptionError: If there is no episode of this number.
    """
    count = 0
    for count, trajectory in enumerate(trajectories, 1):
        if count == number + 1:
            with _paged(console, 1000):
                console.print(Group(*_episode(trajectory, number)))
            return
    raise OptionError(f"Expected an episode from 0 to {count - 1}; got {number}")


def _paged(console: Console, lines: int) -> contextlib.AbstractContextManager[object]:
    """Page what is printed, if there is more than fits on the screen."""
    if console.is_terminal and lines > console.height - 4:
        return console.pager(styles=True)
    return contextlib.nullcontext()


def _episode(trajectory: Trajectory, number: int) -> Iterator[RenderableType]:
    sign, style = OUTCOMES[outcome(trajectory)]
    yield Rule(Text(visible(f"{number}: {trajectory.task_id}, trial {trajectory.trial}")))
    yield Text(visible(f"{trajectory.env_id}, {trajectory.data}, {trajectory.split}"), "dim")
    yield Text(visible(f"agent {trajectory.agent}, seed {trajectory.seed}"), "dim")
    if trajectory.instruction:
        yield _panel(trajectory.instruction, "what the user wanted", "dim")
    yield _panel(trajectory.opening, "user", "green")
    replies = [message for message in trajectory.messages if message.get("role") == "assistant"]
    aligned = len(replies) == len(trajectory.turns)
    for at, turn in enumerate(trajectory.turns):
        call = tool_call(replies[at]) if aligned else None
        said = turn.action if call is None else f"{call['name']} {_pretty(call['arguments'])}"
        yield _panel(said, f"agent, turn {at + 1}", "cyan")
        yield from _outcome_of(turn)
    if trajectory.error:
        error = trajectory.error
        yield _panel(error.message, f"{error.kind}: {error.type}", "red")
    components = "".join(f", {k} {v:g}" for k, v in trajectory.reward_components.items())
    ending = f"{sign} ended by {trajectory.termination_reason}, reward {trajectory.reward:g}"
    yield Text(visible(ending + components), f"bold {style}")


def _outcome_of(turn: TrajectoryTurn) -> Iterator[RenderableType]:
    if turn.observation:
        kind = turn.source if turn.source in (*_KINDS, "code") else f"result of {turn.source}"
        yield _panel(_pretty(turn.observation), kind, _KINDS.get(turn.source, "magenta"))
    if turn.changes:
        lines = Text("\n").join(map(_change, turn.changes))
        yield Panel(lines, title="database", title_align="left", border_style="yellow")


def _change(change: RecordChange) -> Text:
    sign, style = _SIGNS[change.kind]
    line = Text(f"{sign} ", style)
    line.append(visible(f"{change.table} / {change.record}{change.field}: "), "bold")
    values = []
    if change.kind != "add":
        values.append(json.dumps(change.before))
    if change.kind != "remove":
        values.append(json.dumps(change.after))
    return line.append(" → ".join(values), "default")


def _panel(text: str, title: str, style: str) -> Panel:
    body = Text(visible(text))
    return Panel(body, title=Text(visible(title)), title_align="left", border_style=style)


def _pretty(text: str) -> str:
    """Return JSON over several lines, and other text as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(value, dict | list):
        return text
    return json.dumps(value, indent=2, ensure_ascii=False)
