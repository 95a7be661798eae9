"""The game in which one agent makes a task and another solves it."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import gymnasium as gym
import pytest

import sca_envs
from sca_envs.envs.code_as_task import CodeAsTaskEnv
from sca_envs.envs.tool_use import ToolUseEnv

pettingzoo = pytest.importorskip("pettingzoo", reason="needs the extra pettingzoo")

from pettingzoo.test import api_test, parallel_api_test, seed_test  # noqa: E402

from sca_envs.envs.pettingzoo import self_challenge_v0  # noqa: E402

CHEAP = "sca/M3TradeCalculatorChallenger-v0"
SUBMIT_NOTHING = '{"name": "submit_task", "arguments": {}}'
SUBMIT_NONSENSE = sca_envs.ToolCall(
    "submit_task",
    {"instruction": "Do it.", "verify": "x", "solution": "answer(1)", "failures": ["1", "2", "3"]},
)


@functools.cache
def _submission(env_id: str, seed: int) -> str:
    """Return the turn of a challenger whose task is accepted."""
    env = gym.make(env_id).unwrapped
    assert isinstance(env, ToolUseEnv)
    env.reset(seed=seed)
    return env.render_action(env.reference_actions()[-1])


def _solution(env: Any) -> list[str]:
    """Return the turns of an executor who solves the accepted task."""
    single = CodeAsTaskEnv(tasks=env.unwrapped.task)
    single.reset(seed=0)
    return [single.render_action(action) for action in single.reference_actions()]


def _play(env: Any, challenge: list[str], solve: bool, **reset: Any) -> dict[str, float]:
    """Play a game of two scripted agents and return what each got."""
    env.reset(**reset)
    turns = {"challenger_0": list(challenge), "executor_0": []}
    total = dict.fromkeys(env.possible_agents, 0.0)
    for agent in env.agent_iter():
        _, reward, terminated, truncated, _ = env.last()
        total[agent] += reward
        if terminated or truncated:
            env.step(None)
            continue
        if agent == "executor_0" and not turns[agent]:
            turns[agent] = _solution(env) if solve else ["I cannot help with that."]
        env.step(turns[agent].pop(0))
    return total


@pytest.mark.parametrize("payoff", ["zero_sum", "cooperative"])
def test_api(payoff: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Observation is not a NumPy array")
        warnings.filterwarnings("ignore", "(Observation|Action) space for each agent probably")
        api_test(self_challenge_v0.env(CHEAP, payoff=payoff, max_turns=6), num_cycles=20)
        parallel_api_test(self_challenge_v0.parallel_env(CHEAP, max_turns=6), num_cycles=20)


def test_seed() -> None:
    seed_test(lambda: self_challenge_v0.env(CHEAP), num_cycles=15)


@pytest.mark.parametrize("kind", ["aec", "parallel"])
@pytest.mark.skipif(not hasattr(pettingzoo, "make"), reason="this PettingZoo has no registry")
def test_registry(kind: str) -> None:
    env = pettingzoo.make(kind, "sca/self_challenge_v0", env_id=CHEAP)
    assert str(env.unwrapped) == "self_challenge_v0"


@pytest.mark.parametrize("solve", [True, False])
@pytest.mark.parametrize(
    ("payoff", "solved", "unsolved"),
    [
        ("zero_sum", (-1.0, 1.0), (1.0, -1.0)),
        ("cooperative", (1.0, 1.0), (0.0, 0.0)),
        ("separate", (1.0, 1.0), (1.0, 0.0)),
    ],
)
def test_payoffs(solve: bool, payoff: str, solved: Any, unsolved: Any) -> None:
    env = self_challenge_v0.env(CHEAP, payoff=payoff)
    total = _play(env, [_submission(CHEAP, 0)], solve, seed=0)
    assert tuple(total.values()) == (solved if solve else unsolved)
    challenger, executor = env.unwrapped.episodes.values()
    assert challenger.termination_reason == "submitted"
    assert executor.task.instruction == env.unwrapped.task.instruction


def test_a_domain_with_records() -> None:
    env_id = "sca/TauRetailChallenger-v0"
    total = _play(self_challenge_v0.env(env_id), [_submission(env_id, 0)], True, seed=0)
    assert total == {"challenger_0": -1.0, "executor_0": 1.0}


@pytest.mark.parametrize(
    ("payoff", "expected"),
    [("zero_sum", (-1.0, 1.0)), ("cooperative", (0.0, 0.0)), ("separate", (0.0, 0.0))],
)
def test_no_accepted_task(payoff: str, expected: tuple[float, float]) -> None:
    env = self_challenge_v0.env(CHEAP, payoff=payoff)
    total = _play(env, [SUBMIT_NOTHING, "I give up."], True, seed=0)
    assert tuple(total.values()) == expected
    assert env.unwrapped.task is None
    assert list(env.unwrapped.episodes) == ["challenger_0"]


def test_challenger_is_its_environment() -> None:
    env, single = self_challenge_v0.env(CHEAP), gym.make(CHEAP)
    env.reset(seed=4)
    observation, info = single.reset(seed=4)
    assert (env.observe("challenger_0"), env.infos["challenger_0"]) == (observation, info)
    assert (env.observe("executor_0"), env.infos["executor_0"]) == ("", {})
    turn = env.unwrapped.render_action(SUBMIT_NONSENSE)
    env.step(turn)
    observation, _, _, _, info = single.step(turn)
    assert (env.observe("challenger_0"), env.infos["challenger_0"]) == (observation, info)
    assert env.agent_selection == "challenger_0"
    turn = _submission(CHEAP, 4)
    env.step(turn)
    assert env.observe("challenger_0") == single.step(turn)[0]
    assert env.agent_selection == "executor_0"
    assert env.observe("executor_0") == env.unwrapped.task.instruction
    assert env.infos["executor_0"]["turn"] == 0
    assert "verify" not in str(env.infos["executor_0"])


def test_turn_limits_truncate() -> None:
    env = self_challenge_v0.env(CHEAP, max_turns=1)
    env.reset(seed=0)
    env.step(SUBMIT_NOTHING)
    assert env.truncations == {"challenger_0": True, "executor_0": True}
    env.reset(seed=0)
    env.step(_submission(CHEAP, 0))
    env.step("{")
    assert env.truncations == {"challenger_0": True, "executor_0": True}
    assert env.rewards == {"challenger_0": 1.0, "executor_0": -1.0}


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"env_id": "sca/TauRetail-v0"}, "sca/TauRetailChallenger-v0"),
        ({"payoff": "greedy"}, "cooperative, zero_sum, separate"),
        ({"wanted": 2}, "solves one task"),
        ({"submissions": 0}, "integer from 1"),
        ({"action_format": "xml"}, "json, hermes"),
    ],
)
def test_wrong_option(options: dict[str, Any], match: str) -> None:
    with pytest.raises(sca_envs.OptionError, match=match):
        self_challenge_v0.env(**{"env_id": CHEAP, **options})


def test_rendering(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    env = self_challenge_v0.env(CHEAP, render_mode="ansi")
    _play(env, [_submission(CHEAP, 0)], True, seed=0)
    text = env.render()
    assert text.index("challenger_0") < text.index("task was accepted") < text.index("executor_0")
    monkeypatch.setenv("COLUMNS", "500")
    _play(self_challenge_v0.env(CHEAP, render_mode="human"), ["No."], True, seed=0)
    assert "No." in capsys.readouterr().out
