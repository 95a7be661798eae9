"""What a recipe begins with: environments, held-out tasks, a model, and an agent that plays it.

All that can be wrong about them is found out here, before anything long starts.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, Protocol

import gymnasium as gym

from agents.encoding import TranscriptEncoder
from agents.hf import HFAgent
from agents.models import load_model, load_tokenizer, model_folder
from baselines import tiny
from sca_envs import OptionError, TaskSet, load_tasks


class Options(Protocol):
    """The options of a recipe that are looked at here; its `Args` says what they mean."""

    model: str
    template: str | None
    warm_start_steps: int
    seed: int
    env_id: str
    env_options: str
    tasks: str | None
    eval_tasks: str | None
    max_new_tokens: int
    generation_batch: int


class World(NamedTuple):
    """Where episodes are played."""

    env_id: str
    options: dict[str, Any]
    train: TaskSet | None
    """Tasks to train on; None for the split ``train``."""
    test: TaskSet | None
    """Held-out tasks; None for the split ``test``."""

    def make(self) -> gym.Env[str, str]:
        """Return an environment with the tasks to train on."""
        tasks = {"split": "train"} if self.train is None else {"tasks": self.train}
        return gym.make(self.env_id, disable_env_checker=True, **self.options, **tasks)

    def evaluated(self) -> dict[str, Any]:
        """Return the options as `evaluate` takes them, some by their own names."""
        own = ("data", "user", "action_format", "max_turns")
        named = {name: self.options[name] for name in own if name in self.options}
        others = {name: self.options[name] for name in self.options if name not in own}
        return {"env_options": others, **named}


def make_world(args: Options) -> World:
    """Return the environments of a run, after trying one."""
    try:
        options = json.loads(args.env_options)
        gym.spec(args.env_id)
    except json.JSONDecodeError:
        options = None
    except gym.error.Error as error:
        raise OptionError(
            f"Expected the id of an environment; got {args.env_id!r}: {error}"
        ) from None
    if not isinstance(options, dict):
        raise OptionError(f"Expected env_options to be a JSON object; got {args.env_options!r}")
    train = None if args.tasks is None else load_tasks(args.tasks)
    test = None if args.eval_tasks is None else load_tasks(args.eval_tasks)
    if args.model == "tiny":
        options = tiny.ENV_OPTIONS | options
        train, test = tiny.tiny_tasks("train"), test or tiny.tiny_tasks("test")
    world = World(args.env_id, options, train, test)
    try:
        world.make().close()
    except TypeError as error:
        raise OptionError(f"Expected env_options that {args.env_id} has: {error}") from None
    return world


def make_agent(lm: Any, tokenizer: Any, args: Options, temperature: float, seed: int) -> HFAgent:
    """Return an agent that plays with the model as it is at any time."""
    kind = tiny.BareAgent if args.model == "tiny" else HFAgent
    template = args.template or (tiny.TEMPLATE if args.model == "tiny" else None)
    return kind(
        lm,
        tokenizer,
        template=template,
        temperature=temperature,
        max_new_tokens=args.max_new_tokens,
        seed=seed,
        batch_size=args.generation_batch,
    )


def first_model(args: Options, device: str) -> tuple[Any, Any]:
    """Return the model that a run begins with, in float32, and its tokeniser.

    The tokeniser has the chat template that is played with; so have the models that a run leaves.
    """
    if args.model == "tiny":
        lm, tokenizer = tiny.warm_start(args.seed, steps=args.warm_start_steps)
        tokenizer.chat_template = TranscriptEncoder(tokenizer, tiny.TEMPLATE).template
        return lm.to(device), tokenizer
    folder = model_folder(args.model)
    tokenizer = load_tokenizer(folder)
    tokenizer.chat_template = TranscriptEncoder(tokenizer, args.template).template
    return load_model(folder, device, "float32"), tokenizer
