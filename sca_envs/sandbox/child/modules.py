"""The standard library, without a file system.

A confined child can open no file, so whatever it may import is brought into memory before. What
model-written code often uses is imported at once. The rest of the pure Python modules are kept as
code, which costs a fork next to nothing, and run when they are first imported. Extension modules
outside the list cannot be loaded later, because they are files to map as machine code.
"""

from __future__ import annotations

import errno
import importlib
import importlib.machinery
import marshal
import mmap
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, ModuleType

from . import native

IMPORTED = """
    abc array ast base64 binascii bisect builtins calendar cmath codecs collections
    collections.abc contextlib copy copyreg dataclasses datetime decimal enum errno
    fractions functools gc hashlib heapq inspect io itertools json keyword linecache math numbers
    operator os random re reprlib resource socket statistics string struct sys textwrap time
    traceback types typing unicodedata uuid warnings weakref zlib _contextvars _csv pyexpat
"""
"""Imported before the fork: the common modules, and extension modules that others build on."""

_LEFT_OUT = {"antigravity", "ctypes", "distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data"}
_LEFT_OUT |= {"test", "tests", "tkinter", "turtle", "turtledemo", "venv"}
"""Not kept as code: what has no use without a screen, a network or files to install, and what
`native` takes away."""


def preload(extra: Sequence[str], patches: dict[str, Callable[[ModuleType], None]]) -> None:
    """Bring the standard library into memory, and cut the import system off from files.

    Args:
        extra: Names of further modules to import.
        patches: Module name -> what to do to that module once it is imported.

    Raises:
        ImportError: If a module of `extra` does not exist.
    """
    for name in (*IMPORTED.split(), *extra):
        importlib.import_module(name)
    for name in ("select", "_posixsubprocess"):
        if name not in sys.modules:
            sys.modules[name] = _powerless(name)
    stored = StoredModules(_store(), patches)
    for name, patch in patches.items():
        if name in sys.modules:
            patch(sys.modules[name])
    sys.meta_path[:] = [
        importlib.machinery.BuiltinImporter,
        importlib.machinery.FrozenImporter,
        stored,
    ]
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    sys.path.clear()


def _powerless(name: str) -> ModuleType:
    """Return a stand-in for a module that could do nothing here, but that others import."""

    def denied(*args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    module = ModuleType(name)
    module.__dict__.update(select=denied, fork_exec=denied, error=OSError)
    return module


def _store() -> memoryview:
    """Return the code of all modules on demand, in memory that a fork need not copy.

    That is a file of its own in memory, mapped privately. Another process writes it, so that this
    one's heap stays small: forks copy the tables of the heap. It is the one file that executions
    share: sealed, so that nobody can write it, and without a descriptor once it is mapped (the
    caller of `preload` closes the one that `mmap` keeps). The layout: length of the index (8
    bytes), index (marshalled: name -> offset, size, is a package, file), code (marshalled).
    """
    if not hasattr(os, "memfd_create"):
        return memoryview(_pack_store())
    file = os.memfd_create("modules", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    writer = os.fork()
    if writer == 0:
        with open(file, "wb", closefd=False) as stream:
            stream.write(_pack_store())
        os._exit(0)
    if os.waitpid(writer, 0)[1] != 0:
        raise ImportError("the standard library could not be read")
    try:
        native.seal(file)
        return memoryview(mmap.mmap(file, 0, mmap.MAP_PRIVATE, mmap.PROT_READ))
    finally:
        os.close(file)


def _pack_store() -> bytes:
    index, blocks, offset = {}, [], 0
    for top in sorted(sys.stdlib_module_names - _LEFT_OUT):
        for name, code, is_package, path in _find(top, sys.path):
            if name not in sys.modules:
                block = marshal.dumps(code)
                index[name] = (offset, len(block), is_package, path)
                blocks.append(block)
                offset += len(block)
    head = marshal.dumps(index)
    return b"".join([len(head).to_bytes(8, "little"), head, *blocks])


def _find(name: str, path: Sequence[str]) -> Iterator[tuple[str, CodeType, bool, str]]:
    """Yield a module, and what it contains: name, code, is a package, file."""
    spec = importlib.machinery.PathFinder.find_spec(name, path)
    if spec is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
        return
    code = spec.loader.get_code(name)
    if code is None:
        return
    locations = spec.submodule_search_locations
    yield name, code, locations is not None, os.path.basename(spec.loader.path)
    for folder in locations or ():
        for entry in sorted(os.listdir(folder)):
            stem, extension = os.path.splitext(entry)
            if stem in _LEFT_OUT or not stem.isidentifier() or stem.startswith("__"):
                continue
            if extension == ".py" or (not extension and os.path.isdir(os.path.join(folder, stem))):
                yield from _find(f"{name}.{stem}", [folder])


class StoredModules:
    """Finds and loads modules whose code was stored before the lock-down."""

    def __init__(self, store: memoryview, patches: dict[str, Callable[[ModuleType], None]]) -> None:
        self._patches = patches
        start = 8 + int.from_bytes(store[:8], "little")
        self._index: dict[str, tuple[int, int, bool, str]] = marshal.loads(store[8:start])
        self._code = store[start:]

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of a stored module, or None."""
        if name not in self._index:
            return None
        _, _, is_package, origin = self._index[name]
        return importlib.machinery.ModuleSpec(
            name,
            self,  # type: ignore[arg-type]
            origin=origin,
            is_package=is_package,
        )

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """Let the import system make the module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code."""
        exec(self.get_code(module.__name__), module.__dict__)
        patch = self._patches.get(module.__name__)
        if patch is not None:
            patch(module)

    def get_code(self, name: str) -> CodeType:
        """Return the code of a stored module."""
        offset, size, _, _ = self._index[name]
        code: CodeType = marshal.loads(self._code[offset : offset + size])
        return code
