"""Submissions: what is accepted, and what is found in a tampered one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sca_envs.bench.evaluating.evaluation import evaluate
from sca_envs.bench.leaderboard.adding import add_submission, slug
from sca_envs.bench.leaderboard.submission import (
    SubmissionError,
    find_submissions,
    load_submission,
    submission_schema,
)
from sca_envs.bench.leaderboard.verifying import verify_submission
from sca_envs.cli import app
from sca_envs.core.errors import SCAError
from tests.bench.boards import LINES, WHO, edit_claims, edit_lines

ROOT = Path(__file__).parents[2]


def test_a_submission_is_as_it_says(submission: Path) -> None:
    assert verify_submission(submission) == []
    loaded = load_submission(submission)
    assert [entry.folder for entry in loaded.entries] == ["runs/0", "runs/1"]
    assert loaded.entries[0].results.pass_hat[2].mean == 1
    assert loaded.date.isoformat() == "2026-11-01"


def _reward(episodes: list[dict[str, Any]]) -> None:
    episodes[2]["reward"] = 0.25


def _component(episodes: list[dict[str, Any]]) -> None:
    episodes[2]["reward_components"]["outputs"] = 0.5


def _observation(episodes: list[dict[str, Any]]) -> None:
    episodes[2]["turns"][0]["observation"] += " "


def _change(episodes: list[dict[str, Any]]) -> None:
    changed = next(turn for turn in episodes[2]["turns"] if turn.get("changes"))
    changed["changes"][0]["after"] = "another"


def _seed(episodes: list[dict[str, Any]]) -> None:
    episodes[2]["seed"] += 1


def _reason(episodes: list[dict[str, Any]]) -> None:
    episodes[2]["termination_reason"] = "answered"


def _agent(episodes: list[dict[str, Any]]) -> None:
    episodes[2]["agent"] = "somebody"


def _excuse(episodes: list[dict[str, Any]]) -> None:
    episodes[2]["termination_reason"] = "user_error"


def _easier(episodes: list[dict[str, Any]]) -> None:
    episodes[2]["env_options"]["max_turns"] = 100


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (_reward, ("episode, reward: recorded '0.25', replayed '1.0'",)),
        (_component, ("episode, reward_components",)),
        (_observation, ("turn 0, observation",)),
        (_change, ("changes", "another")),
        (_seed, ("seed: expected",)),
        (_reason, ("termination_reason", "answered", "user_stop")),
        (_agent, ("agent: expected 'reference', got 'somebody'",)),
        (_excuse, ("user_error broke off",)),
        (_easier, ("env_options: expected",)),
    ],
)
def test_one_forged_episode_is_found_and_named(
    submission: Path, tamper: Callable[[list[dict[str, Any]]], None], words: tuple[str, ...]
) -> None:
    line = json.loads((submission / LINES).read_text("ascii").splitlines()[2])
    edit_lines(submission / LINES, tamper)
    problems = verify_submission(submission)
    where = f"runs/0, task {line['task_id']}, trial {line.get('trial', 0)}"
    named = " ".join(str(problem) for problem in problems if problem.where.startswith(where))
    for word in words:
        assert word in named
    others = [one for one in problems if not one.where.startswith((where, "runs/0, results."))]
    assert others == []


def test_a_missing_trial_is_named(submission: Path) -> None:
    edit_lines(submission / LINES, lambda episodes: episodes.pop(4))
    problems = [str(problem) for problem in verify_submission(submission)]
    assert "runs/0, task test-1, trial 1: the episode is missing" in problems
    assert "runs/0, results.episodes: expected 5, got 6" in problems


def test_a_missing_task_is_named(submission: Path) -> None:
    def without(episodes: list[dict[str, Any]]) -> None:
        episodes[:] = [one for one in episodes if one["task_id"] != "test-1"]

    edit_lines(submission / LINES, without)
    problems = [str(problem) for problem in verify_submission(submission)]
    for trial in (0, 1):
        assert f"runs/0, task test-1, trial {trial}: the episode is missing" in problems
    # The same with a record that does not know the task either:
    edit_claims(submission, lambda claims: claims["entries"][0]["results"]["run"]["tasks"].pop(1))
    problems = [str(problem) for problem in verify_submission(submission)]
    assert "runs/0, task test-1: the split has it, the run does not" in problems


def test_a_split_must_be_played_to_its_end(tau_bench: Path, tmp_path: Path) -> None:
    evaluate("sca/TauAirline-v0", "noop", data="tau-bench", num_tasks=2, out=tmp_path / "run")
    folder = add_submission([tmp_path / "run"], **WHO, out=tmp_path)
    problems = [str(problem) for problem in verify_submission(folder)]
    assert problems == [
        f"runs/0, task {task}: the split has it, the run does not" for task in range(2, 50)
    ]


def test_an_episode_that_is_there_twice_is_named(submission: Path) -> None:
    edit_lines(submission / LINES, lambda episodes: episodes.append(episodes[0]))
    problems = [str(problem) for problem in verify_submission(submission)]
    assert "runs/0, task test-0, trial 0: the episode is there 2 times" in problems


def test_an_episode_of_another_task_is_named(submission: Path) -> None:
    def rename(episodes: list[dict[str, Any]]) -> None:
        episodes[0]["task_id"] = "test-7"

    edit_lines(submission / LINES, rename)
    problems = [str(problem) for problem in verify_submission(submission)]
    assert "runs/0, task test-0, trial 0: the episode is missing" in problems
    assert "runs/0, task test-7, trial 0: the episode is not part of the run" in problems


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e: e["results"]["success"].update(mean=0.5), "results.success.mean: expected 1"),
        (lambda e: e["results"]["pass_hat"]["2"].update(high=2), "results.pass_hat.2.high"),
        (lambda e: e["results"]["tasks"]["test-0"].update(turns=1.0), "tasks.test-0.turns"),
        (lambda e: e["results"].update(cost=None, turns=None), "results.turns: expected {"),
        (lambda e: e.update(trials=1), "runs/0, trials: expected 1, got 2"),
        (lambda e: e.update(env_id="sca/TauAirline-v0"), "runs/0, env_id: expected"),
        (lambda e: e.update(agent="somebody"), "runs/0, agent: expected 'somebody'"),
        (lambda e: e.update(data="tau-bench"), "data: expected 'tau-bench', got 'generated:0'"),
        (
            lambda e: e.update(env_id="sca/Nope-v0"),
            "Expected an environment's id",
        ),
        (lambda e: e.update(env_id="antigravity:x-v0"), "Expected an environment's id"),
        (lambda e: e["env_options"].update(nope=1), "Expected an environment and its options"),
        (lambda e: e["env_options"].update(tasks="own.jsonl"), "tasks of its own"),
        (lambda e: e.update(folder="runs/7"), "runs/7"),
        (lambda e: e.update(folder="runs/1"), "a folder of its own for every run"),
        (lambda e: e.update(folder="../../x"), "folder: String should match"),
        (lambda e: e["results"]["run"]["options"].update(seed=3), "seed: expected"),
        (lambda e: e["results"]["run"]["options"].pop("seed"), "seed"),
        (lambda e: e["results"]["run"]["options"].update(seed="x"), "seed"),
    ],
)
def test_a_wrong_claim_is_named(
    submission: Path, change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    edit_claims(submission, lambda claims: change(claims["entries"][0]))
    assert words in " ".join(map(str, verify_submission(submission)))


def test_a_claimed_version_widens_no_tolerance(submissions: Path) -> None:
    folder = add_submission_of_random(submissions)

    def move(claims: dict[str, Any], share: float) -> None:
        turns = claims["entries"][0]["results"]["turns"]
        turns["high"] += share * (turns["high"] - turns["low"])

    def older(claims: dict[str, Any]) -> None:
        claims["entries"][0]["results"]["run"]["versions"]["numpy"] = "1.0"

    edit_claims(folder, older)
    assert verify_submission(folder) == []
    edit_claims(folder, lambda claims: move(claims, 1e-6))
    (problem,) = verify_submission(folder)
    assert problem.where == "runs/0, results.turns.high"


def add_submission_of_random(folder: Path) -> Path:
    """Add a submission whose episodes differ, so that its intervals have a width."""
    run = folder / "run"
    evaluate("sca/TauRetail-v0", "random", num_tasks=6, trials=2, out=run)
    return add_submission([run], **WHO, out=folder / "random")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(links=["javascript:alert(1)"]), "links.0"),
        (lambda c: c.update(name=" "), "name"),
        (lambda c: c.update(name="two\nlines"), "name"),
        (lambda c: c.update(date="yesterday"), "date"),
        (lambda c: c.update(entries=[]), "entries"),
        (lambda c: c.update(version=2), "version"),
        (lambda c: c.update(extra=1), "extra"),
        (lambda c: c.pop("model"), "model"),
    ],
)
def test_the_schema_is_kept(
    submission: Path, change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    edit_claims(submission, change)
    (problem,) = verify_submission(submission)
    assert f"submission.json, {words}" in str(problem)


def test_broken_files_are_problems_and_no_errors(submission: Path, tmp_path: Path) -> None:
    (submission / LINES).write_text("{}\n", "ascii")
    (problem,) = verify_submission(submission)
    assert "line 1" in str(problem)
    (submission / LINES).unlink()
    (problem,) = verify_submission(submission)
    assert problem.where == "runs/0"
    (submission / "submission.json").write_text("{", "ascii")
    (problem,) = verify_submission(submission)
    assert problem.where == "submission.json"
    (problem,) = verify_submission(tmp_path)
    assert "No such file" in str(problem)


def test_mistakes_in_adding(finished: Path, tmp_path: Path) -> None:
    for wrong, words in (
        ({"links": ["ftp://example.org"]}, "links"),
        ({"date": "tomorrow"}, "date"),
        ({"organization": ""}, "organization"),
    ):
        with pytest.raises(SubmissionError, match=words):
            add_submission([finished / "noop"], **{**WHO, **wrong}, out=tmp_path)
    with pytest.raises(SCAError, match="nowhere"):
        add_submission([tmp_path / "nowhere"], **WHO, out=tmp_path)
    half = shutil.copytree(finished / "noop", tmp_path / "half")
    edit_lines(half / "trajectories.jsonl", lambda episodes: episodes.pop(0))
    with pytest.raises(SubmissionError, match="1 are missing, the first one is task test-0"):
        add_submission([half], **WHO, out=tmp_path)
    add_submission([finished / "noop"], **WHO, out=tmp_path)
    with pytest.raises(SubmissionError, match="no submission at"):
        add_submission([finished / "noop"], **WHO, out=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"half", "tool-calling-model-1"}


def test_slug() -> None:
    assert slug("ReAct: Crème/2 (v1.0)") == "react-creme-2-v1-0"
    assert slug("../..") == slug("日本") == "submission"


def test_find_submissions(submissions: Path, submission: Path, tmp_path: Path) -> None:
    assert len(list(find_submissions(submissions))) == 2
    assert list(find_submissions(submission)) == [submission]
    with pytest.raises(SubmissionError, match="found none"):
        list(find_submissions(tmp_path / "nothing"))


def test_commands(finished: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    who = [part for key, value in WHO.items() for part in (f"--{key}", value)]
    out = tmp_path / "submissions"
    added = runner.invoke(
        app, ["leaderboard", "add", str(finished / "noop"), *who, "--out", str(out)]
    )
    assert added.exit_code == 0, added.output
    folder = out / "tool-calling-model-1"
    verified = runner.invoke(app, ["leaderboard", "verify", str(out)])
    assert (verified.exit_code, verified.output) == (0, f"{folder}: as it says\n")
    site = tmp_path / "site"
    built = runner.invoke(app, ["leaderboard", "build", str(out), "--out", str(site)])
    assert built.output == f"Wrote {site / 'index.html'}\n"
    edit_lines(folder / LINES, _observation)
    edit_lines(folder / LINES, _seed)
    verified = runner.invoke(app, ["leaderboard", "verify", str(out), "--most", "1"])
    assert verified.exit_code == 1
    assert f"{folder}: 2 problems" in verified.output
    assert "task test-2, trial 0, seed: expected" in verified.output
    assert "more (--most)" in verified.output


def test_schema_is_published() -> None:
    published_schema = json.loads((ROOT / "docs" / "submission.schema.json").read_text("utf-8"))
    assert published_schema == submission_schema(), "run `python docs/build.py`"
