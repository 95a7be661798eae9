"""Low-rank adapters (Hu et al., 2021, arXiv:2106.09685) inside a model of transformers.

The model keeps its class and its names; only the adapters are trained. The merged weights are
computed one at a time, from weights that stay as they are: merging in place and taking it back
would leave rounding errors in the frozen weights, more with each iteration.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

_ADAPTER = "default"


def configuration(rank: int) -> Any:
    """Return the configuration of adapters on all linear layers; None where the rank is 0."""
    if not rank:
        return None
    import peft

    return peft.LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM"
    )


def add(lm: Any, rank: int) -> None:
    """Put adapters into a model, and freeze all else; a rank of 0 does nothing."""
    if rank:
        import peft

        peft.inject_adapter_in_model(configuration(rank), lm, _ADAPTER)


@contextlib.contextmanager
def without(lm: Any) -> Iterator[None]:
    """Let a model compute what it did before it had adapters, while the context lasts."""
    layers = [module for module in lm.modules() if hasattr(module, "lora_A")]
    try:
        for layer in layers:
            layer.enable_adapters(False)
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)


def merged(lm: Any) -> Iterator[tuple[str, Any]]:
    """Yield each weight's name and value, as the model has them that needs no adapters."""
    for name, value in lm.state_dict().items():
        layer, inside, _ = name.partition(".base_layer.")
        if inside and name.endswith(".weight"):
            value = value + lm.get_submodule(layer).get_delta_weight(_ADAPTER)
        if ".lora_" not in name:
            yield name.replace(".base_layer.", "."), value.detach()


def weights(lm: Any) -> dict[str, Any]:
    """Return the adapters' weights by name."""
    return {name: value for name, value in lm.state_dict().items() if ".lora_" in name}
