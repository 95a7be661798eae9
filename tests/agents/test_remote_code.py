"""No model's repository runs code on this machine unless somebody says so."""

from __future__ import annotations

import ast
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from sca_envs import OptionError
from sca_envs.agents import models
from sca_envs.agents.vllm_agent import start_engine

ROOT = Path(__file__).parents[2]
LOADERS = {"from_pretrained", "LLM", "AsyncLLM", "load_dataset", "pipeline", "from_config"}


def _calls() -> list[tuple[Path, ast.Call]]:
    files = [
        path for at in ("agents", "baselines", "sca_envs") for path in (ROOT / at).rglob("*.py")
    ]
    trees = [(path, ast.parse(path.read_text("utf-8"))) for path in files]
    return [
        (path, node)
        for path, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (getattr(node.func, "attr", None) or getattr(node.func, "id", None)) in LOADERS
    ]


def test_every_loader_is_told() -> None:
    calls = _calls()
    assert len(calls) >= 5
    for path, call in calls:
        names = {keyword.arg for keyword in call.keywords}
        assert "trust_remote_code" in names, f"{path}, line {call.lineno}"


def test_nothing_is_trusted_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []

    def load(*arguments: Any, trust_remote_code: bool, **options: Any) -> Any:
        told.append(trust_remote_code)
        raise OSError("enough")

    kind = types.SimpleNamespace(from_pretrained=load)
    library = types.SimpleNamespace(AutoTokenizer=kind, AutoModelForCausalLM=kind)
    monkeypatch.setattr(models, "import_transformers", lambda: library)
    monkeypatch.setitem(sys.modules, "vllm", types.SimpleNamespace(LLM=load))
    pytest.importorskip("torch")
    for flag in ({}, {"trust_remote_code": True}):
        for ask in (models.load_tokenizer, models.load_model):
            with pytest.raises(models.ModelError):
                ask("folder", **flag)
        with pytest.raises(OSError, match="enough"):
            start_engine("folder", **flag)
    assert told == [False] * 3 + [True] * 3


def test_a_text_is_no_answer() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    with pytest.raises(OptionError, match="runs Python code from the model's repository"):
        models.load_tokenizer("folder", trust_remote_code="no")  # type: ignore[arg-type]
