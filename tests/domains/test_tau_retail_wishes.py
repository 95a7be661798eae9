"""What the store's customers may want: every wish, as either kind of task, on any data."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from sca_envs.challenge.procedural.trial import attempt
from sca_envs.core.domain import Domain
from sca_envs.core.wishes import Customer, DeadEnd, Introduction, Wish
from sca_envs.core.wishes.attempts import Story
from sca_envs.core.wishes.draft import RIGHT_ANSWER
from sca_envs.domains import domain
from sca_envs.domains.tau_retail.wishes import WISHES

CUSTOMERS = 400
_WORLDS = {
    "generated:0": "90e9fedfe1cd3385d6a7f650a8e58d90bec5fe98396000a63b7a04b03913f2f6",
    "generated:3": "93aea04b3cc0b8dd083aa0d661b3284fab8404444f5064910750291f86e25fb4",
}


@pytest.mark.parametrize("data", _WORLDS)
def test_generated_worlds_stay_byte_for_byte(data: str) -> None:
    """Task files that were made on them still run."""
    assert domain("tau_retail", data).database().digest() == _WORLDS[data]


@pytest.fixture(params=["generated", "tau-bench"])
def store(request: pytest.FixtureRequest) -> Domain:
    if request.param == "tau-bench":
        request.getfixturevalue("tau_bench")
    return domain("tau_retail", request.param)


def _each_wish(store: Domain) -> Iterator[tuple[Customer, Introduction, Wish]]:
    """Yield what some customers may want, each wish as their only one."""
    for seed in range(CUSTOMERS):
        rng = random.Random(seed)
        keys = WISHES.customer_keys(store.base)
        customer, _, who = WISHES.meet(store.tools, store.base, keys, rng, pool="train", openness=1)
        for function in WISHES.wishes:
            before = customer.state()
            customer.begin(function.__name__)
            with contextlib.suppress(DeadEnd):
                yield customer, who, function(customer)
            customer.restore(before)


def test_every_wish_occurs_and_its_solution_calls_what_the_reference_calls(store: Domain) -> None:
    """Values that the author says instead of working them out are those that the code gives."""
    kinds: Counter[str] = Counter()
    for _, who, wish in _each_wish(store):
        kinds[wish.name] += 1
        if kinds[wish.name] > 60:
            continue
        story = Story(who, (wish,), store.tools)
        ended = attempt(store, story.solution.write())
        assert ended.error is None, (wish.name, ended.error, story.solution.write())
        assert ended.value == wish.asks[0][1].value, wish.name
        reference = [(call.name, call.arguments) for call in (*who.actions, *wish.actions)]
        for call in ended.calls:
            assert (call["name"], call["arguments"]) in reference, wish.name
        changed = attempt(store, story.solution.write()).database.digest()
        database = store.database()
        for action in (*who.actions, *wish.actions):
            store.call(database, action.name, action.arguments)
        assert database.digest() == changed, wish.name
    assert set(kinds) == {function.__name__ for function in WISHES.wishes}


def test_attempts_of_every_wish_are_written_and_many_end(store: Domain) -> None:
    tried: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for _, who, wish in _each_wish(store):
        if tried[wish.name] < 40:
            for source in Story(who, (wish,), store.tools).failing_attempts():
                tried[wish.name] += 1
                error = attempt(store, source.replace(RIGHT_ANSWER, "0")).error
                ended[wish.name] += error is None
    assert set(tried) == {function.__name__ for function in WISHES.wishes}
    assert all(ended[name] > tried[name] / 3 for name in tried), (tried, ended)


def test_two_wishes_of_a_customer_want_to_hear_different_things(store: Domain) -> None:
    """What is answered first and what second would else be open."""
    rng, texts = random.Random(7), set()
    for _ in range(300):
        with contextlib.suppress(DeadEnd):
            draft = WISHES.draft(store.tools, store.base, rng, rng.randint(3, 6))
            texts.add(draft.instruction)
            if "where a is " in draft.instruction:
                _, _, asked = draft.instruction.partition("where a is ")
                first, _, second = asked.partition(" and b is ")
                assert not second.startswith(first), draft.instruction
    assert len(texts) > 40
