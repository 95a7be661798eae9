"""Generated tasks of M3ToolEval's families: solvable in every format, repeatable, not guessable."""

from __future__ import annotations

import ast
import collections
import functools
import re
from typing import Any

import gymnasium as gym
import pytest

import sca_envs
from sca_envs.core.task import Task
from sca_envs.domains.m3.answers import matches_as_original, matches_tolerantly
from sca_envs.domains.m3.plans import MAX_CALLS
from sca_envs.envs.tool_use import ToolUseEnv

DOMAINS = {
    "message_decoder": "sca/M3MessageDecoder-v0",
    "dna_sequencer": "sca/M3DnaSequencer-v0",
    "trade_calculator": "sca/M3TradeCalculator-v0",
    "travel_planning": "sca/M3TravelPlanning-v0",
    "web_browsing": "sca/M3WebBrowsing-v0",
}
FORMATS = ("m3-text", "m3-json", "m3-code", "json", "hermes", "python")

all_domains = pytest.mark.parametrize("name", list(DOMAINS))


def _make(env_id: str, **options: Any) -> ToolUseEnv:
    env = gym.make(env_id, **options).unwrapped
    assert isinstance(env, ToolUseEnv)
    return env


def _tasks(name: str, split: str, count: int) -> list[Task]:
    source = sca_envs.domain(name).tasks(split)
    return [source[i] for i in range(count)]


def _unsolved(name: str, split: str, count: int) -> list[tuple[str, str]]:
    """Return format and id of the tasks that the reference solution does not solve."""
    unsolved = []
    for action_format in FORMATS:
        env = _make(DOMAINS[name], split=split, action_format=action_format)
        agent = sca_envs.ReferenceAgent(env)
        for index in range(count):
            result = sca_envs.play(env, agent, options={"task": index})
            if result.reward != 1 or result.termination_reason != "answered":
                unsolved.append((action_format, result.task_id))
    return unsolved


@all_domains
def test_reference_solves_every_format(name: str) -> None:
    assert _unsolved(name, "train", 40) == []
    assert _unsolved(name, "test", 20) == []


@pytest.mark.slow
@all_domains
@pytest.mark.parametrize(("split", "count"), [("train", 1000), ("test", 300)])
def test_reference_solves_every_format_at_length(name: str, split: str, count: int) -> None:
    assert _unsolved(name, split, count) == []


@all_domains
def test_solution_as_code_gives_the_answer(name: str) -> None:
    domain = sca_envs.domain(name)
    for task in [*_tasks(name, "train", 150), *_tasks(name, "test", 50)]:
        database, answers = domain.database(), []
        names: dict[str, Any] = {
            tool.name: functools.partial(tool.function, database) for tool in domain.tools.values()
        }
        assert task.solution is not None
        exec(task.solution, {**names, "answer": answers.append})
        assert task.expected is not None
        assert answers == [task.expected.value], task.id
        assert type(answers[0]).__name__ == task.expected.type


@all_domains
def test_tasks_are_well_formed(name: str) -> None:
    tasks = [*_tasks(name, "train", 300), *_tasks(name, "test", 100)]
    assert len({task.id for task in tasks}) == len(tasks)
    for task in tasks:
        assert task.domain == name
        assert 1 <= len(task.actions) <= MAX_CALLS
        assert 1 <= task.difficulty <= len(task.actions)
        assert not re.search(r"[{}]", re.sub(r"such as \{.*?\}", "", task.instruction)), task.id
        assert task.expected is not None
        assert ast.literal_eval(task.expected.literal) == task.expected.value
        for matches in (matches_as_original, matches_tolerantly):
            assert matches(task.expected.text, task.expected), task.id
    difficulties = {task.difficulty for task in tasks}
    assert len(difficulties) > 1
    assert len({task.instruction for task in tasks}) > 0.7 * len(tasks)


@all_domains
def test_splits_share_no_task(name: str) -> None:
    def kernel(task: Task) -> tuple[Any, ...]:
        """What a task is, whatever its words: the calls of its solution, and the answer."""
        calls = tuple(sorted(repr(action) for action in task.actions))
        return calls, task.expected

    train = {kernel(task) for task in _tasks(name, "train", 1000)}
    test = {kernel(task) for task in _tasks(name, "test", 300)}
    assert not train & test


@all_domains
def test_random_policy_solves_next_to_nothing(name: str) -> None:
    for action_format in ("json", "m3-text"):
        env = _make(DOMAINS[name], action_format=action_format)
        agents = (sca_envs.NoopAgent(), sca_envs.RandomAgent(env))
        for agent in agents:
            solved = [sca_envs.play(env, agent, seed=seed).reward for seed in range(50)]
            assert sum(solved) < 0.03 * len(solved)


@all_domains
def test_no_answer_is_worth_guessing(name: str) -> None:
    answers = collections.Counter(
        task.expected.literal for task in _tasks(name, "train", 500) if task.expected
    )
    assert sum(count for _, count in answers.most_common(3)) < 0.1 * 500


@all_domains
def test_worlds_differ_by_seed(name: str) -> None:
    first, second = (sca_envs.domain(name, f"generated:{seed}") for seed in (0, 5))
    ours, theirs = (domain.tasks("train")[0] for domain in (first, second))
    assert ours.instruction != theirs.instruction
    assert theirs.data == "generated:5"
    env = _make(DOMAINS[name], data="generated:5")
    assert sca_envs.play(env, sca_envs.ReferenceAgent(env), seed=1).reward == 1


def test_every_page_can_be_reached_by_links() -> None:
    for seed in range(8):
        pages = sca_envs.domain("web_browsing", f"generated:{seed}").base.tables["pages"]
        seen, left = {"/"}, ["/"]
        while left:
            content = pages[left.pop()]["content"]
            assert content.count("\n") < 5 or (content.count("\n") + 1) % 5
            for link in re.findall(r"Clickable '([^']+)'", content):
                assert link in pages
                if link not in seen:
                    seen.add(link)
                    left.append(link)
        assert seen == set(pages)


def test_find_by_id_and_index() -> None:
    source = sca_envs.domain("dna_sequencer").tasks("test")
    assert source.find("dna_sequencer/test-12") == source.find(12) == source[12]
    for key in ("dna_sequencer/train-12", "test-12", "dna_sequencer/test-012", -1, "x"):
        with pytest.raises(sca_envs.UnknownTaskError, match="dna_sequencer/test-12"):
            source.find(key)
    with pytest.raises(IndexError):
        source[-1]


def test_the_four_families_together() -> None:
    env = _make("sca/M3Calculation-v0")
    seen = set()
    for index in range(8):
        _, info = env.reset(options={"task": index})
        seen.add(env.episode.task.domain)
        names = [tool["function"]["name"] for tool in info["tools"]]
        assert names == list(env.episode.domain.tools)
        env.action_space.seed(index)
        assert not env.step(env.action_space.sample())[0].startswith("Error")
    assert seen == {*DOMAINS} - {"web_browsing"}
    before = env.snapshot()
    fork = env.fork()
    env.reset(options={"task": 1})
    env.restore(before)
    assert env.domain is fork.domain
    assert env.action_space == fork.action_space
    assert env.tasks.find("trade_calculator/train-3").domain == "trade_calculator"
