"""Files of trajectories: JSON Lines that grow by one line an episode and survive a kill.

A line is written in one piece and at once. Only the last line of a killed run can be incomplete,
which shows by its missing line break; anything else that cannot be read is an error.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from sca_envs.bench.trajectories.trajectory import Trajectory, TrajectoryError
from sca_envs.core.errors import SCAError
from sca_envs.core.writing import whole_file, write_error, writing

FILE_NAME = "trajectories.jsonl"
"""Name of the file in a run's folder."""
RESUME = "go on with --resume: the finished episodes are kept"
"""What to do after a run's file could not be written."""


class TrajectoryFileError(SCAError):
    """A file of trajectories cannot be read or written; the message names file and line."""


def trajectory_path(path: str | os.PathLike[str]) -> Path:
    """Return the file of trajectories that a path means: itself, or the one in a run's folder.

    Raises:
        TrajectoryFileError: If there is none.
    """
    path = Path(path)
    found = path / FILE_NAME if path.is_dir() else path
    if not found.is_file():
        raise TrajectoryFileError(
            f"Expected a file of trajectories or the folder of a run at {path}, found none; "
            "`sca eval ENV --out DIR` makes one"
        )
    return found


def read_trajectories(path: str | os.PathLike[str]) -> Iterator[Trajectory]:
    """Yield the trajectories of a file, or of the one in a run's folder.

    A half-written last line, which a kill leaves, is left out: its episode did not finish.

    Args:
        path: The file or folder.

    Raises:
        TrajectoryFileError: If there is no file, or a line is no trajectory; the message names the
            line.
    """
    path = trajectory_path(path)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n") and not _is_whole(line):
                return
            if line.strip():
                yield _parse(line, path, number)


def write_trajectories(
    trajectories: Iterator[Trajectory] | list[Trajectory], path: str | os.PathLike[str]
) -> None:
    """Write trajectories to a new file; it appears whole or not at all."""
    with (
        whole_file(path) as partial,
        partial.open("w", encoding="utf-8", newline="\n") as file,
    ):
        file.writelines(f"{trajectory.to_line()}\n" for trajectory in trajectories)


class TrajectoryWriter:
    """Appends trajectories to a file, each at once; one writer a file at a time.

    A half-written last line is removed first.

    Args:
        path: The file; it is made if there is none, in a folder that exists.

    Raises:
        TrajectoryFileError: If another process is writing it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        with writing(self.path):
            self._file = self.path.open("ab", buffering=0)
        try:
            _lock(self._file, self.path)
            with writing(self.path, RESUME):
                self._mend()
        except BaseException:
            self._file.close()
            raise

    def _mend(self) -> None:
        """Remove a half-written last line, or end a whole one that only lacks its line break."""
        with self.path.open("rb") as file:
            start = _start_of_last_line(file)
            file.seek(start)
            rest = file.read()
        if not rest:
            return
        if _is_whole(rest):
            self._file.write(b"\n")
        else:
            self._file.truncate(start)

    def append(self, trajectory: Trajectory | bytes) -> None:
        """Write a trajectory, or the line of one without its line break.

        Raises:
            WriteError: If it cannot be written; what was there before is kept.
        """
        line = trajectory if isinstance(trajectory, bytes) else trajectory.to_line().encode()
        data = memoryview(line + b"\n")
        start = self._file.seek(0, os.SEEK_END)
        try:
            while data:  # one call but where a disk is full or a signal comes
                data = data[self._file.write(data) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(start)
            raise write_error(self.path, error, RESUME) from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


_BLOCK = 1 << 16


def _start_of_last_line(file: IO[bytes]) -> int:
    """Return where the text after the last line break begins."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - _BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _is_whole(line: bytes) -> bool:
    try:
        Trajectory.from_line(line)
    except TrajectoryError:
        return False
    return True


def _parse(line: bytes, path: Path, number: int) -> Trajectory:
    try:
        return Trajectory.from_line(line)
    except TrajectoryError as error:
        raise TrajectoryFileError(
            f"{path}, line {number}: {error}. Mend or remove this line, then try again"
        ) from None


def _lock(file: IO[Any], path: Path) -> None:
    """Refuse a second writer, where the system has locks; the lock goes with the process."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TrajectoryFileError(
            f"Expected to be the only run that writes {path}; another one does. Wait for it, or "
            "write to another folder"
        ) from None
    except OSError:  # a file system without locks
        return
