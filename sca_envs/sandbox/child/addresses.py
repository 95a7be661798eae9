"""Gives every mapping the same address in each process, before anything else is loaded."""

from __future__ import annotations

import os
import resource
import sys

from . import native

_FLAGS = ("-S", "-s", "-P", "-B", "-X", "no_debug_ranges")
_AGAIN = "again"
_QUERY, _NO_RANDOMIZE = 0xFFFFFFFF, 0x0040000
_STACK = 8 << 20


def fix(file: str) -> bool:
    """Start this program again with every mapping at the same address each time.

    Addresses show in `id()`, `repr()` and the order of sets of objects. The stack limit is set,
    too, because the kernel derives the top of the mappings from it.

    Args:
        file: The file that this program was started with.

    Returns:
        Whether addresses are fixed; False where the platform forbids it (as Docker does).
    """
    if not sys.platform.startswith("linux"):
        return False
    persona = native.libc.personality(_QUERY)
    if sys.argv[1:] == [_AGAIN] or persona & _NO_RANDOMIZE:
        return True
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    if hard in (resource.RLIM_INFINITY, -1) or hard >= _STACK:
        resource.setrlimit(resource.RLIMIT_STACK, (_STACK, hard))
    if native.libc.personality(persona | _NO_RANDOMIZE) < 0:
        return False
    return os.execv(sys.executable, [sys.executable, *_FLAGS, file, _AGAIN])
