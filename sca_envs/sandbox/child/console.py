"""Standard streams in memory: printed text is kept up to a limit, and input is empty."""

from __future__ import annotations

import io
import sys
from typing import Any, cast

from .frames import cut


class Sink(io.BufferedIOBase):
    """Keeps the first bytes that are written to it."""

    def __init__(self) -> None:
        self.limit = 0
        """How many bytes to keep."""
        self._kept = bytearray()
        self.overflowed = False
        """Whether something was dropped."""

    def writable(self) -> bool:
        """Return true."""
        return True

    def write(self, data: Any, /) -> int:
        """Take bytes; keep what fits."""
        view = memoryview(data).cast("B")
        room = self.limit - len(self._kept)
        if len(view) > room:
            self.overflowed = True
        self._kept += view[:room]
        return len(view)

    def take(self) -> str:
        """Return what was kept, and begin anew."""
        text = self._kept.decode("utf-8", "ignore" if self.overflowed else "replace")
        if 3 * len(text) > self.limit:  # what replaces a wrong byte takes three
            text = cut(text, self.limit)
        self._kept = bytearray()
        self.overflowed = False
        return text


class Console:
    """The standard streams of one process; made before the fork, because making them is slow."""

    def __init__(self) -> None:
        self._sinks = (Sink(), Sink())
        self._streams: list[Any] = [io.TextIOWrapper(io.BytesIO(), "utf-8")]
        for sink in self._sinks:
            stream = io.TextIOWrapper(
                cast(Any, sink), "utf-8", "backslashreplace", "\n", write_through=True
            )
            self._streams.append(stream)

    def limit(self, size: int) -> None:
        """Set how many bytes of each stream to keep."""
        for sink in self._sinks:
            sink.limit = size

    def install(self) -> None:
        """Make these the streams of `sys`, whatever code put there before."""
        for name, stream in zip(("stdin", "stdout", "stderr"), self._streams, strict=True):
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)

    def take(self) -> tuple[str, str, bool]:
        """Return what was printed since the last time: stdout, stderr, whether some was dropped."""
        overflowed = any(sink.overflowed for sink in self._sinks)
        return self._sinks[0].take(), self._sinks[1].take(), overflowed
