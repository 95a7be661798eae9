"""Tasks of the web browser.

Every solution follows links that it has seen, as a visitor does: what a step finds on a page is
the next step's address. The walk begins at the start page, or at a page that the task names.
"""

from __future__ import annotations

from collections.abc import Callable

from sca_envs.challenge.procedural.families.planned import embellish
from sca_envs.challenge.procedural.families.walks import Walk, walk_to
from sca_envs.challenge.procedural.parts import Explorer
from sca_envs.core.errors import OptionError
from sca_envs.core.wishes.draft import Draft
from sca_envs.domains.m3.plans import DeadEnd, Term
from sca_envs.domains.tau.goals import enumerate_words
from sca_envs.domains.web_browsing.catalog import DEPARTMENTS

_MONEY = "Answer a number with two digits, such as 12.34."


Made = tuple[str, Term, list[str]]
"""What is asked, the answer, and wrong ways to read it off (expressions)."""


def _many(walk: Walk, each: Term) -> tuple[Term, str, list[str]]:
    """Draw how many of an item are bought, and whether there is a discount.

    Returns:
        What has to be paid, how the task says it, and wrong ways to work it out.
    """
    count = walk.x.rng.randint(2, 60)
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
    where = walk_to(walk, address)
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
        where = walk_to(walk, address)
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
    where = walk_to(walk, address)
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
    where = walk_to(walk, address)
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
    where = walk_to(walk, address)
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
    where = walk_to(walk, address)
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
    # Words, and prices as they are, would hardly tell two tasks apart that end on one page.
    stays = walk.at_top and isinstance(answer.value, float) and x.rng.random() < 0.5
    stays &= kind in (price, saving, recommended)
    if stays:
        text += x.say(
            (
                " Leave the top of that last page open in the browser ({page}).",
                " When you are done, the browser must still show the top of {page}.",
                " At the end the page {page} has to be open, at its top.",
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
