"""Wishes that the policy forbids.

Each comes with a question to fall back on: the right end is an unchanged airline and the answer to
it. The tools do not check the policy, so giving in is a mistake that really happens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sca_envs.core.database import Record
from sca_envs.core.wishes import Customer, DeadEnd, Wish, enumerate_words
from sca_envs.domains.tau_airline.airports import AIRPORTS
from sca_envs.domains.tau_airline.rules import (
    booked_lately,
    compensated,
    not_flown,
    statuses,
    still_ahead,
)
from sca_envs.domains.tau_airline.wishes.offers import (
    cheapest,
    direct_flights,
    draw_date,
    draw_route,
    require_free_seat,
)
from sca_envs.domains.tau_airline.wishes.pieces import (
    Trip,
    draw_methods,
    draw_trip,
    find_trip,
    name_airport,
    name_date,
    name_method,
    name_passenger,
    name_route,
    segment,
)
from sca_envs.domains.tau_airline.wishes.questions import about_trip
from sca_envs.domains.tau_airline.world import person

_AMOUNTS = (50, 100, 150, 200)


def change_basic_economy(c: Customer) -> Wish:
    """Want other flights for a trip in basic economy."""
    trip = _find_ahead(c, lambda one: one["cabin"] == "basic_economy")
    c.mistake(_cancel(trip))
    c.mistake(_move(trip, "economy"))
    return _refuse(c, trip)


def cancel_without_ground(c: Customer) -> Wish:
    """Want to cancel what none of the policy's conditions allows to cancel."""
    trip = _find_ahead(c, lambda one: one["cabin"] != "business" and not booked_lately(one))
    reasons = ["plans", *(["health_or_weather"] if trip.record["insurance"] == "no" else [])]
    reason = c.pick(reasons)
    c.tell("reason", reason, wording=f"because_{reason}")
    c.mistake(_cancel(trip))
    return _refuse(c, trip)


def change_number_of_passengers(c: Customer) -> Wish:
    """Want to take somebody along, or to leave somebody out."""
    trip, new = _find_ahead(c), person(c.rng)
    passengers = trip.record["passengers"]
    c.mistake(_rename(trip, [*passengers[:-1], new]))
    c.mistake(_cancel(trip))
    if len(passengers) > 1 and c.rng.random() < 0.5:
        return _refuse(c, trip, "one_less", passenger=name_passenger(passengers[-1]))
    return _refuse(c, trip, friend=name_passenger(new))


def insure_afterwards(c: Customer) -> Wish:
    """Want insurance for a trip that was booked without."""
    trip = _find_ahead(c, lambda one: one["insurance"] == "no")
    c.mistake(_cancel(trip))
    c.mistake(("send_certificate", {"user_id": c.key, "amount": 50}))
    return _refuse(c, trip)


def remove_bags(c: Customer) -> Wish:
    """Want to check fewer bags than the reservation has."""
    trip = _find_ahead(c, lambda one: one["total_baggages"] > 0)
    payment = trip.shown["payment_history"][0]["payment_id"]
    for bags in (trip.shown["total_baggages"] - 1, 0):
        change: dict[str, Any] = {
            "reservation_id": trip.key,
            "total_baggages": bags,
            "nonfree_baggages": 0,
        }
        c.mistake(("update_reservation_baggages", {**change, "payment_id": payment}))
    return _refuse(c, trip)


def change_destination(c: Customer) -> Wish:
    """Want a booked trip to lead somewhere else."""
    trip = _find_ahead(c, lambda one: one["cabin"] != "basic_economy")
    ends = {trip.record["origin"], trip.record["destination"]}
    other = c.pick(code for code in AIRPORTS if code not in ends)
    c.mistake(_cancel(trip))
    return _refuse(c, trip, other=name_airport(other))


def upgrade_one_flight(c: Customer) -> Wish:
    """Want a better cabin on one of several flights only."""
    trip = _find_ahead(c, lambda one: len(one["flights"]) > 1 and one["cabin"] != "business")
    c.mistake(_move(trip, "business"))
    return _refuse(c, trip)


def upgrade_with_certificate(c: Customer) -> Wish:
    """Want to pay for a better cabin with a certificate."""
    certificates = draw_methods(c, "certificate")
    if not certificates:
        raise DeadEnd
    trip = _find_ahead(c, lambda one: one["cabin"] != "business")
    c.about(certificates[0]["id"])
    c.mistake(_move(trip, "business"))
    return _refuse(c, trip, certificate=name_method(certificates[0]))


def demand_compensation(c: Customer) -> Wish:
    """Want a certificate for a disruption, where the policy grants none."""

    def undeserved(trip: Record) -> bool:
        found = statuses(c.db, trip)
        if compensated(c.record("users", c.key)["membership"], trip):
            # Who keeps a delayed trip gets nothing.
            return "delayed" in found and "cancelled" not in found and not_flown(c.db, trip)
        return "cancelled" in found or "delayed" in found

    trip = find_trip(c, draw_trip(c, undeserved))
    problem = "cancelled" if "cancelled" in statuses(c.db, trip.record) else "delayed"
    for each in (50, 100):
        amount = each * trip.shown["passengers"].length()
        c.mistake(("send_certificate", {"user_id": c.key, "amount": amount}))
    return _refuse(c, trip, problem=problem)


def demand_goodwill(c: Customer) -> Wish:
    """Want a certificate though nothing is wrong with the trip."""
    trip, amount = _find_ahead(c), c.pick(_AMOUNTS)
    for given in (amount, min(_AMOUNTS)):
        c.mistake(("send_certificate", {"user_id": c.key, "amount": given}))
    return _refuse(c, trip, amount=amount)


def book_against_rules(c: Customer) -> Wish:
    """Want a booking for too many people, or with a payment that is not allowed."""
    cards = draw_methods(c, "credit_card")
    if not cards:
        raise DeadEnd
    (origin, destination), date = draw_route(c), draw_date(c)
    day = direct_flights(c, origin, destination, date)
    choice = cheapest(day, "economy")
    require_free_seat(day, "economy")
    best = choice.pick(day.offers)
    if best is None:
        raise DeadEnd
    on, offers = day.look_up(c)
    offer = choice.find(offers)
    c.about(best["flight_number"])
    kinds = ["too_many", "unknown_card", *(["two_cards"] if len(cards) > 1 else [])]
    terms = c.say(
        c.pick(kinds),
        number=c.pick(("six", "seven", "eight")),
        cards=enumerate_words(name_method(card) for card in cards[:2]),
    )
    slots: dict[str, Any] = {**name_route(origin, destination), "date": name_date(date)}
    me = {**c.record("users", c.key)["name"], "dob": c.record("users", c.key)["dob"]}
    booking = {
        "user_id": c.key,
        "origin": origin,
        "destination": destination,
        "flight_type": "one_way",
        "cabin": "economy",
        "flights": [segment(offer, on)],
        "passengers": [me],
        "payment_methods": [{"payment_id": cards[0]["id"], "amount": offer["prices"]["economy"]}],
        "total_baggages": 0,
        "nonfree_baggages": 0,
        "insurance": "no",
    }
    c.mistake(("book_reservation", booking))
    where = "of the direct flights from {origin} to {destination} on {date}"
    return c.wish(
        asks={
            f"the number of the cheapest {where} in economy": offer["flight_number"],
            f"how many dollars the cheapest {where} costs in economy for one person": offer[
                "prices"
            ]["economy"],
        },
        question=True,
        opening="fallback",
        wish=c.say("opening", terms=terms, **slots),
        **slots,
    )


def _find_ahead(c: Customer, fits: Callable[[Record], bool] = lambda trip: True) -> Trip:
    return find_trip(c, draw_trip(c, lambda trip: still_ahead(c.db, trip) and fits(trip)))


def _refuse(c: Customer, trip: Trip, opening: str = "opening", **slots: Any) -> Wish:
    """Return a wish that ends with the answer to a question about the trip."""
    return c.wish(
        about_trip(trip),
        question=True,
        opening="fallback",
        wish=c.say(opening, trip=trip.words, **slots),
        it=trip.again,
    )


# Giving in

Mistake = tuple[str, dict[str, Any]]


def _cancel(trip: Trip) -> Mistake:
    return "cancel_reservation", {"reservation_id": trip.key}


def _rename(trip: Trip, passengers: list[Record]) -> Mistake:
    given = {"reservation_id": trip.key, "passengers": passengers}
    return "update_reservation_passengers", given


def _move(trip: Trip, cabin: str) -> Mistake:
    given = {
        "reservation_id": trip.key,
        "cabin": cabin,
        "flights": trip.shown["flights"].each(segment),
        "payment_id": trip.shown["payment_history"][0]["payment_id"],
    }
    return "update_reservation_flights", given
