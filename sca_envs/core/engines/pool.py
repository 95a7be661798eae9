"""A pool of workers: which job is where, and what happens when a worker is lost.

A worker is sent a few jobs ahead, so that it never waits, and what it holds is known. When it is
lost, another one takes its place, and each job that it held is done again alone: only so is the one
known that takes workers down, and after `TRIES` of them the run stops. A worker whose runner is
spent is replaced, too. One that has no sign of life for longer than the time limit is ended.
"""

from __future__ import annotations

import heapq
import pickle
import time
from abc import ABC, abstractmethod
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Generic

from sca_envs.core.engines import JobT, ResultT, Runner, RunnerSpec, WorkItem
from sca_envs.core.engines.waiting import Waiting
from sca_envs.core.errors import OptionError, SCAError
from sca_envs.core.plugins import portable

TRIES = 3
"""How many workers may be lost with one job, or may fail to start one after the other."""
PATIENCE = 10.0
"""Seconds that a worker has to end by itself."""
PULSE = 1.0
"""Seconds between two signs of life of a worker whose time is limited."""
SILENCE = 5.0
"""Seconds without any after which it is taken for stuck, if its time is over, too."""

Message = tuple[str, Any]
"""What comes from a worker: ``ready`` with the runner's capacity, ``done`` with a job's number and
result, ``spent``, ``failed`` with what the runner raised, ``alive``; and from its engine, ``lost``
with the reason."""


class Worker(ABC, Generic[JobT]):
    """A worker as its pool sees it."""

    def __init__(self, seat: int) -> None:
        self.seat = seat
        """Its place in the pool, from 0."""
        self.held: dict[int, WorkItem[JobT]] = {}
        """Number -> job that it was sent and that is not done, in the order of sending."""
        self.capacity = 0
        """Most jobs that it does at once; 0 before it has started."""
        self.heard = self.since = time.monotonic()
        """When anything came from it, and when it last began or finished a job."""

    @abstractmethod
    def send(self, items: list[WorkItem[JobT]] | None) -> None:
        """Send it jobs, or None to let it end."""

    @abstractmethod
    def has_news(self) -> bool:
        """Return whether something came from it that was not received."""

    @abstractmethod
    def kill(self) -> None:
        """End it now, as far as that is possible."""

    @abstractmethod
    def join(self) -> None:
        """Wait until it has ended; one that does not end in `PATIENCE` seconds is ended."""


class PoolEngine(ABC):
    """An engine that has workers of one kind.

    Args:
        workers: How many.
    """

    ahead = 1
    """Jobs that a worker has beside those that it does."""
    first_words = 15.0
    """Seconds of waiting for workers to start until that is said."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    @abstractmethod
    def pack(self, spec: RunnerSpec[Any, Any]) -> Any:
        """Return what `start` wants, once for all workers of a run."""

    @abstractmethod
    def start(self, packed: Any, seat: int, *, pulse: bool) -> Worker[Any]:
        """Start a worker.

        Args:
            packed: What `pack` returned.
            seat: Its place in the pool.
            pulse: Whether it shall show signs of life.
        """

    @abstractmethod
    def wait(
        self, workers: Sequence[Any], seconds: float | None
    ) -> Iterator[tuple[Worker[Any], Message]]:
        """Yield what comes next from workers, nothing if that takes longer than `seconds`."""

    @abstractmethod
    def describe_wait(self, starting: int, total: int) -> str:
        """Return what is waited for, if `starting` of `total` workers have not started."""

    def run(
        self, spec: RunnerSpec[JobT, ResultT], jobs: Iterable[JobT]
    ) -> Generator[tuple[int, ResultT]]:
        """Do every job once; see `Engine.run`."""
        pool = _Pool(self, spec, jobs)
        try:
            yield from pool.run()
        finally:
            pool.close()


class _Pool(Generic[JobT, ResultT]):
    """The workers of one run."""

    def __init__(
        self, engine: PoolEngine, spec: RunnerSpec[JobT, ResultT], jobs: Iterable[JobT]
    ) -> None:
        self._engine, self._spec, self._packed = engine, spec, engine.pack(spec)
        first = list(islice(jobs := iter(jobs), engine.workers))
        self._new = map(WorkItem, range(1 << 62), chain(first, jobs))
        self._next: WorkItem[JobT] | None = next(self._new, None)
        """The first job that no worker was sent."""
        self._again: list[WorkItem[JobT]] = []
        """What lost workers held, the oldest on top."""
        self._open: set[int] = set()
        """Numbers of the jobs that were sent to a worker and are not done."""
        self._lost: Counter[int] = Counter()
        """Number of a job -> workers that were lost with it."""
        self._failed_starts = 0
        window = None if spec.lookahead is None else spec.lookahead * engine.workers
        self._window = window
        self._waiting = Waiting(self._describe_wait, engine.first_words)
        self._workers: list[Worker[JobT]] = []
        for seat in range(len(first)):
            self._start(seat)

    def run(self) -> Iterator[tuple[int, ResultT]]:
        while self._next is not None or self._open:
            for worker, (kind, value) in self._engine.wait(self._workers, self._seconds()):
                yield from self._receive(worker, kind, value)
            if self._starting():
                self._waiting.tell()
            else:
                self._waiting.restart()
            for worker in [one for one in self._workers if self._is_stuck(one)]:
                yield from self._end_stuck(worker)
            self._feed()

    def close(self) -> None:
        """End the workers; those that have nothing left to do may close what they hold."""
        done = self._next is None and not self._open
        for worker in self._workers:
            if done and worker.capacity:
                worker.send(None)
            else:
                worker.kill()
        for worker in self._workers:
            worker.join()

    def _start(self, seat: int) -> None:
        pulse = self._spec.time_limit is not None
        self._workers.append(self._engine.start(self._packed, seat, pulse=pulse))

    def _starting(self) -> int:
        return sum(not worker.capacity for worker in self._workers)

    def _describe_wait(self) -> str:
        return self._engine.describe_wait(self._starting(), len(self._workers))

    def _seconds(self) -> float | None:
        """Return how long to wait for the workers before something else is to be done."""
        periods = [self._waiting.seconds] if self._starting() else []
        if self._spec.time_limit is not None:
            periods.append(PULSE)
        return min(periods, default=None)

    def _receive(
        self, worker: Worker[JobT], kind: str, value: Any
    ) -> Iterator[tuple[int, ResultT]]:
        worker.heard = time.monotonic()
        match kind:
            case "ready":
                worker.capacity, worker.since, self._failed_starts = value, worker.heard, 0
            case "done":
                number, result = value
                worker.since = worker.heard
                self._finish(worker, number)
                yield number, result
            case "spent":
                self._replace(worker)
            case "failed":
                raise value
            case "lost":
                self._count_loss(worker, value)
                self._replace(worker)

    def _finish(self, worker: Worker[JobT], number: int) -> None:
        del worker.held[number]
        self._open.remove(number)

    def _feed(self) -> None:
        """Send jobs to the workers that have room, first to those that hold least."""
        lots: dict[Worker[JobT], list[WorkItem[JobT]]] = defaultdict(list)
        while free := [worker for worker in self._workers if self._has_room(worker)]:
            worker = min(free, key=lambda one: len(one.held))
            if (item := self._take(alone=not worker.held)) is None:
                break
            worker.since = worker.since if worker.held else time.monotonic()
            worker.held[item.number] = item
            lots[worker].append(item)
        for worker, items in lots.items():
            worker.send(items)

    def _has_room(self, worker: Worker[JobT]) -> bool:
        most = worker.capacity + self._engine.ahead if worker.capacity else 0
        return len(worker.held) < most and not worker.held.keys() & self._lost.keys()

    def _take(self, *, alone: bool) -> WorkItem[JobT] | None:
        """Return what is to be done next; what a lost worker held goes to one that has nothing."""
        if self._again and alone:
            return heapq.heappop(self._again)
        item = self._next
        if item is None:
            return None
        if self._window is not None and self._open and item.number - min(self._open) > self._window:
            return None
        self._open.add(item.number)
        self._next = next(self._new, None)
        return item

    def _is_stuck(self, worker: Worker[JobT]) -> bool:
        """Return whether a worker takes too long and shows no sign of life."""
        limit, now = self._spec.time_limit, time.monotonic()
        return (
            limit is not None
            and bool(worker.held)
            and now - worker.since > limit
            and now - worker.heard > SILENCE
            and not worker.has_news()
        )

    def _end_stuck(self, worker: Worker[JobT]) -> Iterator[tuple[int, ResultT]]:
        """End a worker; the jobs that it did have expired, the others are done by another one."""
        worker.kill()
        for number, item in list(worker.held.items())[: worker.capacity]:
            self._finish(worker, number)
            yield number, self._spec.expire(item.job)
        self._replace(worker)

    def _count_loss(self, worker: Worker[JobT], reason: str) -> None:
        if not worker.capacity:
            self._failed_starts += 1
            if self._failed_starts >= TRIES:
                raise SCAError(
                    f"Expected a worker to start; {TRIES} ended before their first job, the last "
                    f'with: {reason}. A script needs `if __name__ == "__main__":` around what it '
                    "does; for other causes, the engine 'local' shows why"
                )
        for number, item in worker.held.items():
            self._lost[number] += 1
            if self._lost[number] >= TRIES:
                raise SCAError(
                    f"Expected {self._spec.describe(item.job)} to leave its worker alive; {TRIES} "
                    f"workers were lost with it, the last with: {reason}. What has finished is kept"
                )

    def _replace(self, worker: Worker[JobT]) -> None:
        """Let a worker go and take back what it held; start another one if none is free for it."""
        self._workers.remove(worker)
        worker.kill()
        worker.join()
        for item in worker.held.values():
            heapq.heappush(self._again, item)
        idle = any(one.capacity and not one.held for one in self._workers)
        if not idle and (self._again or self._next is not None):
            self._start(worker.seat)


# In a worker


def serve(
    load: Callable[[], RunnerSpec[JobT, ResultT]],
    receive: Callable[[bool], list[WorkItem[JobT]] | None],
    seat: int | None = None,
) -> Iterator[Message]:
    """Do what a pool sends, and yield the messages for it.

    Args:
        load: Returns the spec.
        receive: Returns jobs that were sent, an empty list if there are none and it was called
            with False; None is the end.
        seat: See `RunnerSpec.make`.
    """
    try:
        runner: Runner[JobT, ResultT] = load().make(seat)
        try:
            yield "ready", runner.capacity
            for outcome in runner.run(_Inbox(receive)):
                yield "done", outcome
            if runner.spent:
                yield "spent", None
        finally:
            runner.close()
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        yield "failed", _sendable(error)


class _Inbox(Generic[JobT]):
    """The jobs that a worker was sent; see `Take`."""

    def __init__(self, receive: Callable[[bool], list[WorkItem[JobT]] | None]) -> None:
        self._receive = receive
        self._items: deque[WorkItem[JobT]] = deque()
        self._ended = False

    def __call__(self, wait: bool) -> WorkItem[JobT] | None:
        if not self._items and not self._ended:
            items = self._receive(wait)
            self._ended = items is None
            self._items.extend(items or ())
        return self._items.popleft() if self._items else None


def pack(value: Any) -> bytes:
    """Return a value as another process can read it.

    Raises:
        OptionError: If it cannot be sent.
    """
    try:
        return portable(value)
    except Exception as error:
        raise OptionError(
            f"Expected what can be sent to another process; {error}. Give a class or a name of a "
            "module instead of an object, or take the engine 'local'"
        ) from None


def _sendable(error: BaseException) -> BaseException:
    """Return an error that survives the way to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return SCAError(f"{type(error).__name__}: {error}")
    return error
