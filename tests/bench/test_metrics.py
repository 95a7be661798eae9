"""pass@k and pass^k against hand-computed cases, and the intervals."""

from __future__ import annotations

import itertools

import pytest

from sca_envs import pass_at_k, pass_hat_k
from sca_envs.bench.evaluating.metrics import SAMPLES, estimate
from sca_envs.bench.evaluating.recording import Summary
from sca_envs.bench.evaluating.results import RunRecord, compute_results
from sca_envs.core.errors import OptionError


@pytest.mark.parametrize(
    ("n", "c", "k", "at", "hat"),
    [
        (1, 0, 1, 0.0, 0.0),
        (1, 1, 1, 1.0, 1.0),
        (4, 2, 1, 1 / 2, 1 / 2),
        (4, 2, 2, 1 - 1 / 6, 1 / 6),  # of six pairs one is all right, one all wrong
        (4, 2, 3, 1.0, 0.0),
        (4, 3, 2, 1.0, 3 / 6),
        (4, 4, 4, 1.0, 1.0),
        (5, 1, 2, 1 - 6 / 10, 0.0),
        (8, 3, 3, 1 - 10 / 56, 1 / 56),
    ],
)
def test_hand_computed(n: int, c: int, k: int, at: float, hat: float) -> None:
    assert pass_at_k(n, c, k) == pytest.approx(at, abs=1e-15)
    assert pass_hat_k(n, c, k) == pytest.approx(hat, abs=1e-15)


@pytest.mark.parametrize("n", range(1, 8))
def test_they_count_subsets(n: int) -> None:
    """Both are means over all subsets of k trials, which is what makes them unbiased."""
    for c in range(n + 1):
        trials = [True] * c + [False] * (n - c)
        for k in range(1, n + 1):
            subsets = list(itertools.combinations(trials, k))
            assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))
            assert pass_hat_k(n, c, k) == pytest.approx(sum(map(all, subsets)) / len(subsets))


GPT_4O_AIRLINE = [
    *(0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 4, 2, 0, 2, 1, 1, 4, 0, 4, 3, 0, 0, 4),
    *(0, 2, 2, 0, 1, 2, 2, 0, 0, 3, 4, 4, 3, 4, 1, 3, 2, 4, 1, 2, 2, 2, 1, 4, 4),
]
"""Successes in four trials of each airline task, counted in the trajectories that tau-bench's
authors published: `historical_trajectories/gpt-4o-airline.json` of sierra-research/tau-bench at
commit 59a200c. The README of the same commit has the table whose row "TC (gpt-4o)" is below."""


def test_published_numbers_of_published_trials() -> None:
    ones = [
        Summary(str(task), trial, float(trial < successes), {}, "user_stop", 1, None, None)
        for task, successes in enumerate(GPT_4O_AIRLINE)
        for trial in range(4)
    ]
    tasks = [str(task) for task in range(50)]
    run = RunRecord(options={"seed": 0}, data={}, tasks=tasks, versions={})
    results = compute_results(run, ones)
    published = {1: 0.420, 2: 0.273, 3: 0.220, 4: 0.200}
    assert {k: round(one.mean, 3) for k, one in results.pass_hat.items()} == published


@pytest.mark.parametrize(("n", "c", "k"), [(4, 2, 0), (4, 2, 5), (4, 5, 1), (4, -1, 1), (0, 0, 1)])
def test_wrong_numbers(n: int, c: int, k: int) -> None:
    with pytest.raises(OptionError, match="1 <= k <= trials"):
        pass_at_k(n, c, k)
    with pytest.raises(OptionError, match="1 <= k <= trials"):
        pass_hat_k(n, c, k)


def test_interval_of_a_share() -> None:
    values = [1.0] * 30 + [0.0] * 70
    one = estimate(values, seed=1)
    assert one is not None
    assert one.mean == pytest.approx(0.3)
    # The normal interval is 0.3 +- 1.96 sqrt(0.3 * 0.7 / 100), which is 0.21 to 0.39.
    assert one.low == pytest.approx(0.21, abs=0.015)
    assert one.high == pytest.approx(0.39, abs=0.015)
    assert estimate(values, seed=1) == one


def test_interval_of_little() -> None:
    assert estimate([]) is None
    one = estimate([0.5])
    assert one is not None
    assert (one.low, one.mean, one.high) == (0.5, 0.5, 0.5)


def test_interval_of_much_is_made_in_pieces() -> None:
    values = [float(i % 2) for i in range(5_000)]
    one = estimate(values)
    assert one is not None
    assert SAMPLES * len(values) > 4_000_000
    assert 0.48 < one.low < 0.5 < one.high < 0.52
