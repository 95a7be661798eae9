"""What can go wrong in every recipe is said in one line, with what to do."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs TRL: pip install 'sca-envs[baselines]'")

import torch
import transformers

from baselines import dpo, grpo, ppo, rft, sft
from baselines.training import LESS_MEMORY, command, one_process, require
from sca_envs import OptionError, SCAError
from sca_envs.agents.encoding import TemplateError

pytestmark = pytest.mark.filterwarnings("default")  # those of torch and TRL are not ours

RECIPES = [sft, rft, dpo, grpo, ppo]
every = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.__name__)


@every
def test_a_gpu_that_is_out_of_memory(
    recipe: Any, from_warm: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(transformers.Trainer, "training_step", full)
    monkeypatch.setattr(ppo, "update", full)
    options = {"--eval-num-tasks": "2", "--eval-trials": "1"}
    options |= {ppo: {"--episodes": "4"}, grpo: {"--batch": "16"}}.get(recipe, {})
    options |= {rft: {"--tasks-per-round": "20"}, dpo: {"--play-tasks": "20"}}.get(recipe, {})
    words = [word for option in options.items() for word in option]
    monkeypatch.setattr("sys.argv", ["recipe", "--out", str(tmp_path / "run"), *words])
    hint = getattr(recipe, "LESS_MEMORY", LESS_MEMORY)
    with pytest.raises(
        SystemExit, match=r"^Error: The GPU has too little memory\. Lower --"
    ) as end:
        command(recipe.Args, recipe.train, "", hint)
    assert "2.00 GiB" in str(end.value)
    named = {name.replace("-", "_") for name in re.findall(r"--([a-z-]+)", str(end.value))}
    assert named <= {field.name for field in dataclasses.fields(recipe.Args)}


@every
def test_a_model_without_a_chat_template(
    recipe: Any, warm: Any, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm.save_pretrained(tmp_path / "model")
    assert tokenizer.chat_template is None
    tokenizer.save_pretrained(tmp_path / "model")
    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", None)  # not reached
    out = tmp_path / "run"
    args = recipe.Args(out=str(out), model=str(tmp_path / "model"), env_id="sca/TauRetail-v0")
    with pytest.raises(TemplateError, match=r"without .*template=\"chatml\""):
        recipe.train(args)
    assert not out.exists()


@every
def test_a_gpu_that_is_not_there(
    recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(OptionError, match="found none; give --device cpu"):
        recipe.train(recipe.Args(out=str(tmp_path / "run"), device="cuda"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("recipe", [ppo, rft, dpo], ids=lambda recipe: recipe.__name__)
def test_several_processes_are_refused(
    recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(OptionError, match="Expected one process, got 2: "):
        recipe.train(recipe.Args(out=str(tmp_path / "run")))
    monkeypatch.setenv("WORLD_SIZE", "1")
    one_process("")


def test_a_package_that_is_missing() -> None:
    with pytest.raises(SCAError, match=r"needs no_such_package: pip install 'sca-envs\[baselines"):
        require("torch", "no_such_package")


@pytest.mark.parametrize(
    ("option", "package", "message"),
    [
        ({"vllm": "colocate"}, "vllm", r"needs vllm: pip install 'sca-envs\[vllm\]'"),
        ({"wandb": "project"}, "wandb", "--wandb needs wandb: pip install wandb"),
        ({"lora": 4}, "peft", r"needs peft: pip install 'sca-envs\[baselines\]'"),
    ],
)
def test_what_an_option_needs_is_missing(
    quick: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    option: dict[str, Any],
    package: str,
    message: str,
) -> None:
    usual = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == package else usual(n))
    args = quick(**option)
    with pytest.raises(SCAError, match=message):
        ppo.train(args)
    assert not Path(args.out).exists()
