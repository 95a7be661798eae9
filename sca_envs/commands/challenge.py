"""The commands about making tasks: `challenge ENV`, `challenge inspect`, `challenge stats`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from sca_envs.commands.options import (
    ENGINE_HELP,
    EnvId,
    engine_options,
    key_values,
    redacted_pairs,
)
from sca_envs.core.errors import OptionError, SCAError

_Pairs = list[str]
_MAKE = "make"


class _MakeByDefault(TyperGroup):
    """Takes ``challenge ENV …`` for ``challenge make ENV …``, also with options first."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name in front where it was left out."""
        first = args[0] if args else ""
        if first and first not in self.commands and first not in ctx.help_option_names:
            if not first.startswith("-") and "/" not in first:
                raise OptionError(
                    "Expected the id of an environment, such as sca/TauRetail-v0, or "
                    f"{', '.join(self.commands)}; got {first!r}"
                )
            args = [_MAKE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_MakeByDefault,
    no_args_is_help=True,
    help="Make verified tasks: `sca challenge ENV`; look at them.",
)
TaskFile = Annotated[Path, typer.Argument(help="A file or folder of Code-as-Tasks.")]


@app.command(_MAKE)
def make(
    env_id: EnvId,
    out: Annotated[Path, typer.Option(help="The task file to write: .jsonl or .parquet.")],
    challenger: Annotated[
        str, typer.Option(help="procedural, llm (with --agent), module:Class or file.py:Class.")
    ] = "procedural",
    challenger_option: Annotated[_Pairs, typer.Option(help="key=value, for the challenger.")] = [],  # noqa: B006
    agent: Annotated[
        str | None, typer.Option(help="For llm: module:Class or file.py:Class of an agent.")
    ] = None,
    agent_option: Annotated[_Pairs, typer.Option(help="key=value, for the agent.")] = [],  # noqa: B006
    n: Annotated[int, typer.Option("--n", min=1, help="Tasks to accept.")] = 800,
    candidates: Annotated[
        int | None, typer.Option(min=1, help="Most candidates.  [default: 50 a task]")
    ] = None,
    data: Annotated[str, typer.Option(help="generated, tau-bench, …")] = "generated",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the campaign.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="How many at once.")] = 2,
    engine: Annotated[str | None, typer.Option(help=ENGINE_HELP)] = None,
    address: Annotated[
        str | None, typer.Option(help="For ray: host:port or auto.  [default: this machine]")
    ] = None,
    engine_option: Annotated[_Pairs, typer.Option(help="key=value, for the engine.")] = [],  # noqa: B006
    strength: Annotated[
        float, typer.Option(min=0, max=1, help="Least share of mutants to be rejected.")
    ] = 0.8,
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Instructions only.")] = False,
    no_solution: Annotated[bool, typer.Option("--no-solution", help="Check none.")] = False,
    no_failures: Annotated[bool, typer.Option("--no-failures", help="Check none.")] = False,
    no_strength: Annotated[bool, typer.Option("--no-strength", help="Try no mutants.")] = False,
    no_novelty: Annotated[bool, typer.Option("--no-novelty", help="Admit copies.")] = False,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the funnel: a .png, .svg or .pdf file.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with --out.")] = False,
) -> None:
    """Make tasks with a challenger, and keep those that pass the gates."""
    from sca_envs.challenge.campaign import Campaign
    from sca_envs.challenge.gates import Novel, standard_gates
    from sca_envs.challenge.pipeline import Pipeline
    from sca_envs.challenge.progress import follow
    from sca_envs.challenge.proposer import Proposer
    from sca_envs.challenge.task import DataRef
    from sca_envs.domains import domain as find_domain
    from sca_envs.domains.registry import domain_of

    _check_picture(picture)
    where = engine_options(engine_option, address, engine)
    domain = find_domain(domain_of(env_id), data)
    options = key_values(challenger_option, "--challenger-option")
    player = _player(challenger, agent, key_values(agent_option, "--agent-option"))
    maker = _challenger(challenger, options | player)
    maker.check("domain")
    if challenger == "procedural":
        maker.make(domain=domain)  # which refuses a domain that it cannot make tasks of
    checks: dict[str, Any] = {
        "verify": not no_verify,
        "solution": not (no_solution or no_verify),
        "failures": not (no_failures or no_verify),
        "strength": None if no_strength or no_solution or no_verify else strength,
    }
    record = {
        "domain": domain.name,
        "data": DataRef.of(domain).model_dump(),
        "challenger": challenger,
        "options": options,
        "agent": agent,
        "agent_options": redacted_pairs(agent_option, "--agent-option"),
        "seed": seed,
        "gates": checks,
        "novelty": not no_novelty,
    }
    campaign = Campaign(out, record, n, most=candidates, resume=resume)
    novel = None if no_novelty else Novel()
    pipeline = Pipeline(
        standard_gates(**checks),
        novel=novel,
        workers=workers,
        engine=engine,
        engine_options=where,
    )
    proposer = Proposer(maker.make, domain.name, domain.data, seed)
    console = Console()
    interrupted = False
    try:
        follow(campaign.run(proposer, pipeline), n, console)
    except KeyboardInterrupt:
        interrupted = True
        console.print(f"Interrupted with {len(campaign.accepted)} tasks; go on with --resume.")
    for table in pipeline.funnel.tables():
        console.print(table)
    if picture is not None:
        pipeline.funnel.draw(picture)
    if not campaign.accepted and not interrupted:
        raise SCAError(
            f"Expected at least one of {pipeline.funnel.candidates} candidates to be accepted; "
            f"none was, so {out} has no tasks. The table says why; mend that and choose another "
            "file, or try more with --resume and --candidates"
        )
    console.print(
        f"{min(n, len(campaign.accepted))} tasks written to {out}", markup=False, soft_wrap=True
    )


def _check_picture(path: Path | None) -> None:
    """Before the work that it would show."""
    if path is None:
        return
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise OptionError(f"Expected --picture to end in .png, .svg or .pdf; got {path.name!r}")
    if not path.parent.is_dir():
        raise OptionError(f"Expected --picture in a folder that exists; got {path}")


def _player(challenger: str, agent: str | None, options: dict[str, Any]) -> dict[str, Any]:
    from sca_envs.bench.loading import Factory

    if challenger != "llm":
        if agent is not None:
            raise OptionError("Expected --agent only with --challenger llm")
        return {}
    if agent is None:
        raise OptionError("Expected --agent module:Class with --challenger llm, got none")
    maker = Factory("agent", agent, options)
    maker.check()
    return {"agent": maker.make}


def _challenger(name: str, options: dict[str, Any]) -> Any:
    from sca_envs.bench.loading import Factory

    known = {
        "procedural": "sca_envs.challenge.procedural:ProceduralChallenger",
        "llm": "sca_envs.challenge.llm:LLMChallenger",
    }
    return Factory("challenger", known.get(name, name), options)


@app.command("inspect")
def inspect_tasks(
    path: TaskFile,
    task: Annotated[str | None, typer.Option(help="Show the task of this id only.")] = None,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Try the mutants again, and list them all.")
    ] = False,
) -> None:
    """Show tasks one by one, with their code, the gates' verdicts and the mutants."""
    from sca_envs.challenge.files import load_code_tasks
    from sca_envs.challenge.show import mutant_table, show

    console = Console()
    tasks = load_code_tasks(path)
    chosen = [item for item in tasks if task in (None, item.id)]
    if not tasks:
        raise OptionError(f"Expected tasks in {path}, found none")
    if not chosen:
        ids = ", ".join(item.id for item in tasks[:5])
        raise OptionError(f"Expected the id of a task in {path} ({ids}, …); got {task!r}")
    for number, item in enumerate(chosen):
        console.print(show(item))
        if mutants:
            console.print(mutant_table(item))
        if console.is_terminal and sys.stdin.isatty() and number < len(chosen) - 1:
            text = f"{number + 1} of {len(chosen)}; Enter for the next, q to stop: "
            if console.input(text).strip().lower().startswith("q"):
                return


@app.command("stats")
def statistics(
    path: TaskFile,
    picture: Annotated[
        Path | None, typer.Option(help="Draw them: a .png, .svg or .pdf file.")
    ] = None,
) -> None:
    """Print how different, how hard and how well tested tasks are."""
    from sca_envs.challenge.files import load_code_tasks
    from sca_envs.challenge.statistics import Statistics

    _check_picture(picture)
    found = Statistics(load_code_tasks(path))
    console = Console()
    for table in found.tables():
        console.print(table)
    if picture is not None:
        found.draw(picture)
        console.print(f"written to {picture}", markup=False, soft_wrap=True)


def register(parent: typer.Typer) -> None:
    """Add the commands to the command `sca`."""
    parent.add_typer(app, name="challenge")
