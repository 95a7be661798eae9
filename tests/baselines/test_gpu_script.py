"""The script that measures the loop with a real model, at its smallest in the tiny world."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs pip install 'sca-envs[baselines]'")
pytest.importorskip("matplotlib", reason="needs pip install 'sca-envs[plots]'")

from baselines import tiny
from benchmarks import gpu_self_challenge as script
from sca_envs import load_results

pytestmark = pytest.mark.filterwarnings("default")  # those of torch and TRL are not ours


@pytest.mark.slow
def test_it_measures_and_goes_on(
    warm: Any,
    tokenizer: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tiny, "warm_start", lambda seed, **_: (copy.deepcopy(warm), tokenizer))
    words = ["script", "--out", str(tmp_path), "--smoke", "--scale", "0.004"]
    monkeypatch.setattr("sys.argv", [*words, "--eval-num-tasks", "4"])
    script.main()
    text = (tmp_path / "results.md").read_text("utf-8")
    assert capsys.readouterr().out.endswith(text)
    for name in ("GRPO", "PPO"):
        (line,) = re.findall(rf"\| {name} \| (.+) \|", text)
        tokens, episodes, *shares = line.split(" | ")
        assert float(tokens) > float(episodes) > 0
        assert 50 < sum(float(share.rstrip("%")) for share in shares) < 101
    found = load_results(tmp_path / "code" / "evaluations" / "00").pass_at[1].mean
    assert f"| after SFT | {found:.3f} [" in text
    rollouts = re.findall(r"\| after (?:Code-as-Task|judged instructions) \|.*\| (\d+) \|", text)
    assert rollouts == ["48", "48"]  # as many for both
    made = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("trajectories.jsonl")}
    script.main()  # all is done
    assert made == {file: file.stat().st_mtime_ns for file in tmp_path.rglob("trajectories.jsonl")}
    assert (tmp_path / "results.md").read_text("utf-8") == text
