"""Whether an answer is right: by M3ToolEval's own rules, or by clean ones."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from sca_envs.core.errors import OptionError
from sca_envs.core.task import ExpectedAnswer
from sca_envs.core.verifiers import CorrectAnswer
from sca_envs.domains.m3 import ORIGINAL
from sca_envs.domains.m3.values import literal

OBJECTION = (
    "Your answer is incorrect. Try again; the answer should stand alone, a single number for "
    "instance, with no words around it."
)
"""What an agent reads after a wrong answer."""

_HALF_A_CENT = 0.005
"""How far a float may be off, because agents round amounts to two digits."""
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")


def matches_as_original(answer: str, expected: ExpectedAnswer) -> bool:
    """Return whether M3ToolEval accepts an answer, accidental rules included.

    First both sides are converted to an integer, else a float, else a text; so the truncated value
    of an expected float is accepted. Then the answer's value as a literal, or else its text, has
    to read exactly as the expected value. An expected list, tuple or dictionary breaks off the
    first rule before the answer is read as a literal, so there only the exact text is accepted.

    Args:
        answer: What the agent answered.
        expected: The expected answer.
    """
    value = expected.value
    if isinstance(value, list | tuple | dict):
        return answer == str(value)
    if answer == value or _number_or_text(answer) == _number_or_text(value):
        return True
    try:
        return str(literal(answer)) == str(value)
    except ValueError:
        return answer == str(value)


def _number_or_text(value: Any) -> Any:
    for kind in (int, float):
        try:
            return kind(value)
        except (ValueError, OverflowError):
            pass
    return value


def matches_tolerantly(answer: str, expected: ExpectedAnswer) -> bool:
    """Return whether an answer says the expected value, however it is written.

    Blanks, quotes and a full stop around it do not count. Numbers may have a dollar sign and commas
    between thousands; floats may be off by half a cent, so both ``161.254`` and ``161.25`` will do.
    Letters count as they are.

    Args:
        answer: What the agent answered.
        expected: The expected answer.
    """
    return _says(answer.strip(), expected.value)


def _says(answer: str, value: Any) -> bool:
    if isinstance(value, str):
        return any(text == value for text in (answer, _bare(answer)))
    if isinstance(value, bool):
        return _bare(answer).lower() == str(value).lower()
    if isinstance(value, int | float):
        return _close(_number(_bare(answer)), value)
    try:
        return _close(literal(answer), value)
    except ValueError:
        return False


def _bare(answer: str) -> str:
    text = answer.strip().removesuffix(".").strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip()
    return text


def _number(text: str) -> float | None:
    text = text.removeprefix("$").strip()
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    try:
        return float(text)
    except ValueError:
        return None


def _close(given: Any, wanted: Any) -> bool:
    """Return whether two values are equal up to rounding, parts of containers included."""
    if isinstance(wanted, dict):
        return (
            isinstance(given, dict)
            and given.keys() == wanted.keys()
            and all(_close(given[key], wanted[key]) for key in wanted)
        )
    if isinstance(wanted, list | tuple):
        return (
            isinstance(given, list | tuple)
            and len(given) == len(wanted)
            and all(map(_close, given, wanted))
        )
    numbers = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    if numbers and isinstance(given, int | float) and not isinstance(given, bool):
        slack = _HALF_A_CENT if isinstance(wanted, float) else 0.0
        return math.isclose(given, wanted, rel_tol=1e-9, abs_tol=slack * (1 + 1e-9))
    return type(given) is type(wanted) and given == wanted


CHECKS: Mapping[str, Callable[[str, ExpectedAnswer], bool]] = {
    "original": matches_as_original,
    "tolerant": matches_tolerantly,
}
"""The ways to check an answer by name."""

_VERIFIERS = {name: CorrectAnswer(matches, OBJECTION) for name, matches in CHECKS.items()}


def default_check(data: str) -> str:
    """Return how answers are checked by default on a set of data."""
    return "original" if data == ORIGINAL else "tolerant"


def answer_verifier(check: str) -> CorrectAnswer:
    """Return the verifier that checks answers in one of the ways of `CHECKS`.

    Raises:
        OptionError: If there is no such way.
    """
    if check not in _VERIFIERS:
        raise OptionError(f"Expected check to be one of {', '.join(CHECKS)}; got {check!r}")
    return _VERIFIERS[check]
