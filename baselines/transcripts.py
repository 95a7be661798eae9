"""Episodes as tokens to imitate: what somebody else said, encoded as the model would have said it.

The episode is played again, and the model's agent does all but the choosing. So a demonstration has
the prompt, the template and the form that the model meets when it acts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import gymnasium as gym

from baselines.setup import World
from sca_envs import Agent, ReferenceAgent, SCAError, Trajectory
from sca_envs.agents import Encoding, Generation, HFAgent


class Example(NamedTuple):
    """An episode in tokens."""

    ids: list[int]
    mask: list[int]
    """1 where the model wrote, or should write, the token."""


class _Repeater:
    """Says what was said in a trajectory."""

    def __init__(self, one: Trajectory) -> None:
        self._left = [turn.action for turn in reversed(one.turns)]

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        pass

    def act(self, observation: str, info: dict[str, Any]) -> str:
        return self._left.pop() if self._left else ""


def transcribe(
    agent: HFAgent, env: gym.Env[str, str], speaker: Agent, seed: int, task_id: str
) -> tuple[Example, float]:
    """Play an episode in which a speaker chooses the words, and return it as the agent's.

    Args:
        agent: Reads the observations, and writes what it is told; it generates nothing.
        env: The environment.
        speaker: Chooses the words.
        seed: Seed of the reset.
        task_id: The task.

    Returns:
        The episode, and its reward.
    """
    said = ""

    def dictate(prompts: Any, seeds: Any, limits: Any) -> list[Generation]:
        scratch = Encoding()
        agent.encoder.demonstrate(scratch, said)
        return [Generation(scratch.ids, [0.0] * len(scratch.ids))]

    usual = agent.generate
    agent.generate = dictate  # type: ignore[method-assign]
    try:
        observation, info = env.reset(seed=seed, options={"task": task_id})
        info["action_format"] = env.unwrapped.action_format  # type: ignore[attr-defined]
        agent.reset(observation, info)
        speaker.reset(observation, info)
        total, done = 0.0, False
        while not done:
            info["action_format"] = env.unwrapped.action_format  # type: ignore[attr-defined]
            said = speaker.act(observation, info)
            agent.act(observation, info)
            observation, reward, terminated, truncated, info = env.step(said)
            total += float(reward)
            done = terminated or truncated
        tokens = agent.report(observation, info).tokens
    finally:
        agent.generate = usual  # type: ignore[method-assign]
    assert tokens is not None
    return Example(tokens.ids, tokens.mask), total


def references(agent: HFAgent, world: World, number: int, seed: int) -> list[Example]:
    """Return reference solutions of the first tasks to train on.

    Args:
        agent: The model's agent.
        world: Its tasks.
        number: How many; fewer where there are fewer tasks.
        seed: Fixes the users.

    Raises:
        SCAError: If none of them fits into the model's context.
    """
    env = world.make()
    tasks: Any = env.unwrapped.tasks  # type: ignore[attr-defined]
    number = number if tasks.size is None else min(number, tasks.size)
    made = []
    for index in range(number):
        example, reward = transcribe(agent, env, ReferenceAgent(env), seed + index, tasks[index].id)
        if reward == 1 and len(example.ids) <= agent.context:
            made.append(example)
    if not made:
        raise SCAError(
            f"Expected demonstrations that fit into the model's context of {agent.context} tokens; "
            "found none. Take a model with a longer context or an environment with shorter tasks"
        )
    return made


def from_trajectories(
    agent: HFAgent, world: World, trajectories: Iterable[Trajectory]
) -> tuple[list[Example], Counter[str]]:
    """Return successes out of trajectories of any agent, played again for the model's tokens.

    Args:
        agent: The model's agent.
        world: Where they were played.
        trajectories: The trajectories.

    Returns:
        The episodes, and reason -> number of trajectories that were left out.
    """
    made, dropped = [], Counter[str]()
    env = world.make()
    for one in trajectories:
        if one.env_id != world.env_id:
            dropped[f"of another environment ({one.env_id})"] += 1
        elif not one.success:
            dropped["no success"] += 1
        else:
            example, reward = transcribe(agent, env, _Repeater(one), one.seed, one.task_id)
            if reward != 1:
                dropped["no success when played again"] += 1
            elif len(example.ids) > agent.context:
                dropped["longer than the model's context"] += 1
            else:
                made.append(example)
    return made, dropped


def rows(examples: Iterable[Example]) -> Any:
    """Return a data set of ``input_ids`` and ``labels``, which are -100 where the model read."""
    import datasets

    return datasets.Dataset.from_list(
        [
            {
                "input_ids": one.ids,
                "labels": [
                    token if written else -100
                    for token, written in zip(one.ids, one.mask, strict=True)
                ],
            }
            for one in examples
        ]
    )
