"""What recipes share: options and their checks, the device, evaluation, the command.

None of it decides what is learned.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baselines import tiny
from baselines.run import Run
from baselines.setup import World, make_agent
from sca_envs import Agent, OptionError, SCAError, Trajectory, evaluate, read_trajectories
from sca_envs.agents import import_transformers


@dataclass
class RunOptions:
    """Options of every run, whatever is done in it."""

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


@dataclass
class Basics(RunOptions):
    """Options that all recipes have; they are also a run's record, ``config.json``."""

    model: str = "tiny"
    """A folder, a .gguf file, package:NAME or owner/name on the Hub; tiny makes one here."""
    template: str | None = None
    """Chat template: chatml, compact, or the text of one; by default the model's own."""
    bare: bool = False
    """Let the model read the task alone, without policy and tools, as the tiny one does."""
    lora: int = 0
    """Rank of low-rank adapters on all linear layers; 0 trains all weights."""
    warm_start_steps: int = 500
    """Steps in which the tiny model imitates demonstrations, 30 % of them right."""
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
        names = "iterations max_new_tokens generation_batch eval_trials checkpoint_every threads"
        at_least(1, self, names)
        at_least(0, self, "seed lora eval_every warm_start_steps eval_temperature")
        check("learning_rate", self.learning_rate, self.learning_rate > 0, "above 0")
        check("device", self.device, self.device in ("auto", "cpu", "cuda"), "auto, cpu or cuda")
        own = self.env_id == tiny.ENV_ID and self.tasks is None
        if self.model == "tiny" and not own:
            raise OptionError(
                f"Expected env_id={tiny.ENV_ID} and no tasks with model=tiny, which knows words of "
                f"its own tasks only; got {self.env_id} and {self.tasks}. Give --model"
            )


@dataclass
class Common(Basics):
    """Options of the recipes on TRL's trainers."""

    batch: int = 64
    """Episodes (or pairs) that a device holds at once; less needs less memory."""
    accumulate: int = 1
    """Batches of which the gradients add up to one step."""

    def check(self) -> None:
        """Raise an `OptionError` for the first value that is not allowed."""
        super().check()
        at_least(1, self, "batch accumulate")


def at_least(smallest: int, args: Any, names: str) -> None:
    """Raise an `OptionError` for the first of some options that is smaller.

    Args:
        smallest: The smallest value that is allowed.
        args: The options.
        names: Their names, with spaces between them.
    """
    for name in names.split():
        check(name, getattr(args, name), getattr(args, name) >= smallest, f"at least {smallest}")


def check(name: str, value: Any, right: bool, expected: str) -> None:
    """Raise an `OptionError` for an option's value unless it is right."""
    if not right:
        raise OptionError(f"Expected {name} to be {expected}; got {value!r}")


def is_main() -> bool:
    """Return whether this is the process that writes, where accelerate runs one for each GPU."""
    return os.environ.get("RANK", "0") == "0"


def one_process(instead: str) -> None:
    """Raise an `OptionError` where accelerate runs several processes.

    Args:
        instead: What to do.
    """
    number = os.environ.get("WORLD_SIZE", "1")
    if number != "1":
        raise OptionError(f"Expected one process, got {number}: {instead}")


def find_device(args: RunOptions) -> str:
    """Return the device, after setting the number of threads.

    Raises:
        OptionError: If there is no GPU where one is asked for.
    """
    import_transformers()  # raises, with the name of the extra, if it or torch is missing
    import torch

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    there = torch.cuda.is_available()
    if args.device == "cuda" and not there:
        raise OptionError("Expected a GPU for --device cuda, found none; give --device cpu")
    if there and args.device != "cpu":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    return "cuda" if there and args.device != "cpu" else "cpu"


def require(*modules: str) -> None:
    """Raise an `SCAError` for the first package that is not installed."""
    import importlib.util

    for module in modules:
        if importlib.util.find_spec(module) is None:
            extra = "vllm" if module == "vllm" else "baselines"
            raise SCAError(f"This recipe needs {module}: pip install 'sca-envs[{extra}]'")


def autocast(args: Basics, device: str) -> Any:
    """Return a context in which a GPU computes in bfloat16."""
    import torch

    kind = device.partition(":")[0]
    return torch.autocast(kind, torch.bfloat16, enabled=args.bf16 and kind == "cuda")


def measure(
    args: Any,
    model: Any,
    tokenizer: Any,
    world: World,
    run: Run,
    step: int,
    agent: Agent | None = None,
) -> dict[str, float]:
    """Play held-out tasks, keep the trajectories, and return what came out.

    Args:
        args: The recipe's options.
        model: The model.
        tokenizer: Its tokeniser.
        world: Where it is played.
        run: The run, whose folder takes the trajectories.
        step: After how many iterations.
        agent: Who plays, if not the model as it is; in whatever precision the caller sets.
    """
    usual, training = model.generation_config, model.training
    began = time.monotonic()
    temperature = args.eval_temperature
    with contextlib.nullcontext() if agent else autocast(args, model.device.type):
        agent = agent or make_agent(model.eval(), tokenizer, args, temperature, args.seed)
        try:
            done = evaluate(
                agent=agent,
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
    return {
        "eval/success": success.mean,
        "eval/episodic_return": reward.mean,
        "time/evaluation": time.monotonic() - began,
    }


def played_before(path: str | Path) -> list[Trajectory]:
    """Return trajectories by task and trial, whatever the order in which they ended."""
    return sorted(read_trajectories(path), key=lambda one: (one.task_id, one.trial))


def save_model(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write a model that transformers loads, adapters merged into it."""
    if hasattr(model, "merge_and_unload"):
        model = model.merge_and_unload()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


LESS_MEMORY = (
    "Lower --batch (and raise --accumulate as much), then --generation-batch; --lora 16 needs "
    "less, too"
)


def command(
    kind: type[Any],
    train: Callable[[Any], Any],
    about: str | None,
    less_memory: str = LESS_MEMORY,
) -> None:
    """Read a recipe's options from the command line and run it.

    Args:
        kind: The recipe's options, a dataclass.
        train: Runs it.
        about: What ``--help`` says.
        less_memory: What to do where a GPU's memory does not suffice.
    """
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
        sys.exit(f"Error: The GPU has too little memory. {less_memory}: {error}")
