"""Adapters: what is trained, what a run leaves, and that it loads wherever a model is asked for."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs TRL: pip install 'sca-envs[baselines]'")
pytest.importorskip("peft", reason="needs peft: pip install 'sca-envs[baselines]'")

import torch

from baselines import dpo, grpo, lora, ppo, rft, sft, tiny
from baselines.setup import first_model
from baselines.trainers import trainer_options
from sca_envs import evaluate
from sca_envs.agents.models import load_model

pytestmark = pytest.mark.filterwarnings("default")  # those of torch and TRL are not ours

TEMPLATES = Path(__file__).parents[2] / "sca_envs" / "agents" / "templates"
SHORT: dict[str, Any] = {"lora": 4, "eval_num_tasks": 2, "eval_trials": 1, "learning_rate": 3e-3}
RECIPES: dict[Any, dict[str, Any]] = {
    sft: {"iterations": 2, "demonstrations": 16, "batch": 8},
    rft: {"iterations": 2, "rounds": 2, "tasks_per_round": 20, "samples": 4, "batch": 8},
    dpo: {"iterations": 2, "play_tasks": 30, "samples": 3, "batch": 4},
    grpo: {"iterations": 2, "batch": 16, "group": 8},
    ppo: {"iterations": 2, "episodes": 16},
}


@pytest.fixture
def with_adapters(warm: Any) -> Any:
    """The warm model with adapters that change what it says."""
    torch.manual_seed(0)
    model = copy.deepcopy(warm)
    lora.add(model, 4)
    with torch.no_grad():
        for name, weight in lora.weights(model).items():
            if "lora_B" in name:
                weight.normal_(std=0.1)
    return model


def logits(model: Any) -> Any:
    with torch.no_grad():
        return model(input_ids=torch.arange(5, 15)[None]).logits


def test_merged_weights_are_the_model(with_adapters: Any, warm: Any, tmp_path: Path) -> None:
    merged = dict(lora.merged(with_adapters))
    assert set(merged) == set(warm.state_dict())
    with_adapters.save_pretrained(tmp_path, state_dict=merged)
    loaded = load_model(str(tmp_path), "cpu")
    torch.testing.assert_close(logits(loaded), logits(with_adapters))
    assert (logits(loaded) - logits(warm)).abs().max() > 0.01


def test_without_adapters_it_is_what_it_was(with_adapters: Any, warm: Any) -> None:
    changed = logits(with_adapters)
    with lora.without(with_adapters):
        assert torch.equal(logits(with_adapters), logits(warm))
    assert torch.equal(logits(with_adapters), changed)
    trained = {name for name, p in with_adapters.named_parameters() if p.requires_grad}
    assert trained == set(lora.weights(with_adapters))


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.__name__)
def test_a_run_leaves_a_whole_model(
    recipe: Any, warm: Any, from_warm: None, tmp_path: Path
) -> None:
    run = recipe.train(recipe.Args(out=str(tmp_path / "run"), **SHORT | RECIPES[recipe]))
    folder = run.path / "model"
    assert not list(folder.glob("adapter*"))
    model, tokenizer = first_model(
        recipe.Args(out="", model=str(folder), env_id="sca/TauRetail-v0"), "cpu"
    )
    assert tokenizer.chat_template == (TEMPLATES / "compact.jinja").read_text("utf-8")
    assert set(model.state_dict()) == set(warm.state_dict())
    assert (logits(model) - logits(warm)).abs().max() > 1e-4
    if recipe is ppo:
        trained = run_of(run.path / "checkpoints" / "00002")
        assert any("lora_B" in name for name in trained)
    done = evaluate(
        tiny.ENV_ID,
        tiny.BareAgent(str(folder), max_new_tokens=8),  # the template is the one trained with
        tasks=tiny.tiny_tasks("test"),
        num_tasks=2,
        max_turns=2,
        user="none",
    )
    assert len(list(done.trajectories())) == 2


def run_of(folder: Path) -> dict[str, Any]:
    adapters: dict[str, Any] = torch.load(folder / "trainer.pt", weights_only=True)["adapters"]
    return adapters


@pytest.mark.slow
def test_ppo_resumes_with_adapters(quick: Any) -> None:
    whole = ppo.train(quick("whole", iterations=2, lora=4))
    ppo.train(quick("parts", iterations=1, lora=4))
    parts = ppo.train(quick("parts", iterations=2, lora=4, resume=True))
    folders = [run.path / "checkpoints" / "00002" for run in (whole, parts)]
    models = [(folder / "model.safetensors").read_bytes() for folder in folders]
    assert models[0] == models[1]
    torch.testing.assert_close(*map(run_of, folders), rtol=0, atol=0)


@pytest.mark.parametrize(("device", "wanted", "used"), [("cpu", True, False), ("cuda", True, True)])
def test_bfloat16_is_for_gpus(device: str, wanted: bool, used: bool) -> None:
    args = sft.Args(out="", bf16=wanted)
    assert trainer_options(args, Path("x"), device)["bf16"] is used
    assert ppo.autocast(args, device)._enabled is (used and torch.cuda.is_available())
