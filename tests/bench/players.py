"""Agents and users that the tests of the evaluation load by name."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from sca_envs import (
    AgentReport,
    InfrastructureError,
    StopRun,
    Tokens,
    TurnTokens,
    Usage,
    UserTurn,
)

GO = '{"name": "think", "arguments": {"thought": "x"}}'

STRANGE = [
    '{"name": "think", "arguments": {"thought": "\ud800"}}',
    '{"name": "think", "arguments": {"thought": "\\ud83d\\ude00 \x00"}}',
    "\ud83d\ude00 a pair of surrogates that is one character, and one that is none: \udfff",
    "\x00",
    "",
    '{"name": "no_such_tool", "arguments": {}}',
    '{"name": "think"}{"name": "think"}',
    '{"name": ',
    "[" * 100_000,
    "x" * 100_001,
    '{"name": "think", "arguments": {"thought": "' + "y" * 99_000 + '"}}',
    '<script>alert("\u2028")</script>\r\n\x7f\x85',
    '{"name": "calculate", "arguments": {"expression": "1e999"}}',
    '{"name": "think", "arguments": {"thought": NaN}}',
]


class Strange:
    """Writes what a model might write at its worst."""

    def __init__(self) -> None:
        self.turn = 0

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        self.turn = info["seed"] % len(STRANGE)

    def act(self, observation: str, info: dict[str, Any]) -> str:
        self.turn += 1
        return STRANGE[self.turn % len(STRANGE)]


class Raising:
    """Raises in the second turn of tasks whose number is a multiple of `every`."""

    def __init__(self, every: int = 3, kind: str = "act") -> None:
        self.every = every
        self.kind = kind
        self.raising = False

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        self.raising = int(info["task_id"].rpartition("-")[2]) % self.every == 0

    def act(self, observation: str, info: dict[str, Any]) -> Any:
        if self.raising and info["turn"] == 1:
            if self.kind == "type":
                return None
            raise ValueError("a slip \ud800")
        return GO if info["turn"] < 2 else "I cannot help."


class Stopping:
    """Wants no more after three episodes."""

    def __init__(self) -> None:
        self.episodes = 0

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        self.episodes += 1
        if self.episodes > 3:
            raise StopRun

    def act(self, observation: str, info: dict[str, Any]) -> str:
        return "I cannot help."


class Batched:
    """Acts in many episodes at once, as it would in one; counts how many at most."""

    batch_size = 5
    largest = 0

    def __init__(self, fail: bool = False) -> None:
        self.fail = fail
        self.turns: dict[str, int] = {}

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        self.turns[info["episode_id"]] = info["seed"] % 4

    def act_batch(self, observations: list[str], infos: list[dict[str, Any]]) -> list[str]:
        assert len(observations) == len(infos) <= self.batch_size
        Batched.largest = max(Batched.largest, len(infos))
        return [self._act(info) for info in infos][: -1 if self.fail else None]

    def _act(self, info: dict[str, Any]) -> str:
        self.turns[info["episode_id"]] -= 1
        return GO if self.turns[info["episode_id"]] > 0 else "I cannot help with that."

    def report(self, observation: str, info: dict[str, Any]) -> None:
        del self.turns[info["episode_id"]]


class OneByOne(Batched):
    """The same, one episode at a time."""

    act_batch = None  # type: ignore[assignment]

    def act(self, observation: str, info: dict[str, Any]) -> str:
        return self._act(info)


class Reporting:
    """Tells tokens and cost."""

    def __init__(self, wrong: bool = False) -> None:
        self.wrong = wrong
        self.turns = 0
        self.closed = False

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        self.turns = 0

    def act(self, observation: str, info: dict[str, Any]) -> str:
        self.turns += 1
        return GO if self.turns < 3 else "I cannot help."

    def report(self, observation: str, info: dict[str, Any]) -> AgentReport:
        number = self.turns + self.wrong
        return AgentReport(
            usage=Usage(prompt_tokens=10, completion_tokens=number, cost=0.25, requests=number),
            tokens=Tokens(ids=[1, 2], mask=[0, 1], logprobs=[None, float("-inf")]),
            turns=[TurnTokens([turn], [-0.5]) for turn in range(number)],
        )


class Dying:
    """Takes its process down in one task, the first time (or always)."""

    def __init__(self, marker: str, always: bool = False) -> None:
        self.marker = Path(marker)
        self.always = always

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        if info["task_id"] == "test-5" and (self.always or not self.marker.exists()):
            self.marker.touch()
            os._exit(7)

    def act(self, observation: str, info: dict[str, Any]) -> str:
        return "I cannot help."


class Slow:
    """Replays nothing, slowly, so that a kill finds it at work."""

    def __init__(self, seconds: float = 0.005) -> None:
        self.seconds = seconds
        self.left = 0

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        self.left = info["seed"] % 5

    def act(self, observation: str, info: dict[str, Any]) -> str:
        time.sleep(self.seconds)
        self.left -= 1
        return GO if self.left >= 0 else "I cannot help."


class NoAct:
    def reset(self, observation: str, info: dict[str, Any]) -> None:
        pass


class NeedsKey:
    def __init__(self) -> None:
        raise ValueError("no key")

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        pass

    def act(self, observation: str, info: dict[str, Any]) -> str:
        return ""


class PlainUser:
    """Says the instruction, then goodbye after some replies; fails where it is told to."""

    def __init__(self, fail_every: int = 0, when: str = "respond", polite: bool = False) -> None:
        self.fail_every = fail_every
        self.when = when
        self.polite = polite
        self.replies = 0
        self.failing = False

    def reset(self, task: Any, seed: int) -> str:
        number = int(task.id.rpartition("-")[2])
        self.failing = bool(self.fail_every) and number % self.fail_every == 0
        if self.failing and self.when == "reset":
            raise ConnectionError("no endpoint")
        self.replies = 0
        return f"{task.instruction} ({seed})"

    def respond(self, message: str) -> UserTurn:
        self.replies += 1
        if self.failing:
            if self.polite:
                return UserTurn("I am broken.", "user_error")
            raise ConnectionError("no endpoint")
        return UserTurn("Hm.", "user_stop" if self.replies == 2 else None)

    def usage(self) -> Usage:
        return Usage(prompt_tokens=3, cost=0.5)


class Talking:
    """Only talks, and once calls a tool that does not exist and has a misleading name."""

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        pass

    def act(self, observation: str, info: dict[str, Any]) -> str:
        return '{"name": "user"}' if info["turn"] == 1 else "Well."


class Coding:
    """Writes code, whose variables live on."""

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        assert info["action_format"] == "python"

    def act(self, observation: str, info: dict[str, Any]) -> str:
        return f"```python\n{'x = 41' if info['turn'] == 0 else 'print(x + 1)'}\n```"


class Odd(Talking):
    """Takes an option, whatever it says."""

    def __init__(self, text: str) -> None:
        self.text = text


class Cut:
    """Is cut off from its model in the second turn of some tasks, while a file is there.

    Args:
        marker: The file.
        tasks: Numbers of the tasks.
        wrapped: Whether it raises an error of its own from ours.
    """

    def __init__(self, marker: str, tasks: list[int], wrapped: bool = False) -> None:
        self.marker, self.tasks, self.wrapped = Path(marker), tasks, wrapped
        self.cut = False

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        number = int(info["task_id"].rpartition("-")[2])
        self.cut = number in self.tasks and self.marker.exists()

    def act(self, observation: str, info: dict[str, Any]) -> str:
        if self.cut and info["turn"] == 1:
            try:
                raise InfrastructureError("the cable is out")
            except InfrastructureError as error:
                if self.wrapped:
                    raise RuntimeError("no model") from error
                raise
        return GO if info["turn"] < 2 else "I cannot help."
