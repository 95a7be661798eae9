"""What the viewer's page embeds of a trajectory: a row of the index, and one line with the rest.

The index has all that the list shows and filters by. The conversations are compressed in chunks of
some dozen episodes, which the page opens when they are looked at, so that a page of ten thousand
episodes opens at once.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from sca_envs.bench.trajectories.trajectory import RecordChange, Trajectory, to_json

COLUMNS = (
    "task",
    "trial",
    "reward",
    "outcome",
    "reason",
    "turns",
    "agent",
    "env",
    "changes",
    "cost",
    "snippet",
)
"""What a row of the index has, in order."""

_CHUNK = 400_000
_CHUNK_EPISODES = 64
_SNIPPET = 120
_LEVEL = 4  # half the time of 6 and an eighth more bytes
_LEFT_OUT: Any = {
    "messages": True,
    "tokens": True,
    "turns": {"__all__": {"token_ids", "logprobs", "changes"}},
}
_SURROGATE = re.compile("[\ud800-\udfff]")


class Packer:
    """Packs trajectories into chunks, and then knows the index.

    Args:
        trajectories: The trajectories in the order of the list.
    """

    def __init__(self, trajectories: Iterable[Trajectory]) -> None:
        self._trajectories = trajectories
        self._rows: list[list[Any]] = []
        self._starts: list[int] = []
        self._policies: dict[str, int] = {}

    @property
    def episodes(self) -> int:
        """How many episodes were packed."""
        return len(self._rows)

    def chunks(self) -> Iterator[str]:
        """Yield the chunks: lines of JSON, compressed, in base64."""
        lines: list[str] = []
        size = 0
        for trajectory in self._trajectories:
            self._rows.append(row(trajectory))
            line = dump(self._details(trajectory))
            if lines and (size + len(line) > _CHUNK or len(lines) >= _CHUNK_EPISODES):
                yield compress("\n".join(lines))
                lines, size = [], 0
            if not lines:
                self._starts.append(len(self._rows) - 1)
            lines.append(line)
            size += len(line)
        if lines:
            yield compress("\n".join(lines))

    def index(self) -> str:
        """Return the index of what was packed, in the same form as a chunk."""
        index = {
            "columns": COLUMNS,
            "rows": self._rows,
            "starts": self._starts,
            "policies": list(self._policies),
        }
        return compress(dump(index))

    def _details(self, trajectory: Trajectory) -> dict[str, Any]:
        made = trajectory.model_dump(exclude=_LEFT_OUT, exclude_defaults=True)
        made["turns"] = [
            turn | extra
            for turn, extra in zip(made["turns"], _turn_extras(trajectory), strict=True)
        ]
        first = trajectory.messages[0] if trajectory.messages else {}
        if first.get("role") == "system" and isinstance(first.get("content"), str):
            made["policy"] = self._policies.setdefault(first["content"], len(self._policies))
        return made


def row(trajectory: Trajectory) -> list[Any]:
    """Return a trajectory's row of the index."""
    usage = trajectory.usage
    return [
        trajectory.task_id,
        trajectory.trial,
        trajectory.reward,
        outcome(trajectory),
        trajectory.termination_reason,
        len(trajectory.turns),
        trajectory.agent,
        f"{trajectory.env_id}, {trajectory.data}, {trajectory.split}",
        sum(len(turn.changes) for turn in trajectory.turns),
        None if usage is None else usage.cost,
        " ".join((trajectory.instruction or trajectory.opening)[: 2 * _SNIPPET].split())[:_SNIPPET],
    ]


def outcome(trajectory: Trajectory) -> str:
    """Return ``success``, ``failure`` or ``excluded`` (an error that was not the agent's)."""
    if not trajectory.counts:
        return "excluded"
    return "success" if trajectory.success else "failure"


def _turn_extras(trajectory: Trajectory) -> Iterator[dict[str, Any]]:
    """Yield what a turn has beside its texts: tool call, changes, number of tokens."""
    replies = [message for message in trajectory.messages if message.get("role") == "assistant"]
    aligned = len(replies) == len(trajectory.turns)
    for number, turn in enumerate(trajectory.turns):
        extra: dict[str, Any] = {}
        call = tool_call(replies[number]) if aligned else None
        if call is not None:
            extra["call"] = call
        if turn.changes:
            extra["changes"] = [_change(change) for change in turn.changes]
        if turn.token_ids is not None:
            extra["tokens"] = len(turn.token_ids)
        yield extra


def tool_call(message: dict[str, Any]) -> dict[str, str] | None:
    """Return name and arguments, as JSON text, of a chat message's first tool call."""
    try:
        function = message["tool_calls"][0]["function"]
        name, arguments = function["name"], function["arguments"]
    except (KeyError, IndexError, TypeError):
        return None
    if not isinstance(name, str) or not isinstance(arguments, str):
        return None
    return {"name": name, "arguments": arguments}


def _change(change: RecordChange) -> dict[str, Any]:
    """Return a change with its values as JSON texts, in which 50 and 50.0 differ."""
    made: dict[str, Any] = {
        "path": f"{change.table} / {change.record}{change.field}",
        "kind": change.kind,
    }
    if change.kind != "add":
        made["before"] = json.dumps(change.before, ensure_ascii=False)
    if change.kind != "remove":
        made["after"] = json.dumps(change.after, ensure_ascii=False)
    return made


def dump(value: Any) -> str:
    """Return JSON as the page's search wants it: letters as themselves, half surrogates escaped."""
    try:
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except ValueError:  # a number that JSON does not have
        text = json.dumps(json.loads(to_json(value)), separators=(",", ":"), ensure_ascii=False)
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def compress(text: str) -> str:
    """Return a text as gzip in base64; the same text gives the same bytes."""
    return base64.b64encode(gzip.compress(text.encode(), _LEVEL, mtime=0)).decode("ascii")
