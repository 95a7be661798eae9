"""Tries the code that this package wrote itself, in this process and without a sandbox.

A challenger has to know how its solution ends before it can write down what `verify` expects, and
that every failure case really fails. The sandbox would take most of a second for a task; code that
comes from our own templates, with all data in it as literals, does not need one. Code of a model
must never come here.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any

from sca_envs.core.database import Database, copy_json
from sca_envs.core.domain import Domain
from sca_envs.core.tools import Tool


class Refused(Exception):  # noqa: N818 (only ever caught and noted)
    """What code of a challenger sees when it does what no attempt may do."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt ended."""

    database: Database
    """The state that it left."""
    value: Any = None
    """What it answered, as it gave it."""
    answer: str = ""
    """The same as text."""
    calls: tuple[dict[str, Any], ...] = ()
    """The tool calls: ``name``, ``arguments`` and whether it was carried out, ``ok``."""
    error: str | None = None
    """Type and message of what it raised, or None."""


def changes(domain: Domain, ended: Attempt) -> list[dict[str, Any]]:
    """Return what an attempt changed in the world, as `verify` sees it."""
    return [change._asdict() for change in domain.changes(ended.database)]


def answer_text(value: Any) -> str:
    """Return a final answer as text."""
    return value if isinstance(value, str) else json.dumps(value)


def attempt(domain: Domain, source: str) -> Attempt:
    """Run a solution or a failure case of our own on the initial state."""
    database = domain.database()
    calls: list[dict[str, Any]] = []
    answers: list[Any] = []

    def answer(value: Any) -> None:
        if answers:
            raise Refused("the second answer")
        answers.append(value)

    error = None
    try:
        exec(
            _compiled(source),
            {**_globals(domain, source, database, calls, answers), "answer": answer},
        )
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    value = answers[0] if answers else ""
    return Attempt(database, value, answer_text(value), tuple(calls), error)


def judge(domain: Domain, verify: str, tried: Attempt) -> Any:
    """Return what a `verify` of our own says of an attempt.

    Raises:
        Exception: Whatever `verify` raises.
    """
    namespace = _globals(domain, verify, tried.database.fork(), [], [])

    def initial(tool: str, **arguments: Any) -> Any:
        return _plain(domain.call_from_code(domain.tools[tool], domain.database(), arguments))

    namespace |= {
        "initial": initial,
        "call_log": lambda: [dict(call) for call in tried.calls],
        "changes": lambda: changes(domain, tried),
    }
    helpers, definition, body = verify.partition("def verify(")
    exec(_compiled(helpers), namespace)  # the same in many tasks, and the larger part
    exec(_compiled(definition + body), namespace)
    return namespace["verify"](tried.answer)


def untouched(domain: Domain) -> Attempt:
    """Return the attempt in which nothing was done or answered."""
    return Attempt(domain.database())


@functools.lru_cache(64)
def _compiled(source: str) -> CodeType:
    return compile(source, "<task>", "exec")


def _globals(
    domain: Domain,
    source: str,
    database: Database,
    calls: list[dict[str, Any]],
    answers: list[Any],
) -> dict[str, Any]:
    """Return the tools that a source mentions, as functions."""
    hidden = domain.code_prelude
    namespace: dict[str, Any] = {
        name: _bind(domain, tool, database, calls, answers)
        for name, tool in domain.tools.items()
        if name in source or name in hidden
    }
    if hidden:
        exec(_compiled(hidden), namespace)
    return namespace


def _bind(
    domain: Domain,
    tool: Tool,
    database: Database,
    calls: list[dict[str, Any]],
    answers: list[Any],
) -> Callable[..., Any]:
    named = [name for name in tool.parameters["properties"] if name != tool.variadic]

    def call(*values: Any, **arguments: Any) -> Any:
        if answers:
            raise Refused("a tool call after the answer")
        arguments = {**dict(zip(named, values, strict=False)), **arguments}
        if tool.variadic is not None:
            arguments[tool.variadic] = list(values[len(named) :])
        elif len(values) > len(named):
            raise TypeError(f"{tool.name} takes {len(named)} arguments")
        noted = {"name": tool.name, "arguments": arguments, "ok": False}
        calls.append(noted)
        result = _plain(domain.call_from_code(tool, database, arguments))
        noted["ok"] = True
        return result

    return call


def _plain(value: Any) -> Any:
    """Return a tool's result as it comes out of the sandbox's pipe: a copy, a tuple as a list."""
    return copy_json(list(value) if isinstance(value, tuple) else value)
