"""Drives one execution: sends the job, carries out the tool calls, judges how it ended."""

from __future__ import annotations

import json
import marshal
import signal
from dataclasses import dataclass, field, replace
from keyword import iskeyword

from sca_envs.sandbox import channel as wire
from sca_envs.sandbox.channel import Channel, Meter
from sca_envs.sandbox.errors import Reason, SandboxError
from sca_envs.sandbox.results import JSON, Limits, Result, SandboxCall, SandboxTool, Tools
from sca_envs.sandbox.worker import Child

_OUT_OF_MEMORY = 77  # see child/runtime.py
_TAKEN = {"__builtins__", "__name__", "state"}
_CODE_BYTES = 8 << 20
_END_BYTES = 128 << 10
# An honest report of an exception has less; see child/runtime.py.
_FRAMES, _MESSAGE, _NAME, _LINE = 20, 8 << 10, 800, 200

ONE_CELL = "<cell>"
"""The name of one-shot code in tracebacks."""


@dataclass
class Execution:
    """One run of code in a child, from the job to the final frame."""

    child: Child
    tools: dict[str, SandboxTool]
    limits: Limits
    cell: str
    """Name of this piece of code; the final frame must say it."""
    sources: dict[str, str]
    """Source by name of the cell, for tracebacks."""
    compiling: bool = False
    """Whether the job is only to compile; the result's value is then marshalled code."""
    meter: Meter = field(init=False)
    calls: list[SandboxCall] = field(default_factory=list)
    _traffic: int = 0

    def __post_init__(self) -> None:
        self.meter = Meter(self.child.process, self.limits)
        self.meter.set_backstop()

    @property
    def channel(self) -> Channel:
        """The way to the child."""
        return self.child.channel

    def converse(self, job: bytes) -> Result:
        """Send a job and serve the child until its final frame.

        Returns:
            What the final frame says, with the exception of the code if there was one.

        Raises:
            SandboxError: If there is no valid final frame within the limits.
        """
        self._send(wire.JOB, job)
        kinds = self._kinds()
        parts: dict[bytes, bytes] = {}
        while True:
            frame = self.channel.receive(self.meter, kinds)
            if frame is None:
                raise SandboxError("killed", "its process ended before its result was complete")
            kind, body = frame
            if kind == wire.FINAL:
                return self._read_end(wire.parse(body), parts)
            if kind == wire.CODE:
                return Result(value=body)
            if kind == wire.CALL:
                self._carry_out(body)
            elif kind in parts:
                raise SandboxError("protocol", f"it sent two frames of the kind {kind!r}")
            else:
                parts[kind] = body

    def _kinds(self) -> dict[bytes, int]:
        """Return which frames may come, and how large each may be."""
        if self.compiling:
            return {wire.CODE: _CODE_BYTES, wire.FINAL: _END_BYTES}
        kinds = dict.fromkeys((wire.CALL, wire.VALUE), self.limits.message_bytes)
        texts = (wire.STDOUT, wire.STDERR, wire.DISPLAYED)
        return kinds | dict.fromkeys(texts, self.limits.output_bytes) | {wire.FINAL: _END_BYTES}

    def failed(self, error: SandboxError) -> Result:
        """Return the result of an execution that gave none."""
        return Result(calls=tuple(self.calls), error=error, cpu_seconds=self.meter.used())

    def _send(self, kind: bytes, body: bytes) -> None:
        self._count(len(body))
        self.channel.send(kind, body, self.meter)

    def _count(self, size: int) -> None:
        self._traffic += size
        if self._traffic > self.limits.traffic_bytes:
            allowed = self.limits.traffic_bytes
            raise SandboxError("output", f"it exchanged more than {allowed:,} bytes with the host")

    def _carry_out(self, body: bytes) -> None:
        """Run one tool call and send back what came of it."""
        self._count(len(body))
        if len(self.calls) >= self.limits.tool_calls:
            raise SandboxError("output", f"it made more than {self.limits.tool_calls:,} tool calls")
        match wire.parse(body):
            case [str(name), dict(arguments)] if name in self.tools:
                pass
            case _:
                raise SandboxError("protocol", "it sent a malformed tool call")
        text = json.dumps(arguments)
        try:
            reply = _to_json(self.tools[name].call(arguments))
        except Exception as error:  # what a tool raises is the code's to handle
            kind, message = _describe(error)
            problem = f"{kind}: {message}" if message else kind
            self.calls.append(SandboxCall(name, text, None, problem))
            self._send(wire.PROBLEM, json.dumps([kind, message]).encode())
        else:
            self.calls.append(SandboxCall(name, text, reply))
            self._send(wire.REPLY, reply.encode())

    def _read_end(self, end: JSON, parts: dict[bytes, bytes]) -> Result:
        match end:
            case {"cell": self.cell, "overflowed": bool(overflowed), "error": report} if (
                len(end) == 3
            ):
                pass
            case _:
                raise SandboxError("protocol", "it sent a malformed final frame")
        value, displayed = parts.get(wire.VALUE), parts.get(wire.DISPLAYED)
        error = None
        if report is not None:
            error = self._read_report(report)
        elif overflowed and self.limits.fail_on_overflow:
            allowed = self.limits.output_bytes
            error = SandboxError("output", f"it printed more than {allowed:,} bytes")
        return Result(
            value=None if value is None or error is not None else wire.parse(value),
            stdout=wire.decode(parts.get(wire.STDOUT, b"")),
            stderr=wire.decode(parts.get(wire.STDERR, b"")),
            truncated=overflowed,
            displayed=None if displayed is None else wire.decode(displayed),
            calls=tuple(self.calls),
            error=error,
            cpu_seconds=self.meter.used(),
        )

    def _read_report(self, report: JSON) -> SandboxError:
        match report:
            case {"type": str(kind), "message": str(text), "frames": list(frames), "kind": how} if (
                len(kind) <= _NAME and len(text) <= _MESSAGE and len(frames) <= _FRAMES
            ):
                pass
            case _:
                return SandboxError("protocol", "it sent a malformed report of an exception")
        if how == "result":
            return SandboxError("protocol", f"its `result` is not strict JSON: {text}")
        message = f"{kind}: {text}" if text else kind
        reason: Reason = "memory" if how == "memory" else "exception"
        return SandboxError(reason, message, self._traceback(frames, message))

    def _traceback(self, frames: list[JSON], message: str) -> str:
        """Return a traceback of the code's own lines, as Python would print it."""
        lines = ["Traceback (most recent call last):"] if frames else []
        split, source = "", [""]
        for frame in frames:
            match frame:
                case [str(cell), int(number), str(function)] if (
                    cell in self.sources and 0 <= number < 1 << 31
                ):
                    if cell != split:  # one at a time: there may be many large ones
                        split, source = cell, self.sources[cell].splitlines()
                    lines.append(f'  File "{cell}", line {number}, in {function[:_NAME]}')
                    if 1 <= number <= len(source):
                        lines.append(f"    {source[number - 1].strip()[:_LINE]}")
        return "\n".join([*lines, message])


def pack_job(
    mode: str,
    code: bytes | str,
    cell: str,
    tools: dict[str, SandboxTool],
    limits: Limits,
    state: JSON,
    read_result: bool = True,
) -> bytes:
    """Return the body of a job frame.

    Raises:
        ValueError: If `state` is not JSON.
    """
    try:
        text = None if state is None else _to_json(state)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"state: expected a JSON value: {error}") from error
    return marshal.dumps(
        {
            "mode": mode,
            "code": code,
            "cell": cell,
            "tools": [
                (name, tool.parameters, tool.variadic, tool.keywords)
                for name, tool in tools.items()
            ],
            "state": text,
            "read_result": read_result,
            "output_bytes": limits.output_bytes,
            "message_bytes": limits.message_bytes,
        }
    )


def judge(result: Result, status: int | None) -> Result:
    """Return a result in the light of how its process ended.

    Args:
        result: What the execution seemed to give.
        status: Exit status, minus the signal that ended the process, or None if the worker is
            lost, too.
    """
    if result.error is None:
        if status == 0:
            return result
    elif result.error.reason != "killed":
        return result
    if status is None:
        error = SandboxError("killed", "the worker ended, and this execution with it")
    elif status == _OUT_OF_MEMORY:
        error = SandboxError("memory", "it needed more memory than it may have")
    elif status == -signal.SIGXCPU:
        error = SandboxError("timeout", "it used up its processor time")
    elif status < 0:
        error = SandboxError("killed", f"its process was ended by {_signal_name(-status)}")
    else:
        error = SandboxError("killed", f"its process exited with status {status}, unasked")
    return replace(result, value=None, displayed=None, error=error)


def normalize(tools: Tools) -> dict[str, SandboxTool]:
    """Return tools by name, each as a `SandboxTool`.

    Raises:
        ValueError: If a name is not an identifier, or differs from the tool's own.
    """
    normal: dict[str, SandboxTool] = {}
    for name, tool in tools.items():
        if not name.isidentifier() or iskeyword(name) or name in _TAKEN:
            raise ValueError(f"tool {name!r}: expected a name that Python code can call")
        if isinstance(tool, SandboxTool):
            if tool.name != name:
                raise ValueError(f"tool {name!r}: its own name is {tool.name!r}; use one name")
            normal[name] = tool
        else:
            normal[name] = SandboxTool(name, None, tool)
    return normal


def not_text(code: str) -> SandboxError | None:
    """Return what is wrong with code that holds half a surrogate pair; None if it does not."""
    try:
        code.encode()
    except UnicodeEncodeError as error:
        return SandboxError("exception", f"SyntaxError: the source is not text: {error}")
    return None


def _to_json(value: JSON) -> str:
    return json.dumps(value, allow_nan=False)


def _describe(error: Exception) -> tuple[str, str]:
    """Return the type and the message of what a tool raised, which may be of an odd class."""
    try:
        match error.args:
            case (str(text),):
                message = text  # str() of a KeyError would quote it
            case _:
                message = str(error)
        return str(type(error).__name__), message
    except Exception:
        return "Exception", ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
