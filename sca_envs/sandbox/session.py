"""A process that keeps its variables from one piece of code to the next, like a notebook."""

from __future__ import annotations

import signal
from dataclasses import replace
from types import TracebackType

from sca_envs.sandbox.errors import SandboxError
from sca_envs.sandbox.execution import Execution, judge, not_text, pack_job
from sca_envs.sandbox.results import JSON, Limits, Result, SandboxTool
from sca_envs.sandbox.worker import Child, Worker


class Session:
    """Runs pieces of code ("cells") one after the other in one confined process.

    An exception, a syntax error, too much printed text or a bad result leaves the session as it
    is. Code that takes too long gets a `KeyboardInterrupt` first, and the session goes on if that
    ends it. After anything else the process is gone, and every later cell fails with the reason.

    Made by `Sandbox.session`; for one thread at a time.
    """

    def __init__(
        self,
        worker: Worker,
        child: Child,
        tools: dict[str, SandboxTool],
        limits: Limits,
        read_result: bool,
    ) -> None:
        self._worker = worker
        self._child: Child | None = child
        self._tools = tools
        self._limits = limits
        self._read_result = read_result
        self._sources: dict[str, str] = {}
        self._end: SandboxError | None = None

    @property
    def alive(self) -> bool:
        """Whether another cell can run."""
        return self._child is not None

    def run(self, code: str, *, state: JSON = None) -> Result:
        """Run a cell.

        Args:
            code: Python source. If its last statement is an expression, `Result.displayed` is the
                `repr` of its value. If it assigns to `result`, that is the `value`.
            state: A JSON value that the code sees as the variable `state` from now on.

        Raises:
            ValueError: If `state` is not JSON.
            RuntimeError: If the session was closed.
        """
        child = self._child
        if child is None:
            if self._end is None:
                raise RuntimeError("the session is closed; open a new one")
            return Result(error=self._end)
        if (problem := not_text(code)) is not None:
            return Result(error=problem)
        cell = f"<cell {len(self._sources) + 1}>"
        job = pack_job("cell", code, cell, self._tools, self._limits, state, self._read_result)
        self._sources[cell] = code
        execution = Execution(child, self._tools, self._limits, cell, self._sources)
        meter = execution.meter
        meter.interrupt = lambda: self._worker.signal(child, signal.SIGINT)
        result = None
        try:
            if not self._worker.alive:
                raise SandboxError("killed", "the sandbox was closed")
            if not child.channel.is_quiet():
                raise SandboxError("protocol", "it sent something before it was asked")
            result = execution.converse(job)
        except SandboxError as error:
            failed = execution.failed(error)
        finally:
            if result is None:
                self._child = None
                status = self._worker.dismiss(child)
        if result is None:
            return self._ended(judge(failed, status))
        if meter.overrun is not None:
            trace = result.error.traceback if result.error else ""
            overrun = SandboxError("timeout", meter.overrun.message, trace)
            result = replace(result, value=None, displayed=None, error=overrun)
        return result

    def _ended(self, result: Result) -> Result:
        """Note why the process is gone."""
        assert result.error is not None
        cell = len(self._sources)
        self._end = SandboxError(
            result.error.reason,
            f"the session ended in cell {cell} ({result.error.message}); open a new one",
        )
        return result

    def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None:
            self._worker.dismiss(child)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
