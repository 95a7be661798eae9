"""`sca leaderboard`: submissions, their verification, and the site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands to `sca`."""
    group = typer.Typer(help="Publish results that everybody can verify.", no_args_is_help=True)
    for command in (add, verify, build):
        group.command()(command)
    app.add_typer(group, name="leaderboard")


def add(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")],
    name: Annotated[str, typer.Option(help="Name of the system.")],
    model: Annotated[str, typer.Option(help="The model it stands on.")],
    organization: Annotated[str, typer.Option(help="Who submits it.")],
    date: Annotated[str | None, typer.Option(help="YYYY-MM-DD. [default: today]")] = None,
    link: Annotated[list[str] | None, typer.Option(help="Web address; several times.")] = None,
    notes: Annotated[str, typer.Option(help="What else a reader should know.")] = "",
    out: Annotated[Path, typer.Option(help="Folder of submissions.")] = Path("submissions"),
) -> None:
    """Make a submission of runs."""
    from sca_envs.bench.leaderboard.adding import add_submission

    folder = add_submission(
        runs,
        name=name,
        model=model,
        organization=organization,
        date=date,
        links=link or [],
        notes=notes,
        out=out,
    )
    typer.echo(f"Wrote {folder}; `sca leaderboard verify {folder}` checks it")


def verify(
    folder: Annotated[Path, typer.Argument(help="A submission, or a folder of them.")],
    most: Annotated[int, typer.Option("--most", min=1, help="Most problems to print.")] = 20,
) -> None:
    """Run every episode again, and compute every number again."""
    from sca_envs.bench.evaluating.results import USER_NOT_VERIFIED
    from sca_envs.bench.leaderboard.submission import find_submissions, load_submission
    from sca_envs.bench.leaderboard.verifying import verify_submission

    failed = 0
    for path in find_submissions(folder):
        problems = verify_submission(path)
        failed += bool(problems)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        typer.echo(f"{_safe(str(path))}: {count if problems else 'as it says'}")
        if not problems:
            for entry in load_submission(path).entries:
                if USER_NOT_VERIFIED in entry.results.remarks:
                    user = entry.results.run.user
                    typer.echo(f"  {entry.folder}: {USER_NOT_VERIFIED}: the words of {user}")
        for problem in problems[:most]:
            typer.echo(f"  {_safe(str(problem))}")
        if len(problems) > most:
            typer.echo(f"  … and {len(problems) - most} more (--most)")
    if failed:
        raise typer.Exit(1)


def build(
    folder: Annotated[Path, typer.Argument(help="A folder of submissions.")],
    out: Annotated[Path, typer.Option(help="Folder of the site.")] = Path("site"),
    title: Annotated[str, typer.Option(help="What the site is called.")] = "sca-envs leaderboard",
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Run every episode again first.")
    ] = True,
) -> None:
    """Make a static site of submissions."""
    from sca_envs.bench.leaderboard.site import build_site

    typer.echo(f"Wrote {build_site(folder, out, title=title, verify=verify)}")


def _safe(text: str) -> str:
    from sca_envs.bench.viewing.viewer_text import visible

    return visible(text)
