"""Agents that do not come back, each in its own way, in the tasks whose number is in `tasks`."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

from tests.bench.players import GO


class Stuck:
    """Plays two turns, but never ends the second one in some tasks.

    Args:
        how: Which of the ways below.
        tasks: Numbers of the tasks.
        when: The method in which it happens.
    """

    def __init__(
        self, how: str = "sleep", tasks: tuple[int, ...] = (1,), when: str = "act"
    ) -> None:
        self.how, self.tasks, self.when = how, tasks, when
        self.number = -1

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        self.number = int(info["task_id"].rpartition("-")[2])
        if self.when == "reset" and self.number in self.tasks:
            WAYS[self.how]()

    def act(self, observation: str, info: dict[str, Any]) -> str:
        if self.when == "act" and info["turn"] == 1 and self.number in self.tasks:
            WAYS[self.how]()
        return GO if info["turn"] < 2 else "I cannot help."

    def report(self, observation: str, info: dict[str, Any]) -> None:
        if self.when == "report" and self.number in self.tasks:
            WAYS[self.how]()


class StuckBatch(Stuck):
    """The same, with many episodes at once."""

    batch_size = 4

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        pass

    def act_batch(self, observations: list[str], infos: list[dict[str, Any]]) -> list[str]:
        for info in infos:
            if info["turn"] == 1 and int(info["task_id"].rpartition("-")[2]) in self.tasks:
                WAYS[self.how]()
        return [GO if info["turn"] < 2 else "I cannot help." for info in infos]


class Counted(Stuck):
    """Leaves a mark for each agent that was made."""

    def __init__(self, marks: str, **options: Any) -> None:
        super().__init__(**options)
        Path(marks).mkdir(exist_ok=True)
        (Path(marks) / f"{os.getpid()}-{time.monotonic_ns()}").touch()


def _sleep() -> None:
    time.sleep(3600)


def _busy() -> None:
    while True:
        pass


def _stubborn() -> None:
    signal_ignored = False
    while True:
        try:
            if not signal_ignored:
                signal_ignored = True
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(3600)
        except BaseException:
            continue


def _deaf() -> None:
    while True:
        try:
            time.sleep(0.05)
        except BaseException:
            continue


def _regular_expression() -> None:
    re.match(r"(a+)+$", "a" * 64 + "b")  # in C, and holds the lock of the interpreter


def _lock_held() -> None:
    ctypes.PyDLL(None).sleep(3600)


def _stopped() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


WAYS = {
    "sleep": _sleep,
    "busy": _busy,
    "stubborn": _stubborn,
    "deaf": _deaf,
    "regex": _regular_expression,
    "lock": _lock_held,
    "stopped": _stopped,
}
