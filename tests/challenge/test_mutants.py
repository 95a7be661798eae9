"""Other plausible values, and the mutants made of them."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sca_envs.challenge.lab import Lab
from sca_envs.challenge.mutants import mutants
from sca_envs.challenge.values import Alternatives
from sca_envs.core.database import same_json
from sca_envs.domains import domain
from sca_envs.domains.registry import list_domains
from tests.challenge.labelled import labelled, labelled_of
from tests.challenge.tasks import CHANGE, LOOKUP, by_id, case, small

TEXTS = st.text(st.characters(codec=None), max_size=20) | st.from_regex(
    r"[-$(]?[0-9٣²,.]{0,12}[A-Za-z ]{0,3}[0-9]*"
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


def alternatives(name: str, seed: int = 0) -> Alternatives:
    return Alternatives(domain(name), np.random.default_rng(seed))


def check_distinct(value: Any, others: list[Any]) -> None:
    for number, other in enumerate(others):
        assert not same_json(other, value)
        assert not any(same_json(other, earlier) for earlier in others[:number])


@pytest.mark.parametrize("name", list_domains())
@settings(max_examples=25)
@given(value=JSON, limit=st.integers(0, 5))
def test_arguments_have_alternatives(name: str, value: Any, limit: int) -> None:
    drawn = alternatives(name)
    for tool in domain(name).tools.values():
        for parameter in [*tool.parameters["properties"], "no such parameter"]:
            others = drawn.of_argument(tool.name, parameter, value, limit)
            assert len(others) <= limit
            check_distinct(value, others)


@pytest.mark.parametrize("name", list_domains())
@settings(max_examples=40)
@given(answer=TEXTS | JSON.map(json.dumps), limit=st.integers(0, 5))
def test_answers_have_alternatives(name: str, answer: str, limit: int) -> None:
    empty, *others = alternatives(name).of_answer(answer, limit)
    assert empty == ""
    assert len(others) <= limit
    assert all(isinstance(other, str) for other in others)
    check_distinct(answer, others)


@pytest.mark.parametrize(
    "answer",
    ["²", "x²", "①", "9" * 4301, "1." + "9" * 5_000, "-" + "9" * 400 + ".5", "[" * 5_000,
     "[" * 5_000 + "]" * 5_000, "NaN", "[NaN]", "\ud800", "\x00", "1e999", "{}", "-"],
)  # fmt: skip
def test_odd_answers_have_alternatives(answer: str) -> None:
    others = alternatives("tau_retail").of_answer(answer)
    check_distinct(answer, others[1:])
    assert any(others)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, 10**400, -(10**400), 1e308, [math.nan], {"a": {"b": [None]}}]
)
def test_odd_arguments_have_alternatives(value: Any) -> None:
    check_distinct(value, alternatives("tau_airline").of_argument("calculate", "x", value))


def test_alternatives_depend_on_the_seed_alone() -> None:
    def draw(seed: int) -> list[Any]:
        drawn = alternatives("tau_retail", seed)
        first = drawn.of_argument("get_order_details", "order_id", "#W4698082")
        return [first, drawn.of_answer("Ruth paid $42.00 for 3")]

    assert draw(1) == draw(1)
    assert any(draw(1) != draw(seed) for seed in range(2, 6))


@pytest.mark.parametrize(
    ("tool", "name", "value"),
    [
        ("cancel_pending_order", "reason", "no longer needed"),
        ("get_order_details", "order_id", "#W4698082"),
        ("find_user_id_by_name_zip", "zip", "53248"),
    ],
)
def test_alternatives_are_of_the_same_kind(tool: str, name: str, value: str) -> None:
    """An enumerated value gives way to another one of them, an id to another id of its table."""
    world = domain("tau_retail")
    found = alternatives("tau_retail").of_argument(tool, name, value)
    assert found
    for number, other in enumerate(found):
        if name == "reason":
            enum = world.tools[tool].parameters["properties"]["reason"]["enum"]
            assert (other in enum) == (number < len(enum) - 1)
        elif name == "order_id":
            assert other in world.base.tables["orders"]
        else:
            assert other.isdecimal()
            assert len(other) == 5


def test_numbers_in_answers_are_varied_as_they_are_written() -> None:
    others = alternatives("tau_retail").of_answer("It was $1,234.50.", limit=9)[1:]
    assert others
    for other in others:
        assert other.startswith("It was $")
        assert other.endswith(".")
        assert len(other.rstrip(".").rpartition(".")[2]) == 2


def test_mutants_are_near_misses_and_all_different(lab: Lab) -> None:
    kinds: set[str] = set()
    for example in labelled():
        if not example.good or example.task.id[-1] not in "1357":
            continue
        examined = case(example.task, lab)
        found = mutants(examined, 40)
        assert found, example.task.id
        outcomes = [examined.solution, *(mutant.attempt for mutant in found)]
        for number, attempt in enumerate(outcomes):
            assert attempt.error is None
            earlier = outcomes[:number]
            assert not any(examined.same_outcome(attempt, other) for other in earlier)
        for mutant in found:
            words = ("left out", "nothing done", "the answer is", "with ")
            kinds |= {word for word in words if word in mutant.change}
            assert mutant.spot
    assert kinds == {"left out", "nothing done", "the answer is", "with "}


def test_swapped_calls_are_a_mutant_where_the_order_matters(lab: Lab) -> None:
    """As an outcome: leaving one of the two out is often the same."""
    world = domain("tau_retail")
    order = world.base.tables["orders"]["#W4698082"]
    places = [(f"{number} Elm St", "", "Reno", "NV", "USA", "89501") for number in (1, 2)]
    calls = [f"modify_user_address({order['user_id']!r}, *{place})" for place in places]
    task = small(solution="\n".join([*calls, "answer('x')"]))
    swapped = lab.attempt(world, "\n".join([*calls[::-1], "answer('x')"]))
    examined = case(task, lab)
    found = mutants(examined, 1000)
    assert any(examined.same_outcome(mutant.attempt, swapped) for mutant in found)


@pytest.mark.parametrize("task_id", [LOOKUP, CHANGE, "airline-01", "web-01"])
def test_mutants_depend_on_the_content_alone(task_id: str, lab: Lab) -> None:
    def made(task_id: str, **changes: Any) -> list[tuple[str, str]]:
        return [(m.change, m.spot) for m in mutants(case(small(task_id, **changes), lab), 5)]

    assert made(task_id) == made(task_id, id="other") == made(task_id)


def test_equivalent_mutants_are_left_out(lab: Lab) -> None:
    """Looking something up, twice or in another order, makes no difference to a change."""
    task = by_id(CHANGE)
    more = f"get_order_details('#W6758868')\nthink('a')\nthink('b')\n{task.solution}"
    plain = {mutant.change.partition(" (")[2] for mutant in mutants(case(task, lab), 40)}
    longer = mutants(case(small(solution=more), lab), 40)
    assert {mutant.change.partition(" (")[2] for mutant in longer} >= plain & {""}
    assert not any(name in mutant.change for mutant in longer for name in ("think", "get_order"))


def test_a_question_is_mutated_in_its_code_and_its_answer(lab: Lab) -> None:
    found = mutants(case(by_id(LOOKUP), lab), 40)
    assert any(mutant.spot == "the answer" and mutant.attempt.answer == "" for mutant in found)
    assert any(mutant.spot == "get_order_details: order_id" for mutant in found)


def test_the_limit_chooses_among_all(lab: Lab) -> None:
    good = [example.task for example in labelled_of("tau_airline") if example.good]
    examined = max((case(task, lab) for task in good), key=lambda c: len(mutants(c, 1000)))
    everything = mutants(examined, 1000)
    few = mutants(examined, 4)
    assert len(few) == 4 < len(everything)
    assert {mutant.change for mutant in few} <= {mutant.change for mutant in everything}
    assert mutants(examined, 0) == []
