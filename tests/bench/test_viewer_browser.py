"""The viewer in a real browser: what a person sees, and that nothing else happens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sca_envs.bench.trajectories.trajectory import RecordChange, Trajectory
from sca_envs.bench.viewing.viewer import write_page, write_viewer
from tests.bench.conftest import HOSTILE, Open

PHONE = (390, 844)


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


@pytest.fixture(scope="module")
def view(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_viewer(run, tmp_path_factory.mktemp("view") / "view.html")


def _ready(page: Any) -> Any:
    page.wait_for_selector("body[data-ready]", state="attached")
    return page


def _count(page: Any, text: str) -> None:
    _expect(page.locator("#count")).to_have_text(re.compile(text.replace(" ", r"\s")))


def _page(trajectories: list[Trajectory], folder: Path, title: str = "a run") -> Path:
    path = folder / "view.html"
    with path.open("w", encoding="utf-8") as file:
        write_page(trajectories, title, file)
    return path


def test_opens_with_the_first_episode(
    view: Path, open_page: Open, episodes: list[Trajectory]
) -> None:
    page = _ready(open_page(view))
    assert page.title() == "a run · sca view"
    _count(page, "^21 episodes · 57.1 % solved$")
    first = episodes[0]
    _expect(page.locator(".episode h1")).to_contain_text(first.task_id)
    _expect(page.locator("#turn-0")).to_contain_text(first.opening)
    assert page.locator(".episode .turn").count() == len(first.turns) + 1
    _expect(page.locator(".rewards")).to_contain_text("database")
    _expect(page.locator(".episode .ending")).to_contain_text("user_stop")


def test_filters(view: Path, open_page: Open, episodes: list[Trajectory]) -> None:
    page = _ready(open_page(view))
    page.click("[data-outcome=success]")
    _count(page, "^12 of 21 episodes · 100.0 % solved$")
    page.fill("#task", episodes[0].task_id)
    _count(page, "^2 of 21 episodes")
    page.click("#clear")
    _count(page, "^21 episodes")
    page.select_option("#agent", '"noop"')
    _count(page, "^4 of 21 episodes · 0.0 % solved$")
    page.click("#clear")
    reasons = page.locator("#reason option").all_text_contents()
    assert any(reason.startswith("user_stop (") for reason in reasons)
    page.select_option("#reason", '"user_stop"')
    wanted = sum(one.termination_reason == "user_stop" for one in episodes)
    _count(page, f"^{wanted} of 21 episodes")


def test_search_in_conversations(
    open_page: Open, episodes: list[Trajectory], tmp_path: Path
) -> None:
    one = episodes[3].model_copy(deep=True)
    one.turns[0].observation = '{"city": "Zürich \\u00e9", "said": "so"}'
    page = _ready(open_page(_page([*episodes[:3], one], tmp_path)))
    for text in ("ZÜRICH", '"said": "so"', "\\u00e9"):
        page.fill("#text", text)
        _count(page, "^1 of 4 episodes")
        page.locator(".item").click()
        _expect(page.locator("#turn-1 mark").first).to_have_text(
            re.compile("zürich|said|u00e9", re.I)
        )
    page.fill("#text", "observation")  # the name of a key is not something that was said
    _count(page, "^0 of 4 episodes")
    page.fill("#text", "")
    _count(page, "^4 episodes")


def test_keys(view: Path, open_page: Open, episodes: list[Trajectory]) -> None:
    page = _ready(open_page(view))
    title = page.locator(".episode h1")

    def at(number: int) -> None:
        page.wait_for_url(f"**#episode={number}")
        _expect(title).to_contain_text(episodes[number].task_id)
        _expect(page.locator("[aria-selected=true]")).to_have_id(f"row-{number}")

    for key, number in (("j", 1), ("ArrowDown", 2), ("k", 1), ("ArrowUp", 0), ("k", 0)):
        page.keyboard.press(key)
        at(number)
    page.keyboard.press("G")
    page.wait_for_url("**#episode=20")
    page.keyboard.press("g")
    at(0)
    for turn in (0, 1, 2):
        page.keyboard.press("l")
        _expect(page.locator(f"#turn-{turn}")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    _expect(page.locator("#turn-1")).to_be_focused()
    page.keyboard.press("/")
    _expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("jjj")  # letters in a field are letters
    _count(page, "^0 of 21 episodes")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    _count(page, "^21 episodes")
    page.keyboard.press("?")
    _expect(page.locator("#help")).to_be_visible()
    _expect(page.locator("#help")).to_contain_text("next, previous turn")
    page.keyboard.press("Escape")
    _expect(page.locator("#help")).to_be_hidden()


def test_light_and_dark(view: Path, open_page: Open) -> None:
    page = _ready(open_page(view))
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.keyboard.press("t")
    dark = page.evaluate(colour)
    assert dark != light
    page.reload()
    assert _ready(page).evaluate(colour) == dark


def test_a_change_of_the_database(
    open_page: Open, episodes: list[Trajectory], tmp_path: Path
) -> None:
    one = episodes[0].model_copy(deep=True)
    one.turns[1].changes = [
        RecordChange(
            table="orders", record="#W1", field="/price", kind="change", before=50, after=50.0
        ),
        RecordChange(table="orders", record="#W1", field="/status", kind="add", after="cancelled"),
        RecordChange(table="orders", record="#W2", kind="remove", before={"id": "#W2"}),
    ]
    page = _ready(open_page(_page([one], tmp_path)))
    page.keyboard.press("c")
    box = page.locator("#turn-2 .database")
    _expect(box).to_be_focused()
    _expect(box).to_be_in_viewport()
    _expect(box.locator("h4")).to_have_text(re.compile(r"database: 3\schanges"))
    price, status, removed = box.locator("li").all()
    _expect(price.locator(".path")).to_contain_text("orders / #W1/price")
    _expect(price.locator(".before pre")).to_have_text("50")
    _expect(price.locator(".after pre")).to_have_text("50.0")
    _expect(status.locator(".after pre")).to_have_text('"cancelled"')
    assert status.locator(".before").count() == 0
    _expect(removed.locator(".before pre")).to_have_text('{"id": "#W2"}')


def test_calls_and_results(open_page: Open, episodes: list[Trajectory], tmp_path: Path) -> None:
    one = episodes[0].model_copy(deep=True)
    call = '{"order_id": "#W1", "items": ["a", {"b": 1.50}], "big": 12345678901234567890}'
    one.messages[2]["tool_calls"][0]["function"]["arguments"] = call
    one.turns[0].observation = "Error: order not found"
    one.turns[1].observation = '{"a": 50.0, "b": "x\\n", "c": [' + "1, " * 80 + "2]}"
    page = _ready(open_page(_page([one], tmp_path)))
    names = page.locator("#turn-1 .arguments dt").all_text_contents()
    values = page.locator("#turn-1 .arguments dd").all_text_contents()
    assert names == ["order_id", "items", "big"]
    assert values == ["#W1", '["a", {"b": 1.50}]', "12345678901234567890"]
    _expect(page.locator("#turn-1 .error")).to_contain_text("order not found")
    _expect(page.locator("#turn-2 .tool pre")).to_contain_text('"a": 50.0')
    page.click("#turn-1 .agent .link")
    _expect(page.locator("#turn-1 .raw")).to_have_text(one.turns[0].action)


def test_long_texts_are_cut_until_asked_for(
    open_page: Open, episodes: list[Trajectory], tmp_path: Path
) -> None:
    one = episodes[0].model_copy(deep=True)
    one.turns[0].observation = "word " * 20_000 + "the end"
    page = _ready(open_page(_page([one], tmp_path)))
    text = page.locator("#turn-1 .tool pre")
    assert text.bounding_box()["height"] < 400
    page.get_by_role("button", name=re.compile(r"show all 100,007\scharacters")).click()
    assert text.bounding_box()["height"] > 2_000


def test_hostile_texts_are_texts(view: Path, open_page: Open) -> None:
    page = _ready(open_page(view, "#episode=20"))
    seen = (
        HOSTILE.replace("\ud800", "\\ud800")
        .replace("\u202e", "\\u202e")
        .replace("\x00", "\\u0000")
        .replace("\x1b", "\\u001b")
    )
    _expect(page.locator("#turn-0 pre")).to_have_text(seen)
    assert page.locator(".episode pre").first.text_content() == seen
    assert page.evaluate("window.owned") is None
    assert page.locator("img, .episode script, .side script").count() == 0
    page.fill("#text", "window.owned")
    _count(page, "^1 of 21 episodes")


def test_hostile_title(open_page: Open, tmp_path: Path) -> None:
    page = _ready(open_page(_page([], tmp_path, title=HOSTILE)))
    assert page.title().startswith("</script><script>window.owned = 1</script>")
    assert page.evaluate("window.owned") is None
    _count(page, "^0 episodes$")


def test_on_a_phone(view: Path, open_page: Open, episodes: list[Trajectory]) -> None:
    page = _ready(open_page(view, size=PHONE))
    _expect(page.locator("#list")).to_be_visible()
    _expect(page.locator("#episode")).to_be_hidden()
    page.locator("#row-1").click()
    _expect(page.locator(".episode h1")).to_contain_text(episodes[1].task_id)
    _expect(page.locator("#list")).to_be_hidden()
    for part in ("document.documentElement", "document.getElementById('episode')"):
        assert page.evaluate(f"{part}.scrollWidth") <= PHONE[0]
    page.click(".back")
    _expect(page.locator("#list")).to_be_visible()


@pytest.mark.slow
def test_ten_thousand_episodes(open_page: Open, episodes: list[Trajectory], tmp_path: Path) -> None:
    """They open, and only those in sight are drawn; `benchmarks/bench_viewer.py` measures."""
    few = [episodes[0], *(one for one in episodes if one.agent == "noop")]
    many = [
        few[i % len(few)].model_copy(update={"task_id": f"task-{i}", "trial": i % 4})
        for i in range(10_000)
    ]
    page = _ready(open_page(_page(many, tmp_path)))
    _count(page, "^10,000 episodes")
    assert 10 < page.locator(".item").count() < 60
    page.keyboard.press("G")
    _expect(page.locator(".episode h1")).to_contain_text("task-9999")
    _expect(page.locator("#row-9999")).to_be_in_viewport()
    assert page.locator(".item").count() < 60
    page.fill("#task", "task-7777")
    _count(page, "^1 of 10,000 episodes")
    page.locator("#row-7777").click()
    _expect(page.locator(".episode h1")).to_contain_text("task-7777")
    page.select_option("#sort", "turns")
    page.click("#clear")
    page.fill("#text", "I cannot help with that")
    done = sum(one.agent == "noop" for one in many)
    _count(page, f"^{done:,} of 10,000 episodes · [0-9.]+ % solved$")
