"""The memory mappings of this process; and joins those of libraries, which a fork must copy.

The loader maps a library in five pieces with different protections. Two are enough: what is read
or executed, and what is written. That gives up that constant data cannot be executed and resolved
addresses cannot be overwritten, which hinders an attacker in a process that has something to lose.
Here the code owns the whole process anyway, and the kernel is what holds it (`seccomp` still lets
no new memory become executable).
"""

from __future__ import annotations

import sys
from itertools import groupby
from typing import NamedTuple

from . import native

_READ, _WRITE, _EXEC = 1, 2, 4


class Mapping(NamedTuple):
    """A piece of memory."""

    start: int
    end: int
    rights: str
    offset: int
    file: str
    """Path of the file, or the kernel's name in brackets; empty for anonymous memory."""


def read(maps: str = "/proc/self/maps") -> list[Mapping]:
    """Return the mappings of this process; none where the platform has no list.

    Args:
        maps: The kernel's list of mappings.
    """
    if not sys.platform.startswith("linux"):
        return []
    try:
        with open(maps) as file:
            return [_parse(line) for line in file]
    except OSError:
        return []


def join(maps: str = "/proc/self/maps") -> int:
    """Join the mappings of every library of this process.

    Args:
        maps: The kernel's list of mappings.

    Returns:
        How many pieces were given the rights of their neighbours.
    """
    changed = 0
    for path, group in groupby(read(maps), lambda mapping: mapping.file):
        if not path.startswith("/"):
            continue
        for piece, rights in _plan(list(group)):
            changed += native.protect(piece.start, piece.end - piece.start, rights) == 0
    return changed


def _parse(line: str) -> Mapping:
    span, rights, offset, _, _, *path = line.split(maxsplit=5)
    start, end = (int(number, 16) for number in span.split("-"))
    return Mapping(start, end, rights, int(offset, 16), path[0].rstrip("\n") if path else "")


def _plan(pieces: list[Mapping]) -> list[tuple[Mapping, int]]:
    """Return which pieces of one library get other rights, and which."""
    if not any(piece.rights == "r-xp" for piece in pieces):
        return []
    plan = []
    for piece, following in zip(pieces, [*pieces[1:], None], strict=True):
        if piece.rights != "r--p":
            continue
        relocated = following is not None and following.rights == "rw-p"
        plan.append((piece, _READ | _WRITE if relocated else _READ | _EXEC))
    return plan
