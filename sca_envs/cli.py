"""The command `sca`."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Annotated

import gymnasium as gym
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import sca_envs
from sca_envs.commands import challenge, doctor, evaluation, init, leaderboard, view
from sca_envs.commands.options import EnvId
from sca_envs.core.errors import SCAError
from sca_envs.core.secrets import keep_environment_secrets, redact

app = typer.Typer(
    help="Environments with verifier-based rewards for tool-using language-model agents.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="Import the original benchmarks' data.", no_args_is_help=True)
app.add_typer(data_app, name="data")
evaluation.register(app)
challenge.register(app)
leaderboard.register(app)
view.register(app)
doctor.register(app)
init.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(sca_envs.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    pass


@app.command("list")
def list_environments() -> None:
    """List the environments, and which data each has or how to get it."""
    from sca_envs.bench.inventory import broken_plugins, environments, judged_tasks

    console = Console()
    table = Table()
    table.add_column("environment", no_wrap=True)
    for column in ("data", "splits (tasks)", "or how to get it"):
        table.add_column(column)
    for row in environments():
        table.add_row(*row)
    console.print(table)
    for line in judged_tasks():
        console.print(line)
    for line in broken_plugins():
        console.print(f"broken plugin {line}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def play(
    env_id: EnvId,
    data: Annotated[str, typer.Option(help="The data: generated, tau-bench, …")] = "generated",
    split: Annotated[str, typer.Option(help="Which tasks.")] = "train",
    task: Annotated[str | None, typer.Option(help="Id or index of the task.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Draws the task.")] = None,
    user: Annotated[str, typer.Option(help="scripted or none.")] = "scripted",
    max_turns: Annotated[int, typer.Option(min=1, help="Most actions.")] = 30,
) -> None:
    """Play the agent yourself."""
    from sca_envs.bench.human import HumanAgent, Quit

    env = gym.make(
        env_id,
        data=data,
        split=split,
        user=user,
        max_turns=max_turns,
        render_mode="human",
        disable_env_checker=True,
    )
    options = None if task is None else {"task": int(task) if task.isdecimal() else task}
    console = Console()
    try:
        result = sca_envs.play(env, HumanAgent(env.unwrapped), seed=seed, options=options)  # type: ignore[arg-type]
    except Quit:
        console.print("Stopped; the episode does not count.")
        return
    console.print(f"Reward {result.reward:g} after {result.turns} turns.")


@app.command()
def demo(
    env_id: EnvId = "sca/TauRetail-v0",
    candidates: Annotated[int, typer.Option(min=1, help="Candidates to make.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the candidates.")] = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 for this one.")] = 2,
) -> None:
    """Show the paper's loop without a model: make tasks, test them, and play them."""
    from sca_envs.bench.demo import run
    from sca_envs.domains.registry import domain_of

    run(sca_envs.domain(domain_of(env_id)), candidates, seed, Console(), workers)


@app.command()
def check(
    domain: Annotated[
        str, typer.Argument(help="A domain, or the id of an environment, such as sca/TauRetail-v0.")
    ],
    data: Annotated[str, typer.Option(help="The data: generated, tau-bench, …")] = "generated",
    tasks: Annotated[int, typer.Option(min=1, help="Tasks of each split to look at.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Draws the tasks and the calls.")] = 0,
) -> None:
    """Check a domain: its tools, tasks, users and texts, and say what to mend."""
    report = sca_envs.check_domain(domain, data=data, num_tasks=tasks, seed=seed)
    Console().print(report.table())
    if not report.passed:
        raise typer.Exit(1)


@data_app.command("import")
def import_data(
    name: Annotated[str, typer.Argument(help="Name of the data set, such as tau-bench.")],
    source: Annotated[
        Path | None, typer.Argument(help="Checkout, or what `sca data list` says.")
    ] = None,
) -> None:
    """Convert an original benchmark's data into the data folder."""
    from sca_envs.data import import_data as convert

    for path in convert(name, source):
        typer.echo(path)


@data_app.command("list")
def list_data() -> None:
    """List the data sets, which of them are installed, and how to get the others."""
    from sca_envs.data import DATA_SETS, data_dir, installed

    present = installed()
    table = Table("data set", "installed", "how to get it", title=f"data folder: {data_dir()}")
    for name, data_set in DATA_SETS.items():
        table.add_row(
            name, ", ".join(present.get(name, ["no"])), f"{data_set.command}\n{data_set.source}"
        )
    Console().print(table)


def main() -> None:
    """Run the command; an error that the user can mend is one line, not a traceback."""
    keep_environment_secrets()
    try:
        app()
    except SCAError as error:
        # A model's text may be in it: markup that is none, and surrogates that no terminal takes.
        text = escape(redact(str(error))).encode("utf-8", "backslashreplace").decode()
        Console(stderr=True).print(f"[bold red]Error:[/] {text}", highlight=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read what was printed has gone
        sys.exit(1)
    except Exception:  # a slip in this package or in an agent's code; the text may have a key in it
        sys.stderr.write(redact(traceback.format_exc()))
        sys.exit(1)
