"""Direct preference optimisation on pairs of a success and a failure on the same task.

The model plays each task a few times; a success and a failure on one task are a pair (as
``sca export --to dpo`` makes them). TRL's trainer does the rest, on the tokens as they were
sampled, and the loss is that of the model's tokens alone: in an episode of several turns what the
environment says stands between them. See ``docs/baselines/dpo.md``.

    python -m baselines.dpo --out runs/dpo                       # a tiny model, minutes on a CPU
    python -m baselines.dpo --out runs/dpo2 --model FOLDER --data runs/rollouts --env-id ENV
"""

from __future__ import annotations

import copy
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
    check,
    command,
    find_device,
    is_main,
    measure,
    one_process,
    played_before,
    require,
    save_model,
)
from sca_envs import SCAError, Trajectory, evaluate, preference_pairs


@dataclass
class Args(Common):
    """Options of a run; they are also its record, ``config.json``."""

    FALLS: ClassVar[bool] = True
    """The learning rate falls to 0 with the last of the iterations."""

    data: str = ""
    """Trajectories of this model, with tokens; by default it plays them itself."""
    play_tasks: int = 200
    """Tasks that are played, at most."""
    samples: int = 4
    """Episodes of each."""
    temperature: float = 1.0
    """Of sampling."""
    beta: float = 0.1
    """How strongly the model is held to its beginning (Rafailov et al., 2023, equation 7)."""
    learning_rate: float = 1e-4
    """Of AdamW; for a pretrained model rather 1e-6, or 1e-5 with --lora."""
    batch: int = 32
    """Pairs that a device holds at once; less needs less memory."""

    def check(self) -> None:
        """Raise an error for the first value that is not allowed."""
        super().check()
        at_least(1, self, "play_tasks samples")
        for name in ("temperature", "beta"):
            check(name, getattr(self, name), getattr(self, name) > 0, "above 0")
        if self.data and not Path(self.data).exists():
            raise SCAError(f"Expected trajectories at {self.data}, found nothing there")


def play(args: Args, model: Any, tokenizer: Any, world: World, run: Run) -> list[Trajectory]:
    """Play the tasks to train on; the trajectories are kept in ``rollouts/``."""
    tasks: dict[str, Any] = {"split": "train"} if world.train is None else {"tasks": world.train}
    size = None if world.train is None else world.train.size
    usual = model.generation_config
    try:
        done = evaluate(
            world.env_id,
            make_agent(model.eval(), tokenizer, args, args.temperature, args.seed),
            **world.evaluated(),
            num_tasks=args.play_tasks if size is None else min(size, args.play_tasks),
            trials=args.samples,
            seed=args.seed,
            out=run.path / "rollouts",
            resume=True,
            **tasks,
        )
    finally:
        model.generation_config = usual
    return list(done.trajectories())


def token_pairs(trajectories: Sequence[Trajectory]) -> list[dict[str, list[int]]]:
    """Return pairs as tokens: a prompt, and after it the chosen and the rejected episode.

    Raises:
        SCAError: If no task has a success and a failure.
    """
    pairs, dropped = preference_pairs(one for one in trajectories if one.tokens is not None)
    made = []
    for pair in pairs:
        tokens = [one.tokens for one in pair if one.tokens is not None and 1 in one.tokens.mask]
        begins = {one.mask.index(1) for one in tokens}
        if len(tokens) == 2 and len(begins) == 1:
            (begin,) = begins
            made.append(
                {"prompt_ids": tokens[0].ids[:begin]}
                | {
                    f"{name}_{what}": values[begin:]
                    for name, one in zip(("chosen", "rejected"), tokens, strict=True)
                    for what, values in (("ids", one.ids), ("mask", one.mask))
                }
            )
    if not made:
        told = ", ".join(f"{reason}: {number}" for reason, number in dropped.items())
        raise SCAError(
            f"Expected tasks with a success and a failure, in tokens, among {len(trajectories)} "
            f"episodes; found none ({told}). Raise --samples, or begin with baselines.sft"
        )
    return made


def make_trainer(
    args: Args, model: Any, tokenizer: Any, pairs: Sequence[dict[str, list[int]]], **options: Any
) -> Any:
    """Return TRL's trainer on tokens as they are.

    Args:
        args: The recipe's options.
        model: The model.
        tokenizer: Its tokeniser, for padding.
        pairs: See `token_pairs`.
        options: Callbacks, and ``folder`` for checkpoints.
    """
    import datasets
    import torch
    import trl
    from trl.trainer.dpo_trainer import DataCollatorForPreference

    class Collator(DataCollatorForPreference):  # type: ignore[misc]
        """Leaves what the environment said out of the loss; the original takes it for sampled."""

        def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
            output: dict[str, Any] = super().torch_call(examples)
            mask = torch.zeros_like(output["completion_mask"])
            rows = [(one, name) for name in ("chosen", "rejected") for one in examples]
            for row, (one, name) in enumerate(rows):
                begin, written = len(one["prompt_ids"]), one[f"{name}_mask"]
                mask[row, begin : begin + len(written)] = torch.tensor(written)
            return {**output, "completion_mask": mask}

    class Trainer(trl.DPOTrainer):  # type: ignore[misc]
        """Takes a data set of tokens."""

        def _prepare_dataset(self, dataset: Any, *given: Any) -> Any:
            return dataset

    folder = options.pop("folder")
    config = trl.DPOConfig(
        **trainer_options(args, folder, model.device.type),
        beta=args.beta,
        max_length=None,
        lr_scheduler_type="linear",
    )
    trainer = Trainer(
        model,
        # With adapters, the reference is the model without them.
        ref_model=None if args.lora else copy.deepcopy(model),
        args=config,
        train_dataset=datasets.Dataset.from_list(list(pairs)),
        processing_class=tokenizer,
        data_collator=Collator(pad_token_id=tokenizer.pad_token_id),
        peft_config=lora.configuration(args.lora),
        **options,
    )
    return quiet(trainer)


def train(args: Args) -> Run:
    """Do a run, or the rest of one.

    Raises:
        SCAError: If an option is wrong or something is missing, before anything is played; or if
            there is no pair to learn from.
    """
    args.check()
    if not args.data:
        one_process("play first, and give the trajectories with --data")
    require("trl", "datasets", "tensorboard", *(["peft"] if args.lora else []))
    run = Run(args)
    world = make_world(args)
    device = find_device(args)
    model, tokenizer = first_model(args, device)
    if is_main():
        run.open(0 if run.checkpoint is None else int(run.checkpoint.name))
    played = played_before(args.data) if args.data else play(args, model, tokenizer, world, run)
    pairs = token_pairs(played)
    print(f"{len(pairs)} pairs of {len(played)} episodes")

    def evaluate_now(now: Any, step: int) -> dict[str, float]:
        return measure(args, now, tokenizer, world, run, step)

    with Stop().listening() as stop:
        callback = recorder(args, run, stop, evaluate_now)
        folder = run.path / "checkpoints"
        trainer = make_trainer(args, model, tokenizer, pairs, folder=folder, callbacks=[callback])
        run_trainer(trainer, callback, args, run)
    if is_main():
        save_model(trainer.accelerator.unwrap_model(trainer.model), tokenizer, run.path / "model")
        run.close()
    return run


if __name__ == "__main__":
    command(Args, train, __doc__)
