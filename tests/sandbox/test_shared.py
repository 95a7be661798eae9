"""All that two executions share, and that none of it can be written: see `docs/sandbox.md`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sca_envs.sandbox import Sandbox, SandboxUnavailableError

# Calls the C library on the child's own memory: what a mapping holds, and whether it was changed.
MEMORY = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def protect(start, size, rights):
    return libc.mprotect(ctypes.c_void_p(start), ctypes.c_size_t(size), rights)
"""


@pytest.fixture(scope="module", params=[[], ["namespaces"], ["namespaces", "landlock"]])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    try:
        made = Sandbox(modules=["ctypes"], without=request.param)
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    with made:
        yield made


def child_of(session: Any) -> int:
    return int(session._child.process)


def maps(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/maps").read_text().splitlines()
    except PermissionError:
        pytest.skip("the processes of the sandbox cannot be inspected by this user")


def test_an_execution_has_one_descriptor(box: Sandbox) -> None:
    with box.session() as session:
        session.run("1")
        try:
            found = os.listdir(f"/proc/{child_of(session)}/fd")
        except PermissionError:
            pytest.skip("the processes of the sandbox cannot be inspected by this user")
    assert found == ["3"]


def test_no_memory_is_shared_and_writable(box: Sandbox) -> None:
    """What is not private (glibc maps a list of its files so) can be read only, for good."""
    with box.session() as session:
        session.run("1")
        for line in maps(child_of(session)):
            if re.match(r"\S+ ...s", line):
                assert re.match(r"\S+ r--s", line)
                start, end = (int(number, 16) for number in line.split()[0].split("-"))
                denied = session.run(MEMORY + f"result = protect({start}, {end - start}, 3)")
                assert denied.unwrap() == -1


def test_the_store_of_modules_is_sealed(box: Sandbox) -> None:
    """No descriptor leads to it, no mapping of it is writable, and its own pages are copied."""
    with box.session() as session:
        session.run("1")
        stored = [line for line in maps(child_of(session)) if "memfd:modules" in line]
        assert len(stored) == 1
        start, end = (int(number, 16) for number in stored[0].split()[0].split("-"))
        parent = Path(f"/proc/{_parent(child_of(session))}")
        assert not [f for f in (parent / "fd").iterdir() if "memfd" in os.readlink(f)]
        # The most that is possible: the process gives itself the right, and writes to its copy.
        wrote = session.run(
            MEMORY
            + f"before = ctypes.string_at({start}, {end - start})\n"
            + f"denied = protect({start}, {end - start}, 3)\n"
            + f"if denied == 0: ctypes.memset({start} + 4096, 0, {end - start} - 4096)\n"
            + "result = [denied, len(before)]"
        )
        assert wrote.unwrap()[1] == end - start
    digest = "import sys, hashlib\nstore = sys.meta_path[-1]\n"
    digest += "result = hashlib.sha256(store._code).hexdigest()"
    with Sandbox() as fresh:
        assert box.run("import argparse, pprint\nresult = 1").unwrap() == 1
        assert len({box.run(digest).unwrap() for _ in range(3)}) == 1
        assert _same_modules(box, fresh)


def _same_modules(box: Sandbox, fresh: Sandbox) -> bool:
    """Return whether the code of every stored module is the same in both, but for `ctypes`."""
    code = (
        "import sys, hashlib, marshal\nstore = sys.meta_path[-1]\n"
        "result = {n: hashlib.sha256(store._code[o:o + s]).hexdigest()[:16]"
        " for n, (o, s, _, _) in store._index.items()}"
    )
    ours, theirs = box.run(code).unwrap(), fresh.run(code).unwrap()
    return len(ours) > 400 and all(
        theirs.get(name) in (digest, None) for name, digest in ours.items()
    )


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def test_files_of_libraries_are_mapped_privately(box: Sandbox) -> None:
    """What is written over the C library's code or data, the next execution does not see."""
    code = (
        MEMORY
        + "where = ctypes.cast(libc.atoi, ctypes.c_void_p).value\n"
        + "page = where // 4096 * 4096\n"
        + "result = [protect(page, 8192, 3), ctypes.string_at(where, 8).hex()]\n"
        + "if result[0] == 0: ctypes.memset(where, 0xCC, 8)\n"
    )
    first = box.run(code).unwrap()
    assert first[0] == 0  # writable, if no longer executable
    assert box.run(code).unwrap() == first


def test_memory_of_a_file_cannot_be_mapped(box: Sandbox) -> None:
    code = (
        MEMORY
        + "libc.mmap.restype = ctypes.c_void_p\nresult = []\n"
        + "for flags in (1, 2, 3, 0x11, 0x8001):\n"
        + "    got = libc.mmap(None, ctypes.c_size_t(4096), 1, flags, 3, ctypes.c_long(0))\n"
        + "    result.append([got == ctypes.c_void_p(-1).value, ctypes.get_errno()])"
    )
    assert box.run(code).unwrap() == [[True, 1]] * 5  # EPERM


def test_futexes_reach_no_other_process(box: Sandbox) -> None:
    """A futex that is not private is keyed by the page, which all have of a library."""
    code = (
        MEMORY
        + "word = ctypes.cast(libc.atoi, ctypes.c_void_p).value // 4 * 4\nresult = []\n"
        + "for op in (0, 1, 3, 5, 9, 10):\n"
        + "    got = libc.syscall(202, ctypes.c_void_p(word), op, 1, None, None, -1)\n"
        + "    result.append([got, ctypes.get_errno()])"
    )
    if os.uname().machine != "x86_64":
        pytest.skip("the number of the system call is that of x86_64")
    assert box.run(code).unwrap() == [[-1, 1]] * 6


@pytest.mark.parametrize(
    "change",
    [
        "import builtins\nbuiltins.len = lambda x: 'PWNED'",
        "import json\njson.loads = json.dumps = None",
        "import sys\nsys.modules.clear()",
        "import sys\nsys.meta_path.clear(); sys.path_hooks.append(1)",
        "import sys\nsys.setrecursionlimit(50)",
        "import os\nos.environ['A'] = 'PWNED'",
        "import random\nrandom.seed(5); random.random = lambda: 'PWNED'",
        "import decimal\ndecimal.getcontext().prec = 2",
        "import locale\nlocale.setlocale(locale.LC_ALL, 'C')",
        "import gc\ngc.unfreeze(); gc.enable(); gc.set_threshold(1)",
        "import signal\ntry: signal.signal(signal.SIGINT, signal.SIG_IGN)\nexcept OSError: pass",
        "import time\ntime.sleep(10**6)",
        "import warnings, re, linecache\nwarnings.simplefilter('error'); re._cache.clear()",
        "import sys\nsys.intern('PWNED'); sys.setswitchinterval(1)",
        "import codecs\ncodecs.register(lambda name: None)",
        "import atexit\natexit.register(print, 'PWNED')",
        "import sys\nsys.setprofile(lambda *a: None); sys.settrace(lambda *a: None)",
    ],
)
def test_what_python_keeps_for_a_process_ends_with_it(box: Sandbox, change: str) -> None:
    probe = (
        "import sys, json, os, random, decimal, gc, time, warnings, builtins\n"
        "result = [len('abc'), json.loads('[1]'), len(sys.meta_path), sys.getrecursionlimit(),\n"
        " dict(os.environ), random.random(), str(decimal.getcontext()), gc.get_threshold(),\n"
        " gc.isenabled(), gc.get_freeze_count() > 0, time.time(), warnings.filters[:2] == [],\n"
        " sys.getswitchinterval(), sys.getprofile() is None, sorted(vars(builtins))[:5]]"
    )
    clean = box.run(probe).unwrap()
    box.run(change)
    with box.session() as session:
        session.run(change)
        assert box.run(probe).unwrap() == clean
    assert box.run(probe).unwrap() == clean


def test_ctypes_is_not_there_by_default() -> None:
    """Neither by name nor by any object of the process that could make it anew."""
    code = """
import gc, sys, importlib.machinery
found = [name for name in sys.modules if "ctypes" in name]
for name in ("ctypes", "_ctypes", "ctypes.util"):
    try: __import__(name); found.append(name)
    except ImportError: pass
gc.unfreeze()
for thing in gc.get_objects():
    kind = type(thing)
    if kind.__module__ in ("ctypes", "_ctypes"):
        found.append(repr(kind))
    if kind is dict and "dlopen" in thing: found.append("a copy of the module")
level, kinds = [object], set()
while level:
    for kind in type.__subclasses__(level.pop()):
        if kind not in kinds: kinds.add(kind); level.append(kind)
for kind in sorted((k for k in kinds if k.__module__ == "_ctypes"), key=lambda k: k.__name__):
    for name in ("from_address", "from_buffer", "in_dll"):
        if hasattr(kind, name): found.append([kind.__name__, name])
    for arguments in ((), (1,), ("x", (kind,), {"_flags_": 1})):
        try: kind(*arguments); found.append([kind.__name__, len(arguments)])
        except Exception: pass
    try:
        class Made(kind):
            _flags_ = 1
            def __new__(cls, *arguments): return type.__new__(cls, *arguments)
    except Exception: continue
    for make in (lambda: Made("x", (object,), {}), Made):
        try: make(); found.append([kind.__name__, "derived"])
        except Exception: pass
result = found
"""
    with Sandbox() as sandbox:
        found = [item for item in sandbox.run(code).unwrap() if not str(item).startswith("<class")]
        assert found == []
