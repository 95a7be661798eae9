"""A model that judges episodes by their instruction, where there is no verification function.

It is what Code-as-Task is compared with: in PAE (Zhou et al., 2024, arXiv:2412.13194) a proposer
writes instructions only, and a model says of each episode whether it was a success. A judge can be
wrong, and can be talked into a verdict by what the agent wrote; so whatever is no clear success is
a failure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

from sca_envs import Trajectory
from sca_envs.agents import ChatModel, Message, TokenAgent, prompt, without_thought

_VERDICT = re.compile(r"^[\W_]*verdict[\W_]*(success|failure)[\W_]*$", re.IGNORECASE | re.MULTILINE)
_LONGEST = 2_000
"""Characters of an action or observation that a judge is shown."""


class Judge(Protocol):
    """Answers conversations."""

    def answer(self, conversations: Sequence[list[Message]]) -> list[str]:
        """Return what it says to each."""
        ...


def read_verdict(text: str) -> bool | None:
    """Return whether a judge says success or failure; None where it says neither, or both.

    Args:
        text: What it said; a line of it has to be ``Verdict: success`` or ``Verdict: failure``.
    """
    found = {word.lower() for word in _VERDICT.findall(without_thought(text))}
    return found == {"success"} if len(found) == 1 else None


def question(episode: Trajectory) -> list[Message]:
    """Return the conversation in which a judge is asked about an episode."""
    turns = [
        {
            "action": turn.action[:_LONGEST],
            "observation": turn.observation[:_LONGEST],
            "source": turn.source.capitalize(),
        }
        for turn in episode.turns
    ]
    text = prompt("judge", instruction=episode.instruction, turns=turns)
    return [{"role": "user", "content": text}]


def verdicts(judge: Judge, episodes: Sequence[Trajectory]) -> list[bool | None]:
    """Return a judge's verdicts on episodes: success, failure, or None where it said neither.

    An episode that broke off, or ran into the limit of turns, is a failure without a question, as
    it is for a verification function.

    Args:
        judge: The judge.
        episodes: What is judged, all at once.
    """
    asked = [i for i, one in enumerate(episodes) if not (one.truncated or _broken(one))]
    said = judge.answer([question(episodes[i]) for i in asked]) if asked else []
    found = dict(zip(asked, map(read_verdict, said), strict=True))
    return [found.get(i, False) for i in range(len(episodes))]


def _broken(episode: Trajectory) -> bool:
    return episode.termination_reason.endswith("_error")


class LocalJudge:
    """A local model as a judge.

    Args:
        agent: An agent of the model; its way to play is not used.
    """

    def __init__(self, agent: TokenAgent) -> None:
        self._agent = agent

    def answer(self, conversations: Sequence[list[Message]]) -> list[str]:
        """Return what it says; nothing where a conversation leaves no room in its context."""
        agent, limit = self._agent, self._agent.sampling.max_new_tokens
        prompts = [agent.encoder.begin(messages).ids for messages in conversations]
        fit = [i for i, ids in enumerate(prompts) if len(ids) + limit <= agent.context]
        said = [""] * len(prompts)
        if not fit:
            return said
        made = agent.generate([prompts[i] for i in fit], [0] * len(fit), [limit] * len(fit))
        for i, generation in zip(fit, made, strict=True):
            said[i] = agent.encoder.decode(
                [token for token in generation.ids if token not in agent.encoder.stop_ids]
            )
        return said


class ChatJudge:
    """A chat model as a judge, asked about one episode after the other.

    Args:
        model: The model.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    def answer(self, conversations: Sequence[list[Message]]) -> list[str]:
        """Return what it says.

        Raises:
            EndpointError: If an endpoint does not answer.
        """
        return [self._model.complete(messages).text for messages in conversations]


def relabel(episode: Trajectory, success: bool | None) -> Trajectory:
    """Return an episode with a judge's reward in place of its own."""
    reward = float(success is True)
    changed: dict[str, Any] = {"reward": reward, "reward_components": {"judge": reward}}
    return episode.model_copy(update=changed)
