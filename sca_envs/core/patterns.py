"""Regular expressions that come with tasks, which are data and may be hostile.

Python's engine backtracks: some patterns of ten characters take it years. So a pattern is looked at
before it is used, and refused where it could take more than a bounded number of steps on the
longest text that it is ever matched against. The bound is worked out from the pattern alone, as if
every choice in it were tried, so it is the same on every machine.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterable, Sequence
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from sca_envs.core.errors import shorten

ATTENTION = 4_000
"""How many characters at the end of a message a scripted user looks at for what it means."""
MAX_LENGTH = 1_000
"""Most characters of a pattern."""
MAX_STEPS = 500
"""Most steps of a pattern at one place of a text: with `ATTENTION`, some hundredths of a second."""
MAX_SCRIPT_STEPS = 10_000
"""Most steps of all patterns of a script together."""

_MAX_GROUPS = 50
_ENDLESS = 10**9
"""Steps of what is refused in any case; sums stop here, so that they stay small numbers."""
_FLAGS = re.UNICODE | re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE | re.ASCII
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_SINGLE = {op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN}
_LOOKS = {op.ASSERT, op.ASSERT_NOT}
_LATER, _FIRST, _WORD_ENDS = range(3)
_REPEATS = {op.MAX_REPEAT, op.MIN_REPEAT}


def check_patterns(patterns: Iterable[str]) -> None:
    """Look at all patterns of a script.

    Raises:
        ValueError: If one is refused (see `compile_pattern`), or together they take too long.
    """
    total = sum(_examine(pattern) for pattern in patterns)
    if total > MAX_SCRIPT_STEPS:
        raise ValueError(
            f"expected regular expressions of {MAX_SCRIPT_STEPS} steps at most in a script, got "
            f"{total}; give it fewer or simpler ones"
        )


@functools.lru_cache(maxsize=4096)
def compile_pattern(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return a compiled pattern, for texts of at most `ATTENTION` characters.

    Args:
        pattern: The pattern.
        flags: Those of `re.compile`.

    Raises:
        ValueError: If it is no regular expression, or could take too long: repeats within repeats,
            repeats one after the other, backreferences.
    """
    _examine(pattern)
    return re.compile(pattern, flags)


@functools.lru_cache(maxsize=4096)
def _examine(pattern: str) -> int:
    """Return the most steps that a pattern takes at one place of a text.

    Raises:
        ValueError: If it is refused.
    """
    if len(pattern) > MAX_LENGTH:
        raise ValueError(
            f"expected a regular expression of {MAX_LENGTH} characters at most, got {len(pattern)}"
        )
    what = f"regular expression {shorten(pattern)}"
    if pattern.count("(") > _MAX_GROUPS:
        raise ValueError(f"expected at most {_MAX_GROUPS} groups in the {what}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Python warns of will mean something else one day
            parsed = parser.parse(pattern)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        raise ValueError(
            f"expected a regular expression, got {shorten(pattern)}: {error}"
        ) from None
    if parsed.state.flags & ~_FLAGS:
        raise ValueError(f"expected no flags but a, i, m, s and x in the {what}")
    _, steps = _sequence(parsed.data, what, _FIRST)
    if steps > MAX_STEPS:
        raise ValueError(
            f"the {what} could take too long on some texts: up to "
            f"{'endless' if steps >= _ENDLESS else steps} steps at each place, and {MAX_STEPS} are "
            "allowed; avoid repeats within or after repeats, and give repeats a small limit"
        )
    return max(1, steps)


def _sequence(items: Sequence[Any], what: str, place: int) -> tuple[int, int]:
    """Return in how many ways items in a row can match at one place, and in how many steps.

    Args:
        items: What the parser made of them.
        what: What errors call the pattern.
        place: `_FIRST` if they are tried at each place of the text, `_WORD_ENDS` if only at the
            ends of words: a run of word characters from there takes, over all places, no more steps
            than the text has characters. Else `_LATER`.
    """
    ways, steps = 1, 0
    for kind, value in items:
        if place == _WORD_ENDS and kind in _REPEATS and _is_word_character(value[2].data):
            more_ways, more_steps = 2, 2
        else:
            more_ways, more_steps = _item(kind, value, what, place)
        steps = min(steps + ways * more_steps, _ENDLESS)
        ways = min(ways * more_ways, _ENDLESS)
        if kind is op.AT:
            place = _WORD_ENDS if place and value is op.AT_BOUNDARY else place
        elif kind not in _LOOKS:
            place = _LATER
    return ways, steps


def _item(kind: Any, value: Any, what: str, place: int) -> tuple[int, int]:
    """Return the same of one item."""
    if kind is op.IN:  # a wide range takes its time when it is compiled
        ranges = [limits for member, limits in value if member is op.RANGE]
        return 1, 1 + sum((last - first) // 256 for first, last in ranges)
    if kind in _SINGLE or kind is op.AT:
        return 1, 1
    if kind in _REPEATS:
        return _repeat(value, what)
    if kind is op.BRANCH:
        branches = [_sequence(branch.data, what, place) for branch in value[1]]
        return sum(ways for ways, _ in branches), sum(1 + steps for _, steps in branches)
    if kind in _LOOKS:
        direction, inner = value
        shortest, longest = inner.getwidth()
        if direction < 0 and shortest != longest:
            raise ValueError(f"expected a look-behind of one width in the {what}")
        return 1, 1 + _sequence(inner.data, what, place if direction > 0 else _LATER)[1]
    if kind is op.SUBPATTERN and not value[1] and not value[2]:
        return _sequence(value[3].data, what, place)
    problem = "flags of a group" if kind is op.SUBPATTERN else f"{str(kind).lower()}"
    raise ValueError(f"expected no {problem} in the {what}")


def _repeat(value: Any, what: str) -> tuple[int, int]:
    least, most, inner = value
    ways, steps = _sequence(inner.data, what, _LATER)
    single = len(inner.data) == 1 and inner.data[0][0] in _SINGLE
    steps = max(1, steps) + (0 if single else 1)  # a loop over groups takes longer
    most = min(int(most), ATTENTION)
    least = min(int(least), most)
    if ways == 1:  # as many ways as there are numbers of repeats
        return most - least + 1, 1 + most * steps
    if most > 30:  # at least 2**30
        return _ENDLESS, _ENDLESS
    paths = [ways**k for k in range(most + 1)]
    return sum(paths[least:]), 1 + steps * sum(paths[:most])


def _is_word_character(items: Sequence[Any]) -> bool:
    """Return whether this is one character of a word, such as ``[a-z0-9]``."""
    if len(items) != 1:
        return False
    kind, value = items[0]
    members = value if kind is op.IN else [(kind, value)]
    return all(_is_of_words(*member) for member in members)


def _is_of_words(kind: Any, value: Any) -> bool:
    if kind is op.LITERAL:
        return chr(value) in _WORD
    if kind is op.RANGE:
        return all(chr(code) in _WORD for code in range(value[0], min(value[1], 128) + 1))
    return kind is op.CATEGORY and value in (op.CATEGORY_WORD, op.CATEGORY_DIGIT)
