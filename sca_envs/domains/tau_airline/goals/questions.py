"""Goals that change nothing: the customer wants to know something."""

from __future__ import annotations

from sca_envs.core.database import Record
from sca_envs.core.task import ReferenceAction
from sca_envs.domains.tau.goals import Context, Goal, action, question
from sca_envs.domains.tau_airline.goals.offers import cheapest, pick, search, with_seats
from sca_envs.domains.tau_airline.goals.pieces import (
    ids_of,
    name_airport,
    name_cabin,
    name_date,
    name_trip,
    reservations,
    route_is_telling,
)
from sca_envs.domains.tau_airline.goals.updates import quote_cabin
from sca_envs.domains.tau_airline.lookups import get_timetable
from sca_envs.domains.tau_airline.network import DAYS, TODAY, date_of
from sca_envs.domains.tau_airline.rules import still_ahead

_LEAST = 100
"""A smaller amount is a part of too many other numbers to show that it was said."""
_MOST_RESERVATIONS = 5


def amount_paid(reservation: Record) -> str | None:
    """Return what was paid for a reservation, or None if that is no good answer."""
    paid = sum(payment["amount"] for payment in reservation["payment_history"])
    return str(paid) if paid >= _LEAST else None


def ask_paid(c: Context) -> Goal | None:
    """Ask what a trip cost."""
    for reservation in reservations(c, lambda r: True):
        amount = amount_paid(reservation)
        if amount:
            break
    else:
        return None
    words, fact, reads = name_trip(c, reservation)
    opening = c.say(
        (
            "How much did I pay for {trip}?",
            "I'd like to know what {trip} cost me in all.",
            "For my expenses: what was the total of {trip}?",
            "What did you charge me for {trip}?",
        ),
        trip=words,
    )
    return question(opening, amount, reads, fact, ids=ids_of(reservation))


def ask_flight_number(c: Context) -> Goal | None:
    """Ask for the number of a trip's first or last flight."""
    reservation = next(reservations(c, lambda r: True), None)
    if reservation is None:
        return None
    which = c.rng.choice(("first", "last"))
    flight = reservation["flights"][0 if which == "first" else -1]
    words, fact, reads = name_trip(c, reservation)
    opening = c.say(
        (
            "What is the flight number of the {which} flight of {trip}?",
            "Which number does the {which} flight of {trip} have?",
            "I need the number of the {which} flight on {trip}.",
            "My brother picks me up. What's the flight number of the {which} flight of {trip}?",
        ),
        trip=words,
        which=which,
    )
    return question(opening, flight["flight_number"], reads, fact, ids=ids_of(reservation))


def ask_reservation_id(c: Context) -> Goal | None:
    """Ask for the id of a trip that is named by its airports."""
    own = c.user["reservations"]
    for reservation in reservations(c, lambda r: route_is_telling(c, r)):
        key = reservation["reservation_id"]
        if own.index(key) < _MOST_RESERVATIONS:
            break
    else:
        return None
    opening = c.say(
        (
            "What's the reservation id of my trip from {origin} to {destination}?",
            "I lost the id of my reservation from {origin} to {destination}. What is it?",
            "Could you look up the reservation id of my flights from {origin} to {destination}?",
            "Which id has my reservation that goes from {origin} to {destination}?",
        ),
        origin=name_airport(reservation["origin"]),
        destination=name_airport(reservation["destination"]),
    )
    looked_up = own[: own.index(key) + 1]
    reads = tuple(action("get_reservation_details", reservation_id=read) for read in looked_up)
    return question(opening, key, reads, ids=ids_of(reservation))


def ask_cheapest_flight(c: Context) -> Goal | None:
    """Ask which direct flight of a day is the cheapest."""
    origin, destination = c.rng.choice(get_timetable(c.db).routes)
    date = date_of(c.rng.randint(TODAY + 1, DAYS))
    cabin = c.rng.choice(("basic_economy", "economy", "business"))
    number, reads = cheapest_flight(c, origin, destination, date, cabin)
    if number is None:
        return None
    opening = c.say(
        (
            "Which direct flight from {origin} to {destination} on {date} is the cheapest in "
            "{cabin}? The flight number is all I need.",
            "What's the number of the cheapest direct {cabin} flight from {origin} to "
            "{destination} on {date}?",
            "On {date}, which flight number has the lowest {cabin} price from {origin} to "
            "{destination}? Direct flights only.",
        ),
        origin=name_airport(origin),
        destination=name_airport(destination),
        date=name_date(date),
        cabin=name_cabin(cabin),
    )
    return question(opening, number, reads, ids=(number,))


def cheapest_flight(
    c: Context, origin: str, destination: str, date: str, cabin: str
) -> tuple[str | None, tuple[ReferenceAction, ...]]:
    """Return the number of the cheapest direct flight and the search that tells.

    None if it is not the same flight with and without those that are sold out.
    """
    found = search(c, origin, destination, date)
    if found is None:
        return None, ()
    offers, read = found
    wish = cheapest(cabin)
    best, best_free = pick(wish, offers), pick(wish, with_seats(offers, cabin, 1))
    same = best is not None and best == best_free
    return (best.flights[0]["flight_number"] if best and same else None), (read,)


def ask_upgrade_price(c: Context) -> Goal | None:
    """Ask what it would cost to fly in a better cabin."""
    for reservation in reservations(c, lambda r: still_ahead(c.db, r)):
        better = {"basic_economy": ("economy", "business"), "economy": ("business",)}
        cabin = c.rng.choice(better.get(reservation["cabin"], ("",)))
        quote = quote_cabin(c, reservation, cabin) if cabin else None
        if quote and quote[0] >= _LEAST:
            break
    else:
        return None
    words, fact, reads = name_trip(c, reservation)
    opening = c.say(
        (
            "What would it cost me in all to move {trip} to {cabin}, with the same flights? Don't "
            "change anything yet.",
            "How much more would {trip} be in {cabin}, for everybody on it? I only want the price.",
            "I'm thinking about {cabin} for {trip}. Tell me the total difference in price, but "
            "don't book it.",
        ),
        trip=words,
        cabin=name_cabin(cabin),
    )
    return question(opening, str(quote[0]), (*reads, *quote[1]), fact, ids=ids_of(reservation))


def ask_balance(c: Context) -> Goal | None:
    """Ask what gift cards and certificates are worth together, if no earlier goal changed it."""
    methods = c.user["payment_methods"]
    amounts = [method["amount"] for method in methods.values() if "amount" in method]
    unchanged = methods == c.db.base.tables["users"][c.user_id]["payment_methods"]
    if len(amounts) < 2 or sum(amounts) < _LEAST or not unchanged or "balance" in c.used:
        return None
    c.used.add("balance")
    opening = c.say(
        (
            "How much are my gift cards and certificates worth together?",
            "What do I have on gift cards and certificates in total?",
            "Please add up all gift cards and certificates in my profile.",
            "I've lost track: what is the sum of my gift cards and certificates?",
        )
    )
    added = action("calculate", expression=" + ".join(map(str, amounts)))
    return question(opening, str(sum(amounts)), (added,))


def ask_total_paid(c: Context) -> Goal | None:
    """Ask what all reservations of the profile cost together."""
    keys = c.user["reservations"]
    unchanged = keys == c.db.base.tables["users"][c.user_id]["reservations"]
    if not 2 <= len(keys) <= _MOST_RESERVATIONS or not unchanged or c.used & set(keys):
        return None
    own = [c.record("reservations", key) for key in keys]
    amounts = [payment["amount"] for r in own for payment in r["payment_history"]]
    c.used.update(keys)
    opening = c.say(
        (
            "What did I pay in all for the reservations in my profile?",
            "Please add up what all of my reservations have cost me.",
            "How much money have I spent on all my reservations together?",
            "I need one number: the sum of what I paid for every reservation of mine.",
        )
    )
    reads = tuple(action("get_reservation_details", reservation_id=key) for key in keys)
    added = action("calculate", expression=" + ".join(map(str, amounts)))
    return question(opening, str(sum(amounts)), (*reads, added))
