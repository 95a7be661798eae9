"""The thread engine: workers in this process, for what waits for an endpoint."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from sca_envs.core.engines import RunnerSpec, WorkItem
from sca_envs.core.engines.pool import Message, PoolEngine, Worker, serve

_Messages = queue.SimpleQueue[tuple["_Thread", Message]]


class ThreadEngine(PoolEngine):
    """Does jobs in several threads, each with a runner of its own.

    Args:
        workers: How many threads.
    """

    ahead = 0  # a job is handed over in no time

    def pack(self, spec: RunnerSpec[Any, Any]) -> tuple[RunnerSpec[Any, Any], _Messages]:
        """Return the spec, and where the threads of the run leave messages."""
        return spec, queue.SimpleQueue()

    def start(
        self, packed: tuple[RunnerSpec[Any, Any], _Messages], seat: int, *, pulse: bool
    ) -> Worker[Any]:
        """Start a thread."""
        return _Thread(*packed, seat)

    def wait(
        self, workers: Sequence[_Thread], seconds: float | None
    ) -> Iterator[tuple[Worker[Any], Message]]:
        """Yield what comes next from workers."""
        try:
            yield workers[0].messages.get(timeout=seconds)
        except queue.Empty:
            return

    def describe_wait(self, starting: int, total: int) -> str:
        """Return what is waited for."""
        return f"waiting for {starting} of {total} worker threads to start"


class _Thread(Worker[Any]):
    """A thread; nothing can end it but itself, when its job is done."""

    def __init__(self, spec: RunnerSpec[Any, Any], messages: _Messages, seat: int) -> None:
        super().__init__(seat)
        self.messages = messages
        self._spec = spec
        self._lots: queue.SimpleQueue[list[WorkItem[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="sca-worker")
        self._thread.start()

    def send(self, items: list[WorkItem[Any]] | None) -> None:
        self._lots.put(items)

    def has_news(self) -> bool:
        return True  # it shares its life with the pool

    def kill(self) -> None:
        self._lots.put(None)

    def join(self) -> None:
        self._thread.join()

    def _serve(self) -> None:
        for message in serve(lambda: self._spec, self._receive):
            self.messages.put((self, message))

    def _receive(self, wait: bool) -> list[WorkItem[Any]] | None:
        try:
            return self._lots.get(block=wait)
        except queue.Empty:
            return []
