"""The process engine: workers in processes of their own, for what computes."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, cast

from sca_envs.core.engines import RunnerSpec, WorkItem
from sca_envs.core.engines.pool import PATIENCE, PULSE, Message, PoolEngine, Worker, pack, serve


class ProcessEngine(PoolEngine):
    """Does jobs in several processes, started afresh rather than forked.

    Args:
        workers: How many processes.
    """

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        if _context().get_start_method() == "forkserver":
            # It imports the package for all workers, while the run is still being planned.
            from multiprocessing import forkserver

            forkserver.ensure_running()

    def pack(self, spec: RunnerSpec[Any, Any]) -> bytes:
        """Return the spec pickled."""
        return pack(spec)

    def start(self, packed: bytes, seat: int, *, pulse: bool) -> Worker[Any]:
        """Start a process."""
        return _Process(packed, seat, pulse)

    def wait(
        self, workers: Sequence[_Process], seconds: float | None
    ) -> Iterator[tuple[Worker[Any], Message]]:
        """Yield what comes next from workers."""
        by_connection = {worker.connection: worker for worker in workers}
        for ready in wait(list(by_connection), seconds):
            worker = by_connection[cast("Connection", ready)]
            try:
                yield worker, pickle.loads(worker.connection.recv_bytes())
            except (EOFError, OSError):
                worker.process.join(PATIENCE)
                code = worker.process.exitcode
                memory = " (often a lack of memory)" if code == -signal.SIGKILL else ""
                yield worker, ("lost", f"exit code {code}{memory}")

    def describe_wait(self, starting: int, total: int) -> str:
        """Return what is waited for."""
        return (
            f"waiting for {starting} of {total} worker processes to start; the engine 'local' "
            "shows what a start takes"
        )


class _Process(Worker[Any]):
    def __init__(self, packed: bytes, seat: int, pulse: bool) -> None:
        super().__init__(seat)
        context = _context()
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(theirs, packed, seat, pulse), name="sca-worker"
        )
        self.process.start()
        theirs.close()

    def send(self, items: list[WorkItem[Any]] | None) -> None:
        packed = pack(items)
        with contextlib.suppress(OSError):  # it is gone, which its end of the pipe will tell
            self.connection.send_bytes(packed)

    def has_news(self) -> bool:
        return self.connection.poll()

    def kill(self) -> None:
        self.process.kill()

    def join(self) -> None:
        self.process.join(PATIENCE)
        self.process.kill()
        self.process.join()
        self.connection.close()


def _context() -> BaseContext:
    """Return how processes are started: afresh, because a fork inherits locks of other threads."""
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    ours = sorted(name for name in sys.modules if name.partition(".")[0] == "sca_envs")
    context.set_forkserver_preload(["__main__", *ours])
    return context


def _serve(connection: Connection, packed: bytes, seat: int, pulse: bool) -> None:
    """Do what the pool sends until it says that there is no more, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pool hears it and ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    lock = threading.Lock()

    def receive(wait: bool) -> list[WorkItem[Any]] | None:
        if not wait and not connection.poll():
            return []
        try:
            items: list[WorkItem[Any]] | None = pickle.loads(connection.recv_bytes())
        except EOFError:
            os._exit(0)
        return items

    def send(message: Message) -> None:
        with lock:
            try:
                connection.send_bytes(pickle.dumps(message))
            except OSError:
                os._exit(0)

    def beat() -> None:
        while True:
            send(("alive", None))
            time.sleep(PULSE)

    if pulse:
        threading.Thread(target=beat, daemon=True).start()
    for message in serve(lambda: pickle.loads(packed), receive, seat):
        send(message)


def _end_with_parent() -> None:
    """Go when the pool's process is gone, even in the middle of a job."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
