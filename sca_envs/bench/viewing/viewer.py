"""The viewer: a run's trajectories as one HTML page that needs nothing else.

The page works from a file, without a network; a browser of 2024 or later opens it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from sca_envs.bench.trajectories.trajectory import Trajectory
from sca_envs.bench.trajectories.trajectory_files import read_trajectories, trajectory_path
from sca_envs.bench.viewing.pages import script, speakable, style, templates
from sca_envs.bench.viewing.viewer_data import Packer
from sca_envs.core.writing import whole_file

PAGE_NAME = "view.html"
"""Name of the page in a run's folder."""

KEYS = (
    (("j", "k", "↓", "↑"), "next, previous episode"),
    (("g", "G"), "first, last episode"),
    (("l", "h", "→", "←"), "next, previous turn"),
    (("c", "C"), "next, previous change of the database"),
    (("/",), "search in all conversations"),
    (("Enter",), "from a search: open the first episode"),
    (("Esc",), "back to the list; clear the filters"),
    (("t",), "light or dark"),
    (("?",), "these keys"),
)

_SCRIPTS = ("text", "data", "list", "filters", "episode", "main")


def write_viewer(
    run: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    title: str | None = None,
) -> Path:
    """Write the page of a run; it appears whole or not at all.

    Args:
        run: The folder of a run, or a file of trajectories.
        out: The page's file; by default ``view.html`` beside the trajectories.
        title: What the page calls them; by default the name of the run's folder.

    Returns:
        The page's file.

    Raises:
        TrajectoryFileError: If there are no trajectories, or a line is none.
    """
    path = trajectory_path(run)
    page = path.with_name(PAGE_NAME) if out is None else Path(out)
    with (
        whole_file(page) as partial,
        partial.open("w", encoding="utf-8", newline="\n") as file,
    ):
        write_page(read_trajectories(path), title or _title(Path(run)), file)
    return page


def write_page(trajectories: Iterable[Trajectory], title: str, file: IO[str]) -> int:
    """Write the page of some trajectories, which are read one by one.

    Args:
        trajectories: The trajectories.
        title: What the page calls them.
        file: Where to write, as text.

    Returns:
        The number of episodes.
    """
    from markupsafe import Markup

    import sca_envs

    packer = Packer(trajectories)
    page = templates().get_template("viewer/page.html")
    parts = page.generate(
        title=speakable(title),
        version=sca_envs.__version__,
        style=style("theme.css", "viewer/viewer.css"),
        script=script("theme.js", *(f"viewer/{name}.js" for name in _SCRIPTS)),
        keys=KEYS,
        chunks=map(Markup, packer.chunks()),  # base64 has nothing to escape
        index=lambda: Markup(packer.index()),  # complete after the last chunk
    )
    file.writelines(parts)
    return packer.episodes


def _title(run: Path) -> str:
    """Return a run's name: that of its folder, in which the file has its usual name."""
    run = run.absolute()
    return run.name if run.is_dir() or run.stem != "trajectories" else run.parent.name
