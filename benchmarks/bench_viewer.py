"""Benchmarks of the viewer: ten thousand episodes, written to a page and opened in Chromium.

Run ``pytest benchmarks/bench_viewer.py`` where Chromium and Playwright are installed. The episodes
are those of the reference agent on ten thousand generated tasks, so no two are alike. Nothing here
asserts a time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sca_envs

EPISODES = 10_000
ROUNDS = 5


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "run"
    sca_envs.evaluate("sca/TauRetail-v0", "reference", num_tasks=EPISODES, out=folder)
    return folder


@pytest.fixture(scope="module")
def view(run: Path) -> Path:
    return sca_envs.write_viewer(run)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium)
        yield started
        started.close()


def _open(browser: Any, view: Path) -> Any:
    page = browser.new_page()
    page.goto(view.as_uri())
    page.wait_for_selector("body[data-ready]", state="attached")
    return page


def _count(page: Any, text: str) -> None:
    page.locator("#count", has_text=text).wait_for(timeout=60_000)


def test_write(benchmark: Any, run: Path, tmp_path: Path) -> None:
    page = benchmark.pedantic(
        sca_envs.write_viewer, (run, tmp_path / "view.html"), rounds=1, iterations=1
    )
    benchmark.extra_info["bytes_of_trajectories"] = (run / "trajectories.jsonl").stat().st_size
    benchmark.extra_info["bytes_of_page"] = page.stat().st_size


def test_open(benchmark: Any, browser: Any, view: Path) -> None:
    """From nothing to the list and the first conversation."""
    benchmark.pedantic(lambda: _open(browser, view).close(), rounds=ROUNDS, iterations=1)


def test_last_episode(benchmark: Any, browser: Any, view: Path) -> None:
    """From a key to the conversation at the other end of the list."""
    page = _open(browser, view)

    def jump() -> None:
        page.keyboard.press("G")
        page.locator(f"#row-{EPISODES - 1}[aria-selected=true]").wait_for()
        page.wait_for_url(f"**#episode={EPISODES - 1}")

    def back() -> None:
        page.keyboard.press("g")
        page.wait_for_url("**#episode=0")

    benchmark.pedantic(jump, setup=back, rounds=ROUNDS, iterations=1)


def test_filter(benchmark: Any, browser: Any, view: Path) -> None:
    """From a letter in the field for the task to the shorter list."""
    page = _open(browser, view)

    def narrow() -> None:
        page.fill("#task", "test-99")
        _count(page, "1 of 10,000")

    benchmark.pedantic(narrow, setup=lambda: page.fill("#task", ""), rounds=ROUNDS, iterations=1)


@pytest.mark.parametrize("text", ["cancelled", "nobody says this"])
def test_search(benchmark: Any, browser: Any, view: Path, text: str) -> None:
    """From a text in the search field to the last conversation with it."""
    page = _open(browser, view)

    def search() -> None:
        page.fill("#text", text)
        page.locator("#count", has_text="searched").wait_for()
        page.locator("#count:not(:has-text('searched'))").wait_for(timeout=60_000)

    def clear() -> None:
        page.fill("#text", "")
        page.wait_for_timeout(400)

    benchmark.pedantic(search, setup=clear, rounds=3, iterations=1)
