"""Rollouts in free text: an environment class without tools, and the function that drives it.

TRL sees no tool, so it runs no loop of its own and honours the mask. The agent that writes the
turns keeps each episode as tokens (`sca_envs.agents.encoding`), so that what is trained on is
exactly what was sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sca_envs.agents.encoding import Encoding
from sca_envs.core.errors import SCAError
from sca_envs.envs.tool_use import ToolUseEnv
from sca_envs.integrations.trl.episodes import Rollout


class RolloutAgent(Protocol):
    """A `BatchAgent` that keeps each episode as tokens, such as `sca_envs.TrainerAgent`."""

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Begin an episode."""
        ...

    def act_batch(self, observations: list[str], infos: list[dict[str, Any]]) -> list[str]:
        """Return the next turn of each of these episodes."""
        ...

    def encoding(self, info: dict[str, Any]) -> Encoding:
        """Return an episode as tokens."""
        ...

    def close(self) -> None:
        """Forget all episodes."""
        ...


class DialogueRollout(Rollout):
    """A rollout whose turns are text in the environment's action format."""

    def _write(self, text: str) -> str:
        return self._step(self._env.parse(text))

    def _info(self, number: int) -> dict[str, Any]:
        assert self._episode is not None
        return {
            **self._env.describe(self._episode),
            "episode_id": str(number),
            "seed": self._seed,
            "action_format": self._env.action_format,
        }


def dialogue_rollout(env: ToolUseEnv, label: str) -> type[DialogueRollout]:
    """Return an environment class for TRL without tools.

    Args:
        env: Begins the episodes.
        label: What metrics call the environment.
    """
    return type(
        "Dialogue", (DialogueRollout,), {"_env": env, "_label": label, "__doc__": f"{label}."}
    )


def make_rollout_func(
    make_agent: Callable[[Any], RolloutAgent],
) -> Callable[[list[Any], Any], dict[str, Any]]:
    """Return a `rollout_func` for GRPOTrainer.

    Args:
        make_agent: Makes the agent of a trainer; called once for each trainer.
    """
    agents: dict[int, tuple[Any, RolloutAgent]] = {}

    def rollout_func(prompts: list[Any], trainer: Any) -> dict[str, Any]:
        if id(trainer) not in agents:
            agents[id(trainer)] = (trainer, make_agent(trainer))
        rollouts: list[DialogueRollout] = trainer.environments
        agent = agents[id(trainer)][1]
        try:
            _play(agent, rollouts)
            return _tokens(agent, rollouts)
        finally:
            agent.close()

    return rollout_func


def _play(agent: RolloutAgent, rollouts: Sequence[DialogueRollout]) -> None:
    """Play all episodes together, each until it is over or its model has no room to write."""
    observations: dict[int, str] = {}
    for number, rollout in enumerate(rollouts):
        if rollout._episode is None:
            # TRL wants tokens of every rollout, so there is none without a conversation.
            raise SCAError(f"Expected a user that begins the conversation; {rollout._problem}")
        observations[number] = rollout._episode.opening
        agent.reset(observations[number], rollout._info(number))
    while observations:
        running = list(observations)
        infos = [rollouts[number]._info(number) for number in running]
        texts = agent.act_batch(list(observations.values()), infos)
        for number, info, text in zip(running, infos, texts, strict=True):
            encoding = agent.encoding(info)
            if not encoding.mask[-1]:  # no room
                del observations[number]
                continue
            observations[number] = rollouts[number]._write(text)
            if rollouts[number]._done():
                del observations[number]


def _tokens(agent: RolloutAgent, rollouts: Sequence[DialogueRollout]) -> dict[str, Any]:
    """Return the episodes as TRL takes them, each cut after the last token that was sampled."""
    output: dict[str, Any] = {"prompt_ids": [], "completion_ids": [], "env_mask": []}
    logprobs: list[list[float | None]] = []
    for number, rollout in enumerate(rollouts):
        one = agent.encoding(rollout._info(number))
        if 1 not in one.mask:
            raise SCAError(
                f"Expected room for a turn after the prompt of {len(one.ids)} tokens, found none; "
                "take a model with a longer context or an environment with a shorter policy"
            )
        begin = one.mask.index(1)
        end = len(one.mask) - one.mask[::-1].index(1)
        output["prompt_ids"].append(one.ids[:begin])
        output["completion_ids"].append(one.ids[begin:end])
        output["env_mask"].append(one.mask[begin:end])
        logprobs.append(
            [
                value if written else 0.0
                for value, written in zip(one.logprobs[begin:end], one.mask[begin:end], strict=True)
            ]
        )
    known = all(value is not None for row in logprobs for value in row)
    output["logprobs"] = logprobs if known else None
    return output
