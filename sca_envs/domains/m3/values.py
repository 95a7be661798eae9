"""How M3ToolEval shows values, and the arithmetic of its tools in bounded time and memory."""

from __future__ import annotations

import ast
import functools
import operator
import re
import warnings
from collections.abc import Iterable
from typing import Any

MAX_SHOWN = 2_000
"""Longest observation of a tool call in characters."""
_CUT = "...\n[Output Truncated]"
_NO_OUTPUT = "[Executed Successfully with No Output, Did you forget to print?]"
_PROMPT = re.compile(r"Out\[\d+\]:")
_MAX_LITERAL = 10_000


def show(result: Any) -> str:
    """Return a tool's result as the agent reads it: Python's text for it, cut off when long."""
    text = str(result)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + _CUT


def show_output(printed: str) -> str:
    """Return what an agent's code printed as the agent reads it in the format ``m3-code``.

    If it is a literal of Python, that value is shown: ``380.40`` reads 380.4, ``10,000`` reads
    (10, 0), and a text in quotes loses them.
    """
    text = _PROMPT.sub("", show(printed) if printed else _NO_OUTPUT)
    try:
        return str(literal(text.strip()))
    except ValueError:
        return text


def literal(text: str) -> Any:
    """Return the value of a literal of Python.

    Raises:
        ValueError: If the text is none, or too long or nested to be looked at, or has a set, whose
            order would differ from process to process.
    """
    if len(text) > _MAX_LITERAL:
        raise ValueError(f"Expected at most {_MAX_LITERAL} characters, got {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unusual backslash is the agent's business
            tree = ast.parse(text.lstrip(" \t"), mode="eval")
            if any(isinstance(node, ast.Set) for node in ast.walk(tree)):
                raise ValueError("Expected no set")
            return ast.literal_eval(tree)
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(str(error)) from None


def product(left: Any, right: Any) -> Any:
    """Return ``left * right``; of a sequence that is repeated only as much as can be shown.

    The original's tools multiply whatever they are given, so that a price ``"$5"`` times 2 is
    ``"$5$5"`` there; times a billion it must not fill the memory here.
    """
    for sequence, count in ((left, right), (right, left)):
        if isinstance(sequence, str | list) and isinstance(count, int):
            shown = max(1, len(str(sequence)) - 2)  # without brackets
            return sequence * min(count, MAX_SHOWN // shown + 2)
    return left * right


def total(values: Iterable[Any]) -> Any:
    """Return the sum, added up from left to right.

    The built-in `sum` of Python 3.12 and later compensates rounding errors of floats; expected
    answers are those of Python 3.11.
    """
    return functools.reduce(operator.add, values, 0)
