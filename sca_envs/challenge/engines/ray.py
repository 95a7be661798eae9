"""The Ray engine: candidates are examined on the machines of a cluster.

A worker is a Ray actor with gates and a lab. It is sent one candidate ahead of the one that it
examines. When an actor or its machine is lost, what it held is examined by another one; since a
verdict depends on the candidate alone, the results are those of any engine.
"""

from __future__ import annotations

import heapq
import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sca_envs.challenge.engines.base import AHEAD, packed
from sca_envs.challenge.examination import Candidate, Examination, Examiner
from sca_envs.challenge.gates import Gate
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.cluster import PATIENCE, TRIES, Cluster, extend_search_path, search_path
from sca_envs.core.waiting import Waiting

_HELD = 2
"""Candidates that an actor has, so that it need not wait for the next one."""


class RayEngine(Cluster):
    """Examines candidates in actors of a Ray cluster; its arguments are those of `Cluster`.

    Every machine needs this package, the challenger's module and the data.
    """

    def map(self, gates: Sequence[Gate], candidates: Iterable[Candidate]) -> Iterator[Examination]:
        """Yield what comes of each candidate; see `Engine.map`."""
        pool = _Pool(self, packed(tuple(gates), "gates"), candidates)
        try:
            yield from pool.run()
        finally:
            pool.close()


class _Actor:
    """What runs on a machine of the cluster."""

    def __init__(self, gates: bytes, path: list[str]) -> None:
        self._gates, self._path = gates, path

    def start(self) -> None:
        """Make the examiner; what goes wrong here is told, unlike in the constructor."""
        extend_search_path(self._path)
        self._examiner = Examiner(pickle.loads(self._gates))

    def examine(self, candidate: bytes) -> Examination:
        """Return what comes of a candidate."""
        return self._examiner(pickle.loads(candidate))

    def close(self) -> None:
        """End the processes in which code runs."""
        self._examiner.close()


class _Work(NamedTuple):
    """A candidate on its way to an actor."""

    turn: int
    """When what comes of it is wanted, from 0."""
    name: str
    """What errors call it."""
    sent: bytes
    """The candidate."""


class _Pool:
    """The actors of one run, and which candidate is where."""

    def __init__(self, cluster: Cluster, gates: bytes, candidates: Iterable[Candidate]) -> None:
        self._cluster, self._ray = cluster, cluster.ray
        kind = cluster.actor(_Actor)
        self._make: Callable[[], Any] = lambda: kind.remote(gates, search_path())
        self._new = iter(candidates)
        self._ended = False
        self._again: list[_Work] = []
        """What lost actors held, the one that is wanted first on top."""
        self._lost: Counter[int] = Counter()
        self._starting: dict[Any, Any] = {}
        """Reference to the start of an actor -> the actor."""
        self._starts_failed = 0
        self._running: dict[Any, Any] = {}
        """Reference to an examination -> its actor."""
        self._held: dict[Any, dict[Any, _Work]] = {}
        """Actor that has started -> reference -> the candidate, in the order of examination."""
        self._found: dict[int, Examination] = {}
        """What is known before its turn."""
        self._sent = self._yielded = 0
        self._waiting = Waiting(lambda: cluster.describe_wait(len(self._starting)))
        for _ in range(cluster.workers):
            self._start()

    def _start(self) -> None:
        actor = self._make()
        self._starting[actor.start.remote()] = actor

    def run(self) -> Iterator[Examination]:
        while True:
            self._feed()
            if self._ended and not self._running and not self._again:
                return
            # That of a new actor, too, which may wait for room that never comes.
            timeout = self._waiting.seconds if self._starting else None
            running = [*self._running, *self._starting]
            ready, _ = self._ray.wait(running, num_returns=1, timeout=timeout)
            for reference in ready:
                self._receive(reference)
            if self._starting:
                self._waiting.tell()
            else:
                self._waiting.restart()
            while self._yielded in self._found:
                self._yielded += 1
                yield self._found.pop(self._yielded - 1)

    def _feed(self) -> None:
        """Give candidates to the actors that have room, first to those that have nothing."""
        for number in range(1, _HELD + 1):
            for actor, held in self._held.items():
                suspect = any(work.turn in self._lost for work in held.values())
                if suspect or len(held) >= number:
                    continue
                if (work := self._take(alone=not held)) is not None:
                    reference = actor.examine.remote(work.sent)
                    held[reference] = work
                    self._running[reference] = actor

    def _take(self, alone: bool) -> _Work | None:
        """Return what is to be examined next; what a lost actor held is examined alone.

        Only so the one is known that takes an actor down: the last words of an actor get lost.
        """
        if self._again and alone:
            return heapq.heappop(self._again)
        if self._ended or self._sent - self._yielded > AHEAD * self._cluster.workers:
            return None
        for candidate in self._new:
            self._sent += 1
            if isinstance(candidate, CodeAsTask):
                name = candidate.id
            else:
                name = f"number {candidate.number}"
            return _Work(self._sent - 1, name, packed(candidate, "a challenger"))
        self._ended = True
        return None

    def _receive(self, reference: Any) -> None:
        """Take what an actor has done, or find that it is gone."""
        actor = self._running.pop(reference, None) or self._starting[reference]
        try:
            found = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise self._cluster.cause(error) from None
        except self._ray.exceptions.RayError as error:  # the actor or its machine is gone
            self._replace(actor, error)
        else:
            if self._starting.pop(reference, None) is not None:
                self._held[actor] = {}
            else:
                self._found[self._held[actor].pop(reference).turn] = found

    def _replace(self, actor: Any, error: Exception) -> None:
        """Take back what a lost actor held, and start another one, which may wait for room."""
        self._starting = {ref: one for ref, one in self._starting.items() if one != actor}
        self._running = {ref: one for ref, one in self._running.items() if one != actor}
        held = self._held.pop(actor, None)
        self._starts_failed += held is None
        if self._starts_failed >= TRIES:
            raise self._cluster.never_started(error) from None
        for work in (held or {}).values():
            heapq.heappush(self._again, work)
            self._lost[work.turn] += 1
            if self._lost[work.turn] >= TRIES:
                raise self._cluster.died(f"candidate {work.name}", error) from None
        self._ray.kill(actor)
        self._start()

    def close(self) -> None:
        """End the actors; what they still examine is given up."""
        if self._held and not self._running:
            closing = [actor.close.remote() for actor in self._held]
            self._ray.wait(closing, num_returns=len(closing), timeout=PATIENCE)
        for actor in [*self._held, *self._starting.values()]:
            self._ray.kill(actor)
