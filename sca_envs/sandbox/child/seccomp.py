"""The system-call filter, as a BPF program for the kernel.

An allow-list: what the interpreter needs to compute, to get memory and to talk on one descriptor.
Everything else fails with EPERM, which Python shows as a `PermissionError`, so that code which
tries something forbidden gets an ordinary exception. See seccomp(2) and
`Documentation/userspace-api/seccomp_filter.rst` in the Linux source for the program's format.
"""

from __future__ import annotations

import mmap
import platform
import struct
from dataclasses import dataclass

from . import native

CHANNEL = 3
"""The only file descriptor that may be read or written."""

_SET_MODE_FILTER = 1
_ALLOW, _KILL, _EPERM = 0x7FFF0000, 0x80000000, 0x00050001
_X32_BIT = 0x40000000
# struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6]. Both supported
# architectures are little-endian: the low half of an argument comes first.
_NR, _ARCH, _ARGUMENTS = 0, 4, 16
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_PROT_EXEC, _MAP_ANONYMOUS, _MAP_HUGETLB = 4, 0x20, 0x40000
_DONTNEED, _FREE = 4, 8


@dataclass(frozen=True)
class Architecture:
    """System-call numbers of one processor architecture."""

    audit: int
    """The kernel's AUDIT_ARCH constant."""
    seccomp: int
    capset: int
    pivot_root: int
    allowed: dict[str, int]
    """What the filter may let pass, by name."""


_NAMES = """
    read write mmap mprotect futex madvise munmap brk mremap rt_sigreturn sched_yield exit
    exit_group clock_gettime getrandom
"""


def _numbers(*numbers: int) -> dict[str, int]:
    return dict(zip(_NAMES.split(), numbers, strict=True))


ARCHITECTURES = {
    "x86_64": Architecture(
        audit=0xC000003E,
        seccomp=317,
        capset=126,
        pivot_root=155,
        allowed=_numbers(0, 1, 9, 10, 202, 28, 11, 12, 25, 15, 24, 60, 231, 228, 318),
    ),
    "aarch64": Architecture(
        audit=0xC00000B7,
        seccomp=277,
        capset=91,
        pivot_root=41,
        allowed=_numbers(63, 64, 222, 226, 98, 233, 215, 214, 216, 139, 124, 93, 94, 113, 278),
    ),
}


@dataclass(frozen=True)
class Rule:
    """What an argument of a system call must be. One of the three is given."""

    argument: int
    """Its number, from 0."""
    among: tuple[int, ...] = ()
    """The values that it may have."""
    has: int = 0
    """Bits that must be set."""
    lacks: int = 0
    """Bits that must not be set."""


# Not there on purpose: close (the channel's end of file must mean that the process ends),
# rt_sigaction and setitimer (limits must not be switched off), getpid (results must repeat), stat
# and chdir (Landlock does not cover them). What a call may be given keeps executions apart: memory
# of no file (a shared one would outlive this process), no huge pages (the machine has a common
# number of them), futexes of this process only (others would be keyed by the page of a library,
# which every process has), and of the advice on memory only what gives it back.
RULES = {
    "read": (Rule(0, among=(CHANNEL,)),),
    "write": (Rule(0, among=(CHANNEL,)),),
    "mmap": (Rule(2, lacks=_PROT_EXEC), Rule(3, has=_MAP_ANONYMOUS), Rule(3, lacks=_MAP_HUGETLB)),
    "mprotect": (Rule(2, lacks=_PROT_EXEC),),
    # FUTEX_WAIT, _WAKE, _WAIT_BITSET, _WAKE_BITSET with _PRIVATE_FLAG; two with _CLOCK_REALTIME
    "futex": (Rule(1, among=(128, 129, 137, 138, 384, 393)),),
    "madvise": (Rule(2, among=(_DONTNEED, _FREE)),),
}
_TIME_AND_CHANCE = ("clock_gettime", "getrandom")
"""Needed where the C library asks the kernel: its arc4random, and so expat, aborts without."""


def architecture() -> Architecture | None:
    """Return the numbers for this machine, or None where they are not known."""
    return ARCHITECTURES.get(platform.machine()) if struct.calcsize("P") == 8 else None


class Filter:
    """A filter that is built once, before the fork, and installed in each child.

    Args:
        numbers: Of this machine.
        still: Whether the C library asks the kernel for neither time nor chance.
    """

    def __init__(self, numbers: Architecture, still: bool) -> None:
        program = assemble(numbers, still)
        self._memory = mmap.mmap(-1, native.PAGE, flags=mmap.MAP_PRIVATE)
        self._address = native.address_of(self._memory)
        # struct sock_fprog: length and address; then its struct sock_filter items.
        struct.pack_into("<H6xQ", self._memory, 0, len(program), self._address + 16)
        for number, instruction in enumerate(program):
            struct.pack_into("<HBBI", self._memory, 16 + 8 * number, *instruction)
        self._syscall = native.function("syscall", "long", "long", "long", "pointer")
        self._number = numbers.seccomp

    def install(self) -> None:
        """Confine this process, for good.

        Raises:
            OSError: If the kernel refuses.
        """
        if self._syscall(self._number, _SET_MODE_FILTER, 0, self._address) != 0:
            raise OSError("seccomp: the kernel refuses the filter")


Instruction = tuple[int, int, int, int]
"""Code, instructions to skip if true and if false, operand."""


def assemble(numbers: Architecture, still: bool) -> list[Instruction]:
    """Return the instructions of the filter; see `Filter`."""
    names = [name for name in numbers.allowed if not (still and name in _TIME_AND_CHANCE)]
    blocks: list[Instruction] = []
    for name in names:
        if name in RULES:
            block = _block(RULES[name])
            blocks += [(_IF_EQUAL, 0, len(block), numbers.allowed[name]), *block]
    plain = [numbers.allowed[name] for name in names if name not in RULES]
    for position, number in enumerate(plain):
        blocks.append((_IF_EQUAL, len(plain) - position, 0, number))
    return [
        (_LOAD, 0, 0, _ARCH),
        (_IF_EQUAL, 1, 0, numbers.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NR),
        (_IF_AT_LEAST, 0, 1, _X32_BIT),  # the x32 table of x86_64; no such number elsewhere
        (_RETURN, 0, 0, _KILL),
        *blocks,
        (_RETURN, 0, 0, _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _block(rules: tuple[Rule, ...]) -> list[Instruction]:
    """Return instructions that let a call pass if its arguments follow the rules."""
    end: list[Instruction] = [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _EPERM)]
    for rule in reversed(rules):
        denied = len(end) - 1  # how many to skip to the last one
        load = (_LOAD, 0, 0, _ARGUMENTS + 8 * rule.argument)
        if rule.among:
            last = len(rule.among) - 1
            tests = [
                (_IF_EQUAL, last - place, denied if place == last else 0, value)
                for place, value in enumerate(rule.among)
            ]
        elif rule.has:
            tests = [(_IF_BITS, 0, denied, rule.has)]
        else:
            tests = [(_IF_BITS, denied, 0, rule.lacks)]
        end = [load, *tests, *end]
    return end
