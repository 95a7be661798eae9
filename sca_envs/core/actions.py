"""What an agent does in a turn, and what comes of it.

An action format (see `sca_envs.core.formats`) turns the text of an assistant turn into one of
these and back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Call one tool."""

    name: str
    """The tool's name; it need not exist."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Argument name -> JSON value."""


@dataclass(frozen=True, slots=True)
class PositionalCall:
    """Call one tool with arguments that have no names, as M3ToolEval's formats write it."""

    name: str
    """The tool's name; it need not exist."""
    values: tuple[Any, ...] = ()
    """The arguments in order, unchecked."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Say something to the user."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Give the final answer of a task that has one."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Run Python code that calls the tools."""

    source: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Text that tried to be an action and is none; the agent reads the problem."""

    text: str
    problem: str
    """What was expected and what came."""
    verbatim: bool = False
    """Whether the agent reads the problem as it is, without ``Error:`` before it."""


Action = ToolCall | PositionalCall | Reply | Answer | Code | Malformed


class LoggedCall(NamedTuple):
    """A tool call that was carried out, as verification functions read it."""

    name: str
    arguments: dict[str, Any]
    """Argument name -> JSON value."""
    ok: bool
    """Whether the tool did not refuse it."""


class Turn(NamedTuple):
    """One action and what came of it."""

    action: Action
    observation: str
    """What the agent read next."""
    source: str
    """Where that came from: ``user``, the name of a tool, ``code`` (what it printed), or
    ``environment`` (malformed text, a wrong answer)."""
    calls: tuple[LoggedCall, ...] = ()
    """The tool calls that were carried out."""
    answer: str | None = None
    """What the agent said to the user or gave as its answer."""
