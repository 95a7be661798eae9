"""The tiny world: its tasks, its demonstrations, and that imitation reads what the agent reads."""

from __future__ import annotations

import json
from typing import Any

import gymnasium as gym

from baselines import tiny
from sca_envs import ReferenceAgent, evaluate, play
from sca_envs.agents.encoding import TranscriptEncoder


def test_reference_solutions_score_and_splits_share_nothing() -> None:
    train, test = (tiny.tiny_tasks(split) for split in ("train", "test"))
    assert (len(train), len(test)) == (110, 37)
    assert not {task.instruction for task in train} & {task.instruction for task in test}
    for split in (train, test):
        done = evaluate(tiny.ENV_ID, "reference", tasks=split, **tiny.ENV_OPTIONS)
        assert done.results.success is not None
        assert done.results.success.mean == 1


def test_demonstrations_are_right_as_often_as_said() -> None:
    by_text = {task.instruction: task for task in tiny.tiny_tasks("train")}
    made = tiny.demonstrate(300, 0.4, 5)
    env = gym.make(tiny.ENV_ID, tasks=tiny.tiny_tasks("train"), **tiny.ENV_OPTIONS)
    rewards = []
    for opening, call, result, answer in made:
        env.reset(options={"task": by_text[opening].id})
        observation, *_ = env.step(call)
        assert result.partition("\n")[2] == observation
        rewards.append(env.step(answer)[1])
    assert sum(rewards) == 120
    assert made == tiny.demonstrate(300, 0.4, 5) != tiny.demonstrate(300, 0.4, 6)


def test_the_agent_reads_what_demonstrations_say(tokenizer: Any) -> None:
    """What the reference agent does, encoded turn by turn, is a demonstration's encoding."""
    env = gym.make(tiny.ENV_ID, tasks=tiny.tiny_tasks("train"), **tiny.ENV_OPTIONS)
    agent = tiny.BareAgent(tiny.tiny_model(tokenizer, 0, 16, 1), tokenizer, template=tiny.TEMPLATE)
    encoder = TranscriptEncoder(tokenizer, tiny.TEMPLATE)
    demonstration = next(one for one in tiny.demonstrate(1, 1.0, 0))
    observation, info = env.reset(options={"task": "-".join(_words(demonstration))})
    agent.reset(observation, info)
    [expected] = tiny.encode(encoder, [demonstration])
    begin = expected.spans()[0][0]
    assert agent.encoding(info).ids == expected.ids[:begin]
    assert play(env, ReferenceAgent(env), seed=0).reward == 1
    assert len(expected.ids) < 60
    assert tokenizer.unk_token_id is None


def _words(demonstration: list[str]) -> list[str]:
    call = json.loads(demonstration[1])
    return [call["name"], *(str(value).removesuffix("00") for value in call["arguments"].values())]


def test_numbers_of_held_out_tasks_are_whole_tokens(tokenizer: Any) -> None:
    for task in tiny.tiny_tasks("test"):
        assert task.expected is not None
        for number in task.expected.text.split("."):
            assert len(tokenizer(number, add_special_tokens=False)["input_ids"]) == 1
