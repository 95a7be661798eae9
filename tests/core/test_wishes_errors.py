"""What the author of wishes can do wrong, and that each gives an error that says what to mend."""

from __future__ import annotations

import dataclasses
import functools
import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from sca_envs.challenge.lab import Lab
from sca_envs.challenge.procedural import ProceduralChallenger
from sca_envs.challenge.procedural.trial import attempt, judge
from sca_envs.core.database import Base
from sca_envs.core.domain import Domain, RecordReader
from sca_envs.core.errors import OptionError
from sca_envs.core.tools import toolset
from sca_envs.core.wishes import Customer, DeadEnd, Wish, WishError, Wordings
from tests.core import library
from tests.core.library import WISHES, WORDINGS, make_base, make_domain

SPLITS = ("train", "test")


def wish_of(function: Callable[[Customer], Any], extra: str = "", **options: Any) -> Domain:
    """Return a library with one wish, whose function is called `broken`."""
    function.__name__ = "broken"
    text = '[broken]\nopening = ["Please {ask}."]\n' + extra
    tables = Wordings.parse(text)
    pools = {pool: {**WORDINGS.pools[pool], **tables.pools[pool]} for pool in SPLITS}
    wordings = Wordings({**WORDINGS.cues, **tables.cues}, pools)
    base, tools = options.pop("base", None), options.pop("tools", library.TOOLS)
    readers = options.pop("record_readers", library.READERS)
    book = dataclasses.replace(WISHES, wishes={function: 1}, wordings=wordings, **options)
    return make_domain(book, base, tools=tools, record_readers=readers)


def both(domain: Domain) -> list[Callable[[], object]]:
    """Return what makes a task of either kind."""
    return [lambda: domain.tasks("train")[0], lambda: ProceduralChallenger(domain).propose(0)]


def no_such_tool(c: Customer) -> Wish:
    return c.wish({"it": c.call("renew_lone", book_id="B100")})


def refused_call(c: Customer) -> Wish:
    return c.wish({"it": c.call("get_book_details", book_id="B999")})


def wrong_argument(c: Customer) -> Wish:
    return c.wish({"it": c.call("get_book_details", isbn="B100")})


def no_such_tool_by_mistake(c: Customer) -> Wish:
    c.mistake(("burn_book", {}))
    return c.wish({"it": c.profile["name"]})


def no_such_tool_otherwise(c: Customer) -> Wish:
    c.either(c.profile["name"] == c.profile["name"], ("get_book_details", {"book_id": "B100"}),
             ("burn_book", {}))  # fmt: skip
    return c.wish({"it": c.profile["name"]})


def no_cues(c: Customer) -> Wish:
    c.tell("color", "red", wording="book", book="B100")
    return c.wish({"it": c.profile["name"]})


def no_wording(c: Customer) -> Wish:
    c.tell("book", "B100", wording="poem")
    return c.wish({"it": c.profile["name"]})


def no_opening(c: Customer) -> Wish:
    return c.wish({"it": c.profile["name"]}, opening="closing")


def no_slot(c: Customer) -> Wish:
    c.tell("weeks", wording="book")
    return c.wish({"it": c.profile["name"]})


def no_slot_in_asks(c: Customer) -> Wish:
    return c.wish({"{thing}": c.profile["name"]})


def no_asks(c: Customer) -> Wish:
    return c.wish()


def no_terms(c: Customer) -> Wish:
    return c.wish({"it": "a constant"})  # type: ignore[dict-item]


def no_return(c: Customer) -> None:
    c.wish({"it": c.profile["name"]})


def no_json(c: Customer) -> Wish:
    return c.wish({"it": c.call("get_book_details", book_id={"B100"})})


def no_such_field(c: Customer) -> Wish:
    return c.wish({"it": c.profile["nickname"]})


def no_such_record(c: Customer) -> Wish:
    return c.wish({"it": c.record("books", "B999")["title"]})


def no_such_table(c: Customer) -> Wish:
    return c.wish({"it": c.record("films", "F1")["title"]})


def no_variable(c: Customer) -> Wish:
    return c.wish({"it": c.call("get_book_details", as_="the book", book_id="B100")["title"]})


def truth(c: Customer) -> Wish:
    if c.profile["name"] == "Ada":
        raise DeadEnd
    return c.wish({"it": c.profile["name"]})


def stops(c: Customer) -> Wish:
    return c.wish({"it": next(iter(()))})


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (no_such_tool, "expected a tool out of find_member, .*; got 'renew_lone'"),
        (refused_call, r"get_book_details\(.*B999.*\) was refused: no such book"),
        (wrong_argument, "was refused: invalid arguments for get_book_details: 'book_id' is miss"),
        (no_such_tool_by_mistake, "expected a tool out of .*; got 'burn_book'"),
        (no_such_tool_otherwise, "expected a tool out of .*; got 'burn_book'"),
        (no_cues, r"expected cues for 'color' under \[cues\]"),
        (no_wording, r"wordings for 'poem' in \[broken\] or \[shared\]"),
        (no_opening, r"wordings for 'closing' in \[broken\]"),
        (no_slot, "expected a slot 'book' out of weeks in"),
        (no_slot_in_asks, "expected a slot 'thing' out of none in '{thing}'"),
        (no_asks, "expected `asks` with words and a term for each; got None"),
        (no_terms, "expected `asks` with words and a term for each; got {'it': 'a constant'}"),
        (no_return, r"expected it to return customer\.wish\(…\), got None"),
        (no_json, "invalid arguments for get_book_details: 'book_id'"),
        (no_such_field, "failed with KeyError: 'nickname'"),
        (no_such_record, "expected a record 'B999' in the table 'books'; there is none"),
        (no_such_table, "expected a table out of members, books; got 'films'"),
        (no_variable, "expected a name that a variable can have; got 'the book'"),
        (truth, "failed with TypeError: a term is neither true nor false"),
        (stops, "failed with StopIteration"),
    ],
)
def test_errors_name_the_wish(function: Callable[[Customer], Any], says: str) -> None:
    for make in both(wish_of(function)):
        with pytest.raises((WishError, OptionError), match=says) as caught:
            make()
        assert "broken" in str(caught.value)


def test_a_tool_that_breaks_is_the_fault_of_no_customer() -> None:
    def get_shelf(db: Any, book_id: str) -> str:
        """Show where a book is.

        Args:
            book_id: Id of the book.
        """
        return str(db.get("books", book_id)["shelf"])

    def broken(c: Customer) -> Wish:
        return c.wish({"it": c.call("get_shelf", book_id="B100")})

    for make in both(wish_of(broken, tools={**library.TOOLS, **toolset(get_shelf)})):
        with pytest.raises(WishError, match="the wish broken failed with KeyError: 'shelf'"):
            make()


def test_identify_that_sets_no_profile() -> None:
    def identify(c: Customer) -> None:
        c.tell("card", c.record("members", c.key)["card"], name="x")

    def broken(c: Customer) -> Wish:
        return c.wish({"it": c.profile["name"]})

    for make in both(wish_of(broken, identify=identify)):
        with pytest.raises(WishError, match=r"broken: expected `identify` .* customer\.profile"):
            make()


def test_identify_that_fails() -> None:
    def identify(c: Customer) -> None:
        c.profile = c.call("get_member_details", member_id="nobody")

    for make in both(wish_of(no_asks, identify=identify)):
        with pytest.raises(WishError, match=r"the wish identify: get_member_details.*was refused"):
            make()


def test_identify_may_find_nobody() -> None:
    def identify(c: Customer) -> None:
        if int(c.key[1:]) % 2:
            raise DeadEnd
        library.identify(c)

    def broken(c: Customer) -> Wish:
        return c.wish({"my name": c.profile["name"], "my card": c.profile["card"]})

    domain = wish_of(broken, identify=identify)
    for index in range(10):
        assert int(domain.tasks("train")[index].actions[1].arguments["member_id"][1:]) % 2 == 0
        assert ProceduralChallenger(domain).propose(index).solution


def test_a_dead_end_leaves_nothing_changed() -> None:
    tried = []

    def broken(c: Customer) -> Wish:
        tried.append(c)
        c.use("B100")
        c.call("renew_loan", book_id=library.loans(c)[0]["book_id"], weeks=1)
        c.profile = c.call("get_member_details", as_="again", member_id=c.key)
        c.say("card", name="x", card="y")
        raise DeadEnd

    book = wish_of(broken, base=renewable()).wishes
    assert book is not None
    rng = random.Random(0)
    base = renewable()
    customer, _, _ = book.meet(library.TOOLS, base, base.keys("members"), rng, pool="train")
    profile, used, state = customer.profile, set(customer.used), customer.state()
    for _ in range(20):
        with pytest.raises(DeadEnd):
            book.draw(customer)
    assert len(tried) == 20
    assert customer.db.diff() == []
    assert customer.profile is profile
    assert customer.used == used
    assert customer.state()[1:] == state[1:]
    assert book.draw_several(customer, 3) == []


def renewable() -> Base:
    base = make_base()
    for book in base.tables["books"].values():
        book["renewals"] = 0
    return base


def test_a_wish_that_does_not_fit_leaves_nothing_changed_either() -> None:
    rng = random.Random(0)
    base = renewable()
    customer, _, _ = WISHES.meet(library.TOOLS, base, base.keys("members"), rng, pool="train")
    for _ in range(20):
        with pytest.raises(DeadEnd):
            WISHES.draw(customer, lambda wish: False)
    assert customer.db.diff() == []
    assert not customer.used


def test_no_wish_is_ever_possible() -> None:
    def broken(c: Customer) -> Wish:
        raise DeadEnd

    domain = wish_of(broken)
    with pytest.raises(WishError, match=r"No customer of library in the split 'train' .* broken"):
        domain.tasks("train")[0]
    with pytest.raises(OptionError, match="found no task in library"):
        ProceduralChallenger(domain).propose(0)


def test_a_question_whose_answer_could_be_said_in_two_ways() -> None:
    def broken(c: Customer) -> Wish:
        return c.wish({"it": c.profile["loans"].length()}, question=True)

    with pytest.raises(WishError, match="broken find no occasion, or ask for nothing that"):
        wish_of(broken).tasks("train")[0]


def test_a_changed_table_without_a_record_reader() -> None:
    def broken(c: Customer) -> Wish:
        book = c.pick(b for b in library.loans(c) if b["renewals"] < 2)
        done = c.call("renew_loan", book_id=c.given(book["book_id"]), weeks=1)
        return c.wish({"the day": done["due_day"]})

    domain = wish_of(broken, record_readers={})
    assert domain.tasks("train")[0].actions
    with pytest.raises(OptionError, match=r"record_readers .* table 'books', which a wish changes"):
        ProceduralChallenger(domain).propose(0)


def test_a_record_reader_that_refuses() -> None:
    def broken(c: Customer) -> Wish:
        book = c.pick(b for b in library.loans(c) if b["renewals"] < 2)
        done = c.call("renew_loan", book_id=c.given(book["book_id"]), weeks=1)
        return c.wish({"the day": done["due_day"]})

    readers = {"books": RecordReader("get_member_details", "member_id", "member")}
    with pytest.raises(OptionError, match=r"record_readers of library .*refused: no such member"):
        ProceduralChallenger(wish_of(broken, record_readers=readers)).propose(0)


def test_a_record_that_is_removed_and_one_that_is_added() -> None:
    def replace_book(db: Any, book_id: str) -> str:
        """Replace a book by a new copy.

        Args:
            book_id: Id of the book.
        """
        book = {**db.get("books", book_id), "book_id": "B900", "due_day": 1}
        db.delete("books", book_id)
        db.put("books", "B900", book)
        return json.dumps(book)

    def broken(c: Customer) -> Wish:
        loans = [key for key in c.record("members", c.key)["loans"] if c.db.get("books", key)]
        key = c.tell("book", c.pick(loans), confusable=loans)
        done = c.call("replace_book", book_id=key)
        return c.wish({"the title": done["title"], "the author": done["author"]})

    domain = wish_of(broken, tools={**library.TOOLS, **toolset(replace_book)})
    for seed in range(3):
        task = ProceduralChallenger(domain).propose(seed)
        assert judge(domain, task.verify, attempt(domain, task.solution)) is True


def test_a_result_stays_as_it_was_when_a_later_call_writes() -> None:
    """A tool may return the record itself, which the next call changes in place."""

    def waive_fee(db: Any, book_id: str) -> Any:
        """Halve the fee of a book, and show the book.

        Args:
            book_id: Id of the book.
        """
        book = db.edit("books", book_id)
        book["fee"] = round(book["fee"] / 2, 2)
        return book

    def broken(c: Customer) -> Wish:
        key = c.given(c.pick(library.loans(c))["book_id"])
        first = c.call("waive_fee", book_id=key)
        second = c.call("waive_fee", book_id=key)
        assert first["fee"].value > second["fee"].value
        return c.wish(
            {"the fee first": first["fee"], "what it saves": first["fee"] - second["fee"]}
        )

    domain = wish_of(broken, tools={**library.TOOLS, **toolset(waive_fee)})
    task = ProceduralChallenger(domain).propose(0)
    with Lab() as lab:
        assert lab.judge(domain, task.verify, lab.attempt(domain, task.solution)).fulfilled


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"members": {}, "books": {}}, "customers in the table 'members', got an empty one"),
        ({"people": {"P1": {}}}, "customers in the table 'members', got people; say which"),
    ],
)
def test_a_world_without_customers(tables: Any, says: str) -> None:
    for make in both(make_domain(base=Base(tables))):
        with pytest.raises(OptionError, match=says):
            make()


def test_a_world_with_too_few_customers_for_two_splits() -> None:
    domain = make_domain(base=make_base(members=4))
    assert domain.tasks("train")[0].actions
    with pytest.raises(OptionError, match=r"at least 5 customers .* the split 'test' has none"):
        domain.tasks("test")
    assert make_domain(base=make_base(members=5)).tasks("test")[0].actions


def shared(c: Customer) -> Wish:
    return c.wish({"it": c.profile["name"]})


def twin() -> Callable[[Customer], Wish]:
    def renew(c: Customer) -> Wish:
        return c.wish({"it": c.profile["name"]})

    return renew


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"wishes": {}}, "Expected wishes, each with how often"),
        ({"wishes": {library.renew: 0}}, r"above 0; got {'renew': 0}"),
        ({"wishes": {library.renew: 1, library.reserve: -1}}, "above 0"),
        ({"wishes": {library.renew: float("nan")}}, "above 0"),
        ({"wishes": {library.renew: float("inf")}}, "above 0"),
        ({"wishes": {lambda c: library.renew(c): 1}}, "names of their own .*; got <lambda>"),
        ({"wishes": {functools.partial(library.renew): 1}}, "; got functools.partial"),
        ({"wishes": {library.renew: 1, twin(): 1}}, "names of their own .*; got renew"),
        ({"wishes": {library.identify: 1}}, "names of their own .*; got identify"),
        ({"wishes": {shared: 1}}, "names of their own .*; got shared"),
        ({"identify": lambda c: None}, "; got <lambda>"),
        ({"personas": ()}, "at least one persona"),
        ({"id_pattern": "("}, "id_pattern: expected a regular expression"),
        ({"id_pattern": "(a+)+b"}, "id_pattern: .*too long"),
    ],
)
def test_a_book_that_is_not_as_it_must_be(options: Any, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        dataclasses.replace(WISHES, **options)


def test_a_term_that_is_told_is_its_value() -> None:
    def broken(c: Customer) -> Wish:
        mine = c.profile["loans"]
        key = c.tell("book", mine[0], confusable=mine)
        found = c.call("get_book_details", book_id=key)
        return c.wish({"the title": found["title"], "the author": found["author"]})

    domain = wish_of(broken)
    task = domain.tasks("train")[0]
    assert task.script is not None
    (fact,) = task.script.requests[0].facts
    assert fact.value == task.actions[-1].arguments["book_id"]
    code = ProceduralChallenger(domain).propose(0)
    assert any("get_book_details(book_id='B" in failure for failure in code.failures)


def test_a_fact_that_is_never_volunteered_is_in_the_instruction_of_both_kinds() -> None:
    def broken(c: Customer) -> Wish:
        key = c.tell("book", c.record("members", c.key)["loans"][0], given=False)
        found = c.call("get_book_details", book_id=key)
        return c.wish({"the title": found["title"], "the author": found["author"]})

    domain = wish_of(broken)
    task = domain.tasks("train")[0]
    assert task.actions[-1].arguments["book_id"] in task.instruction
    code = ProceduralChallenger(domain).propose(0)
    (key,) = re.findall(r"book_id='(\w+)'", code.solution)
    assert key in code.instruction


def test_texts_from_the_data_may_have_braces() -> None:
    base = make_base()
    for book in base.tables["books"].values():
        book["title"] = "{0} {x.__class__} }{ 'quoted' \\"
    domain = make_domain(base=base)
    for index in range(12):
        assert domain.tasks("train")[index].instruction
        task = ProceduralChallenger(domain).propose(index)
        assert judge(domain, task.verify, attempt(domain, task.solution)) is True
