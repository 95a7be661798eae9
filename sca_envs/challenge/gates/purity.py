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
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

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
_ALL_BUILTINS = frozenset(name for name in vars(builtins) if not name.startswith("_"))
_ORDINARY_WORDS = frozenset({
    "copyright", "credits", "dir", "exit", "hash", "help", "id", "input", "license", "open", "quit",
})  # fmt: skip
"""Built-in names that code may use once it has bound them itself."""
_PATTERNS = frozenset({
    "bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str",
    "tuple",
})  # fmt: skip
"""Classes that Python itself lets match one positional pattern."""
_METHODS = frozenset({
    "__abs__", "__add__", "__and__", "__bool__", "__call__", "__contains__", "__copy__",
    "__deepcopy__", "__delitem__", "__divmod__", "__enter__", "__eq__", "__exit__", "__float__",
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
    source = _Source()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            problem = source.read_import(node)
            if problem is not None:
                return problem
        source.read_bindings(node)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            source.read_class(node)
    for node, parent, in_class in _nodes(tree):
        problem = _Reader(source, parent, in_class).objection(node)
        if problem is not None:
            return problem
    return None


def _nodes(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.AST, bool]]:
    """Yield every node, what holds it, and whether it is run as a part of a class body."""
    waiting: list[tuple[ast.AST, ast.AST, bool]] = [(tree, tree, False)]
    while waiting:
        node, parent, in_class = waiting.pop()
        yield node, parent, in_class
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
            waiting.append((child, node, below))


@dataclass
class _Source:
    """What the whole of the code says about its names."""

    modules: dict[str, set[str]] = field(default_factory=dict)
    """Name -> the modules that it may stand for."""
    imported: dict[str, set[str]] = field(default_factory=dict)
    """Name -> what it was imported as: "dataclasses.field"."""
    bindings: Counter[str] = field(default_factory=Counter)
    """Name -> how often it is bound."""
    attributes: set[str] = field(default_factory=set)
    """Attributes that the code itself defines."""
    texts: dict[str, str] = field(default_factory=dict)
    """Name -> the text that was once assigned to it."""
    dataclasses: set[str] = field(default_factory=set)
    """Classes without base that are decorated as dataclasses, and with nothing else."""
    fields: set[str] = field(default_factory=set)
    """Names of their fields that are made by `field`."""
    field_makers: set[int] = field(default_factory=set)
    """Where `field` stands in such a class: identities of nodes."""

    def read_import(self, node: ast.Import | ast.ImportFrom) -> str | None:
        """Note what an import binds; return what is wrong with it."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name not in MODULES:
                    return _not_a_module(alias.name)
                top = alias.name.split(".")[0]
                module = alias.name if alias.asname else top
                self.modules.setdefault(alias.asname or top, set()).add(module)
            return None
        origin = node.module or ""
        if node.level or origin not in MODULES:
            return _not_a_module("." * node.level + origin)
        for alias in node.names:
            name, full = alias.asname or alias.name, f"{origin}.{alias.name}"
            if full in MODULES:
                self.modules.setdefault(name, set()).add(full)
            elif alias.name not in public_names(origin):
                return f"imports {alias.name} from {origin}, which is not allowed"
            else:
                self.imported.setdefault(name, set()).add(full)
        return None

    def read_bindings(self, node: ast.AST) -> None:
        """Note what a node binds."""
        self.bindings.update(_bound(node))
        match node:
            case ast.Assign([ast.Name(name)], ast.Constant(str(text))):
                self.texts[name] = text
            case ast.Attribute(_, name, ast.Store()):
                self.attributes.add(name)
            case _:
                pass

    def read_class(self, node: ast.ClassDef) -> None:
        """Note what a class defines, once all imports are known."""
        for item in node.body:
            inner = ast.walk(item) if isinstance(item, ast.Assign | ast.AnnAssign) else [item]
            self.attributes.update(name for part in inner for name in _bound(part))
        if len(node.decorator_list) != 1:
            return
        maker = node.decorator_list[0]
        if not self.is_from(maker.func if isinstance(maker, ast.Call) else maker, "dataclass"):
            return
        if not node.bases and not node.keywords and self.bindings[node.name] == 1:
            self.dataclasses.add(node.name)
        for item in node.body:
            match item:
                case ast.AnnAssign(ast.Name(name), _, ast.Call(function)):
                    if self.is_from(function, "field"):
                        self.field_makers.add(id(function))
                        self.fields.add(name)
                case _:
                    pass

    def is_from(self, node: ast.AST, name: str) -> bool:
        """Return whether an expression is a name of `dataclasses`, and can be nothing else."""
        match node:
            case ast.Name(own) if self.bindings[own] == 1:
                return self.imported.get(own) == {f"dataclasses.{name}"}
            case ast.Attribute(ast.Name(own), attribute) if self.bindings[own] == 1:
                return self.modules.get(own) == {"dataclasses"} and attribute == name
            case _:
                return False

    def origins(self, node: ast.AST) -> set[str]:
        """Return the names of the library that an expression may stand for."""
        match node:
            case ast.Name(name):
                return self.imported.get(name, set())
            case ast.Attribute(value, name):
                return {f"{module}.{name}" for module in self.modules_of(value)}
            case _:
                return set()

    def modules_of(self, node: ast.AST) -> set[str]:
        """Return the modules that an expression may stand for."""
        path: list[str] = []
        while isinstance(node, ast.Attribute):
            path.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return set()
        found = self.modules.get(node.id, set())
        for name in reversed(path):
            found = {f"{module}.{name}" for module in found} & MODULES
            if not found:
                break
        return found


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node itself binds."""
    match node:
        case ast.alias(name, None):
            yield name.split(".")[0]
        case (
            ast.ClassDef(str(name))
            | ast.FunctionDef(str(name))
            | ast.AsyncFunctionDef(str(name))
            | ast.alias(_, str(name))
            | ast.arg(str(name))
            | ast.ExceptHandler(_, str(name))
            | ast.MatchAs(_, str(name))
            | ast.MatchStar(str(name))
            | ast.MatchMapping(_, _, str(name))
            | ast.Name(str(name), ast.Store() | ast.Del())
        ):
            yield name
        case ast.Global(names) | ast.Nonlocal(names):
            yield from names
        case _:
            pass


def _not_a_module(name: str) -> str:
    return f"imports {name}; allowed are {', '.join(sorted(MODULES - {'__future__'}))}"


@dataclass
class _Reader:
    """Reads one node of the code."""

    source: _Source
    parent: ast.AST
    in_class: bool

    def objection(self, node: ast.AST) -> str | None:
        """Return what is wrong with a node, apart from its parts."""
        for name in _bound(node):
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
                return _objection_to_class(node)
            case ast.MatchClass(kind, patterns, names):
                known = isinstance(kind, ast.Name) and (
                    kind.id in _PATTERNS | self.source.dataclasses
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

    def _objection_to_binding(self, node: ast.AST, name: str) -> str | None:
        if _MANGLED.fullmatch(name):
            return f"uses {name}, which Python renames within a class; use one underscore"
        if not _is_special(name):
            return None
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
            if _is_special(name) or name in all_names(module):
                return f"uses {module}.{name}, which is not allowed"
        if modules:
            return self._misplaced(node)
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
        if name in _ALL_BUILTINS - _BUILTINS and not (
            name in _ORDINARY_WORDS and self.source.bindings[name]
        ):
            return f"uses {name}, which is not allowed"
        if name == "type" and not self.source.bindings[name]:
            return self._objection_to_type(node)
        return self._misplaced(node)

    def _module_as_value(self, name: str) -> str:
        return f"uses the module {' or '.join(sorted(self.source.modules[name]))} as a value"

    def _objection_to_type(self, node: ast.AST) -> str | None:
        """Return what is wrong with a use of `type`, which makes classes when it is given three."""
        match self.parent:
            case ast.Call(ast.Name("isinstance" | "issubclass"), [_, second]) if second is node:
                return None
            case ast.Call(function, [_], []) if function is node:
                return None
            case ast.Subscript(value) if value is node:
                return None
            case ast.Compare():
                return None
            case _:
                return "uses type as a value; type(x) alone is allowed"

    def _misplaced(self, node: ast.AST) -> str | None:
        """Return what is wrong with where a name of `dataclasses` stands.

        A field that code holds could get a text as its name, which the next dataclass evaluates.
        """
        origins = self.source.origins(node)
        if "dataclasses.field" in origins and id(node) not in self.source.field_makers:
            return "uses dataclasses.field outside of a dataclass"
        decorates = isinstance(self.parent, ast.ClassDef) or (
            isinstance(self.parent, ast.Call) and self.parent.func is node
        )
        if "dataclasses.dataclass" in origins and not decorates:
            return "uses dataclasses.dataclass as a value; decorate a class with it"
        if self.in_class and isinstance(node, ast.Name) and node.id in self.source.fields:
            return f"uses the field {node.id} within its class"
        return None

    def _objection_to_word(self, name: str) -> str | None:
        """Return what is wrong with the name of an attribute."""
        if name in _CLOCKS:
            return f"asks for the time by .{name}; verdicts must not depend on it"
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


def _objection_to_class(node: ast.ClassDef) -> str | None:
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg == "metaclass":
            return "gives a class a metaclass, which is not allowed"
    for base in node.bases:
        if isinstance(base, ast.Starred) or (isinstance(base, ast.Name) and base.id == "type"):
            return "makes a metaclass, which is not allowed"
    return None


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
