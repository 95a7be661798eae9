"""What the tasks of the generated web browser are about."""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterable
from typing import Any

from sca_envs.core.database import Record
from sca_envs.core.wishes import DeadEnd, Term, enumerate_words
from sca_envs.core.wishes.terms import to_code
from sca_envs.domains.m3.plans import Kinds, Plan, PlanCall, Question, add_up, choose, round_amount
from sca_envs.domains.web_browsing.catalog import DEPARTMENTS
from sca_envs.domains.web_browsing.surfing import Surfer

_FIELDS = {"email": "E-mail: ", "phone": "Phone: ", "skill": "Skills: "}
"""Field of a person -> what stands before it on the page."""


def price(plan: Plan) -> Question:
    """Find the price of an item, or of several of it."""
    surfer = Surfer(plan)
    address, item = _draw(surfer, "items")
    where = surfer.visit(address)
    now = surfer.price()
    if plan.rng.random() < 0.1:
        return _ask_price(surfer, "one", now, ("price", address), where=where, **item)
    percent = _draw_discount(plan.rng)
    count, answer, mistakes = _multiply(plan, now, percent)
    slots = {"where": where, "count": count, "discount": _describe_discount(percent), **item}
    key = ("price", address, count, percent)
    return _ask_price(surfer, "many", answer, key, mistakes, **slots)


def saving(plan: Plan) -> Question:
    """Find the regular price of a reduced item, or how much cheaper it is now."""
    surfer = Surfer(plan)
    address, item = _draw(surfer, "items", having="regular_price")
    if plan.calls is not None and plan.rng.random() < 0.5:
        surfer.start("/offers")
        surfer.open(address)
        where = plan.say("at_offers")
    else:
        where = surfer.visit(address)
    now, before = surfer.price(), surfer.price("Regular price: $")
    slots = {"where": where, **item}
    mistakes = [now, before]
    asked = plan.rng.choice(("before", "difference", "percent", "many", "many"))
    if asked == "before":
        answer, mistakes = before, [now, before + now]
    elif asked == "difference":
        answer = round_amount(plan.calculate("{0} - {1}", before, now))
    elif asked == "percent":
        answer = round_amount(plan.calculate("100 * ({0} - {1}) / {0}", before, now))
    else:
        slots["count"], answer, mistakes = _multiply(plan, round(before - now, 2))
    return _ask_price(surfer, asked, answer, ("saving", address), mistakes, **slots)


def total(plan: Plan) -> Question:
    """Find the price of several items together, perhaps with a discount."""
    surfer = Surfer(plan)
    items = surfer.rows("items")
    addresses = plan.rng.sample(list(items), plan.rng.choice((2, 2, 3)))
    surfer.start()
    prices = []
    for address in addresses:
        surfer.open(address)
        prices.append(surfer.price())
    percent = _draw_discount(plan.rng)
    names = enumerate_words(f"the {items[address]['name']}" for address in addresses)
    slots = {"names": names, "discount": _describe_discount(percent)}
    answer = _total(plan, prices, percent)
    return _ask_price(surfer, "text", answer, ("total", percent, *sorted(addresses)), **slots)


def known_pages(plan: Plan) -> Question:
    """Compare or add up what is offered on some pages whose addresses are known."""
    surfer = Surfer(plan)
    asked = plan.rng.choice(("total", "total", "lowest", "difference"))
    count = plan.size(2, 2 if asked == "difference" else 5, besides=asked == "total")
    addresses = plan.rng.sample(list(surfer.rows("items")), count)
    prices = []
    for address in addresses:
        surfer.start(address)
        prices.append(surfer.price())
    percent = _draw_discount(plan.rng)
    mistakes = [prices[0], prices[-1], round_amount(add_up(prices) + 1)]
    if asked == "total":
        answer = _total(plan, prices, percent)
    elif asked == "lowest":
        answer = choose(min, prices)
        mistakes.append(choose(max, prices))
    else:
        answer = round(abs(prices[0] - prices[1]), 2)
    slots = {"pages": enumerate_words(addresses), "discount": _describe_discount(percent)}
    key = ("known pages", *sorted(addresses))
    return _ask_price(surfer, asked, answer, key, mistakes, **slots)


def cheapest(plan: Plan) -> Question:
    """Find the cheapest item of a category."""
    surfer = Surfer(plan)
    category = _draw(surfer, "items")[1]["category"]
    items = {a: row for a, row in surfer.rows("items").items() if row["category"] == category}
    lowest = min(items.values(), key=lambda row: row["price"])
    if [row["price"] for row in items.values()].count(lowest["price"]) > 1:
        raise DeadEnd
    surfer.start()
    offers: list[tuple[Term, str]] = []
    for address, row in items.items():
        surfer.open(address)
        offers.append((surfer.price(), row["name"]))
    answer = Term(lowest["name"], ("sorted(", *to_code(offers), ")[0][1]"))
    return Question(plan.say("text", category=category), answer, ("cheapest", category))


def contact(plan: Plan) -> Question:
    """Find something about a person whose department is known."""
    surfer = Surfer(plan)
    address, person = _draw(surfer, "people")
    where = surfer.visit(address)
    fields = plan.rng.sample(list(_FIELDS), plan.rng.choice((1, 1, 2, 3)))
    parts = [surfer.part(_FIELDS[field]) for field in fields]
    what = enumerate_words(plan.say(field) for field in fields)
    answer, mistakes = parts[0], [surfer.part(_FIELDS[f]) for f in _FIELDS if f not in fields]
    if len(parts) > 1:
        what += " (as a JSON list, in this order)"
        answer, mistakes = _list(parts), [_list(parts[::-1]), _list(parts[:-1]), parts[0]]
    text = plan.say("text", where=where, what=what, **_describe(person))
    return Question(text, answer, ("person", address, *sorted(fields)), tuple(mistakes))


def known_people(plan: Plan) -> Question:
    """Collect something about several people, whose pages are known."""
    surfer = Surfer(plan)
    addresses = plan.rng.sample(list(surfer.rows("people")), plan.size(2, 6))
    field = plan.pick(_FIELDS)
    parts = []
    for address in addresses:
        surfer.start(address)
        parts.append(surfer.part(_FIELDS[field]))
    text = plan.say("text", what=plan.say(field), pages=enumerate_words(addresses))
    mistakes = (_list(parts[:-1]), _list(parts[::-1]), _list(parts[:1] * len(parts)))
    return Question(text, _list(parts), ("people", field, *sorted(addresses)), mistakes)


def search(plan: Plan) -> Question:
    """Find something about a person whose department is not known."""
    surfer = Surfer(plan)
    address, person = _draw(surfer, "people")
    field = plan.pick(_FIELDS)
    surfer.start()
    for department in DEPARTMENTS:
        surfer.open(f"/people/{department}")
        if department == person["department"]:
            break
    surfer.open(address)
    text = plan.say("text", what=plan.say(field), **_describe(person))
    return Question(text, surfer.part(_FIELDS[field]), ("person", address, field))


def caller(plan: Plan) -> Question:
    """Find whose phone number it is."""
    surfer = Surfer(plan)
    address, person = _draw(surfer, "people")
    surfer.start()
    for other, row in surfer.rows("people").items():
        if row["department"] == person["department"]:
            surfer.open(other)
            if other == address:
                break
    text = plan.say("text", **_describe(person))
    name = surfer.part("\n\n", f", {DEPARTMENTS[person['department']]}")
    return Question(text, name, ("caller", address))


def author(plan: Plan) -> Question:
    """Find the author of an article, or something about that person."""
    surfer = Surfer(plan)
    address, article = _draw(surfer, "articles")
    where = surfer.visit(address)
    field = plan.pick((*_FIELDS, "full_name"))
    if field == "full_name":
        answer = surfer.part("\nBy ", " [Clickable")
        mistakes = [surfer.part("\n\n")]
    else:
        surfer.open(article["author"])
        answer = surfer.part(_FIELDS[field])
        mistakes = [surfer.part(_FIELDS[other]) for other in _FIELDS if other != field]
    text = plan.say("text", where=where, what=plan.say(field), title=article["title"])
    return Question(text, answer, ("author", address, field), tuple(mistakes))


def recommendation(plan: Plan) -> Question:
    """Find the item that an article recommends, or what some of it cost."""
    surfer = Surfer(plan)
    address, article = _draw(surfer, "articles")
    slots = {"where": surfer.visit(address), "title": article["title"]}
    surfer.find(article["item"])
    if plan.rng.random() < 0.15:
        answer = surfer.part("We recommend: ", " [")
        category = surfer.rows("items")[article["item"]]["category"]
        mistakes = (category, article["title"])
        return Question(plan.say("name", **slots), answer, ("recommended", address), mistakes)
    surfer.open(article["item"])
    percent = _draw_discount(plan.rng)
    count, answer, wrong = _multiply(plan, surfer.price(), percent)
    slots |= {"count": count, "discount": _describe_discount(percent)}
    key = ("recommended", address, count, percent)
    return _ask_price(surfer, "many", answer, key, wrong, **slots)


def count_links(plan: Plan) -> Question:
    """Count the people of a department, or the items of a category."""
    surfer = Surfer(plan)
    table, column, folder = plan.pick(
        (("people", "department", "/people"), ("items", "category", "/catalog"))
    )
    _, row = _draw(surfer, table)
    address = f"{folder}/{row[column]}"
    where = surfer.visit(address)
    views = surfer.read_all()
    answer = add_up([Term(v.value.count("\n- "), (*v.code, ".count('\\n- ')")) for v in views])
    name = DEPARTMENTS.get(row[column], row[column])
    text = plan.say(table, where=where, name=name)
    return Question(text, answer, ("count", address), (answer + 1, answer - 1))


TASKS: Kinds = {
    price: 1,
    saving: 0.7,
    total: 4,
    known_pages: 0.3,
    cheapest: 0.3,
    contact: 1,
    search: 1,
    caller: 0.8,
    author: 0.7,
    recommendation: 1.5,
    count_links: 0.1,
}
"""What a task may ask."""
DRAFTS: Kinds = {
    price: 20,
    saving: 2,
    known_pages: 6,
    contact: 1,
    known_people: 2,
    author: 1,
    recommendation: 8,
    count_links: 1,
}
"""What a Code-as-Task may ask."""


def _ask_price(
    surfer: Surfer,
    wording: str,
    answer: Term,
    key: tuple[Hashable, ...],
    mistakes: Iterable[Any] = (),
    **slots: Any,
) -> Question:
    """Return a question for an amount; at the end of a Code-as-Task a page may have to be open."""
    plan = surfer.plan
    text = f"{plan.say(wording, **slots)} {plan.say('form')}".strip()
    page: str | None = None
    detours: tuple[PlanCall, ...] = ()
    # Words, or a page further down, would hardly tell two tasks apart that end on one page.
    if plan.calls is not None and len(surfer.views) == 1 and plan.rng.random() < 0.4:
        page = surfer.address
        text += f" {plan.say('stay', page=page)}"
        about = PlanCall("click_url", {"url": "/about"}, ("/about",))
        detours = (PlanCall("go_to_previous_page", {}), about)[plan.calls == 1 :]
    return Question(text, answer, key, tuple(mistakes), page, detours)


def _draw(surfer: Surfer, table: str, *, having: str | None = None) -> tuple[str, Record]:
    """Draw a row, perhaps one that has a field, with its address."""
    rows = surfer.rows(table).items()
    return surfer.plan.pick(
        (address, row) for address, row in rows if having is None or row[having] is not None
    )


def _multiply(plan: Plan, each: Term, percent: int = 0) -> tuple[int, Term, list[Term]]:
    """Draw how many pieces are bought, at a discount in percent.

    Returns:
        How many, what has to be paid, and wrong amounts.
    """
    each = plan.let(each)
    count = plan.rng.randint(2, 60)
    if plan.rng.random() < 0.5:
        factor = f" * (1 - {percent} / 100)" if percent else ""
        answer = round_amount(plan.calculate(f"{count} * {{0}}{factor}", each))
    else:
        answer = round(count * each * (1 - percent / 100) if percent else count * each, 2)
    mistakes = [each, round((count + 1) * each, 2)]
    return count, answer, [*mistakes, round(count * each, 2)] if percent else mistakes


def _total(plan: Plan, prices: list[Term], percent: int) -> Term:
    """Note the call that adds up prices and takes off a discount; return what has to be paid."""
    expression = " + ".join(f"{{{place}}}" for place in range(len(prices)))
    if percent:
        expression = f"({expression}) * (1 - {percent} / 100)"
    return round_amount(plan.calculate(expression, *prices))


def _draw_discount(rng: random.Random) -> int:
    return rng.choice((0, 0, rng.randint(3, 30)))


def _describe_discount(percent: int) -> str:
    return f" with a discount of {percent}% on the whole" if percent else ""


def _list(parts: list[Term]) -> Term:
    return Term([part.value for part in parts], to_code(parts))


def _describe(person: Record) -> dict[str, str]:
    return {**person, "department": DEPARTMENTS[person["department"]]}
