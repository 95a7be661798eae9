"""One rollout of TRL's as an episode of ours: what the two kinds of environment classes share.

TRL makes every public function on an environment's class a tool, except `reset` and `get_reward`.
So all of this is private, and the classes that the model sees are generated.
"""

from __future__ import annotations

from typing import Any, ClassVar

from gymnasium.utils import seeding

from sca_envs.bench.trajectories.trajectory import EXCLUDED
from sca_envs.core.actions import Action, Malformed
from sca_envs.core.episode import USER_ERROR, Episode
from sca_envs.core.errors import UserError
from sca_envs.core.tools import refused
from sca_envs.envs.tool_use import ToolUseEnv

SUCCESS = 1 - 1e-6
"""The least reward that counts as a success, as in `Trajectory.success`."""


class Rollout:
    """An episode that TRL plays; reused for one after another."""

    _env: ClassVar[ToolUseEnv]
    """Begins the episodes; it is shared by all rollouts and never changed."""
    _label: ClassVar[str]
    """What metrics call the environment."""
    _episode: Episode | None = None
    _problem: str | None = None
    _finished: bool = False
    _late: int = 0
    _reward: float = 0.0

    def reset(self, task_id: str | None = None, seed: int = 0, **columns: Any) -> str:
        """Begin an episode and return the first observation.

        TRL appends it to the prompt's last message, which is an empty one of the user.

        Args:
            task_id: The task; a drawn one without it.
            seed: Fixes everything random.
            columns: The other columns of the row.
        """
        self._seed, self._late, self._reward = seed, 0, 0.0
        self._episode, self._problem, self._finished = None, None, False
        rng, _ = seeding.np_random(seed)
        options = None if task_id is None else {"task": task_id}
        try:
            self._episode = self._env.begin(*self._env.draw(rng, options))
        except UserError as error:
            self._problem = f"Error: the user failed: {error}"
            return self._problem
        return self._episode.opening

    def _step(self, action: Action) -> str:
        """Take an action in an episode that is not over, and return the observation."""
        assert self._episode is not None
        outcome = self._episode.step(action)
        self._reward += outcome.reward
        return outcome.observation

    def _act(self, action: Action) -> str:
        """Take an action and return what a model reads that cannot see that the episode is over."""
        if self._episode is None:
            self._late += 1
            return self._problem or "Error: there is no episode"
        if self._episode.done:
            self._late += 1
            return f"Error: {self._ending()}"
        said = self._step(action)
        return f"{said}\n\n{self._ending()}".strip() if self._episode.done else said

    def _ending(self) -> str:
        assert self._episode is not None
        why = self._episode.termination_reason
        return (
            f"The episode is over ({why}). Nothing that you do counts any more; write no tool call."
        )

    def _done(self) -> bool:
        return self._episode is None or self._episode.done

    def _reason(self) -> str:
        """Return why the episode ended; ``unfinished`` if the model stopped before its end."""
        if self._episode is None:
            return USER_ERROR
        return self._episode.termination_reason or "unfinished"

    def _finish(self, completion: Any) -> None:
        """Take the last message of a completion into account; called once, before the verdict."""

    def _score(self, completion: Any) -> float | None:
        """Return the reward of the rollout; None if it tells nothing about the model."""
        if not self._finished:
            self._finish(completion)
            self._finished = True
        if self._reason() in EXCLUDED:
            return None
        return self._reward

    def _metrics(self) -> dict[str, float]:
        """Return what is logged about the rollout, by name."""
        episode = self._episode
        if episode is None:
            return {"excluded": 1.0}
        reason = self._reason()
        metrics = {
            "excluded": float(reason in EXCLUDED),
            "turns": float(episode.turn),
            "malformed": float(sum(isinstance(t.action, Malformed) for t in episode.transcript)),
            "refused_calls": float(
                sum(
                    refused(turn.observation)
                    for turn in episode.transcript
                    if turn.source != "user" and not isinstance(turn.action, Malformed)
                )
            ),
            "calls_after_end": float(self._late),
            "unfinished": float(reason == "unfinished"),
            "truncated": float(reason == "max_turns"),
        }
        if reason not in EXCLUDED:
            metrics["success"] = float(self._reward >= SUCCESS)
        return metrics | {f"components/{name}": value for name, value in episode.components.items()}
