"""What customers may want: every wish of every domain, as either kind of task, on any data."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from sca_envs.challenge.procedural.trial import attempt
from sca_envs.core.domain import Domain
from sca_envs.core.wishes import Customer, DeadEnd, Introduction, Wish, WishBook
from sca_envs.core.wishes.attempts import Story
from sca_envs.core.wishes.draft import RIGHT_ANSWER
from sca_envs.domains import domain

DOMAINS = ("tau_retail", "tau_airline")
CUSTOMERS = 400
_WORLDS = {
    "generated:0": "90e9fedfe1cd3385d6a7f650a8e58d90bec5fe98396000a63b7a04b03913f2f6",
    "generated:3": "93aea04b3cc0b8dd083aa0d661b3284fab8404444f5064910750291f86e25fb4",
}


@pytest.mark.parametrize("data", _WORLDS)
def test_generated_worlds_stay_byte_for_byte(data: str) -> None:
    """Task files that were made on them still run."""
    assert domain("tau_retail", data).database().digest() == _WORLDS[data]


@pytest.fixture(params=[(name, data) for name in DOMAINS for data in ("generated", "tau-bench")])
def world(request: pytest.FixtureRequest) -> Domain:
    name, data = request.param
    if data == "tau-bench":
        request.getfixturevalue("tau_bench")
    return domain(name, data)


def _book(world: Domain) -> WishBook:
    assert isinstance(world.wishes, WishBook)
    return world.wishes


def _each_wish(world: Domain) -> Iterator[tuple[Customer, Introduction, Wish]]:
    """Yield what some customers may want, each wish as their only one."""
    book = _book(world)
    for seed in range(CUSTOMERS):
        rng = random.Random(seed)
        keys = book.customer_keys(world.base)
        customer, _, who = book.meet(world.tools, world.base, keys, rng, pool="train", openness=1)
        for function in book.wishes:
            before = customer.state()
            customer.begin(function.__name__)
            with contextlib.suppress(DeadEnd):
                yield customer, who, function(customer)
            customer.restore(before)


def test_every_wish_occurs_and_its_solution_calls_what_the_reference_calls(world: Domain) -> None:
    """Values that the author says instead of working them out are those that the code gives."""
    kinds: Counter[str] = Counter()
    for _, who, wish in _each_wish(world):
        kinds[wish.name] += 1
        if kinds[wish.name] > 60:
            continue
        story = Story(who, (wish,), world.tools)
        ended = attempt(world, story.solution.write())
        assert ended.error is None, (wish.name, ended.error, story.solution.write())
        assert ended.value == wish.asks[0][1].value, wish.name
        reference = [(call.name, call.arguments) for call in (*who.actions, *wish.actions)]
        for call in ended.calls:
            assert (call["name"], call["arguments"]) in reference, wish.name
        changed = attempt(world, story.solution.write()).database.digest()
        database = world.database()
        for action in (*who.actions, *wish.actions):
            world.call(database, action.name, action.arguments)
        assert database.digest() == changed, wish.name
    assert set(kinds) == {function.__name__ for function in _book(world).wishes}


def test_attempts_of_every_wish_are_written_and_many_end(world: Domain) -> None:
    tried: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for _, who, wish in _each_wish(world):
        if tried[wish.name] < 40:
            for source in Story(who, (wish,), world.tools).failing_attempts():
                tried[wish.name] += 1
                error = attempt(world, source.replace(RIGHT_ANSWER, "0")).error
                ended[wish.name] += error is None
    assert set(tried) == {function.__name__ for function in _book(world).wishes}
    assert all(ended[name] > tried[name] / 3 for name in tried), (tried, ended)


def test_two_wishes_of_a_customer_want_to_hear_different_things(world: Domain) -> None:
    """What is answered first and what second would else be open."""
    rng, texts = random.Random(7), set()
    for _ in range(300):
        with contextlib.suppress(DeadEnd):
            draft = _book(world).draft(world.tools, world.base, rng, rng.randint(3, 6))
            texts.add(draft.instruction)
            if "where a is " in draft.instruction:
                _, _, asked = draft.instruction.partition("where a is ")
                first, _, second = asked.partition(" and b is ")
                assert not second.startswith(first), draft.instruction
    assert len(texts) > 40
