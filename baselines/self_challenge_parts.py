"""What the self-challenging loop is put together from: world, gates, challengers, recipe options.

All that can be wrong about them is found out here, before anything long starts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym

from baselines import tiny
from baselines.self_challenge_args import Args
from baselines.setup import CODE_AS_TASK, World, read_options, read_tasks
from baselines.tiny_challenger import TinyChallenger
from baselines.training import check
from sca_envs import (
    CodeAsTask,
    Domain,
    Factory,
    HeldOut,
    LLMChallenger,
    OptionError,
    ProceduralChallenger,
    Proposer,
    Task,
    standard_gates,
)
from sca_envs.agents import TranscriptEncoder, load_tokenizer, model_folder

STRENGTH = 0.8
"""Least share of near misses that a verification function has to reject."""
_CURVE = 20
"""Held-out tasks of a recipe's own curve, at most; the loop's test has all of them."""
_APART = 1_000_000_000
"""How far the numbers of two seeds are apart, as in `Proposer`."""


# The world


def make_world(args: Args) -> World:
    """Return the environment and its held-out tasks.

    Raises:
        SCAError: If there is no such environment, option or file.
    """
    test = read_tasks(args.env_id, args.eval_tasks)
    options = read_options("env_options", args.env_options)
    if args.model == "tiny":
        options, test = tiny.ENV_OPTIONS | options, test or tiny.tiny_tasks("test")
    return World(args.env_id, options, None, test)


def find_domain(world: World) -> Domain:
    """Return the domain that tasks are made for.

    Raises:
        OptionError: If there is none or more than one, or an option is wrong.
    """
    try:
        env: Any = gym.make(world.env_id, disable_env_checker=True, **world.options).unwrapped
    except TypeError as error:
        raise OptionError(f"Expected env_options that {world.env_id} has: {error}") from None
    domains: list[Domain] = list(env.domains.values())
    if len(domains) != 1 or world.env_id == CODE_AS_TASK or "submit_task" in domains[0].tools:
        raise OptionError(
            "Expected an environment of one domain whose tasks are played, such as "
            f"sca/TauRetail-v0; got {world.env_id!r}"
        )
    return domains[0]


def tested_tasks(args: Args, world: World, domain: Domain) -> list[Task]:
    """Return the held-out tasks that are played.

    Raises:
        OptionError: If there are fewer than wanted.
    """
    tasks: Any = domain.tasks("test") if world.test is None else world.test
    number = args.eval_num_tasks or tasks.size or 100
    if tasks.size is not None:
        check("eval_num_tasks", number, number <= tasks.size, f"at most {tasks.size}")
    return [tasks[index] for index in range(number)]


def played(world: World) -> dict[str, Any]:
    """Return the options with which Code-as-Tasks are played: without a user."""
    kept = ("action_format", "max_turns")
    return {"user": "none"} | {n: world.options[n] for n in kept if n in world.options}


# Gates and challengers


def make_gates(args: Args, tested: Sequence[Task]) -> tuple[Any, ...]:
    """Return the gates, less those that an ablation leaves out, all but novelty."""
    coded = args.verifier == "code"
    solution = coded and not args.no_solution
    gates = standard_gates(
        verify=coded,
        solution=solution,
        failures=coded and not args.no_failures,
        strength=STRENGTH if solution and not args.no_strength else None,
    )
    return (*gates, HeldOut([task.instruction for task in tested]))


def make_proposer(args: Args, domain: Domain, seed: int) -> Proposer:
    """Return a challenger that is no model, by number."""
    return Proposer(_maker(args).make, domain.name, domain.data, seed)


def _maker(args: Args) -> Factory:
    target: Any = args.challenger
    if target == "procedural":
        target = TinyChallenger if args.model == "tiny" else ProceduralChallenger
    options = read_options("challenger_options", args.challenger_options)
    return Factory("challenger", target, options)


class Batches:
    """A challenger that is a model, by number: it plays many episodes at once.

    A batch is the same whichever of its numbers is asked for first, so that a resumed campaign has
    the same candidates.

    Args:
        args: The options.
        domain: The domain.
        gates: The gates; the last one, which knows the test, is kept from the challenger.
        agent: The model.
        seed: Seed of the campaign.
    """

    def __init__(
        self, args: Args, domain: Domain, gates: Sequence[Any], agent: Any, seed: int
    ) -> None:
        rules: dict[str, Any] = (
            {"max_turns": 2, "submissions": 1} if args.challenger == "learned" else {}
        )
        rules |= read_options("challenger_options", args.challenger_options)
        self._challenger = LLMChallenger(domain, agent, gates=gates[:-1], **rules)
        self._name, self._seed, self._size = domain.name, seed, args.generation_batch
        self._begin = -1
        self._made: list[CodeAsTask | None] = []

    def __call__(self, number: int) -> CodeAsTask | None:
        """Return the candidate of a number, from 0."""
        begin = number - number % self._size
        if begin != self._begin:
            first = self._seed * _APART + begin
            self._made = self._challenger.propose_batch(range(first, first + self._size))
            self._begin = begin
        task = self._made[number - begin]
        named = {"id": f"{self._name}-{self._seed}-{number}"}
        return None if task is None else task.model_copy(update=named)


def check_challenger(args: Args, domain: Domain) -> None:
    """Raise an `SCAError` if challenger or judge do not exist or do not take their options."""
    if args.challenger in ("self", "learned"):
        given = read_options("challenger_options", args.challenger_options)
        rules = {"domain": None, "agent": None, "gates": None} | given
        Factory("challenger", LLMChallenger, rules).check()
    else:
        _maker(args).check("domain")
        if args.challenger == "procedural" and args.model != "tiny":
            ProceduralChallenger(domain)  # raises for a domain that it does not know
    if args.verifier == "judge" and args.judge != "self":
        make_judge(args).check()


def make_judge(args: Args) -> Factory:
    """Return what makes a judge that is not the model itself."""
    return Factory("judge", args.judge, read_options("judge_options", args.judge_options))


# Models and recipes


def check_models(args: Args) -> None:
    """Raise an `SCAError` if a model is missing, or its chat template does not do."""
    for name in {args.model, args.executor} - {"tiny", ""}:
        TranscriptEncoder(load_tokenizer(model_folder(name)), args.template)


def recipe_args(
    args: Args, recipe: Any, world: World, tested: int, path: Path, round_: int, model: str
) -> Any:
    """Return the options of a recipe.

    Args:
        args: The loop's options.
        recipe: The recipe's module.
        world: The environment.
        tested: Number of held-out tasks.
        path: Folder of the loop's run.
        round_: The round; 0 to look at the options only.
        model: The executor's weights.

    Raises:
        OptionError: If it does not have an option, or there is no rollout for it.
    """
    folder, small = path / f"round-{round_}", args.model == "tiny"
    names = "seed device bf16 threads max_new_tokens generation_batch eval_temperature"
    options: dict[str, Any] = {name: getattr(args, name) for name in names.split()}
    options |= {"out": str(folder / "train"), "model": model, "bare": small, "eval_trials": 1}
    options["template"] = args.template or (tiny.TEMPLATE if small else None)
    options["eval_num_tasks"] = min(_CURVE, tested)
    if world.test is not None and round_:
        options["eval_tasks"] = str(path / "test.jsonl")
    where = {"env_id": args.env_id, "env_options": json.dumps(world.options)}
    if args.recipe in ("rft", "dpo"):
        options |= where
        if round_:
            name = "judged.jsonl" if args.verifier == "judge" else "rollouts"
            options["data"] = str(folder / name)
    else:
        options |= {f"eval_{name}": value for name, value in where.items()}
        options |= {"env_id": CODE_AS_TASK, "env_options": json.dumps(played(world))}
        options["tasks"] = str(folder / "tasks.jsonl")
    if args.recipe == "rft":
        options["rounds"] = 1
    try:
        made = recipe.Args(**options | read_options("recipe_options", args.recipe_options))
    except TypeError as error:
        raise OptionError(f"Expected recipe_options that {args.recipe} has: {error}") from None
    if args.recipe in ("grpo", "ppo"):
        share = args.per_round(args.rollouts)
        expected = f"at least {episodes(made)} a round, which are a step of {args.recipe}"
        check("rollouts", share, share >= episodes(made), expected)
        made.iterations = share // episodes(made)
    return made


def episodes(options: Any) -> int:
    """Return the episodes of an iteration of GRPO or PPO."""
    if hasattr(options, "episodes"):
        return int(options.episodes)
    return int(options.batch * options.accumulate)
