"""A table holds runs with the same conditions, whatever the options are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sca_envs
from sca_envs.bench.evaluating.evaluation import evaluate
from sca_envs.bench.evaluating.results import RunRecord
from sca_envs.bench.leaderboard.adding import add_submission
from sca_envs.bench.leaderboard.conditions import Conditions, baseline
from sca_envs.bench.leaderboard.site import build_site, group_rows
from sca_envs.bench.leaderboard.submission import load_submission
from sca_envs.bench.leaderboard.verifying import verify_submission
from sca_envs.core.errors import OptionError, SCAError
from sca_envs.envs.registration import environment_class, environment_ids
from tests.bench.boards import WHO
from tests.bench.forging import Talk
from tests.bench.players import PlainUser, Talking

RETAIL, TRAVEL = "sca/TauRetail-v0", "sca/M3TravelPlanning-v0"


def _conditions(env_id: str, **options: Any) -> Conditions:
    given = {"num_tasks": 2} | options
    return Conditions.of(evaluate(env_id, "noop", **given).results.run)


@pytest.mark.parametrize(
    ("env_id", "options"),
    [
        (RETAIL, {"max_turns": 30}),
        (RETAIL, {"user": "scripted", "action_format": "json"}),
        (RETAIL, {"data": "generated"}),
        (RETAIL, {"data": "generated:0", "split": "test"}),
        (TRAVEL, {"env_options": {"check": "tolerant"}}),
        (TRAVEL, {"user": "none", "max_turns": 10}),
        ("sca/CodeAsTask-v0", {"env_options": {"domain": "tau_retail"}, "num_tasks": 1}),
    ],
)
def test_a_default_that_is_given_is_the_default(env_id: str, options: dict[str, Any]) -> None:
    same = {key: options[key] for key in ("num_tasks",) if key in options}
    assert _conditions(env_id, **options).key == _conditions(env_id, **same).key


@pytest.mark.parametrize(
    ("env_id", "options"),
    [
        (TRAVEL, {"max_turns": 3000}),
        (TRAVEL, {"env_options": {"check": "original"}}),
        (TRAVEL, {"action_format": "m3-text"}),
        (RETAIL, {"num_tasks": 1}),
        (RETAIL, {"num_tasks": 3}),
        (RETAIL, {"trials": 2}),
        (RETAIL, {"split": "train"}),
        (RETAIL, {"data": "generated:1"}),
        (RETAIL, {"user": "none"}),
        (RETAIL, {"user": PlainUser}),
        (RETAIL, {"user": PlainUser, "user_options": {"fail_every": 9}}),
    ],
)
def test_whatever_changes_what_is_measured_is_a_condition(
    env_id: str, options: dict[str, Any]
) -> None:
    assert _conditions(env_id, **options).key != _conditions(env_id).key


def test_options_of_a_users_own_make_tables_apart() -> None:
    one, other = ({"user": PlainUser, "user_options": {"fail_every": n}} for n in (9, 8))
    assert _conditions(RETAIL, **one).key != _conditions(RETAIL, **other).key


@pytest.mark.parametrize("env_id", environment_ids())
def test_every_option_of_every_environment_is_resolved(env_id: str) -> None:
    kind = environment_class(env_id)
    resolved = kind.resolve_options({})
    assert kind.resolve_options(resolved) == resolved
    for name in resolved.keys() - {"render_mode"}:  # which only shows
        record = {"env_id": env_id, "env_options": {name: "another"}, "trials": 1, "seed": 0}
        plain = record | {"env_options": {}}
        runs = [RunRecord(options=one, data={}, tasks=[], versions={}) for one in (record, plain)]
        assert len({Conditions.of(run).key for run in runs}) == 2, name
    with pytest.raises(OptionError, match="nope"):
        kind.resolve_options({"nope": 1})


def test_an_option_that_no_environment_has_stops_a_run() -> None:
    for name in ("nope", "max_episode_steps"):
        with pytest.raises(SCAError, match=name):
            evaluate(RETAIL, "noop", num_tasks=1, env_options={name: 3})


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("reference", "reference"),
        ("sca_envs:NoopAgent", "noop"),
        ("sca_envs.bench.agents:RandomAgent", "random"),
        ("human", None),
        ("mine:ReferenceAgent2", None),
    ],
)
def test_baselines_are_known_by_all_their_names(agent: str, name: str | None) -> None:
    assert baseline(agent) == name


def test_tables_of_a_site(tmp_path: Path) -> None:
    runs: dict[str, dict[str, Any]] = {
        "two": {},
        "again": {"max_turns": 30},
        "one": {"num_tasks": 1},
        "long": {"max_turns": 3000},
        "user": {"user": Talk},
        "oracle": {"agent": sca_envs.ReferenceAgent},
    }
    for name, given in runs.items():
        options = {"agent": Talking, "num_tasks": 2} | given
        evaluate(RETAIL, options.pop("agent"), out=tmp_path / name, **options)
        who = {**WHO, "name": name}
        folder = add_submission([tmp_path / name], **who, out=tmp_path / "board")
        assert verify_submission(folder) == []
    folders = (tmp_path / "board").iterdir()
    groups = group_rows({folder.name: load_submission(folder) for folder in folders})
    tables = [(sorted(r.name for r in g.ranked), [r.name for r in g.baselines]) for g in groups]
    expected = [(["again", "two"], ["oracle"]), (["long"], []), (["one"], []), (["user"], [])]
    assert sorted(tables) == expected
    assert len(groups) == 4
    assert len({group.anchor for group in groups}) == 4
    text = build_site(tmp_path / "board", tmp_path / "site").read_text("utf-8")
    assert "2 of a split without end: test-0 to test-1" in text
    assert "1 of a split without end: test-0" in text
    assert text.count("User not re-verified") == 1
    assert "baseline “reference”, not ranked" in text
    assert "<dd>3000</dd>" in text


def test_a_whole_split_is_called_so(tau_bench: Path) -> None:
    run = evaluate(TRAVEL, "noop", data="m3tooleval", max_turns=1).results.run
    assert Conditions.of(run).what["tasks"] == "all 15 of the split"
    run = evaluate(TRAVEL, "noop", data="m3tooleval", max_turns=1, num_tasks=3).results.run
    assert "3 of the 15: " in Conditions.of(run).what["tasks"]
