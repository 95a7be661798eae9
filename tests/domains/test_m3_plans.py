"""Plans of M3ToolEval's families: one description of a question, two kinds of task."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

import sca_envs
from sca_envs.challenge.procedural.trial import attempt
from sca_envs.core.database import Base
from sca_envs.core.errors import OptionError
from sca_envs.core.wishes import DeadEnd, Wordings
from sca_envs.domains.m3 import book as book_module
from sca_envs.domains.m3.attempts import failing_attempts
from sca_envs.domains.m3.book import PlanBook
from sca_envs.domains.m3.plans import (
    MAX_CALLS,
    Plan,
    PlanCall,
    Question,
    Spread,
    add_up,
    choose,
    round_amount,
)

FAMILIES = (
    "message_decoder",
    "dna_sequencer",
    "trade_calculator",
    "travel_planning",
    "web_browsing",
)

all_families = pytest.mark.parametrize("name", FAMILIES)


def plan_of(name: str, **options: Any) -> Plan:
    domain = sca_envs.domain(name)
    return Plan(random.Random(1), domain.tools, domain.database(), lambda key: [key], **options)


def book_of(name: str) -> PlanBook:
    book = sca_envs.domain(name).wishes
    assert isinstance(book, PlanBook)
    return book


def ask(plan: Plan, answer: Any, **options: Any) -> Question:
    return Question("What?", answer, ("key",), **options)


def test_calls_are_noted_as_actions_and_as_code() -> None:
    plan = plan_of("trade_calculator")
    price = plan.calculate("{0} * {1}", 3, 2.5)
    converted = plan.call("convert_currency", price, 2.0)
    answer = round_amount(plan.calculate("{0} - {1}", converted, 4))
    assert answer.value == 11.0
    assert [action.name for action in plan.actions] == [
        "calculator",
        "convert_currency",
        "calculator",
    ]
    assert plan.actions[1].arguments == {"base_price": 7.5, "conversion_rate": 2.0}
    assert plan.depth == 3
    assert plan.solution(answer).write() == (
        "step = calculator('3 * 2.5')\n"
        "step_2 = convert_currency(step, 2.0)\n"
        "step_3 = calculator(f'{step_2} - 4')\n"
        "answer(round(float(step_3), 2))\n"
    )


def test_depth_is_the_longest_chain_unless_every_call_depends_on_the_last() -> None:
    for stateful, depth in ((False, 2), (True, 3)):
        plan = plan_of("message_decoder", stateful=stateful)
        words = [plan.call("reverse_string", word) for word in ("ab", "cd")]
        plan.call("minimum_value", *words)
        assert plan.depth == depth


def test_a_list_is_spread_over_arguments() -> None:
    plan = plan_of("dna_sequencer")
    counts = plan.let(
        choose(list, [plan.given("A"), plan.given(2), plan.given("C"), plan.given(5)])
    )
    answer = plan.call("find_max_nucleotide", Spread(counts))
    assert answer.value == ("C", 5)
    assert plan.actions[0].arguments == {"counts": ["A", 2, "C", 5]}
    assert "find_max_nucleotide(*value)" in plan.solution(answer).write()


def test_a_sum_keeps_its_parentheses() -> None:
    plan = plan_of("trade_calculator")
    terms = [plan.calculate("{0} + {1}", 1, number) for number in (1, 2)]
    assert plan.solution(add_up(terms) * 3).write().endswith("answer((step + step_2) * 3)\n")


def test_a_plan_ends_in_time() -> None:
    plan = plan_of("message_decoder")
    for _ in range(MAX_CALLS):
        plan.call("string_length", "abc")
    with pytest.raises(DeadEnd):
        plan.call("string_length", "abc")
    wanted = plan_of("travel_planning", calls=1, builtins=("min",))
    wanted.call("sum", 1, 2)
    wanted.call("min", 1, 2)  # which is no call in code
    with pytest.raises(DeadEnd):
        wanted.call("sum", 1, 2)
    assert wanted.code_calls == 1


def test_sizes_fit_the_number_of_calls() -> None:
    assert {plan_of("message_decoder").size(2, 9, each=3, besides=2)} == {2}
    assert plan_of("message_decoder", calls=5).size(1, 3, each=2, besides=1) == 2
    for least, most in ((1, 1), (3, 4)):
        with pytest.raises(DeadEnd):
            plan_of("message_decoder", calls=5).size(least, most, each=2, besides=1)
    with pytest.raises(DeadEnd):
        plan_of("message_decoder", calls=4).size(1, 3, each=2, besides=1)


def test_a_call_that_cannot_be_written_as_text_is_a_dead_end() -> None:
    plan = plan_of("message_decoder")
    with pytest.raises(DeadEnd):
        plan.call("string_length", "End Action")


def test_failing_attempts_make_one_mistake_each() -> None:
    plan = plan_of("message_decoder")
    text = plan.call("caesar_decode", "khoor", 3)
    answer = plan.call("reverse_string", text)
    question = ask(plan, answer, mistakes=("hello",))
    first, *others = failing_attempts(plan, question, {"reverse_string": "string_length"})
    assert first.endswith("answer('hello')\n")
    misread = "step = caesar_decode('khoor', 4)\nstep_2 = reverse_string(step)\nanswer(step_2)\n"
    confused = "step = caesar_decode('khoor', 3)\nstep_2 = string_length(step)\nanswer(step_2)\n"
    early = "step = caesar_decode('khoor', 3)\nanswer(step)\n"
    skipped = "step = 'khoor'\nstep_2 = reverse_string(step)\nanswer(step_2)\n"
    assert {misread, confused, early, skipped} <= set(others)


def test_a_detour_leaves_another_page_open() -> None:
    plan = plan_of("web_browsing", stateful=True)
    plan.call("click_url", "/about")
    detour = PlanCall("go_to_previous_page", {})
    question = ask(plan, plan.given("x"), page="/about", detours=(detour,))
    assert next(iter(failing_attempts(plan, question, {}))) == (
        "step = click_url('/about')\nstep_2 = go_to_previous_page()\nanswer('x')\n"
    )


@all_families
def test_every_kind_is_worded_and_every_wording_used(name: str) -> None:
    book = book_of(name)
    kinds = {kind.__name__ for kind in (*book.tasks, *book.drafts)}
    for pool in ("train", "test"):
        assert set(book.wordings.pools[pool]) - {"shared"} == kinds


@all_families
def test_drafts_make_the_number_of_calls_asked_for(name: str) -> None:
    domain = sca_envs.domain(name)
    book, rng, sizes = book_of(name), random.Random(3), Counter[int]()
    while len(sizes) < 6 or sizes.total() < 60:
        calls = rng.randint(1, 6)
        try:
            draft = book.draft(domain.tools, domain.base, rng, calls)
        except DeadEnd:
            continue
        ended = attempt(domain, draft.solution)
        assert ended.error is None, draft.solution
        assert len(ended.calls) == calls
        sizes[calls] += 1


def test_no_draft_is_of_the_test_split(monkeypatch: pytest.MonkeyPatch) -> None:
    domain = sca_envs.domain("message_decoder")
    monkeypatch.setattr(book_module, "_split_of", lambda question: "test")
    for seed in range(50):
        with pytest.raises(DeadEnd):
            book_of("message_decoder").draft(domain.tools, domain.base, random.Random(seed), 2)


def test_data_without_the_tables_is_an_error() -> None:
    domain = sca_envs.domain("web_browsing")
    pages = {name: dict(domain.base.tables[name]) for name in ("pages", "browser")}
    with pytest.raises(
        OptionError, match="items, people, articles is missing: use data='generated'"
    ):
        book_of("web_browsing").draft(domain.tools, Base(pages), random.Random(0), 2)


def test_wordings_that_are_missing_are_named() -> None:
    def unworded(plan: Plan) -> Question:
        return ask(plan, plan.say("text"))

    domain = sca_envs.domain("message_decoder")
    book = PlanBook("message_decoder", domain.tools, {unworded: 1}, {}, Wordings.parse(""))
    with pytest.raises(OptionError, match=r"wordings for 'text' in \[unworded\]"):
        book.draw(domain.base, random.Random(0), "train")


_WORLDS = {
    ("travel_planning", 0): "34a5bb04fc88c65a7ee34149f0b5c40ec79ab7db11ffc0b6ecd1f66fb2cfbb02",
    ("travel_planning", 3): "954cce41db5f09e6c912fa63a8624359553d49ac044cd922f353948ca55455e9",
    ("web_browsing", 0): "37c8f0fcc0ebf5944d7f3c5e6bc5143fb66896ec3b8719207aa4fdda8b11ce57",
    ("web_browsing", 3): "94edc0c604c84079d05998b9a36828cdf00f6917cec38e64fea9848124cd215f",
}


@pytest.mark.parametrize(("name", "seed"), _WORLDS)
def test_generated_worlds_stay_as_they_are(name: str, seed: int) -> None:
    database = sca_envs.domain(name, f"generated:{seed}").database()
    assert database.digest() == _WORLDS[name, seed]  # task files were made on them
