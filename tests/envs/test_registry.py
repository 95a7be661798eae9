"""What every registered environment must fulfil; a new one is tested when it is registered."""

from __future__ import annotations

import json
import os
import pickle
import runpy
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env as check_gymnasium_env

import sca_envs
from sca_envs.envs.registration import environment_ids
from sca_envs.envs.tool_use import ToolUseEnv

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.parametrize("env_id", environment_ids())


def _make(env_id: str, **options: Any) -> ToolUseEnv:
    env = gym.make(env_id, **options).unwrapped
    assert isinstance(env, ToolUseEnv)
    return env


def _sampled_run(env: ToolUseEnv, seed: int, steps: int = 20) -> list[Any]:
    """Return everything that comes out of some sampled steps."""
    env.action_space.seed(seed)
    out: list[Any] = [env.reset(seed=seed)]
    for _ in range(steps):
        out.append(env.step(env.action_space.sample()))
        if env.episode.done:
            out.append(env.reset())
    return out


def test_gymnasium_checker_gives_no_warning(env_id: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_gymnasium_env(_make(env_id))


def test_own_checker(env_id: str) -> None:
    sca_envs.check_env(gym.make(env_id))


@pytest.mark.parametrize("action_format", ["json", "hermes"])
def test_two_runs_are_equal(env_id: str, action_format: str) -> None:
    runs = [_sampled_run(_make(env_id, action_format=action_format), 11) for _ in range(2)]
    assert runs[0] == runs[1]
    assert runs[0] != _sampled_run(_make(env_id, action_format=action_format), 12)


def test_another_process_gives_the_same_bytes(env_id: str) -> None:
    code = (
        "import json, sys; sys.path.insert(0, 'tests/envs'); import test_registry as t;"
        f"print(json.dumps(t._sampled_run(t._make({env_id!r}), 5)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert outputs == {json.dumps(_sampled_run(_make(env_id), 5))}


def test_pickling_keeps_the_episode(env_id: str) -> None:
    env = _make(env_id)
    env.action_space.seed(3)
    env.reset(seed=3)
    env.step(env.action_space.sample())
    assert not env.episode.done
    copied = pickle.loads(pickle.dumps(env))
    assert copied.episode.domain is env.episode.domain
    assert copied.snapshot() == env.snapshot()
    action = env.action_space.sample()
    assert copied.step(action) == env.step(action)
    assert copied.reset() == env.reset()


def test_spec_survives_json(env_id: str) -> None:
    env = gym.make(env_id, split="test", user="none", max_turns=5)
    assert env.spec is not None
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.spec == env.spec
    assert again.reset(seed=1) == env.reset(seed=1)


def test_wrapped_spec_survives_json(env_id: str) -> None:
    env = sca_envs.ChatMessages(sca_envs.DenseReward(gym.make(env_id), scale=0.5))
    assert env.spec is not None
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.reset(seed=1) == env.reset(seed=1)
    assert isinstance(again, sca_envs.ChatMessages)


def test_module_prefix_registers(env_id: str) -> None:
    code = f"import gymnasium as gym; print(gym.make('sca_envs:{env_id}').reset(seed=0)[0])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip("\n") == _make(env_id).reset(seed=0)[0]


def test_ids_of_tasks_need_no_tasks(env_id: str) -> None:
    tasks = _make(env_id).unwrapped.tasks
    number = 3 if tasks.size is None else min(3, tasks.size)
    ids = [tasks.id_of(index) for index in range(number)]
    assert ids == [tasks[index].id for index in range(number)]
    if tasks.size is None:
        with pytest.raises(IndexError):
            tasks.id_of(-1)


def test_render_ansi(env_id: str) -> None:
    env = _make(env_id, render_mode="ansi")
    observation, _ = env.reset(seed=0)
    text = env.render()
    assert text is not None
    assert observation in text
    action = env.action_space.sample()
    result = env.step(action)[0]
    text = env.render()
    assert text is not None
    assert json.loads(action)["name"] in text
    assert result in text


def test_render_human_prints_every_turn(
    env_id: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "5000")
    env = _make(env_id, render_mode="human")
    observation, _ = env.reset(seed=0)
    assert observation in capsys.readouterr().out
    action = env.action_space.sample()
    env.step(action)
    assert json.loads(action)["name"] in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["sync", "async", "vector_entry_point"])
def test_vector(env_id: str, mode: str) -> None:
    options = {"shared_memory": False} if mode == "async" else {}
    envs = gym.make_vec(env_id, num_envs=3, vectorization_mode=mode, vector_kwargs=options)
    single = [_make(env_id) for _ in range(3)]
    try:
        observations, infos = envs.reset(seed=21)
        expected = [env.reset(seed=21 + i) for i, env in enumerate(single)]
        assert list(observations) == [observation for observation, _ in expected]
        assert list(infos["task_id"]) == [info["task_id"] for _, info in expected]
        for env in single:
            env.action_space.seed(4)
        actions = tuple(env.action_space.sample() for env in single)
        observations, rewards, terminated, truncated, _ = envs.step(actions)
        steps = [env.step(action) for env, action in zip(single, actions, strict=True)]
        assert list(observations) == [step[0] for step in steps]
        assert list(rewards) == [step[1] for step in steps]
        assert list(terminated) == [step[2] for step in steps]
        assert list(truncated) == [step[3] for step in steps]
    finally:
        envs.close()


def test_fork_and_restore(env_id: str) -> None:
    env = _make(env_id)
    env.action_space.seed(1)
    env.reset(seed=1)
    env.step(env.action_space.sample())
    before = env.snapshot()
    fork = env.fork()
    assert fork.snapshot() == before
    agent = sca_envs.ReferenceAgent(fork)
    agent.reset("", {})
    while not fork.episode.done:
        fork.step(agent.act("", {}))
    assert env.snapshot() == before
    assert env.episode.turn == 1
    at_the_end = fork.snapshot()
    fork.restore(before)
    assert fork.snapshot() == before
    assert fork.reset() == env.reset()
    fork.restore(at_the_end)
    assert fork.episode.done


def test_interleaved_episodes_equal_episodes_in_turn(env_id: str) -> None:
    def play(envs: list[ToolUseEnv], order: list[int]) -> list[list[Any]]:
        out: list[list[Any]] = []
        for i, env in enumerate(envs):
            env.action_space.seed(i)
            out.append([env.reset(seed=i)])
        for i in order:
            if not envs[i].episode.done:
                out[i].append(envs[i].step(envs[i].action_space.sample()))
        return out

    in_turn = play([_make(env_id), _make(env_id)], [0] * 15 + [1] * 15)
    interleaved = play([_make(env_id), _make(env_id)], [0, 1] * 15)
    assert in_turn == interleaved


def test_docs_page_is_the_class_docstring(env_id: str) -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "build.py"))
    page = ROOT / "docs" / pages["page_path"](env_id)
    assert page.read_text(encoding="utf-8") == pages["environment_page"](env_id), (
        "run `python docs/build.py`"
    )
    sections = [line[3:] for line in page.read_text().splitlines() if line.startswith("## ")]
    assert sections == [
        "Description",
        "Action Space",
        "Observation Space",
        "Rewards",
        "Starting State",
        "Episode End",
        "Arguments",
        "Version History",
    ]
