"""Other plausible values: what an argument or an answer could have been by mistake.

Most plausible is what stands in the same place of the data as the value itself: another item of
the same order, another order of the same customer, another flight of the same day. Where a value
does not occur in the data, a small change of it is next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from sca_envs.core.database import Base, same_json
from sca_envs.core.domain import Domain

_PLACES = 3
_LONGEST_NUMBER = 100
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|\.\d)")
_OPPOSITES = {"yes": "no", "true": "false", "male": "female", "a": "b"}
_OPPOSITES |= {right: left for left, right in _OPPOSITES.items()}

Place = tuple[str, str, str]
"""Table, key of the record, and where in it: field names and ``*`` for any index or key."""


class Places:
    """Where texts occur in the tables of a domain.

    Args:
        base: The tables.
    """

    def __init__(self, base: Base) -> None:
        self._base = base
        self._of: dict[str, list[Place]] = {}
        self._keys = {table: list(rows) for table, rows in base.tables.items()}
        for table, rows in base.tables.items():
            for key, record in rows.items():
                self._note(key, (table, "", ""))
                for path, text in _texts(record, ""):
                    self._note(text, (table, key, path))

    def _note(self, text: str, place: Place) -> None:
        places = self._of.setdefault(text, [])
        if len(places) < _PLACES and all(place[::2] != other[::2] for other in places):
            places.append(place)

    def siblings(self, text: str, rng: np.random.Generator) -> Iterator[str]:
        """Yield other texts from the places of one, those of the same record first."""
        places = self._of.get(text, [])
        for table, key, path in places:
            if key:
                yield from _shuffled(self._at(table, key, path), rng)
        for table, _, path in places:
            keys = self._keys[table]
            for number in rng.integers(len(keys), size=4):
                if path:
                    yield from list(self._at(table, keys[number], path))[:1]
                else:
                    yield keys[number]

    def _at(self, table: str, key: str, path: str) -> list[str]:
        record = self._base.tables[table][key]
        return [text for where, text in _texts(record, "") if where == path]


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a JSON value and where they are; keys that look like ids count, too."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, f"{path}/*")
    elif isinstance(value, dict):
        ids = len(value) > 0 and all(any(c.isdigit() for c in key) for key in value)
        for key, item in value.items():
            if ids:
                yield f"{path}/*key", key
            yield from _texts(item, f"{path}/*" if ids else f"{path}/{key}")


def _shuffled(items: list[str], rng: np.random.Generator) -> list[str]:
    return [items[i] for i in rng.permutation(len(items))]


_places: WeakKeyDictionary[Base, Places] = WeakKeyDictionary()


def places(base: Base) -> Places:
    """Return where texts occur in tables, found out once."""
    if base not in _places:
        _places[base] = Places(base)
    return _places[base]


class Alternatives:
    """Draws other plausible values for the arguments of a domain's tools and for answers.

    Args:
        domain: The world.
        rng: The generator of random numbers to draw with.
    """

    def __init__(self, domain: Domain, rng: np.random.Generator) -> None:
        self._domain = domain
        self._rng = rng
        self._places = places(domain.base)

    def of_argument(self, tool: str, name: str, value: Any, limit: int = 3) -> list[Any]:
        """Return other values for an argument, the most plausible first.

        Args:
            tool: The tool's name.
            name: The parameter's name.
            value: Its value.
            limit: Most values to return.
        """
        properties = self._domain.tools[tool].parameters["properties"]
        schema = properties.get(name, {})
        candidates = [other for other in schema.get("enum", ()) if other != value]
        candidates += self._vary(value)
        drawn = name in properties and "enum" not in schema
        if len(candidates) < limit and drawn and not isinstance(value, list | dict):
            candidates.append(self._domain.sample_argument(self._rng, name))
        return _distinct(candidates, value, limit)

    def of_answer(self, answer: str, limit: int = 5) -> list[str]:
        """Return other answers: each number in it a little off, another name, the opposite.

        Args:
            answer: The right answer.
            limit: Most answers to return, besides an empty one.
        """
        candidates: list[Any] = []
        for found in _NUMBER.finditer(answer):
            for other in _other_numbers(found[0]):
                candidates.append(answer[: found.start()] + other + answer[found.end() :])
        if not candidates:
            candidates += self._other_texts(answer)
        if not candidates:
            candidates += ["unknown", answer[: len(answer) // 2]]
        if len(candidates) > limit:
            candidates = [candidates[i] for i in self._rng.permutation(len(candidates))]
        return ["", *_distinct(candidates, answer, limit)]

    def _vary(self, value: Any) -> list[Any]:
        """Return values that differ from one in one place."""
        match value:
            case bool():
                return [not value]
            case int() | float():
                return [value + 1, value - 1, value * 2] if value > 1 else [value + 1, value + 2]
            case str():
                return list(self._places.siblings(value, self._rng)) or self._other_texts(value)
            case list():
                shorter = [value[:i] + value[i + 1 :] for i in range(len(value))]
                varied = [
                    [*value[:i], other, *value[i + 1 :]]
                    for i, item in enumerate(value)
                    for other in self._vary(item)[:2]
                ]
                return [*varied[:2], *(shorter if len(value) > 1 else []), *varied[2:]]
            case dict():
                return [
                    {**value, key: other}
                    for key, item in value.items()
                    for other in self._vary(item)[:1]
                ]
            case _:
                return []

    def _other_texts(self, text: str) -> list[str]:
        """Return texts that could stand for one that need not occur in the data."""
        bare = text.strip().lower()
        if bare in _OPPOSITES:
            return [_OPPOSITES[bare]]
        others = list(self._places.siblings(text, self._rng))
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list | dict):
            others += [json.dumps(item, ensure_ascii=False) for item in self._vary(listed)]
        digits = [i for i, letter in enumerate(text) if letter.isdecimal()]
        for i in digits[-1:]:
            others.append(text[:i] + str((int(text[i]) + 1) % 10) + text[i + 1 :])
        if not digits and len(text) > 1:
            others.append(text[1:] + text[0] if text[1:] + text[0] != text else text + text[0])
        return others


def _other_numbers(text: str) -> list[str]:
    """Return numbers near one, written as it is."""
    plain = text.replace(",", "")
    if len(plain) > _LONGEST_NUMBER:  # Python would refuse it, or make it infinite
        return [text[:-1] + str((int(text[-1]) + 1) % 10)]
    if "." not in plain:
        value = int(plain)
        return [str(value + 1), str(value - 1), str(value * 2 + 3)]
    digits = len(plain.partition(".")[2])
    amount = float(plain)
    return [f"{other:.{digits}f}" for other in (amount + 0.11, amount * 1.05 + 1, amount * 0.9 - 1)]


def _distinct(candidates: list[Any], value: Any, limit: int) -> list[Any]:
    distinct: list[Any] = []
    for candidate in candidates:
        if not any(same_json(candidate, other) for other in (value, *distinct)):
            distinct.append(candidate)
    return distinct[:limit]
