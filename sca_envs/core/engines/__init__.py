"""Engines: where jobs are done, here or by many workers at once.

An evaluation's episodes and a challenger's candidates are jobs. A `RunnerSpec` travels to each
worker and makes a `Runner` there; an `Engine` hands it jobs and yields the results as they come. A
job depends on nothing but itself, so neither the engine nor the number of workers changes a result.
"""

from __future__ import annotations

import importlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain, count
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from sca_envs.core.errors import OptionError

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)

ENGINES: dict[str, str] = {
    "local": "sca_envs.core.engines:LocalEngine",
    "process": "sca_envs.core.engines.process:ProcessEngine",
    "ray": "sca_envs.core.engines.ray:RayEngine",
    "thread": "sca_envs.core.engines.thread:ThreadEngine",
}
"""Engine name -> class, made with the number of workers and, by keyword, its own options."""


class WorkItem(NamedTuple, Generic[JobT]):
    """A job on its way to a worker."""

    number: int
    """Its place among the jobs of the run, from 0."""
    job: JobT


Take = Callable[[bool], WorkItem[JobT] | None]
"""Returns the next job. Called with True it waits for one, and None is the end; called with False
it returns None if there is none yet."""


class Runner(Protocol[JobT, ResultT_co]):
    """Does jobs inside a worker."""

    capacity: int
    """Most jobs at once."""
    spent: bool
    """Whether it stopped early and does no more: another runner has to do what it did not."""

    def run(self, take: Take[JobT]) -> Iterator[tuple[int, ResultT_co]]:
        """Do jobs and yield the number of each with its result, as it is done.

        Args:
            take: Gives the jobs. One that was taken is done, whatever happens.
        """
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


class RunnerSpec(ABC, Generic[JobT, ResultT]):
    """Makes the runners of a run. It can be pickled, and the jobs and results, too."""

    time_limit: float | None = None
    """Seconds after which a worker that shows no sign of life is ended; None waits for ever."""
    lookahead: int | None = None
    """How many jobs, for each worker, are begun beyond the oldest one that is not done; None has
    no bound."""

    @abstractmethod
    def make(self, seat: int | None) -> Runner[JobT, ResultT]:
        """Return a runner.

        Args:
            seat: Number of the worker among those of this machine, from 0, if it has a process of
                its own; a worker that replaces a lost one has its number.
        """

    @abstractmethod
    def describe(self, job: JobT) -> str:
        """Return what errors call a job."""

    def expire(self, job: JobT) -> ResultT:
        """Return the result of a job whose worker was ended by `time_limit`."""
        raise NotImplementedError


class Engine(Protocol):
    """Does jobs."""

    def run(
        self, spec: RunnerSpec[JobT, ResultT], jobs: Iterable[JobT]
    ) -> Generator[tuple[int, ResultT]]:
        """Do every job once and yield its number, from 0, with the result, as soon as it is done.

        Closing the generator before its end ends the workers.

        Args:
            spec: Makes the runners.
            jobs: The jobs; they are taken as workers have room.

        Raises:
            OptionError: If something cannot be sent to another process.
            SCAError: If workers do not start, or a job takes its worker down again and again.
            Exception: Whatever a runner raises.
        """
        ...


class LocalEngine:
    """Does jobs in this process, one after the other or as many at once as the runner wants.

    Args:
        workers: 1.

    Raises:
        OptionError: If it is another number.
    """

    def __init__(self, workers: int = 1) -> None:
        if workers != 1:
            raise OptionError(
                f"Expected 1 worker for the engine 'local', got {workers}; take the engine "
                "'process' or 'thread' for more"
            )

    def run(
        self, spec: RunnerSpec[JobT, ResultT], jobs: Iterable[JobT]
    ) -> Generator[tuple[int, ResultT]]:
        """Do every job once; see `Engine.run`."""
        items = map(WorkItem, count(), jobs)
        for item in items:  # again only after a runner that is spent
            left = chain([item], items)
            runner = spec.make(None)
            try:
                yield from runner.run(lambda wait, left=left: next(left, None))  # type: ignore[misc]
            finally:
                runner.close()


def in_order(
    results: Generator[tuple[int, ResultT]],
) -> Generator[ResultT]:
    """Yield the results of `Engine.run` in the order of their jobs."""
    early: dict[int, ResultT] = {}
    turn = 0
    with closing(results):
        for number, result in results:
            early[number] = result
            while turn in early:
                yield early.pop(turn)
                turn += 1


def default_engine(workers: int) -> str:
    """Return the name of the engine that so many workers have where none is chosen."""
    return "local" if workers == 1 else "process"


def make_engine(name: str | Engine, workers: int, /, **options: Any) -> Engine:
    """Return an engine by its name.

    Args:
        name: A name in `ENGINES`; an engine is returned as it is.
        workers: How many workers, from 1.
        options: Further options of the engine, such as a cluster's address.

    Raises:
        OptionError: If there is no such engine, or the number or the options do not fit it.
        SCAError: If something is missing that it needs.
    """
    if not isinstance(name, str) and callable(getattr(name, "run", None)):
        return name
    if not isinstance(name, str) or name not in ENGINES:
        raise OptionError(
            f"Expected engine to be one of {', '.join(ENGINES)}, or an object with a method "
            f"run(spec, jobs); got {name!r}"
        )
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise OptionError(f"Expected workers to be an integer from 1; got {workers!r}")
    module, _, kind = ENGINES[name].partition(":")
    make: Callable[..., Engine] = getattr(importlib.import_module(module), kind)
    _, *known = inspect.signature(make).parameters
    if unknown := sorted(options.keys() - set(known)):
        raise OptionError(
            f"Expected options of the engine {name!r} ({', '.join(known) or 'it has none'}); got "
            f"{', '.join(unknown)}"
        )
    return make(workers, **options)
