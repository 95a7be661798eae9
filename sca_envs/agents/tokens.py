"""Agents that read and write tokens: what local models have in common, apart from generation.

Each episode is one `Encoding` that only grows. An agent is asked for many episodes at once; how a
batch of prompts is continued is for a subclass to say (transformers in ``hf.py``, vLLM in
``vllm_agent.py``).
"""

from __future__ import annotations

import abc
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sca_envs.agents.encoding import Encoding, Message, TranscriptEncoder
from sca_envs.agents.episodes import episode_id, turn_seed
from sca_envs.agents.prompting import native_tools, read_aloud, system_prompt, without_thought
from sca_envs.bench.agents import AgentReport, TurnTokens
from sca_envs.bench.trajectories.trajectory import Tokens, Usage
from sca_envs.core.errors import OptionError


class Generation(NamedTuple):
    """What a model wrote after a prompt."""

    ids: list[int]
    """Token ids, the one that ended it included."""
    logprobs: list[float]
    """Their log-probabilities, in nats, under the distribution that they were sampled from; with
    temperature 0, under the model's own."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen."""

    temperature: float = 1.0
    """Divides the logits; 0 takes the most probable token."""
    top_p: float = 1.0
    """Samples from the most probable tokens that together have this probability."""
    max_new_tokens: int = 512
    """Most tokens in a turn."""

    def __post_init__(self) -> None:
        if self.temperature < 0:
            raise OptionError(f"Expected temperature to be at least 0; got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise OptionError(f"Expected top_p to be above 0 and at most 1; got {self.top_p}")
        if self.max_new_tokens < 1:
            raise OptionError(
                f"Expected max_new_tokens to be at least 1; got {self.max_new_tokens}"
            )


@dataclass
class _Episode:
    encoding: Encoding
    tools: list[dict[str, Any]] | None
    usage: Usage = field(default_factory=Usage)
    turns: list[TurnTokens] = field(default_factory=list)


class TokenAgent(abc.ABC):
    """Plays episodes with a model that continues token ids.

    The system prompt explains the environment's action format. Where that is ``hermes`` and the
    chat template shows tools, the template does it instead. When an episode leaves no room in the
    model's context, the agent says nothing any more.

    Args:
        encoder: The tokeniser and its template.
        sampling: How tokens are chosen.
        context: Most tokens that the model can read and write in all.
        format: The environment's action format, where the info does not say it.
        seed: Fixes the sampling, together with the info's ``seed``, the task and the turn.
        batch_size: Most episodes at once.
    """

    def __init__(
        self,
        encoder: TranscriptEncoder,
        sampling: Sampling,
        *,
        context: int,
        format: str = "json",
        seed: int = 0,
        batch_size: int = 16,
    ) -> None:
        self.encoder = encoder
        self.sampling = sampling
        self.context = context
        self.batch_size = batch_size
        self._format = format
        self._seed = seed
        self._episodes: dict[str, _Episode] = {}

    @abc.abstractmethod
    def generate(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], limits: Sequence[int]
    ) -> list[Generation]:
        """Continue a batch of prompts.

        Args:
            prompts: Token ids.
            seeds: A seed for each.
            limits: Most tokens to write after each, at least 1.
        """

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Begin an episode, while others may go on."""
        messages, tools = self.opening(observation, info)
        self._episodes[episode_id(info)] = _Episode(self.encoder.begin(messages, tools), tools)

    def opening(
        self, observation: str, info: dict[str, Any]
    ) -> tuple[list[Message], list[dict[str, Any]] | None]:
        """Return the messages before the model's first turn, and tools for the template to show.

        Args:
            observation: The first observation.
            info: The first info, with ``tools`` and ``policy``.
        """
        format_name = info.get("action_format", self._format)
        by_template = format_name == "hermes" and self.encoder.has_tools
        system = system_prompt("native" if by_template else format_name, info)
        messages = [
            {"role": "system", "content": system},
            {"role": "user", "content": observation},
        ]
        return messages, native_tools(info) if by_template else None

    def act(self, observation: str, info: dict[str, Any]) -> str:
        """Return the next turn of an episode."""
        return self.act_batch([observation], [info])[0]

    def act_batch(self, observations: list[str], infos: list[dict[str, Any]]) -> list[str]:
        """Return the next turn of several episodes, generated together."""
        episodes = [self._episodes[episode_id(info)] for info in infos]
        for episode, observation, info in zip(episodes, observations, infos, strict=True):
            if episode.turns:
                self._observe(episode, observation, info)
        limits = [self._room(episode) for episode in episodes]
        asked = [i for i, limit in enumerate(limits) if limit > 0]
        began = time.monotonic()
        generations = [Generation([], []) for _ in episodes]
        if asked:
            generated = self.generate(
                [episodes[i].encoding.ids for i in asked],
                [turn_seed(self._seed, infos[i]) for i in asked],
                [limits[i] for i in asked],
            )
            for i, generation in zip(asked, generated, strict=True):
                generations[i] = generation
        seconds = (time.monotonic() - began) / max(1, len(asked))
        pairs = zip(episodes, generations, strict=True)
        return [self._write(*pair, seconds if pair[1].ids else 0.0) for pair in pairs]

    def report(self, observation: str, info: dict[str, Any]) -> AgentReport:
        """Return the episode's tokens and what it cost, and forget it."""
        episode = self._episodes.pop(episode_id(info), None)
        if episode is None:
            return AgentReport()
        encoding = episode.encoding
        tokens = Tokens(ids=encoding.ids, mask=encoding.mask, logprobs=encoding.logprobs)
        return AgentReport(usage=episode.usage, tokens=tokens, turns=episode.turns)

    def close(self) -> None:
        """Forget all episodes."""
        self._episodes.clear()

    def encoding(self, info: dict[str, Any]) -> Encoding:
        """Return the transcript of a running episode as tokens."""
        return self._episodes[episode_id(info)].encoding

    def _observe(self, episode: _Episode, observation: str, info: dict[str, Any]) -> None:
        if episode.tools is not None and info["source"] not in ("user", "environment", "code"):
            message = {"role": "tool", "content": observation}
        else:
            message = {"role": "user", "content": read_aloud(observation, info)}
        self.encoder.observe(episode.encoding, message, episode.tools)

    def _room(self, episode: _Episode) -> int:
        return min(self.sampling.max_new_tokens, self.context - len(episode.encoding.ids))

    def _write(self, episode: _Episode, generation: Generation, seconds: float) -> str:
        ids, logprobs = generation
        usage = episode.usage
        if ids:
            usage.prompt_tokens += len(episode.encoding.ids)
            usage.completion_tokens += len(ids)
            usage.requests += 1
            usage.seconds = (usage.seconds or 0.0) + seconds
        episode.turns.append(TurnTokens(ids, logprobs))
        return without_thought(self.encoder.write(episode.encoding, ids, logprobs))
