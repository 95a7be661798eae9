"""`evaluate`: what is played, counted and recorded, whoever plays and wherever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sca_envs
from sca_envs import NoopAgent, Progress, Trajectory, evaluate
from sca_envs.bench.evaluating.evaluation import RunFailedError
from sca_envs.bench.evaluating.plan import episode_seed
from sca_envs.core.errors import SCAError
from sca_envs.core.task import TaskSet
from tests.bench import players

RETAIL = "sca/TauRetail-v0"
PLAYERS = "tests.bench.players"


def _by_id(evaluation: sca_envs.Evaluation) -> dict[tuple[str, int], Trajectory]:
    return {(one.task_id, one.trial): one for one in evaluation.trajectories()}


def test_two_hundred_tasks_by_reference_with_two_workers(tmp_path: Path) -> None:
    run = evaluate(RETAIL, "reference", num_tasks=200, workers=2, out=tmp_path / "run")
    assert run.results.success is not None
    assert run.results.success.mean == 1.0
    assert run.results.episodes == run.results.scored == 200
    assert run.results.components["database"].mean == 1.0
    assert sum(1 for _ in run.trajectories()) == 200
    saved = sca_envs.load_results(tmp_path / "run")
    assert saved == run.results


def test_trajectory_tells_the_episode() -> None:
    (one,) = evaluate(RETAIL, "reference", num_tasks=1, seed=5).trajectories()
    assert one == Trajectory.from_line(one.to_line())
    assert one.seed == episode_seed(5, one.task_id, 0)
    assert one.success
    assert one.counts
    assert one.reward == one.turns[-1].reward == 1.0
    assert one.data_digest == sca_envs.domain("tau_retail").base.digest()
    assert one.messages[0]["role"] == "system"
    assert one.messages[1] == {"role": "user", "content": one.opening}
    assert one.env_options == {
        "data": "generated:0",
        "split": "test",
        "user": "scripted",
        "action_format": "json",
        "max_turns": 30,
    }


def test_changes_are_those_of_the_turn() -> None:
    found = 0
    domain = sca_envs.domain("tau_retail")
    for one in evaluate(RETAIL, "reference", num_tasks=20).trajectories():
        state = domain.database()
        for turn in one.turns:
            before = state.snapshot()
            call = json.loads(turn.action) if turn.action.startswith("{") else None
            if call and call["name"] in domain.tools:
                domain.call(state, call["name"], call["arguments"])
            paths = [change.path for change in state.diff(before)]
            assert [f"/{c.table}/{c.record}{c.field}" for c in turn.changes] == paths
            found += len(paths)
            for change in turn.changes:
                record = state.get(change.table, change.record)
                if change.field.count("/") == 1 and record is not None:
                    assert record[change.field[1:]] == change.after
    assert found > 20


@pytest.mark.parametrize(
    ("env_id", "agent", "options"),
    [
        (RETAIL, "random", {"action_format": "hermes"}),
        ("sca/M3Calculation-v0", "reference", {"trials": 1}),
        (RETAIL, f"{PLAYERS}:Strange", {"max_turns": 20}),
        (RETAIL, f"{PLAYERS}:Batched", {}),
    ],
)
def test_engines_give_the_same_trajectories(
    env_id: str, agent: str, options: dict[str, Any]
) -> None:
    settings = {"num_tasks": 14, "trials": 2, "seed": 3} | options
    local = evaluate(env_id, agent, **settings)
    wanted = _by_id(local)
    assert len(wanted) == 14 * settings["trials"]
    for engine, workers in (("thread", 3), ("process", 2)):
        other = evaluate(env_id, agent, engine=engine, workers=workers, **settings)
        assert _by_id(other) == wanted
        assert other.results.to_json() == local.results.to_json()


def test_order_and_company_change_no_episode() -> None:
    many = _by_id(evaluate(RETAIL, "random", num_tasks=6, trials=2))
    few = _by_id(evaluate(RETAIL, "random", num_tasks=2, trials=1))
    assert all(many[key] == few[key] for key in few)
    assert many["test-0", 0].seed != many["test-0", 1].seed != many["test-1", 1].seed
    assert many["test-0", 0].turns != many["test-0", 1].turns


def test_batches_are_full_and_give_what_single_episodes_give() -> None:
    players.Batched.largest = 0
    batched = _by_id(evaluate(RETAIL, players.Batched, num_tasks=12))
    assert players.Batched.largest == players.Batched.batch_size
    single = _by_id(evaluate(RETAIL, players.OneByOne, num_tasks=12))
    for key, one in batched.items():
        assert one.turns == single[key].turns
        assert one.messages == single[key].messages


def test_wrong_batch_is_the_agents_error() -> None:
    with pytest.raises(RunFailedError, match="Expected act_batch to return 5 actions, got 4"):
        evaluate(RETAIL, players.Batched, agent_options={"fail": True}, num_tasks=5)


@pytest.mark.parametrize("kind", ["act", "type"])
def test_agent_error_is_counted_and_the_run_goes_on(kind: str, tmp_path: Path) -> None:
    run = evaluate(
        RETAIL,
        f"{PLAYERS}:Raising",
        agent_options={"kind": kind},
        num_tasks=9,
        out=tmp_path / "run",
    )
    results = run.results
    assert results.errors["agent_error"] == 3
    assert results.episodes == results.scored == 9
    broken = _by_id(run)["test-3", 0]
    assert broken.error is not None
    assert (broken.termination_reason, broken.reward, len(broken.turns)) == ("agent_error", 0.0, 1)
    assert broken.error.type == ("ValueError" if kind == "act" else "TypeError")
    assert "players.py" in (tmp_path / "run" / "errors.log").read_text("utf-8") or kind == "type"
    assert results.reason_shares["agent_error"].mean == pytest.approx(1 / 3)


def test_hopeless_run_stops_and_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(RunFailedError, match="ValueError: a slip") as caught:
        evaluate(RETAIL, f"{PLAYERS}:Raising", agent_options={"every": 1}, num_tasks=50, out=out)
    assert "players.py" in str(caught.value)
    assert list(out.iterdir()) == []
    evaluate(RETAIL, "noop", num_tasks=1, out=out)  # the folder is free again


def test_wish_to_stop_keeps_what_is_done(tmp_path: Path) -> None:
    with pytest.raises(sca_envs.StopRun):
        evaluate(RETAIL, players.Stopping, num_tasks=9, out=tmp_path / "run")
    assert sum(1 for _ in sca_envs.read_trajectories(tmp_path / "run")) == 3


@pytest.mark.parametrize("options", [{"when": "respond"}, {"when": "reset"}, {"polite": True}])
def test_user_error_is_not_the_agents(options: dict[str, Any]) -> None:
    run = evaluate(
        RETAIL,
        players.Talking,
        user=f"{PLAYERS}:PlainUser",
        user_options={"fail_every": 4, **options},
        num_tasks=8,
        trials=2,
    )
    results = run.results
    assert results.errors["user_error"] == 4
    assert results.episodes == 16
    assert results.scored == 12
    assert results.success is not None
    assert results.success.tasks == 6
    assert results.tasks["test-4"].scored == 0
    assert results.termination_reasons == {"user_error": 4, "user_stop": 12}
    assert results.totals["user_cost"] == 16 * 0.5
    broken = _by_id(run)["test-4", 1]
    assert not broken.counts
    assert broken.env_options["user"] == f"{PLAYERS}:PlainUser"
    assert (broken.error is None) == options.get("polite", False)


def test_report_is_recorded() -> None:
    run = evaluate(RETAIL, players.Reporting, num_tasks=3)
    one = next(run.trajectories())
    assert one.usage is not None
    assert (one.usage.prompt_tokens, one.usage.cost) == (10, 0.25)
    assert one.tokens is not None
    assert one.tokens.logprobs == [None, None]
    assert one.turns[1].token_ids == [1]
    assert one.turns[1].logprobs == [-0.5]
    assert run.results.cost is not None
    assert run.results.cost.mean == 0.25
    assert run.results.totals["cost"] == 0.75
    assert run.results.totals["prompt_tokens"] == 30


def test_wrong_report_is_explained() -> None:
    with pytest.raises(SCAError, match=r"tokens of \d+ turns"):
        evaluate(RETAIL, players.Reporting, agent_options={"wrong": True}, num_tasks=3)


def test_object_as_agent_and_progress() -> None:
    seen: list[tuple[int, float]] = []

    def look(progress: Progress) -> None:
        seen.append((progress.done, progress.success))

    run = evaluate(RETAIL, NoopAgent(), num_tasks=4, on_progress=look)
    assert run.results.run.options["agent"] == "sca_envs.bench.agents:NoopAgent"
    assert [done for done, _ in seen] == [0, 1, 2, 3, 4]
    assert seen[-1][1] == run.results.success.mean  # type: ignore[union-attr]


def test_tasks_by_file_and_as_objects(tmp_path: Path) -> None:
    source = sca_envs.domain("tau_retail", "generated:3").tasks("train")
    tasks = TaskSet(source[i] for i in (4, 2, 9))
    sca_envs.save_tasks(tasks, tmp_path / "t.jsonl")
    by_file = evaluate(RETAIL, "reference", tasks=tmp_path / "t.jsonl")
    assert list(by_file.results.tasks) == ["train-4", "train-2", "train-9"]
    assert by_file.results.success.mean == 1  # type: ignore[union-attr]
    assert by_file.results.run.data["tau_retail"]["name"] == "generated:3"
    as_objects = evaluate(RETAIL, "reference", tasks=tasks, workers=2)
    digest = as_objects.results.run.options["tasks_digest"]
    assert digest == by_file.results.run.options["tasks_digest"]
    assert all(one.env_options["tasks"] == f"sha256:{digest}" for one in as_objects.trajectories())


def test_original_tasks(tau_bench: Path) -> None:
    run = evaluate(RETAIL, "reference", data="tau-bench", num_tasks=20, trials=3)
    assert run.results.pass_hat.keys() == {1, 2, 3}
    assert run.results.run.data["tau_retail"]["name"] == "tau-bench"


def test_results_of_known_episodes() -> None:
    """One task of four trials with two successes, one with a single trial that counts."""
    from sca_envs.bench.evaluating.recording import Summary
    from sca_envs.bench.evaluating.results import RunRecord, compute_results

    def one(task: str, trial: int, reward: float, reason: str = "user_stop") -> Summary:
        return Summary(task, trial, reward, {"database": reward}, reason, 2 + trial, None, None)

    run = RunRecord(options={"seed": 0}, data={}, tasks=["a", "b", "c"], versions={})
    ones = [one("a", trial, float(trial < 2)) for trial in range(4)]
    ones += [one("b", 0, 1.0), one("b", 1, 0.0, "user_error"), one("c", 0, 0.0, "verifier_error")]
    results = compute_results(run, reversed(ones))
    assert (results.episodes, results.scored) == (7, 5)
    assert results.success is not None
    assert results.success.mean == (0.5 + 1) / 2
    assert results.success.tasks == 2
    assert results.pass_hat[1].mean == 0.75
    assert results.pass_hat[2].mean == pytest.approx(1 / 6)
    assert results.pass_hat[2].tasks == 1  # b has one trial that counts
    assert results.pass_at[2].mean == pytest.approx(5 / 6)
    assert (results.pass_at[3].mean, results.pass_hat[3].mean) == (1.0, 0.0)
    assert results.tasks["a"].turns == 3.5
    assert results.tasks["c"].reward is None
    assert results.errors["user_error"] == results.errors["verifier_error"] == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"env_id": "sca/Nope-v0"}, "sca/TauRetail-v0"),
        ({"agent": "nope"}, "reference, noop"),
        ({"agent": "no.such.module:X"}, "'no.such.module', which does not exist"),
        ({"agent": "/no/such/file.py:X"}, "which does not exist"),
        ({"agent": f"{PLAYERS}:Nope"}, "no such name; its classes are .*Strange"),
        ({"agent": f"{PLAYERS}:STRANGE"}, "class or a function; got list"),
        ({"agent": f"{PLAYERS}:NoAct"}, "gave NoAct without act"),
        ({"agent": players.NoAct()}, "gave NoAct without act"),
        ({"agent": 3}, "got int"),
        ({"agent_options": {"x": 1}}, "got x=1"),
        ({"env_options": {"max_turns": 5}}, "max_turns as an argument of its own"),
        ({"trials": 0}, "trials .* from 1; got 0"),
        ({"num_tasks": 0}, "num_tasks .* from 1; got 0"),
        ({"seed": -1}, "seed .* from 0; got -1"),
        ({"workers": 0}, "workers .* from 1; got 0"),
        ({"engine": "cloud"}, "local, process, ray, thread, .* got 'cloud'"),
        ({"engine": "local", "workers": 2}, "1 worker"),
        ({"engine": "process", "engine_options": {"workers": 2}}, "got workers"),
        ({"engine": "ray", "engine_options": {"num_cpus": -1}}, "num_cpus of a worker .* got -1"),
        ({"engine": "ray", "engine_options": {"address": 1}}, "cluster as text; got 1"),
        ({"engine": "thread", "agent": NoopAgent()}, "class or name"),
        ({"agent": "human", "workers": 2}, "'local' for a person"),
        ({"split": "nope"}, "train, test"),
        ({"data": "tau-bank"}, "tau-bench"),
        ({"user": "nobody"}, "scripted"),
        ({"user": f"{PLAYERS}:NoAct"}, "methods reset\\(task, seed\\) and respond"),
        ({"user": "none", "user_options": {"x": 1}}, "no user options"),
        ({"action_format": "yaml"}, "json, hermes"),
        ({"max_turns": 0}, "max_turns"),
        ({"tasks": "/no/such.jsonl"}, "/no/such.jsonl"),
        ({"tasks": []}, "at least one task"),
        ({"tasks": "x.jsonl", "split": "test"}, "not both"),
        ({"resume": True}, "folder"),
        ({"agent": lambda: NoopAgent(), "workers": 2}, "sent to another process"),
    ],
)
def test_wrong_options_are_explained_before_any_work(
    options: dict[str, Any], words: str, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"env_id": RETAIL, "agent": "noop", "num_tasks": 2} | options
    if "resume" not in options:
        given["out"] = tmp_path / "run"
    with pytest.raises(SCAError, match=words):
        evaluate(**given)
    assert not (tmp_path / "run").exists() or not list((tmp_path / "run").iterdir())
