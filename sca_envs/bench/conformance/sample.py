"""What the checks of a domain look at: some tasks of each split, and what came of their solutions.

Everything is drawn from a seed. What goes wrong on the way is kept for the check that reports it,
so that one breakage does not hide another.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from sca_envs.bench.conformance.report import Finding
from sca_envs.core.database import Database
from sca_envs.core.domain import Domain
from sca_envs.core.task import ReferenceAction, Task, TaskSource
from sca_envs.core.wishes import WishBook

T = TypeVar("T")
_FAR = 1_000_000
"""Tasks without end are drawn from this many."""


class NotApplicable(Exception):  # noqa: N818 (it is no error)
    """Raised by a check that is about something that the domain does not have."""


class Step(NamedTuple):
    """One call of a task's reference solution."""

    action: ReferenceAction
    observation: str
    before: Database
    """The state that it was called in."""
    changed: bool
    """Whether it changed the world, which does not include what the agent looks at."""


class Sample:
    """A domain, and what of it is looked at.

    Args:
        domain: The domain.
        num_tasks: How many tasks of each split to look at.
        seed: Draws them.
    """

    def __init__(self, domain: Domain, num_tasks: int, seed: int) -> None:
        self.domain = domain
        self.num_tasks = num_tasks
        self.seed = seed
        self.num_calls = 0
        """How many tool calls were tried so far."""
        self.tables_before = repr(domain.base.tables)
        """The initial tables, to see whether something writes to them."""
        self.problems: list[Finding] = []
        """What went wrong when the tasks were drawn."""
        self.undrawn: set[tuple[str, int]] = set()
        """Split and index of the tasks that could not be drawn."""
        self._steps: dict[int, tuple[Step, ...]] = {}
        self._results: dict[Callable[[Sample], Any], Any] = {}

    def once(self, function: Callable[[Sample], T]) -> T:
        """Return what a function finds out about this sample, worked out once."""
        if function not in self._results:
            self._results[function] = function(self)
        result: T = self._results[function]
        return result

    def rng(self, purpose: str) -> random.Random:
        """Return a random generator that is the same in every process."""
        return random.Random(f"check {self.domain.name} {self.seed} {purpose}")

    @functools.cached_property
    def sources(self) -> dict[str, TaskSource]:
        """The task sources by split, as far as they can be had."""
        sources = {}
        for split in self.domain.splits:
            try:
                source = self.domain.tasks(split)
            except Exception as error:
                self._fault(f"split {split!r}", "its tasks", error)
                continue
            if isinstance(source, TaskSource):
                sources[split] = source
            else:
                kind = type(source).__name__
                self._fault(f"split {split!r}", "a TaskSet or another TaskSource", kind)
        return sources

    @functools.cached_property
    def indexes(self) -> dict[str, list[int]]:
        """The indexes that are looked at by split: the first ones, and others drawn at random."""
        indexes = {}
        for split, source in self.sources.items():
            size = _FAR if source.size is None else source.size
            first = range(min(size, (self.num_tasks + 1) // 2))
            rest = range(len(first), size)
            more = min(len(rest), self.num_tasks - len(first))
            indexes[split] = [*first, *sorted(self.rng(split).sample(rest, more))]
        return indexes

    @functools.cached_property
    def tasks(self) -> dict[str, list[Task]]:
        """The tasks by split, without those that are known to be wrong (`Task.audit`)."""
        tasks: dict[str, list[Task]] = {split: [] for split in self.indexes}
        for split, index in ((s, i) for s, indexes in self.indexes.items() for i in indexes):
            try:
                task = self.sources[split][index]
            except Exception as error:
                self.undrawn.add((split, index))
                self._fault(f"split {split!r}, index {index}", "a task", error)
                continue
            if task.audit is None:
                tasks[split].append(task)
        return tasks

    def all_tasks(self) -> Iterator[Task]:
        """Yield the tasks of all splits."""
        return itertools.chain.from_iterable(self.tasks.values())

    def scripted_tasks(self) -> list[Task]:
        """Return the tasks that have a user.

        Raises:
            NotApplicable: If there are none.
        """
        tasks = [task for task in self.all_tasks() if task.script is not None]
        if not tasks:
            raise NotApplicable("no task has a script for a user")
        return tasks

    def steps(self, task: Task) -> tuple[Step, ...]:
        """Return what comes of the task's reference solution, call by call."""
        if id(task) not in self._steps:
            self._steps[id(task)] = tuple(self._replay(task))
        return self._steps[id(task)]

    def _replay(self, task: Task) -> Iterator[Step]:
        domain, database = self.domain, self.domain.database()
        for action in task.actions:
            before = database.fork()
            observation = domain.call(database, action.name, action.arguments)
            self.num_calls += 1
            changed = bool(domain.changes(database, before.snapshot()))
            yield Step(action, observation, before, changed)

    def _fault(self, where: str, expected: str, got: Exception | str) -> None:
        remedy = "mend the function that `splits` has for it"
        if isinstance(got, Exception):
            if isinstance(self.domain.wishes, WishBook):
                remedy = "mend the wishes"
            got = describe(got)
        self.problems.append(Finding(where, expected, got, remedy))


def task_name(task: Task) -> str:
    """Return what findings call a task."""
    return f"task {task.id!r} of {task.split}"


def describe(error: Exception) -> str:
    """Return an error as findings say it."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def leaves(value: Any) -> Iterator[str]:
    """Yield the strings and numbers inside a JSON value, as text."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def plain(text: str) -> str:
    """Return a text in lower case, in one line, and without commas, for a look at what it tells."""
    return " ".join(text.lower().replace(",", "").split())
