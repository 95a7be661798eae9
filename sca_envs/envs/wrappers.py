"""Wrappers: the whole conversation as the observation, and a dense reward."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym

from sca_envs.core.database import Database
from sca_envs.core.errors import OptionError
from sca_envs.envs.spaces import Text
from sca_envs.envs.tool_use import ToolUseEnv


def _tool_use(env: gym.Env[Any, Any]) -> ToolUseEnv:
    unwrapped = env.unwrapped
    if not isinstance(unwrapped, ToolUseEnv):
        raise TypeError(f"Expected an environment of sca_envs, got {type(unwrapped).__name__}")
    return unwrapped


class Messages(gym.Space[tuple[dict[str, Any], ...]]):
    """Conversations: tuples of chat messages in OpenAI's format."""

    @property
    def is_np_flattenable(self) -> bool:
        """False: conversations have no fixed size."""
        return False

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a tuple of dicts with a role."""
        return isinstance(x, tuple) and all(isinstance(m, dict) and "role" in m for m in x)

    def sample(
        self, mask: Any | None = None, probability: Any | None = None
    ) -> tuple[dict[str, Any], ...]:
        """Return a conversation of one user message."""
        text = Text(seed=self.np_random).sample(mask, probability)
        return ({"role": "user", "content": text},)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Messages)

    def __hash__(self) -> int:
        return hash(Messages)

    def __repr__(self) -> str:
        return "Messages()"


class ChatMessages(
    gym.Wrapper[tuple[dict[str, Any], ...], str, str, str], gym.utils.RecordConstructorArgs
):
    """Observe the whole conversation as chat messages in OpenAI's format, the policy first.

    The tools' schemas, as such an endpoint wants them, are in `info["tools"]`. Pass both on, and
    the model's answer back through `step` as text in the action format.

    Args:
        env: An environment of this package.

    Raises:
        TypeError: If it is another one.
    """

    def __init__(self, env: gym.Env[str, str]) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        super().__init__(env)  # type: ignore[arg-type]
        self._inner = _tool_use(env)
        self.observation_space = Messages()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
        """Begin an episode; see `ToolUseEnv.reset`."""
        _, info = self.env.reset(seed=seed, options=options)
        return self._messages(), info

    def step(
        self, action: str
    ) -> tuple[tuple[dict[str, Any], ...], SupportsFloat, bool, bool, dict[str, Any]]:
        """Take one turn; see `ToolUseEnv.step`."""
        _, reward, terminated, truncated, info = self.env.step(action)
        return self._messages(), reward, terminated, truncated, info

    def _messages(self) -> tuple[dict[str, Any], ...]:
        return tuple(self._inner.episode.messages())


class DenseReward(gym.Wrapper[str, str, str, str], gym.utils.RecordConstructorArgs):
    """Add a reward for progress of the database that leaves the optimal policy unchanged.

    The potential of a state is the share of the differences between the initial state and the
    reference end state that are gone, less what else was changed:

        phi(s) = (d(s_0) - d(s)) / max(1, d(s_0)),    d(s) = differences of s to the reference

    where a difference is a field of a record (a list counts as one field). A step from s to s' adds
    ``scale * (gamma * phi(s') - phi(s))``, with ``phi = 0`` in a terminal state, which is the form
    that changes no optimal policy (Ng, Harada and Russell, 1999, theorem 1; for the terminal state
    Grzes, 2017). With ``gamma = 1`` the additions of a terminated episode add up to 0. At a
    truncation the potential stays, because a learner bootstraps there.

    `info["shaping"]` has what was added. Progress is computed from the reference solution: use it
    to train, not to evaluate.

    Args:
        env: An environment of this package.
        scale: Factor of the additions.
        gamma: Discount factor of the learner, from 0 to 1.

    Raises:
        TypeError: If `env` is another environment.
        OptionError: If `gamma` is out of range.
    """

    def __init__(self, env: gym.Env[str, str], scale: float = 1.0, gamma: float = 1.0) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, scale=scale, gamma=gamma)
        super().__init__(env)
        if not 0 <= gamma <= 1:
            raise OptionError(f"Expected gamma to be from 0 to 1; got {gamma!r}")
        self._inner = _tool_use(env)
        self.scale, self.gamma = scale, gamma

    def step(self, action: str) -> tuple[str, SupportsFloat, bool, bool, dict[str, Any]]:
        """Take one turn; the reward has the addition."""
        before = self._potential()
        observation, reward, terminated, truncated, info = self.env.step(action)
        after = 0.0 if terminated else self._potential()
        info["shaping"] = self.scale * (self.gamma * after - before)
        return observation, float(reward) + info["shaping"], terminated, truncated, info

    def _potential(self) -> float:
        episode = self._inner.episode
        expected = episode.domain.reference_state(episode.task)
        distance = len(episode.database.diff(expected))
        at_first = len(Database(expected.base, expected).diff())
        return (at_first - distance) / max(1, at_first)
