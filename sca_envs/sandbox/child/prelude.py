"""Makes what code computes a function of the code: a still clock, a seeded source of chance.

The clock stands at a given time; only `sleep` moves it, at once and without waiting. What is here
gives Python's functions that behaviour everywhere; `libc_stubs` lets what lies below agree.
"""

from __future__ import annotations

import _random
import datetime
import gc
import hashlib
import os
import posix
import random
import signal
import time
import uuid
from types import ModuleType
from typing import Any

from . import native
from .libc_stubs import Cells

_NANOSECONDS = 1_000_000_000
_START = 1000 * _NANOSECONDS
"""What the clocks without a date show at first."""
_NODE = 0x0200_5CA0_0001
"""The network address that `uuid1` shows."""


class Clock:
    """A clock that stands still."""

    def __init__(self, now: float, cells: Cells) -> None:
        self._origin = round(now * 1_000_000) * 1000
        self._cells = cells
        self.elapsed = 0
        """Nanoseconds slept so far."""
        cells.show(self.wall(), self.running())

    def wall(self) -> int:
        """Nanoseconds since the epoch."""
        return self._origin + self.elapsed

    def running(self) -> int:
        """Nanoseconds of the clocks that count from an arbitrary moment."""
        return _START + self.elapsed

    def advance(self, seconds: float) -> None:
        """Move the clock without waiting."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self.elapsed += round(seconds * _NANOSECONDS)
        self._cells.show(self.wall(), self.running())


def freeze(now: float, cells: Cells) -> Clock:
    """Make `time` and `datetime` show a clock that stands still.

    Args:
        now: Seconds since the epoch.
        cells: What the C library reads.
    """
    clock = Clock(now, cells)
    _freeze_time(clock)
    _freeze_datetime(clock)
    return clock


def _freeze_time(clock: Clock) -> None:
    def define(name: str, function: Any) -> None:
        function.__name__ = function.__qualname__ = name
        function.__module__ = "time"
        setattr(time, name, function)

    define("time", lambda: clock.wall() / _NANOSECONDS)
    define("time_ns", lambda: clock.wall())
    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        define(name, lambda: clock.running() / _NANOSECONDS)
        define(f"{name}_ns", lambda: clock.running())

    def read(identifier: int) -> int:
        return clock.wall() if identifier == time.CLOCK_REALTIME else clock.running()

    define("clock_gettime", lambda identifier: read(identifier) / _NANOSECONDS)
    define("clock_gettime_ns", lambda identifier: read(identifier))
    define("sleep", lambda seconds: clock.advance(seconds))
    for name in ("gmtime", "localtime", "ctime"):
        define(name, _with_default(getattr(time, name), clock))
    localtime, strftime, asctime = time.localtime, time.strftime, time.asctime
    define("asctime", lambda when=None: asctime(localtime() if when is None else when))
    define(
        "strftime",
        lambda format, when=None: strftime(format, localtime() if when is None else when),
    )


def _with_default(convert: Any, clock: Clock) -> Any:
    def converted(seconds: float | None = None) -> Any:
        return convert(clock.wall() // _NANOSECONDS if seconds is None else seconds)

    return converted


def _freeze_datetime(clock: Clock) -> None:
    """Exchange the two methods of `datetime.datetime` that read the clock in C.

    They are exchanged in the type itself, because a subclass would differ in `repr` and `type`.
    The other methods that read the clock ask `time.time`.
    """

    def now(cls: type[datetime.datetime], tz: datetime.tzinfo | None = None) -> datetime.datetime:
        """Return the current time."""
        return cls.fromtimestamp(clock.wall() / _NANOSECONDS, tz)

    def utcnow(cls: type[datetime.datetime]) -> datetime.datetime:
        """Return the current time in UTC, without a time zone."""
        return cls.fromtimestamp(clock.wall() / _NANOSECONDS, datetime.UTC).replace(tzinfo=None)

    members = gc.get_referents(datetime.datetime.__dict__)[0]
    members["now"] = classmethod(now)
    members["utcnow"] = classmethod(utcnow)
    native.type_modified(datetime.datetime)


def seed(value: int, cells: Cells) -> None:
    """Make every source of chance in the standard library a function of a seed.

    Args:
        value: The seed.
        cells: What the C library reads.
    """
    cells.seed(value)
    state = {"count": 0}

    def urandom(size: int) -> bytes:
        state["count"] += 1
        label = f"{value}/{state['count']}".encode()
        return hashlib.shake_256(label).digest(size)

    def seeded(self: random.Random, a: Any = None, version: int = 2) -> None:
        original(self, int.from_bytes(urandom(32), "big") if a is None else a, version)

    original = random.Random.seed
    random.Random.seed = seeded  # type: ignore[method-assign]
    random.seed = random._inst.seed
    random._urandom = urandom  # type: ignore[attr-defined]
    _random.Random = random.Random  # type: ignore[misc,assignment]
    modules: tuple[Any, ...] = (os, posix)
    for module in modules:
        module.urandom = urandom
        if hasattr(module, "getrandom"):
            module.getrandom = lambda size, flags=0: urandom(size)
    for name, fixed in (("_generate_time_safe", None), ("_UuidCreate", None), ("_node", _NODE)):
        setattr(uuid, name, fixed)


def steady_process() -> None:
    """Hide what differs between processes and machines."""
    modules: tuple[Any, ...] = (os, posix)
    for module in modules:
        module.getpid = lambda: 2
        module.getppid = lambda: 1
        module.cpu_count = lambda: 1
    os.environ.clear()
    posix.environ.clear()


def asyncio_patch(clock: Clock) -> Any:
    """Return what makes `asyncio` work without sockets: an event loop with timers only."""

    def patch(asyncio: ModuleType) -> None:
        import selectors

        class Timers(selectors._BaseSelectorImpl):
            def select(self, timeout: float | None = None) -> list[Any]:
                if timeout is None:
                    raise RuntimeError("asyncio: every task waits, and nothing can wake one")
                clock.advance(max(timeout, 0.0))
                return []

        class EventLoop(asyncio.SelectorEventLoop):  # type: ignore[misc,name-defined]
            def __init__(self) -> None:
                super().__init__(Timers())

            def _make_self_pipe(self) -> None:
                self._ssock = self._csock = None

            def _close_self_pipe(self) -> None:
                pass

            def _write_to_self(self) -> None:
                pass

        policy = asyncio.unix_events._UnixDefaultEventLoopPolicy
        policy._loop_factory = EventLoop

    return patch


def sysconfig_patch(sysconfig: Any) -> None:
    """Let `sysconfig` know nothing, instead of looking for the files that know."""
    sysconfig.get_config_var = lambda name: None
    sysconfig.get_config_vars = lambda *names: [None] * len(names) if names else {}


def interruptible() -> dict[str, bool]:
    """Let SIGINT raise `KeyboardInterrupt` while code runs, and only then.

    Returns:
        A dictionary whose item `running` says whether code runs.
    """
    state = {"running": False}

    def interrupt(number: int, frame: Any) -> None:
        if state["running"]:
            raise KeyboardInterrupt("the time limit is over")

    signal.signal(signal.SIGINT, interrupt)
    return state
