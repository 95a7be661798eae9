"""The page that trains an agent in ten minutes: its own commands, with fewer of everything."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="needs TRL: pip install 'sca-envs[baselines]'")

from baselines import tiny
from sca_envs import read_trajectories

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

PAGE = Path(__file__).parents[2] / "docs" / "train_your_own_agent.md"
FEWER = {
    "baselines.ppo": "--iterations 1 --episodes 8 --warm-start-steps 20 --eval-num-tasks 2",
    "baselines.sft": "--iterations 1 --demonstrations 2 --batch 1 --max-new-tokens 4"
    " --eval-num-tasks 1 --eval-trials 1",
    "baselines.grpo": "--iterations 1 --batch 2 --group 2 --accumulate 1 --max-completion 32"
    " --max-new-tokens 4 --num-tasks 2 --eval-num-tasks 1 --eval-trials 1",
    "eval": "--num-tasks 2 --trials 1",
}
"""Module or command -> options that make it short; a later option wins."""


def commands() -> list[list[str]]:
    """Return the words of the page's commands, those that install left out."""
    blocks = re.findall(r"^```text\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(("python -", "sca "))]


def run(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what a command does, in this process: torch is imported once."""
    module = words[2] if words[:2] == ["python", "-m"] else "sca_envs"
    name = words[1] if module == "sca_envs" else module
    given = words[1:] if module == "sca_envs" else words[3:]
    monkeypatch.setattr("sys.argv", [module, *given, *FEWER.get(name, "").split()])
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            pytest.fail(f"{shlex.join(words)}: {end.code}")


def own_model(folder: Path) -> None:
    """Write a model that has room for the prompts of an environment."""
    tokenizer = tiny.tiny_tokenizer()
    model = tiny.tiny_model(tokenizer, 0, hidden=16, layers=1)
    model.config.max_position_embeddings = 16384
    tokenizer.chat_template = (
        Path(__file__).parents[2] / "sca_envs" / "agents" / "templates" / "chatml.jinja"
    ).read_text("utf-8")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    own_model(tmp_path / "MODEL")
    done = []
    for words in commands():
        if words[:2] == ["python", "-c"]:
            exec(words[2], {})
        else:
            run(words, monkeypatch)
        done.append(" ".join(words[:3]))
    assert {"python -m baselines.ppo", "python -m baselines.sft", "sca eval"} <= {
        name if name.startswith("python") else " ".join(name.split()[:2]) for name in done
    }
    assert (tmp_path / "after.html").stat().st_size > 10_000
    for name in ("before", "after", "rl-test"):
        played = list(read_trajectories(tmp_path / "runs" / name))
        assert len(played) == 2
        assert all(one.tokens is not None and 1 in one.tokens.mask for one in played)
