"""Training data out of trajectories."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

import sca_envs
from sca_envs import Trajectory, evaluate, export
from sca_envs.core.errors import OptionError

RETAIL = "sca/TauRetail-v0"
PLAYERS = "tests.bench.players"


@pytest.fixture(scope="module")
def mixed() -> list[Trajectory]:
    """Four tasks: two trials each by the reference, which are equal, and two by a random agent."""
    good = evaluate(RETAIL, "reference", num_tasks=4, trials=2, env_options={"user": "none"})
    bad = evaluate(RETAIL, "random", num_tasks=4, trials=2, max_turns=4, user="none")
    return [*good.trajectories(), *bad.trajectories()]


def _export(ones: list[Trajectory], to: str, path: Path) -> tuple[list[dict[str, Any]], Any]:
    number, dropped = export(ones, to, path / "out.jsonl")
    examples = [json.loads(line) for line in (path / "out.jsonl").read_text("utf-8").splitlines()]
    assert len(examples) == number
    return examples, dropped


def _check_chat(messages: list[dict[str, Any]], arguments: type) -> None:
    """Every call has its result, and the agent has the last word."""
    assert messages[-1]["role"] == "assistant"
    for said, following in itertools.pairwise(messages):
        for call in said.get("tool_calls") or ():
            assert isinstance(call["function"]["arguments"], arguments)
            assert following["role"] == "tool"
            assert following["tool_call_id"] == call["id"]


def test_sft(mixed: list[Trajectory], tmp_path: Path) -> None:
    examples, dropped = _export(mixed, "sft", tmp_path)
    assert len(examples) == 4
    assert dropped == {"the same conversation as another one": 4, "no success": 8}
    for example in examples:
        _check_chat(example["messages"], dict)
        assert [one["role"] for one in example["messages"][:3]] == ["system", "user", "assistant"]
        assert example["tools"] == list(sca_envs.domain("tau_retail").schemas)


def test_openai(mixed: list[Trajectory], tmp_path: Path) -> None:
    examples, _ = _export(mixed, "openai", tmp_path)
    assert len(examples) == 4
    for example in examples:
        _check_chat(example["messages"], str)
        assert example["parallel_tool_calls"] is False
        assert example["tools"][0]["type"] == "function"


def test_dpo(mixed: list[Trajectory], tmp_path: Path) -> None:
    examples, dropped = _export(mixed, "dpo", tmp_path)
    assert len(examples) == 4  # a success and one of two failures for each task
    assert dropped == {
        "the same conversation as another one": 4,
        "no success to pair with": 4,
    }
    for example in examples:
        assert [one["role"] for one in example["prompt"]] == ["system", "user"]
        assert example["chosen"] != example["rejected"]
        for side in ("chosen", "rejected"):
            assert example[side][0]["role"] == "assistant"
            _check_chat(example[side], dict)


def test_what_broke_off_is_left_out(tmp_path: Path) -> None:
    ones = list(evaluate(RETAIL, f"{PLAYERS}:Raising", num_tasks=4).trajectories())
    ones += evaluate(RETAIL, f"{PLAYERS}:Strange", num_tasks=1, max_turns=14).trajectories()
    examples, dropped = _export(ones, "sft", tmp_path)
    assert examples == []
    assert dropped["broken off (agent_error)"] == 2
    assert dropped["text that UTF-8 cannot say"] == 1
    assert dropped.total() == 5


def test_wrong_format(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="sft, dpo, openai; got 'csv'"):
        export([], "csv", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_sft_loads_as_a_dataset(mixed: list[Trajectory], tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    export(mixed, "openai", tmp_path / "out.jsonl")
    loaded = datasets.load_dataset(
        "json", data_files=str(tmp_path / "out.jsonl"), cache_dir=str(tmp_path / "cache")
    )["train"]
    assert len(loaded) == 4
    assert loaded[0]["messages"][0]["role"] == "system"
