"""The Ray engine: workers on the machines of a cluster.

A worker is a Ray actor with an agent and its environments. It is given a few episodes at a time and
streams each back as it ends. When an actor or its machine is lost, the episodes that had not come
back are played again elsewhere; they depend on nothing, so the results are those of any engine.
The same becomes of what an actor held that left an agent behind, or that does not even answer.
"""

from __future__ import annotations

import pickle
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sca_envs.bench.agents import StopRun
from sca_envs.bench.evaluating.engines.process import PULSE, SILENCE
from sca_envs.bench.evaluating.recording import Finished, Job
from sca_envs.bench.evaluating.worker import Worker, WorkerSpec, timed_out
from sca_envs.core.cluster import PATIENCE, TRIES, Cluster, extend_search_path, search_path
from sca_envs.core.errors import OptionError
from sca_envs.core.waiting import Waiting
from sca_envs.domains.registry import portable

_MOST = 32
"""Most episodes that a worker is given at a time."""


class RayEngine(Cluster):
    """Plays episodes in actors of a Ray cluster; its arguments are those of `Cluster`.

    Every machine needs this package, the agent's module and the data.
    """

    def run(self, spec: WorkerSpec, jobs: Sequence[Job]) -> Iterator[Finished]:
        """Play every job once; see `Engine.run`."""
        try:
            pickled = portable(spec)
        except Exception as error:
            raise OptionError(
                "Expected an agent, user and tasks that can be sent to another machine; "
                f"{error}. Give a class or a name instead of an object, or take the engine 'local'"
            ) from None
        pool = _Pool(self, spec, pickled, jobs)
        try:
            yield from pool.run()
        finally:
            pool.close()


class _Actor:
    """What runs on a machine of the cluster."""

    def __init__(self, pickled: bytes, path: list[str]) -> None:
        self._pickled = pickled
        self._path = path
        self._worker: Worker | None = None

    def play(self, jobs: list[Job] | None) -> Iterator[Any]:
        """Yield the batch size if there are no jobs yet, then each episode as it ends."""
        if self._worker is None:
            extend_search_path(self._path)
            self._worker = Worker(pickle.loads(self._pickled))
        if jobs is None:
            yield self._worker.batch_size
        else:
            yield from self._worker.play(iter(jobs))

    def ping(self) -> None:
        """Return, if other threads than the agent's can run."""

    def close(self) -> None:
        """Close the agent."""
        if self._worker is not None:
            self._worker.close()


class _Pool:
    """The actors of one run."""

    def __init__(
        self, cluster: Cluster, spec: WorkerSpec, pickled: bytes, jobs: Sequence[Job]
    ) -> None:
        self._cluster, self._ray = cluster, cluster.ray
        self._spec, self._limit = spec, spec.episode_timeout
        options = {} if self._limit is None else {"max_concurrency": 2}  # `ping` beside `play`
        kind = cluster.actor(_Actor, **options)
        self._make: Callable[[], Any] = lambda: kind.remote(pickled, search_path())
        number = cluster.workers
        self._left = deque(jobs)
        self._lost: Counter[Job] = Counter()
        self._share = max(1, min(_MOST, len(jobs) // (4 * number)))
        self._streams: dict[Any, tuple[Any, list[Job]]] = {}
        """Stream of an actor -> the actor, and its jobs that have not come back."""
        self._sizes: dict[Any, int] = {}
        """Actor that has started -> most episodes that it plays at once."""
        self._since: dict[Any, float] = {}
        """Stream -> when it began or gave something for the last time."""
        self._pings: dict[Any, tuple[Any, float]] = {}
        """Stream -> a ping to its actor that has not come back, and when it was sent."""
        self._waiting = Waiting(lambda: cluster.describe_wait(self._starting()))
        self._resting: list[Any] = []
        self._missing = len(jobs)
        self._starts_failed = 0
        for _ in range(max(1, min(number, len(jobs)))):
            self._start()

    def _start(self) -> None:
        actor = self._make()
        self._streams[actor.play.options(num_returns="streaming").remote(None)] = actor, []

    def run(self) -> Iterator[Finished]:
        # Not until all streams end: that of a new actor may wait for room that never comes.
        while self._missing:
            periods = [self._waiting.seconds] * bool(self._starting())
            periods += [PULSE] * (self._limit is not None)
            streams, timeout = list(self._streams), min(periods, default=None)
            ready, _ = self._ray.wait(streams, num_returns=1, timeout=timeout)
            for stream in ready:
                self._since[stream] = time.monotonic()
                yield from self._advance(stream)
            if self._starting():
                self._waiting.tell()
            else:
                self._waiting.restart()
            for stream in [one for one in self._streams if self._is_stuck(one)]:
                yield from self._end_stuck(stream)

    def _starting(self) -> int:
        """Return how many actors have not started."""
        return sum(actor not in self._sizes for actor, _ in self._streams.values())

    def _is_stuck(self, stream: Any) -> bool:
        """Return whether an actor plays for too long and does not answer."""
        actor, held = self._streams[stream]
        now = time.monotonic()
        if self._limit is None or not held or now - self._since[stream] <= self._limit:
            return False
        if self._ray.wait([stream], timeout=0)[0]:
            return False
        if stream not in self._pings:
            self._pings[stream] = actor.ping.remote(), now
        answer, sent = self._pings[stream]
        if self._ray.wait([answer], timeout=0)[0]:
            del self._pings[stream]
            return False
        return now - sent > SILENCE

    def _end_stuck(self, stream: Any) -> Iterator[Finished]:
        """Kill an actor; the episodes that it played have ended, and the others are played anew."""
        actor, held = self._streams[stream]
        number = self._sizes[actor]
        stuck, rest = held[:number], held[number:]
        self._retire(stream, rest)
        self._missing -= len(stuck)
        for job in stuck:
            yield timed_out(self._spec, job)

    def _retire(self, stream: Any, held: list[Job]) -> None:
        """Let an actor go that plays no more, and start another one for what it held."""
        actor, _ = self._streams.pop(stream)
        self._pings.pop(stream, None)
        self._sizes.pop(actor, None)
        self._ray.kill(actor)
        self._left.extendleft(reversed(held))
        if self._resting:  # a new one might find no room beside it
            self._feed(self._resting.pop())
        elif self._left:
            self._start()

    def _advance(self, stream: Any) -> Iterator[Finished]:
        """Take the next thing out of a stream that has one, or has ended."""
        actor, held = self._streams[stream]
        try:
            value = self._ray.get(next(stream))
        except StopIteration:
            if held:  # it left an agent behind
                self._retire(stream, held)
            else:
                del self._streams[stream]
                self._feed(actor)
        except self._ray.exceptions.RayTaskError as error:
            raise self._cluster.cause(error, StopRun) from None
        except self._ray.exceptions.RayError as error:  # the actor or its machine is gone
            self._take_back(stream, error)
        else:
            if isinstance(value, Finished):
                held.remove(value.job)
                self._missing -= 1
                yield value
            else:
                self._sizes[actor] = value

    def _feed(self, actor: Any) -> None:
        """Give an actor its next share, which fills a batched agent twice; or let it rest."""
        share = max(self._share, 2 * self._sizes[actor] if self._sizes[actor] > 1 else 1)
        if self._left and self._left[0] in self._lost:
            share = 1  # alone, it shows whether it takes an actor down
        jobs = [self._left.popleft() for _ in range(min(share, len(self._left)))]
        if jobs:
            stream = actor.play.options(num_returns="streaming").remote(jobs)
            self._streams[stream] = actor, jobs
            self._since[stream] = time.monotonic()
        else:
            self._resting.append(actor)

    def _take_back(self, stream: Any, error: Exception) -> None:
        actor, held = self._streams[stream]
        self._lost.update(held)  # the last words of an actor get lost, so it may be any of them
        self._starts_failed += actor not in self._sizes
        if self._starts_failed >= TRIES:
            raise self._cluster.never_started(error) from None
        for job in held:
            if self._lost[job] >= TRIES:
                raise self._cluster.died(f"episode {job.episode_id}", error) from None
        self._retire(stream, held)

    def close(self) -> None:
        """End the actors; what they still play is given up."""
        if not self._missing:
            closing = [actor.close.remote() for actor in self._sizes]
            self._ray.wait(closing, num_returns=len(closing), timeout=PATIENCE)
        for actor in {*self._sizes, *(actor for actor, _ in self._streams.values())}:
            self._ray.kill(actor)
