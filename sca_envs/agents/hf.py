"""A local model of transformers, generating for many episodes at once.

A row's tokens depend on its own prompt and seed, not on who else is in the batch: each row draws
its noise from a generator of its own, and adding Gumbel noise to the log-probabilities turns
sampling into a search for the maximum (Gumbel, 1954), which `generate` does. What remains is
rounding: a batch's shape changes the last bits of the logits, which matters where two candidates
are that close.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sca_envs.agents.encoding import TranscriptEncoder
from sca_envs.agents.models import (
    import_transformers,
    load_model,
    load_tokenizer,
    model_folder,
)
from sca_envs.agents.tokens import Generation, Sampling, TokenAgent


class HFAgent(TokenAgent):
    """Plays episodes with a causal language model of transformers.

    Args:
        model: A folder, a ``.gguf`` file, ``package:NAME``, a name on the Hub (see `model_folder`),
            or a loaded model, which then needs its `tokenizer`.
        tokenizer: A tokeniser; by default the model's.
        template: A chat template; see `TranscriptEncoder`.
        device: Such as ``cpu`` or ``cuda``; by default a GPU if there is one.
        dtype: Such as ``float32``; by default that of the file.
        cache: Where converted GGUF files are kept.
        trust_remote_code: Whether to run Python code from the model's repository on this machine,
            unconfined, where it has some.
        temperature: See `Sampling`.
        top_p: See `Sampling`.
        max_new_tokens: See `Sampling`.
        context: Most tokens in all; by default what the model was made for.
        seed: Fixes the sampling, with the info's ``seed``, the task and the turn.
        format: The environment's action format, where the info does not say it.
        batch_size: Most episodes at once.

    Raises:
        ModelError: If there is no model.
        TemplateError: If the chat template is missing or cannot be extended turn by turn.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        *,
        template: str | None = None,
        device: str | None = None,
        dtype: Any = "auto",
        cache: str | Path | None = None,
        trust_remote_code: bool = False,
        temperature: float = 1.0,
        top_p: float = 1.0,
        max_new_tokens: int = 512,
        context: int | None = None,
        seed: int = 0,
        format: str = "json",
        batch_size: int = 16,
    ) -> None:
        sampling = Sampling(temperature, top_p, max_new_tokens)
        if isinstance(model, str | Path):
            folder = model_folder(str(model), cache)
            tokenizer = tokenizer or load_tokenizer(folder, trust_remote_code=trust_remote_code)
            encoder = TranscriptEncoder(tokenizer, template)  # before what takes long
            model = load_model(folder, device, dtype, trust_remote_code=trust_remote_code)
        else:
            encoder = TranscriptEncoder(tokenizer, template)
        context = context or model.config.max_position_embeddings
        super().__init__(
            encoder, sampling, context=context, seed=seed, format=format, batch_size=batch_size
        )
        self.model = model
        pad = encoder.tokenizer.pad_token_id
        self._pad: int = encoder.stop_ids[0] if pad is None else pad
        # What a model's own configuration adds, such as a penalty, would be in no log-probability.
        model.generation_config = self._configuration(max_new_tokens)

    def _configuration(self, max_new_tokens: int) -> Any:
        return import_transformers().GenerationConfig(
            do_sample=False,  # the noise makes it sampling
            max_new_tokens=max_new_tokens,
            eos_token_id=list(self.encoder.stop_ids),
            pad_token_id=self._pad,
        )

    def generate(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], limits: Sequence[int]
    ) -> list[Generation]:
        """Continue a batch of prompts; see `TokenAgent.generate`."""
        import torch

        width = max(map(len, prompts))
        ids = torch.tensor([[self._pad] * (width - len(p)) + list(p) for p in prompts])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        sampler = _Sampler(self.sampling, seeds)
        output = self.model.generate(
            input_ids=ids.to(self.model.device),
            attention_mask=mask.to(self.model.device),
            generation_config=self._configuration(max(limits)),
            logits_processor=[sampler],
        )
        rows = output[:, width:].tolist()
        logprobs = torch.stack(sampler.chosen, dim=1).tolist()
        return [self._cut(*row) for row in zip(rows, logprobs, limits, strict=True)]

    def _cut(self, ids: list[int], logprobs: list[float], limit: int) -> Generation:
        """Return a row up to its end, which the batch's may be after."""
        ends = [i for i, token in enumerate(ids[:limit]) if token in self.encoder.stop_ids]
        end = ends[0] + 1 if ends else limit
        return Generation(ids[:end], logprobs[:end])


class _Sampler:
    """A logits processor that makes the next sampled token the one with the largest score.

    Args:
        sampling: How tokens are chosen.
        seeds: A seed for each row.
    """

    def __init__(self, sampling: Sampling, seeds: Sequence[int]) -> None:
        import torch

        library = import_transformers()
        self._greedy = sampling.temperature == 0
        self._warpers: list[Any] = []
        if not self._greedy and sampling.temperature != 1:
            self._warpers.append(library.TemperatureLogitsWarper(sampling.temperature))
        if not self._greedy and sampling.top_p < 1:
            self._warpers.append(library.TopPLogitsWarper(sampling.top_p))
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.chosen: list[Any] = []
        """Log-probabilities of the chosen tokens, step by step, each of shape (rows,)."""

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        import torch

        scores = scores.float()
        for warper in self._warpers:
            scores = warper(input_ids, scores)
        logprobs = scores.log_softmax(dim=-1)
        noisy = logprobs
        if not self._greedy:
            noise = torch.empty(logprobs.shape)
            for row, generator in zip(noise, self._generators, strict=True):
                row.exponential_(generator=generator)
            noisy = logprobs - noise.log().to(logprobs.device)
        token = noisy.argmax(dim=-1, keepdim=True)
        self.chosen.append(logprobs.gather(1, token)[:, 0])
        return noisy
