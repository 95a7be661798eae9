"""Lets the C library tell a time that stands still and chance that repeats, under all of Python.

`prelude` exchanges the functions of Python's modules, which is what code should meet. Yet the ways
around a name are without end: a module made anew, another interpreter, an extension that asks the C
library itself. They all end in a few functions of the C library; here the first bytes of each are
overwritten by a jump to machine code that reads memory of this process instead. What would tell
the time or give chance without the C library is taken away: the system calls are not in the
filter's list, and the page in which the kernel publishes the time is unmapped. The processor's own
counter stays, for who can run an instruction of his choice; to trap it would cost two changes of a
control register in every tool call.

For x86_64 only; elsewhere the functions of Python's modules are all there is.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import platform
import struct
import sys
from typing import Any

from . import mappings, native

_READ, _WRITE, _EXEC = 1, 2, 4
_JUMP = struct.Struct("<2sQ2s")  # mov rax, address; jmp rax
_NEEDED = "clock_gettime"
_MULTIPLIER, _INCREMENT = 6364136223846793005, 1442695040888963407
"""Of a linear congruential generator (Knuth's MMIX); its highest byte is taken."""


class Cells:
    """The memory that the functions read; words of 8 bytes.

    Seconds and nanoseconds since the epoch; the same of the clocks that count from another moment;
    seconds and microseconds since the epoch; the state of the generator.
    """

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, native.PAGE, flags=mmap.MAP_PRIVATE)
        self._words = memoryview(self._page).cast("q")
        self.address = native.address_of(self._page)
        """Where it begins."""

    def show(self, wall: int, running: int) -> None:
        """Set the time.

        Args:
            wall: Nanoseconds since the epoch.
            running: Nanoseconds of the clocks that count from another moment.
        """
        words = self._words
        words[0], words[1] = divmod(wall, 1_000_000_000)
        words[2], words[3] = divmod(running, 1_000_000_000)
        words[4], words[5] = words[0], words[1] // 1000

    def seed(self, value: int) -> None:
        """Begin the chance anew."""
        self._words[6] = value % (1 << 62)


def install(cells: Cells) -> str | None:
    """Let the C library read time and chance from memory.

    Args:
        cells: The memory.

    Returns:
        Why that is not possible here; None if it was done.
    """
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        return f"clocks of the C library: not for {sys.platform} on {platform.machine()}"
    if native.PAGE < 4096 or struct.calcsize("P") != 8:
        return "clocks of the C library: not for programs of 32 bits"
    trial = os.fork()  # what goes wrong here may end a process
    if trial == 0:
        status = 1
        with contextlib.suppress(BaseException):
            status = 0 if _install(cells.address) and _works(cells) else 1
        os._exit(status)
    if os.waitpid(trial, 0)[1] != 0 or not _install(cells.address):
        return "clocks of the C library: the system does not let them be changed"
    return None


_code: list[mmap.mmap] = []


def _install(cells: int) -> bool:
    page = mmap.mmap(-1, native.PAGE, flags=mmap.MAP_PRIVATE)
    start, position = native.address_of(page), 0
    jumps = []
    for name, body in _bodies(cells).items():
        target = native.symbol(name)
        if target is None:
            if name == _NEEDED:
                return False
            continue
        page[position : position + len(body)] = body
        jumps.append((target, _JUMP.pack(b"\x48\xb8", start + position, b"\xff\xe0")))
        position += -(-len(body) // 16) * 16
    if native.protect(start, native.PAGE, _READ | _EXEC) != 0:
        return False
    _code.append(page)
    native.overwrite_random_bytes()
    return _overwrite(jumps) and _hide_the_kernels_clock()


def _bodies(cells: int) -> dict[str, bytes]:
    """Return machine code by the name of the function whose place it takes."""

    def load(offset: int) -> bytes:  # mov rax, cells + offset
        return b"\x48\xb8" + struct.pack("<Q", cells + offset)

    # mov rdx, [rax]; mov [to], rdx; the same 8 bytes further; xor eax, eax; ret
    copy_to_rsi = b"\x48\x8b\x10\x48\x89\x16\x48\x8b\x50\x08\x48\x89\x56\x08\x31\xc0\xc3"
    copy_to_rdi = b"\x48\x8b\x10\x48\x89\x17\x48\x8b\x50\x08\x48\x89\x57\x08\x31\xc0\xc3"
    generator = (
        b"\x49\xb8" + struct.pack("<Q", cells + 48)  # mov r8, state
        + b"\x49\xb9" + struct.pack("<Q", _MULTIPLIER)  # mov r9, multiplier
        + b"\x49\xba" + struct.pack("<Q", _INCREMENT)  # mov r10, increment
        + b"\x49\x8b\x00"  # mov rax, [r8]
    )  # fmt: skip
    step = b"\x49\x0f\xaf\xc1\x4c\x01\xd0"  # imul rax, r9; add rax, r10
    # xor ecx, ecx; while rcx < rsi: step; mov rdx, rax; shr rdx, 56; mov [rdi + rcx], dl; inc rcx
    fill = (
        generator
        + b"\x31\xc9\x48\x39\xf1\x73\x16" + step
        + b"\x48\x89\xc2\x48\xc1\xea\x38\x88\x14\x0f\x48\xff\xc1\xeb\xe5"
        + b"\x49\x89\x00"  # mov [r8], rax
    )  # fmt: skip
    return {
        # clock_gettime(edi: which, rsi: to). test edi, edi; jz +4; add rax, 16
        _NEEDED: load(0) + b"\x85\xff\x74\x04\x48\x83\xc0\x10" + copy_to_rsi,
        # clock_getres(edi: which, rsi: to or 0). test rsi, rsi; jz; mov [rsi], 0; mov [rsi + 8], 1
        "clock_getres": b"\x48\x85\xf6\x74\x0f\x48\xc7\x06\x00\x00\x00\x00"
        + b"\x48\xc7\x46\x08\x01\x00\x00\x00\x31\xc0\xc3",
        # gettimeofday(rdi: to or 0, rsi: zone). test rdi, rdi; jnz +3; xor eax, eax; ret
        "gettimeofday": load(32) + b"\x48\x85\xff\x75\x03\x31\xc0\xc3" + copy_to_rdi,
        # time(rdi: to or 0). mov rax, [rax]; test rdi, rdi; jz +3; mov [rdi], rax; ret
        "time": load(0) + b"\x48\x8b\x00\x48\x85\xff\x74\x03\x48\x89\x07\xc3",
        # times(rdi: to or 0) returns 0. test rdi, rdi; jz; xor eax, eax; mov [rdi + …], rax
        "times": b"\x31\xc0\x48\x85\xff\x74\x0f\x48\x89\x07\x48\x89\x47\x08\x48\x89\x47\x10"
        + b"\x48\x89\x47\x18\xc3",
        # pthread_getcpuclockid(rdi: thread, rsi: to), whose answer holds the thread's number
        "pthread_getcpuclockid": b"\xc7\x06\x03\x00\x00\x00\x31\xc0\xc3",
        # sched_getcpu() returns 0; getcpu(rdi: to or 0, rsi: to or 0) writes 0 twice
        "sched_getcpu": b"\x31\xc0\xc3",
        "getcpu": b"\x31\xc0\x48\x85\xff\x74\x02\x89\x07\x48\x85\xf6\x74\x02\x89\x06\xc3",
        # How much memory the machine has: mov rax, -1; ret
        "get_phys_pages": b"\x48\xc7\xc0\xff\xff\xff\xff\xc3",
        "get_avphys_pages": b"\x48\xc7\xc0\xff\xff\xff\xff\xc3",
        # getrandom(rdi: to, rsi: size, edx: flags) returns the size; mov rax, rsi; ret
        "getrandom": fill + b"\x48\x89\xf0\xc3",
        "getentropy": fill + b"\x31\xc0\xc3",
        "arc4random_buf": fill + b"\xc3",
        # arc4random(). step; mov [r8], rax; shr rax, 32; ret
        "arc4random": generator + step + b"\x49\x89\x00\x48\xc1\xe8\x20\xc3",
    }


def _overwrite(jumps: list[tuple[int, bytes]]) -> bool:
    """Put a jump at the beginning of each function.

    The rights of whole mappings are changed: a part of one would stay a mapping of its own, which
    every fork must copy, and the kernel's own code can only be changed as a whole.
    """
    for mapping in mappings.read():
        inside = [(target, jump) for target, jump in jumps if mapping.start <= target < mapping.end]
        if not inside:
            continue
        size = mapping.end - mapping.start
        if native.protect(mapping.start, size, _READ | _WRITE | _EXEC) != 0:
            return False
        for target, jump in inside:
            native.write(target, jump)
        if native.protect(mapping.start, size, _READ | _EXEC) != 0:
            return False
    return True


def _hide_the_kernels_clock() -> bool:
    """Take away the memory in which the kernel publishes the time."""
    pages = [mapping for mapping in mappings.read() if mapping.file.startswith("[vvar")]
    if not pages:
        return False
    return all(native.unmap(page.start, page.end - page.start) == 0 for page in pages)


def _works(cells: Cells) -> bool:
    """Try whether functions that Python has from C tell what the memory says."""
    from _imp import create_builtin, exec_builtin
    from importlib.machinery import ModuleSpec

    fresh: Any
    posix: Any
    fresh, posix = (create_builtin(ModuleSpec(name, None)) for name in ("time", "posix"))
    exec_builtin(fresh)
    exec_builtin(posix)
    cells.show(7_000_000_000, 3_000_000_000)
    cells.seed(1)
    before = fresh.time(), fresh.monotonic(), fresh.gmtime().tm_sec, posix.urandom(9)
    cells.show(9_000_000_000, 3_000_000_000)
    cells.seed(1)
    expected = (7.0, 3.0, 7, posix.urandom(9))
    return before == expected and fresh.time() == 9.0 and posix.urandom(9) != expected[-1]
