"""The recipes on TRL's trainers: a run that is stopped and resumed ends as one in one go does."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs TRL: pip install 'sca-envs[baselines]'")

from baselines import dpo, grpo, rft, sft, trainers
from baselines.run import Run
from sca_envs import OptionError

pytestmark = pytest.mark.filterwarnings("default")  # those of torch and TRL are not ours

SHORT: dict[str, Any] = {"eval_num_tasks": 4, "eval_trials": 1, "checkpoint_every": 9}
RECIPES: dict[Any, dict[str, Any]] = {
    sft: {"iterations": 3, "demonstrations": 24, "batch": 8},
    rft: {"iterations": 2, "rounds": 2, "tasks_per_round": 20, "samples": 4, "batch": 8},
    dpo: {"iterations": 3, "play_tasks": 30, "samples": 3, "batch": 4},
    grpo: {"iterations": 3, "batch": 16, "group": 8},
}
CLOCK = ("charts/tokens_per_second", "profiling/", "time/")


def numbers(run: Run) -> list[dict[str, str]]:
    return [
        {name: row[name] for name in row if not any(clock in name for clock in CLOCK)}
        for row in run.metrics()
    ]


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("from_warm")
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.__name__)
def test_stopped_and_resumed(recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = SHORT | RECIPES[recipe]
    whole = recipe.train(recipe.Args(out=str(tmp_path / "whole"), **options))
    where, what = (rft, "learn") if recipe is rft else (trainers, "_anywhere")
    usual = getattr(where, what)

    def stopped(*given: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        monkeypatch.setattr(where, what, usual)
        return usual(*given)

    monkeypatch.setattr(where, what, stopped)
    parts = recipe.Args(out=str(tmp_path / "parts"), **options)
    assert len(recipe.train(parts).metrics()) < len(whole.metrics())
    parts.resume = True
    resumed = recipe.train(parts)
    assert numbers(resumed) == numbers(whole)
    assert weights(resumed.path / "model") == weights(whole.path / "model")
    last = max((whole.path / "checkpoints").glob("[0-9]*"))
    assert weights(resumed.path / "checkpoints" / last.name) == weights(last)
    assert {"time/iteration", "charts/tokens_per_second"} <= set(whole.metrics()[-1])
    if recipe in (rft, grpo):
        parts_of_time = ("time/generation", "time/environment", "time/training")
        assert all(float(whole.metrics()[-1][name]) > 0 for name in parts_of_time)


@pytest.mark.parametrize("recipe", [sft, dpo, rft], ids=lambda recipe: recipe.__name__)
def test_a_rate_that_falls_fixes_the_number_of_steps(recipe: Any, tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / "00001").mkdir(parents=True)
    made = recipe.Args(out=str(tmp_path), iterations=3)
    (tmp_path / "config.json").write_text(json.dumps(dataclasses.asdict(made)))
    more = recipe.Args(out=str(tmp_path), iterations=4, resume=True)
    with pytest.raises(OptionError, match="iterations=3; got 4"):
        Run(more)
