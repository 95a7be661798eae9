"""Who plays while a model is trained: transformers with the model itself, or vLLM with a copy.

vLLM runs in the same process and takes the model's weights after each update, through the way that
it has for this: `reload_weights` of its worker, which any tensors can be given to. Nothing here
keeps a token's log-probability from differing a little from the trained model's: vLLM computes with
kernels of its own and, on a GPU, in bfloat16.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from baselines import lora, tiny
from baselines.setup import make_agent
from sca_envs.agents import TokenAgent, VLLMAgent


class BareVLLMAgent(VLLMAgent):
    """Reads the task alone, as `tiny.BareAgent` does."""

    opening = tiny.BareAgent.opening


class Samplers:
    """Makes agents that play with a model as it is, or as it was when last synchronised.

    Args:
        args: Options of PPO.
        lm: The model that is trained.
        tokenizer: Its tokeniser.
        first: Folder of a checkpoint of the same model, from which vLLM starts.

    Raises:
        SCAError: If vLLM is wanted and missing.
    """

    def __init__(self, args: Any, lm: Any, tokenizer: Any, first: Path) -> None:
        self._args, self._lm, self._tokenizer = args, lm, tokenizer
        self._engine: Any = _start(args, lm.device.type, first) if args.vllm else None
        self.synchronise()

    def agent(self, temperature: float) -> TokenAgent:
        """Return an agent that samples with a temperature."""
        args = self._args
        if self._engine is None:
            return make_agent(self._lm, self._tokenizer, args, temperature, args.seed)
        kind = BareVLLMAgent if args.model == "tiny" or args.bare else VLLMAgent
        return kind(
            self._engine,
            self._tokenizer,
            template=args.template or (tiny.TEMPLATE if args.model == "tiny" else None),
            temperature=temperature,
            max_new_tokens=args.max_new_tokens,
            seed=args.seed,
            batch_size=args.generation_batch,
        )

    def synchronise(self) -> float:
        """Let vLLM take the model's weights; return the seconds that it took."""
        began = time.monotonic()
        if self._engine is not None:
            weights = {"weights_iterator": lora.merged(self._lm)}
            self._engine.collective_rpc("reload_weights", kwargs=weights)
            self._engine.reset_prefix_cache()  # what it remembers is of the weights before
        return time.monotonic() - began


def _start(args: Any, device: str, folder: Path) -> Any:
    """Return vLLM's engine, in this process: only there can it be handed tensors."""
    os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    from sca_envs.agents import start_engine

    on_gpu = device == "cuda"
    return start_engine(
        str(folder),
        dtype="bfloat16" if on_gpu and args.bf16 else "float32",
        gpu_memory_utilization=args.vllm_memory,
        max_num_seqs=args.generation_batch,
        enforce_eager=not on_gpu,  # compiling takes longer than a short run
        enable_chunked_prefill=on_gpu,  # on a CPU, it fails for requests with a seed
        seed=args.seed,
    )
