"""Takes a process's rights away, step by step, with what the kernel offers.

The warm parent gives up root, moves into new namespaces with an empty file system, and lets
Landlock deny every path; the children inherit that, and each adds resource limits and the
system-call filter before it sees any code. A step that the platform lacks is left out and
reported; whether what remains is enough is for the caller to say.
"""

from __future__ import annotations

import os
import resource
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Any

from . import native, seccomp
from .native import check, prctl

NOBODY = 65534

# From <linux/sched.h>: new user, mount, process, network, IPC, host name and cgroup namespaces.
_NAMESPACES = {
    "user": 0x10000000,
    "mount": 0x00020000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "ipc": 0x08000000,
    "uts": 0x04000000,
    "cgroup": 0x02000000,
}
_HALVES = ("user", "mount", "pid")
"""Those that can be entered and yet not be used; the others are had or not, and cost more time."""
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE, _MNT_DETACH = 32, 4096, 16384, 1 << 18, 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
_CAPABILITY_VERSION_3 = 0x20080522
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446  # the same on every architecture
_SIGKILL = 9


def enter(without: list[str]) -> dict[str, Any]:
    """Confine the warm parent as far as the platform allows.

    With process namespaces, the caller goes on as process 1 of a new one, and the process that
    it was waits for its end.

    Args:
        without: Steps to leave out, to try the lower levels: "namespaces", "landlock", "seccomp".

    Returns:
        What was achieved: `namespaces` (names), `empty_root`, `landlock` (version of its
        interface, 0 if none), `seccomp`, `user` (number), and `missing` (reasons).
    """
    report: dict[str, Any] = {"namespaces": [], "empty_root": False, "landlock": 0, "missing": []}

    def attempt(step: Callable[[], Any]) -> Any:
        try:
            return step()
        except OSError as error:
            report["missing"].append(str(error))
            return None

    if os.geteuid() == 0:
        attempt(_become_nobody)
    report["user"] = os.geteuid()
    if "namespaces" not in without:
        separable, report["empty_root"], problem = _try_namespaces()
        if problem:
            report["missing"].append(problem)
        if separable and attempt(_unshare_all):
            _become_first()
            report["namespaces"] = sorted(_NAMESPACES)
            if report["empty_root"]:
                _empty_root()
    attempt(_drop_capabilities)
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if "landlock" not in without:
        report["landlock"] = attempt(_landlock) or 0
    prctl(_PR_SET_DUMPABLE, 0)
    # What no process here needs; inherited, and cheaper once than in every child.
    for name in ("FSIZE", "CORE", "MEMLOCK", "MSGQUEUE"):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (0, 0))
    return report


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    prctl(_PR_SET_DUMPABLE, 1)  # or /proc/self/uid_map would stay root's


def _try_namespaces() -> tuple[bool, bool, str]:
    """Find out what namespaces give here, in a process that ends with the trial.

    There is no way back from a half of them: where the process namespace is new but, say, the user
    cannot be mapped (Ubuntu since 24.04), every fork but the first fails.

    Returns:
        Whether they can be had, whether the root directory can be emptied, too, and why not.
    """
    reader, writer = os.pipe()
    trial = os.fork()
    if trial == 0:
        os.close(reader)
        status, step = 1, "namespaces"
        try:
            _unshare(_HALVES)
            _become_first()
            for _ in range(2):
                child = os.fork()
                if child == 0:
                    os._exit(0)
                os.waitpid(child, 0)
            status, step = 2, "empty root directory"
            _empty_root()
            status = 3
        except OSError as error:
            os.write(writer, f"{step}: {error}".encode())
        finally:
            os._exit(status)
    os.close(writer)
    with open(reader, "rb") as pipe:
        problem = pipe.read(1000).decode()
    status = os.waitstatus_to_exitcode(os.waitpid(trial, 0)[1])
    if status not in (2, 3):
        return False, False, problem or f"namespaces: the trial ended with status {status}"
    return True, status == 3, problem


def _unshare(names: Iterable[str] = tuple(_NAMESPACES)) -> None:
    """Enter new namespaces; processes that are made from now on are in the new one for them."""
    user, group = os.geteuid(), os.getegid()
    check(native.libc.unshare(sum(_NAMESPACES[name] for name in names)), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _unshare_all() -> bool:
    _unshare()
    return True


def _become_first() -> None:
    """Go on as process 1 of the new namespace; the process that this was waits for its end."""
    child = os.fork()
    if child:
        os.closerange(0, 64)  # the end of the control socket must be the child's alone
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)
    prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def _empty_root() -> None:
    """Exchange the root directory for an empty one that cannot be written."""
    numbers = seccomp.architecture()
    if numbers is None:
        raise OSError(f"no number of pivot_root is known for {os.uname().machine}")
    native.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    place = b"/proc"  # any directory that is always there
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    native.mount(b"none", place, b"tmpfs", flags, b"size=4k,nr_inodes=2")
    os.chdir(place)
    check(native.syscall(numbers.pivot_root, b".", b"."), "pivot_root")
    check(native.libc.umount2(b".", _MNT_DETACH), "umount2")
    os.chdir("/")
    native.mount(b"none", b"/", None, flags | _MS_REMOUNT | _MS_BIND | _MS_RDONLY, None)


def _drop_capabilities() -> None:
    numbers = seccomp.architecture()
    for capability in range(64):
        native.libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    if numbers is not None:
        header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
        check(native.syscall(numbers.capset, header, bytes(24)), "capset")


def _landlock() -> int:
    """Deny every path, TCP port and signal to the outside; return the interface's version."""
    version = check(native.syscall(_LANDLOCK_CREATE_RULESET, None, 0, 1), "Landlock")
    access = 0x1FFF  # version 1: execute, read, write, make and remove
    access |= 0x2000 if version >= 2 else 0  # refer
    access |= 0x4000 if version >= 3 else 0  # truncate
    access |= 0x8000 if version >= 5 else 0  # ioctl on devices
    network = 3 if version >= 4 else 0  # bind and connect TCP
    scope = 3 if version >= 6 else 0  # abstract unix sockets, signals
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = struct.pack("QQQ", access, network, scope)[:size]
    ruleset = check(native.syscall(_LANDLOCK_CREATE_RULESET, attributes, size, 0), "Landlock")
    try:
        check(native.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0), "Landlock")
    finally:
        os.close(ruleset)
    return version


class LockDown:
    """The last step, in each child: resource limits and the system-call filter.

    Args:
        without: Steps to leave out; see `enter`.
        still: Whether the C library asks the kernel for neither time nor chance.
    """

    def __init__(self, without: list[str], still: bool) -> None:
        self._filter = None
        self._prctl = None
        if sys.platform.startswith("linux"):
            self._prctl = native.function("prctl", "long", "long", "long", "long", "long")
            numbers = seccomp.architecture()
            if numbers is not None and "seccomp" not in without:
                self._filter = seccomp.Filter(numbers, still)
        self._parent = os.getpid()
        self._getppid = os.getppid  # `prelude` puts another function there

    def die_with_parent(self) -> None:
        """Let the kernel end this process when the warm parent ends."""
        if self._prctl is not None:
            self._prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
            if self._getppid() != self._parent:
                os._exit(1)

    def apply(self, address_space: int) -> None:
        """Confine this process, for good.

        Args:
            address_space: The greatest size of its address space, in bytes.

        Raises:
            OSError: If the kernel refuses.
        """
        if self._filter is not None:
            resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
            resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
            self._filter.install()

    def forget(self) -> None:
        """Let go of the functions of the C library, in a child that needs them no more."""
        self._filter = self._prctl = None

    def holds(self) -> bool:
        """Try, in a process of its own, whether the lock-down denies what it should."""
        if self._filter is None:
            return False
        child = os.fork()
        if child == 0:
            os._exit(0 if self._denies_everything() else 1)
        return os.waitpid(child, 0)[1] == 0

    def _denies_everything(self) -> bool:
        attempts: tuple[Callable[[], object], ...] = (
            lambda: os.open("/", os.O_RDONLY),
            lambda: os.stat("/"),
            os.fork,
            socket.socketpair,
            lambda: os.write(1, b"x"),
            lambda: os.execv("/", ["/"]),
            lambda: os.kill(self._parent, 0),
        )
        try:
            self.apply(512 << 20)
        except OSError:
            return False
        for action in attempts:
            try:
                action()
            except PermissionError:
                continue
            except OSError:
                return False
            return False
        return True
