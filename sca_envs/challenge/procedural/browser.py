"""Tasks of the web browser.

Every solution follows links that it has seen, as a visitor does: what a step finds on a page is
the next step's address. The walk begins at the start page, or at a page that the task names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sca_envs.challenge.procedural.draft import Draft
from sca_envs.challenge.procedural.parts import Explorer
from sca_envs.challenge.procedural.planned import embellish
from sca_envs.core.database import Database, Record
from sca_envs.core.errors import OptionError
from sca_envs.domains.m3.plans import DeadEnd, Plan, Term
from sca_envs.domains.tau.goals import enumerate_words
from sca_envs.domains.web_browsing.catalog import DEPARTMENTS

_LINK = re.compile(r"^(.*) \[Clickable '([^']+)'\]$", re.MULTILINE)
_MONEY = "Answer a number with two digits, such as 12.34."


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


def _walk_to(walk: Walk, address: str) -> str:
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


Made = tuple[str, Term, list[str]]
"""What is asked, the answer, and wrong ways to read it off (expressions)."""


def price(walk: Walk) -> Made:
    """Ask for the price of an item, or of several of it."""
    address, item = walk.x.pick(walk.rows("items").items())
    where = _walk_to(walk, address)
    count = walk.x.pick((1, 1, walk.x.rng.randint(2, 20)))
    now = walk.price()
    answer = now if count == 1 else walk.worked_out(f"{count} * {{0}}", now)
    slots = {"where": where, "item": item["name"], "n": count, "form": _MONEY}
    if count == 1:
        wordings: tuple[str, ...] = (
            "{where} What does the {item} cost now? {form}",
            "{where} I want to know the present price of the {item}. {form}",
            "{where} Find the {item} and tell me its price. {form}",
        )
    else:
        wordings = (
            "{where} What do {n} pieces of the {item} cost at today's price? {form}",
            "{where} We need {n} of the {item}. How much is that together? {form}",
        )
    wrong = [str(item["regular_price"] or item["price"] + 1), f"round({answer.code} * 1.1, 2)"]
    return walk.x.say(wordings, **slots), answer, [*wrong, f"int({now.code})"]


def saving(walk: Walk) -> Made:
    """Ask how much cheaper a reduced item is, in dollars or in percent."""
    reduced = {a: row for a, row in walk.rows("items").items() if row["regular_price"]}
    address, item = walk.x.pick(reduced.items())
    if walk.x.rng.random() < 0.5:
        walk.begin("/offers")
        walk.follow(address)
        where = walk.x.say(("Begin at the page /offers.", "Look among what is on /offers."))
    else:
        where = _walk_to(walk, address)
    now, before = walk.price(), walk.price("Regular price: $")
    asked = walk.x.pick(("before", "saving", "percent"))
    if asked == "before":
        answer, text = before, "What is the regular price of the {item}?"
    elif asked == "saving":
        answer = walk.worked_out("{0} - {1}", before, now)
        text = "By how many dollars is the {item} reduced?"
    else:
        answer = walk.worked_out("100 * ({0} - {1}) / {0}", before, now)
        text = "By how many percent is the {item} cheaper than regularly?"
    wrongs = [now.code, f"round({before.code} + {now.code}, 2)", f"int({answer.code})"]
    return f"{where} {text.format(item=item['name'])} {_MONEY}", answer, wrongs


def two_items(walk: Walk) -> Made:
    """Ask for two or three items together, or for the difference of two."""
    items = walk.rows("items")
    addresses = walk.x.rng.sample(list(items), walk.x.pick((2, 2, 3)))
    prices = []
    for address in addresses:
        walk.begin(address)
        prices.append(walk.price())
    pages = enumerate_words(addresses)
    discount = walk.x.pick((0, 0, walk.x.rng.randint(5, 30)))
    if len(addresses) == 2 and walk.x.rng.random() < 0.4:
        text = f"By how much is what is offered on {pages} different in price?"
        higher, lower = sorted(prices, key=lambda term: -term.value)
        first, second = prices
        answer = walk.plan.derive(
            round(higher.value - lower.value, 2), "round(abs({0} - {1}), 2)", first, second
        )
    elif walk.x.rng.random() < 0.4:
        text = walk.x.say(
            (
                "Which price is the lowest of those on {pages}?",
                "Compare the prices on {pages} and answer the lowest.",
            ),
            pages=pages,
        )
        code = f"min([{', '.join(f'{{{i}}}' for i in range(len(prices)))}])"
        answer = walk.plan.derive(min(term.value for term in prices), code, *prices)
    else:
        less = f" after a discount of {discount}%" if discount else ""
        text = walk.x.say(
            (
                "What do the things on {pages} cost together{less}?",
                "I buy what is offered on {pages}. How much is it in all{less}?",
            ),
            pages=pages,
            less=less,
        )
        total = " + ".join(f"{{{i}}}" for i in range(len(prices)))
        answer = walk.worked_out(
            f"({total}) * (1 - {discount} / 100)" if discount else total, *prices
        )
    codes = [term.code for term in prices]
    wrongs = [codes[0], codes[-1], f"round({' + '.join(codes)} + 1, 2)", f"max({codes[0]}, 1)"]
    return f"{text} {_MONEY}", answer, wrongs


_FIELDS = {
    "email": ("E-mail: ", ("e-mail address", "e-mail")),
    "phone": ("Phone: ", ("phone number", "telephone number")),
    "skill": ("Skills: ", ("skills (as the page has them)", "skills, with the slash")),
}


def contact(walk: Walk) -> Made:
    """Ask for something about a person."""
    address, person = walk.x.pick(walk.rows("people").items())
    where = _walk_to(walk, address)
    field = walk.x.pick(_FIELDS)
    before, names = _FIELDS[field]
    answer = walk.part(before)
    others = [walk.reads(_FIELDS[other][0]) for other in _FIELDS if other != field]
    text = walk.x.say(
        (
            "{where} Find the {what} of {name} of the {department} department.",
            "{where} I need the {what} of {name}, who works in the {department} department.",
            "{where} {name} belongs to the {department} department. Answer that person's {what}.",
        ),
        where=where,
        what=walk.x.pick(names),
        name=person["name"],
        department=DEPARTMENTS[person["department"]],
    )
    return text, answer, [*others, repr(person["name"])]


def author(walk: Walk) -> Made:
    """Ask for something about the author of an article."""
    address, article = walk.x.pick(walk.rows("articles").items())
    where = _walk_to(walk, address)
    person = walk.rows("people")[article["author"]]
    field = walk.x.pick((*_FIELDS, "name"))
    if field == "name":
        answer = walk.part("\nBy ", " [Clickable")
        what = "full name"
        others = [walk.reads("\n\n"), repr(person["email"])]
    else:
        walk.follow(article["author"])
        before, names = _FIELDS[field]
        answer, what = walk.part(before), walk.x.pick(names)
        others = [walk.reads(_FIELDS[other][0]) for other in _FIELDS if other != field]
    text = walk.x.say(
        (
            "{where} Somebody wrote '{title}' in the journal. Answer the {what} of the author.",
            "{where} What is the {what} of whoever wrote the article '{title}'?",
            "{where} I enjoyed '{title}' and want the author's {what}.",
        ),
        where=where,
        what=what,
        title=article["title"],
    )
    return text, answer, [*others, "'unknown'"]


def recommended(walk: Walk) -> Made:
    """Ask for the item that an article recommends."""
    address, article = walk.x.pick(walk.rows("articles").items())
    where = _walk_to(walk, address)
    shown, _ = walk.find(article["item"])
    item = walk.rows("items")[article["item"]]
    asked = walk.x.pick(("name", "price", "many"))
    if asked == "name":
        value = shown.value.split("We recommend: ")[1].split(" [")[0]
        answer = walk.plan.derive(value, "{0}.split('We recommend: ')[1].split(' [')[0]", shown)
        ask = "Answer the name of what it recommends."
        wrongs = [repr(item["category"]), repr(article["title"]), repr(item["name"].split()[0])]
    else:
        walk.follow(article["item"])
        answer = walk.price()
        ask = f"What does the thing that it recommends cost? {_MONEY}"
        if asked == "many":
            count = walk.x.rng.randint(2, 12)
            answer = walk.worked_out(f"{count} * {{0}}", answer)
            ask = f"What do {count} of the thing that it recommends cost? {_MONEY}"
        wrongs = [f"round({answer.code} + 1, 2)", f"int({answer.code})", "0"]
    text = walk.x.say(
        (
            "{where} Read the journal's article '{title}'. {ask}",
            "{where} There is an article called '{title}' in the journal. {ask}",
        ),
        where=where,
        title=article["title"],
        ask=ask,
    )
    return text, answer, wrongs


def count_links(walk: Walk) -> Made:
    """Ask how many people a department has, or how many items a category has."""
    people = walk.x.rng.random() < 0.4
    rows = walk.rows("people" if people else "items")
    key = "department" if people else "category"
    group = walk.x.pick(row[key] for row in rows.values())
    address = f"/people/{group}" if people else f"/catalog/{group}"
    where = _walk_to(walk, address)
    shown = walk.whole_page()
    marks = [term.value.count("\n- ") for term in shown]
    code = " + ".join(f"{{{i}}}.count('\\n- ')" for i in range(len(shown)))
    answer = walk.plan.derive(sum(marks), code, *shown)
    what = f"people {DEPARTMENTS[group]} has" if people else f"different {group} there are"
    text = walk.x.say(
        (
            "{where} How many {what}? Count the list on the page.",
            "{where} Count how many {what}, as the site lists them.",
        ),
        where=where,
        what=what,
    )
    return text, answer, [f"{answer.code} + 1", f"{answer.code} - 1", "5"]


KINDS: dict[Callable[[Walk], Made], tuple[int, ...]] = {
    price: (1, 2, 3, 4, 5, 6),
    saving: (1, 2, 3, 4, 5, 6),
    two_items: (2, 3, 4),
    contact: (1, 2, 3, 4, 5, 6),
    author: (1, 2, 3, 4, 5, 6),
    recommended: (2, 3, 4, 5, 6),
    count_links: (1, 2, 3, 4, 5, 6),
}
"""The kinds of tasks -> the numbers of calls that they can have."""


def draft(x: Explorer, calls: int) -> Draft:
    """Draw the draft of a web task.

    Args:
        x: Explores.
        calls: How many tool calls the solution makes.

    Raises:
        DeadEnd: If what was drawn makes no such task.
        OptionError: If the site is not a generated one.
    """
    if "items" not in x.domain.base.tables:
        raise OptionError(
            f"The procedural challenger makes web tasks of generated sites only, got data "
            f"{x.domain.data!r}; use data='generated'"
        )
    walk = Walk(x)
    kind = x.pick(kind for kind, sizes in KINDS.items() if calls in sizes)
    text, answer, wrongs = kind(walk)
    if len(walk.plan.actions) != calls:
        raise DeadEnd
    solution = walk.plan.solution(answer)
    body = solution.rpartition("answer(")[0]
    stays = x.rng.random() < 0.4
    if stays:
        text += x.say(
            (
                " Leave that last page open in the browser ({page}).",
                " When you are done, the browser must still show {page}.",
                " At the end the page {page} has to be open.",
            ),
            page=walk.address,
        )
    moved = [f"{body}go_to_previous_page()\nanswer({answer.code})\n"] if stays and calls > 1 else []
    if stays:
        moved.append(f"{body}click_url('/about')\nanswer({answer.code})\n")
    return Draft(
        embellish(x, text),
        solution,
        (*moved, *(f"{body}answer({wrong})\n" for wrong in wrongs)),
        pages=True,
        page=walk.address if stays else None,
    )
