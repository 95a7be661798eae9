"""The host's end of a channel to a child that it does not trust, and the clock it is held to."""

from __future__ import annotations

import contextlib
import json
import math
import select
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from sca_envs.sandbox.errors import SandboxError
from sca_envs.sandbox.results import JSON, Limits

JOB, REPLY, PROBLEM = b"J", b"R", b"E"
CALL, CODE, FINAL = b"C", b"P", b"F"
VALUE, STDOUT, STDERR, DISPLAYED = b"V", b"O", b"X", b"D"
"""Kinds of frames; see `child/frames.py`, which shares no code with this process."""

try:
    import resource
except ImportError:  # Windows, where no sandbox starts
    resource = None  # type: ignore[assignment]

_HEADER = 5
_CHUNK = 1 << 18
_MAXIMUM_DEPTH = 100
MAXIMUM_BRACKETS = 100_000
"""Opening brackets and braces that JSON may have, which bounds what it takes to read it."""
_REASON = 200  # characters of an error that may quote what was sent
_LEAST_WAIT = 0.001
_GRACE_WALL, _GRACE_CPU = 2.0, 0.5


def cpu_clock(process: int) -> float:
    """Return the processor time that another process has used, in seconds; 0 if unknown."""
    try:
        # How Linux numbers the processor clock of a process; see clock_getcpuclockid(3).
        return time.clock_gettime((~process << 3) | 2)
    except OSError:
        return 0.0


class Meter:
    """Says how long an execution may still go on.

    No timer runs in the child, where code could reach for it. A process cannot use processor time
    faster than time goes by, so the host looks when the limit could be reached at the earliest.
    """

    def __init__(self, process: int, limits: Limits) -> None:
        self._process = process
        self._limits = limits
        self._wall_limit, self._cpu_limit = limits.wall_seconds, limits.cpu_seconds
        self._start = time.monotonic()
        self._cpu_at_start = cpu_clock(process)
        self.interrupt: Callable[[], None] | None = None
        """Called once, when a limit is reached; the execution then has a little more time to end
        by itself."""
        self.overrun: SandboxError | None = None
        """Which limit was reached, if one was."""

    def set_backstop(self) -> None:
        """Let the kernel end the process should the host not look in time, where it may."""
        if hasattr(resource, "prlimit"):
            seconds = math.ceil(cpu_clock(self._process) + self._limits.cpu_seconds) + 1
            with contextlib.suppress(OSError, ValueError):
                hard = resource.prlimit(self._process, resource.RLIMIT_CPU)[1]
                resource.prlimit(self._process, resource.RLIMIT_CPU, (seconds, hard))

    def used(self) -> float:
        """Return the processor time used since the start, in seconds."""
        return max(0.0, cpu_clock(self._process) - self._cpu_at_start)

    def allowance(self) -> float:
        """Return how long to wait before asking again, in seconds.

        Raises:
            SandboxError: `timeout`, if a limit is reached.
        """
        wall = self._wall_limit - (time.monotonic() - self._start)
        cpu = self._cpu_limit - self.used()
        if wall > 0 and cpu > 0:
            return max(_LEAST_WAIT, min(wall, cpu))
        if self.overrun is not None:
            raise self.overrun
        if wall <= 0:
            message = f"it took longer than {self._limits.wall_seconds:g} s"
        else:
            message = f"it used more than {self._limits.cpu_seconds:g} s of processor time"
        self.overrun = SandboxError("timeout", message)
        if self.interrupt is None:
            raise self.overrun
        self._wall_limit = time.monotonic() - self._start + _GRACE_WALL
        self._cpu_limit = self.used() + _GRACE_CPU
        self.interrupt()
        return _LEAST_WAIT


class Channel:
    """Sends and receives frames; whatever arrives is bounded and checked."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._received = bytearray()
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(end, select.POLLIN)
        self._writable.register(end, select.POLLOUT)

    def close(self) -> None:
        """Close this end; the child then reads the end of the stream."""
        self._socket.close()

    def send(self, kind: bytes, body: bytes, meter: Meter) -> None:
        """Send a frame.

        Raises:
            SandboxError: If the time is over, or the child has gone.
        """
        data = memoryview((len(body) + 1).to_bytes(4, "little") + kind + body)
        while data:
            try:
                data = data[self._socket.send(data) :]
            except BlockingIOError:
                self._writable.poll(math.ceil(meter.allowance() * 1000))
            except OSError:
                raise SandboxError("killed", "its process ended") from None

    def receive(self, meter: Meter, limits: Mapping[bytes, int]) -> tuple[bytes, bytes] | None:
        """Return the next frame (kind, body), or None when the child has gone.

        Args:
            meter: How long to wait.
            limits: The kinds to accept, and the largest body of each, in bytes.

        Raises:
            SandboxError: If the time is over, or the frame is empty, of another kind or too large.
        """
        size = None
        while True:
            received = self._received
            if size is None and len(received) >= _HEADER:
                size = 4 + int.from_bytes(received[:4], "little")
                if size < _HEADER:
                    raise SandboxError("protocol", "it sent an empty frame")
                kind = bytes(received[4:_HEADER])
                limit = limits.get(kind)
                if limit is None:
                    raise SandboxError("protocol", f"it sent a frame of the wrong kind {kind!r}")
                if size - _HEADER > limit:
                    raise SandboxError(
                        "output",
                        f"it sent a message of {size - _HEADER:,} bytes; {limit:,} are allowed",
                    )
            if size is not None and len(received) >= size:
                frame = bytes(received[4:5]), bytes(received[_HEADER:size])
                del received[:size]
                return frame
            if not self._fill(meter):
                return None

    def at_end(self, meter: Meter) -> bool:
        """Wait until the child has gone; return whether it sent nothing more.

        Raises:
            SandboxError: If the time is over.
        """
        return not self._received and not self._fill(meter)

    def is_quiet(self) -> bool:
        """Return whether nothing has arrived that was not asked for; the end may have come."""
        if self._received:
            return False
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except OSError:  # nothing there yet; or it ended with unread data, as the next step finds
            return True

    def _fill(self, meter: Meter) -> bool:
        """Wait for bytes; return False at the end of the stream."""
        while not self._readable.poll(math.ceil(meter.allowance() * 1000)):
            pass
        try:
            chunk = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return True
        except OSError:  # the child ended with unread data
            return False
        self._received += chunk
        return bool(chunk)


def parse(body: bytes) -> JSON:
    """Parse strict JSON that an untrusted process sent.

    Raises:
        SandboxError: `protocol`, if it is not JSON in ASCII, holds NaN, an infinite number or half
            a surrogate pair, or is nested too deep.
    """
    brackets = body.count(b"[") + body.count(b"{")
    if brackets > MAXIMUM_BRACKETS:  # in texts, too: what counts is that nothing was built yet
        raise SandboxError(
            "protocol", f"it sent JSON with {brackets:,} brackets; {MAXIMUM_BRACKETS:,} are allowed"
        )
    try:
        value = json.loads(body.decode("ascii"), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        reason = str(error)[:_REASON]
        raise SandboxError("protocol", f"it sent something that is not JSON: {reason}") from None
    if brackets > _MAXIMUM_DEPTH and _depth(value) > _MAXIMUM_DEPTH:
        raise SandboxError("protocol", f"it sent JSON nested over {_MAXIMUM_DEPTH} levels deep")
    if b"\\ud" in body or b"\\uD" in body:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise SandboxError("protocol", "it sent half a surrogate pair") from None
    return value


def decode(body: bytes) -> str:
    """Return text that an untrusted process sent.

    Raises:
        SandboxError: `protocol`, if it is not UTF-8.
    """
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise SandboxError("protocol", f"it sent text that is not UTF-8: {error}") from None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large for a number")
    return number


def _depth(value: JSON) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        below: list[JSON] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        level = below
    return depth
