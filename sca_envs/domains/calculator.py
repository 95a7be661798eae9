"""Arithmetic on expressions that a model wrote, without `eval`.

tau-bench's `calculate` hands such text to `eval`; this evaluator walks the syntax tree instead and
gives the same text for it, error messages of the running Python included, but refuses what would
take unbounded time or memory.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from sca_envs.core.errors import ToolError

MAX_LENGTH = 1_000
"""Longest expression in characters."""
MAX_DEPTH = 100
"""Deepest nesting of parentheses and signs. A bound of our own: Python's would depend on how deep
the caller is."""
MAX_BITS = 65_536
"""Largest integer, in bits; enough for any quotient that still fits a float."""

_ALLOWED = frozenset("0123456789+-*/(). ")

# What Python says of such a number in the end; saying it early keeps the time bounded.
_TOO_LARGE = "int too large to convert to float"

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


def calculate(expression: str) -> str:
    """Return the value of an arithmetic expression, rounded to two digits, as tau-bench prints it.

    Args:
        expression: Numbers, ``+ - * / ( )``, points and spaces; hence also ``**`` and ``//``.

    Raises:
        ToolError: If the expression has another character, no value, or passes a limit.
    """
    if not _ALLOWED.issuperset(expression):
        raise ToolError("invalid characters in expression")
    if len(expression) > MAX_LENGTH:
        raise ToolError(
            f"the expression is too long: expected at most {MAX_LENGTH} characters, "
            f"got {len(expression)}"
        )
    try:
        # `eval` skips leading blanks, which `ast.parse` would take for an indent.
        tree = ast.parse(expression.lstrip(" "), filename="<string>", mode="eval")
        return str(round(float(_evaluate(tree.body)), 2))
    except (RecursionError, MemoryError):
        raise ToolError("the expression is nested too deeply") from None
    except (ArithmeticError, SyntaxError, TypeError, ValueError) as error:
        raise ToolError(str(error)) from None


def _evaluate(node: ast.expr, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise ToolError("the expression is nested too deeply")
    match node:
        case ast.Constant(value):
            return value
        case ast.BinOp():
            return _evaluate_chain(node, depth + 1)
        case ast.UnaryOp(op, operand):
            return _UNARY[type(op)](_evaluate(operand, depth + 1))
        case ast.Tuple([]):
            return ()
        case ast.Call(function, arguments, keywords):
            raise _call_error(_evaluate(function, depth + 1), arguments, keywords, depth + 1)
        case _:
            raise SyntaxError("invalid syntax (<string>, line 1)")


def _evaluate_chain(node: ast.BinOp, depth: int) -> Any:
    """Return the value of ``a + b - c …``, whose tree is as deep on the left as it has parts."""
    parts: list[tuple[ast.operator, ast.expr]] = []
    first: ast.expr = node
    while isinstance(first, ast.BinOp):
        parts.append((first.op, first.right))
        first = first.left
    value = _evaluate(first, depth)
    for op, right in reversed(parts):
        operand = _evaluate(right, depth)
        if isinstance(op, ast.Pow):
            value = _power(value, operand)
        else:
            value = _limited(_BINARY[type(op)](value, operand))
    return value


def _call_error(
    called: Any, arguments: list[ast.expr], keywords: list[ast.keyword], depth: int
) -> TypeError:
    """Return what Python raises for a call of a number, such as ``2(3)``."""
    for argument in arguments:
        if isinstance(argument, ast.Starred):
            value = _evaluate(argument.value, depth)
            if not isinstance(value, tuple):
                kind = type(value).__name__
                return TypeError(f"{called!r} argument after * must be an iterable, not {kind}")
        else:
            _evaluate(argument, depth)
    for keyword in keywords:
        kind = type(_evaluate(keyword.value, depth)).__name__
        return TypeError(f"{called!r} argument after ** must be a mapping, not {kind}")
    return TypeError(f"'{type(called).__name__}' object is not callable")


def _power(base: Any, exponent: Any) -> Any:
    integers = isinstance(base, int) and isinstance(exponent, int)
    # A lower bound of the result's size, so that what is refused would really be too large.
    if integers and max(base.bit_length() - 1, 0) * exponent > MAX_BITS:
        raise OverflowError(_TOO_LARGE)
    return operator.pow(base, exponent)


def _limited(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > 2 * MAX_BITS:
        raise OverflowError(_TOO_LARGE)
    return value
