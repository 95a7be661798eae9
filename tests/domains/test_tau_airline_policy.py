"""Reference solutions against the policy, written down once more, and conversations in full."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from sca_envs.core.actions import Reply
from sca_envs.core.database import Database
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode
from sca_envs.core.task import Fact, Request, Task
from sca_envs.core.users import ScriptedUser
from sca_envs.domains import domain

FREE_BAGS = {
    ("regular", "basic_economy"): 0,
    ("regular", "economy"): 1,
    ("regular", "business"): 2,
    ("silver", "basic_economy"): 1,
    ("silver", "economy"): 2,
    ("silver", "business"): 3,
    ("gold", "basic_economy"): 2,
    ("gold", "economy"): 3,
    ("gold", "business"): 3,
}
NOW = datetime(2024, 5, 15, 15)
QUESTIONS = {
    "user_id": "Could you please give me your user id?",
    "trip": "Which reservation is it about? Please tell me the reservation id.",
    "route": "Where do you want to fly to, and is it one way or a round trip?",
    "flight": "Which flight would you like, and on which date?",
    "cabin": "Which cabin would you like: basic economy, economy or business?",
    "passengers": "Who are the passengers? I need their names and dates of birth.",
    "bags": "How many checked bags will there be?",
    "insurance": "Would you like travel insurance?",
    "payment": "Which payment method would you like to use?",
    "reason": "What is the reason for the cancellation?",
    "passenger": "What should be changed about the passenger?",
}


@pytest.fixture(scope="module")
def airline() -> Domain:
    return domain("tau_airline")


@pytest.fixture(scope="module")
def tasks(airline: Domain) -> list[Task]:
    source = airline.tasks("train")
    return [source[i] for i in range(1000)]


def _statuses(db: Database, reservation: dict[str, Any]) -> set[str]:
    flights = db.base.tables["flights"]
    return {
        flights[f["flight_number"]]["dates"][f["date"]]["status"] for f in reservation["flights"]
    }


class _Auditor:
    """Checks every change of a task against the policy, in the state in which it happens."""

    def __init__(self, db: Database, task: Task) -> None:
        self.db, self.task = db, task
        self.said = task.instruction

    def reservation(self, key: str) -> dict[str, Any]:
        found = self.db.get("reservations", key)
        assert found is not None
        return found

    def user(self, key: str) -> dict[str, Any]:
        found = self.db.get("users", key)
        assert found is not None
        return found

    def book_reservation(self, user_id: str, **trip: Any) -> None:
        user, passengers = self.user(user_id), trip["passengers"]
        assert 1 <= len(passengers) <= 5
        sources = Counter(
            user["payment_methods"][p["payment_id"]]["source"] for p in trip["payment_methods"]
        )
        assert sources["certificate"] <= 1
        assert sources["credit_card"] <= 1
        assert sources["gift_card"] <= 3
        for payment in trip["payment_methods"][:-1]:
            method = user["payment_methods"][payment["payment_id"]]
            assert payment["amount"] == method["amount"]  # used up before the next one
        free = FREE_BAGS[user["membership"], trip["cabin"]] * len(passengers)
        assert trip["nonfree_baggages"] == max(0, trip["total_baggages"] - free)
        assert trip["insurance"] in ("yes", "no")
        stops = [self.db.base.tables["flights"][f["flight_number"]] for f in trip["flights"]]
        assert stops[0]["origin"] == trip["origin"]
        back = trip["flight_type"] == "round_trip"
        assert stops[-1]["destination"] == trip["origin" if back else "destination"]

    def cancel_reservation(self, reservation_id: str) -> None:
        reservation = self.reservation(reservation_id)
        statuses = _statuses(self.db, reservation)
        assert not statuses & {"landed", "flying"}
        assert "status" not in reservation
        causes = ("ill", "health", "hurricane", "weather")
        assert (
            NOW - datetime.fromisoformat(reservation["created_at"]) < timedelta(hours=24)
            or "cancelled" in statuses
            or reservation["cabin"] == "business"
            or (
                reservation["insurance"] == "yes"
                and any(cause in self.said.lower() for cause in causes)
            )
        )

    def send_certificate(self, user_id: str, amount: int) -> None:
        user = self.user(user_id)
        reads = [a.arguments.get("reservation_id") for a in self.task.actions]
        mine = [self.reservation(key) for key in reads if key]
        assert any(
            (user["membership"] != "regular" or r["insurance"] == "yes" or r["cabin"] == "business")
            and amount == each * len(r["passengers"])
            and status in _statuses(self.db, r) | ({"delayed"} if each == 50 else set())
            for r in mine
            for each, status in ((100, "cancelled"), (50, "delayed"))
        )
        assert "compensat" in self.said

    def update_reservation_baggages(self, reservation_id: str, **new: Any) -> None:
        reservation = self.reservation(reservation_id)
        user = self.user(reservation["user_id"])
        free = FREE_BAGS[user["membership"], reservation["cabin"]] * len(reservation["passengers"])
        assert new["total_baggages"] > reservation["total_baggages"]
        assert new["nonfree_baggages"] == max(0, new["total_baggages"] - free)

    def update_reservation_flights(self, reservation_id: str, **new: Any) -> None:
        reservation = self.reservation(reservation_id)
        user = self.user(reservation["user_id"])
        assert user["payment_methods"][new["payment_id"]]["source"] != "certificate"
        old = [(f["flight_number"], f["date"]) for f in reservation["flights"]]
        now = [(f["flight_number"], f["date"]) for f in new["flights"]]
        flights = self.db.base.tables["flights"]
        ends = flights[now[0][0]]["origin"], flights[now[-1][0]]["destination"]
        back = reservation["flight_type"] == "round_trip"
        home = reservation["origin"] if back else reservation["destination"]
        assert ends == (reservation["origin"], home)
        assert any(flights[n]["destination"] == reservation["destination"] for n, _ in now)
        if new["cabin"] == reservation["cabin"]:
            assert now != old
            assert new["cabin"] != "basic_economy"
        else:
            assert now == old

    def update_reservation_passengers(self, reservation_id: str, passengers: Any) -> None:
        reservation = self.reservation(reservation_id)
        changed = [
            (old, new)
            for old, new in zip(reservation["passengers"], passengers, strict=True)
            if old != new
        ]
        assert len(changed) == 1


def test_reference_solutions_follow_the_policy(airline: Domain, tasks: list[Task]) -> None:
    checked: Counter[str] = Counter()
    for task in tasks:
        db = airline.database()
        auditor = _Auditor(db, task)
        for action in task.actions:
            check = getattr(auditor, action.name, None)
            if check:
                check(**action.arguments)
                checked[action.name] += 1
            airline.call(db, action.name, action.arguments)
    assert min(checked.values()) > 50
    assert len(checked) == 6


def test_wishes_single_out_the_flights_of_the_reference(airline: Domain, tasks: list[Task]) -> None:
    """What the customer says is applied anew to what the search tools show."""
    checked: Counter[str] = Counter()
    for task in tasks:
        assert task.script
        db = airline.database()
        requests = [request for request in task.script.requests if _wish_of(request)]
        for action in task.actions:
            for legs, cabin, travelers in _chosen(db, action.name, action.arguments):
                while not _is_about(requests[0], legs):
                    _check_too_dear(requests.pop(0))
                wish = _wish_of(requests.pop(0))
                for leg in legs:
                    checked[_check_wish(airline, db, wish, leg, cabin, travelers)] += 1
            airline.call(db, action.name, action.arguments)
        for request in requests:
            _check_too_dear(request)
    assert len(checked) == 7
    assert min(checked.values()) > 10


def _is_about(request: Request, legs: list[Any]) -> bool:
    """Return whether a request is about the flights of a call, by their numbers and first date."""
    numbers = {flight["flight_number"] for leg in legs for flight in leg}
    said = " ".join(fact.text for fact in request.facts)
    day = int(legs[0][0]["date"][-2:])
    return numbers <= set(request.ids) and re.search(rf"May {day}\b", said) is not None


def _check_too_dear(request: Request) -> None:
    """Check that nothing had to be booked for a request, as all of it cost too much."""
    assert re.search(
        r"at most \$\d+; otherwise book nothing|above \$\d+, don't book", request.opening
    )


def _wish_of(request: Request) -> str:
    return next((fact.text for fact in request.facts if fact.key == "flight"), "")


def _chosen(db: Database, name: str, arguments: dict[str, Any]) -> Any:
    """Yield the flights that a call chooses, one list for each direction."""
    if name == "book_reservation":
        legs = [arguments["flights"]]
        if arguments["flight_type"] == "round_trip":
            half = len(arguments["flights"]) // 2
            legs = [arguments["flights"][:half], arguments["flights"][half:]]
        yield legs, arguments["cabin"], len(arguments["passengers"])
    if name == "update_reservation_flights":
        reservation = db.get("reservations", arguments["reservation_id"])
        assert reservation is not None
        old = [(f["flight_number"], f["date"]) for f in reservation["flights"]]
        new = [f for f in arguments["flights"] if (f["flight_number"], f["date"]) not in old]
        if new:
            yield [new], arguments["cabin"], len(reservation["passengers"])


def _check_wish(
    airline: Domain, db: Database, wish: str, leg: Any, cabin: str, travelers: int
) -> str:
    """Check that one offer fits the wish best and that it is the leg; return the kind of wish."""
    numbers = [flight["flight_number"] for flight in leg]
    flights = [db.base.tables["flights"][number] for number in numbers]
    where = {
        "origin": flights[0]["origin"],
        "destination": flights[-1]["destination"],
        "date": leg[0]["date"],
    }
    tool = "search_direct_flight" if len(leg) == 1 else "search_onestop_flight"
    assert ("direct" in wish or "flight SKY" in wish) == (len(leg) == 1)
    found = json.loads(airline.call(db, tool, where))
    offers = [offer if isinstance(offer, list) else [offer] for offer in found]
    offers = [o for o in offers if all(f["available_seats"][cabin] >= travelers for f in o)]
    kind, best = _best(wish, offers, cabin)
    assert len(best) == 1, (wish, best)
    assert [flight["flight_number"] for flight in best[0]] == numbers, wish
    assert all(flight.get("date", where["date"]) == where["date"] for flight in best[0])
    return kind


def _best(wish: str, offers: list[Any], cabin: str) -> tuple[str, list[Any]]:
    """Return the kind of a wish and the offers that fit it best."""

    def price(offer: Any) -> int:
        return sum(flight["prices"][cabin] for flight in offer)

    def hour(offer: Any) -> int:
        return int(offer[0]["scheduled_departure_time_est"][:2])

    def landing(offer: Any) -> float:
        time = offer[-1]["scheduled_arrival_time_est"]
        return int(time[:2]) + int(time[3:5]) / 60 + 24 * time.endswith("+1")

    kind, key = "cheapest", price
    if named := re.search(r"flight (SKY\d+)", wish):
        return "number", [o for o in offers if o[0]["flight_number"] == named[1]]
    if after := re.search(r"at (\d+):00 EST or later", wish):
        kind, offers = "after", [o for o in offers if hour(o) >= int(after[1])]
    elif stop := re.search(r"stop in .* \(([A-Z]{3})\)", wish):
        kind, offers = "stop", [o for o in offers if o[0]["destination"] == stop[1]]
    elif "leaves earliest" in wish:
        kind, key = "earliest", hour
    elif "leaves latest" in wish:
        kind, key = "latest", lambda offer: -hour(offer)
    elif "arrives first" in wish:
        kind, key = "first", landing  # type: ignore[assignment]
    else:
        assert "cheapest" in wish
    lowest = min(map(key, offers))
    return kind, [offer for offer in offers if key(offer) == lowest]


class TestConversation:
    """An agent that asks for everything hears everything, gets its yes, and is done."""

    def test_every_fact_is_told_when_asked(self, airline: Domain, tasks: list[Task]) -> None:
        asked: Counter[str] = Counter()
        for task in tasks[:400]:
            assert task.script
            episode = Episode(airline, task, ScriptedUser(), max_turns=200)
            heard = episode.opening
            for number, request in enumerate(task.script.requests):
                facts = [*(task.script.facts if not number else ()), *request.facts]
                for fact in facts:
                    if not fact.given and fact.text not in heard:
                        heard += self._say(episode, QUESTIONS[fact.key])
                        asked[fact.key] += 1
                    assert fact.given or fact.text in heard, (task.id, fact.key)
                self._finish(episode, task, request, last=request is task.script.requests[-1])
                heard += " " + episode.transcript[-1].observation
            assert episode.termination_reason == "user_stop", task.id
            assert episode.components == {"database": 1.0, "outputs": 1.0}, task.id
        assert set(asked) == set(QUESTIONS)

    def _finish(self, episode: Episode, task: Task, request: Request, *, last: bool) -> None:
        assert task.script
        if last:
            for action in task.actions:
                episode.step(action.to_call())
        if request.outputs:
            self._say(episode, f"I looked that up: {', '.join(request.outputs)}.")
            return
        plan = f"I would do this now: {', '.join(request.ids)}. Do you confirm (yes/no)?"
        assert self._say(episode, plan) == task.script.phrases["yes"], task.id
        self._say(episode, "It has been done.")

    def test_a_wrong_id_is_refused(self, airline: Domain, tasks: list[Task]) -> None:
        for task in tasks[:100]:
            assert task.script
            episode = Episode(airline, task, ScriptedUser())
            plan = "I would cancel reservation Z9Z9Z9. Do you confirm (yes/no)?"
            assert self._say(episode, plan).startswith(task.script.phrases["no"])

    @staticmethod
    def _say(episode: Episode, text: str) -> str:
        return episode.step(Reply(text)).observation

    def test_words_do_not_look_like_ids(self, tasks: list[Task]) -> None:
        for task in tasks:
            assert task.script
            known = set(_facts_and_ids(task))
            for found in re.findall(task.script.id_pattern, task.instruction, re.IGNORECASE):
                assert found in known, (task.id, found)


def _facts_and_ids(task: Task) -> list[str]:
    """Return every id of the requests, and what stands for the user in a script's facts."""
    assert task.script
    facts: tuple[Fact, ...] = task.script.facts
    words = [word for fact in facts for word in fact.text.split()]
    return [*words, *(key for request in task.script.requests for key in request.ids)]
