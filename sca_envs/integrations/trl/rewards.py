"""The reward function: what the episode's verifier says, and what is logged beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any


def verdict(
    *,
    completions: Sequence[Any],
    environments: Sequence[Any],
    log_metric: Callable[[str, float], None] | None = None,
    log_extra: Callable[[str, list[Any]], None] | None = None,
    **columns: Any,
) -> list[float | None]:
    """Return the reward of each rollout; None, which TRL leaves out, if it tells nothing.

    Logs the means of ``sca/success``, ``sca/turns``, ``sca/malformed``, ``sca/refused_calls``,
    ``sca/calls_after_end``, ``sca/unfinished``, ``sca/truncated``, ``sca/excluded`` and
    ``sca/components/NAME``, with several environments also ``sca/success/LABEL``; and in the table
    of completions why each episode ended.

    Args:
        completions: What TRL made of the rollouts, as messages.
        environments: The rollouts' environments.
        log_metric: Logs a mean under a name.
        log_extra: Logs a column of the table of completions.
        columns: Not used.
    """
    rewards = [
        env._score(completion) for env, completion in zip(environments, completions, strict=True)
    ]
    if log_metric is not None:
        for name, values in _collect(environments).items():
            log_metric(f"sca/{name}", sum(values) / len(values))
    if log_extra is not None:
        log_extra("ending", [env._reason() for env in environments])
    return rewards


def _collect(environments: Sequence[Any]) -> dict[str, list[float]]:
    collected: defaultdict[str, list[float]] = defaultdict(list)
    several = len({env._label for env in environments}) > 1
    for env in environments:
        metrics = env._metrics()
        for name, value in metrics.items():
            collected[name].append(value)
        if several and "success" in metrics:
            collected[f"success/{env._label}"].append(metrics["success"])
    return collected
