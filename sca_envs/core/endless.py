"""Tasks without end: what every generator of tasks has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict

from sca_envs.core.errors import UnknownTaskError
from sca_envs.core.task import Task

_CACHED_TASKS = 4096


class EndlessTasks(ABC):
    """Makes the tasks of one split by their index, and keeps the latest.

    Args:
        prefix: What an id has before the index, such as ``train-``.
    """

    size: int | None = None

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._cache: OrderedDict[int, Task] = OrderedDict()

    @abstractmethod
    def _make(self, index: int) -> Task:
        """Return the task of an index, the same each time."""

    def __getitem__(self, index: int) -> Task:
        """Return a task by its index, from 0.

        Raises:
            IndexError: If the index is negative.
        """
        _check(index)
        task = self._cache.get(index)
        if task is None:
            task = self._cache[index] = self._make(index)
            if len(self._cache) > _CACHED_TASKS:
                self._cache.popitem(last=False)
        return task

    def id_of(self, index: int) -> str:
        """Return a task's id by its index, without making the task.

        Raises:
            IndexError: If the index is negative.
        """
        _check(index)
        return f"{self._prefix}{index}"

    def find(self, key: str | int) -> Task:
        """Return a task by its id, which is the prefix and the index, or by its index.

        Raises:
            UnknownTaskError: If it is neither.
        """
        number = key.removeprefix(self._prefix) if isinstance(key, str) else str(key)
        known = key == f"{self._prefix}{number}" if isinstance(key, str) else True
        if not known or not number.isdecimal() or str(int(number)) != number:
            raise UnknownTaskError(
                f"Expected an index from 0 or an id such as '{self._prefix}12'; got {key!r}"
            )
        return self[int(number)]


def _check(index: int) -> None:
    if index < 0:
        raise IndexError(f"Expected an index from 0, got {index}")
