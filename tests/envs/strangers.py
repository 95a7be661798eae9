"""A package of somebody else's, with a domain of its own, as tests write it to disk."""

from __future__ import annotations

from pathlib import Path

_SOURCE = '''"""A library: members, books and loans."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np

import sca_envs
from sca_envs import DomainSpec, Task
from sca_envs.core.database import Base, Database
from sca_envs.core.endless import EndlessTasks
from sca_envs.core.errors import ToolError
from sca_envs.core.tools import toolset


def find_book(db: Database, title: str) -> str:
    """Find a book by its title.

    Args:
        title: The title.
    """
    for key, book in db.items("books"):
        if book["title"] == title:
            return json.dumps({"book_id": key, **book})
    raise ToolError("no such book")


def get_member(db: Database, member_id: str) -> str:
    """Look a member up.

    Args:
        member_id: The member's id.
    """
    return db.text("members", _known(db, "members", member_id))


def borrow_book(db: Database, member_id: str, book_id: str) -> str:
    """Lend a book.

    Args:
        member_id: The member's id.
        book_id: The book's id.
    """
    _known(db, "members", member_id)
    if db.get("books", _known(db, "books", book_id))["lent"]:
        raise ToolError("the book is lent")
    db.edit("books", book_id)["lent"] = True
    loans = db.edit("members", member_id)["loans"]
    loans.append(book_id)
    return json.dumps({"loans": loans})


def _known(db: Database, table: str, key: str) -> str:
    if db.get(table, key) is None:
        raise ToolError(f"no such record {key}")
    return key


TOOLS = toolset(find_book, get_member, borrow_book)
TITLES = ("Dune", "Emma", "Ulysses", "Walden", "Persuasion", "Middlemarch")


def build_world(seed: int) -> dict[str, dict[str, dict[str, Any]]]:
    titles = random.Random(seed).sample(TITLES, len(TITLES))
    return {
        "books": {f"B{i}": {"title": title, "lent": False} for i, title in enumerate(titles)},
        "members": {f"M{i}": {"loans": []} for i in range(20)},
    }


class Tasks(EndlessTasks):
    def __init__(self, base: Base, seed: int, split: str) -> None:
        super().__init__(f"{split}-")
        self._base, self._seed, self._split = base, seed, split

    def _make(self, index: int) -> Task:
        rng = random.Random(f"{self._seed} {self._split} {index}")
        members = self._base.keys("members")[self._split == "test" :: 2]
        member, book = rng.choice(members), rng.choice(self._base.keys("books"))
        title = self._base.tables["books"][book]["title"]
        calls = [
            {"name": "find_book", "arguments": {"title": title}},
            {"name": "borrow_book", "arguments": {"member_id": member, "book_id": book}},
        ]
        return Task(
            id=f"{self._split}-{index}",
            domain="NAME",
            data=f"generated:{self._seed}",
            split=self._split,
            instruction=f"I am member {member} and WISH {title}.",
            actions=calls,
        )


def sample_argument(rng: np.random.Generator, base: Base, parameter: str) -> Any:
    table = {"member_id": "members", "book_id": "books"}.get(parameter)
    choices = TITLES if table is None else base.keys(table)
    return choices[int(rng.integers(len(choices)))]


SPEC = DomainSpec(
    name="NAME",
    package=__name__,
    tools=TOOLS,
    tasks=Tasks,
    sample_argument=sample_argument,
    build_world=build_world,
)
'''
_REGISTRATION = """
sca_envs.register_domain("NAME", LOADER)
sca_envs.register_env("NAMESPACE/Library-v0", domain="NAME")
"""


def write_package(folder: Path, name: str, *, loader: str = "SPEC", wish: str = "want") -> str:
    """Write a package and return the id of its environment, module included.

    Args:
        folder: Where it goes.
        name: Name of the package, of its domain and of the namespace of its environments.
        loader: How it registers its domain, as an expression.
        wish: A word in the tasks, so that two versions of them differ.
    """
    package = folder / name
    package.mkdir(parents=True, exist_ok=True)
    source = _SOURCE + _REGISTRATION.replace("LOADER", loader).replace("NAMESPACE", name)
    source = source.replace("WISH", wish).replace("NAME", name)
    (package / "__init__.py").write_text(source, "utf-8")
    (package / "policy.md").write_text("Lend books to members.\n", "utf-8")
    return f"{name}:{name}/Library-v0"


def announce(folder: Path, name: str, module: str) -> None:
    """Write what an installer would, so that a package is a plugin."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    entry = f"[sca_envs.domains]\n{name} = {module}\n"
    (info / "entry_points.txt").write_text(entry, "utf-8")
