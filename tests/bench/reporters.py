"""Agents and users that report what cannot be."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from sca_envs import AgentReport, TurnTokens, Usage, UserTurn

NUMBERS: dict[str, Any] = {
    "huge": 10**4000,
    "huger": 10**9000,
    "negative": -(10**4000),
    "infinite": math.inf,
    "nan": math.nan,
    "text": "9" * 5000,
    "bool": True,
    "list": [1],
    "none": None,
    "half": 0.5,
    "numpy": np.int64(7),
    "numpy float": np.float64(7),
    "fraction": Fraction(7),
}


class Counting:
    """Reports a number in every place of a usage, in one of several ways."""

    def __init__(self, number: str, way: str) -> None:
        self.number, self.way = NUMBERS[number], way

    def reset(self, observation: str, info: dict[str, Any]) -> None: ...

    def act(self, observation: str, info: dict[str, Any]) -> str:
        return "I cannot help with that."

    def report(self, observation: str, info: dict[str, Any]) -> AgentReport:
        values = dict.fromkeys(Usage.model_fields, self.number)
        if self.way == "made":
            return AgentReport(Usage(**values))
        if self.way == "constructed":
            return AgentReport(Usage.model_construct(**values))
        usage = Usage()
        for name, value in values.items():
            if self.way == "set":
                setattr(usage, name, value)
            else:
                usage.__dict__[name] = value
        return AgentReport(usage)


class Wrong:
    """Reports something that is no report."""

    def __init__(self, what: str) -> None:
        self.what = what

    def reset(self, observation: str, info: dict[str, Any]) -> None: ...

    def act(self, observation: str, info: dict[str, Any]) -> str:
        return "I cannot help with that."

    def report(self, observation: str, info: dict[str, Any]) -> AgentReport:
        turns = info["turn"]
        return {
            "usage": lambda: AgentReport(usage="much"),  # type: ignore[arg-type]
            "field": lambda: AgentReport(usage={"price": 1}),  # type: ignore[arg-type]
            "ids": lambda: AgentReport(turns=[TurnTokens([10**4000])] * turns),
            "text": lambda: AgentReport(turns=[TurnTokens("abc")] * turns),  # type: ignore[arg-type]
            "logprobs": lambda: AgentReport(turns=[TurnTokens([1], ["a"])] * turns),  # type: ignore[list-item]
            "tokens": lambda: AgentReport(tokens=[1, 2]),  # type: ignore[arg-type]
        }[self.what]()


class Costly:
    """A user whose usage cannot be, or raises."""

    def __init__(self, raising: bool = False) -> None:
        self.raising = raising

    def reset(self, task: Any, seed: int) -> str:
        return "Hello!"

    def respond(self, message: str) -> UserTurn:
        return UserTurn("", "user_stop")

    def usage(self) -> Usage:
        if self.raising:
            raise ValueError("a slip")
        return Usage.model_construct(prompt_tokens=10**4000, cost=math.inf)


class Mute(Exception):  # noqa: N818
    """An error that has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Failing:
    """Raises errors that are hard to write down."""

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        self.task = info["task_id"]

    def act(self, observation: str, info: dict[str, Any]) -> str:
        if self.task == "test-1":
            raise Mute
        if self.task == "test-2":
            raise ValueError("x" * 50_000_000)
        return "I cannot help with that."
