"""Whole runs: repeatable, resumable, stopped cleanly, refused early where something is wrong."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from baselines import ppo, tiny
from baselines.ppo import Args, train
from baselines.run import Run
from baselines.training import command
from sca_envs import OptionError, SCAError, read_trajectories

Quick = Callable[..., Args]

STABLE = {
    "charts/episodic_return",
    "charts/success",
    "charts/SPS",
    "losses/policy_loss",
    "losses/value_loss",
    "losses/kl",
    "losses/entropy",
    "losses/clipfrac",
    "losses/approx_kl",
}
CLOCK = ("charts/SPS", "charts/tokens_per_second")


def numbers(run: Run) -> list[dict[str, str]]:
    """Return what was measured, as written, without what the clock said."""
    return [
        {n: row[n] for n in row if n not in CLOCK and not n.startswith("time/")}
        for row in run.metrics()
    ]


def weights(run: Run, iteration: int) -> tuple[bytes, Any]:
    folder = run.path / "checkpoints" / f"{iteration:05d}"
    trainer = torch.load(folder / "trainer.pt", weights_only=True)
    return (folder / "model.safetensors").read_bytes(), trainer


def test_a_resumed_run_equals_one_in_one_go(quick: Quick) -> None:
    whole = train(quick("whole", iterations=3, eval_every=1))
    train(quick("parts", iterations=1, eval_every=1))
    parts = train(quick("parts", iterations=3, eval_every=1, resume=True))
    assert numbers(parts) == numbers(whole)
    assert len(numbers(whole)) == 4
    assert weights(parts, 3)[0] == weights(whole, 3)[0]
    torch.testing.assert_close(weights(parts, 3)[1], weights(whole, 3)[1], rtol=0, atol=0)
    assert weights(whole, 0)[0] != weights(whole, 3)[0]
    last = {name: float(value) for name, value in whole.metrics()[-1].items() if value}
    assert set(last) >= STABLE
    assert 0 <= last["losses/sampler_gap"] < 1e-4  # it is the model itself that plays
    parts_of_time = [last[f"time/{name}"] for name in ("generation", "environment", "training")]
    assert min(parts_of_time) > 0
    assert sum(parts_of_time) <= last["time/iteration"]
    for folder in sorted(whole.path.glob("evaluations/*")):
        pairs = zip(
            read_trajectories(folder),
            read_trajectories(parts.path / "evaluations" / folder.name),
            strict=True,
        )
        for one, other in pairs:
            assert one.tokens == other.tokens
            assert one.split == "test"
    assert list(whole.path.glob("tensorboard/events*"))


def test_another_seed_is_another_run(quick: Quick) -> None:
    runs = [train(quick(str(i), iterations=1, seed=i)) for i in (1, 2)]
    assert numbers(runs[0]) != numbers(runs[1])


def test_sigterm_ends_the_iteration_and_leaves_a_checkpoint(
    quick: Quick, monkeypatch: pytest.MonkeyPatch
) -> None:
    iterate = ppo.iterate

    def interrupted(*args: Any) -> dict[str, float]:
        os.kill(os.getpid(), signal.SIGTERM)
        return iterate(*args)

    monkeypatch.setattr(ppo, "iterate", interrupted)
    before = signal.getsignal(signal.SIGTERM)
    run = train(quick(iterations=9))
    assert signal.getsignal(signal.SIGTERM) is before
    assert [row["iteration"] for row in run.metrics()] == ["0", "1"]
    assert weights(run, 1)


def test_rows_after_the_checkpoint_are_forgotten(quick: Quick, monkeypatch: Any) -> None:
    """A run that was killed goes on from its checkpoint, and its table has each row once."""
    save, whole = Run.save, train(quick("whole"))

    def killed(self: Run, iteration: int, write: Any) -> None:
        if iteration == 2:
            raise KeyboardInterrupt
        save(self, iteration, write)

    monkeypatch.setattr(Run, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        train(quick("killed"))
    monkeypatch.undo()
    monkeypatch.setattr(tiny, "warm_start", None)  # a resumed run has no need of it
    assert numbers(train(quick("killed", resume=True))) == numbers(whole)


def test_shuffled_rewards_are_a_permutation(quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[float]] = []
    monkeypatch.setattr(
        ppo, "compute_old_outputs", lambda p, r, batch, *_: seen.append([o.reward for o in batch])
    )
    played = [ppo.Episode([1, 2], [0, 1], float(i), False, 1) for i in range(20)]
    policy: Any = type("Policy", (), {"lm": type("LM", (), {"device": "cpu"})})
    for shuffle in (True, False):
        with pytest.raises(TypeError):  # the stub gives no advantages
            ppo.update(policy, policy, None, played, Args("", shuffle_rewards=shuffle), 1)  # type: ignore[arg-type]
    assert seen[0] != seen[1] == [float(i) for i in range(20)]
    assert sorted(seen[0]) == seen[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "/no/model/here", "env_id": "sca/TauRetail-v0"}, "there is nothing at"),
        ({"env_id": "sca/NoSuch-v0", "model": "x"}, "id of an environment"),
        ({"env_id": "sca/TauRetail-v0"}, "model=tiny"),
        ({"env_options": "[]"}, "JSON object"),
        ({"env_options": "{"}, "JSON object"),
        ({"env_options": '{"colour": 1}'}, "env_options that sca/M3TradeCalculator-v0 has"),
        ({"env_options": '{"max_turns": 0}'}, "max_turns"),
        ({"eval_tasks": "/no/tasks.jsonl"}, "no/tasks.jsonl"),
        ({"episodes": 0}, "episodes to be at least 1; got 0"),
        ({"minibatches": 9}, "at most the number of episodes, 8"),
        ({"gamma": 1.5}, "gamma to be from 0 to 1"),
        ({"learning_rate": 0.0}, "learning_rate to be above 0"),
        ({"resume": True}, "run with a checkpoint to resume"),
    ],
)
def test_wrong_options_are_refused_before_anything_begins(
    quick: Quick, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], message: str
) -> None:
    def too_late(*_: Any, **__: Any) -> None:
        raise AssertionError

    args = quick(**options)
    monkeypatch.setattr(tiny, "warm_start", too_late)
    monkeypatch.setattr(ppo, "rollout", too_late)
    with pytest.raises(SCAError, match=message):
        train(args)
    assert not Path(args.out).exists()


def test_a_folder_is_not_written_over(quick: Quick) -> None:
    args = quick(iterations=1)
    folder = Path(args.out)
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(OptionError, match="--resume to go on"):
        train(args)
    assert [one.name for one in folder.iterdir()] == ["thesis.txt"]


def test_a_run_is_not_resumed_with_other_options(quick: Quick) -> None:
    args = quick(resume=True)
    (Path(args.out) / "checkpoints" / "00001").mkdir(parents=True)
    made = vars(quick(learning_rate=0.5))
    (Path(args.out) / "config.json").write_text(json.dumps(made))
    with pytest.raises(OptionError, match=r"learning_rate=0\.5; got 0\.0002"):
        train(args)


def test_the_command_says_errors_in_a_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    monkeypatch.setattr("sys.argv", ["ppo", "--out", out, "--episodes", "0"])
    with pytest.raises(SystemExit, match=r"^Error: Expected episodes to be at least 1; got 0$"):
        command(Args, train, ppo.__doc__, ppo.LESS_MEMORY)
