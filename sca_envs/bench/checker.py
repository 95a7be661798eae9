"""`check_env`: what every environment of this package must fulfil, beyond Gymnasium's checker."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
from gymnasium.utils.env_checker import check_env as check_gymnasium_env

from sca_envs.bench.agents import Agent, NoopAgent, ReferenceAgent
from sca_envs.bench.rollout import play
from sca_envs.core.task import Task
from sca_envs.envs.tool_use import ToolUseEnv

_HARMLESS = 3
"""Longest text that may occur in `info` by chance."""
NOOP_FLOOR = 0.05
"""Most of the checked tasks that doing nothing may solve, as a share."""


def check_env(
    env: gym.Env[Any, Any],
    num_tasks: int = 20,
    noop_floor: float = NOOP_FLOOR,
    skip_render_check: bool = False,
) -> None:
    """Check an environment with Gymnasium's checker, no warning allowed, and with our own rules.

    Our rules, on the tasks of the first seeds: the reference actions score 1; doing nothing scores
    1 on few; two equal runs give equal bytes; a fork does not touch its parent; `info` is JSON and
    holds nothing that gives the solution away.

    Args:
        env: An environment of this package, wrapped or not.
        num_tasks: How many seeds to play.
        noop_floor: Most of these that doing nothing may solve, as a share.
        skip_render_check: Leave out the render modes.

    Raises:
        AssertionError: If a rule is broken; the message says which, and the seed.
        TypeError: If it is an environment of another package.
    """
    unwrapped = env.unwrapped
    if not isinstance(unwrapped, ToolUseEnv):
        raise TypeError(f"Expected an environment of sca_envs, got {type(unwrapped).__name__}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_gymnasium_env(unwrapped, skip_render_check=skip_render_check)
    passive = 0
    for seed in range(num_tasks):
        _check_reference(unwrapped, seed)
        passive += play(unwrapped, NoopAgent(), seed=seed).reward == 1
        _check_fork(unwrapped, seed)
    assert passive <= noop_floor * num_tasks, (
        f"Expected doing nothing to solve at most {noop_floor:.0%} of the tasks; "
        f"it solved {passive} of {num_tasks}"
    )


def _check_reference(env: ToolUseEnv, seed: int) -> None:
    first = _record(env, ReferenceAgent(env), seed)
    second = _record(env, ReferenceAgent(env), seed)
    assert first == second, f"Expected two runs of seed {seed} to be equal; they differ"
    reward = json.loads(first[-1])[1]
    assert reward == 1, (
        f"Expected the reference actions to score 1 with seed {seed} "
        f"(task {env.episode.task.id!r}); they scored {reward}"
    )


def _record(env: ToolUseEnv, agent: Agent, seed: int) -> list[str]:
    """Play an episode and return everything that came out of it, as JSON."""
    observation, info = env.reset(seed=seed)
    agent.reset(observation, info)
    lines = [_checked(env, [observation, 0, False, False, info])]
    done = False
    while not done:
        step = env.step(agent.act(observation, info))
        observation, _, terminated, truncated, info = step
        lines.append(_checked(env, list(step)))
        done = terminated or truncated
    return lines


def _checked(env: ToolUseEnv, step: list[Any]) -> str:
    """Return a step as JSON, after a look at what its `info` tells."""
    info, episode = step[-1], env.episode
    try:
        text = json.dumps(step)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"Expected info to be JSON; {error}") from None
    if not episode.done:
        told = [info[key] for key in info if key not in ("tools", "policy")]
        for secret in _secrets(episode.task):
            assert not any(secret in text for text in _strings(told)), (
                f"Expected info to give nothing away before the end; task {episode.task.id!r} "
                f"has {secret!r} in it"
            )
    return text


def _secrets(task: Task) -> list[str]:
    """Return texts that would give a task's solution away."""
    wanted = [*task.outputs, *_strings([action.arguments for action in task.actions])]
    if task.expected is not None and not task.expected.text.isdecimal():  # ids have digits, too
        wanted.append(task.expected.text)
    return [text for text in wanted if len(text) > _HARMLESS]


def _strings(value: Any) -> Iterator[str]:
    """Yield the strings inside a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _strings(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


def _check_fork(env: ToolUseEnv, seed: int) -> None:
    env.reset(seed=seed)
    env.action_space.seed(seed)
    env.step(env.action_space.sample())
    if env.episode.done:
        return
    before = env.snapshot()
    fork = env.fork()
    for action in env.episode.task.actions:
        if fork.episode.done:
            break
        fork.step(fork.render_action(action.to_call()))
    assert env.snapshot() == before, (
        f"Expected a fork to leave its parent alone; with seed {seed} it did not"
    )
