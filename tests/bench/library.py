"""A small domain that is in order, and ways to break it, for the tests of `check_domain`.

Worker processes import it from here, so a breakage has a name.
"""

from __future__ import annotations

import functools
import importlib
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from sca_envs.core.database import Base, Database, Record
from sca_envs.core.domain import Domain
from sca_envs.core.endless import EndlessTasks
from sca_envs.core.errors import ToolError
from sca_envs.core.task import Fact, ReferenceAction, Request, Task, UserScript
from sca_envs.core.tools import Tool, toolset

NAME, DATA = "library", "generated:0"
MAX_RENEWALS = 2
POLICY = """You work at the desk of a library. Find the member by e-mail first. A loan can be
renewed twice. Lend a book only if it is in. Do nothing that the member did not ask for."""
PHRASES = {
    "yes": "Yes, please.",
    "no": "No, not that.",
    "next": "There is more.",
    "thanks": "Thanks, goodbye.",
    "leave_it": "Too bad. Goodbye.",
    "unsure": "Let me say it again.",
    "give_up": "I give up. Goodbye.",
}
_WORDS = ("Harbor", "Lantern", "Meadow", "Copper", "Winter", "Granite", "Willow", "Saffron")


def find_member(db: Database, email: str) -> dict[str, Any]:
    """Find a member.

    Args:
        email: The e-mail address, such as 'ada@example.org'.
    """
    key = db.find("members", _email, email)
    member = None if key is None else db.get("members", key)
    if member is None:
        raise ToolError(f"no member has the e-mail address {email!r}")
    return member


def _email(key: str, record: Record) -> str:
    email: str = record["email"]
    return email


def get_book(db: Database, title: str) -> dict[str, Any]:
    """Look up a book, its shelf and whether it is in.

    Args:
        title: The title.
    """
    return _book(db, title)


def list_loans(db: Database, member_id: str) -> list[dict[str, Any]]:
    """List the loans of a member.

    Args:
        member_id: The member's id.
    """
    return [record for _, record in db.items("loans") if record["member_id"] == member_id]


def renew_loan(db: Database, loan_id: str) -> dict[str, Any]:
    """Renew a loan by two weeks, twice at most.

    Args:
        loan_id: The loan's id.
    """
    if _get(db, "loans", loan_id)["renewals"] >= MAX_RENEWALS:
        raise ToolError(f"{loan_id} was renewed {MAX_RENEWALS} times already")
    loan = db.edit("loans", loan_id)
    loan["renewals"] += 1
    loan["due_day"] += 14
    return loan


def reserve_book(db: Database, member_id: str, title: str, days: int = 7) -> dict[str, Any]:
    """Put a book aside for a member.

    Args:
        member_id: The member's id.
        title: The title.
        days: For how many days, from 1 to 14.
    """
    _get(db, "members", member_id)
    book = _book(db, title)
    if not 1 <= days <= 14:
        raise ToolError(f"expected days from 1 to 14, got {days}")
    if book["reserved_by"] is not None:
        raise ToolError(f"{title!r} is reserved already")
    db.edit("books", book["book_id"])["reserved_by"] = f"{member_id} for {days} days"
    return _book(db, title)


def call_colleague(db: Database, summary: str) -> str:
    """Hand over to a colleague, which ends the conversation.

    Args:
        summary: What the member wants.
    """
    return "A colleague takes over."


def _get(db: Database, table: str, key: str) -> Record:
    record = db.get(table, key)
    if record is None:
        raise ToolError(f"there is no {key!r} among the {table}")
    return record


def _book(db: Database, title: str) -> Record:
    for _, record in db.items("books"):
        if record["title"] == title:
            return record
    raise ToolError(f"no book has the title {title!r}")


def build_tables() -> dict[str, dict[str, Record]]:
    """Return forty members with a loan each, and as many books."""
    rng = random.Random("library")
    titles = [f"{one} {other}" for one in _WORDS for other in _WORDS if one != other]
    members, books, loans = {}, {}, {}
    for number in range(40):
        member, book, loan = f"member_{number}", f"book_{number}", f"loan_{number}"
        email = f"{_WORDS[number % 8].lower()}{rng.randrange(1000, 9999)}@example.org"
        members[member] = {"member_id": member, "email": email}
        shelf = f"{rng.choice('ABCDEFGH')}{rng.randrange(1000, 9999)}"
        books[book] = {"book_id": book, "title": titles[number], "shelf": shelf,
                       "reserved_by": None}  # fmt: skip
        loans[loan] = {"loan_id": loan, "member_id": member, "title": titles[number],
                       "due_day": rng.randrange(10, 200), "renewals": number % 2}  # fmt: skip
    return {"members": members, "books": books, "loans": loans}


class Tasks(EndlessTasks):
    """Renewals, reservations and questions; each member belongs to one split."""

    def __init__(self, tables: dict[str, dict[str, Record]], split: str) -> None:
        super().__init__(f"{split}-")
        self._tables, self._split = tables, split

    def _make(self, index: int) -> Task:
        rng = random.Random(f"{self._split} {index}")
        number = rng.randrange(8) * 5 + (4 if self._split == "test" else rng.randrange(4))
        member = self._tables["members"][f"member_{number}"]
        loan = self._tables["loans"][f"loan_{number}"]
        wanted = rng.choice([b for b in self._tables["books"].values() if b["title"] not in
                             (loan["title"],)])  # fmt: skip
        email = f"My e-mail address is {member['email']}."
        actions = [ReferenceAction(name="find_member", arguments={"email": member["email"]})]
        title = Fact(key="title", cues=("title", "which"), text=f"The title is {wanted['title']}.")
        asked = Request(
            opening="On which shelf is a book that I look for?",
            facts=(title,),
            outputs=(wanted["shelf"],),
        )
        look = ReferenceAction(name="get_book", arguments={"title": wanted["title"]})
        if rng.random() < 0.5:
            change = Request(opening=f"I would like to keep {loan['title']} two weeks longer.")
            changes = [
                ReferenceAction(name="list_loans", arguments={"member_id": member["member_id"]}),
                ReferenceAction(name="renew_loan", arguments={"loan_id": loan["loan_id"]}),
            ]
        else:
            days = rng.randrange(2, 14)
            change = Request(opening=f"Please put {wanted['title']} aside for {days} days.")
            arguments = {"member_id": member["member_id"], "title": wanted["title"], "days": days}
            changes = [ReferenceAction(name="reserve_book", arguments=arguments)]
        openings = f"{change.opening} {asked.opening} {title.text}"
        return Task(
            id=f"{self._split}-{index}",
            domain=NAME,
            data=DATA,
            split=self._split,
            instruction=f"{email} {openings}",
            script=UserScript(
                facts=(Fact(key="email", cues=("e-?mail", "identity", "who are"), text=email),),
                requests=(change, asked),
                greeting="Hello.",
                phrases=PHRASES,
            ),
            actions=(*actions, *changes, look),
            outputs=(wanted["shelf"],),
        )


def sample_argument(rng: np.random.Generator, base: Base, parameter: str) -> Any:
    """Draw a plausible value of a tool's parameter."""

    def pick(table: str) -> Record:
        keys = base.keys(table)
        return base.tables[table][keys[int(rng.integers(len(keys)))]]

    match parameter:
        case "email" | "member_id":
            return pick("members")[parameter]
        case "loan_id":
            return pick("loans")["loan_id"]
        case "title":
            return pick("books")["title"]
        case "days":
            return int(rng.integers(1, 15))
        case "summary":
            return "The member wants something else."
    raise KeyError(parameter)


Parts = dict[str, Any]
"""Keyword arguments of `Domain`."""


def parts() -> Parts:
    """Return what the healthy domain is made of."""
    tables = build_tables()
    tools = toolset(find_member, get_book, list_loans, renew_loan, reserve_book, call_colleague)
    return {
        "name": NAME,
        "data": DATA,
        "base": Base(tables),
        "tools": tools,
        "policy": POLICY,
        "splits": {s: functools.partial(Tasks, tables, s) for s in ("train", "test")},
        "sample_argument": sample_argument,
        "terminal_tools": frozenset({"call_colleague"}),
    }


def load(breakage: str | None = None) -> Domain:
    """Return the domain, healthy or broken in one way."""
    made = parts()
    if breakage is not None:
        importlib.import_module("tests.bench.breakages")
        BREAKAGES[breakage](made)
    return Domain(**{"origin": (load, (breakage,)), **made})


BREAKAGES: dict[str, Callable[[Parts], None]] = {}
"""Name -> a change of the healthy parts."""


def breakage(change: Callable[[Parts], None]) -> Callable[[Parts], None]:
    """Register a way to break the domain under its function's name."""
    BREAKAGES[change.__name__] = change
    return change


def tool(made: Parts, function: Callable[..., Any], name: str) -> None:
    """Let another function carry out a tool."""
    made["tools"][name] = replace(made["tools"][name], function=function)


def tasks(made: Parts, change: Callable[[Task], dict[str, Any]], split: str | None = None) -> None:
    """Change the fields of all tasks, or of those of one split."""
    for name, source in made["splits"].items():
        if split in (None, name):
            made["splits"][name] = functools.partial(Changed, source, change)


class Changed(Tasks):
    """Tasks with other fields."""

    def __init__(self, source: Callable[[], Tasks], change: Callable[[Task], Any]) -> None:
        tasks = source()
        super().__init__(tasks._tables, tasks._split)
        self._source, self._change = tasks, change

    def _make(self, index: int) -> Task:
        task = self._source[index]
        return task.model_copy(update=self._change(task))


def with_script(task: Task, **changes: Any) -> dict[str, Any]:
    """Return a change of a task's script."""
    assert task.script is not None
    return {"script": task.script.model_copy(update=changes)}


def swapped(task: Task, index: int, **changes: Any) -> dict[str, Any]:
    """Return a change of one reference action."""
    actions = list(task.actions)
    actions[index] = actions[index].model_copy(update=changes)
    return {"actions": tuple(actions)}


def described(item: Tool, name: str, description: str) -> Tool:
    """Return a tool with another description of a parameter."""
    schema = item.schema["function"]["parameters"]
    schema["properties"][name]["description"] = description
    return replace(item, parameters=schema)
