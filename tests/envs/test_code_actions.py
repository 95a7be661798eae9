"""Code actions: an agent's Python runs in the sandbox, in every domain."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import pytest

import sca_envs
from sca_envs.envs.registration import environment_ids
from sca_envs.envs.tool_use import ToolUseEnv
from sca_envs.sandbox import Limits, SandboxUnavailableError
from sca_envs.sandbox.runner import SandboxRunner, shared_runner


@pytest.fixture(scope="module", autouse=True)
def confined() -> Iterator[None]:
    try:
        sca_envs.check_env(_make("sca/TauRetail-v0"), num_tasks=1, skip_render_check=True)
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    yield
    gc.collect()
    shared_runner().close()


def _make(env_id: str, **options: Any) -> ToolUseEnv:
    env = gym.make(env_id, **{"action_format": "python", **options}).unwrapped
    assert isinstance(env, ToolUseEnv)
    return env


def _code(source: str) -> str:
    return f"```python\n{source}\n```"


def _orders(env: ToolUseEnv, status: str) -> str:
    orders = env.episode.domain.base.tables["orders"]
    return next(key for key, order in orders.items() if order["status"] == status)


@pytest.mark.parametrize("env_id", environment_ids())
def test_reference_solves_tasks_in_code(env_id: str) -> None:
    env = _make(env_id)
    for seed in range(5):
        assert sca_envs.play(env, sca_envs.ReferenceAgent(env), seed=seed).reward == 1, seed


@pytest.mark.parametrize("env_id", [env_id for env_id in environment_ids() if "M3" in env_id])
def test_reference_solves_tasks_in_m3_code(env_id: str) -> None:
    env = _make(env_id, action_format="m3-code")
    for seed in range(5):
        assert sca_envs.play(env, sca_envs.ReferenceAgent(env), seed=seed).reward == 1, seed


def test_checker_passes_with_code() -> None:
    sca_envs.check_env(_make("sca/TauAirline-v0"), num_tasks=3, skip_render_check=True)


def test_an_airline_episode_in_one_block_of_code() -> None:
    env = _make("sca/TauAirline-v0", user="none")
    env.reset(options={"task": 3})
    task = env.episode.task
    lines = [f"{action.name}(**{action.arguments!r})" for action in task.actions]
    observation, *_ = env.step(_code("\n".join([*lines, "print('done')"])))
    assert observation == "done\n"
    _, reward, terminated, *_ = env.step("I have done it. " + " ".join(task.outputs))
    assert (reward, terminated) == (1, True)


class TestCells:
    def test_results_are_values_and_variables_live_on(self) -> None:
        env = _make("sca/TauRetail-v0")
        env.reset(seed=0)
        order = _orders(env, "pending")
        assert env.step(_code(f"order = get_order_details({order!r})"))[0].startswith("[The code")
        observation, _, _, _, info = env.step(_code("print(order['status'])\nlen(order)"))
        assert observation == "pending\n7\n"
        assert info["source"] == "code"

    def test_a_refusing_tool_raises_and_the_traceback_is_short(self) -> None:
        env = _make("sca/TauRetail-v0")
        env.reset(seed=0)
        observation, *_ = env.step(_code("x = 1\nget_order_details('#W1')"))
        assert observation.splitlines()[-1] == "ToolError: order not found"
        assert "get_order_details('#W1')" in observation
        assert "/" not in observation
        assert env.step(_code("print(x)"))[0] == "1\n"

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            ("for", "SyntaxError"),
            ("get_order_details()", "missing"),
            ("get_order_details(7)", "valid string"),
            ("get_order_details('#W1', nope=1)", "nope"),
            ("1 / 0", "ZeroDivisionError"),
            ("open('/etc/passwd')", "PermissionError"),
            ("import os; os.system('ls')", ""),
            ("print('x' * 100_000_000)", "Truncated"),
            ("lambda: 1", "<function"),
            ("raise SystemExit", "SystemExit"),
            ("def f(): f()\nf()", "RecursionError"),
            ("x = 'a' * 10**10", "memory"),
        ],
    )
    def test_what_goes_wrong_is_an_observation_within_limits(self, source: str, words: str) -> None:
        env = _make("sca/TauRetail-v0")
        env.reset(seed=0)
        observation, reward, terminated, truncated, _ = env.step(_code(source))
        assert words.lower() in observation.lower()
        assert len(observation) < 2_100
        assert (reward, terminated, truncated) == (0, False, False)
        assert env.step(_code("print(1 + 1)"))[0] == "2\n"

    def test_endless_code_is_stopped_and_the_episode_goes_on(self) -> None:
        env = _make("sca/TauRetail-v0")
        env._code_runner = runner = SandboxRunner(Limits(wall_seconds=3, cpu_seconds=0.3))
        env.reset(seed=0)
        assert "time limit" in env.step(_code("x = 1\nwhile True: pass"))[0]
        assert env.step(_code("x"))[0] == "1\n"
        runner.close()

    def test_code_that_ends_its_process_loses_its_variables_only(self) -> None:
        env = _make("sca/TauRetail-v0")
        env.reset(seed=0)
        env.step(_code("x = 1"))
        assert "The session ended" in env.step(_code("import os; os._exit(0)"))[0]
        assert "NameError" in env.step(_code("x"))[0]
        fork = env.fork()
        assert "NameError" in fork.step(_code("x"))[0]

    def test_a_tool_may_be_redefined_and_is_there_in_the_next_episode(self) -> None:
        env = _make("sca/TauRetail-v0")
        env.reset(seed=0)
        assert env.step(_code("def calculate(x): return 7\nprint(calculate('1 + 1'))"))[0] == "7\n"
        env.reset(seed=0)
        assert env.step(_code("print(calculate('1 + 1'))"))[0] == "2.0\n"

    def test_a_terminal_tool_in_code_ends_the_episode(self) -> None:
        env = _make("sca/TauRetail-v0")
        env.reset(seed=0)
        _, _, terminated, _, info = env.step(_code("transfer_to_human_agents('x')"))
        assert (terminated, info["termination_reason"]) == (True, "transfer")

    def test_code_writes_to_its_own_episode_only(self) -> None:
        env, other = _make("sca/TauRetail-v0"), _make("sca/TauRetail-v0")
        env.reset(seed=0)
        other.reset(seed=0)
        order = _orders(env, "pending")
        write = f"cancel_pending_order({order!r}, 'no longer needed')['status']"
        assert env.step(_code(write))[0] == "'cancelled'\n"
        assert other.step(_code(f"get_order_details({order!r})['status']"))[0] == "'pending'\n"
        assert env.episode.database.diff()
        assert not other.episode.database.diff()


class TestStates:
    def test_fork_has_the_variables_and_writes_apart(self) -> None:
        env = _make("sca/TauRetail-v0")
        env.reset(seed=0)
        order = _orders(env, "pending")
        env.step(_code(f"o = {order!r}; n = [1]; s = get_order_details(o)['status']"))
        fork = env.fork()
        assert fork.step(_code("n.append(2); n"))[0] == "[1, 2]\n"
        assert (
            fork.step(_code("cancel_pending_order(o, 'no longer needed'); s"))[0] == "'pending'\n"
        )
        assert env.step(_code("n, get_order_details(o)['status']"))[0] == "([1], 'pending')\n"

    def test_restore_forgets_later_variables(self) -> None:
        env = _make("sca/TauRetail-v0")
        env.reset(seed=0)
        env.step(_code("x = 1"))
        before = env.snapshot()
        env.step(_code("x = 2"))
        env.restore(before)
        assert env.step(_code("x"))[0] == "1\n"
        env.restore(before)
        assert env.step(_code("x += 5; x"))[0] == "6\n"

    def test_pickled_environment_goes_on(self) -> None:
        env = _make("sca/TauRetail-v0")
        env.reset(seed=0)
        env.step(_code("import random; x = random.random()"))
        copied = pickle.loads(pickle.dumps(env))
        assert copied.step(_code("x"))[0] == env.step(_code("x"))[0]

    def test_twenty_episodes_at_once_and_sessions_end_with_their_episodes(self) -> None:
        runner = shared_runner()
        envs = [_make("sca/TauRetail-v0") for _ in range(20)]
        for i, env in enumerate(envs):
            env.reset(seed=i)
            env.step(_code(f"x = {i}"))
        assert [env.step(_code("x"))[0] for env in envs] == [f"{i}\n" for i in range(20)]
        living = len(runner._live)
        envs.clear()
        gc.collect()
        assert len(runner._live) <= living - 19  # the loop's variable holds the last one


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Hello", "Reply"),
        ("Look: `x`", "Reply"),
        ("```python\nx\n```", "Code"),
        ("First I look.\n```py\nx\n```\nThen I see.", "Code"),
        ("```\nx\n```", "Code"),
        ("```json\n{}\n```", "Reply"),
        ("```python\nx", "Malformed"),
        ("```python\nx\n```\n```python\ny\n```", "Malformed"),
        ("```python\nrespond('hi')\n```", "Reply"),
        ("```python\nanswer('7')\n```", "Answer"),
        ("```python\nrespond('hi'); x\n```", "Code"),
        ("```python\nanswer(7)\n```", "Code"),
    ],
)
def test_python_format(text: str, kind: str) -> None:
    env = _make("sca/TauRetail-v0")
    assert type(env.parse(text)).__name__ == kind
