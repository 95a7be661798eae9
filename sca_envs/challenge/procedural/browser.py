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


def _many(walk: Walk, each: Term) -> tuple[Term, str, list[str]]:
    """Draw how many of an item are bought, and whether there is a discount.

    Returns:
        What has to be paid, how the task says it, and wrong ways to work it out.
    """
    count = walk.x.rng.randint(2, 40)
    percent = walk.x.pick((0, 0, walk.x.rng.randint(3, 30)))
    expression = f"{count} * {{0}}" + (f" * (1 - {percent} / 100)" if percent else "")
    if walk.x.rng.random() < 0.5:
        answer = walk.worked_out(expression, each)
    else:
        value = count * each.value * (1 - percent / 100)
        answer = walk.plan.derive(round(value, 2), f"round({expression}, 2)", each)
    words = f"{count} pieces" + (f" with a discount of {percent}%" if percent else "")
    wrongs = [each.code, f"round({count + 1} * {each.code}, 2)"]
    if percent:
        wrongs.append(f"round({count} * {each.code}, 2)")
    return answer, words, wrongs


def price(walk: Walk) -> Made:
    """Ask for the price of an item, or of several of it."""
    address, item = walk.x.pick(walk.rows("items").items())
    where = _walk_to(walk, address)
    now = walk.price()
    slots = {"where": where, "item": item["name"], "form": _MONEY}
    if walk.x.rng.random() < 0.08:
        wordings: tuple[str, ...] = (
            "{where} What does the {item} cost now? {form}",
            "{where} I want to know the present price of the {item}. {form}",
            "{where} Find the {item} and tell me its price. {form}",
        )
        wrong = [str(item["regular_price"] or item["price"] + 1), f"round({now.code} * 1.1, 2)"]
        return walk.x.say(wordings, **slots), now, [*wrong, f"int({now.code})"]
    answer, words, wrong = _many(walk, now)
    wordings = (
        "{where} What do {many} of the {item} cost at today's price? {form}",
        "{where} We need {many} of the {item}. How much is that together? {form}",
        "{where} Look up the {item}. I buy {many}; what is the total? {form}",
    )
    return walk.x.say(wordings, many=words, **slots), answer, wrong


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
    asked = walk.x.pick(("before", "saving", "percent", "many", "many", "many", "many"))
    if asked == "before":
        answer, text = before, "What is the regular price of the {item}?"
    elif asked == "many":
        less = walk.plan.derive(
            round(before.value - now.value, 2), "round({0} - {1}, 2)", before, now
        )
        answer, words, _ = _many(walk, less)
        text = f"How much do I save on {words} of the {{item}}, compared with the regular price?"
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
    addresses = walk.x.rng.sample(list(items), walk.x.pick((2, 2, 3, 4, 5)))
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
    fields = walk.x.rng.sample(list(_FIELDS), walk.x.pick((1, 2, 2, 3)))
    parts = [walk.part(_FIELDS[field][0]) for field in fields]
    what = enumerate_words(walk.x.pick(_FIELDS[field][1]) for field in fields)
    answer = parts[0]
    others = [walk.reads(_FIELDS[other][0]) for other in _FIELDS if other not in fields]
    if len(parts) > 1:
        listed = ", ".join(f"{{{i}}}" for i in range(len(parts)))
        answer = walk.plan.derive([part.value for part in parts], f"[{listed}]", *parts)
        what += " (as a JSON list, in this order)"
        others = [f"{answer.code}[::-1]", f"{answer.code}[:-1]", f"{answer.code}[0]"]
    text = walk.x.say(
        (
            "{where} Find the {what} of {name} of the {department} department.",
            "{where} I need the {what} of {name}, who works in the {department} department.",
            "{where} {name} belongs to the {department} department. Answer that person's {what}.",
        ),
        where=where,
        what=what,
        name=person["name"],
        department=DEPARTMENTS[person["department"]],
    )
    return text, answer, [*others, repr(person["name"])]


def contacts(walk: Walk) -> Made:
    """Ask for something about several people, whose pages are known."""
    people = walk.rows("people")
    addresses = walk.x.rng.sample(list(people), walk.x.rng.randint(2, 6))
    field = walk.x.pick(_FIELDS)
    before, names = _FIELDS[field]
    parts = []
    for address in addresses:
        walk.begin(address)
        parts.append(walk.part(before))
    text = walk.x.say(
        (
            "Collect the {what} of everybody on the pages {pages}. Answer a JSON list of texts in "
            "this order.",
            "The pages {pages} are about one person each. For all of them I need the {what}, as a "
            "JSON list of texts, in that order.",
        ),
        what=walk.x.pick(names),
        pages=enumerate_words(addresses),
    )
    listed = ", ".join(f"{{{i}}}" for i in range(len(parts)))
    answer = walk.plan.derive([part.value for part in parts], f"[{listed}]", *parts)
    codes = [part.code for part in parts]
    wrongs = [
        f"[{', '.join(codes[:-1])}]",
        f"[{', '.join(reversed(codes))}]",
        f"[{', '.join([codes[0]] * len(codes))}]",
        codes[0],
    ]
    return text, answer, wrongs


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
    asked = walk.x.pick(("name", "price", "many", "many", "many", "many"))
    if asked == "name":
        value = shown.value.split("We recommend: ")[1].split(" [")[0]
        answer = walk.plan.derive(value, "{0}.split('We recommend: ')[1].split(' [')[0]", shown)
        ask = "Answer the name of what it recommends."
        wrongs = [repr(item["category"]), repr(article["title"]), repr(item["name"].split()[0])]
    else:
        walk.follow(article["item"])
        answer = walk.price()
        ask = f"What does the thing that it recommends cost? {_MONEY}"
        wrongs = [f"round({answer.code} + 1, 2)", f"int({answer.code})", "0"]
        if asked == "many":
            answer, words, wrongs = _many(walk, answer)
            ask = f"What do {words} of the thing that it recommends cost? {_MONEY}"
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


_EVERY = (1, 2, 3, 4, 5, 6)
KINDS: dict[Callable[[Walk], Made], tuple[int, tuple[int, ...]]] = {
    price: (20, _EVERY),
    saving: (2, _EVERY),
    two_items: (14, (2, 3, 4, 5, 6)),
    contact: (1, _EVERY),
    contacts: (10, (2, 3, 4, 5, 6)),
    author: (1, _EVERY),
    recommended: (8, (2, 3, 4, 5, 6)),
    count_links: (1, (2, 3, 4, 5, 6)),
}
"""The kinds of tasks -> how often, and the numbers of calls that they can have."""


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
    fitting = {kind: often for kind, (often, sizes) in KINDS.items() if calls in sizes}
    kind = x.rng.choices(list(fitting), list(fitting.values()))[0]
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
        page=walk.address if stays else None,
    )
