"""A challenger that asks a language model, through any agent of the suite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sca_envs.challenge.gates import Gate, standard_gates
from sca_envs.challenge.task import CodeAsTask
from sca_envs.challenge.workshop import Rules, submissions, workshop
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode
from sca_envs.core.formats import CODE_FORMATS
from sca_envs.core.formats import action_format as find_format
from sca_envs.sandbox.runner import shared_runner


class _Place:
    """An episode of a workshop, and what the agent was told last."""

    def __init__(self, episode: Episode, info: Callable[[], dict[str, Any]]) -> None:
        self.episode = episode
        self.observation = episode.opening
        self._info = info
        self.info = info()

    def step(self, action: Any) -> None:
        """Take the agent's action."""
        self.observation = self.episode.step(action).observation
        self.info = self._info()


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
        agent: The agent, or a function that makes one; one with ``act_batch`` can play many
            episodes at once.
        action_format: How the agent writes a turn.
        max_turns: Most turns of an episode.
        submissions: Most submissions of an episode.
        gates: What reports on submissions; by default `standard_gates`.
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
        gates: Sequence[Gate] | None = None,
    ) -> None:
        rules = Rules(
            submissions=submissions, gates=standard_gates() if gates is None else tuple(gates)
        )
        self._workshop = workshop(domain, rules)
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
        return self.propose_batch([seed])[0]

    def propose_batch(self, seeds: Sequence[int]) -> list[CodeAsTask | None]:
        """Return what `propose` does for each of several seeds, with all episodes played at once.

        Args:
            seeds: Different places to begin from; several only for an agent with ``act_batch``.
        """
        places = [self._begin(seed) for seed in seeds]
        for place in places:
            self._agent.reset(place.observation, place.info)
        while running := [place for place in places if not place.episode.done]:
            for place, said in zip(running, self._act(running), strict=True):
                place.step(self._format.parse(said))
        report = getattr(self._agent, "report", None)
        if callable(report):  # an agent of many episodes forgets them then
            for place in places:
                report(place.observation, place.info)
        return [self._result(place, seed) for place, seed in zip(places, seeds, strict=True)]

    def _begin(self, seed: int) -> _Place:
        task = self._workshop.tasks("train")[seed]
        episode = Episode(
            self._workshop, task, max_turns=self._max_turns, seed=seed, code_runner=self._runner
        )
        return _Place(episode, lambda: self._info(episode, seed))

    def _act(self, places: Sequence[_Place]) -> list[str]:
        act_batch = getattr(self._agent, "act_batch", None)
        if callable(act_batch):
            said: list[str] = act_batch(
                [place.observation for place in places], [place.info for place in places]
            )
            return said
        return [self._agent.act(place.observation, place.info) for place in places]

    def _result(self, place: _Place, seed: int) -> CodeAsTask | None:
        rows = submissions(place.episode.database)
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
