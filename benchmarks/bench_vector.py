"""Benchmarks of the native vector environment against Gymnasium's `SyncVectorEnv`.

Run ``pytest benchmarks/bench_vector.py``; add ``--benchmark-json FILE`` to keep the results. The
time is that of a batch of turns; ``extra_info`` has the steps a second, from the fastest batch.
Two mixes of tool calls: ``uniform`` draws every tool equally often, with plausible arguments;
``solutions`` are the reference solutions, over and over. Nothing here asserts a time.

``kernel`` is what no vector environment can avoid: parsing the turns and stepping the episodes.
"""

from __future__ import annotations

import gc
import itertools
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import VectorEnv
from pytest_benchmark.fixture import BenchmarkFixture

import sca_envs
from sca_envs.envs.tool_use import ToolUseEnv

EPISODES = 1024
TURNS = 20
ROUNDS = 7
TASKS = 1000
"""So many tasks fit into the cache of the generator; to make new ones is another matter."""

Batches = list[tuple[str, ...]]
MIXES = ("uniform", "solutions")
CASES = [
    *itertools.product(["sca/TauRetail-v0", "sca/TauAirline-v0"], MIXES),
    ("sca/M3Calculation-v0", "uniform"),
]


def _batches(envs: list[ToolUseEnv], mix: str) -> Batches:
    """Return turns for episodes that began with the seeds from 0."""
    rng = np.random.default_rng(0)
    columns = [list(itertools.islice(_turns(env, mix, rng), TURNS)) for env in envs]
    return list(zip(*columns, strict=True))


def _turns(env: ToolUseEnv, mix: str, rng: np.random.Generator) -> Any:
    """Yield turns without end; none of them ends the episode."""
    solution = [a.to_call() for a in env.episode.task.actions]
    for turn in itertools.count():
        if mix == "solutions" and solution:
            yield env.render_action(solution[turn % len(solution)])
        else:
            name, arguments = env.domain.sample_call(rng)
            while name in env.domain.terminal_tools:
                name, arguments = env.domain.sample_call(rng)
            yield env.render_action(sca_envs.ToolCall(name, arguments))


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0][4:-3]}-{case[1]}")
def case(request: pytest.FixtureRequest) -> tuple[str, Batches]:
    """An environment's id, and turns for its episodes."""
    env_id, mix = request.param
    envs = []
    for seed in range(EPISODES):
        env = gym.make(env_id, num_tasks=TASKS, disable_env_checker=True).unwrapped
        assert isinstance(env, ToolUseEnv)
        env.reset(seed=seed)
        envs.append(env)
    return env_id, _batches(envs, mix)


def _time(benchmark: BenchmarkFixture, step: Any, reset: Any, batches: Batches) -> None:
    def play() -> None:
        for batch in batches:
            step(batch)

    def setup() -> None:
        reset()
        gc.collect()

    benchmark.pedantic(play, setup=setup, rounds=ROUNDS, iterations=1)  # type: ignore[no-untyped-call]
    if benchmark.stats is not None:  # with --benchmark-disable
        rate = EPISODES * len(batches) / benchmark.stats.stats.min
        benchmark.extra_info["steps_per_second"] = round(rate)


@pytest.mark.benchmark(group="vector step")
@pytest.mark.parametrize("mode", ["sync", "vector_entry_point"])
def test_step(benchmark: BenchmarkFixture, case: tuple[str, Batches], mode: str) -> None:
    env_id, batches = case
    envs: VectorEnv[Any, Any, Any] = gym.make_vec(
        env_id, EPISODES, mode, num_tasks=TASKS, max_turns=TURNS + 1
    )
    _time(benchmark, envs.step, lambda: envs.reset(seed=0), batches)
    envs.close()


@pytest.mark.benchmark(group="vector step")
def test_step_kernel(benchmark: BenchmarkFixture, case: tuple[str, Batches]) -> None:
    env_id, batches = case
    env = gym.make(env_id, num_tasks=TASKS, max_turns=TURNS + 1).unwrapped
    assert isinstance(env, ToolUseEnv)
    episodes: list[sca_envs.Episode] = []

    def reset() -> None:
        rngs = map(np.random.default_rng, range(EPISODES))
        episodes[:] = [env.begin(*env.draw(rng)) for rng in rngs]

    def step(batch: tuple[str, ...]) -> None:
        for episode, action in zip(episodes, batch, strict=True):
            episode.step(env.parse(action))

    _time(benchmark, step, reset, batches)


@pytest.mark.benchmark(group="vector reset")
@pytest.mark.parametrize("mode", ["sync", "vector_entry_point"])
def test_reset(benchmark: BenchmarkFixture, mode: str) -> None:
    envs: VectorEnv[Any, Any, Any] = gym.make_vec(
        "sca/TauRetail-v0", EPISODES, mode, num_tasks=TASKS
    )
    benchmark.pedantic(envs.reset, kwargs={"seed": 0}, rounds=ROUNDS, warmup_rounds=1)  # type: ignore[no-untyped-call]


@pytest.mark.benchmark(group="vector states")
@pytest.mark.parametrize("operation", ["snapshot", "fork"])
def test_states(benchmark: BenchmarkFixture, operation: str) -> None:
    envs = gym.make_vec("sca/TauRetail-v0", EPISODES, num_tasks=TASKS)
    envs.reset(seed=0)
    benchmark.pedantic(getattr(envs, operation), rounds=ROUNDS)  # type: ignore[no-untyped-call]
