"""The model that a trainer of TRL trains, as an agent that keeps its episodes as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sca_envs.agents.encoding import TemplateError, TranscriptEncoder
from sca_envs.agents.tokens import Generation, Sampling, TokenAgent, _Episode


class TrainerAgent(TokenAgent):
    """Plays episodes with the model of a `trl.GRPOTrainer`, for `Spec(mode="dialogue")`.

    Generation is the trainer's own, so transformers and vLLM (in process or as a server) both work.
    An episode may have as many tokens after its prompt as the trainer's `max_completion_length`,
    those of the environment included, because that is what a training step has to hold.

    Args:
        trainer: The trainer.
        template: A chat template; see `TranscriptEncoder`.
        max_new_tokens: Most tokens in a turn; by default what is left of the episode's.

    Raises:
        TemplateError: If the chat template cannot be extended turn by turn, or ends a turn with a
            token that the trainer does not stop at.
    """

    def __init__(
        self, trainer: Any, template: str | None = None, max_new_tokens: int | None = None
    ) -> None:
        encoder = TranscriptEncoder(trainer.processing_class, template)
        if encoder.end_of_turn is not None and encoder.end_of_turn not in trainer.eos_token_ids:
            raise TemplateError(
                "Expected the trainer to stop at the token that ends a turn, "
                f"{encoder.decode([encoder.end_of_turn])!r}; give the tokeniser that eos_token"
            )
        self._trainer = trainer
        self._budget: int = trainer.max_completion_length
        sampling = Sampling(
            temperature=trainer.temperature,
            top_p=trainer.top_p or 1.0,
            max_new_tokens=max_new_tokens or self._budget,
        )
        context = trainer.model.config.max_position_embeddings
        super().__init__(encoder, sampling, context=context)

    def generate(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], limits: Sequence[int]
    ) -> list[Generation]:
        """Continue a batch of prompts; the trainer's own generator draws, so `seeds` go unused."""
        trainer = self._trainer
        configuration = getattr(trainer, "generation_config", None)  # there is none with vLLM
        usual = configuration and configuration.max_new_tokens
        if configuration is not None:
            configuration.max_new_tokens = max(limits)
        try:
            ids, logprobs = trainer._generate_single_turn(
                [list(prompt) for prompt in prompts], None, {}, num_generations=1
            )
        finally:
            if configuration is not None:
                configuration.max_new_tokens = usual
        known = logprobs or [[None] * len(row) for row in ids]
        return [
            Generation(row[:limit], told[:limit])
            for row, told, limit in zip(ids, known, limits, strict=True)
        ]

    def _room(self, episode: _Episode) -> int:
        mask = episode.encoding.mask
        used = len(mask) - mask.index(1) if 1 in mask else 0
        return min(super()._room(episode), self._budget - used)
