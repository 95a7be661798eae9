"""A replay gives what was recorded, and finds whatever was changed since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sca_envs
from sca_envs import Trajectory, evaluate, replay
from sca_envs.bench.trajectories.replay import Replayer
from sca_envs.core.errors import SCAError
from sca_envs.domains.spec import _load

RETAIL = "sca/TauRetail-v0"
PLAYERS = "tests.bench.players"


@pytest.mark.parametrize(
    ("env_id", "options"),
    [
        (RETAIL, {"agent": "reference"}),
        (RETAIL, {"agent": "random", "action_format": "hermes", "max_turns": 5}),
        (RETAIL, {"agent": f"{PLAYERS}:Strange", "max_turns": 14}),
        (RETAIL, {"agent": "noop", "user": "none", "split": "train", "data": "generated:2"}),
        (RETAIL, {"agent": f"{PLAYERS}:Raising"}),
        ("sca/TauAirline-v0", {"agent": "reference"}),
        ("sca/M3Calculation-v0", {"agent": "reference", "action_format": "m3-json"}),
        ("sca/M3TravelPlanning-v0", {"agent": "random", "max_turns": 3}),
    ],
)
def test_replay_gives_the_same(env_id: str, options: dict[str, Any]) -> None:
    replayer = Replayer()
    run = evaluate(env_id, num_tasks=16, seed=2, **options)
    for one in run.trajectories():
        again = replayer.replay(one)
        assert again.ok, list(map(str, again.differences))
        assert again.reward == one.reward
        assert not again.user_recorded


def test_code_actions_replay() -> None:
    pytest.importorskip("fcntl")
    (one,) = evaluate(
        "sca/M3TradeCalculator-v0",
        f"{PLAYERS}:Coding",
        action_format="python",
        num_tasks=1,
        max_turns=3,
    ).trajectories()
    assert one.turns[1].observation.strip() == "42"
    assert replay(one).ok


@pytest.mark.parametrize(
    "options",
    [{}, {"fail_every": 2}, {"fail_every": 2, "when": "reset"}, {"fail_every": 2, "polite": True}],
)
def test_users_who_are_not_asked_again(options: dict[str, Any]) -> None:
    run = evaluate(
        RETAIL, f"{PLAYERS}:Talking", user=f"{PLAYERS}:PlainUser", user_options=options, num_tasks=4
    )
    for one in run.trajectories():
        again = replay(one)
        assert again.ok, list(map(str, again.differences))
        assert again.user_recorded


def _forge(change: Callable[[dict[str, Any]], None]) -> Trajectory:
    run = evaluate(RETAIL, "reference", num_tasks=6)
    one = max(run.trajectories(), key=lambda t: sum(len(turn.changes) for turn in t.turns))
    value = one.to_dict()
    change(value)
    return Trajectory.from_dict(value)


def _turn(value: dict[str, Any], index: int, **fields: Any) -> None:
    value["turns"][index] |= fields


def _changed(value: dict[str, Any]) -> int:
    return next(i for i, turn in enumerate(value["turns"]) if turn.get("changes"))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda v: v.update(reward=0.5), {(None, "reward")}),
        (lambda v: _turn(v, 1, observation="forged"), {(1, "observation")}),
        (lambda v: _turn(v, 1, source="user"), {(1, "source")}),
        (lambda v: _turn(v, 0, reward=1.0), {(0, "reward")}),
        (lambda v: v["turns"][_changed(v)].pop("changes"), {("changed", "changes")}),
        (lambda v: v.update(opening="Hello."), {(None, "opening")}),
        (lambda v: v["messages"][0].update(content="Be kind."), {(None, "messages[0]")}),
        (lambda v: v["messages"].pop(), {(None, "number of messages")}),
        (lambda v: v.update(termination_reason="transfer"), {(None, "termination_reason")}),
        (lambda v: v.update(data_digest="0" * 64), {(None, "data_digest")}),
        (lambda v: v.update(reward_components={"database": 1.0}), {(None, "reward_components")}),
        (lambda v: v["turns"].pop(), {(None, "end"), (None, "reward")}),
        (lambda v: v["turns"].append(v["turns"][-1]), {(None, "turns")}),
        (lambda v: v.update(task_id="test-zzz"), {(None, "task")}),
        (lambda v: v.update(env_id="sca/Nope-v0"), {(None, "environment")}),
        (lambda v: v["env_options"].update(nope=1), {(None, "environment")}),
        (lambda v: v["env_options"].update(split="nope"), {(None, "environment")}),
        (lambda v: v.update(seed=-1), {(None, "termination_reason")}),
    ],
)
def test_forgeries_are_found(
    change: Callable[[dict[str, Any]], None], found: set[tuple[Any, str]]
) -> None:
    forged = _forge(change)
    again = replay(forged)
    assert not again.ok
    where = {(difference.turn, difference.what) for difference in again.differences}
    index = next((i for i, turn in enumerate(_forge(lambda v: None).turns) if turn.changes), None)
    assert {(index if turn == "changed" else turn, what) for turn, what in found} <= where
    assert all(str(difference) for difference in again.differences)


def test_a_task_of_another_version_is_not_called_forged() -> None:
    (difference,) = replay(_forge(lambda v: v.update(task_digest="0" * 64))).differences
    assert str(difference).startswith("episode, task, made by another version: recorded '0000")
    assert replay(_forge(lambda v: v.update(task_digest="0" * 64))).other_version
    assert replay(_forge(lambda v: v.pop("task_digest"))).ok
    assert not replay(_forge(lambda v: v.update(reward=0.5))).other_version


def test_the_digest_of_a_task_is_of_all_that_it_says() -> None:
    task = sca_envs.domain("tau_retail").tasks("train")[3]
    others = ({"instruction": "x"}, {"outputs": ("x",)}, {"actions": ()}, {"script": None})
    copies = [task.model_copy(update=change) for change in ({}, *others)]
    assert [one.digest == task.digest for one in copies] == [True] + [False] * 4


def test_edited_action_changes_what_follows() -> None:
    forged = _forge(lambda v: _turn(v, _changed(v), action="Never mind."))
    again = replay(forged)
    assert any(d.what == "changes" for d in again.differences)
    assert again.reward != 1.0


def test_tasks_from_a_file_that_moved(tmp_path: Path) -> None:
    source = sca_envs.domain("tau_retail").tasks("train")
    file, moved = tmp_path / "t.jsonl", tmp_path / "moved.jsonl"
    sca_envs.save_tasks([source[3], source[5]], file)
    ones = list(evaluate(RETAIL, "reference", tasks=file).trajectories())
    assert all(replay(one).ok for one in ones)
    file.rename(moved)
    with pytest.raises(SCAError, match="--tasks"):
        replay(ones[0])
    assert all(replay(one, tasks=moved).ok for one in ones)
    assert replay(ones[0], tasks=[source[3], source[5]]).ok


def test_missing_data_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCA_DATA_DIR", str(tmp_path))
    _load.cache_clear()
    forged = _forge(lambda v: v["env_options"].update(data="tau2"))
    with pytest.raises(SCAError, match="sca data import tau2"):
        replay(forged)
