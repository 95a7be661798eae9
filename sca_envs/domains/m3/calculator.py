"""M3ToolEval's calculator, without `eval`.

The original evaluates any Python expression. This one walks the syntax tree and gives the same
value for numbers, texts, lists, operators, comparisons, conditions and calls of pure functions. All
else, and what would take unbounded time or memory, fails with the original's text.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from typing import Any

MAX_LENGTH = 1_000
"""Longest expression in characters."""
MAX_BITS = 65_536
"""Largest integer on the way, in bits; one of more than 14,000 cannot be printed anyway."""
MAX_ITEMS = 10_000
"""Longest text or list on the way, what is in a list included."""
_MODULAR_BITS = 2_048

Functions = Mapping[str, Callable[..., Any]]
"""What an expression may call, by name."""


class _RefusedError(Exception):
    """The expression has something that is not computed here."""


def calculate(expression: Any, functions: Functions) -> Any:
    """Return the value of an expression, or the original's text that there is none.

    Args:
        expression: A Python expression; anything but a text fails.
        functions: What it may call besides `FUNCTIONS`.
    """
    try:
        if len(expression) > MAX_LENGTH:
            raise _RefusedError
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # `eval` skips leading blanks, which `ast.parse` would take for an indent.
            tree = ast.parse(expression.lstrip(" \t"), mode="eval")
        result = _Evaluator({**FUNCTIONS, **functions}).value(tree.body)
        str(result)  # an integer of too many digits has no text
        return result
    except Exception:
        return f"Failed to evaluate expression: {expression}"


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
}


class _Evaluator:
    """Computes the value of a syntax tree."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value):
                return value
            case ast.BinOp(left, op, right):
                return _binary(type(op), self.value(left), self.value(right))
            case ast.UnaryOp(op, operand):
                return _OPERATORS[type(op)](self.value(operand))
            case ast.BoolOp(op, operands):
                return self._boolean(isinstance(op, ast.And), operands)
            case ast.Compare(left, ops, comparators):
                return self._compare(self.value(left), ops, comparators)
            case ast.IfExp(test, body, orelse):
                return self.value(body if self.value(test) else orelse)
            case ast.List(elements):
                return [self.value(element) for element in elements]
            case ast.Tuple(elements):
                return tuple(self.value(element) for element in elements)
            case ast.Dict(keys, entries):
                pairs = zip(keys, entries, strict=True)
                return {self._key(key): self.value(entry) for key, entry in pairs}
            case ast.Subscript(container, ast.expr() as index) if not isinstance(index, ast.Slice):
                return self.value(container)[self.value(index)]
            case ast.Call(ast.Name(name), arguments, keywords) if name in self._functions:
                return self._call(name, arguments, keywords)
        raise _RefusedError

    def _key(self, node: ast.expr | None) -> Any:
        if node is None:  # {**other}
            raise _RefusedError
        return self.value(node)

    def _boolean(self, conjunction: bool, operands: list[ast.expr]) -> Any:
        result: Any = None
        for operand in operands:
            result = self.value(operand)
            if bool(result) is not conjunction:
                break
        return result

    def _compare(self, left: Any, ops: list[ast.cmpop], comparators: list[ast.expr]) -> Any:
        result: Any = True
        for op, comparator in zip(ops, comparators, strict=True):
            right = self.value(comparator)
            result = _OPERATORS[type(op)](left, right)
            if not result:
                break
            left = right
        return result

    def _call(self, name: str, arguments: list[ast.expr], keywords: list[ast.keyword]) -> Any:
        given: list[Any] = []
        for argument in arguments:
            if isinstance(argument, ast.Starred):
                given += self.value(argument.value)
            else:
                given.append(self.value(argument))
        named = {keyword.arg or "": self.value(keyword.value) for keyword in keywords}
        return _bounded(self._functions[name](*given, **named))


def _binary(op: type[ast.operator], left: Any, right: Any) -> Any:
    integers = isinstance(left, int) and isinstance(right, int)
    if op is ast.Pow and integers and max(left.bit_length() - 1, 0) * right > MAX_BITS:
        raise _RefusedError
    if op is ast.LShift and integers and left.bit_length() + right > MAX_BITS:
        raise _RefusedError
    if op is ast.Mod and isinstance(left, str | bytes):  # "%999999999d" % 1
        raise _RefusedError
    if op is ast.Mult:
        for sequence, count in ((left, right), (right, left)):
            sized = isinstance(sequence, str | bytes | list | tuple) and isinstance(count, int)
            if sized and len(sequence) * count > MAX_ITEMS:
                raise _RefusedError
    return _bounded(_OPERATORS[op](left, right))


def _bounded(value: Any) -> Any:
    """Return a value that is not too large to go on with."""
    if isinstance(value, int) and value.bit_length() > 2 * MAX_BITS:
        raise _RefusedError
    if _size(value, MAX_ITEMS) > MAX_ITEMS:
        raise _RefusedError
    return value


def _size(value: Any, limit: int) -> int:
    """Return how many items a value has in all; counting stops above the limit."""
    if isinstance(value, str | bytes):
        return len(value)
    if not isinstance(value, list | tuple):
        return 1
    size = len(value)
    for item in value:
        if size > limit:
            break
        size += _size(item, limit - size)
    return size


def _power(base: Any, exponent: Any, modulus: int | None = None) -> Any:
    if modulus is None:
        return _binary(ast.Pow, base, exponent)
    if max(number.bit_length() for number in (base, exponent, modulus)) > _MODULAR_BITS:
        raise _RefusedError
    return pow(base, exponent, modulus)


def _round(number: Any, ndigits: int | None = None) -> Any:
    if ndigits is not None and abs(ndigits) > MAX_LENGTH:  # round(1, -10**10) takes forever
        raise _RefusedError
    return round(number, ndigits)


def _sum(items: Any, /, start: Any = 0) -> Any:
    if isinstance(start, str | bytes):
        raise TypeError("expected numbers, got text")
    result = start
    for item in items:
        result = _binary(ast.Add, result, item)
    return result


FUNCTIONS: Functions = {
    "abs": abs,
    "all": all,
    "any": any,
    "bool": bool,
    "divmod": divmod,
    "float": float,
    "int": int,
    "len": len,
    "list": list,
    "max": max,
    "min": min,
    "pow": _power,
    "reversed": lambda items: list(reversed(items)),
    "round": _round,
    "sorted": sorted,
    "str": lambda value="": str(value),
    "sum": _sum,
    "tuple": tuple,
}
"""Built-in functions that an expression may call."""
