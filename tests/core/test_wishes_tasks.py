"""Both kinds of task out of the wishes of a small library, and what its author can do wrong."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sca_envs.challenge.examination import examine
from sca_envs.challenge.gates import standard_gates
from sca_envs.challenge.lab import Lab
from sca_envs.challenge.procedural import ProceduralChallenger
from sca_envs.challenge.procedural.trial import attempt, judge
from sca_envs.core.actions import Reply
from sca_envs.core.conversation import Conversation
from sca_envs.core.episode import Episode
from sca_envs.core.task import Task
from sca_envs.core.users import ScriptedUser
from sca_envs.core.wishes import WishTasks
from tests.core import library
from tests.core.library import WORDINGS, make_domain

LIBRARY = make_domain()
SPLITS = ("train", "test")
TASKS = [LIBRARY.tasks(split)[index] for split in SPLITS for index in range(60)]


def digest() -> str:
    """Return a digest of tasks of both kinds."""
    world = make_domain()
    tasks: list[Any] = [world.tasks(split)[n] for split in SPLITS for n in (7, 3, 40)]
    tasks += [ProceduralChallenger(world).propose(seed) for seed in (5, 1)]
    text = json.dumps([task.model_dump(mode="json") for task in tasks], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("hash_seed", ["0", "77"])
def test_a_task_is_the_same_in_any_process_and_order(hash_seed: str) -> None:
    printed = subprocess.run(
        [sys.executable, "-c", "from tests.core.test_wishes_tasks import digest; print(digest())"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == digest()


def test_tasks_travel_to_other_processes() -> None:
    tasks = pickle.loads(pickle.dumps(LIBRARY.tasks("test")))
    assert isinstance(tasks, WishTasks)
    assert tasks[3] == LIBRARY.tasks("test")[3]
    assert tasks.find("test-3") == tasks[3]


def member_of(task: Task) -> str:
    assert task.script is not None
    card = next(fact.value for fact in task.script.facts if fact.key == "card")
    return library.find_member(LIBRARY.database(), card)


def test_splits_share_no_customer_and_no_wording() -> None:
    members = {split: {member_of(t) for t in TASKS if t.split == split} for split in SPLITS}
    assert all(len(drawn) > 5 for drawn in members.values())
    assert not members["train"] & members["test"]
    for split, other in (SPLITS, SPLITS[::-1]):
        own, foreign = (
            [
                re.sub(r"\\{\w+\\}", ".+", re.escape(text))
                for wish in ("renew", "reserve", "renew_too_often", "ask_fees")
                for text in WORDINGS.of(pool, wish, "opening")
            ]
            for pool in (split, other)
        )
        for task in TASKS:
            if task.split == split and task.script is not None:
                for request in task.script.requests:
                    assert any(re.match(pattern, request.opening) for pattern in own)
                    assert not any(re.match(pattern, request.opening) for pattern in foreign)


def play(task: Task, *, calls: bool = True, words: bool = True) -> tuple[float, Episode]:
    episode = Episode(LIBRARY, task, ScriptedUser())
    for action in task.actions if calls else ():
        outcome = episode.step(action.to_call())
        assert not outcome.observation.startswith("Error"), (action, outcome.observation)
    reply = " ".join(["Everything has been done.", *(task.outputs if words else ())])
    while True:
        outcome = episode.step(Reply(reply))
        if outcome.terminated or outcome.truncated:
            return outcome.reward, episode


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_the_reference_scores_1(task: Task) -> None:
    reward, episode = play(task)
    assert reward == 1.0
    assert episode.termination_reason == "user_stop"
    changed = episode.database != LIBRARY.database()
    if changed:
        assert play(task, calls=False)[0] == 0.0
    if task.outputs:
        assert play(task, words=False)[0] == 0.0


def test_there_are_tasks_of_each_kind() -> None:
    assert any(task.outputs for task in TASKS)
    assert any(not task.outputs and play(task, calls=False)[0] for task in TASKS)  # a refusal
    assert {len(task.script.requests) for task in TASKS if task.script} >= {1, 2, 3}


QUESTIONS = {
    "card": "What is the number of your card?",
    "book": "Which book do you mean?",
    "weeks": "For how long?",
}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_every_fact_can_be_asked_for(task: Task) -> None:
    script = task.script
    assert script is not None
    for request in script.requests:
        alone = script.model_copy(update={"requests": (request,)})
        for fact in (*script.facts, *request.facts):
            opening = Conversation(alone).opening
            told = Conversation(alone).respond(QUESTIONS[fact.key]).text
            assert fact.text in told or (fact.given and str(fact.value) in opening)
            assert fact.text in task.instruction or fact.given
            if fact.value is not None:
                assert str(fact.value) in f"{opening} {told}"


def test_no_two_wishes_of_a_task_are_about_the_same_book() -> None:
    for task in TASKS:
        written = [a.arguments["book_id"] for a in task.actions if a.name == "renew_loan"]
        assert len(set(written)) == len(written)


def propose(seeds: range) -> Any:
    challenger = ProceduralChallenger(LIBRARY)
    return [challenger.propose(seed) for seed in seeds]


def test_failing_attempts_fail_and_say_nothing_that_is_not_asked() -> None:
    for task in propose(range(60)):
        right = attempt(LIBRARY, task.solution)
        assert right.error is None
        assert judge(LIBRARY, task.verify, right) is True
        assert 3 <= len(set(task.failures)) <= 5
        for failure in task.failures:
            wrong = attempt(LIBRARY, failure)
            assert wrong.error is None, failure
            assert judge(LIBRARY, task.verify, wrong) is False, failure
        for given in re.findall(r"'([BM]\d{3}|1\d{4})'|weeks=(\d)", task.solution):
            assert "".join(given) in task.instruction  # the solver is told all that it needs


@pytest.mark.parametrize(
    "seeds", [range(4), pytest.param(range(4, 60), marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_the_standard_gates_accept_nearly_all(seeds: range) -> None:
    with Lab() as lab:
        gates = standard_gates()
        found = [examine(task, gates, lab, LIBRARY) for task in propose(seeds)]
    refused = [one.task.provenance.verdicts[-1] for one in found if not one.accepted and one.task]
    assert sum(one.accepted for one in found) >= 0.95 * len(seeds), refused
