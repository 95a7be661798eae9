"""The calculator against `eval`, which tau-bench uses: the same text for the same expression."""

import re
import time
import warnings

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sca_envs.core.errors import ToolError
from sca_envs.domains.calculator import MAX_LENGTH, calculate

CHARACTERS = "0123456789+-*/(). "


def by_eval(expression: str) -> str:
    """Return what tau-bench says."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "perhaps you missed a comma?"
            return str(round(float(eval(expression, {"__builtins__": None}, {})), 2))
    except Exception as error:
        return f"Error: {error}"


def by_us(expression: str) -> str:
    try:
        return calculate(expression)
    except ToolError as error:
        return f"Error: {error}"


def compare(expression: str) -> None:
    # Longer numbers, powers of powers and of products could pass our limits and keep `eval` busy.
    assume(not re.search(r"\d{4}", expression))
    assume("**" not in expression or expression.count("*") == 2)
    assert by_us(expression) == by_eval(expression)


_numbers = st.integers(0, 999).map(str) | st.sampled_from(
    ["0.5", ".25", "3.", "007", "00", "1.005", "2.675", "1.2.3", "...", "()", "", "9" * 3 + ".99"]
)
_operators = st.sampled_from([*"+-*/", "//", "**", " + ", " - ", " ", "", "(", "* *", "/ /"])


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, _operators, inner).map("".join),
        st.tuples(st.sampled_from(["-", "+", "(-", "( "]), inner, st.sampled_from([")", ""])).map(
            "".join
        ),
        inner.map("({})".format),
    )


@settings(max_examples=400)
@given(st.recursive(_numbers, _combined, max_leaves=6))
@example("1(2)")
@example("1(*2)")
@example("1(*())")
@example("1(**2)")
@example("...(2)")
@example("()()")
@example("()*2")
@example("2*()")
@example("-()")
@example("()+()")
@example("(1)/(0)")
@example("0.0//0")
@example("0**-1")
@example("(-8)**.5")
@example("(-8)**.5//1")
@example("999.**999")
@example("999**999")
@example("2**-999")
@example("1.005*100")
@example("-0.001")
@example("   1 + 1   ")
def test_expressions(expression: str) -> None:
    compare(expression)


@settings(max_examples=1_000)
@given(st.text(CHARACTERS, max_size=12))
@example("")
@example(" ")
@example("1..2")
@example("- - +1")
@example("*1")
@example("**")
def test_any_text_of_the_allowed_characters(expression: str) -> None:
    compare(expression)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3 * (4 - 1)", "11.0"),
        ("10 / 4", "2.5"),
        ("7 // 2", "3.0"),
        ("2 ** 10", "1024.0"),
        ("-2 ** 2", "-4.0"),
        ("2 / 3", "0.67"),
        ("103.27 + 54.04 - .5", "156.81"),
        ("2 ** 1000 / 2 ** 999", "2.0"),
    ],
)
def test_values(expression: str, value: str) -> None:
    assert calculate(expression) == value


@pytest.mark.parametrize(
    "expression", ["a", "1e5", "1,000", "2^3", "1\n+1", "\uff11", "1%2", "$5", "_"]
)
def test_other_characters_are_refused(expression: str) -> None:
    with pytest.raises(ToolError, match=r"^invalid characters in expression$"):
        calculate(expression)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("9**9**9", "int too large to convert to float"),
        ("9**9**9**9**9", "int too large to convert to float"),
        ("9" * 300 + "**" + "9" * 300, "int too large to convert to float"),
        ("-9**9**9//9**9**9", "int too large to convert to float"),
        ("(9**9999)**9999", "int too large to convert to float"),
        ("*".join(["9**20000"] * 60), "int too large to convert to float"),
        ("2**" * 333 + "2", "nested too deeply"),
        ("9.**9**9**9", "int too large to convert to float"),
        ("9**9.**9**9", "(34, "),
        ("9" * 999, "int too large to convert to float"),
        ("1" * MAX_LENGTH + "1", f"expected at most {MAX_LENGTH} characters, got 1001"),
        ("(" * 10_000_000, "expected at most 1000 characters, got 10000000"),
        ("(" * 500 + "1" + ")" * 499, "nested parentheses"),
        ("(" * 150 + "1" + ")" * 150, None),
        ("(" * 400 + "1" + ")" * 400, "nested parentheses"),
        ("-" * 999 + "1", None),
        ("1" + "+1" * 499, None),
        ("1" + "*1" * 499, None),
        ("2**-" * 249 + "1", None),
    ],
    ids=range(19),
)
def test_limits_are_reached_at_once(expression: str, problem: str | None) -> None:
    begin = time.thread_time()
    text = by_us(expression)
    assert time.thread_time() - begin < 20
    if problem is not None:
        assert text.startswith("Error: ")
        assert problem in text


@settings(max_examples=300)
@given(st.lists(st.sampled_from(["9", "99999", "**", "*", "//", "-", "(", ")", "."])))
def test_no_text_takes_long(parts: list[str]) -> None:
    begin = time.thread_time()
    by_us("".join(parts))
    assert time.thread_time() - begin < 20
