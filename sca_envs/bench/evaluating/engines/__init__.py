"""Engines: where the episodes of an evaluation are played.

An engine hands jobs to workers and yields the episodes as they end, in any order. A job is whole in
itself, so neither the engine nor the number of workers changes a result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from sca_envs.bench.evaluating.recording import Finished, Job
from sca_envs.bench.evaluating.worker import WorkerSpec
from sca_envs.bench.loading import Maker
from sca_envs.core.errors import OptionError

ENGINES: dict[str, str] = {
    "local": "sca_envs.bench.evaluating.engines.local:LocalEngine",
    "process": "sca_envs.bench.evaluating.engines.process:ProcessEngine",
    "ray": "sca_envs.bench.evaluating.engines.ray:RayEngine",
    "thread": "sca_envs.bench.evaluating.engines.thread:ThreadEngine",
}
"""Engine name -> class, made with the number of workers (and, by keyword, its own options)."""


class Engine(Protocol):
    """Plays jobs."""

    def run(self, spec: WorkerSpec, jobs: Sequence[Job]) -> Iterator[Finished]:
        """Play every job once and yield each episode as soon as it ends.

        Whoever stops before the end calls ``close()`` of the iterator, which ends the workers.

        Args:
            spec: What a worker is made of; it can be pickled.
            jobs: The episodes.

        Raises:
            StopRun: If an agent wants no more.
            SCAError: If a worker cannot be made, or an episode takes its worker down again and
                again.
        """
        ...


def make_engine(name: str, workers: int, /, **options: Any) -> Engine:
    """Return an engine by its name.

    Args:
        name: A name in `ENGINES`.
        workers: How many workers, from 1.
        options: Further options of the engine, such as a cluster's address.

    Raises:
        OptionError: If there is no such engine, or the number does not fit it.
    """
    if name not in ENGINES:
        raise OptionError(f"Expected engine to be one of {', '.join(ENGINES)}; got {name!r}")
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise OptionError(f"Expected workers to be an integer from 1; got {workers!r}")
    if "workers" in options:
        raise OptionError("Expected workers by their own argument, not among the engine's options")
    engine: Engine = Maker("engine", ENGINES[name], {"workers": workers, **options}).make()
    return engine
