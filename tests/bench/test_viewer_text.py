"""The viewer in a terminal."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from sca_envs.bench.trajectories.trajectory import Trajectory
from sca_envs.bench.viewing.viewer_text import Selection, print_episode, print_list, visible
from sca_envs.cli import app
from sca_envs.core.errors import OptionError


def _console() -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=200), file


def _list(trajectories: list[Trajectory], selection: Selection = Selection()) -> str:  # noqa: B008
    console, file = _console()
    print_list(trajectories, selection.check(), console)
    return file.getvalue()


def test_list(episodes: list[Trajectory]) -> None:
    text = _list(episodes)
    assert "20 of 20 episodes, 60.0% of those scored are solved" in text
    assert len(text.splitlines()) == 22
    for one in episodes:
        assert one.task_id in text


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        (Selection(outcome="success"), 12),
        (Selection(outcome="failure"), 8),
        (Selection(outcome="excluded"), 0),
        (Selection(outcome="success", task="test-0"), 2),
        (Selection(reason="user_stop", outcome="failure"), 4),
        (Selection(text="I CANNOT help"), 4),
    ],
)
def test_selection(episodes: list[Trajectory], selection: Selection, count: int) -> None:
    assert f"{count} of 20 episodes" in _list(episodes, selection)


def test_an_unknown_result_is_refused() -> None:
    with pytest.raises(OptionError, match="success, failure, excluded; got 'won'"):
        Selection(outcome="won").check()


def test_episode(episodes: list[Trajectory]) -> None:
    console, file = _console()
    print_episode(episodes, 0, console)
    text = file.getvalue()
    one = episodes[0]
    assert "✓ ended by user_stop, reward 1, database 1, outputs 1" in text
    assert one.opening[:40] in text
    changed = next(change for turn in one.turns for change in turn.changes)
    assert f"{changed.table} / {changed.record}{changed.field}: " in text
    assert "agent, turn 1" in text


def test_episode_that_is_not_there(episodes: list[Trajectory]) -> None:
    with pytest.raises(OptionError, match="from 0 to 19; got 20"):
        print_episode(episodes, 20, _console()[0])


def test_a_terminal_is_not_driven_by_what_a_model_wrote(hostile: Trajectory) -> None:
    console, file = _console()
    print_list([hostile], Selection(), console)
    print_episode([hostile], 0, console)
    text = file.getvalue()
    text.encode()
    assert not {"\x1b", "\x00", "\u202e"} & set(text)
    assert "\\u001b[31m" in text
    assert "window.owned" in text


def test_visible_keeps_what_can_be_seen() -> None:
    said = "Zoë 👩‍💻\n\t[red]日本"
    assert visible(said) == said


def test_command(run: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    listed = runner.invoke(app, ["view", str(run), "--text", "--result", "success"])
    assert listed.exit_code == 0
    assert "12 of 21 episodes" in listed.output
    shown = runner.invoke(app, ["view", str(run), "--episode", "20"])
    assert shown.exit_code == 0
    page = tmp_path / "page.html"
    written = runner.invoke(app, ["view", str(run), "--out", str(page)])
    assert written.output == f"Wrote {page}\n"
    assert page.is_file()
