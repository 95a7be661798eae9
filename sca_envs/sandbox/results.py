"""What goes into the sandbox and what comes out of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sca_envs.sandbox.errors import SandboxError

JSON = Any
"""A JSON value: None, bool, int, float (finite), str, list or dict with string keys."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one execution may use. In a session they hold for each cell.

    Raises:
        ValueError: If a limit is out of its range.
    """

    wall_seconds: float = 10.0
    """Elapsed time, including the time that tools take, in seconds."""
    cpu_seconds: float = 5.0
    """Processor time of the child, in seconds."""
    memory_bytes: int = 512 << 20
    """Address space of the child, in bytes; the interpreter itself needs about 40 MiB of it."""
    output_bytes: int = 64 << 10
    """What is kept of printed text, in bytes of UTF-8, for each of stdout and stderr."""
    fail_on_overflow: bool = False
    """Whether printing more than `output_bytes` is a failure (`output`); else the rest is cut."""
    message_bytes: int = 1 << 20
    """Size of the result, or of the arguments of one tool call, as JSON, in bytes."""
    traffic_bytes: int = 64 << 20
    """Size of everything that goes to and from the child in one execution, in bytes."""
    tool_calls: int = 10_000
    """Number of tool calls in one execution."""

    def __post_init__(self) -> None:
        for name, least, most in (
            ("wall_seconds", 0.001, 1e6),
            ("cpu_seconds", 0.001, 1e6),
            ("memory_bytes", 64 << 20, 1 << 46),
            ("output_bytes", 0, 1 << 30),
            ("message_bytes", 1024, 1 << 30),
            ("traffic_bytes", 1024, 1 << 40),
            ("tool_calls", 0, 1 << 40),
        ):
            value = getattr(self, name)
            kind = (int, float) if isinstance(least, float) else int
            if not isinstance(value, kind) or isinstance(value, bool):
                raise ValueError(f"Limits.{name}: expected a number, got {value!r}")
            if not least <= value <= most:
                raise ValueError(f"Limits.{name}: expected {least} to {most:g}, got {value}")


@dataclass(frozen=True, slots=True)
class SandboxTool:
    """A function of the host that code in the sandbox can call by name."""

    name: str
    """The name of the function in the sandbox."""
    parameters: tuple[str, ...] | None
    """Parameter names, in the order of positional arguments; None for any keyword arguments."""
    call: Callable[[dict[str, JSON]], JSON] = field(repr=False)
    """Takes the arguments by name and returns a JSON value. It runs in the host, on the thread
    that called `run`. If it raises one of Python's own exceptions, the code sees the same type
    with the same message; for any other, a `ToolError` with the message."""
    variadic: bool = False
    """Whether more positional arguments may follow; `call` gets them as the list `args`."""
    keywords: bool = False
    """Whether keyword arguments of other names may follow; `call` gets them by their names."""


Tools = Mapping[str, "Callable[[dict[str, JSON]], JSON] | SandboxTool"]
"""Tools by name. A plain callable is called with keyword arguments only."""


@dataclass(frozen=True, slots=True)
class SandboxCall:
    """A tool call that the host carried out; kept as text, so that nothing can change it."""

    name: str
    """The tool."""
    arguments_json: str
    """Its arguments, a JSON object."""
    result_json: str | None
    """What it returned, as JSON; None if it raised."""
    error: str | None = None
    """Type and message of what it raised; None if it returned."""

    @property
    def arguments(self) -> dict[str, JSON]:
        """A fresh copy of the arguments."""
        arguments: dict[str, JSON] = json.loads(self.arguments_json)
        return arguments

    @property
    def result(self) -> JSON:
        """A fresh copy of what the tool returned; None if it raised."""
        return None if self.result_json is None else json.loads(self.result_json)


@dataclass(frozen=True, slots=True)
class Result:
    """What an execution left."""

    value: JSON = None
    """The variable `result`, as JSON; None if it was not set or the execution failed."""
    stdout: str = ""
    """What was printed, up to `Limits.output_bytes`."""
    calls: tuple[SandboxCall, ...] = ()
    """The tool calls that were carried out, in order, also if the execution failed."""
    error: SandboxError | None = None
    """Why it failed; None if it succeeded."""
    cpu_seconds: float = 0.0
    """Processor time of the child, in seconds. The only field that may differ between two runs."""
    displayed: str | None = None
    """In a session: `repr` of the value of a last expression, as a notebook shows it."""
    stderr: str = ""
    """What was written to stderr, up to `Limits.output_bytes`."""
    truncated: bool = False
    """Whether some of stdout or stderr was cut."""

    @property
    def verdict(self) -> bool:
        """Whether the execution succeeded and its result is exactly the JSON value `true`."""
        return self.error is None and self.value is True

    def unwrap(self) -> JSON:
        """Return `value`.

        Raises:
            SandboxError: If the execution failed.
        """
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(frozen=True, slots=True)
class Job:
    """One execution of a batch."""

    code: str
    """Python source."""
    tools: Tools = field(default_factory=dict)
    """What it may call."""
    state: JSON = None
    """What it sees as the variable `state`."""
    limits: Limits | None = None
    """What it may use; None for the pool's own."""
