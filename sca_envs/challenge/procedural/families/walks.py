"""Visits to the web browser's site that follow displayed links only, noted as plans."""

from __future__ import annotations

import re
from typing import Any

from sca_envs.challenge.procedural.parts import Explorer
from sca_envs.core.database import Database, Record
from sca_envs.domains.m3.plans import DeadEnd, Plan, Term

_LINK = re.compile(r"^(.*) \[Clickable '([^']+)'\]$", re.MULTILINE)


class Walk:
    """A visit to the site, noted as a plan.

    Args:
        x: Explores.
    """

    def __init__(self, x: Explorer) -> None:
        self.x = x
        self.plan = Plan(x.rng, x.domain.tools, Database(x.domain.base), stateful=True)
        self.address = ""
        self._shown: list[Term] = []
        """What the browser has shown of the page."""

    @property
    def at_top(self) -> bool:
        """Whether the browser shows the top of the page."""
        return len(self._shown) == 1

    def begin(self, address: str) -> Term:
        """Open the page where the walk begins; the browser is at the start page already."""
        if address == "/":
            return self._look(address, "view")
        return self._look(address, "click_url", address)

    def follow(self, address: str) -> Term:
        """Scroll down to the link to a page and open it.

        Raises:
            DeadEnd: If the page has no such link.
        """
        shown, text = self.find(address)
        link = self.plan.derive(
            address, f'{{0}}.split({text + " [Clickable " + chr(39)!r})[1].split("\'")[0]', shown
        )
        return self._look(address, "click_url", link)

    def find(self, address: str) -> tuple[Term, str]:
        """Scroll down to the link to a page; return what is shown there, and the link's text."""
        while True:
            shown = self._shown[-1]
            for text, target in _LINK.findall(shown.value):
                if target == address:
                    return shown, text
            if len(self._shown) > 6:
                raise DeadEnd
            self._shown.append(self.plan.call("scroll_down"))
            if "Reached the bottom" in self._shown[-1].value:
                raise DeadEnd

    def whole_page(self) -> list[Term]:
        """Scroll to the end of the page; return all that was shown of it."""
        while True:
            found = re.search(r"\[Viewing page (\d+) of (\d+)\]", self._shown[-1].value)
            if found is None or found[1] == found[2]:
                return list(self._shown)
            self._shown.append(self.plan.call("scroll_down"))

    def part(self, before: str, after: str = "\n") -> Term:
        """Return what stands between two texts on the page, where it was shown last."""
        shown = self._shown[-1]
        pieces = shown.value.split(before)
        if len(pieces) < 2:
            raise DeadEnd
        code = f"{{0}}.split({before!r})[1].split({after!r})[0]"
        return self.plan.derive(pieces[1].split(after)[0], code, shown)

    def reads(self, before: str) -> str:
        """Return an expression for what stands after a text on the page, as a wrong answer."""
        return f"{self._shown[-1].code}.split({before!r})[1].split('\\n')[0]"

    def price(self, before: str = "\nPrice: $") -> Term:
        """Return the price on the page."""
        text = self.part(before)
        return self.plan.derive(float(text.value), "float({0})", text)

    def worked_out(self, expression: str, *terms: Term) -> Term:
        """Let the browser's calculator work out an expression with ``{0}``, ``{1}`` … in it."""
        value = expression.format(*(repr(term.value) for term in terms))
        places = [f"{{{{{{{i}}}}}}}" for i in range(len(terms))]  # {{{0}}}: a term in an f-string
        text = self.plan.derive(value, f"f'{expression.format(*places)}'", *terms)
        return self.plan.rounded(self.plan.call("calculator", text))

    def _look(self, address: str, tool: str, *arguments: Any) -> Term:
        self.address = address
        self._shown = [self.plan.call(tool, *arguments)]
        return self._shown[0]

    def rows(self, table: str) -> dict[str, Record]:
        """Return what the site was made from, to choose what a task is about."""
        return self.x.domain.base.tables[table]


def _ways_to(address: str) -> list[str]:
    """Return the pages from the start page down to one, itself included."""
    parts = address.strip("/").split("/")
    return ["/", *("/" + "/".join(parts[:i]) for i in range(1, len(parts) + 1))]


def walk_to(walk: Walk, address: str) -> str:
    """Draw where a walk to a page begins and walk there; return how the task says it."""
    ways = _ways_to(address)
    place = walk.x.rng.randrange(len(ways))
    walk.begin(ways[place])
    for target in ways[place + 1 :]:
        walk.follow(target)
    if place == 0:
        return walk.x.say(
            ("Begin at the start page.", "You are on the start page.", "From the start page:")
        )
    if place == len(ways) - 1:
        return walk.x.say(
            ("Open the page {a}.", "Go to {a}.", "Look at the page {a}."), a=ways[place]
        )
    return walk.x.say(
        ("Begin at the page {a}.", "Go to {a} and on from there.", "Start from {a}."),
        a=ways[place],
    )
