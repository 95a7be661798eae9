"""The process engine: candidates are examined on the cores of this machine."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from sca_envs.challenge.engines.base import AHEAD, packed
from sca_envs.challenge.examination import Candidate, Examination, Examiner
from sca_envs.challenge.gates import Gate
from sca_envs.core.errors import SCAError
from sca_envs.core.waiting import Waiting


class ProcessEngine:
    """Examines candidates in several processes, started afresh rather than forked.

    Args:
        workers: How many processes.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def map(self, gates: Sequence[Gate], candidates: Iterable[Candidate]) -> Iterator[Examination]:
        """Yield what comes of each candidate; see `Engine.map`."""
        sent = packed(tuple(gates), "gates")
        context = multiprocessing.get_context("spawn")
        cores = context.Queue()
        for number in range(self._workers):
            cores.put(number)
        with ProcessPoolExecutor(self._workers, context, _start, (cores, sent)) as pool:
            waiting: deque[Future[Examination]] = deque()
            patience = Waiting(self._describe, first=15.0)
            try:
                for candidate in candidates:
                    waiting.append(pool.submit(_examine, packed(candidate, "a challenger")))
                    if len(waiting) > AHEAD * self._workers:
                        yield _result(waiting.popleft(), patience)
                while waiting:
                    yield _result(waiting.popleft(), patience)
            except BrokenProcessPool:
                raise SCAError(
                    "A worker ended unexpectedly (out of memory?); run again with fewer workers, "
                    "or with --resume to go on"
                ) from None
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _describe(self) -> str:
        return (
            f"waiting for {self._workers} worker processes to examine the next candidate; "
            "workers=0 shows what it takes"
        )


def _result(future: Future[Examination], patience: Waiting) -> Examination:
    """Return what came of a candidate, with a word where that takes long."""
    patience.restart()
    while True:
        try:
            return future.result(patience.seconds)
        except TimeoutError:
            if future.done():  # the candidate's own
                raise
            patience.tell()


# In a worker

_mine: list[Examiner] = []


def _start(cores: Any, gates: bytes) -> None:
    """Pin this process, because calls between two processes are fastest on one core."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the campaign hears it and ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    core = None
    if hasattr(os, "sched_setaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        core = usable[cores.get() % len(usable)]
        os.sched_setaffinity(0, {core})
    _mine.append(Examiner(pickle.loads(gates), core))


def _end_with_parent() -> None:
    """Go when the process is gone that would send work; a pool's workers would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _examine(candidate: bytes) -> Examination:
    return _mine[0](pickle.loads(candidate))
