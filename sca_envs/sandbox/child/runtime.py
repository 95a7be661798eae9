"""Runs jobs: one-shot code, the cells of a session, or only the compiler.

Everything here shares a process with the code that runs, which can read and change all of it. So
nothing that it says is believed: the caller checks every frame, and what a one-shot process claims
counts only if it then ends by itself with status 0.
"""

from __future__ import annotations

import ast
import builtins
import marshal
import sys
import types
from collections.abc import Callable
from os import _exit
from typing import Any

from . import frames
from .console import Console

OUT_OF_MEMORY = 77
"""Exit status where memory was too short to report that memory was too short."""
_MESSAGE_LIMIT, _NAME_LIMIT = 2000, 200
_FRAME_LIMIT = 20
_UNSET = object()
_reserve = [bytes(2 << 20)]
"""Memory to report with that memory is short. Made before the fork, and never touched."""


class ToolError(Exception):
    """A tool raised an exception that is not one of Python's own."""


_console = Console()
_module = types.ModuleType("__main__")
_module.__dict__.update(__builtins__=builtins, ToolError=ToolError, state=None)

_PLAIN = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type)
    and issubclass(kind, Exception)
    and not issubclass(kind, (UnicodeError, Warning, StopIteration, StopAsyncIteration))
    and name not in ("ExceptionGroup", "SyntaxError", "IndentationError", "TabError")
}


def serve(state: dict[str, bool], reseed: Callable[[], None]) -> None:
    """Run jobs until the caller has no more; never returns.

    Args:
        state: Its item `running` says whether model-written code runs.
        reseed: Called once, before the first job.
    """
    try:
        job = frames.receive()[1]
        if job["mode"] == "compile":
            _compile_only(job)
            _exit(0)
        reseed()
        run = Run(job, state)
        while True:
            run.execute(job)
            if job["mode"] == "once":
                _exit(0)
            job = frames.receive()[1]
    except MemoryError:
        _exit(OUT_OF_MEMORY)
    except EOFError:
        _exit(0)
    finally:  # nothing below may run, least of all an exit handler of the code
        _exit(1)


_REHEARSAL = """
def verify(order):
    total = sum(round(item["price"], 2) for item in order["items"])
    return total > 0 and f"{total:.2f}" != str(order.get("status"))
try:
    raise ValueError("x")
except ValueError as error:
    print(error, len([1, 2]), sorted({"b": 1, "a": 2}.items()))
result = [verify(tool(order_id="#1")), state]
"""


_REHEARSAL_JOB = {
    "mode": "once",
    "code": marshal.dumps(compile(_REHEARSAL, "<cell>", "exec", dont_inherit=True)),
    "cell": "<cell>",
    "tools": [("tool", ("order_id",), False, False)],
    "state": '{"a": [1, null]}',
    "read_result": True,
    "output_bytes": 1000,
    "message_bytes": 1000,
}
_REHEARSAL_FRAMES = [
    frames.JOB + marshal.dumps(_REHEARSAL_JOB),
    frames.REPLY + b'{"items": [{"price": 1.5}], "status": "x"}',
]


def rehearse() -> None:
    """Run a job to no effect.

    In the parent, what Python prepares on first use is then there for every child. In a child, the
    memory that a job will touch is then its own copy, before somebody waits for the job.
    """
    main, variables = sys.modules["__main__"], dict(_module.__dict__)
    with frames.rehearsal(_REHEARSAL_FRAMES):
        job = frames.receive()[1]
        Run(job, {}).execute(job)
    _module.__dict__.clear()
    _module.__dict__.update(variables)
    sys.modules["__main__"] = main


def _compile_only(job: dict[str, Any]) -> None:
    _console.install()  # the compiler prints warnings
    try:
        code = compile(job["code"], job["cell"], "exec", dont_inherit=True)
    except Exception as error:
        _send_end(job["cell"], _describe(error), False)
    else:
        frames.send((frames.CODE, marshal.dumps(code)))


class Run:
    """The variables and the streams of one process."""

    def __init__(self, job: dict[str, Any], state: dict[str, bool]) -> None:
        self._state = state
        self._limit: int = job["message_bytes"]
        self._output_limit: int = job["output_bytes"]
        _console.limit(job["output_bytes"])
        _console.install()
        sys.modules["__main__"] = _module
        self.variables = _module.__dict__
        for name, parameters, variadic, keywords in job["tools"]:
            tool = make_tool(name, parameters, variadic, keywords, self._limit)
            self.variables[name] = tool

    def execute(self, job: dict[str, Any]) -> None:
        """Run one job and send its final frame."""
        variables = self.variables
        if job["state"] is not None:
            variables["state"] = frames.decode(job["state"])
        before = variables.get("result", _UNSET)
        displayed, report = None, None
        try:
            displayed = self._run(job["code"], job["cell"])
        except BaseException as error:
            self._state["running"] = False
            if isinstance(error, MemoryError):
                _reserve.clear()
                if job["mode"] == "once":
                    variables.clear()
            report = _describe(error)
        after = variables.get("result", _UNSET)
        value = None
        if report is None and job["read_result"] and after is not before and after is not _UNSET:
            value, report = self._encode_result(after)
        self._finish(job["cell"], value, displayed, report)

    def _run(self, code: bytes | str, cell: str) -> str | None:
        """Run marshalled code, or the source of a cell; return what a cell displays."""
        if isinstance(code, bytes):
            program = marshal.loads(code)
            self._state["running"] = True
            exec(program, self.variables)
            self._state["running"] = False
            return None
        tree = ast.parse(code, cell)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
        program = compile(tree, cell, "exec", dont_inherit=True)
        expression = compile(last, cell, "eval", dont_inherit=True) if last else None
        self._state["running"] = True
        exec(program, self.variables)
        shown = None
        if expression is not None:
            shown = eval(expression, self.variables)
            shown = None if shown is None else repr(shown)
        self._state["running"] = False
        return shown

    def _encode_result(self, value: Any) -> tuple[str | None, dict[str, Any] | None]:
        try:
            return frames.encode(value, self._limit), None
        except MemoryError as error:
            return None, _describe(error)
        except BaseException as error:
            message = _message(error)
            return None, {"type": "", "message": message, "frames": [], "kind": "result"}

    def _finish(
        self, cell: str, value: str | None, displayed: str | None, report: dict[str, Any] | None
    ) -> None:
        stdout, stderr, overflowed = _console.take()
        _console.install()
        if displayed is not None:
            displayed = frames.cut(displayed, self._output_limit)
        parts = [
            (kind, text.encode())
            for kind, text in (
                (frames.VALUE, value),
                (frames.STDOUT, stdout or None),
                (frames.STDERR, stderr or None),
                (frames.DISPLAYED, displayed),
            )
            if text is not None
        ]
        _send_end(cell, report, overflowed, *parts)


def _send_end(
    cell: str, report: dict[str, Any] | None, overflowed: bool, *parts: tuple[bytes, bytes]
) -> None:
    end = frames.encode({"cell": cell, "overflowed": overflowed, "error": report}, 1 << 20)
    frames.send(*parts, (frames.FINAL, end.encode()))


def make_tool(
    name: str, parameters: tuple[str, ...] | None, variadic: bool, keywords: bool, limit: int
) -> Callable[..., Any]:
    """Return a function that asks the caller to run a tool.

    Args:
        name: The tool's name.
        parameters: Names for positional arguments; None if only keywords are allowed.
        variadic: Whether further positional arguments are allowed; they are sent as `args`.
        keywords: Whether further keyword arguments are allowed; they are sent by their names.
        limit: Greatest size of the arguments as JSON, in bytes.
    """

    def tool(*args: Any, **kwargs: Any) -> Any:
        arguments = _bind(name, parameters, variadic, keywords, args, kwargs)
        try:
            text = frames.encode([name, arguments], limit)
        except frames.NotJSON as error:
            raise TypeError(f"{name}(): the arguments must be JSON values: {error}") from None
        frames.send((frames.CALL, text.encode()))
        kind, body = frames.receive()
        content = frames.decode(body)
        if kind == frames.REPLY:
            return content
        kind_name, message = content
        raise _PLAIN.get(kind_name, ToolError)(message)

    tool.__name__ = tool.__qualname__ = name
    tool.__module__ = "__main__"
    return tool


def _bind(
    name: str,
    parameters: tuple[str, ...] | None,
    variadic: bool,
    keywords: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> dict[str, Any]:
    """Return a call's arguments by name, with Python's errors for what does not fit."""
    names = parameters or ()
    if len(args) > len(names) and not variadic:
        if parameters is None:
            raise TypeError(f"{name}() takes keyword arguments only")
        raise TypeError(
            f"{name}() takes {len(names)} positional arguments but {len(args)} were given"
        )
    arguments = dict(zip(names, args, strict=False))
    for key, value in kwargs.items():
        if key in arguments:
            raise TypeError(f"{name}() got multiple values for argument {key!r}")
        if parameters is not None and key not in names and not keywords:
            expected = ", ".join(names) or "none"
            raise TypeError(
                f"{name}() got an unexpected keyword argument {key!r} (parameters: {expected})"
            )
        arguments[key] = value
    if variadic:
        arguments["args"] = list(args[len(names) :])
    return arguments


def _clean(text: str) -> str:
    """Return text without lone surrogates, which UTF-8 cannot carry."""
    return frames.cut(text, 4 * len(text))


def _message(error: BaseException) -> str:
    try:
        text = str(error)
        return _clean(text if len(text) <= _MESSAGE_LIMIT else text[:_MESSAGE_LIMIT] + "…")
    except BaseException:  # a hostile __str__
        return "(its message cannot be shown)"


def _describe(error: BaseException) -> dict[str, Any]:
    """Return what the caller needs to show an exception: only frames of the code itself."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith("<cell"):
            lines.append([code.co_filename, trace.tb_lineno, _clean(code.co_name[:_NAME_LIMIT])])
        trace = trace.tb_next
    if len(lines) > _FRAME_LIMIT:
        lines = lines[: _FRAME_LIMIT // 2] + lines[-_FRAME_LIMIT // 2 :]
    message = _message(error)
    if isinstance(error, SyntaxError) and not lines and error.lineno:
        message = _clean(str(error.msg)[:_MESSAGE_LIMIT])
        lines = [[_clean(str(error.filename)[:_NAME_LIMIT]), error.lineno, "<module>"]]
    kind = "memory" if isinstance(error, MemoryError) else "exception"
    return {
        "type": _clean(type(error).__name__[:_NAME_LIMIT]),
        "message": message,
        "frames": lines,
        "kind": kind,
    }
