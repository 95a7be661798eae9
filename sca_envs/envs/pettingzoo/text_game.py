"""What the views have in common: PettingZoo's bookkeeping for two agents who write text in turn."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.utils import seeding
from pettingzoo import AECEnv

from sca_envs.core.errors import OptionError

PAYOFFS = ("cooperative", "zero_sum", "separate")
"""How what one agent gets decides what the other gets."""


class Text(str):
    """An observation: text with the attribute that PettingZoo's `api_test` asks for."""

    __slots__ = ()
    dtype = None


class TextGame(AECEnv):  # type: ignore[misc]  # PettingZoo has no types
    """Two agents who write text in turn.

    Subclasses say in `_begin` and `_act` whose turn it is, and call `_finish` at the end.

    Args:
        payoff: One of `PAYOFFS`.
        render_mode: ``ansi``, ``human`` or None.

    Raises:
        OptionError: If an option has a value that is not allowed.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": ["ansi", "human"],
        "render_fps": 1,
        "is_parallelizable": False,  # agents act in turn; see `parallel_env`
    }
    possible_agents: list[str]
    _skip_agent_selection: str | None

    def __init__(self, payoff: str, render_mode: str | None) -> None:
        super().__init__()
        if payoff not in PAYOFFS:
            raise OptionError(f"Expected payoff to be {', '.join(PAYOFFS)}; got {payoff!r}")
        modes = self.metadata["render_modes"]
        if render_mode is not None and render_mode not in modes:
            raise OptionError(
                f"Expected render_mode to be {', '.join(modes)} or None; got {render_mode!r}"
            )
        self.payoff = payoff
        self.render_mode = render_mode
        self._rng: np.random.Generator | None = None
        self._observation_spaces: dict[str, gym.Space[str]] = {}
        self._action_spaces: dict[str, gym.Space[str]] = {}

    def observation_space(self, agent: str) -> gym.Space[str]:
        """Return the space of what an agent reads: text."""
        return self._observation_spaces[agent]

    def action_space(self, agent: str) -> gym.Space[str]:
        """Return the space of what an agent may write."""
        return self._action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin a game.

        Args:
            seed: Fixes the task.
            options: ``{"task": id or index}`` chooses the task. Other keys are ignored, which
                PettingZoo's tests rely on.

        Raises:
            OptionError: If the task is no id and no index.
            UnknownTaskError: If the task does not exist.
        """
        if seed is not None or self._rng is None:
            self._rng, _ = seeding.np_random(seed)
        chosen = {key: value for key, value in (options or {}).items() if key == "task"}
        first = self._begin(self._rng, chosen)
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: self._info(agent) for agent in self.agents}
        self.agent_selection = first
        self._skip_agent_selection = None

    def step(self, action: str | None) -> None:
        """Take the turn of the agent who is to act; None if its game is over.

        Raises:
            TypeError: If the action is not a string; the game is as before.
        """
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        if not isinstance(action, str):
            raise TypeError(f"Expected an action of type str, got {type(action).__name__}")
        self._clear_rewards()
        self._cumulative_rewards[agent] = 0.0
        self.agent_selection = self._act(agent, action)
        self.infos = {agent: self._info(agent) for agent in self.agents}
        self._accumulate_rewards()
        self._deads_step_first()

    def _finish(self, rewards: dict[str, float], *, truncated: bool) -> None:
        """End the game."""
        self.rewards = dict(rewards)
        self.terminations = dict.fromkeys(self.agents, not truncated)
        self.truncations = dict.fromkeys(self.agents, truncated)

    def observe(self, agent: str) -> Text:
        """Return the newest text that an agent reads."""
        return Text(self._text_for(agent))

    def render(self) -> str | None:
        """Return the game so far as text in mode ``ansi``; ``human`` prints it as it goes."""
        return self._show() if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    @abstractmethod
    def _begin(self, rng: np.random.Generator, options: dict[str, Any]) -> str:
        """Begin a game, and return who is to act; an error leaves the present game as it is."""

    @abstractmethod
    def _act(self, agent: str, action: str) -> str:
        """Take an agent's turn, and return who is next."""

    @abstractmethod
    def _text_for(self, agent: str) -> str:
        """Return the newest text that an agent reads."""

    @abstractmethod
    def _info(self, agent: str) -> dict[str, Any]:
        """Return what else an agent is told, fresh each time."""

    @abstractmethod
    def _show(self) -> str:
        """Return the game so far as text."""
