"""Supervised fine-tuning on demonstrations: the warm start before reinforcement learning.

The demonstrations are reference solutions of the tasks to train on, or successes out of the
trajectories of any agent. The loss is that of the tokens that the model should write; what the
environment says is context. See ``docs/baselines/sft.md``.

    python -m baselines.sft --out runs/sft                       # a tiny model, a minute on a CPU
    python -m baselines.sft --out runs/retail --model FOLDER --env-id sca/TauRetail-v0
    python -m baselines.sft --out runs/copy --model FOLDER --data runs/teacher --lora 16
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from baselines import lora
from baselines.run import Run, Stop
from baselines.setup import World, first_model, make_agent, make_world
from baselines.trainers import quiet, recorder, run_trainer, trainer_options
from baselines.training import (
    Common,
    at_least,
    command,
    find_device,
    is_main,
    measure,
    require,
    save_model,
)
from baselines.transcripts import Example, from_trajectories, references, rows
from sca_envs import SCAError, read_trajectories


@dataclass
class Args(Common):
    """Options of a run; they are also its record, ``config.json``."""

    FALLS: ClassVar[bool] = True
    """The learning rate falls to 0 with the last of the iterations."""

    warm_start_steps: int = 0
    """Steps in which the tiny model imitates demonstrations before; here it begins with none."""
    data: str = "reference"
    """reference, or the folder or file of trajectories whose successes are imitated."""
    demonstrations: int = 300
    """How many reference solutions, at most."""
    iterations: int = 200
    """Steps of the optimiser."""
    learning_rate: float = 3e-3
    """Of AdamW; it falls to 0. For a pretrained model rather 1e-5, or 1e-4 with --lora."""

    def check(self) -> None:
        """Raise an error for the first value that is not allowed."""
        super().check()
        at_least(1, self, "demonstrations")
        if self.data != "reference" and not Path(self.data).exists():
            raise SCAError(
                f"Expected data to be 'reference', or trajectories; there is nothing at {self.data}"
            )


def demonstrations(args: Args, model: Any, tokenizer: Any, world: World) -> list[Example]:
    """Return what is imitated.

    Raises:
        SCAError: If nothing is left of the trajectories.
    """
    agent = make_agent(model, tokenizer, args, 1.0, args.seed)
    if args.data == "reference":
        return references(agent, world, args.demonstrations, args.seed)
    examples, dropped = from_trajectories(agent, world, read_trajectories(args.data))
    left_out = ", ".join(f"{reason}: {number}" for reason, number in dropped.items())
    if not examples:
        raise SCAError(f"Expected successes to imitate in {args.data}; left out: {left_out}")
    print(f"{len(examples)} demonstrations{f'; left out: {left_out}' if left_out else ''}")
    return examples


def imitate(
    args: Common,
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    callbacks: list[Any],
    folder: Path,
    **options: Any,
) -> Any:
    """Return TRL's trainer on tokens as they are: no text is rendered or tokenised again.

    Args:
        args: The recipe's options.
        model: The model.
        tokenizer: Its tokeniser, for padding.
        examples: What is imitated.
        callbacks: Of the trainer.
        folder: Where checkpoints are written.
        options: Further options of `trl.SFTConfig`.
    """
    import trl

    base = trainer_options(args, folder, model.device.type)
    config = trl.SFTConfig(
        **base | {"dataset_kwargs": {"skip_prepare_dataset": True}, "max_length": None} | options
    )
    trainer = trl.SFTTrainer(
        model,
        args=config,
        train_dataset=rows(examples),
        processing_class=tokenizer,
        peft_config=lora.configuration(args.lora),
        callbacks=callbacks,
    )
    return quiet(trainer)


def train(args: Args) -> Run:
    """Do a run, or the rest of one.

    Raises:
        SCAError: If an option is wrong or something is missing, before anything is trained.
    """
    args.check()
    require("trl", "datasets", "tensorboard", *(["peft"] if args.lora else []))
    run = Run(args)
    world = make_world(args)
    device = find_device(args)
    model, tokenizer = first_model(args, device)
    examples = demonstrations(args, model, tokenizer, world)
    if is_main():
        run.open(0 if run.checkpoint is None else int(run.checkpoint.name))

    def evaluate_now(now: Any, step: int) -> dict[str, float]:
        return measure(args, now, tokenizer, world, run, step)

    with Stop().listening() as stop:
        callback = recorder(args, run, stop, evaluate_now)
        trainer = imitate(
            args,
            model,
            tokenizer,
            examples,
            [callback],
            run.path / "checkpoints",
            lr_scheduler_type="linear",
        )
        run_trainer(trainer, callback, args, run)
    if is_main():
        save_model(trainer.accelerator.unwrap_model(trainer.model), tokenizer, run.path / "model")
        run.close()
    return run


if __name__ == "__main__":
    command(Args, train, __doc__)
