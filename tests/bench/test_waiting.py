"""Nothing waits for ever without a word: agents that do not return, workers that do not start."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import sca_envs
from sca_envs import OptionError, evaluate
from sca_envs.bench.evaluating.agent_thread import AgentThread
from sca_envs.cli import app
from sca_envs.core.engines.waiting import Waiting
from tests.bench.players import Slow
from tests.bench.stuck import Stuck

RETAIL = "sca/TauRetail-v0"
STUCK, BATCH = "tests.bench.stuck:Stuck", "tests.bench.stuck:StuckBatch"
ENGINES: dict[str, dict[str, Any]] = {
    "local": {},
    "thread": {"engine": "thread", "workers": 2},
    "process": {"engine": "process", "workers": 2},
}


def lines(run: sca_envs.Evaluation) -> dict[str, str]:
    return {f"{one.task_id}#{one.trial}": one.to_line() for one in run.trajectories()}


def ends(run: sca_envs.Evaluation) -> dict[str, str]:
    return {one.task_id: one.termination_reason for one in run.trajectories()}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("how", ["sleep", "busy", "deaf"])
@pytest.mark.slow
def test_an_agent_that_never_returns_ends_its_episode(engine: str, how: str) -> None:
    """The turns before are kept, all others are as if nothing had happened, and it replays."""
    options = {"how": how, "tasks": [1, 3]}
    run = evaluate(
        RETAIL, STUCK, agent_options=options, num_tasks=8, episode_timeout=1.5, **ENGINES[engine]
    )
    assert [one for one, end in sorted(ends(run).items()) if end == "agent_timeout"] == [
        "test-1",
        "test-3",
    ]
    results = run.results
    assert (results.episodes, results.scored, results.errors["agent_timeout"]) == (8, 8, 2)
    assert results.tasks["test-1"].reward == 0.0
    for one in run.trajectories():
        assert sca_envs.replay(one).ok
        if one.termination_reason == "agent_timeout":
            assert len(one.turns) == 1
            assert one.error is not None
            assert "longer than 1.5 s" in one.error.message


@pytest.mark.parametrize("how", ["regex", "lock", "stopped", "stubborn"])
@pytest.mark.slow
def test_a_process_is_ended_that_nothing_else_ends(how: str, tmp_path: Path) -> None:
    """An agent that holds the interpreter, or whose process stands still."""
    options = {"how": how, "tasks": [1, 4]}
    run = evaluate(
        RETAIL,
        STUCK,
        agent_options=options,
        num_tasks=8,
        episode_timeout=1.5,
        out=tmp_path / "run",
        **ENGINES["process"],
    )
    assert sorted(ends(run).values()) == ["agent_timeout"] * 2 + ["user_stop"] * 6
    assert len((tmp_path / "run" / "trajectories.jsonl").read_bytes().splitlines()) == 8
    assert all(sca_envs.replay(one).ok for one in run.trajectories())
    assert not multiprocessing.active_children()
    again = evaluate(
        RETAIL,
        STUCK,
        agent_options=options,
        num_tasks=8,
        out=tmp_path / "run",
        resume=True,  # no limit, and nothing to play
    )
    assert again.results == run.results


@pytest.mark.parametrize("engine", ["local", "process"])
@pytest.mark.parametrize(("when", "turns"), [("reset", 0), ("report", 3)])
@pytest.mark.slow
def test_whichever_method_does_not_return(engine: str, when: str, turns: int) -> None:
    options = {"tasks": [2], "when": when}
    run = evaluate(
        RETAIL, STUCK, agent_options=options, num_tasks=5, episode_timeout=1.5, **ENGINES[engine]
    )
    (one,) = (one for one in run.trajectories() if one.task_id == "test-2")
    assert len(one.turns) >= turns
    assert (one.termination_reason == "agent_timeout") == (when == "reset")
    assert run.results.episodes == 5


@pytest.mark.parametrize(("engine", "how"), [("local", "sleep"), ("process", "lock")])
@pytest.mark.slow
def test_a_batch_times_out_as_a_whole(engine: str, how: str) -> None:
    run = evaluate(
        RETAIL,
        BATCH,
        agent_options={"how": how, "tasks": [5]},
        num_tasks=12,
        episode_timeout=1.5,
        **{**ENGINES[engine], "workers": 1},
    )
    found = ends(run)
    assert found["test-5"] == "agent_timeout"
    assert list(found.values()).count("agent_timeout") <= 4
    assert run.results.episodes == 12


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("agent", ["random", "tests.bench.players:Raising", BATCH])
def test_a_limit_that_nobody_reaches_changes_no_byte(
    engine: str, agent: str, tmp_path: Path
) -> None:
    options = {"tasks": []} if agent == BATCH else {}
    for name, limit in (("with", 300.0), ("without", None)):
        evaluate(
            RETAIL,
            agent,
            agent_options=options,
            num_tasks=9,
            out=tmp_path / name,
            episode_timeout=limit,
            **(ENGINES[engine] if name == "with" else {}),
        )
    for file in ("run.json", "results.json"):
        assert (tmp_path / "with" / file).read_bytes() == (tmp_path / "without" / file).read_bytes()
    for file in ("trajectories.jsonl", "errors.log"):
        texts = [
            (tmp_path / name / file).read_text() if (tmp_path / name / file).exists() else ""
            for name in ("with", "without")
        ]
        assert sorted(texts[0].splitlines()) == sorted(texts[1].splitlines())


@pytest.mark.slow
def test_all_may_time_out_and_a_slow_agent_has_its_time_in_all() -> None:
    """A limit that the user set is no reason to stop; it is about all calls of an episode."""
    run = evaluate(RETAIL, STUCK, agent_options={"tasks": [0, 1, 2, 3]}, num_tasks=4,
                   episode_timeout=0.3)  # fmt: skip
    assert set(ends(run).values()) == {"agent_timeout"}
    assert run.results.success is not None
    assert run.results.success.mean == 0.0
    slow = evaluate(RETAIL, Slow, agent_options={"seconds": 0.5}, num_tasks=6, episode_timeout=1.2)
    reasons = slow.results.termination_reasons
    assert reasons["agent_timeout"]
    assert reasons["user_stop"]


@pytest.mark.slow
def test_the_command_counts_them_apart(tmp_path: Path) -> None:
    arguments = ["eval", RETAIL, "--agent", STUCK, "--num-tasks", "3", "--episode-timeout", "0.5"]
    done = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    text = " ".join(done.output.split())
    assert "agent_timeout 1" in text
    assert "1 failed because the agent took too long (--episode-timeout)" in text
    results = json.loads((tmp_path / "run" / "results.json").read_bytes())
    assert results["errors"]["agent_timeout"] == 1
    assert results["scored"] == 3


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, "3", 10**400])
def test_a_limit_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(OptionError, match="episode_timeout in seconds, above 0"):
        evaluate(RETAIL, "noop", num_tasks=1, episode_timeout=value)


def test_who_cannot_be_left_behind_is_refused() -> None:
    with pytest.raises(OptionError, match=r"class or name.*got an agent"):
        evaluate(RETAIL, Stuck(), num_tasks=1, episode_timeout=5)
    with pytest.raises(OptionError, match="no episode_timeout for a person"):
        evaluate(RETAIL, "human", num_tasks=1, episode_timeout=5)
    run = evaluate(RETAIL, Stuck(tasks=()), num_tasks=2, episode_timeout=60, engine="process")
    assert run.results.episodes == 2


def test_a_thread_passes_on_what_is_raised_and_ends() -> None:
    thread = AgentThread()
    assert thread.call(divmod, 7, 2) == (3, 1)
    with pytest.raises(TimeoutError, match="its own"):
        thread.call(_raise, TimeoutError("its own"))
    assert thread.call(threading.get_ident) != threading.get_ident()
    thread.close()
    thread._thread.join(10)
    assert not thread._thread.is_alive()


def _raise(error: Exception) -> None:
    raise error


def test_words_come_ever_more_seldom(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    waiting = Waiting(lambda: "waiting for rain")
    told = []
    for second in range(1, 3600):
        now[0] = float(second)
        caplog.clear()
        waiting.tell()
        told += [second] * len(caplog.messages)
    assert told[:4] == [5, 15, 35, 75]
    assert len(told) < 14
    waiting.restart()
    assert 0 < waiting.seconds <= 5


class Late:
    """Is not made for a while."""

    def __init__(self, seconds: float) -> None:
        time.sleep(seconds)

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        pass

    def act(self, observation: str, info: dict[str, Any]) -> str:
        return "I cannot help."


@pytest.mark.slow
def test_workers_that_do_not_start_are_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "sca_envs")
    evaluate(
        RETAIL, f"{__name__}:Late", agent_options={"seconds": 18}, engine="process", num_tasks=1
    )
    assert any("waiting for 1 of 1 worker processes to start" in one for one in caplog.messages)


@pytest.mark.slow
def test_a_killed_worker_and_a_limit_go_together(tmp_path: Path) -> None:
    """A worker that dies is no timeout, and what it held is played."""
    marker = str(tmp_path / "died")
    run = evaluate(
        RETAIL,
        "tests.bench.players:Dying",
        agent_options={"marker": marker},
        num_tasks=12,
        episode_timeout=60,
        **ENGINES["process"],
    )
    assert os.path.exists(marker)
    assert run.results.errors["agent_timeout"] == 0
    assert run.results.episodes == 12
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
