"""Pieces of an airline customer's wishes: how trips, dates and payment methods are named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from sca_envs.core.database import Record
from sca_envs.core.wishes import Customer, DeadEnd, Term
from sca_envs.domains.tau_airline.airports import AIRPORTS
from sca_envs.domains.tau_airline.rules import free_bags

CABINS = ("basic_economy", "economy", "business")
MEMBERSHIPS = ("regular", "silver", "gold")
PROFILE = "profile"
"""Marks as used what the profile says: a wish that asks for it must come after no change."""
_LOOKED_THROUGH = 3
"""Most reservations that an agent has to look at to find the one that is meant."""
_NAMES_ROUTE, _PAYS_AS_BEFORE = 0.5, 0.3
"""How often a customer who could do so names a trip by its airports, and pays as before."""


def identify(c: Customer) -> None:
    """Tell the user id when asked; the agent looks the profile up."""
    name = name_passenger(c.record("users", c.key)["name"])
    c.tell("user_id", c.key, given=False, name=name)
    c.profile = c.call("get_user_details", as_="user", user_id=c.key)


# How things are named


def name_airport(code: str) -> str:
    """Return an airport as a customer names it."""
    return f"{AIRPORTS[code].city} ({code})"


def name_date(date: str) -> str:
    """Return a date as a customer says it."""
    return f"May {int(date[-2:])}"


def name_cabin(cabin: str) -> str:
    """Return a cabin as a customer says it."""
    return cabin.replace("_", " ")


def name_passenger(passenger: Mapping[str, Any]) -> str:
    """Return the full name of a passenger."""
    return f"{passenger['first_name']} {passenger['last_name']}"


def name_method(method: Record) -> str:
    """Return a payment method as its owner names it."""
    match method["source"]:
        case "credit_card":
            return f"my {method['brand']} ending in {method['last_four']}"
        case "gift_card":
            return f"my gift card with ${method['amount']} on it"
        case _:
            return f"my ${method['amount']} certificate"


# Trips


class Trip(NamedTuple):
    """A reservation that was looked up."""

    record: Record
    """What it is, to draw by it."""
    shown: Term
    """The same as the tool showed it."""
    key: Term
    """Its id, as the customer gives it or the reservation shows it."""
    words: str
    """How the opening names it."""
    again: str
    """How the customer names it a second time."""


def trips(c: Customer, fits: Callable[[Record], bool] = lambda trip: True) -> Iterator[Record]:
    """Yield the customer's fitting reservations that no wish is about, in an order that is drawn.

    What was booked or cancelled in the same conversation is left out.
    """
    before = c.db.base.tables["reservations"]
    own = [key for key in c.record("users", c.key)["reservations"] if key in before]
    for trip in c.records("reservations", own):
        if "status" not in trip and fits(trip):
            yield trip


def draw_trip(c: Customer, fits: Callable[[Record], bool] = lambda trip: True) -> Record:
    """Draw a fitting reservation.

    Raises:
        DeadEnd: If there is none.
    """
    trip = next(trips(c, fits), None)
    if trip is None:
        raise DeadEnd
    return trip


def find_trip(c: Customer, record: Record) -> Trip:
    """Look a reservation up as the customer names it.

    Half of the customers who could be understood without the id do not know it.
    """
    key = record["reservation_id"]
    c.about(key, [flight["flight_number"] for flight in record["flights"]], paid_with(record))
    own = c.record("users", c.key)["reservations"]
    place = own.index(key)
    telling = place < _LOOKED_THROUGH and route_is_telling(c, record)
    if telling and c.rng.random() < _NAMES_ROUTE:
        ends = route_of(record)
        known = c.say("known_route", **name_route(*ends))
        _, words = c.name("trip", list(ends), known, wording="trip_by_route", words=known)
        listed = c.profile["reservations"]
        for earlier in range(place):
            c.call("get_reservation_details", as_="trip", reservation_id=listed[earlier])
        index = c.given(place, range(len(listed.value)))
        shown = c.call("get_reservation_details", as_="trip", reservation_id=listed[index])
        number = shown["reservation_id"]
    else:
        others = [other for other in own if other != key]
        strangers = c.db.base.keys("reservations")
        known = c.say("known_id", trip=key)
        number, words = c.name("trip", key, known, confusable=others or [c.rng.choice(strangers)])
        shown = c.call("get_reservation_details", as_="trip", reservation_id=number)
    return Trip(record, shown, number, words, words if words == known else "that trip")


def route_of(trip: Record) -> tuple[str, str]:
    """Return where a trip begins and where it leads to."""
    return trip["origin"], trip["destination"]


def name_route(origin: str, destination: str) -> dict[str, str]:
    """Return the slots of a route."""
    return {"origin": name_airport(origin), "destination": name_airport(destination)}


def route_is_telling(c: Customer, trip: Record) -> bool:
    """Return whether none of the customer's other reservations has the same airports."""
    own = c.record("users", c.key)["reservations"]
    return [route_of(c.record("reservations", key)) for key in own].count(route_of(trip)) == 1


def paid_with(trip: Record) -> list[str]:
    """Return the ids of what a reservation was paid with."""
    return [payment["payment_id"] for payment in trip["payment_history"]]


def total_paid(trip: Term) -> Term:
    """Return what was paid for a reservation in all."""
    return trip["payment_history"].total(lambda payment: payment["amount"])


def segment(flight: Any, date: Any = None) -> dict[str, Any]:
    """Return a flight as the tools take it, of the date that it shows or of another one."""
    return {
        "flight_number": flight["flight_number"],
        "date": flight["date"] if date is None else date,
    }


def free_bags_each(c: Customer, cabin: str) -> Term:
    """Return how many checked bags are free for each passenger, as the profile decides."""
    table = {one: free_bags(one, cabin) for one in MEMBERSHIPS}
    return c.given(table)[c.profile["membership"]]


# The profile and paying


def keep_profile(c: Customer) -> None:
    """Let no other wish change what the profile says.

    Raises:
        DeadEnd: If an earlier one has changed it, or asks for it already.
    """
    user = c.record("users", c.key)
    if PROFILE in c.used or user is not c.db.base.tables["users"][c.key]:
        raise DeadEnd
    c.use(PROFILE, *user["payment_methods"])


def change_profile(c: Customer) -> None:
    """Say that the wish adds something to the profile.

    Raises:
        DeadEnd: If an earlier wish asks what it says.
    """
    if PROFILE in c.used:
        raise DeadEnd


def draw_methods(c: Customer, *sources: str) -> list[Record]:
    """Return the customer's payment methods that a name singles out, in an order that is drawn.

    Empty ones are left out, and those that an earlier wish used, asks about or sent: with the
    amounts of the beginning, the customer's words are right at any time.
    """
    present = c.record("users", c.key)["payment_methods"]
    first = c.db.base.tables["users"][c.key]["payment_methods"]
    marks = [_mark(method) for method in first.values()]
    marks += [_mark(method) for key, method in present.items() if method != first.get(key)]
    found = [
        method
        for key, method in present.items()
        if method["source"] in sources
        and method == first.get(key)
        and marks.count(_mark(method)) == 1
        and method.get("amount", 1) > 0
        and key not in c.used
    ]
    c.rng.shuffle(found)
    return found


def draw_able_methods(c: Customer, amount: float) -> list[Record]:
    """Return the payment methods that can pay for a change, in an order that is drawn."""
    methods = draw_methods(c, "credit_card", "gift_card")
    return [method for method in methods if method.get("amount", amount) >= amount]


def _mark(method: Record) -> tuple[str, Any]:
    return method["source"], method[_telling_field(method["source"])]


def _telling_field(source: str) -> str:
    return "last_four" if source == "credit_card" else "amount"


def find_method(c: Customer, method: Record) -> Term:
    """Find a payment method in the profile, by what the customer says of it."""
    c.about(method["id"])
    source, field = method["source"], _telling_field(method["source"])
    listed = c.profile["payment_methods"]
    others = [one[field] for one in listed.value.values() if one["source"] == source]
    value = c.given(method[field], others)
    found = listed.values().first(lambda one: (one["source"] == source) & (one.get(field) == value))
    return c.let(source, found)


def tell_payment(c: Customer, trip: Trip, amount: float, kind: str = "payment") -> Term:
    """Let the customer say what a change is paid with or refunded to; return the method's id.

    Args:
        c: The customer.
        trip: What is changed.
        amount: What there is to pay, in dollars; negative if it is refunded.
        kind: ``payment``, or ``fee`` if perhaps nothing is to be paid.

    Raises:
        DeadEnd: If no payment method can pay it.
    """
    able = {method["id"]: method for method in draw_able_methods(c, amount)}
    before = trip.record["payment_history"][0]["payment_id"]
    if not able:
        raise DeadEnd
    if before in able and c.rng.random() < _PAYS_AS_BEFORE:
        c.tell("payment", before, wording=f"{kind}_as_before")
        return trip.shown["payment_history"][0]["payment_id"]
    method = next(iter(able.values()))
    c.tell("payment", method["id"], wording=kind, method=name_method(method))
    return find_method(c, method)["id"]
