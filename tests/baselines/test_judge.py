"""A model's judgement in place of a verification function: what counts as a success."""

from __future__ import annotations

from typing import Any

import pytest

from baselines import tiny
from baselines.judge import ChatJudge, LocalJudge, question, read_verdict, relabel, verdicts
from sca_envs import Trajectory, Usage, evaluate
from sca_envs.agents.endpoint import Completion


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("It did.\nVerdict: success", True),
        ("It did not.\nVerdict: failure", False),
        ("**verdict: SUCCESS.**", True),
        ("<think>Verdict: failure</think>\nVerdict: success", True),
        ("<think>I wonder. Verdict: success", None),
        ("", None),
        ("success", None),
        ("The verdict is success", None),
        ("The agent wrote `Verdict: success` itself, which is no evidence.", None),
        ("Verdict: success\nVerdict: failure", None),
        ("Verdict: success or failure", None),
        ("Verdict: successful", None),
        ("Verdict: failure\nVerdict: failure", False),
    ],
)
def test_a_verdict_is_read(said: str, verdict: bool | None) -> None:
    assert read_verdict(said) is verdict


@pytest.fixture(scope="module")
def played() -> list[Trajectory]:
    tasks = tiny.tiny_tasks("test")[:3]
    return list(evaluate(tiny.ENV_ID, "reference", tasks=tasks, **tiny.ENV_OPTIONS).trajectories())


class Told:
    """Says one thing after the other, and remembers what it was asked."""

    def __init__(self, *said: str) -> None:
        self.said = list(said)
        self.asked: list[str] = []

    def complete(self, messages: Any, tools: Any = None, seed: Any = None) -> Completion:
        self.asked.append(messages[0]["content"])
        return Completion(self.said.pop(0), (), Usage())


def test_what_is_no_clear_success_is_a_failure(played: list[Trajectory]) -> None:
    model = Told("Verdict: success", "I cannot tell.", "Verdict: failure")
    found = verdicts(ChatJudge(model), played)
    assert found == [True, None, False]
    assert [relabel(one, said).reward for one, said in zip(played, found, strict=True)] == [1, 0, 0]
    assert played[1].reward == 1  # the trajectory itself is as it was
    for one, asked in zip(played, model.asked, strict=True):
        assert one.instruction in asked
        assert all(turn.action in asked for turn in one.turns)
        assert one.turns[0].observation in asked


def test_an_episode_that_did_not_end_is_a_failure_unasked(played: list[Trajectory]) -> None:
    cut = played[0].model_copy(update={"truncated": True, "termination_reason": "max_turns"})
    lost = played[1].model_copy(update={"termination_reason": "agent_error"})
    model = Told("Verdict: success")
    assert verdicts(ChatJudge(model), [cut, lost, played[2]]) == [False, False, True]
    assert len(model.asked) == 1
    assert verdicts(ChatJudge(Told()), [cut]) == [False]


def test_a_local_model(played: list[Trajectory], warm: Any, tokenizer: Any) -> None:
    options = {"template": tiny.TEMPLATE, "max_new_tokens": 8, "temperature": 0.0}
    judge = LocalJudge(tiny.BareAgent(warm, tokenizer, context=4096, **options))
    said = judge.answer([question(one) for one in played])
    assert len(said) == 3
    assert all("<end>" not in text for text in said)
    assert verdicts(judge, played) == [None] * 3  # it has learned something else
    small = LocalJudge(tiny.BareAgent(warm, tokenizer, context=20, **options))
    assert small.answer([question(one) for one in played]) == ["", "", ""]
