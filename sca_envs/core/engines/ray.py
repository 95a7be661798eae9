"""The Ray engine: workers on the machines of a cluster.

A worker is a Ray actor. It streams its messages from one call that lasts as long as it lives, and
gets its jobs by others.
"""

from __future__ import annotations

import os
import pickle
import queue
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from typing import Any

from sca_envs.core.engines import RunnerSpec, WorkItem
from sca_envs.core.engines.cluster import Cluster
from sca_envs.core.engines.pool import PATIENCE, PULSE, Message, PoolEngine, Worker, pack, serve
from sca_envs.core.errors import SCAError


class RayEngine(PoolEngine):
    """Does jobs in actors of a Ray cluster.

    Every machine needs this package, the modules of agent or challenger, and the data.

    Args:
        workers: How many actors.
        address: See `Cluster`.
        num_cpus: See `Cluster`.
        num_gpus: See `Cluster`.
        autoscaling: See `Cluster`.

    Raises:
        OptionError: If one of them cannot be that, or a worker fits on no machine.
        SCAError: If the extra ``ray`` is not installed, or there is no cluster at the address.
    """

    first_words = 5.0

    def __init__(
        self,
        workers: int,
        address: str | None = None,
        num_cpus: float = 1,
        num_gpus: float = 0,
        autoscaling: bool = False,
    ) -> None:
        super().__init__(workers)
        self._cluster = Cluster(workers, address, num_cpus, num_gpus, autoscaling)
        self._actor = self._cluster.actor(_Actor)

    def pack(self, spec: RunnerSpec[Any, Any]) -> bytes:
        """Return the spec pickled."""
        return pack(spec)

    def start(self, packed: bytes, seat: int, *, pulse: bool) -> Worker[Any]:
        """Start an actor."""
        path = [os.path.abspath(folder) for folder in sys.path]
        actor = self._actor.remote(packed, path)
        return _RemoteWorker(self._cluster.ray, actor, seat, pulse)

    def wait(
        self, workers: Sequence[_RemoteWorker], seconds: float | None
    ) -> Iterator[tuple[Worker[Any], Message]]:
        """Yield what comes next from workers."""
        ray = self._cluster.ray
        by_reference = {one: worker for worker in workers for one in worker.references()}
        ready, _ = ray.wait(list(by_reference), num_returns=1, timeout=seconds)
        for reference in ready:
            worker = by_reference[reference]
            try:
                yield worker, worker.receive(reference)
            except ray.exceptions.RayTaskError as error:
                yield worker, ("failed", SCAError(f"A worker failed: {error}"))
            except ray.exceptions.RayError as error:  # the actor or its machine is gone
                yield worker, ("lost", textwrap.shorten(str(error), 300, placeholder=" …"))

    def describe_wait(self, starting: int, total: int) -> str:
        """Return what is waited for."""
        return self._cluster.describe_wait(starting)


class _Actor:
    """What runs on a machine of the cluster, its methods in threads beside one another."""

    def __init__(self, packed: bytes, path: list[str]) -> None:
        self._packed, self._path = packed, path
        self._lots: queue.SimpleQueue[list[WorkItem[Any]] | None] = queue.SimpleQueue()

    def serve(self) -> Iterator[Message]:
        """Yield the messages for the pool."""
        sys.path += [folder for folder in self._path if folder not in sys.path]
        yield from serve(lambda: pickle.loads(self._packed), self._receive)

    def put(self, packed: bytes) -> None:
        """Take what the pool sends."""
        self._lots.put(pickle.loads(packed))

    def ping(self) -> None:
        """Return, if other threads than the runner's can run."""

    def _receive(self, wait: bool) -> list[WorkItem[Any]] | None:
        try:
            return self._lots.get(block=wait)
        except queue.Empty:
            return []


class _RemoteWorker(Worker[Any]):
    def __init__(self, ray: Any, actor: Any, seat: int, pulse: bool) -> None:
        super().__init__(seat)
        self._ray, self._actor, self._pulse = ray, actor, pulse
        self._stream = actor.serve.options(num_returns="streaming").remote()
        self._ping: Any = None
        """A ping to the actor that has not come back."""

    def references(self) -> list[Any]:
        """Return what to wait for."""
        now = time.monotonic()
        if self._pulse and self.capacity and self._ping is None and now - self.heard > PULSE:
            self._ping, self.heard = self._actor.ping.remote(), now
        return [self._stream] if self._ping is None else [self._stream, self._ping]

    def receive(self, reference: Any) -> Message:
        """Return the message that has come.

        Raises:
            RayError: If the actor or its machine is gone.
        """
        if reference is self._ping:
            self._ping = None
            self._ray.get(reference)
            return "alive", None
        message: Message = self._ray.get(next(self._stream))
        return message

    def send(self, items: list[WorkItem[Any]] | None) -> None:
        self._actor.put.remote(pack(items))

    def has_news(self) -> bool:
        return bool(self._ray.wait(self.references(), timeout=0)[0])

    def kill(self) -> None:
        self._ray.kill(self._actor)

    def join(self) -> None:
        self._ray.wait([self._stream], timeout=PATIENCE)  # its end
        self._ray.kill(self._actor)
