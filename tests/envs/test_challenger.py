"""The challenger environments: exploring, submitting, mending, and what that is worth."""

from __future__ import annotations

import json
import pickle
from typing import Any

import gymnasium as gym
import pytest

import sca_envs
from sca_envs.bench.agents import ReferenceAgent
from sca_envs.challenge.gates import Complete, NoLeak, Safe, standard_gates
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.actions import Code
from sca_envs.core.errors import OptionError
from tests.challenge.labelled import labelled_of
from tests.challenge.tasks import CHANGE, LOOKUP, by_id, small

ENV = "sca/TauRetailChallenger-v0"
IDS = [
    f"sca/{name}Challenger-v0"
    for name in ("TauRetail", "TauAirline", "M3MessageDecoder", "M3DnaSequencer",
                 "M3TradeCalculator", "M3TravelPlanning", "M3WebBrowsing")
]  # fmt: skip
TRUE = "def verify(answer): return True"
FREE = (Complete(), Safe(), NoLeak())
"""Gates that run nothing."""


def make(env_id: str = ENV, **options: Any) -> Any:
    env: Any = gym.make(env_id, disable_env_checker=True, **options).unwrapped
    env.reset(seed=0)
    return env


def submission(task: CodeAsTask) -> str:
    fields = {name: getattr(task, name) for name in ("instruction", "verify", "solution")}
    arguments = {**fields, "failures": list(task.failures)}
    return json.dumps({"name": "submit_task", "arguments": arguments})


def submit(env: Any, task: CodeAsTask) -> tuple[str, float, bool, dict[str, Any]]:
    observation, reward, terminated, truncated, info = env.step(submission(task))
    assert not truncated
    return observation, reward, terminated, info


@pytest.mark.parametrize("env_id", IDS)
def test_it_tells_what_to_do(env_id: str) -> None:
    env: Any = gym.make(env_id, disable_env_checker=True).unwrapped
    observation, info = env.reset(seed=1)
    assert "submit_task" in observation
    assert "submit_task" in [schema["function"]["name"] for schema in info["tools"]]
    assert info["accepted"] == []
    policy = info["policy"]
    for words in ("def verify(answer)", "call_log()", "initial(", "changes()", "novel", "failures"):
        assert words in policy
    assert sca_envs.domain(env.domain.name).policy.strip() in policy
    assert not [part for part in ("{gates}", "{policy}", "$gates", "$policy") if part in policy]
    # The examples are of another domain.
    own = sca_envs.domain(env.domain.name).base.tables
    assert not [key for rows in own.values() for key in rows if len(key) > 7 and key in policy]


def test_a_task_is_mended_and_accepted() -> None:
    env = make()
    observation, reward, terminated, info = submit(env, small(verify=TRUE))
    assert (reward, terminated, info["accepted"]) == (0, False, [])
    for words in ("not accepted", "- unsatisfied: FAILED", "true before", "left: 2", "not tried"):
        assert words in observation
    observation, reward, terminated, info = submit(env, small())
    assert (reward, terminated, info["termination_reason"]) == (1, True, "submitted")
    assert info["reward_components"] == {"accepted": 1, "gates": 0, "difficulty": 1}
    assert "The task was accepted." in observation
    (accepted,) = info["accepted"]
    task = CodeAsTask.model_validate(accepted)
    assert task == env.accepted[0]
    assert task.content_digest == small().content_digest
    names = [verdict.gate for verdict in task.provenance.verdicts]
    assert names == [*(gate.name for gate in standard_gates()), "novel"]
    made = sca_envs.make(task).unwrapped
    assert sca_envs.play(made, ReferenceAgent(made), seed=0).reward == 1


def test_mutants_that_pass_are_in_the_report() -> None:
    env = make()
    weak = next(e.task for e in labelled_of("tau_retail") if e.kind == "ignores_amount")
    observation, *_ = submit(env, weak)
    assert "- strong: FAILED" in observation
    assert "verify was true for: " in observation
    assert "This gate asks: " in observation


def test_exploring_leaves_no_trace() -> None:
    env = make()
    cancel = {"order_id": "#W4698082", "reason": "no longer needed"}
    observation, *_ = env.step(json.dumps({"name": "cancel_pending_order", "arguments": cancel}))
    assert '"cancelled"' in observation
    assert submit(env, small())[1] == 1  # on the initial state, where it can be cancelled


@pytest.mark.parametrize(
    ("tasks", "reward", "gates"),
    [
        ([], 0.0, 0.0),
        ([small(instruction="")], 0.0, 0.0),
        ([small(verify=TRUE)], 0.15, 0.15),
        ([small(verify=TRUE), small(instruction="")], 0.15, 0.15),
        ([small(verify="import os")], 0.0, 0.0),
    ],
)
def test_gates_are_worth_a_little(tasks: list[CodeAsTask], reward: float, gates: float) -> None:
    env = make()
    for task in tasks:
        submit(env, task)
    _, got, terminated, _, info = env.step("I give up.")
    assert (terminated, info["termination_reason"]) == (True, "answered")
    assert got == pytest.approx(reward)
    assert info["reward_components"]["gates"] == pytest.approx(gates)
    assert info["reward_components"]["accepted"] == 0


def test_submissions_are_limited() -> None:
    env = make(submissions=2, gates=FREE)
    assert submit(env, small(instruction=""))[2] is False
    observation, reward, terminated, info = submit(env, small(verify="import os"))
    assert "Submissions left: 0." in observation
    assert (terminated, info["termination_reason"]) == (True, "submitted")
    assert reward == pytest.approx(0.0)


def test_the_same_submission_counts_each_time() -> None:
    env = make(submissions=3)
    ends = [submit(env, small(verify=TRUE))[2] for _ in range(3)]
    assert ends == [False, False, True]


def test_calls_that_are_no_submission_use_up_none() -> None:
    env = make(submissions=1)
    for arguments in (
        {},
        {"instruction": 1},
        {**json.loads(submission(small()))["arguments"], "x": 1},
    ):
        observation, _, terminated, _, _ = env.step(
            json.dumps({"name": "submit_task", "arguments": arguments})
        )
        assert observation.startswith("Error: invalid arguments for submit_task")
        assert not terminated
    assert submit(env, small())[1] == 1


def test_the_turn_limit_is_worth_nothing() -> None:
    env = make(max_turns=1)
    outcome = env.step(submission(small(verify=TRUE)))
    assert outcome[1:4] == (0.0, False, True)


@pytest.mark.parametrize(("rate", "reward"), [(0.5, 1.0), (0.25, 0.75), (0.0, 0.0), (1.0, 0.0)])
def test_an_executor_makes_the_difference(rate: float, reward: float) -> None:
    tried = []

    def executor(task: CodeAsTask) -> float:
        tried.append(task.id)
        return rate

    env = make(executor=executor)
    submit(env, small(verify=TRUE))
    assert tried == []
    _, got, terminated, info = submit(env, small())
    assert len(tried) == 1
    assert (got, terminated) == (pytest.approx(reward), True)
    assert info["reward_components"]["difficulty"] == pytest.approx(reward)
    assert info["accepted"][0]["provenance"]["verdicts"][-1]["details"]["pass_rate"] == rate


def test_several_tasks_share_the_reward() -> None:
    env = make(wanted=2, submissions=4)
    assert submit(env, by_id(LOOKUP))[1:3] == (0, False)
    observation, *_ = submit(env, small(LOOKUP, instruction="Another way to say that."))
    assert "- novel: FAILED" in observation
    _, reward, terminated, info = submit(env, by_id(CHANGE))
    assert (reward, terminated) == (1, True)
    assert info["reward_components"]["accepted"] == 2
    ids = [task["id"] for task in info["accepted"]]
    assert len(set(ids)) == 2
    assert gym.make("sca/CodeAsTask-v0", tasks=env.accepted).unwrapped.reset(seed=0)


def test_one_of_two_is_worth_half_and_the_gates_of_the_best_other() -> None:
    env = make(wanted=2)
    submit(env, by_id(LOOKUP))
    submit(env, small(verify=TRUE))
    _, reward, _, _, info = env.step("That is all.")
    assert reward == pytest.approx((1 + 0.15) / 2)
    assert info["reward_components"] == {
        "accepted": 1,
        "gates": pytest.approx(0.15),
        "difficulty": 1,
    }


def test_known_tasks_are_not_accepted_again() -> None:
    env = make(known=(by_id(LOOKUP),))
    observation, *_ = submit(env, small(LOOKUP, instruction="Other words."))
    assert "does the same as that of task 0: retail-01" in observation
    assert submit(env, by_id(CHANGE))[1] == 1


def test_tasks_of_several_episodes_fit_together() -> None:
    accepted = []
    for task_id in (LOOKUP, CHANGE):
        env = make()
        submit(env, by_id(task_id))
        accepted += env.accepted
    together = gym.make("sca/CodeAsTask-v0", tasks=accepted).unwrapped
    together.reset(seed=0)


def test_snapshots_forks_and_pickles_hold_submissions() -> None:
    env = make(submissions=2)
    submit(env, small(verify=TRUE))
    before = env.snapshot()
    fork = env.fork()
    copied = pickle.loads(pickle.dumps(env))
    ends = [submit(other, by_id(CHANGE)) for other in (fork, copied, env)]
    assert [end[1:3] for end in ends] == [(1, True)] * 3
    assert ends[0][0] == ends[1][0] == ends[2][0]
    env.restore(before)
    assert env.snapshot() == before
    assert env.accepted == []
    observation, reward, terminated, _ = submit(env, small(instruction=""))
    assert "left: 0" in observation
    assert (reward, terminated) == (pytest.approx(0.15), True)
    assert len(fork.accepted) == 1


def test_equal_episodes_are_equal() -> None:
    def episode() -> list[Any]:
        env = make()
        observation, info = env.reset(seed=5)
        steps: list[Any] = [observation, info]
        for task in (small(verify="import os"), by_id(LOOKUP)):
            steps += submit(env, task)
        return [json.dumps(step) for step in steps]

    assert episode() == episode()


def test_code_can_submit() -> None:
    env = make(action_format="python")
    task = by_id(CHANGE)
    source = (
        f"print(submit_task({task.instruction!r}, {task.verify!r}, {task.solution!r},"
        f" {list(task.failures)!r}))"
    )
    observation, reward, terminated, _, _ = env.step(env.render_action(Code(source)))
    assert "The task was accepted." in observation
    assert (reward, terminated) == (1, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"instruction": "\ud800"},
        {"verify": "\ud800"},
        {"solution": "answer('\ud800')"},
        {"failures": ("\udfff",) * 3},
        {"failures": ()},
        {"verify": "("},
        {"verify": "x" * 60_000},
        {"verify": "def verify(answer):\n return " + "+".join("1" * 900)},
        {"solution": "while True: pass\nanswer(1)"},
        {"instruction": "\x00[/bold]\x1b[31m"},
        {"failures": ("x",) * 500},
    ],
)
def test_odd_submissions_are_reported(changes: dict[str, Any]) -> None:
    env = make()
    observation, reward, terminated, info = submit(env, small(**changes))
    if "\x00" in changes.get("instruction", ""):
        assert "The task was accepted." in observation
        return
    assert observation.startswith("The task was not accepted.")
    assert (reward, terminated) == (0, False)
    json.dumps(info)
    assert submit(env, by_id(CHANGE))[1] == 1


def test_huge_actions_are_malformed() -> None:
    env = make()
    observation, *_ = env.step(submission(small(instruction="x" * 100_000)))
    assert "at most 100000 characters" in observation
    assert submit(env, by_id(CHANGE))[1] == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"submissions": 0}, "submissions"),
        ({"wanted": 0}, "wanted"),
        ({"wanted": True}, "wanted"),
        ({"submissions": 1.5}, "submissions"),
        ({"data": "nope"}, "'nope'"),
        ({"split": "dev"}, "train, test"),
        ({"max_turns": 0}, "max_turns"),
        ({"action_format": "nope"}, "'nope'"),
    ],
)
def test_wrong_options_are_explained(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        make(**options)


def test_splits_begin_elsewhere() -> None:
    def places(split: str) -> set[str]:
        env = make(split=split)
        return {env.reset(options={"task": index})[0] for index in range(5)}

    assert len(places("train") | places("test")) == 10


@pytest.mark.slow
@pytest.mark.parametrize("env_id", IDS)
def test_the_checker_passes(env_id: str) -> None:
    env = gym.make(env_id, disable_env_checker=True)
    sca_envs.check_env(env, num_tasks=2, skip_render_check=env_id != ENV)
