"""The messages between the confined process and its caller, as the confined side sees them.

A frame is a length (4 bytes, little-endian), a kind (1 byte) and a body. The caller is trusted,
so a job comes marshalled; what goes back is JSON in ASCII, and printed text in UTF-8.
"""

from __future__ import annotations

import contextlib
import json
import marshal
from collections.abc import Iterator
from os import read, write
from typing import Any

from .seccomp import CHANNEL

JOB, REPLY, PROBLEM = b"J", b"R", b"E"
"""From the caller: something to run; what a tool returned; the exception that it raised."""
CALL, CODE, FINAL = b"C", b"P", b"F"
"""To the caller: a tool call; compiled code; the end of a run."""
VALUE, STDOUT, STDERR, DISPLAYED = b"V", b"O", b"X", b"D"
"""To the caller, before the end of a run, as far as there is any."""

MAXIMUM_DEPTH = 100
"""Levels of nesting that a JSON value may have; the caller checks the same."""

MAXIMUM_BRACKETS = 100_000
"""Opening brackets and braces that its text may have; the caller checks the same."""

_CHUNK = 1 << 12
_encode = json.JSONEncoder(allow_nan=False, check_circular=False).encode
decode = json.JSONDecoder().decode
_pending = bytearray()


class NotJSON(ValueError):  # noqa: N818 - reads as what it says about a value
    """A value is not strict JSON, or too large."""


def receive() -> tuple[bytes, Any]:
    """Return the next frame from the caller: its kind, and a job or a JSON text.

    Raises:
        EOFError: If the caller has closed the channel.
    """
    while len(_pending) < 4 or len(_pending) < 4 + int.from_bytes(_pending[:4], "little"):
        chunk = read(CHANNEL, _CHUNK)
        if not chunk:
            raise EOFError
        _pending.extend(chunk)
    end = 4 + int.from_bytes(_pending[:4], "little")
    kind, body = bytes(_pending[4:5]), bytes(_pending[5:end])
    del _pending[:end]
    return kind, marshal.loads(body) if kind == JOB else body.decode()


@contextlib.contextmanager
def rehearsal(prepared: list[bytes]) -> Iterator[None]:
    """Let the functions here receive prepared frames (kind and body) and send nowhere."""
    global read, write
    saved = read, write
    chunks = [len(body).to_bytes(4, "little") + body for body in prepared]
    read, write = lambda _, size: chunks.pop(0), lambda _, data: len(memoryview(data))
    try:
        yield
    finally:
        read, write = saved


def send(*frames: tuple[bytes, bytes]) -> None:
    """Send frames, each a kind and a body, to the caller."""
    parts = [(len(body) + 1).to_bytes(4, "little") + kind + body for kind, body in frames]
    data = memoryview(b"".join(parts))
    while data:
        data = data[write(CHANNEL, data) :]


def encode(value: Any, limit: int) -> str:
    """Return a value as strict JSON text, in ASCII.

    Args:
        value: Anything.
        limit: The greatest length of the text.

    Raises:
        NotJSON: If the value holds something that JSON has not (NaN, a set, a key that is not a
            string, a circle), or is too deep or too large.
    """
    try:
        _measure(value, limit, 0)
        text = _encode(value)
    except NotJSON:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJSON(str(error)) from None
    brackets = text.count("[") + text.count("{")
    if brackets > MAXIMUM_BRACKETS:
        raise NotJSON(f"it has {brackets:,} brackets, and {MAXIMUM_BRACKETS:,} are allowed")
    if len(text) > limit:
        raise NotJSON(f"it takes {len(text):,} bytes as JSON, and {limit:,} are allowed")
    return text


def cut(text: str, limit: int) -> str:
    """Return text without half surrogate pairs, which UTF-8 cannot carry, and not longer.

    Args:
        text: Any text.
        limit: How many bytes of UTF-8 it may have.
    """
    return text[:limit].encode("utf-8", "backslashreplace")[:limit].decode("utf-8", "ignore")


def _measure(value: Any, left: int, depth: int) -> int:
    """Return how many of `left` bytes remain at most, before the text is built.

    This bounds the work on values that share parts, which grow when they are written out.
    """
    if isinstance(value, str):
        left -= len(value)
        if not value.isascii():
            value.encode()  # refuses half a surrogate pair, which no JSON text may hold
    elif isinstance(value, (list, tuple, dict)):
        if depth >= MAXIMUM_DEPTH:
            raise NotJSON(f"it is nested deeper than {MAXIMUM_DEPTH} levels")
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    kind = type(key).__name__
                    raise NotJSON(f"a key of an object is a {kind}, and must be a string")
                left -= len(key)
            value = value.values()
        for item in value:
            left = _measure(item, left - 1, depth + 1)
    elif value is not None and not isinstance(value, (int, float)):
        raise NotJSON(f"{type(value).__name__} is not a JSON type")
    if left < 0:
        raise NotJSON("it is larger than allowed")
    return left
