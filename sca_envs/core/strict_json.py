"""JSON from files that anybody may have written: what readers would take differently is refused.

Python's reader takes more than JSON has: ``NaN``, a key twice, numbers without end. Each of these
would come back as something else, or crash what comes later, so it is an error that names the
place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from sca_envs.core.errors import shorten

MAX_DEPTH = 100
"""Most levels of objects and lists within each other."""
MAX_CONTAINERS = 1_000_000
"""Most objects and lists in a value, and so a bound of the memory that it takes."""
MAX_DIGITS = 100
"""Most digits of an integer."""


class JSONError(ValueError):
    """Text is no JSON, or a value cannot be JSON; the message names the field."""

    def __init__(self, problem: str) -> None:
        self.path: list[str | int] = []
        self.problem = problem

    def __str__(self) -> str:
        return f"{field_name(self.path)}: {self.problem}" if self.path else self.problem


def field_name(path: Iterable[str | int]) -> str:
    """Return the place of a value as ``script.facts.0.cues``; strange keys are quoted."""
    return ".".join(
        str(part) if isinstance(part, int) or (part.isidentifier() and len(part) < 80)
        else shorten(part)
        for part in path
    )  # fmt: skip


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Args:
        text: The text; bytes are UTF-8 without a byte order mark.

    Raises:
        JSONError: If it is none, or has a key twice, a number that is not finite, an integer of
            more than `MAX_DIGITS` digits, or more than `MAX_DEPTH` levels.
    """
    try:
        text = text.decode() if isinstance(text, bytes) else text
        if text.startswith("\ufeff"):
            raise JSONError("Invalid JSON: expected UTF-8 without a byte order mark")
        containers = text.count("{") + text.count("[")
        if containers > MAX_CONTAINERS:
            raise JSONError(f"expected at most {MAX_CONTAINERS:,} objects and lists, got more")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise JSONError(
            f"Invalid JSON: expected UTF-8, got byte 0x{byte:02x} at {error.start + 1}"
        ) from None
    except json.JSONDecodeError as error:
        raise JSONError(f"Invalid JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise JSONError(_DEEP) from None
    check_json(value)
    return value


def check_json(value: Any, depth: int = 0) -> None:
    """Look whether a value is one that `parse_json` gives.

    Raises:
        JSONError: If it is not.
    """
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return
    if kind is float:
        if not math.isfinite(value):
            raise JSONError(f"expected a finite number, got {value}")
    elif kind is _Problem:
        raise JSONError(value)
    elif kind is dict or kind is list:
        if depth >= MAX_DEPTH:
            raise JSONError(_DEEP)
        for key, item in value.items() if kind is dict else enumerate(value):
            try:
                check_json(item, depth + 1)
            except JSONError as error:
                error.path.insert(0, key)
                raise
    else:
        raise JSONError(f"expected text, numbers, lists and objects, got {kind.__name__}")


_DEEP = f"expected at most {MAX_DEPTH} levels of lists and objects, got more"


class _Problem(str):
    """Stands where a value is that is refused, until its place is known."""

    __slots__ = ()


def _integer(text: str) -> Any:
    if len(text) > MAX_DIGITS:
        return _Problem(f"expected an integer of at most {MAX_DIGITS} digits, got {len(text)}")
    return int(text)


def _float(text: str) -> Any:
    value = float(text)
    if math.isfinite(value):
        return value
    return _Problem(f"expected a finite number, got {shorten(text)}")


def _constant(text: str) -> Any:
    return _Problem(f"expected a finite number, got {text}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                value[key] = _Problem("expected the key once, it occurs twice")
            seen.add(key)
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
