"""The thread engine: many workers in this process, for agents that wait for an endpoint."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from sca_envs.bench.evaluating.recording import Finished, Job
from sca_envs.bench.evaluating.worker import WorkerSpec, play_all


class ThreadEngine:
    """Plays as many episodes at once as it has threads, each with an agent of its own.

    Args:
        workers: How many threads.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(self, spec: WorkerSpec, jobs: Sequence[Job]) -> Iterator[Finished]:
        """Play every job once; see `Engine.run`."""
        left = _Jobs(jobs)
        results: queue.SimpleQueue[Finished | BaseException | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                for finished in play_all(spec, left):
                    results.put(finished)
            except BaseException as error:
                results.put(error)
            else:
                results.put(None)

        number = max(1, min(self._workers, len(jobs)))
        with ThreadPoolExecutor(number, thread_name_prefix="sca-eval") as pool:
            for _ in range(number):
                pool.submit(work)
            try:
                while number:
                    item = results.get()
                    if item is None:
                        number -= 1
                    elif isinstance(item, BaseException):
                        raise item
                    else:
                        yield item
            finally:
                left.stop()


class _Jobs(Iterator[Job]):
    """Hands each job to one thread."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = iter(jobs)
        self._lock = threading.Lock()

    def __next__(self) -> Job:
        with self._lock:
            return next(self._jobs)

    def stop(self) -> None:
        """Hand out no more."""
        with self._lock:
            self._jobs = iter(())
