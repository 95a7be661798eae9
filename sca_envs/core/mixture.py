"""Tasks of several sources as one."""

from __future__ import annotations

from collections.abc import Sequence

from sca_envs.core.errors import UnknownTaskError
from sca_envs.core.task import Task, TaskSource


class Mixture:
    """The tasks of several sources: in turn if they have no end, one after the other if they have.

    Args:
        sources: The sources, all with an end or all without.
    """

    def __init__(self, sources: Sequence[TaskSource]) -> None:
        self._sources = tuple(sources)
        sizes = [source.size for source in sources]
        self.size: int | None = None
        if None not in sizes:
            self.size = sum(size for size in sizes if size is not None)

    def __getitem__(self, index: int) -> Task:
        """Return a task by its index, from 0.

        Raises:
            IndexError: If there is none.
        """
        source, number = self._locate(index)
        return source[number]

    def id_of(self, index: int) -> str:
        """Return a task's id by its index, from 0, without making a task that is generated.

        Raises:
            IndexError: If there is none.
        """
        source, number = self._locate(index)
        return source.id_of(number)

    def _locate(self, index: int) -> tuple[TaskSource, int]:
        """Return the source of an index, and the index there."""
        if index < 0:
            raise IndexError(f"Expected an index from 0, got {index}")
        if self.size is None:
            number, which = divmod(index, len(self._sources))
            return self._sources[which], number
        for source in self._sources:
            assert source.size is not None
            if index < source.size:
                return source, index
            index -= source.size
        raise IndexError(f"Expected an index below {self.size}")

    def find(self, key: str | int) -> Task:
        """Return a task by its id, or by its index.

        Raises:
            UnknownTaskError: If there is none.
        """
        if isinstance(key, int):
            try:
                return self[key]
            except IndexError as error:
                raise UnknownTaskError(f"{error}; got {key!r}") from None
        problem: UnknownTaskError | None = None
        for source in self._sources:
            try:
                return source.find(key)
            except UnknownTaskError as error:
                problem = problem or error
        raise problem or UnknownTaskError(f"Expected a task, got none; {key!r}")
