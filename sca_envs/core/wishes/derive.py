"""Terms whose expression the author writes as text."""

from __future__ import annotations

import ast
import functools
import itertools
from typing import Any

from sca_envs.core.wishes.code import Code
from sca_envs.core.wishes.terms import Term

_ATOMIC = (ast.Call, ast.Subscript, ast.Attribute, ast.Name, ast.List, ast.IfExp, ast.Lambda)


def derive(value: Any, code: str, *terms: Term) -> Term:
    """Return a term that the methods of `Term` cannot say.

    Args:
        value: Its value.
        code: Its expression, with ``{0}``, ``{1}`` … for the terms, in parentheses where they need
            them; no other braces.
        terms: What it is made of.

    Raises:
        ValueError: If that is no expression.
    """
    pieces, atomic = _parse(code, len(terms))

    def spell() -> Code:
        return tuple(
            itertools.chain.from_iterable(
                terms[piece].operand if isinstance(piece, int) else (piece,) for piece in pieces
            )
        )

    return Term.later(lambda: value, spell, atomic=atomic)


@functools.cache
def _parse(code: str, count: int) -> tuple[tuple[str | int, ...], bool]:
    """Return the pieces of an expression, its terms by number, and whether it is atomic."""
    pieces: list[str | int] = []
    for place, part in enumerate(code.split("{")):
        index, brace, rest = part.partition("}")
        if place == 0:
            pieces.append(part)
        elif not brace or not index.isdecimal() or int(index) >= count:
            raise ValueError(f"expected {{0}} … for {count} terms, no other braces: {code!r}")
        else:
            pieces += [int(index), rest]
    try:
        # Any name will do for a term, whose code comes in parentheses where it needs them.
        text = "".join("term" if isinstance(piece, int) else piece for piece in pieces)
        kind = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"expected an expression in Python, got {code!r}: {error}") from None
    if isinstance(kind, ast.IfExp | ast.Lambda):  # these cannot stand behind an `if`
        pieces = ["(", *pieces, ")"]
    return tuple(pieces), isinstance(kind, _ATOMIC)
