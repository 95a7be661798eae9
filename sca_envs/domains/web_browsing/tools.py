"""The tools of the web browser.

The pages are one table; what the browser shows is the only record of another, so that snapshots and
forks of an episode have it, too.
"""

from __future__ import annotations

from typing import Any

from sca_envs.core.database import Database, Record
from sca_envs.domains.m3.calculator import calculate

LINES_PER_VIEW = 5
"""How many lines of a page the browser shows at once."""


def start() -> dict[str, Record]:
    """Return the table ``browser`` as it is at the beginning."""
    return {"state": {"page": "/", "scroll": 0, "history": []}}


def click_url(db: Database, url: str) -> str:
    """Open a page. Links look like [Clickable '<url>'] on a page.

    Args:
        url: The address between the quotes, such as '/about'.
    """
    url = url.replace("'", "")
    if db.get("pages", url) is None:
        return "[URL not found.]"
    browser = db.edit("browser", "state")
    browser["history"].append(browser["page"])
    return _open(db, browser, url)


def go_to_previous_page(db: Database) -> str:
    """Go back to the page that was open before this one."""
    if not _browser(db)["history"]:
        return "[No previous page.]"
    browser = db.edit("browser", "state")
    return _open(db, browser, browser["history"].pop())


def scroll_down(db: Database) -> str:
    """Show the next lines of the page."""
    if _browser(db)["scroll"] + LINES_PER_VIEW >= len(_lines(db)):
        return "[Reached the bottom of the page.]\n"
    db.edit("browser", "state")["scroll"] += LINES_PER_VIEW
    return view(db)


def scroll_up(db: Database) -> str:
    """Show the lines of the page before the present ones."""
    if _browser(db)["scroll"] <= 0:
        return "[Reached the top of the page.]\n"
    db.edit("browser", "state")["scroll"] -= LINES_PER_VIEW
    return view(db)


def view(db: Database) -> str:
    """Show what the browser shows now: the page's address and five of its lines."""
    browser, lines = _browser(db), _lines(db)
    top, count = browser["scroll"], len(lines)
    if count <= LINES_PER_VIEW:
        number, pages = 1, 1
    else:
        number, pages = top // LINES_PER_VIEW + 1, count // LINES_PER_VIEW + 1
    shown = "\n".join(lines[top : top + LINES_PER_VIEW])
    return (
        f"----------\n[Web Page Name: {browser['page']}]\n[Viewing page {number} of {pages}]\n\n"
        f"{shown}\n----------"
    )


def calculator(db: Database, expression: str) -> Any:
    """Work out an expression, such as '(3 + 4) * 2.5'.

    Args:
        expression: The expression, as Python writes it.
    """
    return calculate(expression, {})


def _open(db: Database, browser: Record, page: str) -> str:
    browser["page"], browser["scroll"] = page, 0
    return f"[Opened page: {page}]\n{view(db)}"


def _browser(db: Database) -> Record:
    browser = db.get("browser", "state")
    assert browser is not None
    return browser


def _lines(db: Database) -> list[str]:
    page = db.get("pages", _browser(db)["page"])
    assert page is not None
    lines: list[str] = page["content"].split("\n")
    return lines
