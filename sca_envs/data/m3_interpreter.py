"""Computes what a Python file of M3ToolEval says, without running it.

The original's tasks are computed: names in f-strings and loops, expected answers by calls of
functions in the same file. This walks the syntax tree of such a file and knows a small part of
Python, enough for that and nothing that reaches outside: no import, no attribute but a few methods
of texts, lists and dictionaries, and no more than a bounded number of steps.
"""

from __future__ import annotations

import ast
import functools
import operator
from collections import ChainMap, Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MAX_STEPS = 100_000
"""Most nodes of the tree that are looked at."""
_MAX_ITEMS = 100_000

_Names = ChainMap[str, Any]


class NotUnderstoodError(Exception):
    """The file has something that is not computed here.

    Args:
        line: Line of the file, from 1.
        problem: What it is.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


class Opaque:
    """Stands for an object of a class that is not looked at; so do all its attributes."""


class _Return(Exception):  # noqa: N818 (not an error)
    def __init__(self, value: Any) -> None:
        self.value = value


class _Continue(Exception):  # noqa: N818 (not an error)
    pass


def _sum(items: Any, start: Any = 0) -> Any:
    # From left to right, as Python 3.11 does; later versions compensate rounding errors.
    return functools.reduce(operator.add, items, start)


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > _MAX_ITEMS:
        raise ValueError("a range that is too long")
    return numbers


_BUILTINS: Mapping[str, Any] = {
    **{kind.__name__: kind for kind in (bool, bytes, dict, float, int, list, set, str, tuple)},
    **{f.__name__: f for f in (all, any, chr, enumerate, len, map, max, min, ord, sorted, zip)},
    "range": _range,
    "sum": _sum,
}
_IMPORTS: Mapping[tuple[str, str], Any] = {("collections", "Counter"): Counter}
_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        {"isupper", "islower", "join", "lower", "replace", "split", "strip", "translate"}
    ),
    bytes: frozenset({"decode"}),
    list: frozenset({"append", "copy", "count", "index"}),
    dict: frozenset({"copy", "get", "items", "keys", "values"}),
    set: frozenset({"issubset"}),
}
_CLASS_METHODS = frozenset({(bytes, "fromhex"), (str, "maketrans")})
_OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


class Interpreter:
    """Computes the module-level names of one file.

    Args:
        names: What the file's names stand for at the beginning, besides some of the built-in ones.
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names: dict[str, Any] = dict(names)
        self._top: _Names = ChainMap(self.names, dict(_BUILTINS))
        self._steps = 0

    def run(self, module: ast.Module) -> None:
        """Compute a module.

        Raises:
            NotUnderstoodError: If it has something that is not known here, or fails.
        """
        try:
            self._block(module.body, self._top)
        except (_Return, _Continue):
            raise NotUnderstoodError(1, "a jump out of the module") from None

    # Statements

    def _block(self, body: list[ast.stmt], names: _Names) -> None:
        for statement in body:
            try:
                self._statement(statement, names)
            except (NotUnderstoodError, _Return, _Continue):
                raise
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
                raise NotUnderstoodError(statement.lineno, problem) from error

    def _statement(self, node: ast.stmt, names: _Names) -> None:
        match node:
            case ast.Expr(value):
                self._value(value, names)
            case ast.Assign(targets, value):
                computed = self._value(value, names)
                for target in targets:
                    self._assign(target, computed, names)
            case ast.AnnAssign(target, _, ast.expr() as value):
                self._assign(target, self._value(value, names), names)
            case ast.AugAssign(ast.Name(name), op, value):
                names[name] = self._binary(op, names[name], self._value(value, names))
            case ast.FunctionDef(name, arguments, body):
                names[name] = self._function(arguments, body, names)
            case ast.ClassDef(name):
                names[name] = lambda *_, **__: Opaque()
            case ast.Return(value):
                raise _Return(None if value is None else self._value(value, names))
            case ast.If(test, body, orelse):
                self._block(body if self._value(test, names) else orelse, names)
            case ast.For(target, iterable, body, []):
                self._loop(target, self._value(iterable, names), body, names)
            case ast.Continue():
                raise _Continue
            case ast.Pass() | ast.Import():
                pass
            case ast.ImportFrom(module, aliases):
                for alias in aliases:
                    if (module or "", alias.name) in _IMPORTS:
                        names[alias.asname or alias.name] = _IMPORTS[module or "", alias.name]
            case ast.With() if names is self._top:
                pass  # It reads data files, which the import reads itself.
            case _:
                raise self._unknown(node)

    def _loop(self, target: ast.expr, items: Any, body: list[ast.stmt], names: _Names) -> None:
        for item in items:
            self._assign(target, item, names)
            try:
                self._block(body, names)
            except _Continue:
                continue

    def _assign(self, target: ast.expr, value: Any, names: _Names) -> None:
        match target:
            case ast.Name(name):
                names[name] = value
            case ast.Tuple(elements) | ast.List(elements):
                for element, item in zip(elements, value, strict=True):
                    self._assign(element, item, names)
            case _:
                raise self._unknown(target)

    def _function(
        self, arguments: ast.arguments, body: list[ast.stmt] | ast.expr, names: _Names
    ) -> Callable[..., Any]:
        parameters = [parameter.arg for parameter in arguments.args]
        defaults = [self._value(default, names) for default in arguments.defaults]
        optional = dict(zip(parameters[len(parameters) - len(defaults) :], defaults, strict=True))

        def call(*given: Any, **named: Any) -> Any:
            local = {**optional, **dict(zip(parameters, given, strict=False)), **named}
            if arguments.vararg is not None:
                local[arguments.vararg.arg] = given[len(parameters) :]
            elif len(given) > len(parameters):
                raise TypeError("too many arguments")
            if missing := [name for name in parameters if name not in local]:
                raise TypeError(f"missing arguments: {', '.join(missing)}")
            inner = names.new_child(local)
            if isinstance(body, ast.expr):
                return self._value(body, inner)
            try:
                self._block(body, inner)
            except _Return as returned:
                return returned.value
            return None

        return call

    # Expressions

    def _value(self, node: ast.expr, names: _Names) -> Any:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise NotUnderstoodError(node.lineno, "a computation that takes too long")
        match node:
            case ast.Constant(value):
                return value
            case ast.Name(name):
                return names[name]
            case ast.JoinedStr(parts):
                return "".join(str(self._value(part, names)) for part in parts)
            case ast.FormattedValue(value, -1, None):
                return self._value(value, names)
            case ast.List(elements) | ast.Tuple(elements) | ast.Set(elements):
                kind = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
                return kind(self._items(elements, names))
            case ast.Dict(keys, values) if None not in keys:
                pairs = zip((key for key in keys if key), values, strict=True)
                return {self._value(k, names): self._value(v, names) for k, v in pairs}
            case ast.BinOp(left, op, right):
                return self._binary(op, self._value(left, names), self._value(right, names))
            case ast.UnaryOp(op, operand) if type(op) in _OPERATORS:
                return _OPERATORS[type(op)](self._value(operand, names))
            case ast.Compare(left, [op], [right]):
                return _OPERATORS[type(op)](self._value(left, names), self._value(right, names))
            case ast.IfExp(test, body, orelse):
                return self._value(body if self._value(test, names) else orelse, names)
            case ast.BoolOp(ast.And(), operands):
                return all(self._value(operand, names) for operand in operands)
            case ast.Subscript(container, index):
                return self._value(container, names)[self._index(index, names)]
            case ast.Attribute(value, name):
                return self._attribute(node, self._value(value, names), name)
            case ast.Lambda(arguments, body):
                return self._function(arguments, body, names)
            case ast.Call():
                return self._call(node, names)
            case ast.ListComp(element, generators) | ast.GeneratorExp(element, generators):
                return [self._value(element, inner) for inner in self._each(generators, names)]
            case ast.DictComp(key, value, generators):
                return {
                    self._value(key, inner): self._value(value, inner)
                    for inner in self._each(generators, names)
                }
        raise self._unknown(node)

    def _items(self, elements: list[ast.expr], names: _Names) -> Iterator[Any]:
        for element in elements:
            if isinstance(element, ast.Starred):
                yield from self._value(element.value, names)
            else:
                yield self._value(element, names)

    def _index(self, node: ast.expr, names: _Names) -> Any:
        if not isinstance(node, ast.Slice):
            return self._value(node, names)
        bounds = (node.lower, node.upper, node.step)
        return slice(*(None if part is None else self._value(part, names) for part in bounds))

    def _call(self, node: ast.Call, names: _Names) -> Any:
        function = self._value(node.func, names)
        named = {
            keyword.arg: self._value(keyword.value, names)
            for keyword in node.keywords
            if keyword.arg is not None
        }
        if len(named) < len(node.keywords):
            raise self._unknown(node)
        return function(*self._items(node.args, names), **named)

    def _each(self, generators: list[ast.comprehension], names: _Names) -> Iterator[_Names]:
        """Yield the names in every round of the loops of a comprehension."""
        if not generators:
            yield names
            return
        first, *others = generators
        for item in self._value(first.iter, names):
            inner = names.new_child()
            self._assign(first.target, item, inner)
            if all(self._value(test, inner) for test in first.ifs):
                yield from self._each(others, inner)

    def _binary(self, op: ast.operator, left: Any, right: Any) -> Any:
        if isinstance(op, ast.Mult):
            for items, count in ((left, right), (right, left)):
                sized = isinstance(items, str | bytes | list | tuple) and isinstance(count, int)
                if sized and len(items) * count > _MAX_ITEMS:
                    raise ValueError("a text or list that is too long")
        elif isinstance(op, ast.Mod) and isinstance(left, str | bytes):
            raise ValueError("formatting with %")
        return _OPERATORS[type(op)](left, right)

    def _attribute(self, node: ast.expr, value: Any, name: str) -> Any:
        if isinstance(value, Opaque):
            return Opaque()
        if isinstance(value, type):
            if (value, name) in _CLASS_METHODS:
                return getattr(value, name)
        elif name in _METHODS.get(type(value), ()):
            return getattr(value, name)
        raise NotUnderstoodError(
            node.lineno, f"the attribute {name!r} of an object of type {type(value).__name__}"
        )

    def _unknown(self, node: ast.expr | ast.stmt) -> NotUnderstoodError:
        return NotUnderstoodError(node.lineno, f"{type(node).__name__} code")
