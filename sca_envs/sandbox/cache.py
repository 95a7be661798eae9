"""Compiled code by source, for code that runs many times."""

from __future__ import annotations

import threading
from collections import OrderedDict


class CodeCache:
    """Keeps marshalled code as opaque bytes; the host never loads it.

    The bytes for a source come from a child that only ran the compiler on it, so no code can put
    anything here, for itself or for another. Safe to use from several threads.

    Args:
        limit: Bytes of source and code to keep; what was used longest ago goes first.
    """

    def __init__(self, limit: int = 64 << 20) -> None:
        self._limit = limit
        self._size = 0
        self._code: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, source: str) -> bytes | None:
        """Return the code of a source, or None."""
        with self._lock:
            code = self._code.get(source)
            if code is not None:
                self._code.move_to_end(source)
            return code

    def put(self, source: str, code: bytes) -> None:
        """Keep the code of a source."""
        with self._lock:
            if source in self._code:
                return
            self._code[source] = code
            self._size += len(source) + len(code)
            while self._size > self._limit:
                old, its_code = self._code.popitem(last=False)
                self._size -= len(old) + len(its_code)
