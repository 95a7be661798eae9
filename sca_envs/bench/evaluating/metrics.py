"""Metrics of repeated trials, and their confidence intervals."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from sca_envs.core.errors import OptionError

SAMPLES = 1_000
"""Bootstrap samples."""
LEVEL = 0.95
"""Coverage of the intervals."""
_BLOCK = 1_000_000
_KEPT = 4_000_000
_DIGITS = 10  # what is left of a float after sums in another order


def pass_at_k(trials: int, successes: int, k: int) -> float:
    """Return the chance that at least one of k trials of a task succeeds.

    The unbiased estimator 1 - C(n-c, k) / C(n, k) (Chen et al., 2021, arXiv:2107.03374, equation
    1).

    Args:
        trials: How many trials the task had, n.
        successes: How many succeeded, c.
        k: From 1 to n.

    Raises:
        OptionError: If the numbers do not fit together.
    """
    _check(trials, successes, k)
    return 1 - comb(trials - successes, k) / comb(trials, k)


def pass_hat_k(trials: int, successes: int, k: int) -> float:
    """Return pass^k, the chance that all of k trials of a task succeed.

    The unbiased estimator C(c, k) / C(n, k) (Yao et al., 2024, arXiv:2406.12045, section 4).

    Args:
        trials: How many trials the task had, n.
        successes: How many succeeded, c.
        k: From 1 to n.

    Raises:
        OptionError: If the numbers do not fit together.
    """
    _check(trials, successes, k)
    return comb(successes, k) / comb(trials, k)


def _check(trials: int, successes: int, k: int) -> None:
    if not 1 <= k <= trials or not 0 <= successes <= trials:
        raise OptionError(
            "Expected 1 <= k <= trials and 0 <= successes <= trials; got "
            f"trials={trials}, successes={successes}, k={k}"
        )


class Estimate(BaseModel):
    """A mean over tasks with its confidence interval."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    mean: float
    """Mean over tasks of the task's own mean."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""
    tasks: int
    """How many tasks it is the mean of."""


def estimate(values: Sequence[float], seed: int = 0) -> Estimate | None:
    """Return the mean of one value a task, with a percentile bootstrap interval over tasks.

    Tasks are drawn with replacement `SAMPLES` times (Efron, 1979), because they are what another
    benchmark would draw anew; trials of one task are not independent. The interval covers the mean
    with probability `LEVEL`, roughly; with one task it has no width.

    Args:
        values: One value a task.
        seed: Seed of the draws; the same values and seed give the same interval, with any NumPy.

    Returns:
        The estimate, or None without a task.
    """
    if not values:
        return None
    array = np.asarray(values, dtype=np.float64)
    draw = _kept_weights if len(array) * SAMPLES <= _KEPT else _weights
    means = np.concatenate([block @ array for block in draw(len(array), seed)])
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Estimate(
        mean=round(float(array.mean()), _DIGITS),
        low=round(float(low), _DIGITS),
        high=round(float(high), _DIGITS),
        tasks=len(array),
    )


def _weights(number: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield blocks of samples, each row the weights of the tasks in a mean."""
    # NumPy keeps the stream of this generator for ever (NEP 19), so that every version of it draws
    # the same samples, and an interval that somebody submits can be computed again exactly.
    rng = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed)))
    rows = max(1, _BLOCK // number)
    for start in range(0, SAMPLES, rows):
        count = min(rows, SAMPLES - start)
        drawn = rng.randint(number, size=(count, number), dtype=np.int64)
        drawn += np.arange(count)[:, None] * number
        yield np.bincount(drawn.ravel(), minlength=count * number).reshape(count, number) / number


@functools.lru_cache(maxsize=4)
def _kept_weights(number: int, seed: int) -> list[NDArray[np.float64]]:
    """Return the same in one list: the many estimates of a run share their draws."""
    return list(_weights(number, seed))
