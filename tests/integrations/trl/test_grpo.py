"""TRL's GRPOTrainer on our environments, really running: steps on a tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sca_envs.core.task import Task
from sca_envs.integrations.trl import Spec, join

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # those of torch and TRL are not ours
]

TRADE = "sca/M3TradeCalculator-v0"


def _call(name: str, **arguments: Any) -> str:
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def _solution(task: Task) -> list[str]:
    assert task.expected
    calls = [_call(action.name, **action.arguments) for action in task.actions]
    return [*calls, _call("answer", content=task.expected.text), "Goodbye."]


def _speak(trainer: Any, scripts: list[list[str]]) -> None:
    """Make a trainer's model say one script for each rollout, turn by turn."""
    left: list[list[str]] = []
    speaking: list[int] = []

    def generate(prompt_ids: Any, *_: Any, **__: Any) -> tuple[list[list[int]], None]:
        if not speaking:
            left[:] = [list(script) for script in scripts]
            speaking[:] = range(len(scripts))
        assert len(prompt_ids) == len(speaking)
        said = [left[number].pop(0) for number in speaking]
        speaking[:] = [n for n, text in zip(speaking, said, strict=True) if "<tool_call>" in text]
        tokenizer = trainer.processing_class
        return [tokenizer(text + "<|im_end|>")["input_ids"] for text in said], None

    trainer._generate_single_turn = generate


def _logged(trainer: Any, name: str) -> list[float]:
    return [entry[name] for entry in trainer.state.log_history if name in entry]


def _weights(trainer: Any) -> list[Any]:
    return [parameter.detach().clone() for parameter in trainer.model.parameters()]


@pytest.fixture
def inputs(make_trainer: Callable[..., Any]) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """A function that lets scripts be spoken, and gives the trainer and what it would learn."""

    def made(spec: Any, scripts: list[list[str]], **options: Any) -> tuple[Any, dict[str, Any]]:
        trainer = make_trainer(spec, max_completion_length=2000, **options)
        _speak(trainer, scripts)
        trainer.model.train()
        rows = [trainer.train_dataset[0]] * len(scripts)
        return trainer, trainer._generate_and_score_completions(rows)

    return made


def test_steps_of_tools(make_trainer: Callable[..., Any]) -> None:
    trainer = make_trainer(Spec(TRADE, num_tasks=2), max_completion_length=24)
    trainer.train()
    assert trainer.state.global_step == 2
    assert _logged(trainer, "sca/success") == [0, 0]
    assert _logged(trainer, "rewards/verdict/mean") == [0, 0]


def test_what_tools_say_and_what_is_learned(inputs: Callable[..., Any]) -> None:
    spec = Spec(TRADE, num_tasks=1, max_turns=15)
    good = _solution(spec._tasks[0])
    broken = ['<tool_call>\n{"name": "calculator", "arguments": {\n</tool_call>', *good]
    unknown = [_call("fly", to="Rome"), *good]
    scripts = [good, broken, unknown, ["It is 7."]]
    trainer, learned = inputs(spec, scripts)
    logged = {name: values[-1] for name, values in trainer._metrics["train"].items() if values}
    assert logged["rewards/verdict/mean"] == pytest.approx(0.75)
    assert logged["sca/success"] == pytest.approx(0.75)
    assert logged["sca/malformed"] == pytest.approx(0.25)
    assert logged["sca/refused_calls"] == pytest.approx(0.25)
    assert logged["sca/unfinished"] == pytest.approx(0.25)
    assert logged["tools/failure_frequency"] == 0
    assert learned["advantages"].sign().tolist() == [1, 1, 1, -1]
    mask = learned["completion_mask"] * learned["tool_mask"]
    ends = trainer.processing_class
    for row, written, script in zip(learned["completion_ids"], mask, scripts, strict=True):
        text = ends.decode(row[written.bool()])
        assert text == "".join(f"{turn}<|im_end|>" for turn in script)
    answered = ends.decode(learned["completion_ids"][1])
    assert "Error: Expected a tool call as a JSON object" in answered
    assert "Error: unknown tool 'fly'" in ends.decode(learned["completion_ids"][2])


def test_without_a_prepared_tokeniser_it_is_counted(
    inputs: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = Spec(TRADE, num_tasks=1)
    monkeypatch.setattr(Spec, "prepare", lambda self, tokenizer: _unprepared(tokenizer))
    trainer, _ = inputs(spec, [["<tool_call>\n{"], ["<tool_call>\n{"]], num_generations=2)
    logged = {name: values[-1] for name, values in trainer._metrics["train"].items() if values}
    assert logged["sca/malformed"] == 1
    assert logged["sca/unfinished"] == 1


def _unprepared(tokenizer: Any) -> Any:
    tokenizer.__dict__.pop("parse_response", None)
    return tokenizer


def test_steps_of_several_environments(make_trainer: Callable[..., Any]) -> None:
    spec = join(Spec(TRADE, num_tasks=1), Spec("sca/M3DnaSequencer-v0", num_tasks=1))
    trainer = make_trainer(
        spec, max_completion_length=12, per_device_train_batch_size=4, num_generations=2
    )
    trainer.train()
    assert trainer.state.global_step == 2
    assert _logged(trainer, f"sca/success/{TRADE}") == [0, 0]
    assert _logged(trainer, "sca/success/sca/M3DnaSequencer-v0") == [0, 0]


def _dialogue(**options: Any) -> Spec:
    from sca_envs.agents.trl_agent import TrainerAgent

    return Spec(TRADE, mode="dialogue", agent=TrainerAgent, num_tasks=1, max_turns=3, **options)


def test_steps_of_dialogue(make_trainer: Callable[..., Any]) -> None:
    trainer = make_trainer(_dialogue(), max_completion_length=120)
    before = _weights(trainer)
    trainer.train()
    assert trainer.state.global_step == 2
    assert _logged(trainer, "sca/success") == [0, 0]
    assert not any("tools/" in name for name in trainer.state.log_history[0])
    # Rewards are all zero, so there is nothing to learn, and nothing else may move the weights.
    assert all(map(_equal, before, _weights(trainer)))


def _equal(one: Any, other: Any) -> bool:
    return bool((one == other).all())


def test_what_a_dialogue_teaches(make_trainer: Callable[..., Any]) -> None:
    spec = _dialogue(action_format="hermes")
    trainer = make_trainer(spec, max_completion_length=2000)
    task = spec._tasks[0]
    assert task.expected
    call = _call(task.actions[0].name, **task.actions[0].arguments)
    answer = _call("answer", content=task.expected.text)
    scripts = [[call, answer], ["<tool_call>\n{", answer], ["Hello?"] * 3, [call] * 3]
    given: list[list[list[int]]] = []
    left = [list(script) for script in scripts]

    def generate(prompt_ids: Any, *_: Any, **__: Any) -> tuple[list[list[int]], None]:
        given.append([list(ids) for ids in prompt_ids])
        said = [script.pop(0) for script in left if script]
        return [trainer.processing_class(t + "<|im_end|>")["input_ids"] for t in said], None

    trainer._generate_single_turn = generate
    trainer.model.train()
    learned = trainer._generate_and_score_completions([trainer.train_dataset[0]] * 4)
    logged = {name: values[-1] for name, values in trainer._metrics["train"].items() if values}
    assert logged["sca/success"] == pytest.approx(0.5)
    assert logged["sca/truncated"] == pytest.approx(0.5)
    assert logged["sca/malformed"] == pytest.approx(0.25)
    decode = trainer.processing_class.decode
    mask = learned["completion_mask"] * learned["tool_mask"]
    for row, written, script in zip(learned["completion_ids"], mask, scripts, strict=True):
        assert decode(row[written.bool()]) == "".join(f"{turn}<|im_end|>" for turn in script)
    # Tokens in, tokens out: what the model was given last is the beginning of what is learned.
    last = learned["prompt_ids"][3][learned["prompt_mask"][3].bool()].tolist()
    last += learned["completion_ids"][3][learned["completion_mask"][3].bool()].tolist()
    assert last[: len(given[-1][-1])] == given[-1][-1]
    assert "Expected" in decode(learned["completion_ids"][1])
    assert learned["advantages"].sign().tolist() == [1, 1, -1, -1]


def test_a_step_changes_what_was_rewarded(make_trainer: Callable[..., Any]) -> None:
    spec = Spec(TRADE, num_tasks=1)
    good = _solution(spec._tasks[0])
    trainer = make_trainer(spec, max_completion_length=2000, max_steps=1)
    _speak(trainer, [good, good, ["It is 7."], ["It is 7."]])
    before = _weights(trainer)
    trainer.train()
    assert _logged(trainer, "sca/success") == [0.5]
    assert not all(map(_equal, before, _weights(trainer)))
