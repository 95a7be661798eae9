"""The agent protocol, and agents that need no model.

An agent is any object with `reset` and `act`; it sees observations and `info` and nothing else. The
reference agent is the exception: it is given the environment, whose solution it replays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import gymnasium as gym

from sca_envs.core.actions import Action
from sca_envs.envs.tool_use import ToolUseEnv

if TYPE_CHECKING:
    from sca_envs.bench.trajectories.trajectory import Tokens, Usage


@runtime_checkable
class Agent(Protocol):
    """Plays episodes.

    Two methods more are called where an agent has them: ``close()`` when it is no longer needed,
    and ``report(observation, info) -> AgentReport`` after the end of each episode, with the last
    observation and info, to say what the episode cost and which tokens it was.

    Under `evaluate`, every info also has the keys ``episode_id`` (unique within the run),
    ``trial``, ``seed`` (an integer from 0, for an agent's own randomness) and ``action_format``
    (how a turn is written).
    """

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


@runtime_checkable
class BatchAgent(Protocol):
    """Plays many episodes at once; `evaluate` prefers this over `Agent` where an object is both.

    ``info["episode_id"]`` says which episode an observation belongs to. An attribute ``batch_size``
    is how many episodes it wants at most (16 without one); ``close`` and ``report`` are as in
    `Agent`.
    """

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Begin one more episode, while others go on."""
        ...

    def act_batch(self, observations: list[str], infos: list[dict[str, Any]]) -> list[str]:
        """Return the next turn of each of these episodes, in order; those that ended are gone."""
        ...


@dataclass
class TurnTokens:
    """What a model generated in one turn."""

    ids: list[int]
    """The tokens."""
    logprobs: list[float] | None = None
    """Their log-probabilities under the policy that sampled them, in nats."""


@dataclass
class AgentReport:
    """What an agent tells about the episode that just ended."""

    usage: Usage | None = None
    """What it cost."""
    tokens: Tokens | None = None
    """The whole episode in tokens."""
    turns: list[TurnTokens] = field(default_factory=list)
    """What was generated in each turn, for as many turns as there were, or none at all."""


class StopRun(Exception):  # noqa: N818 (it is no error)
    """Raised by an agent to stop the whole run; the episode at hand does not count."""


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

    Under `evaluate` each episode has its own seed, so that no other one changes its samples.

    Args:
        env: The environment that will be played.
        seed: Seed of the samples.
    """

    def __init__(self, env: gym.Env[Any, Any], seed: int = 0) -> None:
        self._space = env.action_space
        self._space.seed(seed)

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Seed the samples, if the info has a seed."""
        if "seed" in info:
            self._space.seed(info["seed"])

    def act(self, observation: str, info: dict[str, Any]) -> str:
        """Return a sample."""
        action: str = self._space.sample()
        return action
