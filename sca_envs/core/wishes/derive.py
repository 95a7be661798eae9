"""Terms whose expression the author writes as text."""

from __future__ import annotations

import ast
from typing import Any

from sca_envs.core.wishes.code import Piece, write
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
    pieces: list[Piece] = []
    for number, part in enumerate(code.split("{")):
        index, brace, rest = part.partition("}")
        if number == 0:
            pieces.append(part)
        elif not brace or not index.isdecimal() or int(index) >= len(terms):
            raise ValueError(f"expected {{0}} … for {len(terms)} terms, no other braces: {code!r}")
        else:
            pieces += [*terms[int(index)].operand, rest]
    try:
        kind = ast.parse(write(tuple(pieces)), mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"expected an expression in Python, got {code!r}: {error}") from None
    if isinstance(kind, ast.IfExp | ast.Lambda):  # these cannot stand behind an `if`
        pieces = ["(", *pieces, ")"]
    return Term(value, tuple(pieces), atomic=isinstance(kind, _ATOMIC))
