"""Runs model-written code in confined processes: once, or cell by cell in a session."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from sca_envs.sandbox.cache import CodeCache
from sca_envs.sandbox.errors import SandboxError, SandboxUnavailableError
from sca_envs.sandbox.execution import ONE_CELL, Execution, judge, normalize, not_text, pack_job
from sca_envs.sandbox.isolation import Isolation, Level, unsafe_requested
from sca_envs.sandbox.results import JSON, Limits, Result, SandboxTool, Tools
from sca_envs.sandbox.session import Session
from sca_envs.sandbox.worker import Child, Worker, WorkerLost

CLOCK = 1715785200.0
"""What the clock in the sandbox shows by default: 2024-05-15 15:00:00 UTC, in seconds."""


_MECHANISMS = ("namespaces", "landlock")
"""What can be left out, the highest level first."""
_TRIAL, _TRIAL_LIMITS = "result = state + 1", Limits(wall_seconds=60.0, cpu_seconds=30.0)


class Sandbox:
    """Runs Python that a model wrote, with tools as functions, in processes that Linux confines.

    Each execution has a fresh process, forked from a warm one that holds no data; a tool call goes
    to the host and back. Equal code, tools and state give equal results, to the byte.

    ```python
    def get_order(arguments):
        return {"id": arguments["order_id"], "status": "pending"}

    with Sandbox() as sandbox:
        code = "result = get_order(order_id='#W1')['status']"
        sandbox.run(code, {"get_order": get_order}).unwrap()  # 'pending'
    ```

    Safe to use from several threads; a session by one at a time.

    Args:
        limits: What an execution may use, where `run` is not told otherwise.
        minimum: The least isolation to accept.
        seed: Seeds `random`, `os.urandom` and what builds on them.
        hash_seed: Python's hash seed, from 0 to 4294967295: it decides the order of sets of texts.
        clock: What the clock shows, in seconds since the epoch. It stands still.
        modules: Modules of the standard library to load besides the usual ones, for extension
            modules such as `sqlite3`, which cannot be loaded later.
        core: Number of the processor core to run on, or None for any.
        spares: Children to keep ready.
        cache: Where to keep compiled code; share one among sandboxes that run the same code.
        without: Barriers to leave out, to try how the others hold: "namespaces", "landlock",
            "seccomp".

    Raises:
        SandboxUnavailableError: If the platform cannot give `minimum`; the message says what it
            lacks. `SCA_SANDBOX=unsafe` in the environment accepts anything, with a warning.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        minimum: Level = Level.SECCOMP,
        seed: int = 0,
        hash_seed: int = 0,
        clock: float = CLOCK,
        modules: Iterable[str] = (),
        core: int | None = None,
        spares: int = 2,
        cache: CodeCache | None = None,
        without: Iterable[str] = (),
    ) -> None:
        self._limits = limits or Limits()
        self._minimum = minimum
        self._spares = spares
        self._cache = cache or CodeCache()
        self._lock = threading.Lock()
        self._closed = False
        self._config: dict[str, Any] = {
            "seed": seed,
            "hash_seed": hash_seed,
            "clock": clock,
            "modules": list(modules),
            "core": core,
            "without": list(without),
            "unsafe": unsafe_requested(),
            "address_space": self._limits.memory_bytes,
        }
        self._current = self._start()

    @property
    def isolation(self) -> Isolation:
        """What stands between the code and the host."""
        return self._current.isolation

    def run(
        self,
        code: str,
        tools: Tools | None = None,
        *,
        limits: Limits | None = None,
        state: JSON = None,
    ) -> Result:
        """Run code once, in a fresh process.

        Whatever the code does, this returns; what went wrong is in `Result.error`.

        Args:
            code: Python source. What it leaves in the variable `result` is the result's `value`.
            tools: What it may call.
            limits: What it may use.
            state: A JSON value that it sees as the variable `state`.

        Raises:
            ValueError: If `state` is not JSON or a tool's name is not an identifier.
            RuntimeError: If the sandbox is closed.
        """
        named = normalize(tools or {})
        limits = limits or self._limits
        marshalled = self._cache.get(code)
        if marshalled is None:
            compiled = self._compile(code, limits)
            if compiled.error is not None:
                return compiled
            marshalled = bytes(compiled.value)
            self._cache.put(code, marshalled)
        job = pack_job("once", marshalled, ONE_CELL, named, limits, state)
        return self._run_once(job, named, limits, code)

    def session(
        self, tools: Tools | None = None, *, limits: Limits | None = None, read_result: bool = True
    ) -> Session:
        """Start a process that keeps its variables from one piece of code to the next.

        Args:
            tools: What the code may call.
            limits: What each piece of code may use.
            read_result: Whether the variable `result` is special, as in `run`. Without, code may
                keep anything under that name.

        Raises:
            ValueError: If a tool's name is not an identifier.
            SandboxError: If no process can be made.
            RuntimeError: If the sandbox is closed.
        """
        named = normalize(tools or {})
        limits = limits or self._limits
        worker, child = self._take(limits)
        return Session(worker, child, named, limits, read_result)

    def close(self) -> None:
        """End all processes; what runs in other threads fails."""
        with self._lock:
            self._closed = True
            self._current.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self) -> Worker:
        """Return a worker whose level was shown to work.

        A mechanism that the kernel granted may still fail in use. Then the next lower level is
        tried, as if the kernel had not granted it.
        """
        failures: list[str] = []
        for mechanism in (*_MECHANISMS, "seccomp"):
            config = {**self._config, "without": [*self._config["without"]]}
            config["without"] += _MECHANISMS[: len(failures)]
            worker = Worker(config, self._spares)
            try:
                problem = self._failure(worker)
                if problem is None:
                    worker.isolation = worker.isolation.without(failures)
                    if not config["unsafe"]:
                        worker.isolation.demand(self._minimum)
                    return worker
            except BaseException:
                worker.close()
                raise
            worker.close()
            failures.append(f"{mechanism}: granted, but {problem}")
        raise SandboxUnavailableError(
            f"the sandbox does not work at any level here ({'; '.join(failures)}). See that this "
            "user may start processes, and that no limit on memory is below `Limits.memory_bytes`."
        )

    def _failure(self, worker: Worker) -> str | None:
        """Run two executions; return why one failed, or None."""
        for number in ("first", "second"):
            try:
                child = worker.take(self._limits.memory_bytes)
            except (SandboxError, WorkerLost) as error:
                return f"there is no process for the {number} execution: {error}"
            job = pack_job("cell", _TRIAL, ONE_CELL, {}, self._limits, 20)
            execution = Execution(child, {}, _TRIAL_LIMITS, ONE_CELL, {ONE_CELL: _TRIAL})
            try:
                result = execution.converse(job)
            except SandboxError as error:
                result = execution.failed(error)
            finally:
                worker.dismiss(child)
            if result.error is not None or result.value != 21:
                return f"the {number} execution failed: {result.error or result.value!r}"
        return None

    def _worker(self) -> Worker:
        """Return a living worker; a lost one is replaced."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the sandbox is closed; make a new one")
            if not self._current.alive:
                self._current = self._start()
            return self._current

    def _take(self, limits: Limits) -> tuple[Worker, Child]:
        """Return a fresh child that is held to a memory limit, and its worker."""
        for _ in range(3):
            try:
                worker = self._worker()
                return worker, worker.take(limits.memory_bytes)
            except WorkerLost:
                continue
            except SandboxUnavailableError as error:  # the first one could be had
                raise SandboxError("killed", f"there is no worker for it: {error}") from error
        raise SandboxError("killed", "the worker ended three times in a row")

    def _compile(self, code: str, limits: Limits) -> Result:
        """Return a result whose value is marshalled code.

        A child that only compiles makes it, also because compiling leaves its marks in memory:
        the first run of a source and the later ones must not differ.
        """
        if (problem := not_text(code)) is not None:
            return Result(error=problem)
        job = pack_job("compile", code, ONE_CELL, {}, limits, None)
        return self._run_once(job, {}, limits, code, compiling=True)

    def _run_once(
        self,
        job: bytes,
        tools: dict[str, SandboxTool],
        limits: Limits,
        source: str,
        compiling: bool = False,
    ) -> Result:
        """Run a job in a child of its own, and see it end."""
        try:
            worker, child = self._take(limits)
        except SandboxError as error:
            return Result(error=error)
        execution = Execution(child, tools, limits, ONE_CELL, {ONE_CELL: source}, compiling)
        ended = False
        try:
            result = execution.converse(job)
            ended = child.channel.at_end(execution.meter)
            if not ended:
                raise SandboxError("protocol", "it sent more after its final frame")
        except SandboxError as error:
            result = execution.failed(error)
        finally:
            status = worker.dismiss(child, kill=not ended)
        return judge(result, status)
