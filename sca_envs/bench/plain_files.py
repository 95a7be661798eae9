"""Files of a submission, which somebody else wrote: plain ones only, and read in bounded pieces."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

MAX_BYTES = 16 << 20
"""Most bytes of a line, or of a file that is one JSON value, in a submission."""


def read_whole(path: Path) -> bytes:
    """Return the bytes of a file of a submission.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is a link, no plain file, or too long; the message says so.
    """
    with open_plain(path) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    return data


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file of a submission, each with its line break.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is a link, no plain file, or a line is too long; the message says so.
    """
    with open_plain(path) as file:
        while line := file.readline(MAX_BYTES + 1):
            if len(line) > MAX_BYTES:
                raise ValueError(f"more than {MAX_BYTES:,} bytes")
            yield line


def open_plain(path: Path) -> IO[bytes]:
    """Open a plain file for reading; a link may lead anywhere, and a pipe never ends.

    Raises:
        OSError: If it cannot be opened.
        ValueError: If it is a link or no plain file.
    """
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        raise ValueError("a link; put the file itself there")
    if not stat.S_ISREG(mode):
        raise ValueError("no plain file")
    return path.open("rb")
