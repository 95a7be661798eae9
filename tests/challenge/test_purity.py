"""What code of tasks may do: cases by an author who had not read the rules."""

from __future__ import annotations

import ast
import importlib
import json
import types
from pathlib import Path
from typing import Any

import pytest

from sca_envs.challenge.gates.purity import MODULES, objection, public_names

DATA = Path(__file__).parents[1] / "data"
# No rule of reading refuses these. They depend on the order of a set, an address, the depth of the
# stack and the like, which the gate of repeated verdicts tries under other circumstances; or keep
# something for a later call, which comes in another process; or end by the limit of time.
OF_OTHER_GATES = {"clock", "address or hash", "memory over calls"}


def cases(name: str) -> list[dict[str, Any]]:
    lines = (DATA / f"verifiers_{name}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def read(source: str) -> str | None:
    return objection(ast.parse(source))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases("bad")])
def test_what_reaches_further_is_refused(case: dict[str, Any]) -> None:
    found = read(case["verify"])
    if found is None:
        assert case["kind"] in OF_OTHER_GATES
        assert case["kind"] == "memory over calls" or not _reaches(case)


def _reaches(case: dict[str, Any]) -> bool:
    """Whether it needs no more than to be run to depend on the day, on chance or on the machine."""
    return bool(case["sure"]) and case["id"] != "loop_until_timeout"


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases("good")])
def test_what_verifiers_need_is_allowed(case: dict[str, Any]) -> None:
    assert read(case["verify"]) is None


@pytest.mark.parametrize(
    ("line", "objection"),
    [
        ("import typing\nx = typing.sys.modules['ctypes']", "typing.sys, which is not allowed"),
        ("import typing as t\nx = t", "the module typing as a value"),
        ("import typing\nf(typing)", "the module typing as a value"),
        ("import collections.abc\nx = collections.abc", "the module collections.abc as a value"),
        ("class A:\n    import re", "imports in a class"),
        ("from typing import sys", "imports sys from typing"),
        ("from re import *", "imports * from re"),
        ("from . import x", "imports ."),
        ("import json\njson += f()", "the module json as a value"),
        (
            "import calendar as x\ndef u():\n    import datetime as x\ny = x.datetime",
            "uses calendar.datetime",
        ),
        ("import typing as __builtins__", "uses __builtins__"),
        ("class F:\n    def f(self):\n        global __y", "renames within a class"),
        ("class F:\n    def f(self): self._evaluate(1)", "private to another object"),
        ("class F:\n    def __reduce_ex__(self, p): pass", "defines __reduce_ex__"),
        ("class F:\n    @f\n    def __repr__(self): pass", "uses __repr__"),
        ("class M(type): pass", "uses type as a value"),
        ("class A(metaclass=M): pass", "gives a class metaclass"),
        ("type('P', (), {})", "uses type as a value"),
        ("f = type", "uses type as a value"),
        ("type(int)('C', (), {})", "uses type as a value"),
        ("E() == type(x)", "uses type as a value"),
        ("def f(type): pass", "gives type another meaning"),
        ("def f(open): pass\nopen('/x')", "uses open"),
        ("from enum import Enum\nEnum('E', {'A': 1})", "derive a class from it"),
        ("from dataclasses import dataclass\ndataclass(A)", "decorate with it"),
        ("import copy\ncopy.deepcopy(x, {})", "with more than one value"),
        ("class A:\n    __slots__ = names", "not written out"),
        ("x.mro()", "what a class is made of"),
        ("import json\njson.JSONEncoder.encode = f", "which is the library's"),
        ("import urllib.parse\nurllib.request", "uses urllib.request"),
        ("from dataclasses import field\nf = field()", "field outside of a plain dataclass"),
        ("from dataclasses import dataclass\nf(dataclass)(A)", "dataclass as a value"),
        (
            "from dataclasses import dataclass, field\n@dataclass\nclass A:\n"
            "    x: int = field()\n    y = x",
            "uses the field x within its class",
        ),
        (
            "def dataclass(c): return E\n@dataclass\nclass P: pass\nmatch p:\n    case P(x): pass",
            "by position",
        ),
        ("match t:\n    case str(format=f): pass", "formats a text"),
        ("x" + ".a" * 1500 + ".gi_frame", "uses gi_frame"),
        ("import json.scanner", "imports json.scanner; allowed are abc"),
        ("import math\nmath.pi = 3", "changes the module math"),
        ("import datetime\ndatetime.datetime.now()", "asks for the time by .now"),
        ("match f:\n    case object(today=t): pass", "asks for the time by .today"),
        ("match f:\n    case A(x): pass", "matches a class by position"),
        ("'{0.x}'.format(1)", "formats a text with an attribute"),
        ("t.format(1)", "formats a text that is not written out"),
        ("x.__globals__", "uses __globals__"),
        ("x.gi_frame", "uses gi_frame"),
        ("x._hidden", "private to another object"),
        ("getattr(x, 'y')", "uses getattr"),
        ("__import__('os')", "uses __import__"),
        ("__match_args__ = ('x',)", "uses __match_args__"),
        ("import statistics\nstatistics.NormalDist().samples(3)", "draws by .samples"),
    ],
)
def test_objections_say_what_is_wrong(line: str, objection: str) -> None:
    assert objection in str(read(line))


@pytest.mark.parametrize(
    "line",
    [
        "import collections.abc\nisinstance(x, collections.abc.Mapping)",
        "from collections import abc\nisinstance(x, abc.Mapping)",
        "from __future__ import annotations",
        "import datetime\nx = datetime.date.fromisoformat(s).year",
        "'{} of {0[key]:>10}, {name!r} {{}}'.format(1)",
        "class A:\n    def __init__(self):\n        self._x = 1\n    __hash__ = None",
        "credits = [1]\nfor id in credits: print(id)",
        "T = '{:>{w}}'\nT.format(1, w=3)",
        "error.__class__.__name__ == type(error).__name__ and type(x) is int",
        "if __name__ == '__main__': pass",
        "class A:\n    def __eq__(self, other): return self._c == other._c\n"
        "    def __init__(self): self._c = 1",
        "import datetime\ndef f():\n    from datetime import datetime\n"
        "    return datetime.strptime(s, '%Y')",
        "import ast, html\nfrom urllib.parse import urlsplit\nast.literal_eval(html.escape(s))",
        "match x:\n    case int(n) | {'a': n} | [n, *_]: pass",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n"
        "match p:\n    case P(0): pass",
        "import re\nre.sub(r'(?i)a', lambda match: match.group(0), s)",
        "import copy\nd = copy.deepcopy(e)\nf = e.copy()",
    ],
)
def test_ordinary_lines_pass(line: str) -> None:
    assert read(line) is None


def test_no_public_name_leads_to_a_module() -> None:
    """Crawls what code can write down: public names, and attributes that the rules allow."""
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [
        (f"{module}.{name}", getattr(importlib.import_module(module), name))
        for module in sorted(MODULES)
        for name in sorted(public_names(module))
    ]
    while waiting:
        path, thing = waiting.pop()
        kinds = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType)
        assert not isinstance(thing, kinds), path
        assert thing not in (getattr, setattr, eval, exec, compile, open, vars, globals), path
        if id(thing) in seen or path.count(".") > 5:
            continue
        seen.add(id(thing))
        if isinstance(thing, (type, types.FunctionType)):
            for name in dir(thing):
                if read(f"x.{name}") is None and hasattr(thing, name):
                    waiting.append((f"{path}.{name}", getattr(thing, name)))
    assert len(seen) > 1000
