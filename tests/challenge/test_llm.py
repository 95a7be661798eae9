"""The challenger that asks a model, with agents that are told what to say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from sca_envs.challenge.gates import standard_gates
from sca_envs.challenge.llm import LLMChallenger
from sca_envs.challenge.pipeline import Pipeline
from sca_envs.core.domain import Domain
from tests.challenge.tasks import CHANGE, by_id, small

CALL = '{"name": "get_order_details", "arguments": {"order_id": "#W4698082"}}'


def submission(**changes: Any) -> str:
    task = small(**changes)
    fields = {name: getattr(task, name) for name in ("instruction", "verify", "solution")}
    arguments = {**fields, "failures": list(task.failures)}
    return json.dumps({"name": "submit_task", "arguments": arguments})


class Recorded:
    """Says one text after the other, the last one for ever, and remembers what it read."""

    def __init__(self, texts: Iterable[Any]) -> None:
        self._texts = list(texts)
        self._left: Iterator[Any] = iter(())
        self.read: list[str] = []
        self.infos: list[dict[str, Any]] = []

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Begin an episode."""
        self._left = iter(self._texts)
        self.read, self.infos = [], []

    def act(self, observation: str, info: dict[str, Any]) -> Any:
        """Return the next text."""
        self.read.append(observation)
        self.infos.append(json.loads(json.dumps(info)))
        return next(self._left, self._texts[-1])


def propose(retail: Domain, texts: Iterable[Any], seed: int = 3, **options: Any) -> Any:
    agent = Recorded(texts)
    return LLMChallenger(retail, agent, **options).propose(seed), agent


def test_exploring_and_submitting(retail: Domain) -> None:
    task, agent = propose(retail, [CALL, CALL, submission()])
    assert task.content_digest == small().content_digest
    assert (task.provenance.challenger, task.provenance.seed) == ("llm", 3)
    assert task.provenance.verdicts == ()  # the pipeline has the say
    assert len(agent.read) == 3


def test_a_reply_ends_it_without_a_task(retail: Domain) -> None:
    task, agent = propose(retail, ["I would rather talk."])
    assert task is None
    assert len(agent.read) == 1


def test_what_the_agent_is_told(retail: Domain) -> None:
    task, agent = propose(retail, [CALL, submission(verify="import os"), submission()])
    assert task is not None
    assert "submit_task" in agent.read[0]
    assert '"#W4698082"' in agent.read[1]
    assert "FAILED" in agent.read[2]
    first = agent.infos[0]
    assert "submit_task" in [schema["function"]["name"] for schema in first["tools"]]
    assert "def verify(answer)" in first["policy"]
    assert [info["turn"] for info in agent.infos] == [0, 1, 2]
    assert [info["source"] for info in agent.infos] == [
        "user",
        "get_order_details",
        "submit_task",
    ]


def test_a_flawed_task_is_mended(retail: Domain) -> None:
    flawed = submission(verify="def verify(answer): return True")
    task, agent = propose(retail, [flawed, submission()])
    assert task.verify == small().verify
    assert "true before anything was done" in agent.read[1]


def test_without_an_accepted_task_the_last_one_counts(retail: Domain) -> None:
    bad = [submission(instruction="", id="x"), submission(verify="import os")]
    task, _ = propose(retail, [*bad, "I give up."])
    assert task.verify == "import os"
    task, _ = propose(retail, bad, submissions=1)
    assert task.instruction == ""


@pytest.mark.parametrize(
    "texts",
    [
        [CALL],
        ["{"],
        [""],
        ["\ud800"],
        ["x" * 100_000],
        ['{"name": "submit_task", "arguments": {}}'],
        ['{"name": "submit_task", "arguments": null}'],
        ['{"name": "submit_task", "arguments": {"instruction": 1, "failures": "x"}}'],
        ["[" * 10_000],
        [json.dumps({"name": "nope" * 1_000, "arguments": {}})],
        ['{"name": "transfer_to_human_agents", "arguments": {"summary": "x"}}'],
    ],
)
def test_garbage_and_loops_come_to_nothing(texts: list[str], retail: Domain) -> None:
    task, agent = propose(retail, texts, max_turns=6)
    assert task is None
    assert len(agent.read) <= 6


@pytest.mark.parametrize(
    "changes",
    [
        {"instruction": "x" * 100_000},
        {"verify": "# " + "x" * 100_000},
        {"instruction": "\ud800"},
        {"solution": "\udfff"},
        {"failures": ("1 / 0",) * 100},
        {"verify": "while True: pass"},
    ],
)
def test_hopeless_tasks_are_returned_and_refused(changes: dict[str, Any], retail: Domain) -> None:
    task, agent = propose(retail, [submission(**changes)], submissions=2)
    assert all(getattr(task, name) == value for name, value in changes.items())
    assert len(agent.read) == 2
    (found,) = Pipeline(standard_gates()).examine([task])
    assert not found.accepted
    assert found.error is None


@pytest.mark.parametrize("said", [None, 3, b"x", ["x"]])
def test_an_agent_that_says_no_text_stops_no_batch(said: Any, retail: Domain) -> None:
    challenger = LLMChallenger(retail, Recorded([said]))
    made = Pipeline(standard_gates())
    found = list(made.challenge(challenger.propose, range(2)))
    assert [e.accepted for e in found] == [False, False]
    assert all(e.error for e in found)


def test_an_agent_that_raises_stops_no_batch(retail: Domain) -> None:
    class Lost(Recorded):
        def act(self, observation: str, info: dict[str, Any]) -> Any:
            raise ConnectionError("no model")

    challenger = LLMChallenger(retail, Lost([""]))
    found = list(Pipeline(standard_gates()).challenge(challenger.propose, range(2)))
    assert [e.error for e in found] == ["the challenger failed: no model"] * 2


def test_each_seed_begins_elsewhere(retail: Domain) -> None:
    openings = {propose(retail, ["no"], seed)[1].read[0] for seed in range(5)}
    assert len(openings) == 5
    again: Callable[[], str] = lambda: propose(retail, ["no"], 2)[1].read[0]  # noqa: E731
    assert again() == again()


def test_an_agent_may_be_made_later_and_use_other_formats(retail: Domain) -> None:
    task = by_id(CHANGE)
    call = (
        f"print(submit_task({task.instruction!r}, {task.verify!r}, {task.solution!r},"
        f" {list(task.failures)!r}))"
    )
    agent = Recorded(
        [
            "```python\nprint(get_order_details('#W4698082')['status'])\n```",
            f"```python\n{call}\n```",
        ]
    )
    made = LLMChallenger(retail, lambda: agent, action_format="python").propose(0)
    assert agent.read[1] == "pending\n"
    assert made is not None
    assert made.content_digest == task.content_digest


class Together:
    """Plays many episodes at once: some look around first, and one never submits."""

    def __init__(self) -> None:
        self.turns: dict[str, int] = {}
        self.sizes: list[int] = []

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Begin an episode."""
        self.turns[info["episode_id"]] = 0

    def act_batch(self, observations: list[str], infos: list[dict[str, Any]]) -> list[str]:
        """Return the next turn of each."""
        self.sizes.append(len(infos))
        return [self.act(*both) for both in zip(observations, infos, strict=True)]

    def act(self, observation: str, info: dict[str, Any]) -> str:
        """Return the next turn."""
        self.turns[info["episode_id"]] += 1
        if self.turns[info["episode_id"]] <= info["seed"]:
            return CALL
        return "No." if info["seed"] == 2 else submission(instruction=f"{small().instruction} ")

    def report(self, observation: str, info: dict[str, Any]) -> None:
        """Forget an episode."""
        del self.turns[info["episode_id"]]


def test_many_episodes_at_once(retail: Domain) -> None:
    agent = Together()
    made = LLMChallenger(retail, agent, submissions=1, gates=[]).propose_batch([0, 1, 2])
    assert agent.sizes == [3, 2, 1]
    assert agent.turns == {}
    assert [task and task.provenance.seed for task in made] == [0, 1, None]
    assert made == [LLMChallenger(retail, Together(), gates=[]).propose(seed) for seed in range(3)]


def test_other_gates_report_on_submissions(retail: Domain) -> None:
    gates = standard_gates(failures=False, strength=None)
    _, agent = propose(retail, [submission(failures=()), "no"], gates=gates)
    assert len(agent.read) == 1  # it was accepted, and that is all that is wanted
    _, agent = propose(retail, [submission(failures=()), "no"])
    assert "expected at least 3 failure cases" in agent.read[-1]
