"""Terms: the value and the code of a term never differ."""

from __future__ import annotations

import ast
import enum
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sca_envs.core.wishes import DeadEnd, Term, derive
from sca_envs.core.wishes.code import Given, Variable, write
from sca_envs.core.wishes.terms import plain, to_code

TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["{0}", "}", "it's", 'say "no"', "a\nb", "\\", "\N{SNOWMAN}", "\ud800", "#x"]),
)
NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6),
    st.floats(-1e6, 1e6),
    st.sampled_from([0, -1, 1e22, -1e22, 1e-9, -0.0, 5e-324, 10**30]),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"price": NUMBERS, "name": TEXTS, "tags": st.lists(TEXTS, min_size=1, max_size=3)}
    ),
    min_size=1,
    max_size=5,
)


def variable(value: Any, name: str = "x") -> Term:
    return Term(value, (Variable(name),))


def run(term: Term, **variables: Any) -> Any:
    """Return what the code of a term gives; the code must be an expression."""
    source = write(term.code)
    ast.parse(source, mode="eval")
    return eval(source, dict(variables))


def assert_same(term: Term, **variables: Any) -> None:
    result = run(term, **variables)
    assert repr(result) == repr(term.value), write(term.code)


@given(JSON)
def test_every_json_value_is_written_as_itself(value: Any) -> None:
    assert_same(Term(value, to_code(value)))
    assert_same(Term(value, (Given(value),)))
    assert_same(variable(value), x=value)


@given(JSON)
def test_a_result_in_json_is_read_as_the_solution_reads_it(value: Any) -> None:
    text = json.dumps(value)
    term = Term.of_result(text, ("x",))
    assert repr(term.value) == repr(json.loads(text) if text[:1] in ("{", "[") else text)


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
}
UNARY: dict[str, Callable[[Any], Any]] = {
    "-": lambda a: -a,
    "~": lambda a: ~a,
    "abs": abs,
    "round": round,
    "round 2": lambda a: round(a, 2),
    "sum": lambda a: Term([plain(a), plain(a)], ("[", *a.code, ", ", *a.code, "]")).total(
        lambda one: one * 2
    ),
}


@st.composite
def chains(draw: st.DrawFn) -> tuple[Term, dict[str, Any]]:
    """Draw an expression of numbers: variables, given values and plain ones, on both sides."""
    variables = {name: draw(NUMBERS) for name in "xyz"}
    terms: list[Any] = [variable(value, name) for name, value in variables.items()]
    terms += [Term(v, (Given(v),)) for v in draw(st.lists(NUMBERS, min_size=1, max_size=2))]
    for _ in range(draw(st.integers(1, 8))):
        left = draw(st.sampled_from(terms))
        try:
            if draw(st.booleans()):
                made = UNARY[draw(st.sampled_from(sorted(UNARY)))](left)
            else:
                right = draw(st.one_of(st.sampled_from(terms), NUMBERS))
                sides = (left, right) if draw(st.booleans()) else (right, left)
                sign = draw(st.sampled_from(sorted(BINARY)))
                made = BINARY[sign](*sides)
            _ = made.value
        except (ZeroDivisionError, OverflowError, TypeError):  # as without terms, or `1 & term`
            continue
        if isinstance(made.value, float) and made.value - made.value != 0:
            continue  # not in JSON
        terms.append(made)
    return terms[-1], variables


@given(chains())
def test_value_and_code_agree_in_any_chain_of_operators(case: tuple[Term, dict[str, Any]]) -> None:
    term, variables = case
    assert_same(term, **variables)


@pytest.mark.parametrize(
    "make",
    [
        lambda a, b, c: a - (b - c),
        lambda a, b, c: (a + b) * c,
        lambda a, b, c: a / (b / c),
        lambda a, b, c: 10 - a,
        lambda a, b, c: 10 / a * -b,
        lambda a, b, c: -Term(-a.value, (Given(-a.value),)),
        lambda a, b, c: -a.__neg__(),
        lambda a, b, c: -(a - b),
        lambda a, b, c: 1 - Term(-1, (Given(-1),)),
        lambda a, b, c: -Term(-1, (Given(-1),)),
        lambda a, b, c: -(a == b),
        lambda a, b, c: (a < b) == (b < c),
        lambda a, b, c: ~((a < b) & (b < c)) | (a == c),
        lambda a, b, c: ~(a < b) & (b < c),
        lambda a, b, c: (a | b) & c,
        lambda a, b, c: ~a + 1,
        lambda a, b, c: (a < b) + (b < c),
        lambda a, b, c: abs(a - b) - round(c, 1),
        lambda a, b, c: variable([1, 2], "d").contains(a) & (b < c),
    ],
)
def test_precedence(make: Callable[..., Term]) -> None:
    for values in [(1, 2, 3), (3, 2, 1), (2.5, -2, 1), (1, 1, 1)]:
        named = dict(zip("abc", values, strict=True))
        assert_same(make(*(variable(v, k) for k, v in named.items())), **named, d=[1, 2])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object(), b"x", 1j])
def test_what_is_no_json_has_no_code(value: Any) -> None:
    with pytest.raises(TypeError, match="as JSON has it"):
        to_code(value)
    with pytest.raises(TypeError, match="as JSON has it"):
        to_code({"a": [value]})
    with pytest.raises(TypeError, match="as JSON has it"):
        write((Given(value),))


def test_an_enumeration_is_no_json_although_it_is_a_text() -> None:
    class Reason(enum.StrEnum):
        LATE = "late"

    with pytest.raises(TypeError, match="as JSON has it"):
        to_code(Reason.LATE)  # its repr is no code


@given(JSON.filter(lambda value: isinstance(value, list | dict) and bool(value)))
def test_indexing_and_looking_through(value: Any) -> None:
    term = variable(value)
    assert_same(term.length(), x=value)
    if isinstance(value, dict):
        key = next(iter(value))
        assert_same(term[key], x=value)
        assert_same(term[variable(key, "k")], x=value, k=key)
        assert_same(term.get(key), x=value)
        assert_same(term.get("not there"), x=value)
        assert_same(term.get("not there", [1, {"a": None}]), x=value)
        assert_same(term.get(variable(key, "k"), variable(-1, "d")), x=value, k=key, d=-1)
        assert_same(term.contains(key), x=value)
        assert_same(term.values(), x=value)
        assert_same(term.values()[0], x=value)
        assert_same(term.values()[-1:], x=value)
    else:
        assert_same(term[-1], x=value)
        assert_same(term[0:2], x=value)
        assert_same(term.contains(value[0]), x=value)
        assert_same(term.contains([term[0], -1]), x=value)
        assert_same(term.each(lambda one: one), x=value)
        assert_same(term.where(lambda one: one == value[0]), x=value)
        assert_same(term.first(lambda one: one == value[-1]), x=value)
        for number, item in enumerate(term):
            assert_same(item, x=value)
            assert item.value is value[number]


@given(ROWS, NUMBERS)
def test_lists_of_records(rows: list[Any], limit: float) -> None:
    x = variable(rows)
    dear = x.where(lambda row: row["price"] >= limit)
    terms = [
        dear,
        dear.length() * 2 - 1,
        x.each(lambda row: row["name"] + "!"),
        x.each(lambda row: [row["name"], {"price": row["price"]}]),
        x.each(lambda row: row["tags"].each(lambda tag: tag + row["name"])),
        x.total(lambda row: row["tags"].length()),
        x.total(lambda row: row["price"] * 2 + 1),
        x.lowest(lambda row: row["price"]),
        x.highest(lambda row: -row["price"]),
        x.smallest_by(lambda row: row["price"]),
        x.largest_by(lambda row: row["tags"].length()),
        x.largest_by(lambda row: row["price"] - limit)["name"],
        (x + x).where(lambda row: (row["price"] < limit) | (row["name"] == "a")),
        (x + x).total(lambda row: row["price"]),
        x.where(lambda row: ~(row["price"] < limit) & row["tags"].contains("a")),
        x.first(lambda row: row["name"] == rows[-1]["name"])["tags"][0],
    ]
    for term in terms:
        assert_same(term, x=rows)


@given(ROWS, st.lists(NUMBERS, min_size=1, max_size=4))
def test_a_comprehension_within_another_one_sees_both_variables(
    rows: list[Any], numbers: list[Any]
) -> None:
    x, y = variable(rows), variable(numbers, "y")
    same = x.where(lambda row: y.where(lambda number: number == row["price"]).length() > 0)
    assert_same(same, x=rows, y=numbers)
    rivals = x.where(lambda a: x.where(lambda b: b["price"] > a["price"]).length() == 0)
    assert_same(rivals, x=rows)
    pairs = y.each(lambda a: y.each(lambda b: y.each(lambda c: a - b * c)))
    assert_same(pairs, y=numbers)
    closed = y.where(lambda number: number >= numbers[0])
    assert_same(x.where(lambda row: closed.contains(row["price"])), x=rows, y=numbers)


@pytest.mark.parametrize("depth", [1, 4, 9])
def test_there_are_names_for_any_depth(depth: int) -> None:
    term = variable([1, 2])
    for _ in range(depth):
        term = term.where(lambda one: one > 0)
    assert_same(term, x=[1, 2])

    def nest(level: int, total: Any) -> Term:
        return variable([1, 2]).each(
            lambda one: nest(level - 1, one + total) if level else one + total
        )

    assert_same(nest(depth, 0), x=[1, 2])


@pytest.mark.parametrize("name", ["one", "other", "third", "item_5"])
def test_a_variable_that_is_called_as_those_of_comprehensions(name: str) -> None:
    limit = variable(2, name)
    term = variable([1, 2, 3]).where(lambda item: item >= limit)
    assert_same(term, **{"x": [1, 2, 3], name: 2})
    renamed = limit.code[0]
    assert isinstance(renamed, Variable)
    source = write(term.code, {renamed: "other"})
    assert eval(source, {"x": [1, 2, 3], "other": 2}) == [2, 3]


def test_total_is_to_the_cent_for_amounts_and_exact_for_whole_numbers() -> None:
    amounts = variable([0.1, 0.2, 3])
    assert amounts.total(lambda one: one).value == 3.3
    assert_same(amounts.total(lambda one: one), x=[0.1, 0.2, 3])
    huge = [10**20, 1]
    assert variable(huge).total(lambda one: one).value == 10**20 + 1


@pytest.mark.parametrize(
    "method",
    ["where", "first", "each", "total", "lowest", "highest", "smallest_by", "largest_by"],
)
def test_an_empty_list_is_a_dead_end(method: str) -> None:
    with pytest.raises(DeadEnd, match="nothing in x"):
        _ = getattr(variable([]), method)(lambda one: one["price"]).value


def test_first_without_a_match_is_a_dead_end_even_within_a_generator() -> None:
    term = variable([1, 2])
    with pytest.raises(DeadEnd, match=r"there is no next\(one for one in x if one > 2\)"):
        sum(term.first(lambda one, most=most: one > most).value for most in [1, 2, 3])


def test_code_that_differs_from_item_to_item_is_an_error() -> None:
    with pytest.raises(ValueError, match="one expression for all items of x"):
        _ = variable([1, 2, 3]).where(lambda one: one.value > 1).code


@pytest.mark.parametrize(
    ("use", "says"),
    [
        (lambda x: bool(x), "use `term.value`"),
        (lambda x: x == 1 and x == 2, "instead of `and`"),
        (lambda x: 0 < x < 2, "instead of `and`"),
        (lambda x: 1 in x, "term.contains"),
        (lambda x: [1, 2].index(x), "use `term.value`"),
        (lambda x: {x: 1}, "unhashable"),
        (lambda x: len(x), "has no len"),
    ],
)
def test_what_would_lose_the_code_is_refused(use: Callable[[Any], Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        use(variable(1))


def test_an_object_is_not_iterated_by_number() -> None:
    with pytest.raises(TypeError, match=r"term\.values"):
        list(variable({"a": 1}))


def test_a_term_in_a_text_is_its_value() -> None:
    term = variable(1234.5)
    assert f"{term}" == "1234.5"
    assert f"{term:,.2f} {term:>8}" == "1,234.50   1234.5"
    assert "{t[0]}".format(t=variable(["a"])) == "a"


def test_plain_takes_terms_out_of_lists_and_objects() -> None:
    value = {"a": [variable(1), (variable("b"), 2)], "c": variable(None)}
    assert plain(value) == {"a": [1, ["b", 2]], "c": None}
    assert write(to_code(value)) == "{'a': [x, [x, 2]], 'c': x}"


def test_a_given_value_can_be_swapped() -> None:
    reason = Given("late", ("early",))
    term = Term("late", (reason,)) + "!"
    assert eval(write(term.code, instead={reason: "it's"})) == "it's!"
    for wrong in (None, False, 0, ""):
        assert eval(write((reason,), instead={reason: wrong})) == wrong


class TestDerive:
    def test_its_terms_and_it_stand_in_parentheses_where_they_need_them(self) -> None:
        a, b, x = variable(2, "a"), variable(3, "b"), variable([1, 2])
        for term in [
            derive(10, "{0} * 2", a + b),
            derive(10, "{0} * 2", a + b) * 3,
            derive("5", "str({0})", a + b)[0],
            derive(6, "{0} if {0} > {1} else {1} * 2", a, b) + 1,
            x.where(lambda one: derive(True, "{0} == {0} if True else False", one)),
            x.each(lambda one: derive(one.value * 2, "{0}*2", one)),
        ]:
            assert_same(term, a=2, b=3, x=[1, 2])

    def test_simple_terms_stay_without(self) -> None:
        assert write(derive(4, "int({0})", variable("4")).code) == "int(x)"
        assert write((derive("a", "{0}.strip()", variable("a")) + "b").code) == "x.strip() + 'b'"

    @pytest.mark.parametrize(
        "code",
        [
            "{}",
            "{0",
            "{x}",
            "{1}",
            "{0.real}",
            "{0!r}",
            "{-1}",
            "int({0}",
            "y = {0}",
            "{0}; {0}",
            "",
        ],
    )
    def test_what_is_no_expression_of_the_terms_is_an_error(self, code: str) -> None:
        with pytest.raises(ValueError, match="expected"):
            derive(1, code, variable(1))


def test_a_list_of_terms_is_a_term() -> None:
    one, two = variable({"n": 1}, "a"), variable({"n": 2}, "b")
    assert_same(Term.of([one, two]).first(lambda item: item["n"] == 2), a=one.value, b=two.value)
    assert_same(Term.of({"n": one["n"] + 1, "m": [two]}), a=one.value, b=two.value)


def test_what_is_not_needed_is_not_worked_out() -> None:
    def fail() -> Any:
        raise AssertionError("worked out")

    no_value, no_code = Term.later(fail, lambda: ("x",)), Term.later(lambda: [1, 2], fail)
    assert write((no_value["a"] + 1).code) == "x['a'] + 1"
    assert no_code.where(lambda one: one > 1).length().value == 1
    assert no_value["a"].assume(3).value == 3
    assert write(no_value["a"].assume(3).code) == "x['a']"
