"""How answers are checked, and what a wrong one leads to."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

import sca_envs
from sca_envs.core.code_runner import CodeOutput
from sca_envs.core.episode import Episode
from sca_envs.core.task import ExpectedAnswer
from sca_envs.domains.m3.answers import matches_as_original, matches_tolerantly
from sca_envs.envs.tool_use import ToolUseEnv

ENV_ID = "sca/M3TradeCalculator-v0"


@pytest.mark.parametrize(
    ("expected", "accepted", "rejected"),
    [
        (
            161.25,
            ["161.25", "161", "161.250", "(161.25)", "'161.25'", "161.25 # x"],
            ["161.2", "$161.25"],
        ),
        (3, ["3", "3.0", "+3", "3.", " 3 ", "(3)", "'3'"], ["3 units", "[3]", "1,3", "three"]),
        (987, ["987", "9_87"], ["9,87"]),
        (1050, ["1050"], ["1,050", "$1050"]),
        ("Sales", ["Sales", "'Sales'", '"Sales"'], ["sales", "Sales.", "(Sales)", " Sales "]),
        (False, ["False", "'False'", "0", "0.0"], ["false", "no", "True", "1"]),
        ([1.0, 2.5], ["[1.0, 2.5]"], ["[1, 2.5]", "[1.0,2.5]", "1.0, 2.5"]),
        (("A", 3), ["('A', 3)"], ["['A', 3]", "'A', 3", '("A", 3)']),
        ({"T": 1, "A": 2}, ["{'T': 1, 'A': 2}"], ["{'A': 2, 'T': 1}"]),
    ],
)
def test_original_rules(expected: Any, accepted: list[str], rejected: list[str]) -> None:
    answer = ExpectedAnswer.of(expected)
    assert [a for a in accepted if not matches_as_original(a, answer)] == []
    assert [a for a in rejected if matches_as_original(a, answer)] == []


@pytest.mark.parametrize(
    ("expected", "accepted", "rejected"),
    [
        (
            161.25,
            ["161.25", "161.250", "161.254", " $161.25 ", "'161.25'"],
            ["161", "161.26", "1,61.25", ""],
        ),
        (1234.5, ["1234.5", "1,234.50", "$1,234.5."], ["12,34.5", "1234", "1234.5 units", "nan"]),
        (3, ["3", "3.0", "3.", "+3"], ["3.001", "[3]", "three", "inf"]),
        ("Ada Ito", ["Ada Ito", "'Ada Ito'", " Ada Ito. "], ["ada ito", "Ada", "", "AdaIto"]),
        (False, ["False", "false"], ["0", "no", "True"]),
        (
            [1.0, 2.5],
            ["[1.0, 2.5]", "[1, 2.50]", "1, 2.5", "(1.0,2.5)"],
            ["[2.5, 1.0]", "[1.0]", "1.0"],
        ),
        (("A", 3), ["('A', 3)", '["A", 3]', "'A', 3.0"], ["('A', 4)", "A, 3", "('A', '3')"]),
        ({"T": 1, "A": 2}, ["{'A': 2, 'T': 1}", '{"T": 1, "A": 2}'], ["{'T': 1}", "T: 1, A: 2"]),
    ],
)
def test_tolerant_rules(expected: Any, accepted: list[str], rejected: list[str]) -> None:
    answer = ExpectedAnswer.of(expected)
    assert [a for a in accepted if not matches_tolerantly(a, answer)] == []
    assert [a for a in rejected if matches_tolerantly(a, answer)] == []


@pytest.mark.parametrize("hostile", ["(" * 50_000, "-" * 90_000, "9" * 90_000, "\x00", "1e999999"])
def test_hostile_answers(hostile: str) -> None:
    for value in (3, 2.5, "x", [1], ("a", 1), {"a": 1}, True):
        expected = ExpectedAnswer.of(value)
        assert not matches_as_original(hostile, expected)
        assert not matches_tolerantly(hostile, expected)


def _make(**options: Any) -> ToolUseEnv:
    env = gym.make(ENV_ID, **options).unwrapped
    assert isinstance(env, ToolUseEnv)
    return env


def test_wrong_answers_cost_a_turn_and_no_more() -> None:
    env = _make(action_format="m3-text")
    env.reset(seed=1)
    for turn in range(1, 9):
        observation, reward, terminated, truncated, info = env.step(f"Answer: {turn}")
        assert observation.startswith("Your answer is incorrect.")
        assert (reward, terminated, truncated, info["turn"]) == (0, False, False, turn)
        assert info["source"] == "environment"
    expected = env.episode.task.expected
    assert expected is not None
    assert expected.literal not in str({k: v for k, v in info.items() if k != "tools"})
    observation, reward, terminated, _, info = env.step(f"Answer: {expected.text}")
    assert (observation, reward, terminated) == ("", 1, True)
    assert info["termination_reason"] == "answered"
    assert info["reward_components"] == {"answer": 1.0}


def test_turn_limit() -> None:
    env = _make()
    env.reset(seed=1)
    for _ in range(9):
        assert not env.step("no answer")[3]
    _, reward, terminated, truncated, info = env.step("no answer")
    assert (reward, terminated, truncated) == (0, False, True)
    assert info["termination_reason"] == "max_turns"


@pytest.mark.parametrize("action_format", ["json", "hermes"])
@pytest.mark.parametrize("user", ["none", "scripted"])
def test_plain_replies_say_what_is_expected(action_format: str, user: str) -> None:
    env = _make(action_format=action_format, user=user)
    observation, _ = env.reset(seed=3)
    assert observation == env.episode.task.instruction
    observation, reward, terminated, *_ = env.fork().step("It is 5.")
    assert observation.startswith("Error: Expected a tool call, or the final answer")
    assert (reward, terminated) == (0, False)


def test_check_option() -> None:
    def accepts(answer: str, **options: Any) -> bool:
        env = _make(**options)
        env.reset(options={"task": index})
        return env.step(f'{{"name": "answer", "arguments": {{"content": "{answer}"}}}}')[2]

    tasks = sca_envs.domain("trade_calculator").tasks("train")
    index = next(i for i in range(99) if _fraction(tasks[i].expected) > 0.1)
    expected = tasks[index].expected
    assert expected is not None
    truncated, precise = str(int(expected.value)), f"${expected.value + 0.004:.3f}"
    assert accepts(truncated, check="original")
    assert not accepts(truncated)
    assert accepts(precise)
    assert not accepts(precise, check="original")
    with pytest.raises(sca_envs.OptionError, match="original, tolerant"):
        _make(check="strict")


def _fraction(expected: ExpectedAnswer | None) -> float:
    return expected.value % 1 if expected and expected.type == "float" else 0.0


def test_a_task_without_expected_answer_is_no_success() -> None:
    domain = sca_envs.domain("trade_calculator")
    task = domain.tasks("train")[0].model_copy(update={"expected": None})
    episode = Episode(domain, task)
    outcome = episode.step(sca_envs.Answer("5"))
    assert (outcome.reward, outcome.terminated) == (0, True)
    assert episode.termination_reason == "verifier_error"


class Echo:
    """Prints the code itself, and how many turns there were."""

    def run(self, episode: Episode, source: str) -> CodeOutput:
        return CodeOutput(f"{episode.turn}, {len(source)}\n")


def test_code_runner() -> None:
    domain = sca_envs.domain("trade_calculator")
    task = domain.tasks("train")[0]
    episode = Episode(domain, task, code_runner=Echo())
    assert episode.step(sca_envs.Code("12345")).observation == "(0, 5)"
    assert episode.transcript[-1].source == "code"
    assert episode.fork().step(sca_envs.Code("1")).observation == "(1, 1)"
    without = Episode(domain, task)
    assert without.step(sca_envs.Code("1")).observation.startswith("Error: ")


def test_task_files_keep_expected_answers(tmp_path: Any) -> None:
    source = sca_envs.domain("dna_sequencer").tasks("train")
    tasks = sca_envs.TaskSet([source[i] for i in range(12)])
    for ending in ("jsonl", "parquet"):
        path = tmp_path / f"tasks.{ending}"
        sca_envs.save_tasks(tasks, path)
        assert sca_envs.load_tasks(path) == tasks
    env = gym.make("sca/M3Calculation-v0", tasks=path).unwrapped
    assert isinstance(env, ToolUseEnv)
    assert sca_envs.play(env, sca_envs.ReferenceAgent(env), seed=0).reward == 1


def test_positional_calls_as_chat() -> None:
    env = _make(action_format="m3-json")
    env.reset(seed=0)
    env.step('Action: {"tool": "find_minimum", "args": [2, 1]} End Action')
    *_, said, seen = env.episode.messages()
    assert said == {"role": "assistant", "content": "find_minimum(2, 1)"}
    assert seen == {"role": "user", "content": "1"}
