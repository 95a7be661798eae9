"""A tokeniser and a model for TRL, made here, and a model's words put into its mouth."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sca_envs

INSTALLED = all(importlib.util.find_spec(name) for name in ("torch", "transformers", "trl"))
SPECIAL = ["<|im_end|>", "<|im_start|>", "<|endoftext|>"]


@pytest.fixture(scope="session")
def trl_tokenizer() -> Any:
    """A byte-level tokeniser with a template of Qwen's that TRL knows."""
    if not INSTALLED:
        pytest.skip("needs torch and TRL: pip install 'sca-envs[trl]'")
    import trl
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=800,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    domain = sca_envs.domain("trade_calculator")
    made.train_from_iterator([domain.policy, *map(str, domain.schemas)], trainer)
    template = Path(trl.__file__).parent / "chat_templates" / "qwen3_instruct_2507.jinja"
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=SPECIAL,
        chat_template=template.read_text("utf-8"),
        clean_up_tokenization_spaces=False,
    )


@pytest.fixture
def trl_model(trl_tokenizer: Any) -> Any:
    """A language model with two small layers and random weights."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.set_num_threads(1)  # more of them only wait for each other on a busy machine
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(trl_tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=8192,
        bos_token_id=None,
        eos_token_id=trl_tokenizer.eos_token_id,
        pad_token_id=trl_tokenizer.pad_token_id,
    )
    return Qwen3ForCausalLM(config)


@pytest.fixture
def make_trainer(
    trl_model: Any, trl_tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """A function that makes a GRPOTrainer for a spec."""
    import torch

    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    threads = torch.get_num_threads()

    def made(spec: Any, **options: Any) -> Any:
        from trl import GRPOConfig, GRPOTrainer

        arguments: dict[str, Any] = {
            "output_dir": str(tmp_path),
            "use_cpu": True,
            "bf16": False,
            "gradient_checkpointing": False,
            "dataloader_pin_memory": False,
            "per_device_train_batch_size": 4,
            "num_generations": 4,
            "max_completion_length": 96,
            "max_steps": 2,
            "beta": 0.0,
            "report_to": [],
            "save_strategy": "no",
            "logging_steps": 1,
            "learning_rate": 1e-2,
            "seed": 1,
            "disable_tqdm": True,
        }
        return GRPOTrainer(
            trl_model,
            args=GRPOConfig(**arguments | options),
            processing_class=spec.prepare(trl_tokenizer),
            **spec.trainer_arguments(),
        )

    yield made
    torch.set_num_threads(threads)
