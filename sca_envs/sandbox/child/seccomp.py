"""The system-call filter, as a BPF program for the kernel.

An allow-list: what the interpreter needs to compute, to get memory and to talk on one descriptor.
Everything else fails with EPERM, which Python shows as a `PermissionError`, so that code which
tries something forbidden gets an ordinary exception. See seccomp(2) and
`Documentation/userspace-api/seccomp_filter.rst` in the Linux source for the program's format.
"""

from __future__ import annotations

import ctypes
import os
import platform
from dataclasses import dataclass

CHANNEL = 3
"""The only file descriptor that may be read or written."""

_SET_MODE_FILTER = 1
_ALLOW, _KILL, _EPERM = 0x7FFF0000, 0x80000000, 0x00050001
_PROT_EXEC = 4
_X32_BIT = 0x40000000
# struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6]. Both supported
# architectures are little-endian: the low half of an argument comes first.
_NR, _ARCH, _ARG0, _ARG2 = 0, 4, 16, 32
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06


@dataclass(frozen=True)
class Architecture:
    """System-call numbers of one processor architecture."""

    audit: int
    """The kernel's AUDIT_ARCH constant."""
    seccomp: int
    capset: int
    pivot_root: int
    plain: tuple[int, ...]
    """Allowed whatever the arguments."""
    on_channel: tuple[int, ...]
    """Allowed where the first argument is `CHANNEL`: read, write."""
    not_executable: tuple[int, ...]
    """Allowed where the third argument lacks PROT_EXEC: mmap, mprotect."""


# plain: futex, munmap, brk, mremap, madvise, clock_gettime, rt_sigreturn, sched_yield, exit,
# exit_group, getrandom (without it glibc's arc4random, and so expat, aborts). Not there on purpose:
# close (the channel's end of file must mean that the process ends), rt_sigaction and setitimer
# (limits must not be switched off), getpid (results must repeat), stat and chdir (Landlock does
# not cover them).
ARCHITECTURES = {
    "x86_64": Architecture(
        audit=0xC000003E,
        seccomp=317,
        capset=126,
        pivot_root=155,
        plain=(202, 11, 12, 25, 28, 228, 15, 24, 60, 231, 318),
        on_channel=(0, 1),
        not_executable=(9, 10),
    ),
    "aarch64": Architecture(
        audit=0xC00000B7,
        seccomp=277,
        capset=91,
        pivot_root=41,
        plain=(98, 215, 214, 216, 233, 113, 139, 124, 93, 94, 278),
        on_channel=(63, 64),
        not_executable=(222, 226),
    ),
}


def architecture() -> Architecture | None:
    """Return the numbers for this machine, or None where they are not known."""
    return ARCHITECTURES.get(platform.machine()) if ctypes.sizeof(ctypes.c_void_p) == 8 else None


class _Instruction(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction))]


class Filter:
    """A filter that is built once, before the fork, and installed in each child."""

    def __init__(self, numbers: Architecture) -> None:
        instructions = _assemble(numbers)
        self._code = (_Instruction * len(instructions))(
            *(_Instruction(*item) for item in instructions)
        )
        self._program = _Program(len(instructions), self._code)
        self._reference = ctypes.pointer(self._program)
        self._syscall = ctypes.CDLL(None, use_errno=True).syscall
        self._syscall.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_void_p]
        self._number = numbers.seccomp

    def install(self) -> None:
        """Confine this process, for good.

        Raises:
            OSError: If the kernel refuses.
        """
        if self._syscall(self._number, _SET_MODE_FILTER, 0, self._reference) != 0:
            error = ctypes.get_errno()
            raise OSError(error, f"seccomp: {os.strerror(error)}")


def _assemble(numbers: Architecture) -> list[tuple[int, int, int, int]]:
    """Return the instructions (code, jump if true, jump if false, operand)."""
    checks: list[tuple[int, int, int, int]] = []
    for number in numbers.not_executable:
        checks += [
            (_IF_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _ARG2),
            (_IF_BITS, 0, 1, _PROT_EXEC),
            (_RETURN, 0, 0, _EPERM),
            (_RETURN, 0, 0, _ALLOW),
        ]
    for number in numbers.on_channel:
        checks += [
            (_IF_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _ARG0),
            (_IF_EQUAL, 1, 0, CHANNEL),
            (_RETURN, 0, 0, _EPERM),
            (_RETURN, 0, 0, _ALLOW),
        ]
    for position, number in enumerate(numbers.plain):
        checks.append((_IF_EQUAL, len(numbers.plain) - position, 0, number))
    return [
        (_LOAD, 0, 0, _ARCH),
        (_IF_EQUAL, 1, 0, numbers.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NR),
        (_IF_AT_LEAST, 0, 1, _X32_BIT),  # the x32 table of x86_64; no such number elsewhere
        (_RETURN, 0, 0, _KILL),
        *checks,
        (_RETURN, 0, 0, _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
