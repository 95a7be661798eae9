"""Where attempts are made and judged: code of a task runs here, in the sandbox, and only here.

An attempt and its judgement are two executions. What the attempt left goes to the second one as a
copy, and only whether `verify` returned exactly ``True`` comes back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple

from sca_envs.core.actions import LoggedCall
from sca_envs.core.database import Database, Snapshot
from sca_envs.core.domain import Domain
from sca_envs.core.errors import ToolError
from sca_envs.core.tools import Tool
from sca_envs.sandbox.cache import CodeCache
from sca_envs.sandbox.results import JSON, Limits, Result, SandboxTool
from sca_envs.sandbox.sandbox import Sandbox
from sca_envs.sandbox.workbench import Workbench

LIMITS = Limits(wall_seconds=20.0, cpu_seconds=2.0, tool_calls=1_000, output_bytes=4 << 10)
"""What an attempt or a verification function may use."""
_MESSAGE = 400
_GIVEN = "_given_answer"
"""A function, because code that defines a variable would hide one of that name."""
_OTHER_WORLDS = (
    # hash seed, seed, clock (seconds since the epoch): other years, days and times of day.
    (1, 11, 1829783261.0),
    (2, 12, 1549146669.0),
    (3, 13, 1703984462.0),
    (4, 14, 1594527900.0),
)
OTHER_WORLDS = len(_OTHER_WORLDS)
"""In how many other circumstances `Lab.judge_elsewhere` can judge."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an attempt at a task left: all that a verification function may look at."""

    state: Snapshot
    """The database."""
    calls: tuple[LoggedCall, ...] = ()
    """The tool calls, in order."""
    answer: str = ""
    """The final answer; empty if there was none."""
    error: str | None = None
    """Why the attempt's code failed, if it did."""


class Judgement(NamedTuple):
    """What a verification function made of an attempt."""

    fulfilled: bool
    """Whether it returned exactly ``True``."""
    problem: str | None = None
    """Why that is no verdict: it raised, say, or returned something else than a truth value."""
    changed: tuple[str, ...] = ()
    """What it changed in its copy of the world: paths in the database."""


def replay(
    domain: Domain, calls: Iterable[LoggedCall], answer: str, *, as_logged: bool = False
) -> Attempt:
    """Carry out tool calls on the initial state, without any code.

    Args:
        domain: The world.
        calls: The calls.
        answer: The final answer.
        as_logged: Whether a call that was refused is taken as that, and not tried again: tools
            check more in some action formats than in others. Else what succeeds is found out.
    """
    database = domain.database()
    log = []
    for call in calls:
        if as_logged and not call.ok:
            log.append(call)
            continue
        try:
            domain.call_from_code(domain.tools[call.name], database, dict(call.arguments))
        except Exception:  # a refused call is part of the story
            log.append(call._replace(ok=False))
        else:
            log.append(call._replace(ok=True))
    return Attempt(database.snapshot(), tuple(log), answer)


class Lab:
    """Makes attempts and judges them, each in a fresh process of the sandbox.

    Args:
        core: Number of the processor core to run on, or None for any.
        limits: What each execution may use.
    """

    def __init__(self, core: int | None = None, limits: Limits = LIMITS) -> None:
        self._core, self._limits = core, limits
        self._cache = CodeCache()
        self._sandbox = Sandbox(limits=limits, core=core, cache=self._cache)
        self._others: dict[int, Sandbox] = {}

    def attempt(self, domain: Domain, source: str) -> Attempt:
        """Run a solution, or a failure case, on the initial state.

        Args:
            domain: The world.
            source: Code that calls the tools and ends in ``answer(…)``.
        """
        code = _with_prelude(domain, source)
        bench = Workbench(domain, domain.database(), answers=True)
        result = self._sandbox.run(code, bench.tools)
        if _interrupted(result):
            bench = Workbench(domain, domain.database(), answers=True)
            result = self._sandbox.run(code, bench.tools)
        error = _explain(result) if result.error else None
        if bench.late:
            error = "it did something after its final answer"
        state = bench.database.snapshot()
        return Attempt(state, bench.log(result), bench.answer or "", error)

    def judge(self, domain: Domain, verify: str, attempt: Attempt) -> Judgement:
        """Run a verification function on what an attempt left.

        Args:
            domain: The world.
            verify: Source of ``def verify(answer)``.
            attempt: What to judge; it is not changed.
        """
        return _judge(self._sandbox, domain, verify, attempt)

    def judge_elsewhere(
        self, domain: Domain, verify: str, attempt: Attempt, world: int
    ) -> Judgement:
        """Run a verification function under another hash seed, random seed and clock.

        Args:
            domain: The world.
            verify: Source of ``def verify(answer)``.
            attempt: What to judge; it is not changed.
            world: Which of the other circumstances, below `OTHER_WORLDS`.
        """
        if world not in self._others:
            hashing, seed, clock = _OTHER_WORLDS[world]
            self._others[world] = Sandbox(
                limits=self._limits,
                core=self._core,
                cache=self._cache,
                hash_seed=hashing,
                seed=seed,
                clock=clock,
            )
        return _judge(self._others[world], domain, verify, attempt)

    def close(self) -> None:
        """End all processes."""
        for sandbox in (self._sandbox, *self._others.values()):
            sandbox.close()

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _judge(sandbox: Sandbox, domain: Domain, verify: str, attempt: Attempt) -> Judgement:
    bench = Workbench(domain, Database(domain.base, attempt.state))
    source = f"{_with_prelude(domain, verify)}\nresult = verify({_GIVEN}())\n"
    result = sandbox.run(source, bench.tools | _helpers(domain, attempt))
    if _interrupted(result):
        bench = Workbench(domain, Database(domain.base, attempt.state))
        result = sandbox.run(source, bench.tools | _helpers(domain, attempt))
    changed = tuple(change.path for change in domain.changes(bench.database, attempt.state))
    if result.error is not None:
        return Judgement(False, _explain(result), changed)
    if not isinstance(result.value, bool):
        kind = type(result.value).__name__
        return Judgement(False, f"it returned a value of type {kind}, not True or False", changed)
    return Judgement(result.value, None, changed)


def _helpers(domain: Domain, attempt: Attempt) -> dict[str, SandboxTool]:
    """Return what a verification function may ask beside the tools; see `task`."""
    before = Workbench(domain, domain.database())

    def initial(arguments: dict[str, JSON]) -> JSON:
        name, values = arguments.pop("tool", None), arguments.pop("args")
        if not isinstance(name, str) or name not in before.tools:
            raise ToolError(f"initial(): expected a tool's name, got {name!r}")
        before.database = domain.database()  # nothing that an earlier call did
        return before.tools[name].call(_bound(domain.tools[name], values, arguments))

    def call_log(arguments: dict[str, JSON]) -> JSON:
        return [call._asdict() for call in attempt.calls]

    def changes(arguments: dict[str, JSON]) -> JSON:
        left = Database(domain.base, attempt.state)
        return [change._asdict() for change in domain.changes(left)]

    return {
        _GIVEN: SandboxTool(_GIVEN, (), lambda arguments: attempt.answer),
        "initial": SandboxTool("initial", ("tool",), initial, variadic=True, keywords=True),
        "call_log": SandboxTool("call_log", (), call_log),
        "changes": SandboxTool("changes", (), changes),
    }


def _bound(tool: Tool, values: list[JSON], named: dict[str, JSON]) -> dict[str, JSON]:
    """Return arguments as a workbench's tool takes them.

    Raises:
        TypeError: If there are too many, or one comes twice, as for a Python function.
    """
    names = [name for name in tool.parameters["properties"] if name != tool.variadic]
    if len(values) > len(names) and tool.variadic is None:
        raise TypeError(f"{tool.name}() takes {len(names)} arguments but {len(values)} were given")
    for name in names[: len(values)]:
        if name in named:
            raise TypeError(f"{tool.name}() got multiple values for argument {name!r}")
    arguments = dict(zip(names, values, strict=False)) | named
    if tool.variadic is not None:
        arguments["args"] = values[len(names) :] or arguments.pop(tool.variadic, [])
    return arguments


def _interrupted(result: Result) -> bool:
    """Return whether an execution was ended from outside, so that it should be tried again.

    The machine may be short of time or processes, or a worker may have been killed. Code that ends
    itself, or never ends, does so again.
    """
    return result.error is not None and result.error.reason in ("killed", "timeout")


def _with_prelude(domain: Domain, source: str) -> str:
    """Return code with what the domain wants run before it; both have their own lines."""
    return f"exec({domain.code_prelude!r})\n{source}" if domain.code_prelude else source


def _explain(result: Result) -> str:
    error: Any = result.error
    text = (error.traceback or str(error)).strip()
    return text if len(text) <= _MESSAGE else "…" + text[-_MESSAGE:]
