"""Reads code of a task and says what in it pure computation does not need.

Three rules carry the rest. A module is no value: its name may only stand before a dot, and after
the dot only one of its public names. An attribute is written out: what gets one by a text
(`getattr`, `operator.attrgetter`, `functools.wraps`, the fields of `str.format`, the positional
patterns of a class that names them in `__match_args__`) is refused, and so is what evaluates one,
or makes a class from a dictionary, whose special names nobody has read. And a special name is bound
only where its meaning is plain. So code reaches no module, no frame and no variables of a function
that it was not given, and the names that it writes are all that there is to check.
"""

from __future__ import annotations

import ast
import builtins
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass

from sca_envs.challenge.gates.code_names import ALL_BUILTINS, Source, bound
from sca_envs.challenge.gates.public_names import MODULES, all_names, private_names, public_names

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
_ORDINARY_WORDS = frozenset({
    "copyright", "credits", "dir", "exit", "hash", "help", "id", "license", "quit",
})  # fmt: skip
"""Built-in names that code may use once it has bound them itself."""
_PATTERNS = frozenset({
    "bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str",
    "tuple",
})  # fmt: skip
"""Classes that Python itself lets match one positional pattern."""
_METHODS = frozenset({
    "__abs__", "__add__", "__and__", "__bool__", "__call__", "__contains__",
    "__delitem__", "__divmod__", "__enter__", "__eq__", "__exit__", "__float__",
    "__floordiv__", "__format__", "__ge__", "__getitem__", "__gt__", "__hash__", "__iadd__",
    "__index__", "__init__", "__int__", "__invert__", "__isub__", "__iter__", "__le__", "__len__",
    "__lt__", "__missing__", "__mod__", "__mul__", "__ne__", "__neg__", "__next__", "__or__",
    "__pos__", "__post_init__", "__pow__", "__radd__", "__repr__", "__reversed__", "__rmul__",
    "__round__", "__rsub__", "__rtruediv__", "__setitem__", "__str__", "__sub__", "__truediv__",
    "__xor__",
})  # fmt: skip
"""Special methods that a class may define."""
_SPECIAL_ATTRIBUTES = (_METHODS - {"__hash__"}) | {"__members__", "__name__"}
"""Special attributes that lead nowhere."""
_LEADING = frozenset({"attrname", "mro", "register"})
_UNCHANGED = frozenset({"isinstance", "issubclass", "object", "str", "super", "type"})
"""Built-in names that the rules rely on."""
_BASES = frozenset({
    "abc.ABC", "enum.Enum", "enum.Flag", "enum.IntEnum", "enum.IntFlag", "enum.StrEnum",
    "typing.Generic", "typing.NamedTuple", "typing.Protocol", "typing.TypedDict",
})  # fmt: skip
"""Names of the library that classes may be derived from, and that serve for nothing else."""
_DECORATORS = frozenset({
    "dataclasses.dataclass", "enum.unique", "enum.verify", "functools.cache",
    "functools.cached_property", "functools.lru_cache", "functools.total_ordering",
})  # fmt: skip
"""Names of the library that decorate, and serve for nothing else."""
_OF_NAMED_TUPLES = frozenset({"_asdict", "_fields", "_field_defaults", "_make", "_replace"})
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
_PLAIN_FIELDS = re.compile(
    r"(?:[^{}]|\{\{|\}\}|\{\w*(?:\[[^\]{}]*\])*(?:![rsa])?(?::(?:[^{}]|\{\w*\})*)?\})*"
)
"""A template of `str.format` that asks for no attribute."""
_MANGLED = re.compile(r"__\w*[^_]_?")
"""A name that Python changes within a class."""


def objection(tree: ast.Module) -> str | None:
    """Return the first thing in code that pure computation does not need; None if there is none.

    Args:
        tree: The code, parsed.
    """
    source = Source()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            problem = source.read_import(node)
            if problem is not None:
                return problem
        source.read_bindings(node)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            source.read_class(node)
    for node, parent, holder, in_class in _nodes(tree):
        problem = _Reader(source, parent, holder, in_class).objection(node)
        if problem is not None:
            return problem
    return None


def _nodes(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.AST, ast.AST, bool]]:
    """Yield every node, what holds it, what holds that, and whether a class body runs it."""
    waiting: list[tuple[ast.AST, ast.AST, ast.AST, bool]] = [(tree, tree, tree, False)]
    while waiting:
        node, parent, holder, in_class = waiting.pop()
        yield node, parent, holder, in_class
        inner: list[ast.AST] = []
        match node:
            case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body):
                inner = [*body]
            case ast.Lambda(body=expression):
                inner = [expression]
            case _:
                pass
        for child in ast.iter_child_nodes(node):
            below = isinstance(node, ast.ClassDef) or (in_class and child not in inner)
            waiting.append((child, node, parent, below))


@dataclass
class _Reader:
    """Reads one node of the code."""

    source: Source
    parent: ast.AST
    """What holds the node."""
    holder: ast.AST
    """What holds that."""
    in_class: bool
    """Whether a class body runs the node."""

    def objection(self, node: ast.AST) -> str | None:
        """Return what is wrong with a node, apart from its parts."""
        for name in bound(node):
            if problem := self._objection_to_binding(node, name):
                return problem
        match node:
            case ast.Import() | ast.ImportFrom() if self.in_class:
                return "imports in a class, which makes the module an attribute; import at the top"
            case ast.Attribute():
                return self._objection_to_attribute(node)
            case ast.AugAssign(ast.Name(name)) if name in self.source.modules:
                return self._module_as_value(name)
            case ast.Name(name, ast.Load()):
                return self._objection_to_name(node, name)
            case ast.ClassDef():
                return self._objection_to_class(node)
            case ast.MatchClass(kind, patterns, names):
                known = isinstance(kind, ast.Name) and (
                    kind.id in self.source.dataclasses
                    or (kind.id in _PATTERNS and not self.source.bindings[kind.id])
                )
                if patterns and not known:
                    return "matches a class by position; name the attributes"
                for name in names:
                    if name in ("format", "format_map"):
                        return "formats a text that is not written out; use an f-string"
                    if problem := self._objection_to_word(name):
                        return problem
                return None
            case _:
                return None

    def _objection_to_class(self, node: ast.ClassDef) -> str | None:
        for keyword in node.keywords:
            if keyword.arg not in ("boundary", "total"):
                return f"gives a class {keyword.arg or 'more'}, which is not allowed"
        for base in node.bases:
            kind = base.value if isinstance(base, ast.Subscript) else base
            if not isinstance(kind, ast.Name | ast.Attribute):
                return "derives a class from what is not a name"
            enum = any(origin.startswith("enum.") for origin in self.source.origins(kind))
            if enum and not any(isinstance(item, ast.Assign) for item in node.body):
                return "makes an enumeration without a member"
        for item in node.body:
            match item:
                case ast.AnnAssign(ast.Name(name)) if name in _CLOCKS | _INSIDES | {"samples"}:
                    return f"calls a field {name}, which is not allowed"
                case ast.AnnAssign(ast.Name(name)) if name in private_names():
                    return f"calls a field {name}, which is private to another object"
                case ast.Assign([ast.Name("__slots__")], value) if not _are_words(value):
                    return "gives __slots__ that are not written out"
                case _:
                    pass
        return None

    def _objection_to_binding(self, node: ast.AST, name: str) -> str | None:
        if _MANGLED.fullmatch(name):
            return f"uses {name}, which Python renames within a class; use one underscore"
        if name in _UNCHANGED:
            return f"gives {name} another meaning; take another name"
        if not _is_special(name):
            return "uses _ignore_, which is not allowed" if name == "_ignore_" else None
        if isinstance(node, ast.FunctionDef) and self.in_class and not node.decorator_list:
            return None if name in _METHODS else f"defines {name}, which is not allowed"
        if isinstance(node, ast.Name) and self.in_class and name in ("__hash__", "__slots__"):
            return None
        return f"uses {name}, which is not allowed"

    def _objection_to_attribute(self, node: ast.Attribute) -> str | None:
        name = node.attr
        modules = self.source.modules_of(node.value)
        if self.source.modules_of(node) and not isinstance(self.parent, ast.Attribute):
            return f"uses the module {ast.unparse(node)} as a value"
        for module in modules:
            if not isinstance(node.ctx, ast.Load):
                return f"changes the module {module}"
            if f"{module}.{name}" in MODULES or name in public_names(module):
                continue
            known = isinstance(node.value, ast.Name) and node.value.id in self.source.imported
            if not known or _is_special(name) or name in all_names(module):
                return f"uses {module}.{name}, which is not allowed"
        if modules:
            return self._misplaced(node)
        if not isinstance(node.ctx, ast.Load) and self.source.origins(node.value):
            return f"changes {ast.unparse(node.value)}, which is the library's"
        if name in ("format", "format_map"):
            return self._objection_to_template(node.value)
        if name == "__class__" and isinstance(self.parent, ast.Attribute):
            return (
                None if self.parent.attr == "__name__" else "uses __class__, which is not allowed"
            )
        return self._objection_to_word(name)

    def _objection_to_template(self, value: ast.expr) -> str | None:
        match value:
            case ast.Constant(str(template)):
                pass
            case ast.Name(name) if self.source.bindings[name] == 1 and name in self.source.texts:
                template = self.source.texts[name]
            case _:
                return "formats a text that is not written out; use an f-string"
        if not _PLAIN_FIELDS.fullmatch(template):
            return "formats a text with an attribute in a field; use an f-string"
        return None

    def _objection_to_name(self, node: ast.AST, name: str) -> str | None:
        if name in self.source.modules and not isinstance(self.parent, ast.Attribute):
            return self._module_as_value(name)
        if (_is_special(name) and name != "__name__") or _MANGLED.fullmatch(name):
            return f"uses {name}, which is not allowed"
        if name in ALL_BUILTINS - _BUILTINS and not (
            name in _ORDINARY_WORDS and self.source.bindings[name]
        ):
            return f"uses {name}, which is not allowed"
        if name == "type" and not self._is_comparison_of_types():
            return "uses type as a value; compare type(x), or take its name"
        return self._misplaced(node)

    def _module_as_value(self, name: str) -> str:
        return f"uses the module {' or '.join(sorted(self.source.modules[name]))} as a value"

    def _is_comparison_of_types(self) -> bool:
        """Return whether `type` stands in ``type(x).__name__`` or ``type(x) is int``.

        Given three arguments it makes a class from a dictionary, and so does what it returns for a
        class.
        """
        match self.parent, self.holder:
            case ast.Call(ast.Name("type"), [ast.Starred()]), _:
                return False
            case ast.Call(ast.Name("type"), [_], []), ast.Attribute(_, "__name__"):
                return True
            case ast.Call(ast.Name("type"), [_], []), ast.Compare(left, _, others):
                return all(self._is_kind(side) for side in (left, *others))
            case _:
                return False

    def _is_kind(self, node: ast.AST) -> bool:
        """Return whether an expression is a built-in class, ``type(x)``, or some of them."""
        match node:
            case ast.Name(name):
                return name in _BUILTINS and not self.source.bindings[name]
            case ast.Call(ast.Name("type"), [_], []):
                return True
            case ast.Tuple(items) | ast.List(items) | ast.Set(items):
                return all(self._is_kind(item) for item in items)
            case _:
                return False

    def _misplaced(self, node: ast.AST) -> str | None:
        """Return what is wrong with where a name of the library stands.

        Some of them do more than compute when they are called: they make a class from a dictionary,
        evaluate the names of fields, or take attributes by names that they are given.
        """
        called = isinstance(self.parent, ast.Call) and self.parent.func is node
        for origin in sorted(self.source.origins(node)):
            if origin in _BASES and not self._is_base(node):
                return f"uses {origin} as a value; derive a class from it"
            if origin in _DECORATORS and not self._decorates(node, called):
                return f"uses {origin} as a value; decorate with it"
            if origin == "dataclasses.field" and id(node) not in self.source.field_makers:
                return "uses dataclasses.field outside of a plain dataclass"
            match self.parent:
                case ast.Call(_, [ast.Starred()]):
                    alone = False
                case ast.Call(_, [_], []):
                    alone = called
                case _:
                    alone = False
            if origin == "copy.deepcopy" and not alone:
                return "uses copy.deepcopy with more than one value"
        if self.in_class and isinstance(node, ast.Name) and node.id in self.source.fields:
            return f"uses the field {node.id} within its class"
        return None

    def _is_base(self, node: ast.AST) -> bool:
        match self.parent, self.holder:
            case ast.ClassDef(bases=bases), _:
                return node in bases
            case ast.Subscript(value), ast.ClassDef():
                return value is node
            case _:
                return False

    def _decorates(self, node: ast.AST, called: bool) -> bool:
        place, item = (self.holder, self.parent) if called else (self.parent, node)
        return item in getattr(place, "decorator_list", ())

    def _objection_to_word(self, name: str) -> str | None:
        """Return what is wrong with the name of an attribute."""
        if name in _CLOCKS:
            return f"asks for the time by .{name}; verdicts must not depend on it"
        if name in _LEADING:
            return f"uses {name}, which leads to what a class is made of"
        if name == "samples":
            return "draws by .samples; verdicts must not depend on chance"
        if name in _INSIDES or (_is_special(name) and name not in _SPECIAL_ATTRIBUTES):
            return f"uses {name}, which is not allowed"
        if _MANGLED.fullmatch(name):
            return f"uses {name}, which Python renames within a class; use one underscore"
        if not name.startswith("_") or _is_special(name) or name in _OF_NAMED_TUPLES:
            return None
        if name in private_names() or name not in self.source.attributes:
            return f"uses {name}, which is private to another object"
        return None


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _are_words(node: ast.AST) -> bool:
    """Return whether an expression is a list of plain names."""
    match node:
        case ast.Tuple(items) | ast.List(items):
            return all(_are_words(item) for item in items)
        case ast.Constant(str(word)):
            return word.isidentifier() and not word.startswith("__")
        case _:
            return False
