"""It is the reward that teaches."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from baselines.ppo import Args, train

EPISODES, ITERATIONS = 64, 24
MARGIN = 0.2
"""The success of a batch of 64 with chance p has a standard deviation of at most 0.0625. The mean
of four batches has 0.031, the difference of two such means 0.044. So chance alone reaches 0.2, 4.5
standard deviations, once in more than 100,000 runs."""


@pytest.mark.slow
def test_success_rises(quick: Callable[..., Args]) -> None:
    options = {"episodes": EPISODES, "iterations": ITERATIONS, "entropy_coef": 0.0}
    run = train(quick(**options, eval_num_tasks=1))
    success = [float(row["charts/success"]) for row in run.metrics()[1:]]
    first, last = (sum(part) / 4 for part in (success[:4], success[-4:]))
    assert first < 0.45
    assert last - first > MARGIN
