"""Visits to the generated site, as somebody makes them who has not seen it before."""

from __future__ import annotations

import re
from typing import Any

from sca_envs.core.database import Record
from sca_envs.core.wishes import DeadEnd, Term
from sca_envs.domains.m3.plans import Plan

_LINK = re.compile(r"^(.*) \[Clickable '([^']+)'\]$", re.MULTILINE)
_VIEW = re.compile(r"\[Viewing page (\d+) of (\d+)\]")


class Surfer:
    """Follows displayed links only: what a step shows is the next step's address.

    Args:
        plan: The solution in which every step is noted.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.address = ""
        """The page that is open."""
        self.views: list[Term] = []
        """What the browser has shown of it."""
        self._links: dict[str, Term] = {}
        """Address -> the same, as it is read off what the browser showed."""

    def rows(self, table: str) -> dict[str, Record]:
        """Return what the site was made from, to choose what a question is about."""
        return self.plan.database.base.tables[table]

    # Where to go

    def start(self, address: str = "/") -> None:
        """Open the page where a visit begins; the browser is at the start page already."""
        if address == "/":
            self._look(address, "view")
        else:
            self._look(address, "click_url", address)

    def open(self, address: str) -> None:
        """Open a page by its link, and before it the pages on the way to that link.

        Raises:
            DeadEnd: If no page on the way has the link.
        """
        if address not in self._links:
            parent = address.rpartition("/")[0] or "/"
            if self.address != parent and address not in self._on_page():
                self.open(parent)
            self.find(address)
        self._look(address, "click_url", self._links[address])

    def visit(self, address: str) -> str:
        """Draw where the visit to a page begins and go there.

        A Code-as-Task, which has to have a number of calls, may begin further in than others.

        Returns:
            The words that say where to begin; none for the start page of a `Task`.
        """
        parts = address.strip("/").split("/")
        way = ["/", *("/" + "/".join(parts[:end]) for end in range(1, len(parts) + 1))]
        place = 0 if self.plan.calls is None else self.plan.rng.randrange(len(way))
        self.start(way[place])
        for target in way[place + 1 :]:
            self.open(target)
        if self.plan.calls is None:
            return ""
        key = "at_start" if place == 0 else "at_page" if place == len(way) - 1 else "on_the_way"
        return self.plan.say(key, page=way[place])

    def find(self, address: str) -> Term:
        """Scroll down until the link to a page is shown; return what is shown then."""
        while address not in self._links:
            if "Reached the bottom" in self._scroll().value:
                raise DeadEnd
        return self.views[-1]

    def read_all(self) -> list[Term]:
        """Scroll to the end of the page; return all that was shown of it."""
        while (view := _VIEW.search(self.views[-1].value)) and view[1] != view[2]:
            self._scroll()
        return list(self.views)

    # What is there

    def part(self, before: str, after: str = "\n") -> Term:
        """Return what stands between two texts, where the page was shown last.

        Raises:
            DeadEnd: If the first one is not there.
        """
        return _between(self.views[-1], before, after)

    def price(self, before: str = "\nPrice: $") -> Term:
        """Return the price that stands after a text."""
        text = self.part(before)
        return Term(float(text.value), ("float(", *text.code, ")"))

    def _on_page(self) -> set[str]:
        page = self.rows("pages").get(self.address, {"content": ""})
        return {address for _, address in _LINK.findall(page["content"])}

    def _scroll(self) -> Term:
        self.views.append(self.plan.call("scroll_down"))
        return self._note_links()

    def _look(self, address: str, tool: str, *arguments: Any) -> None:
        self.address = address
        self.views = [self.plan.call(tool, *arguments)]
        self._note_links()

    def _note_links(self) -> Term:
        view = self.views[-1]
        for text, address in _LINK.findall(view.value):
            self._links.setdefault(address, _between(view, f"{text} [Clickable '", "'"))
        return view


def _between(view: Term, before: str, after: str) -> Term:
    pieces = view.value.split(before)
    if len(pieces) < 2:
        raise DeadEnd
    code = (*view.code, f".split({before!r})[1].split({after!r})[0]")
    return Term(pieces[1].split(after)[0], code)
