"""`sca view`: look at the episodes of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command to `sca`."""
    app.command()(view)


def view(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a file of trajectories.")],
    out: Annotated[Path | None, typer.Option(help="The page. [default: RUN/view.html]")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Serve it on this machine.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="For --serve; 0: any.")] = 8000,
    host: Annotated[
        list[str] | None,
        typer.Option(help="With --serve: another host name to answer to, of a proxy say."),
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Print in the terminal.")] = False,
    episode: Annotated[
        int | None, typer.Option(min=0, help="With --text: the number of one episode.")
    ] = None,
    result: Annotated[
        str | None, typer.Option(help="With --text: success, failure or excluded.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="With --text: why it ended.")] = None,
    task: Annotated[str | None, typer.Option(help="With --text: id of the task.")] = None,
    search: Annotated[str | None, typer.Option(help="With --text: what is said in it.")] = None,
) -> None:
    """Make a page of a run's episodes, or print them."""
    if text or episode is not None:
        _print(run, episode, (result, reason, task, search))
        return
    from sca_envs.bench.viewing.viewer import write_viewer

    page = write_viewer(run, out)
    typer.echo(f"Wrote {page}")
    if serve:
        from sca_envs.bench.viewing.serve import serve as serve_page

        serve_page(page, port, lambda url: _ready(url, open_page), host or [])
    elif open_page:
        typer.launch(page.absolute().as_uri())


def _ready(url: str, open_page: bool) -> None:
    typer.echo(f"Serving {url} until Ctrl-C")
    if open_page:
        typer.launch(url)


def _print(
    run: Path,
    episode: int | None,
    wanted: tuple[str | None, str | None, str | None, str | None],
) -> None:
    from sca_envs.bench.trajectories.trajectory_files import read_trajectories
    from sca_envs.bench.viewing.viewer_text import Selection, print_episode, print_list

    selection = Selection(*wanted).check()
    if episode is None:
        print_list(read_trajectories(run), selection, Console())
    else:
        print_episode(read_trajectories(run), episode, Console())
