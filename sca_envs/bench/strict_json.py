"""JSON from files that somebody else wrote: read strictly, and at a bounded cost.

Python's reader takes an object that has a key twice, NaN, and numbers of any size, which another
reader understands differently or not at all. A file that is submitted must mean one thing only.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

MAX_BYTES = 16 << 20
"""Most bytes of a line, or of a file that is one JSON value, in a submission."""
MAX_CONTAINERS = 1_000_000
"""Most objects and lists in a value, and so a bound of the memory that it takes."""
MAX_DEPTH = 64
"""Most objects and lists inside one another."""


def parse_json(text: bytes | str) -> Any:
    """Return the value of a JSON text.

    Args:
        text: The text; bytes are UTF-8 without a byte order mark.

    Raises:
        ValueError: If it is none: also if an object has a key twice, a number is not finite, or it
            is nested too deeply. The message says what it is.
    """
    if isinstance(text, bytes):
        if text.startswith(b"\xef\xbb\xbf"):
            raise ValueError("a byte order mark at its start; save it as UTF-8 without one")
        text = text.decode("utf-8")  # UnicodeDecodeError is a ValueError
    containers = text.count("{") + text.count("[")
    if containers > MAX_CONTAINERS:
        raise ValueError(f"more than {MAX_CONTAINERS:,} objects and lists")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_number,
            parse_float=_float,
        )
    except RecursionError:
        raise ValueError(f"more than {MAX_DEPTH} objects and lists inside one another") from None
    if containers > MAX_DEPTH:
        _check_depth(value)
    return value


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


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = ""
        for twice, _ in pairs:
            if twice in seen:
                break
            seen.add(twice)
        raise ValueError(f"the key {twice[:80]!r} twice in an object")
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text}, which JSON does not have")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:80]}, which is too large a number")
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        nested = (item.values() if isinstance(item, dict) else item for item in level)
        level = [child for children in nested for child in children if _nests(child)]
        if not level:
            return
    raise ValueError(f"more than {MAX_DEPTH} objects and lists inside one another")


def _nests(value: Any) -> bool:
    return isinstance(value, dict | list)
