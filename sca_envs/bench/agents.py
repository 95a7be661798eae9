"""The agent protocol, and agents that need no model.

An agent is any object with `reset` and `act`; it sees observations and `info` and nothing else. The
reference agent is the exception: it is given the environment, whose solution it replays.
"""

from __future__ import annotations

from typing import Any, Protocol

import gymnasium as gym

from sca_envs.core.actions import Action
from sca_envs.envs.tool_use import ToolUseEnv


class Agent(Protocol):
    """Plays episodes."""

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Begin an episode.

        Args:
            observation: The first observation.
            info: The first info, with ``tools`` and ``policy``.
        """
        ...

    def act(self, observation: str, info: dict[str, Any]) -> str:
        """Return the next turn, written in the environment's action format."""
        ...


class ReferenceAgent:
    """Replays the reference solution of the task, and says its last words till the end.

    Args:
        env: The environment that will be played.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        self._env: ToolUseEnv = env.unwrapped  # type: ignore[assignment]
        self._left: list[Action] = []

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Look up the task's solution."""
        self._left = self._env.reference_actions()[::-1]

    def act(self, observation: str, info: dict[str, Any]) -> str:
        """Return the next action of the solution."""
        action = self._left.pop() if len(self._left) > 1 else self._left[0]
        return self._env.render_action(action)


class NoopAgent:
    """Calls no tool and says nothing of use."""

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Do nothing."""

    def act(self, observation: str, info: dict[str, Any]) -> str:
        """Return a reply."""
        return "I cannot help with that."


class RandomAgent:
    """Samples the environment's action space.

    Args:
        env: The environment that will be played.
        seed: Seed of the samples.
    """

    def __init__(self, env: gym.Env[Any, Any], seed: int = 0) -> None:
        self._space = env.action_space
        self._space.seed(seed)

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Do nothing."""

    def act(self, observation: str, info: dict[str, Any]) -> str:
        """Return a sample."""
        action: str = self._space.sample()
        return action
