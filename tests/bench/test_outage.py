"""A model that cannot be reached is no failure of the agent: the trial is to be played again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import sca_envs
from sca_envs import Progress, evaluate
from sca_envs.bench.evaluating.evaluation import MAX_CONSECUTIVE_OUTAGES, RunFailedError
from sca_envs.bench.evaluating.evaluation_report import LiveProgress, results_table
from sca_envs.bench.leaderboard.adding import add_submission
from sca_envs.bench.leaderboard.submission import SubmissionError
from sca_envs.bench.leaderboard.verifying import verify_submission
from tests.bench.boards import LINES, WHO, edit_lines

RETAIL = "sca/TauRetail-v0"
CUT = "tests.bench.players:Cut"


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """The file that says that there is an outage."""
    (tmp_path / "outage").touch()
    return tmp_path / "outage"


def _evaluate(marker: Path, tasks: list[int], **options: Any) -> sca_envs.Evaluation:
    agent_options = {"marker": str(marker), "tasks": tasks, **options.pop("agent_options", {})}
    return evaluate(RETAIL, CUT, agent_options=agent_options, **({"num_tasks": 6} | options))


def _lines(folder: Path) -> list[bytes]:
    return sorted((folder / "trajectories.jsonl").read_bytes().splitlines())


@pytest.mark.parametrize("wrapped", [False, True])
def test_it_is_counted_apart_and_never_scored(
    marker: Path, wrapped: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[int, int, int]] = []
    console = Console(width=200)
    with LiveProgress(console) as live:

        def show(progress: Progress) -> None:
            seen.append((progress.errors, progress.missing, progress.scored))
            live.show(progress)

        run = _evaluate(
            marker, [2, 4], trials=2, agent_options={"wrapped": wrapped}, on_progress=show
        )
    assert seen[-1] == (4, 4, 8)
    results = run.results
    assert results.errors["infrastructure_error"] == 4
    assert results.errors["agent_error"] == 0
    assert (results.episodes, results.scored) == (12, 8)
    assert results.success is not None
    assert results.success.tasks == 4
    assert results.tasks["test-2"].reward is None
    assert results.pass_hat[2].tasks == 4
    console.print(results_table(results))
    printed = " ".join(capsys.readouterr().out.split())
    assert "errors 4, 4 of the infrastructure" in printed
    assert "--resume plays 4 again, which the infrastructure broke off" in printed
    for one in run.trajectories():
        assert one.counts == (one.task_id not in ("test-2", "test-4"))
        if not one.counts:
            assert one.error is not None
            assert one.error.kind == one.termination_reason == "infrastructure_error"
            assert len(one.turns) == 1
        assert sca_envs.replay(one).ok


def test_a_resumed_run_plays_it_again(marker: Path, tmp_path: Path) -> None:
    """It ends with the bytes of a run without an outage, and an outage that goes on stays apart."""
    run = tmp_path / "run"
    _evaluate(marker, [2, 4], out=run)
    again = _evaluate(marker, [2, 4], out=run, resume=True)
    assert again.results.errors["infrastructure_error"] == 2
    assert len(_lines(run)) == 6
    marker.unlink()
    seen: list[int] = []
    done = _evaluate(
        marker, [2, 4], out=run, resume=True, on_progress=lambda p: seen.append(p.done)
    )
    assert seen == [4, 5, 6]
    assert done.results.errors["infrastructure_error"] == 0
    _evaluate(marker, [2, 4], out=tmp_path / "calm")
    assert _lines(run) == _lines(tmp_path / "calm")
    results = [(folder / "results.json").read_bytes() for folder in (run, tmp_path / "calm")]
    assert results[0] == results[1]
    assert not list(run.glob("*.partial"))


@pytest.mark.parametrize("engine", ["local", "thread"])
def test_an_outage_stops_the_run(marker: Path, engine: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    tasks = list(range(3, 20))
    with pytest.raises(RunFailedError, match=r"InfrastructureError: the cable is out.*--resume"):
        _evaluate(marker, tasks, num_tasks=20, out=run, engine=engine)
    ends = [one.termination_reason for one in sca_envs.read_trajectories(run)]
    assert ends.count("infrastructure_error") == MAX_CONSECUTIVE_OUTAGES
    assert len(ends) == 3 + MAX_CONSECUTIVE_OUTAGES
    marker.unlink()
    results = _evaluate(marker, tasks, num_tasks=20, out=run, resume=True).results
    assert results.episodes == results.scored == 20


def test_an_outage_at_the_beginning_leaves_nothing(marker: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(RunFailedError, match=r"first 3 all .*infrastructure_error.*the cable"):
        _evaluate(marker, list(range(6)), out=run)
    assert list(run.iterdir()) == []


def test_now_and_then_stops_nothing(marker: Path) -> None:
    results = _evaluate(marker, [1, 2, 4, 5, 7, 8], num_tasks=9).results
    assert (results.episodes, results.scored) == (9, 3)


def test_a_leaderboard_wants_the_trial(marker: Path, tmp_path: Path, submission: Path) -> None:
    _evaluate(marker, [2], out=tmp_path / "run")
    words = r"1 are missing.*task test-2, trial 0 \(infrastructure_error broke it off\).*--resume"
    with pytest.raises(SubmissionError, match=words):
        add_submission([tmp_path / "run"], **WHO, out=tmp_path)

    def excuse(episodes: list[dict[str, Any]]) -> None:
        episodes[2]["termination_reason"] = "infrastructure_error"

    edit_lines(submission / LINES, excuse)
    problems = [str(problem) for problem in verify_submission(submission)]
    assert any("is missing: infrastructure_error broke it off" in problem for problem in problems)
