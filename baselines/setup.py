"""What a recipe begins with: environments, held-out tasks, a model, and an agent that plays it.

All that can be wrong about them is found out here, before anything long starts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import gymnasium as gym

from baselines import tiny
from sca_envs import OptionError, TaskSet, load_code_tasks, load_tasks
from sca_envs.agents import HFAgent, TranscriptEncoder, load_model, load_tokenizer, model_folder

CODE_AS_TASK = "sca/CodeAsTask-v0"
"""The environment whose task files are Code-as-Tasks."""


class Options(Protocol):
    """The options of a recipe that are looked at here; its `Args` says what they mean."""

    model: str
    template: str | None
    bare: bool
    warm_start_steps: int
    seed: int
    env_id: str
    env_options: str
    tasks: str | None
    eval_tasks: str | None
    eval_env_id: str
    eval_env_options: str
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
    test_env_id: str = ""
    """Where they are played; empty for the same environment."""
    test_options: dict[str, Any] | None = None
    """Options of that environment."""

    def make(self) -> gym.Env[str, str]:
        """Return an environment with the tasks to train on."""
        tasks = {"split": "train"} if self.train is None else {"tasks": self.train}
        return gym.make(self.env_id, disable_env_checker=True, **self.options, **tasks)

    def evaluated(self) -> dict[str, Any]:
        """Return the options as `evaluate` takes them, some by their own names."""
        return by_name(self.options)

    def held_out(self) -> dict[str, Any]:
        """Return what `evaluate` takes to play the held-out tasks."""
        options = self.options if self.test_options is None else self.test_options
        where = self.test_env_id or self.env_id
        return {"env_id": where, "tasks": self.test, **by_name(options)}


def by_name(options: dict[str, Any]) -> dict[str, Any]:
    """Return an environment's options as `evaluate` takes them, some by their own names."""
    own = ("data", "user", "action_format", "max_turns")
    named = {name: options[name] for name in own if name in options}
    others = {name: options[name] for name in options if name not in own}
    return {"env_options": others, **named}


def read_options(name: str, text: str) -> dict[str, Any]:
    """Return an option that is a JSON object.

    Raises:
        OptionError: If it is none.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise OptionError(f"Expected {name} to be a JSON object; got {text!r}")
    return value


def read_tasks(env_id: str, path: str | None) -> TaskSet | None:
    """Return the tasks of a file, of the kind that an environment plays.

    Raises:
        SCAError: If there is no such environment, no such file, or the data of its tasks is not at
            hand.
    """
    try:
        gym.spec(env_id)
    except gym.error.Error as error:
        raise OptionError(f"Expected the id of an environment; got {env_id!r}: {error}") from None
    if path is None:
        return None
    if env_id != CODE_AS_TASK:
        return load_tasks(path)
    tasks = load_code_tasks(path)
    for task in {one.domain: one for one in tasks}.values():
        task.load_domain()  # raises where the data is not what they were made on
    return TaskSet((task.to_task() for task in tasks), path)


def make_world(args: Options) -> World:
    """Return the environments of a run, after trying them."""
    train = read_tasks(args.env_id, args.tasks)
    options = read_options("env_options", args.env_options)
    where = args.eval_env_id or args.env_id
    test = read_tasks(where, args.eval_tasks)
    elsewhere = None
    if args.eval_env_id:
        elsewhere = read_options("eval_env_options", args.eval_env_options)
    if args.model == "tiny":
        options = tiny.ENV_OPTIONS | options
        train, test = tiny.tiny_tasks("train"), test or tiny.tiny_tasks("test")
    world = World(args.env_id, options, train, test, args.eval_env_id, elsewhere)
    try_out("env_options", args.env_id, world.make)
    if elsewhere is not None:
        held_out = partial(gym.make, where, disable_env_checker=True, **elsewhere)
        try_out("eval_env_options", where, held_out)
    return world


def try_out(name: str, env_id: str, make: Callable[[], gym.Env[str, str]]) -> None:
    """Make an environment, to find out about options that it does not have.

    Raises:
        OptionError: If there is one, naming where it came from.
    """
    try:
        make().close()
    except TypeError as error:
        raise OptionError(f"Expected {name} that {env_id} has: {error}") from None


def make_agent(lm: Any, tokenizer: Any, args: Options, temperature: float, seed: int) -> HFAgent:
    """Return an agent that plays with the model as it is at any time."""
    kind = tiny.BareAgent if args.model == "tiny" or args.bare else HFAgent
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
