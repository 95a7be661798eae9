r"""How customers say things: texts with slots, from a file beside the domain's code.

A file of wordings is TOML. Each table is a wish, named as its function; each key in it is a list
of texts of which one is drawn. A wish has either one pool for all tasks or two, so that tasks of
the test split are worded otherwise than those that a model trained on::

    [cues]                                  # what an agent's question for a fact matches
    reason = ['reason', '\bwhy\b']

    [shared]                                # what several wishes say
    order = ["It is order {order}.", "The order number is {order}."]

    [cancel_order.train]
    opening = ["Please cancel {order}.", "I want to cancel {order}."]

    [cancel_order.test]
    opening = ["I'm no longer interested in {order}, so call it off."]
"""

from __future__ import annotations

import functools
import re
import string
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from sca_envs.core.errors import OptionError, shorten
from sca_envs.core.patterns import check_patterns

POOLS = ("train", "test")
_SLOT = re.compile(r"[^\W\d]\w*(\.[^\W\d_]\w*)*")
"""A name, perhaps with public attributes of what it stands for."""
_CUES, _SHARED = NO_WISHES = ("cues", "shared")
"""Tables of the file that are no wishes."""

Texts = Mapping[str, Mapping[str, Sequence[str]]]
"""Wish -> key -> texts."""


@dataclass(frozen=True)
class Wordings:
    """The wordings of a domain."""

    cues: Mapping[str, tuple[str, ...]]
    """Key of a fact -> regular expressions of questions for it (see `sca_envs.core.task.Fact`)."""
    pools: Mapping[str, Texts]
    """``train`` and ``test``, each with all texts that tasks of that split may use."""

    @classmethod
    def read(cls, package: str, name: str = "wordings.toml") -> Wordings:
        """Read the wordings of a package, once a process.

        Args:
            package: The package that has the file, such as ``__name__`` of a domain.
            name: Name of the file.

        Raises:
            OptionError: If the file is missing or not as it must be.
        """
        return _read(package, name)

    @classmethod
    def parse(cls, text: str, name: str = "wordings") -> Wordings:
        """Return the wordings of a text in TOML.

        Args:
            text: The text.
            name: What errors call it.

        Raises:
            OptionError: If it is not as it must be.
        """
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise OptionError(f"{name}: {error}") from None
        cues = _read_cues(tables.pop(_CUES, {}), f"{name}: [{_CUES}]")
        pools: dict[str, dict[str, Mapping[str, Sequence[str]]]] = {pool: {} for pool in POOLS}
        for wish, table in tables.items():
            split = isinstance(table, dict) and set(table) == set(POOLS)
            for pool in POOLS:
                texts = table[pool] if split else table
                _check(texts, f"{name}: [{wish}{f'.{pool}' if split else ''}]")
                pools[pool][wish] = texts
        _check_slots(pools, name)
        return cls(cues, pools)

    def of(self, pool: str, wish: str, key: str) -> Sequence[str]:
        """Return the texts of a key, of the wish itself or shared by all.

        Raises:
            OptionError: If there are none.
        """
        tables = self.pools[pool]
        for table in (wish, _SHARED):
            if key in tables.get(table, {}):
                return tables[table][key]
        raise OptionError(
            f"Expected wordings for {key!r} in [{wish}] or [{_SHARED}] of the domain's "
            "wordings.toml; there are none"
        )


def enumerate_words(words: Iterable[str]) -> str:
    """Return ``a, b and c``."""
    *head, last = words
    return f"{', '.join(head)} and {last}" if head else last


@functools.cache
def _read(package: str, name: str) -> Wordings:
    try:
        text = files(package).joinpath(name).read_text(encoding="utf-8")
    except (OSError, ImportError, TypeError, ValueError) as error:
        raise OptionError(
            f"Expected a file {name} in UTF-8 in the package {package!r}: {error}"
        ) from None
    return Wordings.parse(text, f"{package}/{name}")


def _read_cues(table: Any, place: str) -> dict[str, tuple[str, ...]]:
    _check_lists(table, place)
    for key, group in table.items():
        try:
            check_patterns(group)
        except ValueError as error:
            raise OptionError(f"{place} {key}: {error}") from None
    return {key: tuple(group) for key, group in table.items()}


def _check(texts: Any, place: str) -> None:
    _check_lists(texts, place)
    for key, group in texts.items():
        for text in group:
            try:
                fields = list(_fields(text))
            except ValueError as error:
                raise OptionError(
                    f"{place} {key}: {error} in {shorten(text)}; write {{{{ and }}}} for braces"
                ) from None
            for slot, form in fields:
                if not _SLOT.fullmatch(slot) or "{" in form:
                    raise OptionError(
                        f"{place} {key}: expected slots such as {{order}}, {{amount:.2f}} or "
                        f"{{trip.day}}, got {shorten(text)}"
                    )


def _check_lists(table: Any, place: str) -> None:
    if not isinstance(table, dict):
        raise OptionError(f"{place}: expected a table of lists of texts, got {shorten(table)}")
    for key, group in table.items():
        if not (isinstance(group, list) and group and all(isinstance(one, str) for one in group)):
            raise OptionError(
                f"{place} {key}: expected a list of texts (and, for pools, both "
                f"{' and '.join(POOLS)}), got {shorten(group)}"
            )


def _check_slots(pools: Mapping[str, Texts], name: str) -> None:
    """Raise if a key is in one pool only, or its texts have slots that the other's have not."""
    train, test = (pools[pool] for pool in POOLS)
    for wish in train:
        for key in {*train[wish], *test[wish]}:
            slots = [{s for text in pool[wish].get(key, ()) for s, _ in _fields(text)}
                     for pool in (train, test)]  # fmt: skip
            if key not in train[wish] or key not in test[wish] or slots[0] != slots[1]:
                raise OptionError(
                    f"{name}: [{wish}] {key}: expected both pools to have it, with the same slots; "
                    f"got {sorted(slots[0])} in train and {sorted(slots[1])} in test"
                )


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield the slots of a text, each with how it is formatted.

    Raises:
        ValueError: If braces do not match.
    """
    for _, slot, form, conversion in string.Formatter().parse(text):
        if slot is not None:
            yield f"{slot}!{conversion}" if conversion else slot, form or ""
