"""The commands about evaluation: `eval`, `replay`, `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from sca_envs.commands.options import ENGINE_HELP, EnvId, engine_options, key_values
from sca_envs.core.errors import OptionError

_Pairs = list[str]


def evaluate(
    env_id: EnvId,
    agent: Annotated[
        str | None,
        typer.Option(help="reference, noop, random, human, module:name or file.py:name."),
    ] = None,
    agent_option: Annotated[_Pairs, typer.Option(help="key=value, for the agent.")] = [],  # noqa: B006
    model: Annotated[
        str | None, typer.Option(help="Instead of --agent: a model's name at an endpoint.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Its endpoint.  [default: OPENAI_BASE_URL, else OpenAI's]")
    ] = None,
    tasks: Annotated[Path | None, typer.Option(help="A task file instead of a split.")] = None,
    split: Annotated[str | None, typer.Option(help="Which tasks.  [default: test]")] = None,
    data: Annotated[str | None, typer.Option(help="generated, tau-bench, …")] = None,
    num_tasks: Annotated[
        int | None, typer.Option(min=1, help="The first so many; all, or 100 if there is no end.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Episodes of each task.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the run.")] = 0,
    user: Annotated[str | None, typer.Option(help="scripted, none or module:name.")] = None,
    user_option: Annotated[_Pairs, typer.Option(help="key=value, for the user.")] = [],  # noqa: B006
    action_format: Annotated[str | None, typer.Option(help="How a turn is written.")] = None,
    max_turns: Annotated[int | None, typer.Option(min=1, help="Most actions.")] = None,
    env_option: Annotated[_Pairs, typer.Option(help="key=value, for gymnasium.make.")] = [],  # noqa: B006
    workers: Annotated[int, typer.Option(min=1, help="How many at once.")] = 1,
    engine: Annotated[str | None, typer.Option(help=ENGINE_HELP)] = None,
    address: Annotated[
        str | None, typer.Option(help="For ray: host:port or auto.  [default: this machine]")
    ] = None,
    engine_option: Annotated[_Pairs, typer.Option(help="key=value, for the engine.")] = [],  # noqa: B006
    episode_timeout: Annotated[
        float | None, typer.Option(help="Seconds that the agent may take in an episode.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for trajectories and results.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
) -> None:
    """Play an agent over the tasks of an environment, and measure it."""
    from sca_envs.bench.agents import StopRun
    from sca_envs.bench.evaluating.evaluation import evaluate as run
    from sca_envs.bench.evaluating.evaluation_report import LiveProgress, results_table

    console = Console()
    options = key_values(agent_option, "--agent-option")
    player, options = _choose_agent(agent, options, model, base_url)
    try:
        with LiveProgress(console, live=agent != "human") as live:
            evaluation = run(
                env_id,
                player,
                agent_options=options,
                tasks=tasks,
                split=split,
                data=data,
                num_tasks=num_tasks,
                trials=trials,
                seed=seed,
                user=user,
                user_options=key_values(user_option, "--user-option"),
                action_format=action_format,
                max_turns=max_turns,
                env_options=key_values(env_option, "--env-option"),
                workers=workers,
                engine=engine,
                engine_options=engine_options(engine_option, address, engine),
                episode_timeout=episode_timeout,
                out=out,
                resume=resume,
                on_progress=live.show,
            )
    except StopRun:
        console.print("Stopped; what has finished is kept." if out else "Stopped.")
        return
    console.print(results_table(evaluation.results))
    if evaluation.out is not None:
        console.print(f"written to {evaluation.out}", markup=False, highlight=False)


def _choose_agent(
    agent: str | None, options: dict[str, Any], model: str | None, base_url: str | None
) -> tuple[Any, dict[str, Any]]:
    """Return the agent and its options; ``--model`` is short for the chat agent with them."""
    from sca_envs.agents.chat import ChatAgent

    if model is None:
        if base_url is not None:
            raise OptionError("Expected --base-url only with --model, got it without")
        if agent is None:
            raise OptionError("Expected --agent, or --model for one at an endpoint; got neither")
        return agent, options
    if agent is not None:
        raise OptionError(f"Expected --agent or --model, not both; got {agent!r} and {model!r}")
    endpoint = {"model": model} | ({} if base_url is None else {"base_url": base_url})
    if twice := sorted(endpoint.keys() & options):
        raise OptionError(
            f"Expected {', '.join(twice)} once, by an option of its own or by --agent-option"
        )
    return ChatAgent, options | endpoint


def replay(
    path: Annotated[Path, typer.Argument(help="A file of trajectories, or a run's folder.")],
    tasks: Annotated[
        Path | None, typer.Option(help="The task file, if it is not where it was.")
    ] = None,
) -> None:
    """Run trajectories again; exit with 1 if a reward or an observation comes out differently."""
    from sca_envs.bench.trajectories.replay import Replayer
    from sca_envs.bench.trajectories.trajectory_files import read_trajectories

    console = Console(highlight=False, markup=False, soft_wrap=True)
    replayer = Replayer(tasks)
    number = different = recorded = other_version = 0
    for trajectory in read_trajectories(path):
        again = replayer.replay(trajectory)
        number += 1
        recorded += again.user_recorded
        other_version += again.other_version
        if not again.ok:
            different += 1
            console.print(f"{trajectory.task_id}, trial {trajectory.trial}:")
            for difference in again.differences:
                console.print(f"  {difference}")
    if recorded:
        console.print(f"{recorded} with the user's words as recorded, which nothing can verify")
    if other_version:
        console.print(f"{other_version} not compared: another version made their tasks")
    console.print(f"{number} trajectories replayed, {different} differ")
    if different:
        raise typer.Exit(1)


def export(
    path: Annotated[Path, typer.Argument(help="A file of trajectories, or a run's folder.")],
    to: Annotated[str, typer.Option(help="sft, dpo or openai.")],
    out: Annotated[
        Path | None, typer.Option(help="The file to write; by default beside the trajectories.")
    ] = None,
) -> None:
    """Write training data: successes as chats, pairs of success and failure, or OpenAI's format."""
    from sca_envs.bench.trajectories.export import export as write
    from sca_envs.bench.trajectories.trajectory_files import read_trajectories, trajectory_path

    source = trajectory_path(path)
    target = out or source.with_name(f"{source.stem}.{to}.jsonl")
    number, dropped = write(read_trajectories(source), to, target)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{number} examples written to {target}")
    for reason, count in sorted(dropped.items()):
        console.print(f"  {count} trajectories left out: {reason}")


def register(app: typer.Typer) -> None:
    """Add the commands to `sca`."""
    app.command("eval")(evaluate)
    app.command()(replay)
    app.command()(export)
