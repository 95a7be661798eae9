"""The airline tools and rewards against what was recorded from the originals."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sca_envs.core.actions import Reply
from sca_envs.core.database import Change
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode
from sca_envs.core.task import Task, TaskSet
from sca_envs.core.users import ScriptedUser, User
from sca_envs.domains import domain

DOING_NOTHING_IS_RIGHT = [
    *("12", "13", "15", "17", "18", "21", "24", "29"),
    *("35", "36", "37", "38", "39", "40", "41", "42", "47", "48", "49"),
]
BOOKING: dict[str, Any] = {
    "user_id": "mia_li_3668",
    "origin": "PHL",
    "destination": "LGA",
    "flight_type": "one_way",
    "cabin": "economy",
    "flights": [{"flight_number": "HAT001", "date": "2024-05-16"}],
    "passengers": [{"first_name": "M", "last_name": "L", "dob": "1990-04-05"}],
    "payment_methods": [{"payment_id": "credit_card_4421486", "amount": 122}],
    "total_baggages": 0,
    "nonfree_baggages": 0,
    "insurance": "no",
}


@pytest.fixture
def original(tau_bench: Path) -> Domain:
    return domain("tau_airline", "tau-bench")


def _shortened(text: str, recorded: object) -> object:
    """Long observations were recorded as the beginning of their sha256."""
    if isinstance(recorded, dict):
        return {"sha256": hashlib.sha256(text.encode()).hexdigest()[:16]}
    return text


def test_golden_sequences(original: Domain, tau_bench: Path) -> None:
    lines = (tau_bench / "golden" / "airline.jsonl").read_text().splitlines()
    assert len(lines) == 120
    for line in lines:
        sequence = json.loads(line)
        db = original.database()
        for name, arguments, recorded in sequence["calls"]:
            observation = original.call(db, name, arguments)
            assert _shortened(observation, recorded) == recorded, (sequence["seq"], name, arguments)
        assert db.digest() == sequence["final_state_sha256"], sequence["seq"]


def _fits(value: object, schema: dict[str, Any]) -> bool:
    """Return whether a value has the type that the original's schema says (enums aside)."""
    match schema["type"]:
        case "object":
            return isinstance(value, dict) and all(
                key in value and _fits(value[key], schema["properties"][key])
                for key in schema["required"]
            )
        case "array":
            return isinstance(value, list) and all(_fits(item, schema["items"]) for item in value)
        case kind:
            kinds = {"string": str, "integer": int, "number": (int, float)}
            return isinstance(value, kinds[kind])


def _schemas(tau_bench: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for tool in json.loads((tau_bench / "golden" / "tools_info_airline.json").read_text()):
        yield tool["function"]["name"], tool["function"]


def _as_recorded(change: Change) -> list[object]:
    if change.kind == "add":
        return [change.path, "ADD", change.after]
    if change.kind == "remove":
        return [change.path, "DEL"]
    return [change.path, change.before, change.after]


def test_quirks(original: Domain, tau_bench: Path) -> None:
    schemas = dict(_schemas(tau_bench))
    quirks = json.loads((tau_bench / "golden" / "quirks.json").read_text())
    quirks = [quirk for quirk in quirks if quirk["domain"] == "airline"]
    assert len(quirks) > 20
    compared = 0
    for quirk in quirks:
        db, valid = original.database(), True
        for (name, arguments), recorded in zip(quirk["calls"], quirk["obs"], strict=True):
            if quirk["note"] == "book ok x4 then cancel" and "payment_methods" in arguments:
                # The original stored the caller's list, so its refund came into the recording.
                arguments["payment_methods"] = arguments["payment_methods"][:1]
            observation = original.call(db, name, arguments)
            if not _fits(arguments, schemas[name]["parameters"]):
                assert observation.startswith("Error: "), quirk["note"]
                valid = False
            elif recorded.startswith("!!RAISED"):  # the original's episode ended in an exception
                assert observation.startswith("Error: "), quirk["note"]
            else:
                assert observation == recorded, quirk["note"]
                compared += 1
        if valid:
            changes = sorted(map(_as_recorded, db.diff()), key=str)
            assert changes == sorted(quirk["diff"], key=str), quirk["note"]
    assert compared > 35


def _tasks(found: Domain, split: str) -> TaskSet:
    tasks = found.tasks(split)
    assert isinstance(tasks, TaskSet)
    return tasks


def _replay(found: Domain, task: Task, user: User | None) -> float:
    episode = Episode(found, task, user)
    for action in task.actions:
        reward = episode.step(action.to_call()).reward
        if episode.done:
            return reward
    while not episode.done:
        reward = episode.step(Reply("Done: " + ", ".join(task.outputs))).reward
    return reward


def test_tau_bench_tasks(original: Domain) -> None:
    tasks = _tasks(original, "test")
    assert [task.id for task in tasks] == [str(i) for i in range(50)]
    for task in tasks:
        assert _replay(original, task, None) == 1, task.id
        assert _replay(original, task, ScriptedUser()) == 1, task.id
    passive = [t.id for t in tasks if Episode(original, t).step(Reply("")).reward == 1]
    assert passive == DOING_NOTHING_IS_RIGHT


def test_clean_split_leaves_out_audited_tasks(original: Domain) -> None:
    assert original.splits == ("test", "test-clean")
    clean = _tasks(original, "test-clean")
    flagged = [task.id for task in _tasks(original, "test") if task.audit]
    assert len(clean) + len(flagged) == 50
    corrected = {"9", "10", "15", "16", "19", "23", "25", "26", "27", "31", "33", "34", "45", "46"}
    assert corrected <= set(flagged)
    assert not any(task.audit for task in clean)


def test_schemas_take_the_same_arguments(original: Domain, tau_bench: Path) -> None:
    recorded = dict(_schemas(tau_bench))
    assert list(recorded) == list(original.tools)
    for name, theirs in recorded.items():
        ours = original.tools[name]
        assert theirs["description"] != ours.description
        _assert_same_types(theirs["parameters"], ours.parameters)


def _assert_same_types(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    for key in ("type", "enum", "required"):
        assert (theirs.get(key) or None) == (ours.get(key) or None)
    for name, schema in theirs.get("properties", {}).items():
        _assert_same_types(schema, ours["properties"][name])
    if "items" in theirs:
        _assert_same_types(theirs["items"], ours["items"])


def test_nested_arguments_are_stored_as_given(original: Domain) -> None:
    """Further keys and the order of keys show in observations, so both stay."""
    db = original.database()
    flights = [{"date": "2024-05-16", "note": "window", "flight_number": "HAT001"}]
    payments = [{"amount": 122.0, "payment_id": "credit_card_4421486", "memo": None}]
    booked = json.loads(
        original.call(
            db, "book_reservation", BOOKING | {"flights": flights, "payment_methods": payments}
        )
    )
    kept = ["date", "note", "flight_number", "price", "origin", "destination"]
    assert list(booked["flights"][0]) == kept
    assert json.dumps(booked["payment_history"]) == json.dumps(payments)
    assert "price" not in flights[0]


def test_stored_arguments_belong_to_the_database(original: Domain) -> None:
    db = original.database()
    arguments = json.loads(json.dumps(BOOKING))
    original.tools["book_reservation"].function(db, **arguments)
    original.call(db, "cancel_reservation", {"reservation_id": "HATHAT"})
    assert arguments == BOOKING


def test_unknown_dates_and_airports(original: Domain) -> None:
    db = original.database()
    where = {"origin": "SFO", "destination": "JFK"}
    for name in ("search_direct_flight", "search_onestop_flight"):
        assert original.call(db, name, {**where, "origin": "??", "date": "2024-05-20"}) == "[]"
        assert original.call(db, name, {**where, "date": "2024-06-01"}) == "[]"
    late = original.call(db, "search_onestop_flight", {**where, "date": "2024-05-30"})
    assert all(pair[1]["date"] == "2024-05-30" for pair in json.loads(late))


def test_tau2_tasks(tau2: Path) -> None:
    found = domain("tau_airline", "tau2")
    train, test = _tasks(found, "train"), _tasks(found, "test")
    assert (len(train), len(test)) == (30, 20)
    assert not {task.id for task in train} & {task.id for task in test}
    for task in (*train, *test):
        assert _replay(found, task, None) == 1, task.id
        assert _replay(found, task, ScriptedUser()) == 1, task.id


class TestTau2Tools:
    @pytest.fixture
    def found(self, tau2: Path) -> Domain:
        return domain("tau_airline", "tau2")

    def test_names(self, found: Domain) -> None:
        assert len(found.tools) == 14
        assert "think" not in found.tools
        assert "get_flight_status" in found.tools

    def test_booking_takes_seats_and_ends_after_three(self, found: Domain) -> None:
        db = found.database()
        where = {"origin": "PHL", "destination": "LGA", "date": "2024-05-16"}
        seats = []
        for _ in range(4):
            offers = json.loads(found.call(db, "search_direct_flight", where))
            offer = next(o for o in offers if o["flight_number"] == "HAT001")
            seats.append(offer["available_seats"]["economy"])
            last = found.call(db, "book_reservation", BOOKING)
        assert seats == [seats[0] - i for i in range(4)]
        assert last.startswith("Error: ")
        fourth = json.loads(found.call(db, "get_reservation_details", {"reservation_id": "HATHAV"}))
        assert fourth["flights"][0]["flight_number"] == "HAT001"
        before = db.digest()
        assert found.call(db, "book_reservation", BOOKING).startswith("Error: ")
        assert db.digest() == before

    def test_nested_arguments_are_cut_to_the_records_fields(self, found: Domain) -> None:
        db = found.database()
        more = {
            "flights": [{**BOOKING["flights"][0], "seat": "1A"}],
            "passengers": [{**BOOKING["passengers"][0], "meal": "soup"}],
            "payment_methods": [{"payment_id": "credit_card_4421486", "amount": 122.0}],
        }
        plain, other = found.database(), db
        found.call(plain, "book_reservation", BOOKING)
        found.call(other, "book_reservation", BOOKING | more)
        assert plain == other
        half = [{"payment_id": "credit_card_4421486", "amount": 121.5}]
        refused = found.call(db, "book_reservation", BOOKING | {"payment_methods": half})
        assert refused.startswith("Error: ")

    def test_cabin_is_stored(self, found: Domain) -> None:
        db = found.database()
        key, reservation = next(
            (key, r)
            for key, r in db.items("reservations")
            if key == "4WQ150"  # its flights are still to come
        )
        flights = [
            {"flight_number": f["flight_number"], "date": f["date"]} for f in reservation["flights"]
        ]
        arguments = {
            "reservation_id": key,
            "cabin": "economy",
            "flights": flights,
            "payment_id": reservation["payment_history"][0]["payment_id"],
        }
        changed = json.loads(found.call(db, "update_reservation_flights", arguments))
        assert changed["cabin"] == "economy"
        state = db.digest()
        found.call(db, "update_reservation_flights", arguments)
        assert db.digest() == state

    def test_a_fourth_certificate_is_refused(self, found: Domain) -> None:
        db = found.database()
        said = [
            found.call(db, "send_certificate", {"user_id": "mia_li_3668", "amount": 100})
            for _ in range(4)
        ]
        assert [text.startswith("Error: ") for text in said] == [False, False, False, True]

    def test_connections_have_their_own_date(self, found: Domain) -> None:
        where = {"origin": "LGA", "destination": "SFO", "date": "2024-05-20"}
        pairs = json.loads(found.call(found.database(), "search_onestop_flight", where))
        later = [second for _, second in pairs if second["date"] == "2024-05-21"]
        assert later
        for second in later:
            day = found.base.tables["flights"][second["flight_number"]]["dates"]["2024-05-21"]
            assert second["prices"] == day["prices"]

    def test_airports_and_flight_status(self, found: Domain) -> None:
        db = found.database()
        airports = json.loads(found.call(db, "list_all_airports", {}))
        assert {"iata": "SFO", "city": "San Francisco"} in airports
        assert len(airports) == 20
        status = {"flight_number": "HAT001", "date": "2024-05-16"}
        assert found.call(db, "get_flight_status", status) == "available"
        for wrong in ({"flight_number": "X"}, {"date": "2024-06-16"}):
            assert found.call(db, "get_flight_status", status | wrong).startswith("Error: ")
