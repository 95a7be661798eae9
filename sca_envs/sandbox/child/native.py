"""The C library, for the steps that Python has no function for; forgotten before any code runs.

Only this module imports `ctypes`. Code that could reach it would call the C library past whatever
the modules of the standard library were told to answer; that is no danger (the kernel confines
the process), but results would no longer be a function of the code. So `forget` takes `ctypes`
out of the process: the names, the objects, and the means to make new ones.
"""

from __future__ import annotations

import _imp
import ctypes
import gc
import importlib.machinery
import mmap
import os
import sys
from collections.abc import Callable
from typing import Any

MODULES = ("ctypes", "ctypes._endian", "_ctypes")
"""What `forget` takes out."""

PAGE = mmap.PAGESIZE
_TP_NEW = 312
"""Where a type keeps the function that makes its instances, on 64-bit CPython 3.11 to 3.14."""
_AT_RANDOM = 25
_F_ADD_SEALS, _ALL_SEALS = 1033, 0xF
_DOORS = ("from_address", "from_buffer", "from_buffer_copy", "in_dll")
"""Class methods that turn addresses into objects."""

libc: Any = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> int:
    """Return the result of a system call.

    Raises:
        OSError: If it is negative; the message begins with `what`.
    """
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def prctl(option: int, value: int) -> None:
    """Change an attribute of this process; see prctl in section 2 of the manual.

    Raises:
        OSError: If the kernel refuses.
    """
    check(libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def syscall(number: int, *arguments: Any) -> int:
    """Make a system call by its number; integers are passed as 64 bits wide."""
    wide = [ctypes.c_ulong(item) if isinstance(item, int) else item for item in arguments]
    result: int = libc.syscall(ctypes.c_long(number), *wide)
    return result


def mount(
    source: bytes, target: bytes, kind: bytes | None, flags: int, options: bytes | None
) -> None:
    """Mount a file system; see mount in section 2 of the manual.

    Raises:
        OSError: If the kernel refuses.
    """
    check(libc.mount(source, target, kind, ctypes.c_ulong(flags), options), "mount")


def protect(address: int, size: int, rights: int) -> int:
    """Give memory other rights; return 0, or -1 if the kernel refuses."""
    result: int = libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), rights)
    return result


def unmap(address: int, size: int) -> int:
    """Give memory back; return 0, or -1 if the kernel refuses."""
    result: int = libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(size))
    return result


def seal(file: int) -> None:
    """Let nobody write, shrink or grow a file in memory from now on.

    Raises:
        OSError: If the kernel refuses.
    """
    check(libc.fcntl(file, _F_ADD_SEALS, ctypes.c_int(_ALL_SEALS)), "seals")


def address_of(memory: mmap.mmap) -> int:
    """Return where a writable mapping begins."""
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def symbol(name: str) -> int | None:
    """Return the address of a function or variable of the process; None if there is none."""
    for library in (libc, ctypes.pythonapi):
        try:
            return ctypes.cast(getattr(library, name), ctypes.c_void_p).value
        except AttributeError:
            continue
    return None


def read(address: int, size: int) -> bytes:
    """Return bytes of this process's memory."""
    return ctypes.string_at(address, size)


def write(address: int, data: bytes) -> None:
    """Write to this process's memory."""
    ctypes.memmove(address, data, len(data))


def overwrite_random_bytes() -> None:
    """Overwrite the 16 bytes of chance that the kernel gives to each program."""
    libc.getauxval.restype = ctypes.c_ulong
    address = libc.getauxval(ctypes.c_ulong(_AT_RANDOM))
    if address:
        write(address, bytes(16))


def type_modified(kind: type) -> None:
    """Tell the interpreter that the dictionary of a type has changed."""
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


def function(name: str, *parameters: str) -> Callable[..., int]:
    """Return a function of the C library that can be called after `forget`.

    Args:
        name: Its name.
        parameters: The types of its parameters: "long" or "pointer" (an address).
    """
    kinds = {"long": ctypes.c_long, "pointer": ctypes.c_void_p}
    found: Any = ctypes.CDLL(None)[name]
    found.argtypes = [kinds[item] for item in parameters]
    found.restype = ctypes.c_long
    result: Callable[..., int] = found
    return result


def forget() -> str | None:
    """Take `ctypes` out of the process.

    What `function` returned works until it is dropped.

    Returns:
        What could not be done; None if all was.
    """
    # Neither is needed any more, and with one or the other `_ctypes` could be made anew.
    refused = _refuse(_imp.create_dynamic, _imp._fix_co_filename)  # type: ignore[attr-defined]
    if "_ctypes" in sys.builtin_module_names:
        refused &= _refuse(_imp.create_builtin, _imp.is_builtin)
        sys.meta_path.remove(importlib.machinery.BuiltinImporter)
    # The contents of the modules, of which CPython keeps a copy for some extension modules.
    dlopen = sys.modules["_ctypes"].dlopen
    contents = [item for item in gc.get_referrers(dlopen) if type(item) is dict]
    for name in MODULES:
        sys.modules.pop(name, None)
    if refused and _finds_constructors():
        problem = None
        for kind in _types():
            write(id(kind) + _TP_NEW, bytes(8))
    else:
        problem = "ctypes: this interpreter keeps the constructors of types elsewhere"
    globals().clear()
    for names in contents:
        names.clear()
    return problem


def _refuse(function: Any, other: Any) -> bool:
    """Let a function of C do what another one does, which refuses its arguments.

    The table of its module is changed, so that it stays so in a module that is made anew.

    Returns:
        Whether that was possible: both must be called in the same way.
    """
    # struct PyCFunctionObject: head, m_ml; struct PyMethodDef: name, function, flags.
    one, another = (
        int.from_bytes(read(id(item) + object.__basicsize__, 8), "little")
        for item in (function, other)
    )
    if read(one + 16, 4) != read(another + 16, 4):
        return False
    write(one + 8, read(another + 8, 8))
    return True


def _types() -> list[type]:
    """Return the types that `_ctypes` defines, those derived from them, and their types.

    The class methods that turn addresses into objects are taken out on the way.
    """
    found: set[type] = set()
    level: list[type] = [object]
    while level:
        below: list[type] = type.__subclasses__(level.pop())
        for kind in below:
            if kind not in found:
                found.add(kind)
                level.append(kind)
    types = {kind for kind in found if "_ctypes" in (base.__module__ for base in kind.__mro__)}
    types |= {type(kind) for kind in types} - {type}
    for kind in types:
        members = gc.get_referents(kind.__dict__)[0]
        for name in _DOORS:
            members.pop(name, None)
        type_modified(kind)
    return list(types)


def _finds_constructors() -> bool:
    """Return whether `_TP_NEW` is right: a class inherits what makes the instances of its base."""

    class Plain:
        pass

    class Number(int):
        pass

    plain, number, whole, thing = (
        read(id(kind) + _TP_NEW, 8) for kind in (Plain, Number, int, object)
    )
    return plain == thing and number == whole and thing != whole and bytes(8) not in (thing, whole)
