"""A challenger that asks a language model, through any agent of the suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sca_envs.challenge.task import CodeAsTask
from sca_envs.challenge.workshop import Rules, submissions, workshop
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode
from sca_envs.core.formats import CODE_FORMATS
from sca_envs.core.formats import action_format as find_format
from sca_envs.sandbox.runner import shared_runner


class Player(Protocol):
    """The part of the agent protocol that a challenger needs."""

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Begin an episode."""
        ...

    def act(self, observation: str, info: dict[str, Any]) -> str:
        """Return the next turn."""
        ...


class LLMChallenger:
    """Lets an agent explore a domain, submit tasks, and mend them after the gates' report.

    The agent plays an episode of the domain's workshop, as in the challenger environments. What
    it is told is in `sca_envs/challenge/prompts`.

    Args:
        domain: The domain to make tasks for.
        agent: The agent, or a function that makes one.
        action_format: How the agent writes a turn.
        max_turns: Most turns of an episode.
        submissions: Most submissions of an episode.
    """

    name = "llm"

    def __init__(
        self,
        domain: Domain,
        agent: Player | Callable[[], Player],
        *,
        action_format: str = "json",
        max_turns: int = 30,
        submissions: int = 3,
    ) -> None:
        self._workshop = workshop(domain, Rules(submissions=submissions))
        self._agent: Player = agent if hasattr(agent, "act") else agent()  # type: ignore[assignment]
        self._format = find_format(action_format)
        self._runner = shared_runner() if self._format.name in CODE_FORMATS else None
        self._max_turns = max_turns

    def propose(self, seed: int) -> CodeAsTask | None:
        """Return the task that came of an episode: an accepted one, or else the last one submitted.

        Args:
            seed: Which place to begin from.

        Returns:
            The task, or None if the agent submitted none.
        """
        task = self._workshop.tasks("train")[seed]
        episode = Episode(
            self._workshop, task, max_turns=self._max_turns, seed=seed, code_runner=self._runner
        )
        observation, info = episode.opening, self._info(episode, seed)
        self._agent.reset(observation, info)
        while not episode.done:
            action = self._format.parse(self._agent.act(observation, info))
            outcome = episode.step(action)
            observation = outcome.observation
            info = self._info(episode, seed)
        rows = submissions(episode.database)
        best = next((row for row in rows if row["accepted"]), rows[-1] if rows else None)
        if best is None:
            return None
        made = CodeAsTask.model_validate(best["task"])
        told = made.provenance.model_copy(
            update={"challenger": self.name, "seed": seed, "verdicts": ()}
        )
        return made.model_copy(update={"provenance": told})

    def _info(self, episode: Episode, seed: int) -> dict[str, Any]:
        return {
            "task_id": episode.task.id,
            "turn": episode.turn,
            "tools": list(self._workshop.schemas),
            "policy": self._workshop.policy,
            "source": episode.source,
            "termination_reason": episode.termination_reason,
            "episode_id": episode.task.id,
            "seed": seed,
            "trial": 0,
            "action_format": self._format.name,
        }
