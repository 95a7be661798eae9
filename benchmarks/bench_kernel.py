"""Benchmarks of the kernel and its Gymnasium view, on generated data.

Run ``pytest benchmarks/bench_kernel.py``; add ``--benchmark-json FILE`` to keep the results, among
them the bytes that an episode needs (``extra_info``). Nothing here asserts a time.
"""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import sca_envs
from sca_envs import Action, Domain, Episode, Reply, Task, ToolCall
from sca_envs.core.users import ScriptedUser

ROUNDS = 3000
EPISODES = 1000
_WRITES = ("cancel", "exchange", "modify", "return")


@pytest.fixture(scope="module")
def domain() -> Domain:
    return sca_envs.domain("tau_retail")


@pytest.fixture(scope="module")
def task(domain: Domain) -> Task:
    """The first task with four requests, at least four writes and something to say."""
    tasks = domain.tasks("train")
    for index in itertools.count():
        task = tasks[index]
        if task.script and len(task.script.requests) == 4 and len(_writes(task)) >= 4:
            return task
    raise AssertionError("unreachable")


@pytest.fixture
def env() -> gym.Env[str, str]:
    return gym.make("sca/TauRetail-v0")


def _writes(task: Task) -> list[ToolCall]:
    return [action.to_call() for action in task.actions if action.name.startswith(_WRITES)]


def _begin(domain: Domain, task: Task) -> Episode:
    return Episode(domain, task, ScriptedUser())


def _solved(domain: Domain, task: Task) -> Episode:
    """Return an episode after the reference actions; the user still waits for the outputs."""
    episode = _begin(domain, task)
    for action in task.actions:
        episode.step(action.to_call())
    return episode


def _read(domain: Domain) -> ToolCall:
    return ToolCall("get_order_details", {"order_id": domain.base.keys("orders")[0]})


def _last_turns(episode: Episode) -> tuple[list[Action], Action]:
    """Return the replies that end a solved episode: those before the last one, and that one."""
    reply = Reply(" ".join(["Everything has been done.", *episode.task.outputs]))
    trial, count = episode.fork(), 0
    while not trial.done:
        trial.step(reply)
        count += 1
    assert trial.components == {"database": 1, "outputs": 1}
    return [reply] * (count - 1), reply


def _time_step(benchmark: BenchmarkFixture, start: Episode, action: Action) -> None:
    """Time one step, each time on a new fork."""

    def setup() -> tuple[tuple[Episode], dict[str, Any]]:
        return (start.fork(),), {}

    _time_rounds(benchmark, lambda fork: fork.step(action), ROUNDS, setup)


def _time_rounds(
    benchmark: BenchmarkFixture,
    function: Callable[..., object],
    rounds: int,
    setup: Callable[[], tuple[tuple[Any, ...], dict[str, Any]]] | None = None,
) -> None:
    """Time so many calls one by one, on what `setup` returns for each."""
    benchmark.pedantic(function, setup=setup, rounds=rounds)  # type: ignore[no-untyped-call]


# Reset


@pytest.mark.benchmark(group="reset")
def test_reset_kernel(benchmark: BenchmarkFixture, domain: Domain, task: Task) -> None:
    benchmark(_begin, domain, task)


@pytest.mark.benchmark(group="reset")
def test_reset_gymnasium(benchmark: BenchmarkFixture, env: gym.Env[str, str]) -> None:
    benchmark(env.reset, seed=7)


# Steps


@pytest.mark.benchmark(group="tool step")
def test_read_call(benchmark: BenchmarkFixture, domain: Domain) -> None:
    database, call = domain.database(), _read(domain)
    benchmark(domain.call, database, call.name, call.arguments)


@pytest.mark.benchmark(group="tool step")
def test_read_kernel(benchmark: BenchmarkFixture, domain: Domain, task: Task) -> None:
    _time_step(benchmark, _begin(domain, task), _read(domain))


@pytest.mark.benchmark(group="tool step")
def test_read_gymnasium(
    benchmark: BenchmarkFixture, domain: Domain, env: gym.Env[str, str]
) -> None:
    text = env.get_wrapper_attr("render_action")(_read(domain))
    _time_env_step(benchmark, env, text, seed=7)


@pytest.mark.benchmark(group="tool step")
def test_write_kernel(benchmark: BenchmarkFixture, domain: Domain, task: Task) -> None:
    _time_step(benchmark, _begin(domain, task), _writes(task)[0])


@pytest.mark.benchmark(group="tool step")
def test_write_gymnasium(benchmark: BenchmarkFixture, env: gym.Env[str, str], task: Task) -> None:
    text = env.get_wrapper_attr("render_action")(_writes(task)[0])
    _time_env_step(benchmark, env, text, options={"task": task.id})


def _time_env_step(
    benchmark: BenchmarkFixture, env: gym.Env[str, str], text: str, **reset: Any
) -> None:
    """Time one step, each time from the beginning of an episode."""

    def setup() -> tuple[tuple[str], dict[str, Any]]:
        env.reset(**reset)
        return (text,), {}

    _time_rounds(benchmark, env.step, ROUNDS, setup)


@pytest.mark.benchmark(group="terminal step")
def test_terminal_kernel(benchmark: BenchmarkFixture, domain: Domain, task: Task) -> None:
    domain.reference_state(task)
    episode = _solved(domain, task)
    before, last = _last_turns(episode)
    for action in before:
        episode.step(action)
    _time_step(benchmark, episode, last)


# States


@pytest.mark.benchmark(group="states")
def test_fork(benchmark: BenchmarkFixture, domain: Domain, task: Task) -> None:
    episode = _solved(domain, task)
    benchmark.extra_info["changed_records"] = len(episode.database.snapshot().overlay)
    benchmark(episode.fork)


@pytest.mark.benchmark(group="states")
def test_snapshot(benchmark: BenchmarkFixture, domain: Domain, task: Task) -> None:
    benchmark(_solved(domain, task).snapshot)


@pytest.mark.benchmark(group="states")
def test_restore(benchmark: BenchmarkFixture, domain: Domain, task: Task) -> None:
    episode = _solved(domain, task)
    benchmark(episode.restore, episode.snapshot())


# Whole episodes and tasks


@pytest.mark.benchmark(group="episode")
def test_reference_episode_kernel(benchmark: BenchmarkFixture, domain: Domain, task: Task) -> None:
    before, last = _last_turns(_solved(domain, task))
    actions = [*(action.to_call() for action in task.actions), *before, last]

    def play() -> Episode:
        episode = _begin(domain, task)
        for action in actions:
            episode.step(action)
        return episode

    benchmark.extra_info["turns"] = len(actions)
    assert benchmark(play).done


@pytest.mark.benchmark(group="episode")
def test_reference_episode_gymnasium(
    benchmark: BenchmarkFixture, env: gym.Env[str, str], task: Task
) -> None:
    result = benchmark(
        lambda: sca_envs.play(env, sca_envs.ReferenceAgent(env), options={"task": task.id})
    )
    benchmark.extra_info["turns"] = result.turns
    assert result.reward == 1


@pytest.mark.benchmark(group="new task")
def test_new_task(benchmark: BenchmarkFixture, domain: Domain) -> None:
    tasks = domain.tasks("train")
    unseen = itertools.count(1_000_000)
    _time_rounds(benchmark, lambda: tasks[next(unseen)], 500)


# Memory


@pytest.mark.benchmark(group="memory")
def test_thousand_episodes(benchmark: BenchmarkFixture, domain: Domain, task: Task) -> None:
    """Times the making of a thousand episodes, and reports what one of them weighs."""
    write = _writes(task)[0]

    def make() -> list[Episode]:
        return [_begin(domain, task) for _ in range(EPISODES)]

    def change(episodes: list[Episode]) -> None:
        for episode in episodes:
            episode.step(write)

    fresh, changed = _weigh(make, change)
    benchmark.extra_info["bytes_per_episode"] = round(fresh / EPISODES)
    benchmark.extra_info["bytes_per_episode_after_a_write"] = round(changed / EPISODES)
    _time_rounds(benchmark, make, 20)


def _weigh(
    make: Callable[[], list[Episode]], change: Callable[[list[Episode]], None]
) -> tuple[int, int]:
    """Return the traced bytes of episodes when just made, and after a change."""
    change(make())  # fills the caches
    gc.collect()
    tracemalloc.start()
    start = tracemalloc.get_traced_memory()[0]
    episodes = make()
    gc.collect()
    fresh = tracemalloc.get_traced_memory()[0] - start
    change(episodes)
    gc.collect()
    changed = tracemalloc.get_traced_memory()[0] - start
    tracemalloc.stop()
    return fresh, changed
