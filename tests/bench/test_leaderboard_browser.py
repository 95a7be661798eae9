"""The leaderboard's site in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sca_envs.bench.evaluating.evaluation import evaluate
from sca_envs.bench.leaderboard.adding import add_submission
from sca_envs.bench.leaderboard.site import build_site
from tests.bench.conftest import HOSTILE, Open

TITLE = " ".join(re.sub(r"[\x00-\x1f\u202e\ud800-\udfff]", "", HOSTILE).split())[:200]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    names = {"noop": "Nothing", "random": TITLE, "reference": "All"}
    for agent, name in names.items():
        run = folder / agent
        evaluate("sca/TauRetail-v0", agent, num_tasks=3, trials=2, out=run)
        add_submission(
            [run], name=name, model=agent, organization=TITLE, notes=TITLE, out=folder / "all"
        )
    return build_site(folder / "all", folder / "site", title=TITLE)


def _models(page: Any) -> list[str]:
    cells = page.locator("section >> nth=0").locator("tbody td:nth-child(2)")
    return [text.strip() for text in cells.all_text_contents()]


def test_sort_by_a_column(site: Path, open_page: Open) -> None:
    page = open_page(site)
    assert _models(page)[0] == "reference"
    head = page.locator("thead th", has_text="pass^1").first
    assert head.get_attribute("aria-sort") == "descending"
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert _models(page)[-1] == "reference"
    head.locator("button").press("Enter")
    assert _models(page)[0] == "reference"
    page.locator("thead th", has_text="model").first.locator("button").click()
    assert _models(page) == ["noop", "random", "reference"]
    assert head.get_attribute("aria-sort") == "none"


def test_names_are_texts(site: Path, open_page: Open) -> None:
    page = open_page(site)
    assert page.title() == TITLE
    assert page.locator("tbody th a", has_text="</script><script>").count() == 1
    assert page.evaluate("window.owned") is None
    assert page.locator("img").count() == 0
    page.locator("tbody th a", has_text="</script><script>").click()
    assert page.locator("h1").text_content() == TITLE
    assert page.locator(".notes").text_content() == TITLE
    assert page.evaluate("window.owned") is None


def test_curves_and_published_numbers(site: Path, open_page: Open) -> None:
    page = open_page(site)
    assert page.locator("svg .curve").count() == 3
    assert page.locator("svg circle title").first.text_content() == (
        "All, reference: pass^1 100.0% (100.0% to 100.0%)"
    )
    elsewhere = page.locator("#published")
    assert "not measurements of this leaderboard" in elsewhere.inner_text()
    assert elsewhere.locator("a", has_text="sierra-research/tau-bench").count() == 2
    claude = elsewhere.locator("tr", has_text="claude-3-5-sonnet-20241022").first
    assert claude.locator("td").all_text_contents() == [
        "tool calling",
        "69.2",
        "57.6",
        "50.9",
        "46.2",
    ]


def test_from_the_table_to_an_episode(site: Path, open_page: Open) -> None:
    page = open_page(site)
    page.click("text=All")
    assert page.locator("h1").text_content() == "All"
    page.click("text=Look at its 6 episodes")
    page.wait_for_selector("body[data-ready]", state="attached")
    assert page.locator(".episode .turn").count() > 2


def test_on_a_phone(site: Path, open_page: Open) -> None:
    page = open_page(site, size=(390, 844))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cell = page.locator("section >> nth=0").locator("tbody td.number >> nth=0")
    box = cell.bounding_box()
    assert box["x"] + box["width"] < 390  # pass^1 is in sight
    page.click("text=All")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
