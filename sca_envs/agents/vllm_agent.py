"""vLLM in process: the same agent as ``hf.py`` with an engine that batches by itself.

vLLM and the newest transformers do not always share an environment, so it has an extra of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sca_envs.agents.encoding import TranscriptEncoder
from sca_envs.agents.models import load_tokenizer, model_folder
from sca_envs.agents.tokens import Generation, Sampling, TokenAgent
from sca_envs.core.extras import import_extra


def start_engine(folder: str, *, trust_remote_code: bool = False, **options: Any) -> Any:
    """Return a `vllm.LLM` that tells the log-probabilities that an agent records.

    Args:
        folder: The model's folder, or its name on the Hub.
        trust_remote_code: Whether to run Python code from the model's repository on this machine,
            unconfined, where it has some.
        options: Further arguments of `vllm.LLM`.

    Raises:
        SCAError: If vLLM is missing.
    """
    # Of the distribution that is sampled, after temperature and top-p.
    return _vllm().LLM(
        model=folder,
        logprobs_mode="processed_logprobs",
        trust_remote_code=trust_remote_code,
        **options,
    )


def _vllm() -> Any:
    return import_extra("vllm", "vllm")


class VLLMAgent(TokenAgent):
    """Plays episodes with a model in vLLM.

    Args:
        model: A folder, a ``.gguf`` file, ``package:NAME`` or a name on the Hub (see
            `model_folder`), or what `start_engine` returned, which then needs its `tokenizer`.
        tokenizer: A tokeniser; by default the model's.
        template: A chat template; see `TranscriptEncoder`.
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
        engine: Further arguments of `vllm.LLM`, such as ``gpu_memory_utilization``, where the model
            is not started yet.

    Raises:
        ModelError: If there is no model.
        TemplateError: If the chat template is missing or cannot be extended turn by turn.
        SCAError: If vLLM is missing.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        *,
        template: str | None = None,
        cache: str | Path | None = None,
        trust_remote_code: bool = False,
        temperature: float = 1.0,
        top_p: float = 1.0,
        max_new_tokens: int = 512,
        context: int | None = None,
        seed: int = 0,
        format: str = "json",
        batch_size: int = 64,
        **engine: Any,
    ) -> None:
        sampling = Sampling(temperature, top_p, max_new_tokens)
        if isinstance(model, str | Path):
            _vllm()  # raises if it is missing, before what takes long
            folder = model_folder(str(model), cache)
            tokenizer = tokenizer or load_tokenizer(folder, trust_remote_code=trust_remote_code)
            encoder = TranscriptEncoder(tokenizer, template)
            model = start_engine(
                folder, max_model_len=context, trust_remote_code=trust_remote_code, **engine
            )
        else:
            encoder = TranscriptEncoder(tokenizer, template)
        self.engine: Any = model
        super().__init__(
            encoder,
            sampling,
            context=self.engine.llm_engine.model_config.max_model_len,
            seed=seed,
            format=format,
            batch_size=batch_size,
        )

    def generate(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], limits: Sequence[int]
    ) -> list[Generation]:
        """Continue a batch of prompts; see `TokenAgent.generate`."""
        vllm = _vllm()
        parameters = [
            vllm.SamplingParams(
                temperature=self.sampling.temperature,
                top_p=self.sampling.top_p,
                max_tokens=limit,
                seed=seed,
                logprobs=0,  # of the sampled token alone
                stop_token_ids=list(self.encoder.stop_ids),
                detokenize=False,
            )
            for seed, limit in zip(seeds, limits, strict=True)
        ]
        inputs = [{"prompt_token_ids": list(prompt)} for prompt in prompts]
        outputs = self.engine.generate(inputs, parameters, use_tqdm=False)
        generations = []
        for output in outputs:
            written = output.outputs[0]
            ids = list(written.token_ids)
            logprobs = [
                step[token].logprob for token, step in zip(ids, written.logprobs, strict=True)
            ]
            generations.append(Generation(ids, logprobs))
        return generations

    def close(self) -> None:
        """Forget all episodes and end the engine with its process."""
        super().close()
        self.engine = None
