"""What the whole of a piece of code says about its names: imports, bindings, classes."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sca_envs.challenge.gates.public_names import MODULES, public_names

ALL_BUILTINS = frozenset(name for name in vars(builtins) if not name.startswith("_"))
"""Every built-in name that has no special form."""


@dataclass
class Source:
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
        self.bindings.update(bound(node))
        match node:
            case ast.Assign([ast.Name(name)], ast.Constant(str(text))) | ast.AnnAssign(
                ast.Name(name), _, ast.Constant(str(text))
            ):
                self.texts[name] = text
            case ast.Attribute(_, name, ast.Store()):
                self.attributes.add(name)
            case _:
                pass

    def read_class(self, node: ast.ClassDef) -> None:
        """Note what a class defines, once all imports are known."""
        for item in node.body:
            inner = ast.walk(item) if isinstance(item, ast.Assign | ast.AnnAssign) else [item]
            self.attributes.update(name for part in inner for name in bound(part))
        if len(node.decorator_list) != 1:
            return
        maker = node.decorator_list[0]
        if isinstance(maker, ast.Call):  # with its options only, of which none is a class
            if maker.args or any(keyword.arg is None for keyword in maker.keywords):
                return
            maker = maker.func
        if node.bases or node.keywords or not self.is_from(maker, "dataclass"):
            return
        if self.bindings[node.name] == 1:
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
            case ast.Name(own) if self.bindings[own] == 1 and own not in ALL_BUILTINS:
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


def bound(node: ast.AST) -> Iterator[str]:
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
