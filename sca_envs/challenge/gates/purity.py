"""Reads code of a task and says what in it pure computation does not need.

Two rules carry the rest. A module is no value: its name may only stand before a dot, and after the
dot only one of its public names that is not a module itself. And an attribute is written out: what
gets one by a text (`getattr`, `operator.attrgetter`, `functools.wraps`, the fields of
`str.format`, the positional patterns of a class that names them in `__match_args__`) is refused,
as is what evaluates a text. So code reaches no module, no frame and no variables of a function
that it was not given, and the names that it writes are all that there is to check.
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import re
import types
from collections import Counter
from collections.abc import Iterator

MODULES = frozenset({
    "__future__", "bisect", "calendar", "collections", "collections.abc", "copy", "dataclasses",
    "datetime", "decimal", "enum", "fractions", "functools", "heapq", "itertools", "json", "math",
    "operator", "re", "statistics", "string", "textwrap", "typing", "unicodedata",
})  # fmt: skip
"""What code may import: pure computation, nothing that depends on time, chance or the machine."""

_EXCLUDED = {
    # These get or set attributes by a text, or evaluate one (`singledispatch`: annotations).
    "dataclasses": {"make_dataclass"},
    "functools": {"singledispatch", "singledispatchmethod", "update_wrapper", "wraps"},
    "operator": {"attrgetter", "methodcaller"},
    "string": {"Formatter"},
    "typing": {"ForwardRef", "evaluate_forward_ref", "get_type_hints", "no_type_check"},
    # These change the module that a class names as its own.
    "enum": {"global_enum", "global_enum_repr", "global_flag_repr", "global_str"},
}

_BUILTIN_NAMES = """
    abs all any ascii bin bool bytearray bytes callable chr classmethod complex dict divmod
    enumerate filter float format frozenset hasattr hex int isinstance issubclass iter len list map
    max min next object oct ord pow print property range repr reversed round set slice sorted
    staticmethod str sum super tuple type zip Ellipsis NotImplemented
"""
_BUILTINS = frozenset(_BUILTIN_NAMES.split()) | {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
"""Built-in names that code may use."""
_PATTERNS = frozenset({
    "bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str",
    "tuple",
})  # fmt: skip
"""Classes that Python itself lets match one positional pattern."""
_DUNDERS = frozenset({
    "__add__", "__bool__", "__call__", "__contains__", "__enter__", "__eq__", "__exit__", "__ge__",
    "__getitem__", "__gt__", "__init__", "__iter__", "__le__", "__len__", "__lt__", "__mul__",
    "__name__", "__ne__", "__next__", "__post_init__", "__repr__", "__str__", "__sub__",
})  # fmt: skip
"""Special names that lead nowhere."""
_DEFINABLE = _DUNDERS | {"__hash__", "__slots__"}
"""Special names that a class body may give a value."""
_PRIVATE = frozenset({"_asdict", "_fields", "_field_defaults", "_make", "_replace"})
"""Names that begin with an underscore for another reason: the methods of named tuples."""
_CLOCKS = frozenset({"now", "today", "utcnow"})
_INSIDES = frozenset(
    name
    for kind in (
        types.AsyncGeneratorType, types.CodeType, types.CoroutineType, types.FrameType,
        types.GeneratorType, types.TracebackType,
    )
    for name in dir(kind)
    if re.match("(ag|co|cr|f|gi|tb)_", name)
) | {"cell_contents", "obj"}  # fmt: skip
"""Attributes of frames and the like; and of an `AttributeError`, the object that lacked one."""
_PLAIN_FIELDS = re.compile(r"(?:[^{}]|\{\{|\}\}|\{\w*(?:\[[^\]{}]*\])*(?:![rsa])?(?::[^{}]*)?\})*")
"""A template of `str.format` that asks for no attribute."""


@functools.cache
def public_names(module: str) -> frozenset[str]:
    """Return the names that code may take from a module.

    Args:
        module: One of `MODULES`.
    """
    found = importlib.import_module(module)
    names = getattr(found, "__all__", None) or [n for n in vars(found) if not n.startswith("_")]
    return frozenset(
        name for name in names if not isinstance(getattr(found, name), types.ModuleType)
    ) - _EXCLUDED.get(module, set())


def objection(tree: ast.Module) -> str | None:
    """Return the first thing in code that pure computation does not need; None if there is none.

    Args:
        tree: The code, parsed.
    """
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            problem = _imported(node, modules)
            if problem is not None:
                return problem
    dataclasses = _plain_dataclasses(tree)
    for node, in_class in _nodes(tree, modules):
        problem = _objection(node, in_class, modules, dataclasses)
        if problem is not None:
            return problem
    return None


def _imported(node: ast.Import | ast.ImportFrom, modules: dict[str, str]) -> str | None:
    """Note which names an import binds to modules; return what is wrong with it."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name not in MODULES:
                return _not_a_module(alias.name)
            if alias.asname is not None:
                modules[alias.asname] = alias.name
            else:
                top = alias.name.split(".")[0]
                modules[top] = top
        return None
    source = node.module or ""
    if node.level or source not in MODULES:
        return _not_a_module("." * node.level + source)
    for alias in node.names:
        if f"{source}.{alias.name}" in MODULES:
            modules[alias.asname or alias.name] = f"{source}.{alias.name}"
        elif alias.name not in public_names(source):
            return f"imports {alias.name} from {source}, which is not allowed"
    return None


def _not_a_module(name: str) -> str:
    return f"imports {name}; allowed are {', '.join(sorted(MODULES))}"


def _nodes(tree: ast.AST, modules: dict[str, str]) -> Iterator[tuple[ast.AST, bool]]:
    """Yield every node, and whether it is run as a part of a class body.

    A module that stands before a dot is left out.
    """
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, in_class = waiting.pop()
        yield node, in_class
        if isinstance(node, ast.Attribute) and _module(node.value, modules):
            continue
        below = in_class
        if isinstance(node, ast.ClassDef):
            below = True
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            below = False
        waiting.extend((child, below) for child in ast.iter_child_nodes(node))


def _module(node: ast.AST, modules: dict[str, str]) -> str | None:
    """Return the module that an expression stands for; None if it is something else."""
    match node:
        case ast.Name(name):
            return modules.get(name)
        case ast.Attribute(value, name):
            inner = _module(value, modules)
            return f"{inner}.{name}" if inner and f"{inner}.{name}" in MODULES else None
        case _:
            return None


def _objection(
    node: ast.AST, in_class: bool, modules: dict[str, str], dataclasses: frozenset[str]
) -> str | None:
    match node:
        case ast.Import() | ast.ImportFrom() if in_class:
            return "imports in a class, which makes the module an attribute; import at the top"
        case ast.Attribute(value, name, context) if module := _module(value, modules):
            if not isinstance(context, ast.Load):
                return f"changes the module {module}"
            if f"{module}.{name}" in MODULES:
                return f"uses the module {module}.{name} as a value"
            if name not in public_names(module):
                return f"uses {module}.{name}, which is not allowed"
            return _objection_to_name(name, own=False)
        case ast.Attribute(ast.Constant(str(template)), "format" | "format_map"):
            if not _PLAIN_FIELDS.fullmatch(template):
                return "formats a text with an attribute in a field; use an f-string"
        case ast.Attribute(_, "format" | "format_map"):
            return "formats a text that is not written out; use an f-string"
        case ast.Attribute(value, name):
            own = isinstance(value, ast.Name) and value.id in ("self", "cls")
            return _objection_to_name(name, own)
        case ast.Name(name) if name in modules and isinstance(node.ctx, ast.Load):
            return f"uses the module {modules[name]} as a value"
        case ast.Name(name) if _is_dunder(name) and name not in _DEFINABLE:
            return f"uses {name}, which is not allowed"
        case ast.Name(name) if hasattr(builtins, name) and name not in _BUILTINS:
            return f"uses {name}, which is not allowed"
        case ast.MatchClass(kind, patterns, names):
            known = isinstance(kind, ast.Name) and kind.id in _PATTERNS | dataclasses
            if patterns and not known:
                return "matches a class by position; name the attributes"
            return next((p for name in names if (p := _objection_to_name(name, False))), None)
    return None


def _objection_to_name(name: str, own: bool) -> str | None:
    """Return what is wrong with the name of an attribute.

    Args:
        name: The name.
        own: Whether it is an attribute of `self`.
    """
    if name in _CLOCKS:
        return f"asks for the time by .{name}; verdicts must not depend on it"
    if name == "samples":
        return "draws by .samples; verdicts must not depend on chance"
    if name in _INSIDES or (_is_dunder(name) and name not in _DUNDERS):
        return f"uses {name}, which is not allowed"
    if name.startswith("_") and not _is_dunder(name) and not own and name not in _PRIVATE:
        return f"uses {name}, which is private to another object"
    return None


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _plain_dataclasses(tree: ast.Module) -> frozenset[str]:
    """Return names that stand for one dataclass, without base and with no other decorator.

    Their positional patterns are the fields, which are written out.
    """
    bindings: Counter[str] = Counter()
    plain: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name, [], [], _, [decorator]):
                bindings[name] += 1
                maker = decorator.func if isinstance(decorator, ast.Call) else decorator
                if ast.unparse(maker) in ("dataclass", "dataclasses.dataclass"):
                    plain.add(name)
            case (
                ast.ClassDef(name)
                | ast.FunctionDef(name)
                | ast.AsyncFunctionDef(name)
                | ast.Name(name, ast.Store())
                | ast.arg(name)
                | ast.alias(_, str(name))
                | ast.alias(name)
                | ast.MatchAs(_, str(name))
                | ast.MatchStar(str(name))
            ):
                bindings[name] += 1
            case _:
                pass
    if bindings["dataclass"] > 1 or bindings["dataclasses"] > 1:
        return frozenset()
    return frozenset(name for name in plain if bindings[name] == 1)
