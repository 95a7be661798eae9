"""Runs to look at, and a real browser to look with."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sca_envs.bench.evaluating.evaluation import evaluate
from sca_envs.bench.leaderboard.adding import add_submission
from sca_envs.bench.trajectories.trajectory import Trajectory
from sca_envs.bench.trajectories.trajectory_files import write_trajectories
from tests.bench.boards import WHO

Open = Callable[..., Any]
"""Opens an HTML file: (path, hash, size) -> Playwright's page."""

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
HOSTILE = (
    "</script><script>window.owned = 1</script>"
    "<img src=x onerror='window.owned = 1'><!--<script> --> &lt;b&gt; {{ 7 * 7 }} {% raw %} "
    "\ud800 half \u202e turned \x00 \x1b[31m ' \" ` ${window.owned = 1}"
)


@pytest.fixture(scope="session")
def episodes() -> list[Trajectory]:
    """Twelve solved episodes, four of an agent that does nothing, four of a random one."""
    found: list[Trajectory] = []
    for agent, tasks, trials in (("reference", 6, 2), ("noop", 4, 1), ("random", 4, 1)):
        run = evaluate("sca/TauRetail-v0", agent, num_tasks=tasks, trials=trials)
        found += run.trajectories()
    return found


@pytest.fixture(scope="session")
def hostile(episodes: list[Trajectory]) -> Trajectory:
    """An episode in which every text tries to be something else."""
    one = episodes[0].model_copy(deep=True)
    for name in ("task_id", "agent", "instruction", "opening", "termination_reason"):
        setattr(one, name, HOSTILE)
    one.reward_components = {HOSTILE: 0.5}
    one.reward = 0.0
    one.messages = [{"role": "system", "content": HOSTILE}]
    for turn in one.turns:
        turn.action = turn.observation = turn.source = HOSTILE
        for change in turn.changes:
            change.table = change.record = change.before = change.after = HOSTILE
    return one


@pytest.fixture(scope="session")
def run(
    episodes: list[Trajectory], hostile: Trajectory, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a run with all these episodes, the hostile one last."""
    folder = tmp_path_factory.mktemp("runs") / "a run"
    folder.mkdir()
    write_trajectories([*episodes, hostile], folder / "trajectories.jsonl")
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of the reference agent and of one that does nothing."""
    folder = tmp_path_factory.mktemp("finished")
    for agent in ("reference", "noop"):
        evaluate("sca/TauRetail-v0", agent, num_tasks=3, trials=2, out=folder / agent)
    evaluate("sca/M3DnaSequencer-v0", "reference", num_tasks=2, trials=2, out=folder / "dna")
    return folder


@pytest.fixture
def submissions(finished: Path, tmp_path: Path) -> Path:
    """A folder with two submissions, of which the first has two runs."""
    folder = tmp_path / "submissions"
    add_submission([finished / "reference", finished / "dna"], **WHO, out=folder)
    add_submission(
        [finished / "noop"],
        **{**WHO, "name": "<b>Nothing</b>", "organization": "</td><script>owned()</script>"},
        links=["https://example.org/?a=1&b=2"],
        notes="Does <i>nothing</i>.",
        out=folder,
    )
    return folder


@pytest.fixture
def submission(submissions: Path) -> Path:
    """The folder of the first one."""
    return submissions / "tool-calling-model-1"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium of the system."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Open pages; whatever one says to the console or asks of the network fails the test."""
    contexts: list[Any] = []
    noise: list[str] = []

    def open_file(path: Path, at: str = "", size: tuple[int, int] = (1440, 900)) -> Any:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: noise.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: noise.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (noise.append("a dialog"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(("file:", "data:")) else noise.append(request.url)
            ),
        )
        page.goto(path.as_uri() + at)
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert not noise
