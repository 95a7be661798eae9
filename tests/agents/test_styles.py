"""`sca eval` with a model at an endpoint: the chat agent by its short form, styles from files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from chat_server import ChatServer, called, reference_actions
from turns import brain_of, in_code, native, react

import sca_envs
from agents.native import NativeAgent
from sca_envs import OptionError
from sca_envs.agents import Endpoint
from sca_envs.bench.loading import load

STYLES = Path(__file__).parents[2] / "agents"
RETAIL, MESSAGES = "sca/TauRetail-v0", "sca/M3MessageDecoder-v0"
OLD_NAMES = {
    "agents.chat:ChatAgent": sca_envs.ChatAgent,
    "agents.endpoint:Endpoint": Endpoint,
    "agents.hf:HFAgent": sca_envs.HFAgent,
    "agents.users:CheckedUser": sca_envs.CheckedUser,
    "agents.users:LLMUser": sca_envs.LLMUser,
    "agents.vllm_agent:VLLMAgent": sca_envs.VLLMAgent,
}


def _evaluate(
    server: ChatServer, folder: Path, env_id: str, write: Any, *arguments: str, **env_options: Any
) -> dict[str, Any]:
    """Run `sca eval` in a folder without code, with a model that knows the solutions."""
    env = gym.make(env_id, split="test", **env_options)
    turns = {}
    for index in range(2):
        actions = reference_actions(env, options={"task": index})
        opening = env.unwrapped.episode.opening  # type: ignore[attr-defined]
        turns[opening] = [write(env, action) for action in actions]
    server.brain = brain_of(turns)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sca_envs", "eval", env_id),
            *("--num-tasks", "2", "--out", "run", *arguments),
        ],
        cwd=folder,
        env=os.environ | {"OPENAI_API_KEY": "sk-of-the-test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads((folder / "run" / "results.json").read_text("utf-8"))
    assert results["success"]["mean"] == 1.0
    assert results["scored"] == 2
    return results


@pytest.mark.parametrize(
    ("style", "write", "env_id", "env_options"),
    [
        ("native.py:NativeAgent", lambda env, action: native(action), RETAIL, {}),
        ("native.py:NativeAgent", lambda env, action: native(action), MESSAGES, {}),
        ("react.py:ReActAgent", react, RETAIL, {}),
        ("code_act.py:CodeActAgent", in_code, RETAIL, {"action_format": "python"}),
    ],
)
def test_styles(
    server: ChatServer,
    tmp_path: Path,
    style: str,
    write: Any,
    env_id: str,
    env_options: dict[str, str],
) -> None:
    formats = [f"--action-format={name}" for name in env_options.values()]
    endpoint = ("--agent-option", "model=toy", "--agent-option", f"base_url={server.url}")
    agent = ("--agent", str(STYLES / style), *endpoint)
    _evaluate(server, tmp_path, env_id, write, *agent, *formats, **env_options)


def test_model_is_short_for_the_chat_agent(server: ChatServer, tmp_path: Path) -> None:
    results = _evaluate(
        *(server, tmp_path, RETAIL, lambda env, action: native(action)),
        *("--model", "toy", "--base-url", server.url, "--agent-option", "input_price=1.5"),
        *("--workers", "2"),
    )
    options = results["run"]["options"]
    assert options["agent"] == "sca_envs.agents.chat:ChatAgent"
    expected = {"model": "toy", "base_url": server.url, "input_price": 1.5}
    assert options["agent_options"] == expected
    assert server.requests[0]["model"] == "toy"
    assert server.requests[0]["tools"]


def test_an_agent_of_the_package_has_one_name(server: ChatServer) -> None:
    for agent in ("sca_envs:ChatAgent", "sca_envs.agents:ChatAgent", sca_envs.ChatAgent):
        run = sca_envs.evaluate(
            *(RETAIL, agent),
            agent_options={"model": "toy", "base_url": server.url},
            num_tasks=1,
            max_turns=1,
            user="sca_envs:LLMUser",
            user_options={"model": "toy", "base_url": server.url},
        )
        options = run.results.run.options
        assert options["agent"] == "sca_envs.agents.chat:ChatAgent"
        assert options["env_options"]["user"] == "sca_envs.agents.users:LLMUser"


@pytest.mark.parametrize("name", OLD_NAMES)
def test_names_of_older_runs(name: str) -> None:
    assert load(name, "agent") is OLD_NAMES[name]


def test_a_run_with_an_older_name_is_resumed(server: ChatServer, tmp_path: Path) -> None:
    options = {"model": "toy", "base_url": server.url}
    arguments: dict[str, Any] = {"agent_options": options, "max_turns": 1, "out": tmp_path}
    sca_envs.evaluate(RETAIL, "agents.chat:ChatAgent", num_tasks=2, **arguments)
    file = tmp_path / "trajectories.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0])
    run = sca_envs.evaluate(RETAIL, "agents.chat:ChatAgent", num_tasks=2, resume=True, **arguments)
    episodes = [(one.task_id, one.agent) for one in run.trajectories()]
    assert episodes == [(task, "agents.chat:ChatAgent") for task in ("test-0", "test-1")]
    assert file.read_bytes().startswith(lines[0])
    with pytest.raises(OptionError, match=r"agent was 'agents.chat:ChatAgent' and is 'sca_envs"):
        sca_envs.evaluate(RETAIL, "sca_envs:ChatAgent", num_tasks=2, resume=True, **arguments)


def test_native_agent_plays_several_calls_of_a_message(server: ChatServer) -> None:
    calls = called(("list_all_product_types", "{}"), ("find_user_id_by_email", "[1]"))
    server.say(calls, "Hello!")
    env = gym.make(RETAIL)
    agent = NativeAgent(server.endpoint())
    observation, info = env.reset(seed=0)
    agent.reset(observation, info)
    for _ in range(3):
        observation, *_, info = env.step(agent.act(observation, info))
    roles = [message["role"] for message in server.requests[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "tool"]
    assert "Error:" in server.requests[-1]["messages"][-1]["content"]
    usage = agent.report("", {}).usage
    assert usage is not None
    assert usage.requests == 2


def test_native_agent_refuses_a_format_without_named_calls(server: ChatServer) -> None:
    env = gym.make("sca/M3TradeCalculator-v0", action_format="m3-text")
    observation, info = env.reset(seed=0)
    with pytest.raises(OptionError, match=r"'json' or 'hermes' .* 'm3-text'"):
        NativeAgent(server.endpoint()).reset(observation, info | {"action_format": "m3-text"})
