"""A website made from a seed: items with prices, people in departments, and articles.

Every page can be reached by links from the start page. The tables of items and people are what the
pages say; no tool reads them.
"""

from __future__ import annotations

import random
import unicodedata
from typing import Any

from sca_envs.core.database import Record
from sca_envs.domains.web_browsing.catalog import (
    ARTICLES,
    CATEGORIES,
    COMPANIES,
    DEPARTMENTS,
    FIRST_NAMES,
    LAST_NAMES,
    MAIL_HOSTS,
    REMARKS,
    SKILLS,
    STYLES,
)
from sca_envs.domains.web_browsing.tools import LINES_PER_VIEW, start

_Rows = dict[str, Record]


def build(seed: int) -> dict[str, _Rows]:
    """Return the tables of the world with a seed; keys of all but ``browser`` are addresses."""
    rng = random.Random(f"web_browsing world {seed}")
    items, people = _items(rng), _people(rng)
    articles = _articles(rng, items, people)
    lines = {
        **_main_pages(rng.choice(COMPANIES), items),
        **_lists(items, people, articles),
        **{address: _item_page(item) for address, item in items.items()},
        **{address: _person_page(person) for address, person in people.items()},
        **{address: _article_page(a, items, people) for address, a in articles.items()},
    }
    pages = {address: {"content": _content(page)} for address, page in lines.items()}
    return {
        "pages": pages,
        "items": items,
        "people": people,
        "articles": articles,
        "browser": start(),
    }


def _items(rng: random.Random) -> _Rows:
    items: _Rows = {}
    for category, kind in CATEGORIES.items():
        for style in rng.sample(STYLES, rng.randint(3, 7)):
            price = rng.randint(500, 30_000)
            reduced = rng.random() < 0.25
            items[f"/catalog/{category}/{style.lower()}"] = {
                "name": f"{style} {kind}",
                "category": category,
                "price": price / 100,
                "regular_price": round(price * rng.uniform(1.1, 1.6)) / 100 if reduced else None,
                "remark": rng.choice(REMARKS),
            }
    return items


def _people(rng: random.Random) -> _Rows:
    people: _Rows = {}
    first_names = rng.sample(FIRST_NAMES, len(FIRST_NAMES))
    last_names = rng.sample(LAST_NAMES, len(LAST_NAMES))
    names = list(zip(first_names, last_names, strict=True))
    size = len(names) // len(DEPARTMENTS)
    for place, department in enumerate(DEPARTMENTS):
        for first, last in names[place * size : (place + 1) * size]:
            slug = _ascii(f"{first}-{last}")
            people[f"/people/{department}/{slug}"] = {
                "name": f"{first} {last}",
                "department": department,
                "email": f"{slug.replace('-', '.')}@{rng.choice(MAIL_HOSTS)}",
                "phone": _phone(rng),
                "skill": "/".join(rng.sample(SKILLS, 2)),
            }
    return people


def _articles(rng: random.Random, items: _Rows, people: _Rows) -> _Rows:
    return {
        f"/journal/{slug}": {
            "title": title,
            "author": rng.choice(list(people)),
            "item": rng.choice(list(items)),
        }
        for slug, title in ARTICLES.items()
    }


_PHONE_FORMS = ("{}-{}-{}", "({}) {}-{}", "+1-{}-{}-{}", "{}.{}.{}x{}")


def _phone(rng: random.Random) -> str:
    area, exchange, line = rng.randint(200, 999), rng.randint(200, 999), rng.randint(1000, 9999)
    return rng.choice(_PHONE_FORMS).format(area, exchange, line, rng.randint(10, 999))


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return plain.lower()


# Pages, as lists of lines


def _main_pages(company: str, items: _Rows) -> dict[str, list[str]]:
    reduced = [(item["name"], a) for a, item in items.items() if item["regular_price"]]
    return {
        "/": [
            f"{company}: things for life outdoors",
            _link("Catalog", "/catalog"),
            _link("People", "/people"),
            _link("Journal", "/journal"),
            _link("Special offers", "/offers"),
            _link("About us", "/about"),
            _link("Contact", "/contact"),
        ],
        "/about": [
            f"About {company}",
            "We began with one workbench and a leaking roof.",
            "Today we still repair whatever we sell.",
            _link("Who we are", "/people"),
            _link("Start page", "/"),
        ],
        "/contact": [
            f"Contact {company}",
            "Write to the department that you need, or come by.",
            _link("Departments", "/people"),
            _link("Start page", "/"),
        ],
        "/offers": ["Special offers", "Reduced while they last:", *_links(reduced)],
    }


def _lists(items: _Rows, people: _Rows, articles: _Rows) -> dict[str, list[str]]:
    pages = {
        "/catalog": [
            "Catalog",
            *_links((category.capitalize(), f"/catalog/{category}") for category in CATEGORIES),
        ],
        "/people": [
            "Our departments",
            *_links((name, f"/people/{slug}") for slug, name in DEPARTMENTS.items()),
        ],
        "/journal": ["Journal", *_links((row["title"], a) for a, row in articles.items())],
    }
    for category in CATEGORIES:
        own = [(row["name"], a) for a, row in items.items() if row["category"] == category]
        pages[f"/catalog/{category}"] = [category.capitalize(), *_links(own)]
    for slug, name in DEPARTMENTS.items():
        own = [(row["name"], a) for a, row in people.items() if row["department"] == slug]
        pages[f"/people/{slug}"] = [f"{name} department", *_links(own)]
    return pages


def _item_page(item: Record) -> list[str]:
    regular = item["regular_price"]
    return [
        item["name"],
        item["remark"],
        *([f"Regular price: ${regular:.2f}"] if regular else []),
        f"Price: ${item['price']:.2f}",
        _link(f"All {item['category']}", f"/catalog/{item['category']}"),
    ]


def _person_page(person: Record) -> list[str]:
    return [
        f"{person['name']}, {DEPARTMENTS[person['department']]}",
        f"Skills: {person['skill']}",
        f"E-mail: {person['email']}",
        f"Phone: {person['phone']}",
        _link("The department", f"/people/{person['department']}"),
    ]


def _article_page(article: Record, items: _Rows, people: _Rows) -> list[str]:
    author, item = article["author"], article["item"]
    return [
        article["title"],
        _link(f"By {people[author]['name']}", author),
        "It had been raining since noon, and nobody spoke.",
        "What we had carried all that way now had to prove itself.",
        "It did. We slept until the sun was high.",
        "The next morning we agreed on what to take again.",
        _link(f"We recommend: {items[item]['name']}", item),
    ]


def _link(text: str, address: str) -> str:
    return f"{text} [Clickable '{address}']"


def _links(pairs: Any) -> list[str]:
    return [f"- {_link(text, address)}" for text, address in pairs]


def _content(lines: list[str]) -> str:
    # The browser counts one view too many where the last view is full.
    if len(lines) > LINES_PER_VIEW and len(lines) % LINES_PER_VIEW == 0:
        lines = [*lines, _link("Start page", "/")]
    return "\n".join(lines)
