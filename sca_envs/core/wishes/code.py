"""Expressions of a solution: source text with holes for what is only known when it is written."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sca_envs.core.errors import shorten

LEAVES = frozenset((str, int, float, bool, type(None), slice))
"""Types of values that hold no others."""
_BOUND_NAMES = ("one", "other", "third", "fourth")


@dataclass(eq=False, slots=True)
class Given:
    """A value that the customer gives, which an attempt can get wrong."""

    value: Any
    """The right one, a JSON value."""
    confusable: tuple[Any, ...] = ()
    """Values that it could be mistaken for, the most telling first."""


@dataclass(eq=False, slots=True)
class Variable:
    """A name of the solution; its number is drawn up when the solution is written."""

    name: str


@dataclass(eq=False, slots=True)
class Bound:
    """The variable of one comprehension; its name is drawn up when the expression is written."""


Piece = str | Given | Variable | Bound
Code = tuple[Piece, ...]
"""An expression: source text with what is only known when the solution is written."""


def literal(value: Any) -> str:
    """Return a value as it is written in Python.

    Raises:
        TypeError: If it holds something that JSON cannot say.
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{literal(key)}: {literal(value[key])}' for key in value)}}}"
    if type(value) not in LEAVES or (isinstance(value, float) and not math.isfinite(value)):
        raise TypeError(f"expected a value as JSON has it, or a term; got {shorten(value)}")
    return repr(value)


def write(
    code: Code,
    names: Mapping[Variable, str] | None = None,
    instead: Mapping[Given, Any] | None = None,
) -> str:
    """Return an expression as source.

    Args:
        code: The expression.
        names: What variables are called; by default their own names.
        instead: Values to put in the place of given ones.
    """
    called: dict[Any, str] = {p: p.name for p in code if isinstance(p, Variable)}
    called |= names or {}
    more = (f"item_{number}" for number in itertools.count(len(_BOUND_NAMES) + 1))
    free = (name for name in itertools.chain(_BOUND_NAMES, more) if name not in called.values())
    text = ""
    for piece in code:
        match piece:
            case str():
                text += piece
            case Given():
                text += literal((instead or {}).get(piece, piece.value))
            case _:
                if piece not in called:
                    called[piece] = next(free)
                text += called[piece]
    return text
