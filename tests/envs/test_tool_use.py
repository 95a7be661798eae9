"""The environment's options, info and errors."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.error import ResetNeeded

import sca_envs
from sca_envs.core.conversation import UserTurn
from sca_envs.core.task import Task
from sca_envs.envs.spaces import MAX_ACTION_LENGTH, AssistantTurn, Text
from sca_envs.envs.tool_use import ToolUseEnv

ENV_ID = "sca/TauRetail-v0"


def _make(**options: Any) -> ToolUseEnv:
    env = gym.make(ENV_ID, **options).unwrapped
    assert isinstance(env, ToolUseEnv)
    return env


class TestInfo:
    def test_keys(self) -> None:
        env = _make(max_turns=1)
        _, info = env.reset(seed=0)
        keys = {"task_id", "turn", "tools", "policy", "source", "termination_reason"}
        assert set(info) == keys
        assert (info["turn"], info["source"], info["termination_reason"]) == (0, "user", None)
        assert len(info["tools"]) == 16
        _, reward, terminated, truncated, info = env.step("Hello")
        assert (reward, terminated, truncated) == (0, False, True)
        assert set(info) == keys | {"reward_components"}
        assert info["termination_reason"] == "max_turns"

    def test_changing_it_changes_no_other_episode(self) -> None:
        env, other = _make(), _make()
        _, info = env.reset(seed=0)
        clean = json.dumps(other.reset(seed=0)[1])
        schema = info["tools"][0]
        with pytest.raises(TypeError, match=r"copy\.deepcopy"):
            schema["function"]["name"] = "hacked"
        with pytest.raises(TypeError, match=r"copy\.deepcopy"):
            schema["function"]["parameters"]["required"].append("x")
        for plain in (copy.deepcopy(schema), pickle.loads(pickle.dumps(schema))):
            assert plain == schema
            plain["function"]["parameters"]["required"].append("x")
            plain["function"]["name"] = "mine"
        info["tools"].clear()
        info["policy"] = ""
        assert json.dumps(other.reset(seed=0)[1]) == clean
        assert json.dumps(env.reset(seed=0)[1]) == clean

    def test_sources(self) -> None:
        env = _make()
        env.reset(seed=0)
        think = '{"name": "think", "arguments": {"thought": "x"}}'
        assert env.step(think)[4]["source"] == "think"
        assert env.step("What is your name?")[4]["source"] == "user"
        observation, *_, info = env.step('{"name": 3}')
        assert info["source"] == "environment"
        assert observation.startswith('Error: Expected {"name"')
        assert info["turn"] == 3


class TestOptions:
    def test_task_by_id_and_index(self) -> None:
        env = _make(split="test")
        assert env.reset(options={"task": "test-12"}) == env.reset(options={"task": 12})
        assert env.reset(options={"task": 12})[1]["task_id"] == "test-12"

    @pytest.mark.parametrize("key", ["test-12", "train-", "train-x", "train-012", "12", -1])
    def test_unknown_task(self, key: str | int) -> None:
        env = _make()
        with pytest.raises(sca_envs.UnknownTaskError, match="train-12"):
            env.reset(options={"task": key})
        assert env.reset(options={"task": 3})[1]["task_id"] == "train-3"

    def test_unknown_original_task(self, tau_bench: Path) -> None:
        env = _make(data="tau-bench", split="test-clean")
        assert env.reset(options={"task": 11})[1]["task_id"] == "11"
        with pytest.raises(sca_envs.UnknownTaskError, match="got 12"):
            env.reset(options={"task": 12})

    @pytest.mark.parametrize("key", [1.5, True, ["a"], {}])
    def test_task_of_a_wrong_type(self, key: object) -> None:
        with pytest.raises(sca_envs.OptionError, match="id or an index"):
            _make().reset(options={"task": key})

    def test_unknown_reset_option(self) -> None:
        with pytest.raises(sca_envs.OptionError, match="'tsk'"):
            _make().reset(options={"tsk": 1})

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"data": "tau-bench2"}, "one of generated, tau-bench, tau2"),
            ({"data": "generated:x"}, "generated:SEED"),
            ({"data": "tau-bench:1"}, "generated:SEED"),
            ({"data": 3}, "generated:SEED"),
            ({"split": "dev"}, "one of train, test"),
            ({"user": "llm"}, "'none' or 'scripted'"),
            ({"user": 3}, "methods"),
            ({"action_format": "xml"}, "json, hermes"),
            ({"max_turns": 0}, "integer from 1"),
            ({"max_turns": "5"}, "integer from 1"),
            ({"num_tasks": 0}, "integer from 1"),
            ({"render_mode": "rgb_array"}, "ansi, human or None"),
            ({"tasks": "tasks.csv"}, "'.csv'"),
        ],
    )
    def test_wrong_option(self, options: dict[str, Any], match: str) -> None:
        with pytest.raises(sca_envs.OptionError, match=match):
            ToolUseEnvOfRetail(**options)

    def test_missing_data_set_says_the_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SCA_DATA_DIR", str(tmp_path))
        with pytest.raises(sca_envs.DataNotInstalledError, match="sca data import tau2"):
            _make(data="tau2")

    def test_num_tasks_limits_what_is_drawn(self) -> None:
        env = _make(num_tasks=3)
        drawn = {env.reset(seed=seed)[1]["task_id"] for seed in range(60)}
        assert drawn == {"train-0", "train-1", "train-2"}

    def test_task_file_and_task_set(self, tmp_path: Path) -> None:
        source = sca_envs.domain("tau_retail").tasks("test")
        tasks = sca_envs.TaskSet([source[i] for i in range(4)])
        sca_envs.save_tasks(tasks, tmp_path / "tasks.jsonl")
        by_path = _make(tasks=tmp_path / "tasks.jsonl")
        by_set = _make(tasks=tasks)
        for seed in range(8):
            assert by_path.reset(seed=seed) == by_set.reset(seed=seed)
        assert by_set.reset(options={"task": "test-2"}) == by_set.reset(options={"task": 2})

    def test_broken_task_file_names_the_line(self, tmp_path: Path) -> None:
        path = tmp_path / "tasks.jsonl"
        task = sca_envs.domain("tau_retail").tasks("test")[0]
        path.write_text(f"{task.model_dump_json()}\n{{\n")
        with pytest.raises(sca_envs.TaskFileError, match="line 2"):
            _make(tasks=path)

    def test_tasks_of_other_data(self) -> None:
        task = sca_envs.domain("tau_retail", "generated:1").tasks("train")[0]
        with pytest.raises(sca_envs.OptionError, match="generated:1"):
            _make(tasks=[task])

    def test_empty_task_set(self) -> None:
        with pytest.raises(sca_envs.SCAError, match="at least one task"):
            _make(tasks=[])


class ToolUseEnvOfRetail(ToolUseEnv):
    """Made without `gym.make`, which would put its own words before ours."""

    domain_name = "tau_retail"


class TestActions:
    @pytest.mark.parametrize("action", [3, None, b"x", ["a"], {"name": "think"}])
    def test_other_than_text_is_refused_and_changes_nothing(self, action: Any) -> None:
        env = _make()
        env.reset(seed=0)
        before = env.snapshot()
        with pytest.raises(TypeError, match=f"got {type(action).__name__}"):
            env.step(action)
        assert env.snapshot() == before
        assert env.step("Hello?")[4]["turn"] == 1

    @pytest.mark.parametrize("action", ["a" * 1_000_000, "[" * 1_000_000, '{"name": "' * 100_000])
    def test_huge(self, action: str) -> None:
        env = _make()
        env.reset(seed=0)
        observation, *_, info = env.step(action)
        assert observation == f"Error: Expected at most {MAX_ACTION_LENGTH} characters, got 1000000"
        assert info["turn"] == 1
        assert len(env.episode.transcript[0].action.text) < 1000  # type: ignore[union-attr]

    def test_a_long_message_to_the_user_takes_no_long_time(self) -> None:
        """It took minutes when every character was looked at for what the message means."""
        env = _make()
        env.reset(seed=0)
        env.step("confirm " + "which " * ((MAX_ACTION_LENGTH - 8) // 6))
        assert env.episode.turn == 1

    def test_deep_nesting(self) -> None:
        env = _make()
        env.reset(seed=0)
        assert env.step('{"a":' * 15_000)[0].startswith("Error: Expected")

    def test_step_before_reset_and_after_the_end(self) -> None:
        env = _make(max_turns=1)
        with pytest.raises(ResetNeeded):
            env.step("Hello")
        env.reset(seed=0)
        env.step("Hello")
        with pytest.raises(ResetNeeded, match="max_turns"):
            env.step("Hello")
        env.reset(seed=0)
        env.step("Hello")

    def test_transfer_ends_the_episode(self) -> None:
        env = _make()
        env.reset(seed=0)
        call = '{"name": "transfer_to_human_agents", "arguments": {"summary": "x"}}'
        observation, _, terminated, truncated, info = env.step(call)
        assert (observation, terminated, truncated) == ("Transfer successful", True, False)
        assert info["termination_reason"] == "transfer"


class TestUsers:
    def test_none_gives_the_whole_instruction(self) -> None:
        env = _make(user="none")
        observation, _ = env.reset(seed=0)
        assert observation == env.episode.task.instruction
        _, _, terminated, _, info = env.step("Bye")
        assert (terminated, info["termination_reason"]) == (True, "answered")

    @pytest.mark.parametrize("as_class", [True, False])
    def test_custom(self, as_class: bool) -> None:
        class Echo:
            def reset(self, task: Task, seed: int) -> str:
                self.heard: list[str] = []
                return f"Hello {task.id}"

            def respond(self, message: str) -> UserTurn:
                self.heard.append(message)
                return UserTurn(f"{message}!", "user_stop" if message == "bye" else None)

        env = _make(user=Echo if as_class else Echo())
        assert env.reset(options={"task": 5})[0] == "Hello train-5"
        assert env.step("so")[0] == "so!"
        fork = env.fork()
        assert fork.step("bye")[4]["termination_reason"] == "user_stop"
        assert not env.episode.done
        assert env.episode.user.heard == ["so"]  # type: ignore[attr-defined]


class TestSpaces:
    def test_samples_are_valid_calls(self) -> None:
        env = _make()
        env.action_space.seed(0)
        names = set()
        for _ in range(400):
            call = json.loads(env.action_space.sample())
            tool = env.domain.tools[call["name"]]
            assert tool.check(call["arguments"]) == call["arguments"]
            names.add(call["name"])
        assert names == set(env.domain.tools)

    def test_equality_and_contains(self) -> None:
        retail = sca_envs.domain("tau_retail")
        assert AssistantTurn(retail, "json") == AssistantTurn(retail, "json")
        assert AssistantTurn(retail, "json") != AssistantTurn(retail, "hermes")
        assert AssistantTurn(retail, "json") != Text(MAX_ACTION_LENGTH)
        assert Text() == Text()
        assert Text() != Text(5)
        assert "äö" in Text(2)
        assert "abc" not in Text(2)
        assert 3 not in Text()
        with pytest.raises(ValueError, match="no mask"):
            Text().sample(mask=1)


class TestWrappers:
    def test_chat_messages(self) -> None:
        env = sca_envs.ChatMessages(gym.make(ENV_ID))
        messages, info = env.reset(seed=0)
        assert [message["role"] for message in messages] == ["system", "user"]
        assert messages[0]["content"] == info["policy"]
        messages, *_ = env.step('{"name": "think", "arguments": {"thought": "x"}}')
        call, result = messages[2:]
        assert call["tool_calls"][0]["function"] == {
            "name": "think",
            "arguments": '{"thought": "x"}',
        }
        assert result == {
            "role": "tool",
            "tool_call_id": call["tool_calls"][0]["id"],
            "content": "",
        }
        messages, *_ = env.step("Hello?")
        assert [message["role"] for message in messages[4:]] == ["assistant", "user"]
        assert messages in env.observation_space

    def test_wrappers_want_our_environments(self) -> None:
        for wrapper in (sca_envs.ChatMessages, sca_envs.DenseReward):
            with pytest.raises(TypeError, match="CartPole"):
                wrapper(gym.make("CartPole-v1"))
        with pytest.raises(sca_envs.OptionError, match="gamma"):
            sca_envs.DenseReward(gym.make(ENV_ID), gamma=2)

    @pytest.mark.parametrize("gamma", [1.0, 0.9])
    def test_dense_reward_is_potential_based(self, gamma: float) -> None:
        """Discounted additions telescope to minus the first potential, which is 0."""
        env = sca_envs.DenseReward(gym.make(ENV_ID), scale=2.0, gamma=gamma)
        positive = 0
        for seed in range(20):
            observation, info = env.reset(seed=seed)
            agent = sca_envs.ReferenceAgent(env)
            agent.reset(observation, info)
            total, shaping, discount, done = 0.0, 0.0, 1.0, False
            while not done:
                action = agent.act(observation, info)
                observation, reward, terminated, truncated, info = env.step(action)
                shaping += discount * info["shaping"]
                total += float(reward) - info["shaping"]
                discount *= gamma
                positive += info["shaping"] > 0
                done = terminated or truncated
            assert total == 1
            assert shaping == pytest.approx(0, abs=1e-9)
        assert positive >= 10

    def test_dense_reward_punishes_wrong_changes_and_keeps_the_potential_at_a_truncation(
        self,
    ) -> None:
        env = sca_envs.DenseReward(gym.make(ENV_ID, max_turns=1, user="none"))
        env.reset(options={"task": 0})
        wrong = {
            "user_id": next(iter(sca_envs.domain("tau_retail").base.tables["users"]))
        } | dict.fromkeys(("address1", "address2", "city", "state", "country", "zip"), "x")
        call = json.dumps({"name": "modify_user_address", "arguments": wrong})
        _, reward, _, truncated, info = env.step(call)
        assert truncated
        assert reward == info["shaping"] < 0


def test_check_env_finds_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    env = _make()
    monkeypatch.setattr(
        ToolUseEnv, "describe", lambda self, episode: {"secret": episode.task.model_dump()}
    )
    with pytest.raises(AssertionError):
        sca_envs.check_env(env, skip_render_check=True)
    with pytest.raises(TypeError, match="CartPole"):
        sca_envs.check_env(gym.make("CartPole-v1"))


def test_check_env_finds_a_leak_in_info(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = ToolUseEnv.describe

    def leaking(self: ToolUseEnv, episode: sca_envs.Episode) -> dict[str, Any]:
        hint = json.dumps(episode.task.actions[-1].arguments)
        return {**honest(self, episode), "hint": hint}

    monkeypatch.setattr(ToolUseEnv, "describe", leaking)
    with pytest.raises(AssertionError, match="give nothing away"):
        sca_envs.check_env(_make())


def test_check_env_finds_tasks_that_nothing_solves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sca_envs.core.verifiers.AllOf.verify", lambda self, episode: _full())
    with pytest.raises(AssertionError, match="doing nothing"):
        sca_envs.check_env(_make())


def _full() -> Any:
    from sca_envs.core.verifiers import Verdict

    return Verdict(1.0, {})
