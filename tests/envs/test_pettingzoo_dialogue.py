"""The conversation in which the user is an agent, too."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

import sca_envs
from sca_envs.core.users import ScriptedUser
from sca_envs.envs.tool_use import ToolUseEnv

pettingzoo = pytest.importorskip("pettingzoo", reason="needs the extra pettingzoo")

from pettingzoo.test import api_test, parallel_api_test, seed_test  # noqa: E402
from pettingzoo.test.seed_test import parallel_seed_test  # noqa: E402

import sca_envs.envs.pettingzoo  # noqa: E402
from sca_envs.envs.pettingzoo import dialogue_v0  # noqa: E402

ENV_IDS = ["sca/TauRetail-v0", "sca/TauAirline-v0"]


@contextmanager
def text_is_no_array() -> Iterator[None]:
    """Let no warning pass but those that PettingZoo's tests give for whatever is text."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Observation is not a NumPy array")
        warnings.filterwarnings("ignore", "(Observation|Action) space for each agent probably")
        yield


class Game:
    """Plays a dialogue with the scripted user's words and the reference solution."""

    def __init__(self, env: Any) -> None:
        self.env, self.raw = env, env.unwrapped
        self.user, self.left = ScriptedUser(), []
        self.rewards: dict[str, float] = {}

    def user_turn(self, observation: str) -> str:
        if self.raw.episode is None:
            task = self.raw.task
            assert observation == task.instruction
            words = " ".join(["Everything has been done.", *task.outputs])
            actions = [*(action.to_call() for action in task.actions), sca_envs.Reply(words)]
            self.left = [self.raw.render_action(action) for action in actions]
            return self.user.reset(task, 0)
        answer = self.user.respond(observation)
        return f"{answer.text} {dialogue_v0.STOP}" if answer.end else answer.text

    def assistant_turn(self) -> str:
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]

    def play(self, **reset: Any) -> dict[str, float]:
        self.env.reset(**reset)
        total = dict.fromkeys(self.env.possible_agents, 0.0)
        for agent in self.env.agent_iter():
            observation, reward, terminated, truncated, _ = self.env.last()
            total[agent] += reward
            if terminated or truncated:
                self.env.step(None)
            elif agent == dialogue_v0.USER:
                self.env.step(self.user_turn(observation))
            else:
                self.env.step(self.assistant_turn())
        return total


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_api(env_id: str) -> None:
    with text_is_no_array():
        api_test(dialogue_v0.env(env_id, max_turns=8), num_cycles=100)
        api_test(dialogue_v0.raw_env(env_id), num_cycles=100)


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_seed(env_id: str) -> None:
    seed_test(lambda: dialogue_v0.env(env_id), num_cycles=50)
    parallel_seed_test(lambda: dialogue_v0.parallel_env(env_id), num_cycles=50)


def test_parallel_api() -> None:
    with text_is_no_array():
        parallel_api_test(dialogue_v0.parallel_env(max_turns=8), num_cycles=100)


@pytest.mark.skipif(not hasattr(pettingzoo, "make"), reason="this PettingZoo has no registry")
@pytest.mark.parametrize("kind", ["aec", "parallel"])
def test_registry(kind: str) -> None:
    env = pettingzoo.make(kind, "sca/dialogue_v0", split="test")
    env.reset(seed=0)
    assert env.unwrapped.task.split == "test"
    assert str(env.unwrapped) == "dialogue_v0"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sca_envs.envs.pettingzoo.register_all()  # again, without a word about it


@pytest.mark.parametrize("env_id", ENV_IDS)
@pytest.mark.parametrize("seed", range(4))
def test_two_scripted_agents_play_what_gymnasium_plays(env_id: str, seed: int) -> None:
    game = Game(dialogue_v0.env(env_id))
    assert game.play(seed=seed) == {"user_0": 1.0, "assistant_0": 1.0}
    env = gym.make(env_id).unwrapped
    assert isinstance(env, ToolUseEnv)
    assert sca_envs.play(env, sca_envs.ReferenceAgent(env), seed=seed).reward == 1
    episode = game.raw.episode
    assert episode.opening == env.episode.opening
    assert episode.transcript == env.episode.transcript
    assert episode.termination_reason == "user_stop"


def test_original_task(tau_bench: Path) -> None:
    game = Game(dialogue_v0.env(data="tau-bench", split="test"))
    assert game.play(options={"task": 1})["assistant_0"] == 1
    assert game.raw.task.id == "1"


@pytest.mark.parametrize(
    ("payoff", "share"), [("cooperative", 1.0), ("zero_sum", -1.0), ("separate", 0.0)]
)
def test_payoffs(payoff: str, share: float) -> None:
    assert Game(dialogue_v0.env(payoff=payoff)).play(seed=1) == {
        "user_0": share,
        "assistant_0": 1.0,
    }


class TestTurns:
    def test_observations_and_infos(self) -> None:
        env = dialogue_v0.env()
        env.reset(seed=3)
        task = env.unwrapped.task
        assert env.agent_selection == "user_0"
        assert (env.observe("user_0"), env.observe("assistant_0")) == (task.instruction, "")
        assert env.infos["assistant_0"] == {}
        assert env.infos["user_0"] == {
            "task_id": task.id,
            "turn": 0,
            "instruction": task.instruction,
            "stop_word": "###STOP###",
            "termination_reason": None,
        }
        env.step("Hi there.")
        assert (env.agent_selection, env.observe("assistant_0")) == ("assistant_0", "Hi there.")
        single = gym.make("sca/TauRetail-v0")
        assert env.infos["assistant_0"] == single.reset(seed=3)[1]
        env.step('{"name": "list_all_product_types", "arguments": {}}')
        assert env.agent_selection == "assistant_0"
        assert json.loads(env.observe("assistant_0"))
        assert env.observe("user_0") == task.instruction
        env.step("What is your name?")
        assert (env.agent_selection, env.observe("user_0")) == ("user_0", "What is your name?")
        assert env.infos["assistant_0"]["turn"] == 1
        env.step("Guess.")
        assert env.observe("assistant_0") == "Guess."
        assert env.infos["user_0"]["turn"] == 2

    @pytest.mark.parametrize(
        ("words", "said"),
        [("", ""), ("###STOP###", ""), ("Bye. ###STOP### And then?", "Bye.")],
    )
    def test_user_stops(self, words: str, said: str) -> None:
        env = dialogue_v0.env()
        env.reset(seed=0)
        for action in ("Hello.", "How can I help?", words):
            env.step(action)
        assert env.terminations == {"user_0": True, "assistant_0": True}
        assert env.observe("assistant_0") == said
        assert env.infos["user_0"]["termination_reason"] == "user_stop"
        assert env.rewards == {"user_0": 0.0, "assistant_0": 0.0}

    def test_first_message_cannot_stop(self) -> None:
        env = dialogue_v0.env()
        env.reset(seed=0)
        env.step("Hello. ###STOP###")
        assert not any(env.terminations.values())
        assert env.observe("assistant_0") == "Hello."

    def test_turn_limit_truncates(self) -> None:
        env = dialogue_v0.env(max_turns=2, payoff="zero_sum")
        env.reset(seed=0)
        for action in ("Hello.", "Hm?", "Well?", "Hm?", "Well?"):
            env.step(action)
        assert env.truncations == {"user_0": True, "assistant_0": True}
        assert not any(env.terminations.values())
        assert env.rewards == {"user_0": 0.0, "assistant_0": 0.0}

    def test_malformed_turn_keeps_the_turn(self) -> None:
        env = dialogue_v0.env()
        env.reset(seed=0)
        env.step("Hello.")
        env.step('{"name": 3}')
        assert env.agent_selection == "assistant_0"
        assert env.observe("assistant_0").startswith("Error:")

    def test_parallel_counts_the_active_agent_only(self) -> None:
        env = dialogue_v0.parallel_env()
        observations, _ = env.reset(seed=0)
        assert set(observations) == {"user_0", "assistant_0"}
        _, _, _, _, infos = env.step({"user_0": "Hello.", "assistant_0": "ignored"})
        assert infos["user_0"]["active_agent"] == "assistant_0"
        env.step({"user_0": "ignored", "assistant_0": "How can I help?"})
        assert env.unwrapped.episode.turn == 0
        env.step({"user_0": "I wonder.", "assistant_0": "ignored"})
        assert env.unwrapped.episode.transcript[0].observation == "I wonder."


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"env_id": "sca/Nothing-v0"}, "sca/TauRetail-v0"),
            ({"payoff": "greedy"}, "cooperative, zero_sum, separate"),
            ({"render_mode": "rgb_array"}, "ansi, human"),
            ({"user": "none"}, "user_0 is the user"),
            ({"split": "dev"}, "one of train, test"),
        ],
    )
    def test_wrong_option(self, options: dict[str, Any], match: str) -> None:
        with pytest.raises(sca_envs.OptionError, match=match):
            dialogue_v0.env(**options)

    def test_wrong_task_leaves_the_game(self) -> None:
        env = dialogue_v0.env()
        env.reset(seed=0)
        env.step("Hello.")
        task, episode = env.unwrapped.task, env.unwrapped.episode
        with pytest.raises(sca_envs.UnknownTaskError):
            env.reset(options={"task": "train-x"})
        assert (env.unwrapped.task, env.unwrapped.episode) == (task, episode)

    def test_action_that_is_no_text(self) -> None:
        env = dialogue_v0.env()
        env.reset(seed=0)
        with pytest.raises(TypeError, match="type str, got int"):
            env.step(3)
        assert env.agent_selection == "user_0"

    def test_without_pettingzoo_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pettingzoo", None)
        monkeypatch.delitem(sys.modules, "sca_envs.envs.pettingzoo")
        with pytest.raises(sca_envs.SCAError, match=r"pip install 'sca-envs\[pettingzoo\]'"):
            __import__("sca_envs.envs.pettingzoo")


class TestRendering:
    def test_ansi(self) -> None:
        env = dialogue_v0.env(render_mode="ansi")
        env.reset(seed=0)
        assert env.render() == f"task: {env.unwrapped.task.id}"
        for action in ("Hello there.", '{"name": "think", "arguments": {"thought": "x"}}', "Yes?"):
            env.step(action)
        text = env.render()
        assert "user: Hello there." in text
        assert text.endswith("agent: Yes?")

    def test_human(self, capsys: pytest.CaptureFixture[str]) -> None:
        env = dialogue_v0.env(render_mode="human")
        env.reset(seed=0)
        for action in ("Hello there.", "What can I do?", "Nothing. ###STOP###"):
            env.step(action)
        printed = capsys.readouterr().out
        assert all(text in printed for text in ("Hello there.", "What can I do?", "Nothing."))
        assert "user_stop" in printed
        assert env.render() is None
        env.close()
