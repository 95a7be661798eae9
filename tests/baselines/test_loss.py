"""The loss: known answers, its gradient by finite differences, masks, and what it must not see."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from small import before, episodes, gradient, small_policy

from baselines.packing import chunks, pack
from baselines.policy import Outputs
from baselines.ppo import (
    Args,
    Batch,
    compute_old_outputs,
    loss_terms,
    normalize_advantages,
    total_loss,
)

WEIGHTS = {"value_coef": 0.3, "entropy_coef": 0.05, "kl_coef": 0.2, "value_clip": 0.4}
ARGS = Args("", **WEIGHTS)  # type: ignore[arg-type]


def one_token(ratio: float, advantage: float, **options: Any) -> dict[str, float]:
    """Return the terms of a token whose value goes from 0 to 1, with return 2."""
    numbers = torch.tensor(
        [math.log(ratio), 1.0, 0.5, 0.0, 0.0, 0.0, advantage, 2.0, 1.0], dtype=torch.float64
    )
    new, old = Outputs(*numbers[:3, None]), Batch(*numbers[3:, None])
    return {name: value.item() for name, value in loss_terms(new, old, Args("", **options)).items()}


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "clipped"),
    [
        (1.1, 1.0, -1.1, 0),
        (1.5, 1.0, -1.2, 1),  # no more to gain
        (0.5, 1.0, -0.5, 1),  # but the way back is open
        (1.5, -1.0, 1.5, 1),
        (0.5, -1.0, 0.8, 1),
    ],
)
def test_clipped_surrogate(ratio: float, advantage: float, loss: float, clipped: int) -> None:
    terms = one_token(ratio, advantage)
    assert terms["policy_loss"] == pytest.approx(loss)
    assert terms["clipfrac"] == clipped
    assert terms["approx_kl"] == pytest.approx(ratio - 1 - math.log(ratio))
    assert terms["kl"] == pytest.approx(1 / ratio - 1 + math.log(ratio))


@pytest.mark.parametrize(("value_clip", "loss"), [(0.0, 0.5), (0.2, 0.5 * 1.8**2), (5.0, 0.5)])
def test_clipped_value(value_clip: float, loss: float) -> None:
    assert one_token(1.0, 0.0, value_clip=value_clip)["value_loss"] == pytest.approx(loss)


def test_weights_and_signs_of_the_terms() -> None:
    names = ("policy_loss", "value_loss", "kl", "entropy")
    terms = {n: torch.tensor(float(10**i)) for i, n in enumerate(names)}
    expected = 1 + 0.3 * 10 + 0.2 * 100 - 0.05 * 1000
    assert total_loss(terms, 2, ARGS).item() == pytest.approx(expected / 2)
    in_reward = Args("", kl_in="reward", **WEIGHTS)  # type: ignore[arg-type]
    assert total_loss(terms, 2, in_reward).item() == pytest.approx((expected - 0.2 * 100) / 2)


def test_tokens_of_another_sampler_are_weighted_by_how_it_drew_them() -> None:
    policy, batch = small_policy(), episodes(4)
    plain = compute_old_outputs(policy, policy, batch, ARGS, "cpu")
    assert all(torch.equal(one.weights, torch.ones(len(one.weights))) for one in plain)
    for one, seen in zip(batch, plain, strict=True):
        shift = torch.linspace(-2, 2, one.written, dtype=torch.float64)
        one.logprobs = (seen.logprobs - shift).tolist()
    args = replace(ARGS, vllm="colocate", sampler_cap=2.0)
    for one, seen in zip(
        batch, compute_old_outputs(policy, policy, batch, args, "cpu"), strict=True
    ):
        shift = torch.linspace(-2, 2, one.written, dtype=torch.float64)
        torch.testing.assert_close(
            seen.weights.double(), shift.exp().clamp(max=2.0), rtol=1e-5, atol=0
        )


def test_a_weight_is_of_the_policy_loss_alone() -> None:
    numbers = torch.tensor([0.1, 1.0, 0.5, 0.0, 0.0, 0.2, 1.0, 2.0], dtype=torch.float64)
    new = Outputs(*numbers[:3, None])
    terms = [
        loss_terms(new, Batch(*numbers[3:, None], torch.tensor([weight])), Args(""))
        for weight in (1.0, 0.25)
    ]
    assert terms[1].pop("policy_loss") == 0.25 * terms[0].pop("policy_loss")
    assert terms[0] == terms[1]


def test_gradient_by_finite_differences() -> None:
    policy, batch = small_policy(), episodes(5)
    tokens = sum(one.written for one in batch)

    def loss() -> float:
        total = 0.0
        for rows, order in chunks(batch, 32, 2, "cpu"):
            old = Batch(*(torch.cat(x) for x in zip(*(known[i] for i in order), strict=True)))
            total += total_loss(loss_terms(policy(rows, 1.0), old, ARGS), tokens, ARGS).item()
        return total

    known = before(batch)
    _, exact = gradient(policy, batch, ARGS)
    parameters = [p for p in policy.parameters() if p.grad is not None]
    generator = torch.Generator().manual_seed(3)
    step = 1e-6
    with torch.no_grad():
        for _ in range(10):
            direction = torch.randn(len(exact), generator=generator, dtype=torch.float64)
            parts = direction.split([p.numel() for p in parameters])
            found = []
            for sign in (1, -2):  # there, and back beyond the beginning
                for parameter, part in zip(parameters, parts, strict=True):
                    parameter += sign * step * part.view_as(parameter)
                found.append(loss())
            for parameter, part in zip(parameters, parts, strict=True):
                parameter += step * part.view_as(parameter)
            slope = (found[0] - found[1]) / (2 * step)
            assert slope == pytest.approx((exact @ direction).item(), rel=1e-5, abs=1e-8)
    assert exact.abs().max() > 1e-2


def test_tokens_of_the_environment_have_no_part_in_the_loss() -> None:
    """States are 1e6 times as large wherever they choose no token of the model."""
    policy, batch = small_policy(), episodes(4)
    plain = gradient(policy, batch, ARGS)
    rows, _ = pack(batch, ARGS.pack_tokens, "cpu")
    chooses = torch.zeros_like(rows.written)
    chooses[:, :-1] = rows.written[:, 1:]
    planted = []

    def plant(trunk: Any, inputs: Any, output: Any) -> Any:
        output.last_hidden_state = (
            output.last_hidden_state * torch.where(chooses, 1, 1e6)[..., None]
        )
        output.last_hidden_state.retain_grad()
        planted.append(output.last_hidden_state)
        return output

    policy.lm.base_model.register_forward_hook(plant)
    numbers, found = gradient(policy, batch, ARGS)
    assert numbers == plain[0]
    torch.testing.assert_close(found, plain[1])
    [states] = planted
    assert states.detach().abs().max() > 1e5
    assert torch.equal(states.grad.abs().sum(-1) > 0, chooses)


def test_another_last_word_of_the_environment_changes_nothing() -> None:
    policy, batch = small_policy(), episodes(4)
    plain = gradient(policy, batch, ARGS)
    for one in batch:
        assert one.mask[-1] == 0
        one.ids[-1] = (one.ids[-1] + 1) % 11
    numbers, found = gradient(policy, batch, ARGS)
    assert numbers == plain[0]
    torch.testing.assert_close(found, plain[1])


def test_whitening_is_over_all_tokens() -> None:
    made = torch.cat([one.advantages for one in normalize_advantages(before(episodes(6)))])
    assert made.mean().item() == pytest.approx(0, abs=1e-9)
    assert made.std(correction=0).item() == pytest.approx(1, abs=1e-6)
