"""Solutions: what is written, under which names, and what is left out."""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sca_envs.core.wishes.code import Given, Variable
from sca_envs.core.wishes.solution import Call, Solution, Step
from sca_envs.core.wishes.terms import Term


class Recorder:
    """Carries out calls of `tool`, which returns its arguments, and notes them as steps."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def call(self, name: str, *, writes: bool = False, **arguments: Any) -> Term:
        call = Call("tool", arguments)
        variable = Variable(name)
        self.steps.append(Step(variable, call, writes=writes))
        return Term(call.values, (variable,))

    def let(self, name: str, value: Term) -> Term:
        variable = Variable(name)
        self.steps.append(Step(variable, value=value))
        return Term(value.value, (variable,))

    def either(self, condition: Term, then: Call, otherwise: Call | None = None) -> Step:
        step = Step(Variable("done"), then, otherwise, condition=condition, writes=True)
        self.steps.append(step)
        return step


def given_value(value: Any, *confusable: Any) -> Term:
    return Term(value, (Given(value, confusable),))


def run(source: str, *tools: str) -> tuple[Any, list[dict[str, Any]]]:
    """Return what a solution answers, and the arguments of its calls."""
    answers: list[Any] = []
    calls: list[dict[str, Any]] = []

    def tool(**arguments: Any) -> dict[str, Any]:
        calls.append(arguments)
        return arguments

    exec(source, {"answer": answers.append, **dict.fromkeys(tools or ("tool",), tool)})
    assert len(answers) == 1, source
    return answers[0], calls


def test_what_nothing_needs_is_left_out() -> None:
    recorder = Recorder()
    first = recorder.call("first", a=1)
    recorder.call("unused", a=first["a"])
    named = recorder.let("named", first["a"] + 1)
    recorder.let("spare", named * 2)
    second = recorder.call("second", a=[{"b": named}])
    recorder.call("written", writes=True, a=5)
    recorder.call("after", a=6)
    solution = Solution.of(recorder.steps, second["a"][0]["b"])
    assert [step.variable.name for step in solution.steps] == [
        "first",
        "named",
        "second",
        "written",
    ]
    assert solution.calls == 3
    assert run(solution.write()) == (2, [{"a": 1}, {"a": [{"b": 2}]}, {"a": 5}])


def test_what_a_write_needs_stays_and_in_order() -> None:
    recorder = Recorder()
    key = recorder.call("key", a=1)
    rest = recorder.call("rest", a=key["a"])
    recorder.call("done", writes=True, a=rest["a"], b=given_value(2))
    solution = Solution.of(recorder.steps, "a constant")
    assert run(solution.write()) == ("a constant", [{"a": 1}, {"a": 1}, {"a": 1, "b": 2}])


def test_no_steps_give_the_answer_alone() -> None:
    solution = Solution.of([], [1, None, "x"])
    assert solution.write() == "answer([1, None, 'x'])\n"
    assert solution.calls == 0


def test_the_result_of_a_tool_may_be_the_whole_answer() -> None:
    recorder = Recorder()
    result = recorder.call("result", a="b")
    assert run(Solution.of(recorder.steps, result).write())[0] == {"a": "b"}


NAMES = [
    "answer",
    "tool",
    "class",
    "None",
    "sum",
    "len",
    "next",
    "round",
    "min",
    "list",
    "print",
    "match",
    "one",
    "other",
    "item_5",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_hides_nothing_that_the_code_needs(name: str) -> None:
    recorder = Recorder()
    first = recorder.call(name, rows=[{"price": 1.5, "tags": ["a"]}, {"price": 2, "tags": ["b"]}])
    second = recorder.call(name, most=first["rows"].highest(lambda row: row["price"]))
    dear = first["rows"].where(lambda row: row["price"] >= second["most"])
    result = [
        first["rows"].total(lambda row: row["price"]),
        dear.length(),
        first["rows"].first(lambda row: row["price"] < second["most"])["price"],
        first["rows"].smallest_by(lambda row: row["price"])["tags"],
        first["rows"][0].values()[0],
        first["rows"].where(lambda row: dear.contains(row)).each(lambda row: row["tags"][0]),
    ]
    source = Solution.of(recorder.steps, result, ["tool"]).write()
    assert run(source)[0] == [3.5, 1, 1.5, ["a"], 1.5, ["b"]]


@given(st.lists(st.sampled_from([*NAMES, "x", "x_2", "x_3", "answer_2", *keyword.kwlist])))
def test_every_variable_has_a_name_of_its_own(names: list[str]) -> None:
    recorder = Recorder()
    results = [recorder.call(name, number=number) for number, name in enumerate(names)]
    answer = [result["number"] for result in results]
    source = Solution.of(recorder.steps, answer, ["tool", "x_2"]).write()
    assert run(source, "tool", "x_2")[0] == list(range(len(names)))


@given(st.text(max_size=6) | st.sampled_from(["a\nanswer(1)", "'''", '"\\', "{x}"]))
def test_a_text_is_data_and_never_code(text: str) -> None:
    recorder = Recorder()
    result = recorder.call("result", a=given_value(text), b=[text, {"c": text}])
    source = Solution.of(recorder.steps, [result["a"], result["b"]]).write()
    assert len(ast.parse(source).body) == 2
    assert run(source)[0] == [text, [text, {"c": text}]]


@pytest.mark.parametrize("balance", [5, 50])
@pytest.mark.parametrize("alternative", [True, False])
def test_conditions(balance: int, alternative: bool) -> None:
    recorder = Recorder()
    account = recorder.call("account", balance=balance)
    other = Call("tool", {"small": account["balance"]}) if alternative else None
    step = recorder.either(account["balance"] > 10, Call("tool", {"large": 1}), other)
    solution = Solution.of(recorder.steps, "ok")
    taken = {"large": 1} if balance > 10 else {"small": balance}
    wanted = [{"balance": balance}] + ([taken] if balance > 10 or alternative else [])
    assert run(solution.write()) == ("ok", wanted)
    assert solution.calls == len(wanted)
    carried_out = step.carried_out
    assert (carried_out.values if carried_out else None) == (wanted[1] if wanted[1:] else None)

    turned = Solution.of([recorder.steps[0], step.turned_round()], "ok")
    other_call = {"small": balance} if balance > 10 else {"large": 1}
    there = balance <= 10 or alternative
    assert run(turned.write())[1][1:] == ([other_call] if there else [])
    assert turned.calls == len(run(turned.write())[1])


def test_turning_round_respects_precedence() -> None:
    recorder = Recorder()
    a = recorder.call("a", v=1)
    step = recorder.either((a["v"] > 0) | (a["v"] < -5), Call("tool", {"yes": 1}))
    assert run(Solution.of([recorder.steps[0], step.turned_round()], 0).write())[1] == [{"v": 1}]


def test_given_values_are_swapped_everywhere() -> None:
    recorder = Recorder()
    reason = given_value("late", "early", "it's {x}")
    other = given_value("late")
    result = recorder.call("result", a=reason, b=[reason], c=other)
    named = recorder.let("named", reason + "!")
    recorder.either(result["a"] == reason, Call("tool", {"r": named}), Call("tool", {"r": "no"}))
    solution = Solution.of(recorder.steps, [result["b"][0], reason])
    swapped = solution.given[0]
    assert [one.value for one in solution.given] == ["late", "late"]
    for wrong in swapped.confusable:
        answer, calls = run(solution.write({swapped: wrong}))
        assert answer == [wrong, wrong]
        assert calls == [{"a": wrong, "b": [wrong], "c": "late"}, {"r": f"{wrong}!"}]
    assert run(solution.write())[0] == ["late", "late"]


@pytest.mark.parametrize("wrong", [None, False, 0, "", [], {}, -1.5])
def test_a_swap_may_be_any_json_value(wrong: Any) -> None:
    recorder = Recorder()
    result = recorder.call("result", a=given_value("x"))
    solution = Solution.of(recorder.steps, result["a"])
    assert run(solution.write({solution.given[0]: wrong}))[0] == wrong


@pytest.mark.parametrize("make", [lambda: float("nan"), lambda: object(), lambda: {1}])
def test_what_json_cannot_say_is_no_argument(make: Callable[[], Any]) -> None:
    recorder = Recorder()
    recorder.call("x", writes=True, a=make())
    with pytest.raises(TypeError, match="as JSON has it"):
        Solution.of(recorder.steps, 0).write()
