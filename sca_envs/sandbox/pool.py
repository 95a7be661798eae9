"""Many executions at once: one sandbox for each processor core."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType

from sca_envs.sandbox.cache import CodeCache
from sca_envs.sandbox.isolation import Isolation, Level
from sca_envs.sandbox.results import JSON, Job, Limits, Result, Tools
from sca_envs.sandbox.sandbox import CLOCK, Sandbox


class SandboxPool:
    """Runs batches of code on several cores.

    Each worker is a thread of the host and a sandbox. Both are pinned to one core, because a tool
    call between two processes takes about 0.05 ms on one core, and several times that across two.
    Tools run on the thread of the worker: two calls may run at the same time, in different
    executions.

    ```python
    with SandboxPool() as pool:
        verdicts = [result.verdict for result in pool.map(jobs)]
    ```

    Args:
        workers: Number of workers; None for one a core that this process may use.
        pin: Whether to pin; only where the platform can.
        limits: What an execution may use, where a job does not say.
        minimum: The least isolation to accept.
        seed: See `Sandbox`.
        hash_seed: See `Sandbox`.
        clock: See `Sandbox`.
        modules: See `Sandbox`.

    Raises:
        SandboxUnavailableError: If the platform cannot give `minimum`.
        ValueError: If `workers` is less than 1.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        pin: bool = True,
        limits: Limits | None = None,
        minimum: Level = Level.SECCOMP,
        seed: int = 0,
        hash_seed: int = 0,
        clock: float = CLOCK,
        modules: Iterable[str] = (),
    ) -> None:
        cores = _cores()
        count = len(cores) if workers is None else workers
        if count < 1:
            raise ValueError(f"workers: expected at least 1, got {workers}")
        pinned = pin and hasattr(os, "sched_setaffinity")
        cache, modules = CodeCache(), tuple(modules)
        self._sandboxes: list[Sandbox] = []
        self._free: SimpleQueue[tuple[Sandbox, int | None]] = SimpleQueue()
        self._mine = threading.local()
        try:
            for number in range(count):
                core = cores[number % len(cores)] if pinned else None
                sandbox = Sandbox(
                    limits=limits,
                    minimum=minimum,
                    seed=seed,
                    hash_seed=hash_seed,
                    clock=clock,
                    modules=modules,
                    core=core,
                    cache=cache,
                )
                self._sandboxes.append(sandbox)
                self._free.put((sandbox, core))
        except BaseException:
            self._close_sandboxes()
            raise
        self._threads = ThreadPoolExecutor(count, "sandbox", initializer=self._settle)

    @property
    def isolation(self) -> Isolation:
        """What stands between the code and the host: the least of all workers."""
        return min((sandbox.isolation for sandbox in self._sandboxes), key=lambda item: item.level)

    def submit(self, job: Job) -> Future[Result]:
        """Run a job when a worker is free.

        What the code does wrong is in `Result.error`; what `Sandbox.run` raises, the future does.

        Args:
            job: Code, with its tools, state and limits.
        """
        return self._threads.submit(self._run, job)

    def map(self, jobs: Iterable[Job]) -> list[Result]:
        """Run jobs and return their results, in order.

        Args:
            jobs: What to run.
        """
        return [future.result() for future in [self.submit(job) for job in jobs]]

    def run(
        self,
        code: str,
        tools: Tools | None = None,
        *,
        limits: Limits | None = None,
        state: JSON = None,
    ) -> Result:
        """Run code on a free worker and wait for it; see `Sandbox.run`."""
        return self.submit(Job(code, tools or {}, state, limits)).result()

    def close(self) -> None:
        """Wait for what runs, drop what waits, and end all processes."""
        self._threads.shutdown(cancel_futures=True)
        self._close_sandboxes()

    def __enter__(self) -> SandboxPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _settle(self) -> None:
        """Give a thread its sandbox, on the same core."""
        self._mine.sandbox, core = self._free.get()
        if core is not None:
            os.sched_setaffinity(0, {core})  # this thread alone

    def _run(self, job: Job) -> Result:
        sandbox: Sandbox = self._mine.sandbox
        return sandbox.run(job.code, job.tools, limits=job.limits, state=job.state)

    def _close_sandboxes(self) -> None:
        for sandbox in self._sandboxes:
            sandbox.close()


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
