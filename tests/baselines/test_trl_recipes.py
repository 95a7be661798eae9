"""The recipes on TRL's trainers: wrong options, what is learned from, and short runs."""

from __future__ import annotations

import csv
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

INSTALLED = all(
    importlib.util.find_spec(name) for name in ("torch", "transformers", "trl", "tensorboard")
)
pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason="needs pip install 'sca-envs[baselines]'"),
    pytest.mark.filterwarnings("default"),  # those of torch and TRL are not ours
]

if INSTALLED:
    from baselines import dpo, grpo, rft, sft, tiny
    from baselines.setup import make_agent, make_world
    from baselines.transcripts import from_trajectories, references
    from sca_envs import OptionError, SCAError, Trajectory, read_trajectories
    from sca_envs.agents.encoding import TemplateError, TranscriptEncoder

SHORT: dict[str, Any] = {"eval_num_tasks": 10, "eval_trials": 1, "checkpoint_every": 2}


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    """More threads only wait for each other on a busy machine."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def formed() -> tuple[Any, Any]:
    """A tiny model that knows the form, and its tokeniser."""
    return tiny.warm_start(0, demonstrations=500, steps=30)


def _metrics(run: Any) -> list[dict[str, str]]:
    with (run.path / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _curve(run: Any, name: str) -> list[float]:
    return [float(row[name]) for row in _metrics(run) if row.get(name)]


def _recipes() -> list[Any]:
    return [sft, rft, dpo, grpo] if INSTALLED else []


@pytest.mark.parametrize("recipe", _recipes())
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"model": "/nowhere", "env_id": "sca/TauRetail-v0"}, "there is nothing at '/nowhere'"),
        ({"model": "o/n", "env_id": "sca/Nope-v0"}, "sca/Nope-v0"),
        ({"env_id": "sca/TauRetail-v0"}, "Give --model"),
        ({"env_options": "[]"}, "Expected env_options to be a JSON object"),
        ({"iterations": 0}, "Expected iterations to be at least 1; got 0"),
        ({"device": "tpu"}, "Expected device to be auto, cpu or cuda; got 'tpu'"),
    ],
)
def test_wrong_options(recipe: Any, options: dict[str, Any], problem: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(SCAError, match=problem):
        recipe.train(recipe.Args(out=str(out), **options))
    assert not out.exists()


@pytest.mark.parametrize("recipe", _recipes())
def test_a_folder_that_exists_is_kept(recipe: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OptionError, match="Expected a new folder for the run"):
        recipe.train(recipe.Args(out=str(tmp_path)))
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_wrong_options_of_one_recipe(tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    with pytest.raises(OptionError, match="Expected batch to be a multiple of group, 8; got 20"):
        grpo.train(grpo.Args(out=out, batch=20))
    with pytest.raises(OptionError, match="Expected vllm_url to be an address"):
        grpo.train(grpo.Args(out=out, vllm="server"))
    with pytest.raises(OptionError, match="Expected mode to be dialogue with model=tiny"):
        grpo.train(grpo.Args(out=out, mode="tools"))
    with pytest.raises(SCAError, match="there is nothing at"):
        sft.train(sft.Args(out=out, data=str(tmp_path / "nothing")))
    with pytest.raises(SCAError, match="found nothing there"):
        dpo.train(dpo.Args(out=out, data=str(tmp_path / "nothing")))
    with pytest.raises(OptionError, match="Expected temperature to be above 0; got 0"):
        rft.train(rft.Args(out=out, temperature=0))


def test_a_template_without_tool_calls(formed: tuple[Any, Any], tmp_path: Path) -> None:
    tokenizer = tiny.tiny_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    args = grpo.Args(out=str(tmp_path), model="o/n", mode="tools")
    with pytest.raises(TemplateError, match="or --mode dialogue"):
        grpo.check_template(args, tokenizer)
    own = tokenizer.chat_template
    dialogue = grpo.Args(out=str(tmp_path), model="o/n")
    grpo.check_template(dialogue, tokenizer)
    assert dialogue.template == own


def test_demonstrations_are_what_the_model_would_read(
    formed: tuple[Any, Any], tmp_path: Path
) -> None:
    model, tokenizer = formed
    args = sft.Args(out=str(tmp_path))
    world = make_world(args)
    agent = make_agent(model, tokenizer, args, 1.0, 0)
    made = references(agent, world, 5, 0)
    assert len(made) == 5
    for example, task in zip(made, tiny.tiny_tasks("train"), strict=False):
        text = tokenizer.decode(example.ids)
        assert task.instruction in text
        said = tokenizer.decode(
            [token for token, written in zip(example.ids, example.mask, strict=True) if written]
        )
        call = {"name": task.actions[0].name, "arguments": task.actions[0].arguments}
        assert said.startswith(json.dumps(call))
        assert '"name": "answer"' in said
        assert "Result of" not in said
    own = tiny.encode(TranscriptEncoder(tokenizer, tiny.TEMPLATE), tiny.demonstrate(200, 1.0, 0))
    assert {tuple(one.mask) for one in own} & {tuple(one.mask) for one in made}


def test_trajectories_are_played_again(formed: tuple[Any, Any], tmp_path: Path) -> None:
    import sca_envs

    args = sft.Args(out=str(tmp_path))
    world = make_world(args)
    done = sca_envs.evaluate(
        world.env_id, "reference", tasks=world.train, num_tasks=3, **world.evaluated()
    )
    good = list(done.trajectories())
    bad = good[0].model_copy(update={"reward": 0.0})
    other = good[0].model_copy(update={"env_id": "sca/TauRetail-v0"})
    agent = make_agent(*formed, args, 1.0, 0)
    made, dropped = from_trajectories(agent, world, [*good, bad, other])
    assert made == references(agent, world, 3, 0)
    assert sum(dropped.values()) == 2
    assert dropped["no success"] == 1


def _played(tokens: list[tuple[list[int], list[int]]], rewards: list[float]) -> list[Trajectory]:
    import sca_envs

    task = tiny.tiny_tasks("train")[:1]
    done = sca_envs.evaluate(tiny.ENV_ID, "reference", tasks=task, **tiny.ENV_OPTIONS)
    (one,) = done.trajectories()
    return [
        one.model_copy(
            update={
                "tokens": sca_envs.Tokens(ids=ids, mask=mask),
                "reward": reward,
                # or export would take them for one conversation
                "messages": [*one.messages[:-1], {**one.messages[-1], "content": str(number)}],
            }
        )
        for number, ((ids, mask), reward) in enumerate(zip(tokens, rewards, strict=True))
    ]


def test_pairs_mask_what_the_environment_says(formed: tuple[Any, Any], tmp_path: Path) -> None:
    model, tokenizer = formed
    good = [5, 6, 20, 21, 30, 31, 22], [0, 0, 1, 1, 0, 0, 1]
    bad = [5, 6, 23, 32, 24], [0, 0, 1, 0, 1]
    pairs = dpo.token_pairs(_played([good, bad], [1.0, 0.0]))
    assert pairs == [
        {
            "prompt_ids": [5, 6],
            "chosen_ids": good[0][2:],
            "chosen_mask": good[1][2:],
            "rejected_ids": bad[0][2:],
            "rejected_mask": bad[1][2:],
        }
    ]
    args = dpo.Args(out=str(tmp_path), batch=1)
    trainer = dpo.make_trainer(args, model, tokenizer, pairs, folder=tmp_path)
    batch = trainer.data_collator(pairs)
    assert batch["completion_mask"].tolist() == [good[1], [*bad[1], 0, 0]]
    loss = trainer.compute_loss(model, trainer._prepare_inputs(dict(batch)))
    assert loss.item() == pytest.approx(0.693147, abs=1e-5)  # ln 2: nothing is preferred yet


def test_no_pairs_is_an_error() -> None:
    with pytest.raises(SCAError, match=r"Expected tasks with a success and a failure.*no failure"):
        dpo.token_pairs(_played([([5, 20], [0, 1])], [1.0]))


def test_successes_are_selected() -> None:
    a, b, c = ([5, 20], [0, 1]), ([5, 21], [0, 1]), ([5, 22], [0, 1])
    played = _played([a, a, b, c, c], [1.0, 1.0, 0.0, 1.0, 1.0])
    assert [one.ids for one in rft.select(played, 2)] == [[5, 20], [5, 22]]
    assert [one.ids for one in rft.select(played, 1)] == [[5, 20]]


@pytest.mark.slow
def test_sft_learns(tmp_path: Path) -> None:
    options = SHORT | {"iterations": 20, "demonstrations": 64, "checkpoint_every": 20}
    run = sft.train(sft.Args(out=str(tmp_path / "run"), **options))
    losses = _curve(run, "losses/loss")
    assert losses[-1] < losses[0] / 2
    assert list(read_trajectories(run.path / "evaluations" / "00020"))


@pytest.mark.slow
@pytest.mark.usefixtures("from_warm")
def test_short_runs_of_the_others(tmp_path: Path) -> None:
    small = {"tasks_per_round": 40, "samples": 2, "rounds": 1, "iterations": 5}
    done = rft.train(rft.Args(out=str(tmp_path / "rft"), **small, **SHORT))
    assert _curve(done, "charts/examples")[0] > 0
    assert (done.path / "model" / "model.safetensors").is_file()
    done = dpo.train(
        dpo.Args(out=str(tmp_path / "dpo"), play_tasks=40, samples=3, iterations=3, **SHORT)
    )
    assert _curve(done, "losses/loss")[0] == pytest.approx(0.693, abs=1e-2)
    assert (done.path / "model" / "model.safetensors").is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("from_warm")
def test_grpo_runs(tmp_path: Path) -> None:
    small = SHORT | {"iterations": 2, "batch": 32, "group": 8}
    done = grpo.train(grpo.Args(out=str(tmp_path / "run"), **small))
    returns = _curve(done, "charts/episodic_return")
    assert returns == _curve(done, "charts/success")
    assert max(returns) > 0  # so there was something to learn
    assert max(_curve(done, "losses/grad_norm")) > 0
    assert (done.path / "checkpoints" / "00002" / "model.safetensors").is_file()


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    """A function that sets the command line."""

    def said(words: list[str]) -> None:
        monkeypatch.setattr("sys.argv", ["recipe", *words])

    return said


@pytest.mark.parametrize("recipe", _recipes())
def test_commands_end_in_one_line(
    recipe: Any, spoken: Callable[[list[str]], None], tmp_path: Path
) -> None:
    from baselines.training import command

    pytest.importorskip("tyro", reason="needs tyro")
    spoken(["--out", str(tmp_path / "run"), "--iterations", "0"])
    with pytest.raises(SystemExit, match=r"^Error: Expected iterations to be at least 1; got 0$"):
        command(recipe.Args, recipe.train, recipe.__doc__)
