"""The challenger without a model: what it makes without flaws is good, in every domain."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from sca_envs.challenge.gates import Novel, standard_gates
from sca_envs.challenge.lab import Lab
from sca_envs.challenge.pipeline import Pipeline
from sca_envs.challenge.procedural import ProceduralChallenger
from sca_envs.challenge.procedural.trial import attempt, changes, judge, untouched
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.domain import Domain
from sca_envs.core.errors import OptionError
from sca_envs.domains import domain
from sca_envs.domains.registry import list_domains

SEEDS = range(40)
_CACHE: dict[str, list[CodeAsTask]] = {}


def proposals(name: str) -> list[CodeAsTask]:
    """Return the tasks of some seeds, made once."""
    if name not in _CACHE:
        challenger = ProceduralChallenger(domain(name))
        _CACHE[name] = [challenger.propose(seed) for seed in SEEDS]
    return _CACHE[name]


def digest(tasks: list[CodeAsTask]) -> str:
    text = json.dumps([task.model_dump(mode="json") for task in tasks], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


_OTHER_PROCESS = """
from sca_envs.challenge.procedural import ProceduralChallenger
from sca_envs.domains import domain
from sca_envs.domains.registry import list_domains
from tests.challenge.test_procedural_tasks import digest
for name in list_domains():
    made = ProceduralChallenger(domain(name), flaw_rate=0.5)
    print(name, digest([made.propose(seed) for seed in range(5)]))
"""


def test_a_task_is_a_function_of_the_seed_in_any_process_and_order() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "123", "PYTHONPATH": os.pathsep.join(sys.path)}
    printed = subprocess.run(
        [sys.executable, "-c", _OTHER_PROCESS],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    there = dict(line.split() for line in printed.splitlines())
    for name in list_domains():
        challenger = ProceduralChallenger(domain(name), flaw_rate=0.5)
        backwards = [challenger.propose(seed) for seed in reversed(range(5))]
        assert digest(backwards[::-1]) == there[name], name


@pytest.mark.parametrize("name", list_domains())
def test_a_task_passes_its_own_tests(name: str) -> None:
    world = domain(name)
    for task in proposals(name):
        ended = attempt(world, task.solution)
        assert ended.error is None, (task.id, ended.error)
        assert judge(world, task.verify, untouched(world)) is False, task.id
        assert judge(world, task.verify, ended) is True, task.id
        assert 3 <= len(set(task.failures)) <= 5, task.id
        for failure in task.failures:
            wrong = attempt(world, failure)
            assert wrong.error is None, (task.id, failure)
            assert judge(world, task.verify, wrong) is False, (task.id, failure)


@pytest.mark.parametrize("name", list_domains())
def test_tasks_differ_and_their_lengths_are_spread(name: str) -> None:
    tasks = proposals(name)
    assert len({task.instruction for task in tasks}) == len(tasks)
    assert len({task.id for task in tasks}) == len(tasks)
    assert len({tuple(task.failures) for task in tasks}) == len(tasks)
    lengths = Counter(len(attempt(domain(name), task.solution).calls) for task in tasks)
    assert set(lengths) == {1, 2, 3, 4, 5, 6}
    assert max(lengths.values()) < len(tasks) / 3


@pytest.mark.parametrize("name", list_domains())
def test_instructions_name_no_tool_and_say_where_they_come_from(name: str) -> None:
    tools = domain(name).tools
    for task in proposals(name):
        for tool in tools:
            pattern = rf"\b{tool}\b" if "_" in tool else rf"\b{tool}\("
            assert not re.search(pattern, task.instruction), task.instruction
        assert task.provenance.challenger == "procedural"
        assert task.provenance.flaw is None
        assert task.provenance.seed == int(task.id.rpartition("-")[2])
        assert task.load_domain() is domain(name)


@pytest.mark.parametrize("name", ["tau_retail", "tau_airline"])
def test_half_the_tasks_and_more_change_the_world(name: str) -> None:
    world = domain(name)
    changing = [t for t in proposals(name) if changes(world, attempt(world, t.solution))]
    assert len(SEEDS) / 3 < len(changing) < len(SEEDS)


@pytest.mark.parametrize("name", ["tau_retail", "tau_airline"])
def test_verify_wants_the_exact_state_and_nothing_else_changed(name: str) -> None:
    world = domain(name)
    meddle = {
        "tau_retail": (
            "other = find_user_id_by_email(email={mail!r})\n"
            "modify_user_address(user_id=other, address1='1 A St', address2='', city='X', "
            "state='NY', country='USA', zip='10000')\n"
        ),
        "tau_airline": "send_certificate(user_id={user!r}, amount=7)\n",
    }[name]
    keys = world.base.keys("users")
    for task in proposals(name)[:20]:
        stranger = next(key for key in keys if key not in task.verify + task.solution)
        mail = world.base.tables["users"][stranger]["email"]
        also = meddle.format(mail=mail, user=stranger) + task.solution
        ended = attempt(world, also)
        assert ended.error is None
        assert judge(world, task.verify, ended) is False, task.id


def test_amounts_may_be_off_by_half_a_cent_only() -> None:
    world, seen = domain("tau_retail"), 0
    for task in proposals("tau_retail"):
        right = attempt(world, task.solution).value
        if not isinstance(right, float):
            continue
        seen += 1
        body = "".join(task.solution.splitlines(keepends=True)[:-1])
        for text, wanted in (
            (f"{right:.2f}", True),
            (f" ${right:,.2f}.", True),
            (f"{right + 0.004:.3f}", True),
            (f"{right + 0.01:.2f}", False),
            (f"{right - 0.01:.2f}", False),
            ("nan", False),
            ("unknown", False),
        ):
            ended = attempt(world, f"{body}answer({text!r})\n")
            assert judge(world, task.verify, ended) is wanted, (task.id, text)
    assert seen > 3


def test_words_are_compared_without_case_blanks_and_quotes() -> None:
    world, seen = domain("message_decoder"), 0
    for task in proposals("message_decoder"):
        right = attempt(world, task.solution).value
        if isinstance(right, str):
            seen += 1
            said = attempt(world, f"answer({f' {right.upper()}. '!r})")
            assert judge(world, task.verify, said) is True
    assert seen > 3


@pytest.mark.parametrize("name", list_domains())
def test_the_gates_accept_what_it_makes(name: str) -> None:
    pipeline = Pipeline(standard_gates(), novel=Novel())
    challenger = ProceduralChallenger(domain(name))
    found = list(pipeline.challenge(challenger.propose, range(2)))
    assert [one.accepted for one in found] == [True] * 2, pipeline.funnel.reasons()


def test_sandbox_and_challenger_agree_on_what_an_attempt_does() -> None:
    with Lab() as lab:
        for name in list_domains():
            world, task = domain(name), proposals(name)[7]
            here, there = attempt(world, task.solution), lab.attempt(world, task.solution)
            assert there.error is None
            assert there.answer == here.answer
            assert [call.name for call in there.calls] == [call["name"] for call in here.calls]


@pytest.mark.parametrize("name", ["tau_retail", "tau_airline"])
def test_it_runs_on_the_original_data(name: str, tau_bench: Path) -> None:
    world: Domain = domain(name, "tau-bench")
    challenger = ProceduralChallenger(world)
    tasks = [challenger.propose(seed) for seed in range(10)]
    assert len({task.instruction for task in tasks}) == 10
    assert all(task.data.name == "tau-bench" for task in tasks)
    for task in tasks:
        assert judge(world, task.verify, attempt(world, task.solution)) is True


def test_other_seeds_of_a_world_make_other_tasks() -> None:
    one = ProceduralChallenger(domain("tau_retail")).propose(3)
    other = ProceduralChallenger(domain("tau_retail", "generated:5")).propose(3)
    assert one.instruction != other.instruction
    assert other.data.name == "generated:5"


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_a_flaw_rate_is_a_share(rate: float) -> None:
    with pytest.raises(OptionError, match="flaw_rate from 0 to 1"):
        ProceduralChallenger(domain("tau_retail"), flaw_rate=rate)


@pytest.mark.parametrize("flaws", [["typo"], []])
def test_flaws_are_of_known_kinds(flaws: list[str]) -> None:
    with pytest.raises(OptionError, match="Expected flaws out of already_satisfied"):
        ProceduralChallenger(domain("tau_retail"), flaws=flaws)


def test_a_seed_is_not_negative() -> None:
    with pytest.raises(OptionError, match="seed from 0"):
        ProceduralChallenger(domain("tau_retail")).propose(-1)


def test_a_site_without_records_behind_it_is_an_error(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (data_folder / "m3tooleval").is_dir():
        pytest.skip("needs M3ToolEval's data: set SCA_DATA_DIR to a folder that has it")
    monkeypatch.setenv("SCA_DATA_DIR", str(data_folder))
    with pytest.raises(OptionError, match="items, people, articles is missing"):
        ProceduralChallenger(domain("web_browsing", "m3tooleval")).propose(0)
