"""A tiny model that has imitated demonstrations, made once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

for _module, _extra in (
    ("transformers", "hf"),
    ("tyro", "baselines"),
    ("tensorboard", "baselines"),
):
    pytest.importorskip(_module, reason=f"needs {_module}: pip install 'sca-envs[{_extra}]'")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """More threads only wait for each other on a busy machine."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """The tokeniser of the tiny tasks."""
    from baselines import tiny

    return tiny.tiny_tokenizer()


@pytest.fixture(scope="session")
def warm(tokenizer: Any) -> Any:
    """A model of 0.12 M parameters that is right in about a quarter of the tasks."""
    from baselines import tiny
    from sca_envs.agents.encoding import TranscriptEncoder

    model = tiny.tiny_model(tokenizer, seed=0, hidden=64)
    encoder = TranscriptEncoder(tokenizer, tiny.TEMPLATE)
    tiny.imitate(model, tiny.encode(encoder, tiny.demonstrate(1000, 0.3, 0)), 500, seed=0)
    return model


@pytest.fixture
def from_warm(warm: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each run begin with the same model, which was made once."""
    from baselines import tiny

    def warm_start(seed: int, **_: Any) -> Any:
        return copy.deepcopy(warm), copy.deepcopy(tokenizer)

    monkeypatch.setattr(tiny, "warm_start", warm_start)
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")


@pytest.fixture
def quick(from_warm: None, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that makes options of a run of a second, from the warm model."""
    from baselines.ppo import Args

    def make(name: str = "run", **options: Any) -> Args:
        small = {
            "out": str(tmp_path / name),
            "iterations": 2,
            "episodes": 8,
            "eval_num_tasks": 3,
            "eval_trials": 1,
            "eval_every": 0,
            "entropy_coef": 0.01,
            "anneal": False,  # so that a run can be made longer
        }
        return Args(**(small | options))

    return make
