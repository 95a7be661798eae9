"""What was made without a sandbox says so everywhere, and is on no leaderboard."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sca_envs
from sca_envs.bench.evaluating.evaluation import evaluate
from sca_envs.bench.evaluating.results import load_results
from sca_envs.bench.leaderboard.adding import add_submission
from sca_envs.bench.leaderboard.submission import SubmissionError
from sca_envs.bench.leaderboard.verifying import verify_submission
from sca_envs.challenge.files import load_code_tasks, save_code_tasks
from sca_envs.challenge.procedural import ProceduralChallenger
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.errors import OptionError
from tests.bench.boards import WHO, edit_claims, edit_lines

RETAIL = "sca/TauRetail-v0"


@pytest.fixture
def unsafe(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("SCA_SANDBOX", "unsafe")
    return monkeypatch


def _play(folder: Path, **options: Any) -> Path:
    evaluate(RETAIL, "noop", num_tasks=2, out=folder, **options)
    return folder


def test_a_run_says_it_everywhere(unsafe: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = _play(tmp_path / "run")
    assert json.loads((run / "run.json").read_bytes())["unsafe_sandbox"] is True
    results = load_results(run)
    assert results.run.unsafe_sandbox
    assert results.remarks == ["unsafe sandbox"]
    assert all(one.unsafe_sandbox for one in sca_envs.read_trajectories(run))
    unsafe.delenv("SCA_SANDBOX")
    with pytest.raises(SubmissionError, match="SCA_SANDBOX=unsafe"):
        add_submission([run], **WHO, out=tmp_path / "board")


def test_a_run_in_the_sandbox_says_nothing(tmp_path: Path) -> None:
    run = _play(tmp_path / "run")
    assert not load_results(run).run.unsafe_sandbox
    assert b"unsafe" not in (run / "trajectories.jsonl").read_bytes()


def test_workers_say_it_too(tmp_path: Path) -> None:
    """In a process of its own: the variable is that of a whole process tree."""
    run = tmp_path / "run"
    options = ["--agent", "noop", "--num-tasks", "2", "--workers", "2", "--out", str(run)]
    done = subprocess.run(
        [sys.executable, "-m", "sca_envs", "eval", RETAIL, *options],
        env={**os.environ, "SCA_SANDBOX": "unsafe"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert [one.unsafe_sandbox for one in sca_envs.read_trajectories(run)] == [True, True]


@pytest.mark.parametrize("left", ["run", "episode", "both"])
def test_a_submission_that_says_it_anywhere_is_refused(tmp_path: Path, left: str) -> None:
    folder = add_submission([_play(tmp_path / "run")], **WHO, out=tmp_path / "board")
    assert verify_submission(folder) == []
    if left != "episode":
        edit_claims(folder, lambda c: c["entries"][0]["results"]["run"].update(unsafe_sandbox=True))
    if left != "run":
        lines = folder / "runs/0/trajectories.jsonl"
        edit_lines(lines, lambda episodes: episodes[1].update(unsafe_sandbox=True))
    found = [one.where for one in verify_submission(folder) if "SCA_SANDBOX=unsafe" in one.what]
    assert ("runs/0" in found) == (left != "episode")
    assert ("runs/0, task test-1, trial 0" in found) == (left != "run")


def test_a_run_is_resumed_as_it_began(unsafe: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = _play(tmp_path / "run")
    unsafe.delenv("SCA_SANDBOX")
    with pytest.raises(OptionError, match="SCA_SANDBOX was 'unsafe'"):
        _play(run, resume=True)


def test_a_task_says_it(unsafe: pytest.MonkeyPatch, tmp_path: Path) -> None:
    challenger = ProceduralChallenger(sca_envs.domain("dna_sequencer"))
    made = challenger.propose(3)
    assert made.provenance.unsafe_sandbox
    unsafe.delenv("SCA_SANDBOX")
    clean = challenger.propose(3)
    assert not clean.provenance.unsafe_sandbox
    assert "unsafe" not in clean.model_dump_json()  # as before there was such a field
    assert clean.content_digest == made.content_digest
    save_code_tasks([made], tmp_path / "one.jsonl")
    (read,) = load_code_tasks(tmp_path / "one.jsonl")
    assert read.provenance.unsafe_sandbox
    assert read.with_verdicts(()).provenance.unsafe_sandbox  # examined in the sandbox later


def test_a_task_that_was_examined_without_says_it(unsafe: pytest.MonkeyPatch) -> None:
    task = CodeAsTask(
        id="a",
        domain="d",
        data={"name": "n", "digest": "0"},
        instruction="",
        verify="",
        solution="",
    )
    assert not task.provenance.unsafe_sandbox
    assert task.with_verdicts(()).provenance.unsafe_sandbox
