"""Takes a process's rights away, step by step, with what the kernel offers.

The warm parent gives up root, moves into new namespaces with an empty file system, and lets
Landlock deny every path; the children inherit that, and each adds resource limits and the
system-call filter before it sees any code. A step that the platform lacks is left out and
reported; whether what remains is enough is for the caller to say.
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

from . import seccomp

NOBODY = 65534

_PERSONALITY_QUERY, _ADDR_NO_RANDOMIZE = 0xFFFFFFFF, 0x0040000
_STACK = 8 << 20
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
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE, _MNT_DETACH = 32, 4096, 16384, 1 << 18, 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
_CAPABILITY_VERSION_3 = 0x20080522
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446  # the same on every architecture
_SIGKILL = 9

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def _prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def fix_addresses(arguments: list[str]) -> bool:
    """Start this program again with every mapping at the same address each time.

    Addresses show in `id()`, `repr()` and the order of sets of objects. The stack limit is set,
    too, because the kernel derives the top of the mappings from it.

    Args:
        arguments: The command line to start again.

    Returns:
        Whether addresses are fixed; False where the platform forbids it (as Docker does).
    """
    if not sys.platform.startswith("linux"):
        return False
    persona = _libc.personality(ctypes.c_ulong(_PERSONALITY_QUERY))
    if persona & _ADDR_NO_RANDOMIZE:
        return True
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    if hard in (resource.RLIM_INFINITY, -1) or hard >= _STACK:
        resource.setrlimit(resource.RLIMIT_STACK, (_STACK, hard))
    if _libc.personality(ctypes.c_ulong(persona | _ADDR_NO_RANDOMIZE)) < 0:
        return False
    return os.execv(arguments[0], arguments)


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
    if "namespaces" not in without and attempt(_new_namespaces):
        report["namespaces"] = sorted(_NAMESPACES)
        report["empty_root"] = bool(attempt(_empty_root))
    attempt(_drop_capabilities)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if "landlock" not in without:
        report["landlock"] = attempt(_landlock) or 0
    _prctl(_PR_SET_DUMPABLE, 0)
    # What no process here needs; inherited, and cheaper once than in every child.
    for name in ("FSIZE", "CORE", "MEMLOCK", "MSGQUEUE"):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (0, 0))
    return report


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    _prctl(_PR_SET_DUMPABLE, 1)  # or /proc/self/uid_map would stay root's


def _new_namespaces() -> bool:
    user, group = os.geteuid(), os.getegid()
    _check(_libc.unshare(sum(_NAMESPACES.values())), "unshare (namespaces)")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    child = os.fork()
    if child:
        os.closerange(0, 64)  # the end of the control socket must be the child's alone
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    return True


def _mount(source: str, target: str, kind: bytes | None, flags: int) -> None:
    options = b"size=4k,nr_inodes=2" if kind else None
    arguments = (source.encode(), target.encode(), kind, ctypes.c_ulong(flags), options)
    _check(_libc.mount(*arguments), "mount")


def _empty_root() -> bool:
    """Exchange the root directory for an empty one that cannot be written."""
    numbers = seccomp.architecture()
    if numbers is None:
        return False
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    place = "/proc"  # any directory that is always there
    _mount("none", place, b"tmpfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    os.chdir(place)
    _check(_libc.syscall(ctypes.c_long(numbers.pivot_root), b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", _MNT_DETACH), "umount2")
    os.chdir("/")
    flags = _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    _mount("none", "/", None, flags)
    return True


def _drop_capabilities() -> None:
    numbers = seccomp.architecture()
    for capability in range(64):
        _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0)
    if numbers is not None:
        header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
        _check(_libc.syscall(ctypes.c_long(numbers.capset), header, bytes(24)), "capset")


def _landlock() -> int:
    """Deny every path, TCP port and signal to the outside; return the interface's version."""
    create, restrict = map(ctypes.c_long, (_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF))
    zero, query_version = ctypes.c_size_t(0), ctypes.c_uint32(1)
    version = _check(_libc.syscall(create, None, zero, query_version), "Landlock")
    access = 0x1FFF  # version 1: execute, read, write, make and remove
    access |= 0x2000 if version >= 2 else 0  # refer
    access |= 0x4000 if version >= 3 else 0  # truncate
    access |= 0x8000 if version >= 5 else 0  # ioctl on devices
    network = 3 if version >= 4 else 0  # bind and connect TCP
    scope = 3 if version >= 6 else 0  # abstract unix sockets, signals
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = struct.pack("QQQ", access, network, scope)[:size]
    none = ctypes.c_uint32(0)
    ruleset = _check(_libc.syscall(create, attributes, ctypes.c_size_t(size), none), "Landlock")
    try:
        _check(_libc.syscall(restrict, ctypes.c_int(ruleset), none), "Landlock")
    finally:
        os.close(ruleset)
    return version


class LockDown:
    """The last step, in each child: resource limits and the system-call filter."""

    def __init__(self, without: list[str]) -> None:
        numbers = seccomp.architecture()
        self._filter = None
        if numbers is not None and sys.platform.startswith("linux") and "seccomp" not in without:
            self._filter = seccomp.Filter(numbers)
        self._parent = os.getpid()
        self._getppid = os.getppid  # `prelude` puts another function there

    def die_with_parent(self) -> None:
        """Let the kernel end this process when the warm parent ends."""
        if sys.platform.startswith("linux"):
            _libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
            if self._getppid() != self._parent:
                os._exit(1)

    def apply(self, address_space: int) -> None:
        """Confine this process, for good.

        Args:
            address_space: The greatest size of its address space, in bytes.

        Raises:
            OSError: If the kernel refuses.
        """
        if self._filter is None:
            return
        resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        self._filter.install()

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
