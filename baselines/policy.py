"""What PPO trains: a language model with a value head, and what a checkpoint of it holds."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from baselines import lora
from baselines.packing import Rows, attention
from baselines.run import Run
from baselines.setup import first_model
from baselines.training import Basics
from sca_envs.agents import import_transformers, load_model, load_tokenizer

import_transformers()  # raises, with the name of the extra, if it or torch is missing
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402


class Policy(nn.Module):  # type: ignore[misc]
    """A language model with a value head on the same trunk.

    Args:
        lm: A causal language model of transformers.
    """

    def __init__(self, lm: Any) -> None:
        super().__init__()
        self.lm = lm
        lm.set_attn_implementation("sdpa")  # takes the mask of packed episodes as it is
        self.value_head = nn.Linear(lm.config.hidden_size, 1, device=lm.device)
        nn.init.zeros_(self.value_head.weight)  # so the first advantages are the rewards
        nn.init.zeros_(self.value_head.bias)

    def forward(self, rows: Rows, temperature: float) -> Outputs:
        """Return what the model thinks of each token that it wrote, shape (written tokens,)."""
        hidden = self.lm.base_model(
            input_ids=rows.ids,
            position_ids=rows.positions,
            attention_mask=attention(rows.segments),
            use_cache=False,
        ).last_hidden_state
        row, column = rows.written.nonzero(as_tuple=True)
        before = hidden[row, column - 1]  # the state in which the token was chosen
        logits = self.lm.get_output_embeddings()(before)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        logprobs = (logits / temperature).log_softmax(-1)
        chosen = logprobs.gather(-1, rows.ids[row, column, None])[:, 0]
        entropy = -(logprobs.exp() * logprobs).sum(-1)
        # No matrix product, which on a GPU would be one in bfloat16.
        weight, bias = self.value_head.weight[0], self.value_head.bias
        values = (before.to(weight.dtype) * weight).sum(-1) + bias
        return Outputs(chosen, values, entropy)


class Outputs(NamedTuple):
    """A model's view of tokens, each of shape (written tokens,)."""

    logprobs: Tensor
    """Log-probability of the token, in nats."""
    values: Tensor
    """Expected return before the token."""
    entropy: Tensor
    """Entropy of the choice, in nats."""


Reference = Callable[[Rows, float], Outputs]
"""The first model, which stays as it was."""


@dataclass
class State:
    """All that changes from iteration to iteration, and the frozen first model."""

    policy: Policy
    reference: Reference
    tokenizer: Any
    optimizer: torch.optim.Optimizer
    iteration: int = 0

    def save_model(self, folder: Path) -> None:
        """Write a model that transformers loads, adapters merged into it."""
        lm = self.policy.lm
        lm.save_pretrained(folder, state_dict=dict(lora.merged(lm)))
        self.tokenizer.save_pretrained(folder)

    def save(self, folder: Path) -> None:
        """Write a checkpoint: a model, and what else a run goes on from."""
        self.save_model(folder)
        trainer = {
            "value_head": self.policy.value_head.state_dict(),
            "adapters": lora.weights(self.policy.lm),
            "optimizer": self.optimizer.state_dict(),
            "iteration": self.iteration,
        }
        torch.save(trainer, folder / "trainer.pt")


def make_state(args: Basics, run: Run, device: str) -> State:
    """Return the state of a run's beginning, or of its newest checkpoint."""
    begin = str(run.path / "checkpoints" / "00000")
    if run.checkpoint is None:
        lm, tokenizer = first_model(args, device)
    else:  # adapters go on the model that they began with
        lm = load_model(begin if args.lora else str(run.checkpoint), device)
        tokenizer = load_tokenizer(begin)
    lora.add(lm, args.lora)
    policy = Policy(lm)
    optimizer = torch.optim.Adam(
        [p for p in policy.parameters() if p.requires_grad], lr=args.learning_rate, eps=1e-5
    )
    state = State(policy, make_reference(args, policy, run, device), tokenizer, optimizer)
    if run.checkpoint is not None:
        trainer = torch.load(run.checkpoint / "trainer.pt", map_location=device, weights_only=True)
        policy.value_head.load_state_dict(trainer["value_head"])
        lm.load_state_dict(trainer["adapters"], strict=False)
        optimizer.load_state_dict(trainer["optimizer"])
        state.iteration = trainer["iteration"]
    return state


def make_reference(args: Basics, policy: Policy, run: Run, device: str) -> Reference:
    """Return the first model: the policy without its adapters, or a copy where it has none."""
    if not args.lora:
        begin = str(run.path / "checkpoints" / "00000")
        begun = run.checkpoint is not None
        first = Policy(load_model(begin, device) if begun else copy.deepcopy(policy.lm))
        return cast(Reference, first.requires_grad_(False))

    def without(rows: Rows, temperature: float) -> Outputs:
        with lora.without(policy.lm):
            return policy.forward(rows, temperature)

    return without
