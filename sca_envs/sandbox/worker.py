"""The warm parent process and its children, as the host sees them."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from sca_envs.sandbox.channel import Channel
from sca_envs.sandbox.errors import SandboxError, SandboxUnavailableError
from sca_envs.sandbox.isolation import Isolation

_START_FILE = Path(__file__).parent / "child" / "start.py"
_FLAGS = ("-S", "-s", "-P", "-B", "-X", "no_debug_ranges")
# -I and -E would ignore PYTHONHASHSEED. TZ names no file, so no time zone of the host is read.
# LD_BIND_NOW: what the loader writes later, every child would have to copy.
# rseq would let the kernel write the number of the core into memory.
_ENVIRONMENT = {"TZ": "UTC0", "LD_BIND_NOW": "1", "GLIBC_TUNABLES": "glibc.pthread.rseq=0"}
# Messages keep their bounds; where there is no such socket, each is small and sent at once.
_CONTROL_KIND = socket.SOCK_SEQPACKET if sys.platform.startswith("linux") else socket.SOCK_STREAM
_START_SECONDS = 120.0
_ANSWER_SECONDS = 30.0
_END_SECONDS = 3.0
_COMMAND, _ANSWER = struct.Struct("<cB2xi"), struct.Struct("<c3xii")


class WorkerLost(Exception):  # noqa: N818 - never leaves this package
    """The warm parent has ended, and all its children with it."""


class Child:
    """A process that waits for a job."""

    def __init__(self, end: socket.socket, number: int) -> None:
        self.number = number
        """Process number in the worker's own namespace."""
        self.process = _peer(end) or number
        """Process number as the host sees it."""
        self.channel = Channel(end)


class Worker:
    """Starts the warm parent, asks it for children and for how they ended.

    Safe to use from several threads; each child is used by one at a time.
    """

    def __init__(self, config: dict[str, Any], spares: int) -> None:
        self._spares = spares
        self._lock = threading.Lock()
        self._usual_size: int = config["address_space"] >> 20
        self._ready: defaultdict[int, deque[Child]] = defaultdict(deque)
        self._forking: defaultdict[int, int] = defaultdict(int)
        self._failed: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._unwanted: set[int] = set()
        try:
            self._process, self._control = _start(config["hash_seed"])
        except OSError as error:
            raise SandboxUnavailableError(
                f"the sandbox's worker cannot be started: {error}"
            ) from error
        self.alive = True
        """Whether it can be used."""
        self._close = weakref.finalize(self, _end, self._process, self._control, self._ready)
        _workers.add(self)
        try:
            self.isolation = self._shake_hands(config)
            """What the kernel granted."""
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the warm parent and all its children."""
        self.alive = False
        self._close()

    def abandon(self) -> None:
        """Let go of everything without ending it: in a fork of the host, which shares it."""
        self.alive = False
        self._close.detach()
        self._control.close()
        _close_all(self._ready)
        self._process.returncode = 0  # or its finalizer would complain

    def take(self, memory_bytes: int) -> Child:
        """Return a fresh child.

        Args:
            memory_bytes: The greatest size of its address space, in bytes.

        Raises:
            WorkerLost: If the warm parent has ended.
            SandboxError: If the system cannot make another process now.
        """
        size, reason = memory_bytes >> 20, ""
        with self._in_step():
            ready = self._ready[size]
            self._failed.pop(size, None)  # of a spare, which nobody waited for
            while not ready:
                if size in self._failed:
                    if reason:
                        raise SandboxError("killed", f"the system has no process for it: {reason}")
                    reason = os.strerror(self._failed.pop(size))
                if not self._forking[size]:
                    self._ask_for_child(size)
                self._read_answer()
            return ready.popleft()

    def signal(self, child: Child, number: int) -> None:
        """Send a signal to a child."""
        with contextlib.suppress(WorkerLost), self._in_step():
            self._send(_COMMAND.pack(b"K", number, child.number))
            while self._read_answer() != b"K":  # or the signal could come too late
                pass

    def dismiss(self, child: Child, kill: bool = True) -> int | None:
        """Let go of a child, and make another one ready.

        Args:
            child: One that was taken.
            kill: Whether to end it; else it must be about to end by itself.

        Returns:
            How it ended: exit status, or minus the number of the signal; None if the warm parent
            has ended.
        """
        child.channel.close()
        try:
            with self._in_step():
                number = signal.SIGKILL if kill else 0
                self._send(_COMMAND.pack(b"W", number, child.number))
                while child.number not in self._ended:
                    self._read_answer()
                status = self._ended.pop(child.number)
                size = self._usual_size
                while len(self._ready[size]) + self._forking[size] < self._spares:
                    self._ask_for_child(size)
        except WorkerLost:
            return None
        return os.waitstatus_to_exitcode(status)

    @contextlib.contextmanager
    def _in_step(self) -> Iterator[None]:
        """Let one thread at a time ask and read answers.

        An interruption (Ctrl-C) may lose an answer; this worker is then given up for another.
        """
        with self._lock:
            try:
                yield
            except (SandboxError, WorkerLost):
                raise
            except BaseException:
                self.close()
                raise

    def _shake_hands(self, config: dict[str, Any]) -> Isolation:
        try:
            self._control.send(json.dumps(config).encode())
            ready, _, _ = select.select([self._control], [], [], _START_SECONDS)
            report = self._control.recv(1 << 16) if ready else b""
        except OSError:
            report = b""
        assert self._process.stderr is not None
        if not report:
            self._process.kill()
            lines = self._process.stderr.read().decode("utf-8", "replace").strip().splitlines()
            raise SandboxUnavailableError(
                "the sandbox's worker did not start: "
                + (lines[-1] if lines else f"it ended with status {self._process.wait()}")
            )
        self._process.stderr.close()
        return Isolation.from_report(json.loads(report))

    def _ask_for_child(self, size: int) -> None:
        self._send(_COMMAND.pack(b"F", 0, size))
        self._forking[size] += 1

    def _send(self, command: bytes) -> None:
        try:
            self._control.send(command)
        except OSError as error:
            self._lose(error)

    def _read_answer(self) -> bytes:
        """Read one answer and note what it says; return its kind."""
        try:
            answer, descriptors, _, _ = socket.recv_fds(self._control, _ANSWER.size, 1)
        except OSError as error:
            self._lose(error)
        if not answer:
            self._lose(None)
        kind, number, value = _ANSWER.unpack(answer)
        if kind == b"R":
            self._forking[value] -= 1
            if descriptors:
                self._ready[value].append(Child(socket.socket(fileno=descriptors[0]), number))
            else:  # this process may open no more; the child ends, as nobody holds its channel
                self._failed[value] = errno.EMFILE
                self._unwanted.add(number)
                self._send(_COMMAND.pack(b"W", signal.SIGKILL, number))
        elif kind == b"W" and number in self._unwanted:
            self._unwanted.remove(number)
        elif kind == b"W":
            self._ended[number] = value
        elif kind == b"E":
            self._forking[number] -= 1
            self._failed[number] = value
        return bytes(kind)

    def _lose(self, error: OSError | None) -> NoReturn:
        self.close()
        raise WorkerLost(str(error or "the worker ended")) from error


def _start(hash_seed: int) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start the warm parent; return it and the way to it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, _CONTROL_KIND)
    ours.settimeout(_ANSWER_SECONDS)
    try:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, *_FLAGS, str(_START_FILE)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={**_ENVIRONMENT, "PYTHONHASHSEED": str(hash_seed)},
                cwd="/",
                start_new_session=True,  # no Ctrl-C; it goes when the control socket is closed
            )
    except BaseException:
        ours.close()
        raise
    return process, ours


def _peer(end: socket.socket) -> int | None:
    """Return the number, in this namespace, of the process that made a socket pair."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    credentials = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    number: int = struct.unpack("3i", credentials)[0]
    return number


def _close_all(ready: dict[int, deque[Child]]) -> None:
    for children in ready.values():
        while children:
            children.popleft().channel.close()


def _end(
    process: subprocess.Popen[bytes], control: socket.socket, ready: dict[int, deque[Child]]
) -> None:
    control.close()  # which the worker takes as the end; it goes after all its children
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()  # the kernel ends the rest: each process asked to die with its parent
        process.wait()
    if process.stderr is not None:
        process.stderr.close()
    _close_all(ready)


_workers: weakref.WeakSet[Worker] = weakref.WeakSet()


def _abandon_all() -> None:
    for worker in list(_workers):
        if worker.alive:
            worker.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
