"""What the recipes on TRL's trainers share: their options, numbers, checkpoints, a clean stop.

A trainer's numbers go to the run's folder under stable names, its checkpoints, too, and Ctrl-C or
SIGTERM ends it after the step at hand with a checkpoint that ``--resume`` goes on from.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from baselines.run import Clock, Run, Stop, progress_bar
from baselines.training import Common, is_main
from sca_envs.agents import import_transformers

NAMES = {
    "loss": "losses/loss",
    "grad_norm": "losses/grad_norm",
    "learning_rate": "charts/learning_rate",
    "reward": "charts/episodic_return",
    "sca/success": "charts/success",
    "sca/turns": "charts/episodic_length",
    "kl": "losses/kl",
    "entropy": "losses/entropy",
}
"""Name of a trainer's number -> name in the run; others are named ``trl/…``, or as they are."""
LEFT_OUT = ("epoch", "step", "step_time", "num_tokens", "total_flos")


def trainer_options(args: Common, folder: Path, device: str) -> dict[str, Any]:
    """Return the options that all of TRL's trainers have.

    Args:
        args: The recipe's options.
        folder: Where checkpoints are written.
        device: Where it is trained.
    """
    return {
        "output_dir": str(folder),
        "use_cpu": device == "cpu",
        "bf16": device == "cuda" and args.bf16,
        "dataloader_pin_memory": device == "cuda",
        "seed": args.seed,
        "learning_rate": args.learning_rate,
        "per_device_train_batch_size": args.batch,
        "gradient_accumulation_steps": args.accumulate,
        "max_steps": args.iterations,
        "logging_steps": 1,
        "save_strategy": "steps",
        "save_steps": args.checkpoint_every,
        "report_to": [],
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "gradient_checkpointing": False,
    }


def quiet(trainer: Any) -> Any:
    """Return a trainer that prints no numbers: they are in the run's folder."""
    trainer.remove_callback(import_transformers().PrinterCallback)
    return trainer


def recorder(
    args: Common,
    run: Run,
    stop: Stop,
    evaluate_now: Callable[[Any, int], dict[str, float]],
    clock: Clock | None = None,
) -> Any:
    """Return a callback for a trainer: numbers, evaluations, checkpoints, the bar, a clean stop.

    Args:
        args: The recipe's options.
        run: The run.
        stop: Whether to stop.
        evaluate_now: Evaluates a model after a step.
        clock: Where the parts ``generation`` and ``rollout`` are counted, if there are any.
    """
    spent = clock or Clock()

    class Recorder(import_transformers().TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.held: dict[str, float] = {}
            self.bar = progress_bar()
            self.tokens = 0.0

        def on_train_begin(self, hf: Any, state: Any, control: Any, **given: Any) -> None:
            if not is_main():
                return
            self.bar.start()
            self.shown = self.bar.add_task(
                run.path.name, total=args.iterations, ret=0.0, success=0.0, rate=0.0
            )
            if state.global_step == 0 and run.checkpoint is None:
                run.log(0, evaluate_now(given["model"], 0))
            spent.read()

        def on_step_end(self, hf: Any, state: Any, control: Any, **given: Any) -> None:
            step = state.global_step
            if _anywhere(stop.asked):
                control.should_training_stop = control.should_save = True
            last = step >= args.iterations
            control.should_save = control.should_save or last
            if is_main() and (last or (args.eval_every and step % args.eval_every == 0)):
                with spent.part("evaluation"):
                    self.held = evaluate_now(given["model"], step)

        def on_log(self, hf: Any, state: Any, control: Any, logs: Any, **given: Any) -> None:
            if not is_main() or "train_runtime" in logs:
                return
            numbers = {
                NAMES.get(name, name if "/" in name else f"trl/{name}"): float(value)
                for name, value in logs.items()
                if name not in LEFT_OUT and value is not None
            }
            numbers |= self.speed(hf, logs)
            run.log(state.global_step, numbers | self.held)
            self.bar.update(
                self.shown,
                completed=state.global_step,
                ret=numbers.get("charts/episodic_return", 0.0),
                success=numbers.get("charts/success", self.held.get("eval/success", 0.0)),
                rate=numbers["charts/tokens_per_second"],
            )
            self.held = {}

        def speed(self, hf: Any, logs: Any) -> dict[str, float]:
            """Return where the time of a step went, and the tokens a second."""
            seconds = spent.read()
            evaluation = seconds.pop("evaluation", 0.0)  # has its own name in `held`
            step = seconds.pop("iteration") - evaluation
            numbers = {"time/iteration": step}
            if "rollout" in seconds:
                rollout, generation = seconds["rollout"], seconds["generation"]
                numbers["time/generation"] = generation
                numbers["time/environment"] = rollout - generation
                numbers["time/training"] = step - rollout
                tokens = logs["completions/mean_length"] * hf.train_batch_size * hf.world_size
                tokens *= hf.gradient_accumulation_steps
            else:
                tokens, self.tokens = logs["num_tokens"] - self.tokens, logs["num_tokens"]
            return numbers | {"charts/tokens_per_second": tokens / step}

        def on_save(self, hf: Any, state: Any, control: Any, **given: Any) -> None:
            _everyone_here()  # has written its part of the checkpoint
            if is_main():
                made = Path(hf.output_dir) / f"checkpoint-{state.global_step}"
                made.rename(Path(hf.output_dir) / f"{state.global_step:05d}")

    return Recorder()


def run_trainer(trainer: Any, callback: Any, args: Common, run: Run) -> None:
    """Train to the end or to a stop, from the run's checkpoint if it is resumed.

    Args:
        trainer: The trainer.
        callback: What `recorder` returned.
        args: The recipe's options.
        run: The run.
    """
    try:
        trainer.train(resume_from_checkpoint=run.checkpoint and str(run.checkpoint))
    finally:
        if is_main():
            callback.bar.stop()
    step = trainer.state.global_step
    if is_main() and step < args.iterations:
        callback.bar.console.print(f"Stopped after step {step}; --resume goes on.")


def _anywhere(asked: bool) -> bool:
    """Return whether any process was asked to stop, so that all of them do after the same step."""
    from accelerate import PartialState
    from accelerate.utils import gather_object

    return asked if PartialState().num_processes == 1 else any(gather_object([asked]))


def _everyone_here() -> None:
    from accelerate import PartialState

    PartialState().wait_for_everyone()
