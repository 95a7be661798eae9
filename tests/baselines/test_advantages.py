"""Generalised advantages against their definition, term by term."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from baselines.ppo import Args, advantages

TURNS = [0, 0, 0, 1, 1, 2, 2, 2, 2]


def definition(
    rewards: list[float], values: list[float], turns: list[int], args: Args
) -> list[float]:
    """A_t = sum over l of (product of gamma_k lambda from t to t + l - 1) delta_{t+l}."""

    def gamma(t: int) -> float:
        within = t + 1 < len(turns) and turns[t] == turns[t + 1]
        return 1.0 if args.discount == "turn" and within else args.gamma

    values = [*values, 0.0]
    deltas = [r + gamma(t) * values[t + 1] - values[t] for t, r in enumerate(rewards)]
    made = []
    for t in range(len(rewards)):
        total = 0.0
        for later in range(t, len(rewards)):
            weight = 1.0
            for k in range(t, later):
                weight *= gamma(k) * args.gae_lambda
            total += weight * deltas[later]
        made.append(total)
    return made


@pytest.mark.parametrize("discount", ["turn", "token"])
@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 1.0), (0.9, 0.95), (0.5, 0.0), (0.0, 0.7)])
def test_definition(discount: Any, gamma: float, lam: float) -> None:
    rng = random.Random(0)
    args = Args("", discount=discount, gamma=gamma, gae_lambda=lam)
    rewards, values = ([rng.gauss(0, 1) for _ in TURNS] for _ in range(2))
    made, returns = advantages(
        torch.tensor(rewards, dtype=torch.float64),
        torch.tensor(values, dtype=torch.float64),
        TURNS,
        args,
    )
    expected = torch.tensor(definition(rewards, values, TURNS, args), dtype=torch.float64)
    torch.testing.assert_close(made, expected)
    torch.testing.assert_close(returns, expected + torch.tensor(values, dtype=torch.float64))


def test_reward_at_the_end_reaches_every_token_undiscounted() -> None:
    rewards = torch.zeros(len(TURNS))
    rewards[-1] = 1.0
    made, _ = advantages(rewards, torch.zeros(len(TURNS)), TURNS, Args("", gae_lambda=1.0))
    assert made.tolist() == [1.0] * len(TURNS)


def test_discount_by_turn_counts_turns_and_not_tokens() -> None:
    rewards = torch.zeros(len(TURNS))
    rewards[-1] = 1.0
    args = Args("", gae_lambda=1.0, gamma=0.5, discount="turn")
    made, _ = advantages(rewards, torch.zeros(len(TURNS)), TURNS, args)
    assert made.tolist() == [0.25] * 3 + [0.5] * 2 + [1.0] * 4
