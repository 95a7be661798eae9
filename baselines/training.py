"""What the recipes on TRL's trainers share: options, logging, checkpoints, evaluation, the command.

A trainer's numbers go to the run's folder under stable names, its checkpoints, too, and Ctrl-C or
SIGTERM ends it after the step at hand with a checkpoint that ``--resume`` goes on from.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.models import transformers
from baselines import tiny
from baselines.run import Run, Stop, progress_bar
from baselines.setup import World, make_agent
from sca_envs import OptionError, SCAError, Trajectory, evaluate, read_trajectories

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


@dataclass
class Common:
    """Options that all recipes have; they are also a run's record, ``config.json``."""

    out: str
    """Folder of the run; a new one unless it is resumed."""
    resume: bool = False
    """Go on from the newest checkpoint in the folder."""
    seed: int = 1
    """Fixes the run: on a CPU, the same seed gives the same numbers."""
    device: str = "auto"
    """cpu or cuda; auto takes a GPU if there is one."""
    bf16: bool = True
    """Compute in bfloat16 on a GPU."""
    threads: int = 1
    """Threads of torch on a CPU; more than are idle make it slower."""
    wandb: str = ""
    """Project in Weights & Biases; empty for none."""

    model: str = "tiny"
    """A folder, a .gguf file, package:NAME or owner/name on the Hub; tiny makes one here."""
    template: str | None = None
    """Chat template: chatml, compact, or the text of one; by default the model's own."""
    bare: bool = False
    """Let the model read the task alone, without policy and tools, as the tiny one does."""
    lora: int = 0
    """Rank of low-rank adapters on all linear layers; 0 trains all weights."""
    warm_start_steps: int = 200
    """Steps in which the tiny model imitates demonstrations, 40 % of them right."""
    env_id: str = tiny.ENV_ID
    """Id of the environment."""
    env_options: str = "{}"
    """Keyword arguments of the environment, as a JSON object."""
    tasks: str | None = None
    """File of tasks to train on; by default the split train (the tiny model has its own)."""
    eval_tasks: str | None = None
    """File of held-out tasks; by default the split test (the tiny model has its own)."""
    eval_env_id: str = ""
    """Environment of the held-out tasks; by default the one that is trained on."""
    eval_env_options: str = "{}"
    """Keyword arguments of that environment, as a JSON object."""
    max_new_tokens: int = 32
    """Most tokens in a turn."""
    generation_batch: int = 128
    """Most episodes that are generated together; less needs less memory."""

    learning_rate: float = 1e-3
    """Of AdamW; for a pretrained model rather 1e-5, or 1e-4 with --lora."""
    batch: int = 64
    """Episodes (or pairs) that a device holds at once; less needs less memory."""
    accumulate: int = 1
    """Batches of which the gradients add up to one step."""
    iterations: int = 60
    """Steps of the optimiser."""
    eval_every: int = 0
    """Steps between evaluations on held-out tasks; 0 for none but the first and the last."""
    eval_num_tasks: int | None = None
    """First so many held-out tasks; by default all, or 100 where there is no end."""
    eval_trials: int = 2
    """Episodes of each."""
    eval_temperature: float = 1.0
    """Of sampling in evaluations; 0 takes the most probable token."""
    checkpoint_every: int = 20
    """Steps between checkpoints; there is one at the end and at a stop."""

    def check(self) -> None:
        """Raise an `OptionError` for the first value that is not allowed."""
        names = "iterations batch accumulate max_new_tokens generation_batch eval_trials threads"
        for name in (*names.split(), "checkpoint_every"):
            check(name, getattr(self, name), getattr(self, name) >= 1, "at least 1")
        for name in ("seed", "lora", "eval_every", "warm_start_steps", "eval_temperature"):
            check(name, getattr(self, name), getattr(self, name) >= 0, "at least 0")
        check("learning_rate", self.learning_rate, self.learning_rate > 0, "above 0")
        check("device", self.device, self.device in ("auto", "cpu", "cuda"), "auto, cpu or cuda")
        own = self.env_id == tiny.ENV_ID and self.tasks is None
        if self.model == "tiny" and not own:
            raise OptionError(
                f"Expected env_id={tiny.ENV_ID} and no tasks with model=tiny, which knows words of "
                f"its own tasks only; got {self.env_id} and {self.tasks}. Give --model"
            )


def check(name: str, value: Any, right: bool, expected: str) -> None:
    """Raise an `OptionError` for an option's value unless it is right."""
    if not right:
        raise OptionError(f"Expected {name} to be {expected}; got {value!r}")


def is_main() -> bool:
    """Return whether this is the process that writes, where accelerate runs one for each GPU."""
    return os.environ.get("RANK", "0") == "0"


def find_device(args: Common) -> str:
    """Return the device, after setting the number of threads.

    Raises:
        OptionError: If there is no GPU where one is asked for.
    """
    transformers()  # raises, with the name of the extra, if it or torch is missing
    import torch

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    there = torch.cuda.is_available()
    if args.device == "cuda" and not there:
        raise OptionError("Expected a GPU for --device cuda, found none; give --device cpu")
    return "cuda" if there and args.device != "cpu" else "cpu"


def require(*modules: str) -> None:
    """Raise an `SCAError` for the first package that is not installed."""
    import importlib.util

    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise SCAError(f"This recipe needs {module}: pip install 'sca-envs[baselines]'")


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
    trainer.remove_callback(transformers().PrinterCallback)
    return trainer


def adapters(args: Common) -> Any:
    """Return the configuration of low-rank adapters; None without them."""
    if not args.lora:
        return None
    import peft

    return peft.LoraConfig(
        r=args.lora, lora_alpha=2 * args.lora, target_modules="all-linear", task_type="CAUSAL_LM"
    )


def measure(
    args: Any, model: Any, tokenizer: Any, world: World, run: Run, step: int
) -> dict[str, float]:
    """Play held-out tasks, keep the trajectories, and return what came out."""
    usual, training = model.generation_config, model.training
    try:
        done = evaluate(
            agent=make_agent(model.eval(), tokenizer, args, args.eval_temperature, args.seed),
            **world.held_out(),
            num_tasks=args.eval_num_tasks,
            trials=args.eval_trials,
            seed=args.seed,
            out=run.path / "evaluations" / f"{step:05d}",
            resume=True,  # it may have been played before a stop, by the same model
        )
    finally:
        model.generation_config = usual  # the agent's is greedy
        model.train(training)
    success, reward = done.results.success, done.results.reward
    assert success is not None
    assert reward is not None
    return {"eval/success": success.mean, "eval/episodic_return": reward.mean}


def recorder(
    args: Common, run: Run, stop: Stop, evaluate_now: Callable[[Any, int], dict[str, float]]
) -> Any:
    """Return a callback for a trainer: numbers, evaluations, checkpoints, the bar, a clean stop.

    Args:
        args: The recipe's options.
        run: The run.
        stop: Whether to stop.
        evaluate_now: Evaluates a model after a step.
    """

    class Recorder(transformers().TrainerCallback):  # type: ignore[misc]
        def __init__(self) -> None:
            self.held: dict[str, float] = {}
            self.bar = progress_bar()
            self.began = time.monotonic()

        def on_train_begin(self, hf: Any, state: Any, control: Any, **given: Any) -> None:
            self.bar.start()
            self.shown = self.bar.add_task(
                run.path.name, total=args.iterations, ret=0.0, success=0.0, rate=0.0
            )
            if state.global_step == 0 and run.checkpoint is None and is_main():
                run.log(0, evaluate_now(given["model"], 0))

        def on_step_end(self, hf: Any, state: Any, control: Any, **given: Any) -> None:
            step = state.global_step
            if stop.asked:
                control.should_training_stop = control.should_save = True
            last = step >= args.iterations
            control.should_save = control.should_save or last
            if is_main() and (last or (args.eval_every and step % args.eval_every == 0)):
                self.held = evaluate_now(given["model"], step)

        def on_log(self, hf: Any, state: Any, control: Any, logs: Any, **given: Any) -> None:
            if not is_main() or "train_runtime" in logs:
                return
            numbers = {
                NAMES.get(name, name if "/" in name else f"trl/{name}"): float(value)
                for name, value in logs.items()
                if name not in LEFT_OUT and value is not None
            }
            numbers["time/iteration"] = time.monotonic() - self.began
            self.began = time.monotonic()
            run.log(state.global_step, numbers | self.held)
            self.bar.update(
                self.shown,
                completed=state.global_step,
                ret=numbers.get("charts/episodic_return", 0.0),
                success=numbers.get("charts/success", self.held.get("eval/success", 0.0)),
                rate=0.0,
            )
            self.held = {}

        def on_save(self, hf: Any, state: Any, control: Any, **given: Any) -> None:
            if is_main():
                made = Path(hf.output_dir) / f"checkpoint-{state.global_step}"
                made.rename(Path(hf.output_dir) / f"{state.global_step:05d}")

        def on_train_end(self, hf: Any, state: Any, control: Any, **given: Any) -> None:
            self.bar.stop()
            if stop.asked and state.global_step < args.iterations:
                self.bar.console.print(f"Stopped after step {state.global_step}; --resume goes on.")

    return Recorder()


def played_before(path: str | Path) -> list[Trajectory]:
    """Return trajectories by task and trial, whatever the order in which they ended."""
    return sorted(read_trajectories(path), key=lambda one: (one.task_id, one.trial))


def save_model(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write a model that transformers loads, adapters merged into it."""
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def command(kind: type[Any], train: Callable[[Any], Any], about: str | None) -> None:
    """Read a recipe's options from the command line and run it."""
    try:
        import tyro
    except ImportError:
        sys.exit("Error: The recipes need tyro: pip install 'sca-envs[baselines]'")
    args = tyro.cli(kind, description=about)
    try:
        train(args)
    except SCAError as error:
        sys.exit(f"Error: {error}")
    except RuntimeError as error:
        if type(error).__name__ != "OutOfMemoryError":
            raise
        sys.exit(
            "Error: The GPU has too little memory. Lower --batch (and raise --accumulate as much), "
            f"then --generation-batch; --lora 16 needs less, too: {error}"
        )
