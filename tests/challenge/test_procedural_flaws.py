"""Every planted flaw is really there, and hidden nowhere but in the provenance."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import pytest

from sca_envs.challenge.gates.novelty import shingles
from sca_envs.challenge.lab import Lab
from sca_envs.challenge.procedural import FLAWS, ProceduralChallenger
from sca_envs.challenge.procedural.trial import (
    Attempt,
    answer_text,
    attempt,
    changes,
    judge,
    untouched,
)
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.domain import Domain
from sca_envs.core.errors import OptionError
from sca_envs.domains import domain
from sca_envs.domains.registry import list_domains

STATEFUL = {"tau_retail", "tau_airline"}
NOWHERE_ELSE = {
    "writes_state": STATEFUL,
    "answer_only": STATEFUL | {"web_browsing"},
    "float_equality": {"tau_retail", "trade_calculator", "web_browsing"},
}
"""Flaws that only make sense where something can change, a page is open, or amounts have cents."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made


def flawed(name: str, kind: str, count: int = 2) -> list[CodeAsTask]:
    challenger = ProceduralChallenger(domain(name), flaw_rate=1.0, flaws=[kind])
    if kind == "near_copy":  # which needs a task without a flaw before it
        challenger = ProceduralChallenger(domain(name), flaw_rate=0.5, flaws=[kind])
        tasks = (challenger.propose(seed) for seed in range(1, 40))
        return list(itertools.islice((task for task in tasks if task.provenance.flaw), 2))
    return [challenger.propose(seed) for seed in range(count)]


@pytest.mark.parametrize("kind", FLAWS)
@pytest.mark.parametrize("name", list_domains())
def test_a_flaw_is_there(name: str, kind: str, lab: Lab) -> None:
    if name not in NOWHERE_ELSE.get(kind, list_domains()):
        with pytest.raises(OptionError, match=f"{kind} makes sense in {name}"):
            flawed(name, kind, 1)
        return
    tasks = flawed(name, kind)
    assert tasks
    for task in tasks:
        assert task.provenance.flaw == kind
        assert kind not in task.model_dump_json(exclude={"provenance"})
        SHOWS[kind](task, domain(name), lab)


def _solved(task: CodeAsTask, world: Domain) -> Attempt:
    return attempt(world, task.solution)


def already_satisfied(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    assert judge(world, task.verify, untouched(world)) is True
    assert judge(world, task.verify, _solved(task, world)) is True


def impossible(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    assert judge(world, task.verify, _solved(task, world)) is False
    silent = Attempt(_solved(task, world).database)
    assert judge(world, task.verify, silent) is False
    assert judge(world, task.verify, untouched(world)) is False


def always_true(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    nonsense = Attempt(world.database(), "nonsense", "nonsense")
    assert judge(world, task.verify, nonsense) is True
    assert all(judge(world, task.verify, attempt(world, f)) is True for f in task.failures)


def ignores_amount(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    ended = _solved(task, world)

    def moved(value: object) -> object:
        if isinstance(value, list):
            return [moved(one) for one in value]
        return value + 1000.0 if isinstance(value, int | float) else value

    other = moved(ended.value)
    assert other != ended.value
    wrong = Attempt(ended.database, other, answer_text(other), ended.calls)
    # Whole numbers in a list are still compared; amounts are not.
    floats = isinstance(ended.value, int | float) or all(
        not isinstance(one, int) for one in ended.value
    )
    if floats:
        assert judge(world, task.verify, wrong) is True


def answer_only(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    ended = _solved(task, world)
    only = Attempt(world.database(), ended.value, ended.answer)
    assert judge(world, task.verify, only) is True


def float_equality(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    right = _solved(task, world).value
    assert isinstance(right, float)
    ended = _solved(task, world)
    assert judge(world, task.verify, ended) is False
    below = list(
        itertools.accumulate(range(20), lambda x, _: math.nextafter(x, -1e9), initial=right)
    )
    above = list(
        itertools.accumulate(range(20), lambda x, _: math.nextafter(x, 1e9), initial=right)
    )
    near = [Attempt(ended.database, x, repr(x), ended.calls) for x in (*below, *above)]
    assert any(judge(world, task.verify, one) is True for one in near)


def time_dependent(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    ended = lab.attempt(world, task.solution)
    assert lab.judge(world, task.verify, ended).fulfilled is True
    assert lab.judge_elsewhere(world, task.verify, ended, 0).fulfilled is False


def raises(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    with pytest.raises((LookupError, ValueError, StopIteration)):
        judge(world, task.verify, _solved(task, world))


def writes_state(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    assert lab.judge(world, task.verify, lab.attempt(world, "answer('')")).changed


def leaks_solution(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    calls = _solved(task, world).calls
    assert all(f"{call['name']}(" in task.instruction for call in calls)


def failure_is_right(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    verdicts = [judge(world, task.verify, attempt(world, failure)) for failure in task.failures]
    assert verdicts.count(True) == 1


def near_copy(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    seed = task.provenance.seed
    assert seed is not None
    challenger = ProceduralChallenger(world, flaw_rate=0.5, flaws=["near_copy"])
    earlier = [challenger.propose(other) for other in range(seed)]
    (original,) = [
        one for one in earlier if one.solution == task.solution and one.provenance.flaw is None
    ]
    one, other = shingles(task.instruction), shingles(original.instruction)
    assert len(one & other) / len(one | other) > 0.7
    assert task.instruction != original.instruction
    assert judge(world, task.verify, _solved(task, world)) is True


def too_few_failures(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    assert len(task.failures) < 3


def syntax_error(task: CodeAsTask, world: Domain, lab: Lab) -> None:
    broken = 0
    for source in (task.verify, task.solution, *task.failures):
        try:
            compile(source, "<task>", "exec")
        except SyntaxError:
            broken += 1
    assert broken == 1


SHOWS = {kind: globals()[kind] for kind in FLAWS}


def test_the_rate_of_flaws_is_kept_and_all_kinds_occur() -> None:
    challenger = ProceduralChallenger(domain("tau_retail"), flaw_rate=0.5)
    kinds = [challenger.propose(seed).provenance.flaw for seed in range(240)]
    share = sum(kind is not None for kind in kinds) / len(kinds)
    assert 0.4 < share < 0.6
    assert set(kinds) == {None, *FLAWS}


def test_flaws_leave_the_other_tasks_as_they_are() -> None:
    good = ProceduralChallenger(domain("trade_calculator"))
    mixed = ProceduralChallenger(domain("trade_calculator"), flaw_rate=0.4)
    for seed in range(20):
        task = mixed.propose(seed)
        if task.provenance.flaw is None:
            assert task == good.propose(seed)
        else:
            assert task != good.propose(seed)


def test_it_changes_nothing_in_the_world_and_keeps_no_state() -> None:
    world = domain("tau_airline")
    before = world.base.digest()
    challenger = ProceduralChallenger(world, flaw_rate=1.0)
    first = [challenger.propose(seed) for seed in range(6)]
    assert [challenger.propose(seed) for seed in range(6)] == first
    fresh = type(world.base)({name: dict(rows) for name, rows in world.base.tables.items()})
    assert fresh.digest() == before  # the base caches its own digest
    assert changes(world, untouched(world)) == []
