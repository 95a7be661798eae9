"""A run that is killed and resumed is the run that nobody disturbed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import sca_envs
from sca_envs import StopRun, evaluate
from sca_envs.core.errors import OptionError, SCAError
from tests.bench import players

RETAIL = "sca/TauRetail-v0"
SETTINGS: dict[str, Any] = {"num_tasks": 8, "trials": 2, "seed": 1}


def _evaluate(out: Path, **options: Any) -> sca_envs.Evaluation:
    return evaluate(RETAIL, **({"agent": "random", "out": out} | SETTINGS | options))


def _lines(folder: Path) -> list[bytes]:
    return sorted((folder / "trajectories.jsonl").read_bytes().splitlines())


def test_resume_plays_what_is_missing(tmp_path: Path) -> None:
    whole = _evaluate(tmp_path / "whole")
    file = tmp_path / "part" / "trajectories.jsonl"
    shutil.copytree(tmp_path / "whole", tmp_path / "part")
    (tmp_path / "part" / "results.json").unlink()
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[3:9]) + lines[12][:100])
    seen: list[int] = []
    part = _evaluate(
        tmp_path / "part", resume=True, workers=2, on_progress=lambda p: seen.append(p.done)
    )
    assert seen == list(range(6, 17))
    assert _lines(tmp_path / "part") == _lines(tmp_path / "whole")
    for name in ("results.json", "run.json"):
        assert (tmp_path / "part" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert part.results == whole.results


def test_resume_of_nothing_and_of_all(tmp_path: Path) -> None:
    first = _evaluate(tmp_path / "run", resume=True)
    before = (tmp_path / "run" / "trajectories.jsonl").read_bytes()
    again = _evaluate(tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "trajectories.jsonl").read_bytes() == before
    assert again.results == first.results


def test_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    _evaluate(tmp_path / "run")
    with pytest.raises(OptionError, match="--resume"):
        evaluate("sca/Nope-v0", "nope", out=tmp_path / "run")  # looked at before anything else
    (tmp_path / "file").touch()
    with pytest.raises(OptionError, match="it is a file"):
        _evaluate(tmp_path / "file", resume=True)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"trials": 3}, "trials was 2 and is 3"),
        ({"seed": 2}, "seed was 1 and is 2"),
        ({"num_tasks": 9}, "num_tasks was 8 and is 9"),
        ({"agent": "noop"}, "agent was 'random' and is 'noop'"),
        ({"split": "train"}, "split was 'test' and is 'train'"),
        ({"data": "generated:1"}, "data was 'generated:0' and is 'generated:1'"),
        ({"max_turns": 4}, "max_turns was 30 and is 4"),
        ({"user": "none"}, "user was 'scripted' and is 'none'"),
        ({"action_format": "hermes"}, "action_format was 'json' and is 'hermes'"),
    ],
)
def test_other_options_are_refused_by_name(
    changed: dict[str, Any], words: str, tmp_path: Path
) -> None:
    _evaluate(tmp_path / "run")
    before = _lines(tmp_path / "run")
    with pytest.raises(OptionError, match=words):
        _evaluate(tmp_path / "run", resume=True, **changed)
    assert _lines(tmp_path / "run") == before


def test_episode_that_is_there_twice_or_not_part_is_refused(tmp_path: Path) -> None:
    _evaluate(tmp_path / "run")
    file = tmp_path / "run" / "trajectories.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:4], lines[1]]))
    with pytest.raises(SCAError, match=r"line 5: .* it is there twice"):
        _evaluate(tmp_path / "run", resume=True)
    file.write_bytes(lines[0] + lines[1].replace(b'"test-1"', b'"test-99"'))
    with pytest.raises(SCAError, match=r"line 2: .* it is not part of the run"):
        _evaluate(tmp_path / "run", resume=True)
    file.write_bytes(lines[0] + b"{}\n" + lines[1])
    with pytest.raises(SCAError, match=r"trajectories\.jsonl, line 2"):
        _evaluate(tmp_path / "run", resume=True)
    for broken in ("{}", "{"):
        (tmp_path / "run" / "run.json").write_text(broken)
        with pytest.raises(SCAError, match=r"run\.json"):
            _evaluate(tmp_path / "run", resume=True)


def test_options_with_any_text(tmp_path: Path) -> None:
    """Options and names may hold what UTF-8 cannot say."""
    options = {"agent": players.Odd, "agent_options": {"text": "\ud800 \x00"}}
    first = _evaluate(tmp_path / "run", **options)
    again = _evaluate(tmp_path / "run", resume=True, **options)
    assert again.results == first.results == sca_envs.load_results(tmp_path / "run")
    (tmp_path / "run" / "results.json").write_text("{")
    with pytest.raises(SCAError, match=r"results\.json"):
        sca_envs.load_results(tmp_path / "run")


def test_stopped_run_goes_on(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for _ in range(6):
        try:
            done = evaluate(RETAIL, players.Stopping, out=run, resume=True, **SETTINGS)
        except StopRun:
            continue
    assert done.results.episodes == 16
    assert len(_lines(run)) == 16


def _command(out: Path, workers: int) -> list[str]:
    return [
        *(sys.executable, "-m", "sca_envs", "eval", RETAIL, "--resume", "--out", str(out)),
        *("--agent", "tests.bench.players:Slow", "--num-tasks", "30", "--trials", "2"),
        *("--workers", str(workers)),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_five_times_at_random_points(workers: int, tmp_path: Path) -> None:
    subprocess.run(_command(tmp_path / "calm", workers), check=True, capture_output=True)
    rng = random.Random(workers)
    file = tmp_path / "run" / "trajectories.jsonl"
    kills = 0
    while kills < 5:
        size = file.stat().st_size if file.exists() else 0
        process = subprocess.Popen(
            _command(tmp_path / "run", workers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 60
        # Half of the kills come while it starts, the others while it plays.
        if kills % 2:
            while (file.stat().st_size if file.exists() else 0) == size:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.06))
        else:
            time.sleep(rng.uniform(0.1, 1.5))
        assert process.poll() is None, "it should not have finished yet"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    subprocess.run(_command(tmp_path / "run", workers), check=True, capture_output=True)
    assert _lines(tmp_path / "run") == _lines(tmp_path / "calm")
    calm, run = (tmp_path / name / "results.json" for name in ("calm", "run"))
    assert run.read_bytes() == calm.read_bytes()
