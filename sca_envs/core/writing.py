"""Writing files on disks that can be full: a clear error, and never half a file."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from sca_envs.core.errors import SCAError

_CAUSES = {
    errno.ENOSPC: ("the disk is full", "Free space there"),
    errno.EDQUOT: ("the quota of the disk is used up", "Free space there"),
    errno.EFBIG: (
        "the file would be larger than this process or file system allows",
        "Raise the limit (ulimit -f)",
    ),
    errno.EIO: ("the disk failed", "See to the disk"),
    errno.EROFS: ("the file system is read-only", "Make it writable, or choose another place"),
    errno.EACCES: ("you may not write there", "Change the permissions, or choose another place"),
    errno.EPERM: ("you may not write there", "Change the permissions, or choose another place"),
}


class WriteError(SCAError):
    """A file cannot be written; the message says which, why, and what to do."""


def write_error(path: object, error: OSError, then: str = "try again") -> WriteError:
    """Return what to tell a user of an error in writing.

    Args:
        path: The file, if the error names none.
        error: The error.
        then: What to do once the cause is gone.
    """
    cause, deed = _CAUSES.get(error.errno or 0, (error.strerror or str(error), "Mend that"))
    return WriteError(f"Cannot write {error.filename or path}: {cause}. {deed}, then {then}")


@contextlib.contextmanager
def writing(path: object, then: str = "try again") -> Iterator[None]:
    """Turn what goes wrong in writing a file into a `WriteError`; see `write_error`."""
    try:
        yield
    except OSError as error:
        raise write_error(path, error, then) from None


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str], then: str = "try again") -> Iterator[Path]:
    """Give a path to write to; it becomes the file at the end, or the file is what it was.

    Raises:
        WriteError: If it cannot be written.
    """
    path = Path(path)
    partial = path.with_name(f"{path.name}.partial")
    try:
        with writing(path, then):
            yield partial
            partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
