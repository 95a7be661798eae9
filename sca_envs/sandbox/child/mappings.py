"""Joins the memory mappings of loaded libraries, because a fork copies each of them.

The loader maps a library in five pieces with different protections. Two are enough: what is read
or executed, and what is written. That gives up that constant data cannot be executed and resolved
addresses cannot be overwritten, which hinders an attacker in a process that has something to lose.
Here the code owns the whole process anyway, and the kernel is what holds it (`seccomp` still lets
no new memory become executable).
"""

from __future__ import annotations

import ctypes
import sys
from itertools import groupby
from typing import NamedTuple

_READ, _WRITE, _EXEC = 1, 2, 4


class _Mapping(NamedTuple):
    start: int
    end: int
    rights: str
    offset: int
    file: str


def join(maps: str = "/proc/self/maps") -> int:
    """Join the mappings of every library of this process.

    Args:
        maps: The kernel's list of mappings.

    Returns:
        How many pieces were given the rights of their neighbours; 0 where the platform has no list.
    """
    if not sys.platform.startswith("linux"):
        return 0
    try:
        with open(maps) as file:
            mappings = [_parse(line) for line in file]
    except OSError:
        return 0
    protect = ctypes.CDLL(None).mprotect
    changed = 0
    for path, group in groupby(mappings, lambda mapping: mapping.file):
        if not path.startswith("/"):
            continue
        for piece, rights in _plan(list(group)):
            size = ctypes.c_size_t(piece.end - piece.start)
            changed += protect(ctypes.c_void_p(piece.start), size, rights) == 0
    return changed


def _parse(line: str) -> _Mapping:
    span, rights, offset, _, _, *path = line.split(maxsplit=5)
    start, end = (int(number, 16) for number in span.split("-"))
    return _Mapping(start, end, rights, int(offset, 16), path[0].rstrip("\n") if path else "")


def _plan(pieces: list[_Mapping]) -> list[tuple[_Mapping, int]]:
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
