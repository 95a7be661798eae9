"""Rejection fine-tuning: play, keep the successes, imitate them, and again.

Each round plays a sample of the tasks to train on with the model as it is, keeps the episodes whose
reward is 1, and imitates them token by token, as they were sampled. It is what "Self-Challenging
Language Model Agents" trains with (arXiv:2506.01716). See ``docs/baselines/rft.md``.

    python -m baselines.rft --out runs/rft                       # a tiny model, minutes on a CPU
    python -m baselines.rft --out runs/retail --model FOLDER --env-id sca/TauRetail-v0
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from baselines.run import Clock, Run, Stop, progress_bar
from baselines.setup import World, first_model, make_agent, make_world
from baselines.sft import imitate
from baselines.training import (
    Common,
    at_least,
    check,
    command,
    find_device,
    measure,
    one_process,
    played_before,
    require,
    save_model,
)
from baselines.transcripts import Example
from sca_envs import SCAError, TaskSet, Trajectory, evaluate
from sca_envs.agents import load_model, load_tokenizer

FURTHER = 100_000
"""Tasks of a split without end that rounds draw from."""


@dataclass
class Args(Common):
    """Options of a run; they are also its record, ``config.json``."""

    FALLS: ClassVar[bool] = True
    """The learning rate falls to 0 with the last of the iterations."""

    data: str = ""
    """Trajectories of this model, with tokens, to learn from in one round; by default it plays."""
    rounds: int = 4
    """How often it plays and imitates."""
    iterations: int = 30
    """Steps of the optimiser in a round."""
    learning_rate: float = 5e-4
    """Of AdamW; it falls to 0 in each round. For a pretrained model rather 1e-5."""
    tasks_per_round: int = 128
    """Tasks that a round plays, at most; another sample in each."""
    samples: int = 4
    """Episodes of each."""
    temperature: float = 1.0
    """Of sampling."""
    keep: int = 2
    """Most different successes of a task that are imitated, so that easy tasks do not rule."""

    def check(self) -> None:
        """Raise an `OptionError` for the first value that is not allowed."""
        super().check()
        at_least(1, self, "rounds tasks_per_round samples keep")
        check("temperature", self.temperature, self.temperature > 0, "above 0")
        if self.data:
            check("rounds", self.rounds, self.rounds == 1, "1 with data, which one model played")
            if not Path(self.data).exists():
                raise SCAError(f"Expected trajectories at {self.data}, found nothing there")


def play(
    args: Args, model: Any, tokenizer: Any, world: World, run: Run, round_: int
) -> list[Trajectory]:
    """Play a round's sample of tasks; the trajectories are kept in ``rollouts/``."""
    tasks: Any = world.make().unwrapped.tasks  # type: ignore[attr-defined]
    size = FURTHER if tasks.size is None else tasks.size
    rng = random.Random(f"{args.seed} {round_}")
    chosen = sorted(rng.sample(range(size), min(args.tasks_per_round, size)))
    usual = model.generation_config
    try:
        done = evaluate(
            world.env_id,
            make_agent(model.eval(), tokenizer, args, args.temperature, args.seed),
            tasks=TaskSet((tasks[index] for index in chosen), "sample"),
            **world.evaluated(),
            trials=args.samples,
            seed=args.seed + round_,
            out=run.path / "rollouts" / f"{round_:02d}",
            resume=True,  # it may have been played before a stop, by the same model
        )
    finally:
        model.generation_config = usual
    return list(done.trajectories())


def select(trajectories: Iterable[Trajectory], keep: int) -> list[Example]:
    """Return the successes as they were sampled, no two of a task alike, and at most so many."""
    kept: defaultdict[str, list[Example]] = defaultdict(list)
    for one in trajectories:
        if one.success and one.counts and one.tokens is not None:
            example = Example(one.tokens.ids, one.tokens.mask)
            if len(kept[one.task_id]) < keep and example not in kept[one.task_id]:
                kept[one.task_id].append(example)
    return [example for examples in kept.values() for example in examples]


def learn(
    args: Args, model: Any, tokenizer: Any, examples: list[Example], run: Run
) -> tuple[Any, float]:
    """Imitate a round's successes; return the model and the mean loss.

    A round's adapters are merged, so that the next one begins with a whole model.
    """
    trainer = imitate(
        args,
        model,
        tokenizer,
        examples,
        [],
        run.path / "trainer",
        save_strategy="no",
        lr_scheduler_type="linear",
    )
    loss = float(trainer.train().training_loss)
    learned = trainer.accelerator.unwrap_model(trainer.model)
    return learned.merge_and_unload() if args.lora else learned, loss


def spent(
    args: Args, seconds: dict[str, float], trajectories: Iterable[Trajectory]
) -> dict[str, float]:
    """Return where a round's time went, and the tokens that it wrote in a second of it."""
    played = [] if args.data else list(trajectories)
    generation = sum((one.usage and one.usage.seconds) or 0.0 for one in played)
    written = sum(sum(one.tokens.mask) for one in played if one.tokens)
    return {
        "charts/tokens_per_second": written / seconds["iteration"],
        "time/iteration": seconds["iteration"],
        "time/generation": generation,
        "time/environment": seconds["rollout"] - generation,
        "time/training": seconds["training"],
    }


def train(args: Args) -> Run:
    """Do a run, or the rest of one.

    Raises:
        SCAError: If an option is wrong or something is missing, before anything is played; or if
            no episode of the first round succeeds, so that there is nothing to learn from.
    """
    args.check()
    one_process("RFT plays on one GPU; baselines.grpo on several")
    require("trl", "datasets", "tensorboard", *(["peft"] if args.lora else []))
    run = Run(args)
    world = make_world(args)
    device = find_device(args)
    begun = 0
    if run.checkpoint is None:
        model, tokenizer = first_model(args, device)
    else:
        begun = int(run.checkpoint.name)
        model, tokenizer = (
            load_model(str(run.checkpoint), device),
            load_tokenizer(str(run.checkpoint)),
        )
    run.open(begun)
    with Stop().listening() as stop, progress_bar() as bar:
        shown = bar.add_task("RFT", total=args.rounds, ret=0.0, success=0.0, rate=0.0)
        if run.checkpoint is None:
            run.log(0, measure(args, model, tokenizer, world, run, 0))
        for round_ in range(begun + 1, args.rounds + 1):
            bar.update(shown, completed=round_ - 1)
            clock = Clock()
            with clock.part("rollout"):
                trajectories = (
                    played_before(args.data)
                    if args.data
                    else play(args, model, tokenizer, world, run, round_)
                )
            examples = select(trajectories, args.keep)
            if not examples:
                raise SCAError(
                    f"Expected successes among the {len(trajectories)} episodes of round {round_}, "
                    "found none; begin with baselines.sft, or with easier tasks"
                )
            with clock.part("training"):
                model, loss = learn(args, model, tokenizer, examples, run)
            success = sum(one.success for one in trajectories) / len(trajectories)
            numbers = {
                "charts/success": success,
                "charts/episodic_return": sum(o.reward for o in trajectories) / len(trajectories),
                "charts/examples": float(len(examples)),
                "losses/loss": loss,
                **spent(args, clock.read(), trajectories),
            }
            numbers |= measure(args, model, tokenizer, world, run, round_)
            run.log(round_, numbers)
            run.save(round_, partial(save_model, model, tokenizer))
            rate = numbers["charts/tokens_per_second"]
            bar.update(shown, ret=numbers["charts/episodic_return"], success=success, rate=rate)
            if stop.asked and round_ < args.rounds:
                bar.console.print(f"Stopped after round {round_}; --resume goes on.")
                break
        else:
            bar.update(shown, completed=args.rounds)
            save_model(model, tokenizer, run.path / "model")
    run.close()
    return run


if __name__ == "__main__":
    command(Args, train, __doc__)
