"""What the tasks of the generated web browser are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sca_envs.core.database import Record
from sca_envs.domains.m3.plans import DeadEnd, Draft, Plan, Term
from sca_envs.domains.web_browsing.catalog import DEPARTMENTS

_LINK = re.compile(r"Clickable '([^']+)'")
_ROUNDED = "Answer a number with two digits, such as 12.34."

FIELDS = {
    "email": ("E-mail: ", ("e-mail address", "e-mail")),
    "phone": ("Phone: ", ("phone number",)),
    "skill": ("Skills: ", ("two skills (as the page has them, such as 'a/b')",)),
}
"""Field of a person -> what stands before it on the page, and what it is called."""


class Surfer:
    """Follows displayed links only, as somebody does who has not seen the site before.

    Args:
        plan: The solution in which every step is noted.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._seen: set[str] = set()
        self._page = "/"
        self._look("view")

    def open(self, address: str) -> Term:
        """Open a page, and the pages on the way to its link; return what the browser shows."""
        if address not in self._seen:
            parent = address.rpartition("/")[0] or "/"
            if self._page != parent:
                self.open(parent)
            self.find(address)
        self._page = address
        return self._look("click_url", address)

    def find(self, address: str) -> Term | None:
        """Scroll down until the link to a page is shown."""
        term = None
        while address not in self._seen:
            term = self._look("scroll_down")
        return term

    def _look(self, tool: str, *arguments: str) -> Term:
        term = self._plan.call(tool, *arguments)
        self._seen.update(_LINK.findall(term.value))
        return term


def price(plan: Plan) -> Draft:
    """Find the price of an item."""
    address, item = _draw(plan, "items")
    text = plan.say(
        (
            "What does the {name} cost at present? {form}",
            "Look up the current price of the {name}. {form}",
            "I would like to buy the {name}. How much is it now? {form}",
        ),
        name=item["name"],
        form=_ROUNDED,
    )
    return Draft(text, _price(plan, Surfer(plan).open(address), item), ("price", address))


def saving(plan: Plan) -> Draft:
    """Find how much a reduced item saves."""
    address, item = _draw(plan, "items", lambda row: row["regular_price"] is not None)
    text = plan.say(
        (
            "By how much is the {name} reduced, compared with its regular price? {form}",
            "The {name} is on special offer. How much does one save? {form}",
        ),
        name=item["name"],
        form=_ROUNDED,
    )
    page = Surfer(plan).open(address)
    now = _price(plan, page, item)
    before = plan.derive(
        item["regular_price"], "float({0}.split('Regular price: $')[1].split()[0])", page
    )
    expression = plan.derive(
        f"{before.value!r} - {now.value!r}", "f'{{{0}}} - {{{1}}}'", before, now
    )
    answer = plan.rounded(plan.call("calculator", expression))
    return Draft(text, answer, ("saving", address))


def total(plan: Plan) -> Draft:
    """Find the price of several items together, perhaps with a discount."""
    count = plan.rng.choice((2, 2, 3))
    addresses = plan.rng.sample(plan.database.base.keys("items"), count)
    items = [_record(plan, "items", address) for address in addresses]
    percent = plan.rng.choice((0, 0, plan.rng.randint(5, 30)))
    text = plan.say(
        (
            "What do {names} cost together{discount}? {form}",
            "I buy {names}. What is the total{discount}? {form}",
            "Add up the current prices of {names}. What has to be paid{discount}? {form}",
        ),
        names=_enumerate([f"the {item['name']}" for item in items]),
        discount=f" after a discount of {percent}% on the whole" if percent else "",
        form=_ROUNDED,
    )
    surfer = Surfer(plan)
    prices = [
        _price(plan, surfer.open(address), item)
        for address, item in zip(addresses, items, strict=True)
    ]
    value = " + ".join(repr(term.value) for term in prices)
    code = " + ".join(f"{{{{{{{i}}}}}}}" for i in range(count))  # {{{0}}}: a term in an f-string
    if percent:
        value, code = (f"({part}) * (1 - {percent} / 100)" for part in (value, code))
    expression = plan.derive(value, f"f'{code}'", *prices)
    answer = plan.rounded(plan.call("calculator", expression))
    return Draft(text, answer, ("total", percent, *sorted(addresses)))


def cheapest(plan: Plan) -> Draft:
    """Find the cheapest item of a category."""
    _, drawn = _draw(plan, "items")
    category = drawn["category"]
    rows = plan.database.base.tables["items"]
    items = {a: row for a, row in rows.items() if row["category"] == category}
    best = min(items.values(), key=lambda row: row["price"])
    if [row["price"] for row in items.values()].count(best["price"]) > 1:
        raise DeadEnd
    text = plan.say(
        (
            "Of all the {category} in the catalog, which one is the cheapest now? Answer its name.",
            "Find the least expensive item among the {category} and answer its name.",
        ),
        category=category,
    )
    surfer = Surfer(plan)
    prices = [_price(plan, surfer.open(address), row) for address, row in items.items()]
    listed = ", ".join(f"({{{i}}}, {row['name']!r})" for i, row in enumerate(items.values()))
    answer = plan.derive(best["name"], f"sorted([{listed}])[0][1]", *prices)
    return Draft(text, answer, ("cheapest", category))


def contact(plan: Plan) -> Draft:
    """Find something about a person whose department is known."""
    address, person = _draw(plan, "people")
    field = plan.rng.choice(list(FIELDS))
    text = plan.say(
        (
            "{name} works in the {department} department. Find the {what} of that person.",
            "Find the {what} of {name} from the {department} department.",
            "I need the {what} of {name} ({department} department).",
        ),
        what=plan.rng.choice(FIELDS[field][1]),
        name=person["name"],
        department=DEPARTMENTS[person["department"]],
    )
    page = Surfer(plan).open(address)
    return Draft(text, _field(plan, page, person, field), ("person", address, field))


def search(plan: Plan) -> Draft:
    """Find something about a person whose department is not known."""
    address, person = _draw(plan, "people")
    field = plan.rng.choice(list(FIELDS))
    text = plan.say(
        (
            "{name} works here, but I don't know in which department. Find the {what} of {name}.",
            "Somewhere in this company there is {name}. I need the {what} of that person.",
        ),
        what=plan.rng.choice(FIELDS[field][1]),
        name=person["name"],
    )
    surfer = Surfer(plan)
    for department in DEPARTMENTS:
        surfer.open(f"/people/{department}")
        if department == person["department"]:
            break
    page = surfer.open(address)
    return Draft(text, _field(plan, page, person, field), ("person", address, field))


def caller(plan: Plan) -> Draft:
    """Find whose phone number it is."""
    address, person = _draw(plan, "people")
    text = plan.say(
        (
            "Somebody of the {department} department called from {phone}. Who was it? Answer first "
            "and last name.",
            "Which member of the {department} department has the phone number {phone}? Answer the "
            "full name.",
        ),
        department=DEPARTMENTS[person["department"]],
        phone=person["phone"],
    )
    surfer = Surfer(plan)
    people = plan.database.base.tables["people"]
    for other, row in people.items():
        if row["department"] == person["department"]:
            page = surfer.open(other)
            if other == address:
                break
    code = f"{{0}}.split('\\n\\n')[1].split(', {DEPARTMENTS[person['department']]}')[0]"
    return Draft(text, plan.derive(person["name"], code, page), ("caller", address))


def author(plan: Plan) -> Draft:
    """Find something about the author of an article."""
    address, article = _draw(plan, "articles")
    person = _record(plan, "people", article["author"])
    field = plan.rng.choice(list(FIELDS))
    text = plan.say(
        (
            "I liked the article '{title}' in the journal. Find the {what} of its author.",
            "Find the {what} of whoever wrote '{title}' in the journal.",
        ),
        what=plan.rng.choice(FIELDS[field][1]),
        title=article["title"],
    )
    surfer = Surfer(plan)
    surfer.open(address)
    page = surfer.open(article["author"])
    return Draft(text, _field(plan, page, person, field), ("author", address, field))


def recommended(plan: Plan) -> Draft:
    """Find the price of the item that an article recommends."""
    address, article = _draw(plan, "articles")
    item = _record(plan, "items", article["item"])
    count = plan.rng.randint(2, 12)
    text = plan.say(
        (
            "How much do {count} of the item cost that the journal's article '{title}' recommends? "
            "{form}",
            "The article '{title}' in the journal recommends something. What would I pay for "
            "{count} of it? {form}",
        ),
        count=count,
        title=article["title"],
        form=_ROUNDED,
    )
    surfer = Surfer(plan)
    surfer.open(address)
    surfer.find(article["item"])
    each = _price(plan, surfer.open(article["item"]), item)
    expression = plan.derive(f"{count} * {each.value!r}", f"f'{count} * {{{{{{0}}}}}}'", each)
    answer = plan.rounded(plan.call("calculator", expression))
    return Draft(text, answer, ("recommended", address, count))


KINDS: Mapping[Callable[[Plan], Draft], float] = {
    price: 1,
    saving: 0.5,
    total: 4,
    cheapest: 0.3,
    contact: 1,
    search: 1,
    caller: 0.8,
    author: 0.7,
    recommended: 1.5,
}
"""The kinds of tasks -> how often, relative to the others."""


def _record(plan: Plan, table: str, key: str) -> Record:
    return plan.database.base.tables[table][key]


def _draw(
    plan: Plan, table: str, suits: Callable[[Record], bool] = lambda row: True
) -> tuple[str, Record]:
    """Draw a row that suits, with its address."""
    rows = [(key, row) for key, row in plan.database.base.tables[table].items() if suits(row)]
    if not rows:
        raise DeadEnd
    drawn: tuple[str, Record] = plan.rng.choice(rows)
    return drawn


def _price(plan: Plan, page: Term, item: Record) -> Term:
    return plan.derive(item["price"], "float({0}.split('\\nPrice: $')[1].split()[0])", page)


def _field(plan: Plan, page: Term, person: Record, field: str) -> Term:
    before: Any = FIELDS[field][0]
    return plan.derive(person[field], f"{{0}}.split({before!r})[1].split('\\n')[0]", page)


def _enumerate(names: list[str]) -> str:
    *head, last = names
    return f"{', '.join(head)} and {last}"
