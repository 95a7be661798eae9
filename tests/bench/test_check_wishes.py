"""What `check_domain` says of wishes that are not as they must be."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sca_envs.bench.conformance import battery
from sca_envs.bench.conformance.battery import CHECKS
from sca_envs.core.wishes import Customer, Wish, Wordings
from tests.core import library
from tests.core.library import WISHES, WORDINGS, make_domain


def said_of(function: Callable[[Customer], Wish], **options: Any) -> str:
    """Return what the checks say of a library with one wish."""
    pools: dict[str, Mapping[str, Any]] = {
        pool: {**texts, function.__name__: {"opening": ["Please {ask}."]}}
        for pool, texts in WORDINGS.pools.items()
    }
    book = dataclasses.replace(
        WISHES, wishes={function: 1}, wordings=Wordings(WORDINGS.cues, pools)
    )
    report = battery.check_domain(make_domain(book, None, **options), num_tasks=5)
    return str(report)


@pytest.fixture(autouse=True)
def few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: CHECKS[name] for name in ("splits", "wishes")}
    monkeypatch.setattr(battery, "CHECKS", few)


def renewal(c: Customer, *, weeks: int) -> Wish:
    book = c.pick(b for b in library.loans(c) if b["renewals"] < library.MAX_RENEWALS)
    done = c.call("renew_loan", book_id=c.given(book["book_id"]), weeks=weeks)
    return c.wish({"the author": done["author"]})


def test_a_refused_call() -> None:
    def refused(c: Customer) -> Wish:
        return renewal(c, weeks=9)

    said = said_of(refused)
    assert "renew_loan" in said
    assert "it cannot be renewed; mend the wishes" in said
    assert "id_of" not in said


def test_a_table_without_a_record_reader() -> None:
    def renewing(c: Customer) -> Wish:
        return renewal(c, weeks=1)

    said = said_of(renewing, tools=library.TOOLS, record_readers={})
    assert "table 'books', which a wish changes" in said
    assert "a domain that it can look at" not in said
