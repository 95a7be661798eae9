"""A policy of a few hundred parameters in float64, and episodes for it."""

from __future__ import annotations

import random

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from baselines.packing import Episode
from baselines.policy import Policy
from baselines.ppo import Args, Batch, add_gradients

VOCABULARY = 11


def small_policy() -> Policy:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        # Llama's layers compute some things in float32 whatever their weights are.
        config = GPT2Config(
            vocab_size=VOCABULARY,
            n_embd=8,
            n_layer=2,
            n_head=2,
            n_positions=64,
            initializer_range=0.5,
            bos_token_id=None,
            eos_token_id=None,
        )
        policy = Policy(GPT2LMHeadModel(config).eval().double()).double()
        torch.nn.init.normal_(policy.value_head.weight)
        return policy


def episodes(number: int) -> list[Episode]:
    """Return episodes of different lengths, of one to three turns."""
    rng = random.Random(1)
    made = []
    for _ in range(number):
        mask = [0] * rng.randint(1, 5)
        turns = rng.randint(1, 3)
        for _ in range(turns):
            mask += [1] * rng.randint(1, 4) + [0] * rng.randint(1, 3)
        ids = [rng.randrange(VOCABULARY) for _ in mask]
        made.append(Episode(ids, mask, float(rng.randrange(2)), False, turns))
    return made


def before(batch: list[Episode]) -> list[Batch]:
    """Return what an update would know of the tokens, drawn at random."""
    made = []
    generator = torch.Generator().manual_seed(2)
    for one in batch:
        numbers = torch.randn(5, one.written, generator=generator, dtype=torch.float64)
        logprobs = -2.4 + 0.3 * numbers[0]
        reference, weights = -2.4 + 0.3 * numbers[2], 1 + 0.1 * numbers[0]
        made.append(Batch(logprobs, numbers[1], reference, numbers[3], numbers[4], weights))
    return made


def gradient(
    policy: Policy, batch: list[Episode], args: Args
) -> tuple[dict[str, float], torch.Tensor]:
    """Return the numbers of a minibatch and the gradient as one vector."""
    policy.zero_grad()
    numbers = add_gradients(policy, batch, before(batch), args, "cpu")
    parameters = [p for p in policy.parameters() if p.grad is not None]
    return numbers, torch.cat([p.grad.flatten() for p in parameters])  # type: ignore[union-attr]
