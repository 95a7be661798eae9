"""`sca eval`, `sca replay` and `sca export` as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def _sca(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sca_envs", *arguments], capture_output=True, text=True, check=False
    )


def test_from_evaluation_to_training_data(tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = _sca(
        *("eval", "sca/TauRetail-v0", "--agent", "tests/bench/players.py:Raising"),
        *("--agent-option", "every=4", "--agent-option", "kind=type", "--num-tasks", "6"),
        *("--trials", "2", "--workers", "2", "--out", str(out)),
    )
    assert done.returncode == 0, done.stderr
    for words in ("12/12", "errors 4", "success", "pass^2", "pass@2", "agent_error 4"):
        assert words in done.stdout
    results = json.loads((out / "results.json").read_text("utf-8"))
    assert results["run"]["options"]["agent_options"] == {"every": 4, "kind": "type"}
    assert "Expected act to return a str, got NoneType" in (out / "errors.log").read_text("utf-8")

    done = _sca("replay", str(out))
    assert (done.returncode, done.stdout) == (0, "12 trajectories replayed, 0 differ\n")
    file = out / "trajectories.jsonl"
    line = json.loads(file.read_bytes().splitlines()[3])
    line["turns"][0]["observation"] = "forged"
    line["reward"] = 1
    forged = tmp_path / "forged.jsonl"
    forged.write_text(json.dumps(line) + "\n", "utf-8")
    done = _sca("replay", str(forged))
    assert done.returncode == 1
    assert "turn 0, observation: recorded 'forged', replayed" in done.stdout
    assert "episode, reward: recorded '1.0', replayed '0.0'" in done.stdout
    assert "1 trajectories replayed, 1 differ" in done.stdout

    done = _sca("export", str(out), "--to", "sft")
    assert done.returncode == 0
    assert "0 examples written to" in done.stdout
    assert "4 trajectories left out: broken off (agent_error)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("eval", "sca/TauRetail-v0", "--agent", "nope"), "reference, noop, random, human"),
        (("eval", "sca/TauRetail-v0"), "--agent, or --model"),
        (("eval", "sca/TauRetail-v0", "--agent", "noop", "--model", "toy"), "--model, not both"),
        (("eval", "sca/TauRetail-v0", "--base-url", "http://h"), "--base-url only with --model"),
        (
            ("eval", "sca/TauRetail-v0", "--agent", "noop", "--base-url", "http://h"),
            "--base-url only with --model",
        ),
        (
            ("eval", "sca/TauRetail-v0", "--model", "toy", "--agent-option", "model=other"),
            "Expected model once",
        ),
        (("eval", "sca/TauRetail-v0", "--agent", "sca_envs:ChatAgnet"), "ChatAgent"),
        (("eval", "sca/TauRetail-v0", "--agent", "noop", "--agent-option", "x"), "key=value"),
        (("eval", "sca/TauRetail-v0", "--agent", "noop", "--resume"), "folder"),
        (("eval", "sca/TauRetail-v0", "--agent", "noop", "--address", "auto"), "with --engine ray"),
        (("replay", "/no/such"), "/no/such"),
        (("export", "/no/such", "--to", "sft"), "/no/such"),
    ],
)
def test_mistakes_are_explained(arguments: tuple[str, ...], words: str) -> None:
    done = _sca(*arguments)
    assert done.returncode not in (0, None)
    assert "Traceback" not in done.stderr
    assert words in done.stderr
