"""Playing whole episodes."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym

from sca_envs.bench.agents import Agent


class Result(NamedTuple):
    """How an episode went."""

    task_id: str
    reward: float
    """Sum of the rewards."""
    turns: int
    termination_reason: str
    components: dict[str, float]


def play(
    env: gym.Env[Any, Any],
    agent: Agent,
    *,
    seed: int | None = None,
    options: dict[str, Any] | None = None,
) -> Result:
    """Play one episode.

    Args:
        env: An environment of this package.
        agent: Who plays.
        seed: Seed of the reset.
        options: Options of the reset.
    """
    observation, info = env.reset(seed=seed, options=options)
    agent.reset(observation, info)
    total, done = 0.0, False
    while not done:
        observation, reward, terminated, truncated, info = env.step(agent.act(observation, info))
        total += float(reward)
        done = terminated or truncated
    return Result(
        task_id=info["task_id"],
        reward=total,
        turns=info["turn"],
        termination_reason=info["termination_reason"],
        components=info["reward_components"],
    )
