"""A library for tests of wishes: two tables, five tools of which two write, and four wishes.

One of the wishes is refused by the policy, and one is a question.
"""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np

from sca_envs.core.database import Base, Database
from sca_envs.core.domain import Domain, RecordReader
from sca_envs.core.errors import ToolError
from sca_envs.core.tools import toolset
from sca_envs.core.wishes import Customer, Term, Wish, WishBook, WishTasks, Wordings

MAX_RENEWALS = 2
NAMES = ("Ada", "Ben", "Cleo", "Dov", "Emi", "Finn", "Gus", "Hana")
WORDS = ("Salt", "River", "Clock", "Garden", "Winter", "Glass", "Paper", "Stone")


# The tools


def find_member(db: Database, card: str) -> str:
    """Find a member by the number of the library card.

    Args:
        card: The number, such as 10401.
    """
    key = db.find("members", _card, card)
    if key is None:
        raise ToolError("no such card")
    return key


def _card(key: str, record: dict[str, Any]) -> str:
    return str(record["card"])


def get_member_details(db: Database, member_id: str) -> str:
    """Show a member: name, loans and holds.

    Args:
        member_id: Id of the member.
    """
    if db.get("members", member_id) is None:
        raise ToolError("no such member")
    return db.text("members", member_id)


def get_book_details(db: Database, book_id: str) -> str:
    """Show a book: title, author, fee, and who has it until when.

    Args:
        book_id: Id of the book.
    """
    if db.get("books", book_id) is None:
        raise ToolError("no such book")
    return db.text("books", book_id)


def renew_loan(db: Database, book_id: str, weeks: int) -> str:
    """Let a member keep a book for some weeks more.

    Args:
        book_id: Id of the book.
        weeks: How many weeks, from 1 to 4.
    """
    book = db.get("books", book_id)
    if book is None or book["borrower"] is None:
        raise ToolError("nobody has that book")
    if book["renewals"] >= MAX_RENEWALS or not 1 <= weeks <= 4:
        raise ToolError("it cannot be renewed")
    book = db.edit("books", book_id)
    book["renewals"] += 1
    book["due_day"] += 7 * weeks
    return json.dumps(book)


def place_hold(db: Database, member_id: str, book_id: str) -> str:
    """Reserve a book that somebody else has.

    Args:
        member_id: Id of the member.
        book_id: Id of the book.
    """
    book, member = db.get("books", book_id), db.get("members", member_id)
    if book is None or member is None or book["borrower"] in (None, member_id):
        raise ToolError("it cannot be reserved")
    if book_id in member["holds"]:
        raise ToolError("it is reserved already")
    db.edit("books", book_id)["queue"].append(member_id)
    db.edit("members", member_id)["holds"].append(book_id)
    return db.text("members", member_id)


TOOLS = toolset(find_member, get_member_details, get_book_details, renew_loan, place_hold)
READERS = {
    "members": RecordReader("get_member_details", "member_id", "member"),
    "books": RecordReader("get_book_details", "book_id", "book"),
}


def make_base(seed: int = 0, members: int = 30) -> Base:
    """Return a library in which everybody has three or four books."""
    rng = random.Random(f"library {seed}")
    people: dict[str, Any] = {}
    books: dict[str, Any] = {}
    titles = [f"The {one} {two}" for one in WORDS for two in WORDS if one != two]
    for number in range(members):
        key = f"M{100 + number}"
        loans = []
        mine = rng.sample(titles, rng.randint(3, 4))
        for title in mine:
            book = f"B{100 + len(books)}"
            loans.append(book)
            books[book] = {
                "book_id": book,
                "title": title,
                "author": f"{rng.choice(NAMES)} {rng.choice(WORDS)}",
                "fee": round(rng.uniform(0.5, 9), 2),
                "borrower": key,
                "due_day": rng.randint(10, 300),
                "renewals": rng.choice([0, 0, 1, MAX_RENEWALS]),
                "queue": [],
            }
        people[key] = {
            "member_id": key,
            "name": f"{rng.choice(NAMES)} {rng.choice(WORDS)}",
            "card": str(10_000 + 7 * number),
            "loans": loans,
            "holds": [],
        }
    return Base({"members": people, "books": books})


# The wishes


def identify(c: Customer) -> None:
    """Tell the number of the card."""
    member = c.record("members", c.key)
    card = c.tell("card", member["card"], name=member["name"])
    c.profile = c.call("get_member_details", member_id=c.call("find_member", card=card))


def loan(c: Customer, book: dict[str, Any]) -> tuple[Term, str]:
    """Name a loan by its id, or tell it when asked; look it up."""
    loans = c.record("members", c.key)["loans"]
    others = [key for key in loans if key != book["book_id"]]
    key, words = c.name("book", book["book_id"], f"book {book['book_id']}", confusable=others)
    c.about(book["book_id"])
    return c.call("get_book_details", book_id=key), words


def loans(c: Customer) -> list[dict[str, Any]]:
    return c.records("books", c.record("members", c.key)["loans"])


def renew(c: Customer) -> Wish:
    """Keep a book for longer."""
    book, words = loan(c, c.pick(b for b in loans(c) if b["renewals"] < MAX_RENEWALS))
    weeks = c.tell("weeks", c.rng.randint(1, 4), confusable=[1, 2, 3, 4])
    other = c.pick(b for b in loans(c) if b["book_id"] != book["book_id"].value)
    if other["renewals"] < MAX_RENEWALS:
        c.mistake(("renew_loan", {"book_id": other["book_id"], "weeks": weeks}))
    done = c.call("renew_loan", book_id=book["book_id"], weeks=weeks)
    return c.wish(
        {
            "the day on which {book} is due then": done["due_day"],
            "how often it has been renewed then": done["renewals"],
            "how many days longer I may keep it": done["due_day"] - book["due_day"],
        },
        book=words,
    )


def reserve(c: Customer) -> Wish:
    """Reserve a book that another member has."""
    strangers = [b for key, b in c.db.items("books") if b["borrower"] != c.key]
    book = c.pick(b for b in strangers if c.key not in b["queue"])
    c.about(book["book_id"], c.key)
    wanted = c.given(book["book_id"], [b["book_id"] for b in strangers[:3]])
    done = c.call("place_hold", member_id=c.profile["member_id"], book_id=wanted)
    found = c.call("get_book_details", book_id=wanted)
    return c.wish(
        {
            "how many books I have reserved then": done["holds"].length(),
            "who wrote it": found["author"],
            "the title of it": found["title"],
        },
        book=book["book_id"],
    )


def renew_too_often(c: Customer) -> Wish:
    """Ask for what the policy refuses: a third renewal."""
    book, words = loan(c, c.pick(b for b in loans(c) if b["renewals"] >= MAX_RENEWALS))
    weeks = c.tell("weeks", c.rng.randint(1, 4))
    renewal = {"book_id": book["book_id"], "weeks": weeks}
    c.either(book["renewals"] < MAX_RENEWALS, ("renew_loan", renewal))
    return c.wish(
        {
            "the title of the book": book["title"],
            "its author": book["author"],
            "the day on which it is due": book["due_day"],
        },
        book=words,
    )


def ask_fees(c: Customer) -> Wish:
    """Ask what the loans have cost so far."""
    own = [c.call("get_book_details", book_id=c.profile["loans"][n]) for n in range(2)]
    fees = [book["fee"] for book in own]
    return c.wish(
        {
            "the fee of the first book on my list": fees[0],
            "what the first two books on my list cost together": round(fees[0] + fees[1], 2),
            "the title of the second book on my list": own[1]["title"],
        },
        question=True,
    )


WORDINGS = Wordings.parse(
    r"""
[cues]
card = ['\bcard\b', '\bwho are you\b', 'your name']
book = ['which book', 'what book', 'book ?(?:id|number)']
weeks = ['how long', '\bweeks\b']

[shared]
card = ["I'm {name}, card number {card}.", "My card has the number {card}; {name} is my name."]
weeks = ["For {weeks} weeks.", "Make it {weeks} weeks."]
book = ["It is {book}.", "The book is {book}."]
vague_book = ["a book of mine", "one of my books"]

[renew.train]
opening = ["Please let me keep {book} for longer.", "I want to renew {book}."]
[renew.test]
opening = ["I need more time with {book}.", "I'm not through with {book} yet, so extend it."]

[reserve.train]
opening = ["Please reserve book {book} for me."]
[reserve.test]
opening = ["I'd like to be the next to read {book}."]

[renew_too_often.train]
opening = ["If it's still allowed, renew {book} once more.", "Renew {book}, if that can be done."]
[renew_too_often.test]
opening = ["Should the rules permit it, I would keep {book} even longer."]

[ask_fees.train]
opening = ["I'd like to know {ask}.", "Could you tell me {ask}?"]
[ask_fees.test]
opening = ["I wonder about {ask}."]
"""
)
WISHES = WishBook(
    wishes={renew: 3, reserve: 2, renew_too_often: 1, ask_fees: 2},
    identify=identify,
    wordings=WORDINGS,
    customers="members",
    subject_parameter="book_id",
    id_pattern=r"\b[BM]\d{3}\b",
)


def _sample(rng: np.random.Generator, base: Base, parameter: str) -> Any:
    if parameter == "weeks":
        return int(rng.integers(1, 5))
    if parameter == "card":
        return str(10_000 + 7 * int(rng.integers(30)))
    keys = base.keys("members" if parameter == "member_id" else "books")
    return keys[int(rng.integers(len(keys)))]


def make_domain(book: WishBook = WISHES, base: Base | None = None, **options: Any) -> Domain:
    """Return the library, with other wishes or another world."""
    world = make_base() if base is None else base
    tools = options.pop("tools", TOOLS)
    return Domain(
        name="library",
        data="generated:0",
        base=world,
        tools=tools,
        policy="Renew a loan at most twice.",
        splits={
            split: lambda split=split: WishTasks(book, "library", tools, world, 0, split)
            for split in ("train", "test")
        },
        sample_argument=_sample,
        wishes=book,
        record_readers=options.pop("record_readers", READERS),
        origin=(make_domain, ()),
        **options,
    )
