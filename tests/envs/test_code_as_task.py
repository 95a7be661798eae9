"""Made tasks as environments: right is 1, nothing is 0, wrong is 0, in every action format."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

import sca_envs
from sca_envs.bench.agents import NoopAgent, ReferenceAgent
from sca_envs.challenge.files import save_code_tasks
from sca_envs.challenge.task import CodeAsTask, DataRef
from sca_envs.challenge.verifier import verdict
from sca_envs.core.actions import Answer, Code, Reply, ToolCall
from sca_envs.core.errors import OptionError, SCAError, TaskFileError, UnknownTaskError
from tests.challenge.labelled import labelled
from tests.challenge.tasks import CHANGE, LOOKUP, by_id, small

FORMATS = ("json", "hermes", "python")
GOOD = [example.task for example in labelled() if example.good]
ENV = "sca/CodeAsTask-v0"


def make(task: CodeAsTask, **options: Any) -> Any:
    return sca_envs.make(task, **options).unwrapped


def check(task: CodeAsTask, action_format: str) -> None:
    env = make(task, action_format=action_format)
    result = sca_envs.play(env, ReferenceAgent(env), seed=0)
    assert (result.reward, env.episode.termination_reason) == (1, "answered"), task.id
    assert env.episode.components == {"verify": 1.0}
    assert verdict(task, env.episode.calls(), env.episode.answer), task.id
    result = sca_envs.play(env, NoopAgent(), seed=0)
    # In M3ToolEval's format a text that is no action does not end the episode: the limit does.
    judged = {} if action_format == "m3-code" else {"verify": 0.0}
    assert (result.reward, env.episode.components) == (0, judged), task.id


@pytest.mark.parametrize("action_format", FORMATS)
def test_reference_and_nothing(action_format: str) -> None:
    for task_id in (LOOKUP, CHANGE, "airline-01", "web-01", "trade-01"):
        check(by_id(task_id), action_format)


@pytest.mark.slow
@pytest.mark.parametrize("action_format", [*FORMATS, "m3-code"])
def test_reference_and_nothing_of_every_good_task(action_format: str) -> None:
    for task in GOOD:
        check(task, action_format)


def check_failures(task: CodeAsTask) -> None:
    env = make(task, action_format="python")
    for source in task.failures:
        env.reset(seed=0)
        _, reward, terminated, _, info = env.step(env.render_action(Code(source)))
        assert (reward, terminated) == (0, True), (task.id, source)
        assert info["termination_reason"] == "answered", (task.id, source)


def test_failure_cases_are_worth_nothing() -> None:
    for task_id in (LOOKUP, CHANGE):
        check_failures(by_id(task_id))


@pytest.mark.slow
def test_failure_cases_of_every_good_task_are_worth_nothing() -> None:
    for task in GOOD:
        check_failures(task)


@pytest.mark.slow
@pytest.mark.parametrize("action_format", FORMATS)
def test_the_checker_passes(action_format: str) -> None:
    tasks = [task for task in GOOD if task.id[-1] in "12"]
    env = gym.make(ENV, tasks=tasks, action_format=action_format, disable_env_checker=True)
    sca_envs.check_env(env, num_tasks=6, skip_render_check=action_format != "json")


def test_nothing_secret_is_in_info() -> None:
    env = make(by_id(LOOKUP))
    observation, info = env.reset(seed=0)
    assert observation == by_id(LOOKUP).instruction
    told = json.dumps(info)
    for secret in ("def verify", "112.92", "answer(f", "get_order_details(\\"):
        assert secret not in told


def test_a_reply_ends_the_episode_and_is_the_answer() -> None:
    env = make(by_id(LOOKUP))
    env.reset(seed=0)
    _, reward, terminated, _, info = env.step("It costs $112.92, paid by PayPal.")
    assert (reward, terminated, info["termination_reason"]) == (1, True, "answered")


@pytest.mark.parametrize(
    ("answer", "reward"),
    [("", 0), ("\ud800", 0), ("x" * 90_000, 0), ("112.92 paypal \ud800", 1), ("\x00", 0)],
)
def test_odd_answers_are_judged(answer: str, reward: float) -> None:
    env = make(by_id(LOOKUP))
    env.reset(seed=0)
    _, got, terminated, _, info = env.step(env.render_action(Answer(answer)))
    assert (got, terminated, info["termination_reason"]) == (reward, True, "answered")


@pytest.mark.parametrize("verify", ["return 1", "raise ValueError", "while True: pass", "1 +"])
def test_a_broken_verify_is_no_failed_agent(verify: str) -> None:
    env = make(small(verify=f"def verify(answer):\n    {verify}"))
    env.reset(seed=0)
    _, reward, terminated, _, info = env.step("done")
    assert (reward, terminated) == (0, True)
    assert info["termination_reason"] == "verifier_error"


def test_attempts_that_go_on_after_a_mistake_count() -> None:
    env = make(by_id(CHANGE))
    env.reset(seed=0)
    env.step('{"name": "nope", "arguments": {}}')
    env.step(env.render_action(ToolCall("get_order_details", {"order_id": "#W0"})))
    for action in env.reference_actions():
        outcome = env.step(env.render_action(action))
    assert outcome[1] == 1


def test_the_turn_limit_is_a_truncation() -> None:
    env = make(by_id(CHANGE), max_turns=1)
    env.reset(seed=0)
    call = ToolCall("get_order_details", {"order_id": "#W4698082"})
    assert env.step(env.render_action(call))[1:4] == (0, False, True)


def test_forks_snapshots_and_pickles() -> None:
    env = make(by_id(CHANGE), action_format="python")
    env.reset(seed=0)
    source = "order = get_order_details('#W4698082')\nprint(order['status'])"
    assert env.step(env.render_action(Code(source)))[0] == "pending\n"
    before = env.snapshot()
    others = [env.fork(), pickle.loads(pickle.dumps(env))]
    source = "cancel_pending_order(order['order_id'], 'no longer needed')\nanswer(1)"
    for other in [*others, env]:
        observation, reward, *_ = other.step(other.render_action(Code(source)))
        assert reward == 1, observation
    env.restore(before)
    assert env.snapshot() == before
    assert env.step("No.")[1] == 0


class Shy:
    """A user who speaks twice."""

    def __init__(self) -> None:
        self.said = 0

    def reset(self, task: Any, seed: int) -> str:
        """Begin."""
        self.said = 0
        return f"Hello, it is about {task.id}."

    def respond(self, message: str) -> Any:
        """Say all, then stop."""
        self.said += 1
        return sca_envs.UserTurn("", "user_stop") if self.said > 1 else sca_envs.UserTurn("Cancel.")


def test_users() -> None:
    env = make(by_id(CHANGE), user="scripted")
    opening, _ = env.reset(seed=0)
    assert len(opening) < len(by_id(CHANGE).instruction)
    assert sca_envs.play(env, ReferenceAgent(env), seed=0).reward == 1
    env = make(by_id(CHANGE), user=Shy)
    assert env.reset(seed=0)[0] == "Hello, it is about retail-02."
    assert env.step("What?")[0] == "Cancel."
    for action in env.reference_actions()[:-1]:
        env.step(env.render_action(action))
    _, reward, terminated, _, info = env.step(env.render_action(Reply("Done.")))
    assert (reward, terminated, info["termination_reason"]) == (1, True, "user_stop")


def test_sets_come_from_files_and_folders(tmp_path: Path) -> None:
    tasks = [by_id(LOOKUP), by_id(CHANGE), by_id("airline-01")]
    save_code_tasks(tasks, tmp_path / "t.jsonl")
    env = gym.make(ENV, tasks=tmp_path / "t.jsonl").unwrapped
    for index, task in enumerate(tasks):
        for key in (index, task.id):
            assert env.reset(options={"task": key})[0] == task.instruction
    seen = {env.reset(seed=seed)[1]["task_id"] for seed in range(20)}
    assert seen == {task.id for task in tasks}
    env = gym.make(ENV, tasks=str(tmp_path / "t.jsonl"), num_tasks=1).unwrapped
    assert {env.reset(seed=seed)[1]["task_id"] for seed in range(5)} == {LOOKUP}
    with pytest.raises(UnknownTaskError, match="nope"):
        env.reset(options={"task": "nope"})


def test_tools_and_policy_are_those_of_the_task() -> None:
    env = gym.make(ENV, tasks=[by_id(CHANGE), by_id("trade-01")]).unwrapped
    for task_id, tool in ((CHANGE, "cancel_pending_order"), ("trade-01", "find_minimum")):
        _, info = env.reset(options={"task": task_id})
        assert tool in [schema["function"]["name"] for schema in info["tools"]]
        assert sca_envs.domain(by_id(task_id).domain).policy == info["policy"]


OTHER_DATA = DataRef(name="generated:1", digest="")


@pytest.mark.parametrize(
    ("tasks", "kind", "words"),
    [
        ([], SCAError, "at least one task"),
        ([3], OptionError, "Code-as-Tasks, got int"),
        ("none.jsonl", TaskFileError, r"none\.jsonl"),
        ("none.txt", OptionError, r"'\.txt'"),
        ([small(), small()], OptionError, "'retail-02' occurs twice; give each task an id"),
        ([small(domain="nope")], OptionError, "name of a domain; got .nope"),
        ([small(data=OTHER_DATA)], OptionError, "digest.*import the data"),
    ],
)
def test_wrong_tasks_are_explained(tasks: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        gym.make(ENV, tasks=tasks)


def test_two_sets_of_data_of_a_domain_are_refused() -> None:
    other = DataRef.of(sca_envs.domain("tau_retail", "generated:1"))
    with pytest.raises(OptionError, match=r"got 'generated:0' and 'generated:1' \(task 'b'\)"):
        gym.make(ENV, tasks=[small(), small(id="b", data=other)])
    env = make(small(id="b", data=other))
    assert env.reset(seed=0)[1]["task_id"] == "b"


def test_tasks_of_domains_are_made_into_environments_too() -> None:
    task = sca_envs.domain("tau_airline").tasks("test")[3]
    env = sca_envs.make(task).unwrapped
    assert env.reset(seed=5)[1]["task_id"] == task.id
    assert sca_envs.play(env, ReferenceAgent(env), seed=0).reward == 1


def test_tasks_of_episodes_are_played_and_evaluated() -> None:
    tasks = sca_envs.TaskSet(task.to_task() for task in (by_id(CHANGE), by_id(LOOKUP)))
    results = sca_envs.evaluate(ENV, "reference", tasks=tasks, num_tasks=2).results
    assert {name: one.successes for name, one in results.tasks.items()} == {CHANGE: 1, LOOKUP: 1}
    never = tasks[0].model_copy(update={"verify": "def verify(answer):\n    return False\n"})
    assert sca_envs.evaluate(ENV, "reference", tasks=[never]).results.success.mean == 0


def test_an_id_is_no_task() -> None:
    with pytest.raises(sca_envs.OptionError, match=r"got 'sca/TauRetail-v0'.*gymnasium.make"):
        sca_envs.make("sca/TauRetail-v0")  # type: ignore[arg-type]
