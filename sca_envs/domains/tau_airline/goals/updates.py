"""Goals that change a reservation: flights, cabin, bags or passengers."""

from __future__ import annotations

from typing import Any, NamedTuple

from sca_envs.core.database import Record
from sca_envs.core.task import ReferenceAction, Request
from sca_envs.domains.tau.goals import Context, Goal, action, capitalized, sentence
from sca_envs.domains.tau_airline.changes import BAG_FEE
from sca_envs.domains.tau_airline.goals.offers import Offer, choose, search, with_seats
from sca_envs.domains.tau_airline.goals.pieces import (
    FLIGHT_CUES,
    PAYING_CUES,
    choose_payment,
    ids_of,
    name_cabin,
    name_date,
    name_passenger,
    name_trip,
    paying_fact,
    reservations,
)
from sca_envs.domains.tau_airline.network import DAYS, TODAY, date_of
from sca_envs.domains.tau_airline.rules import extra_bags, still_ahead
from sca_envs.domains.tau_airline.world import person

_ATTEMPTS = 6
_CABIN_CUES = (
    r"cabin",
    r"\bclass\b",
    r"upgrade|downgrade",
    r"\b(?:to|in) (?:basic|economy|business)",
)
_BAG_CUES = (r"\bbags?\b", r"baggage", r"luggage", r"suitcase", r"how many")
_PERSON_CUES = (
    r"passenger",
    r"travell?er",
    r"birth|\bdob\b",
    r"\bnames?\b",
    r"spell",
    r"who(?:'s| is| will| should)",
    r"what (?:should|needs to|do you want to) (?:be )?(?:chang|correct|fix)",
)


class NewFlights(NamedTuple):
    """Other flights for a reservation, and how the customer asks for them."""

    flights: list[dict[str, Any]]
    """All flights of the trip, as the tool takes them."""
    difference: int
    """What they cost more than those of the reservation, in dollars."""
    wish: str
    read: ReferenceAction


def change_flights(c: Context) -> Goal | None:
    """Fly on another day, with the same airports and in the same cabin."""
    for reservation in reservations(c, lambda r: still_ahead(c.db, r)):
        found = draw_new_flights(c, reservation)
        if found is not None:
            break
    else:
        return None
    openings = (
        "I have to change the date of {trip}.",
        "Can you rebook {trip} to another day?",
        "Please change the flights of {trip}.",
        "I can't travel as planned, so {trip} needs other flights.",
    )
    return new_flights_goal(c, reservation, found, openings)


def new_flights_goal(
    c: Context, reservation: Record, new: NewFlights, openings: tuple[str, ...]
) -> Goal | None:
    """Return the goal of having other flights, or None if the customer cannot pay for them."""
    paid = choose_payment(c, new.difference)
    if paid is None:
        return None
    words, trip_fact, reads = name_trip(c, reservation)
    wish_fact, wish_text = c.fact("flight", FLIGHT_CUES, (new.wish,))
    fact, text = paying_fact(c, paid[0])
    opening = c.say(openings, trip=words)
    write = action(
        "update_reservation_flights",
        reservation_id=reservation["reservation_id"],
        cabin=reservation["cabin"],
        flights=new.flights,
        payment_id=paid[1]["id"],
    )
    numbers = (flight["flight_number"] for flight in new.flights)
    request = Request(
        opening=sentence(capitalized(opening), wish_text, text),
        facts=(trip_fact, wish_fact, fact),
        ids=ids_of(reservation, paid[1]["id"], *numbers),
    )
    return Goal(request, (*reads, new.read, write))


def draw_new_flights(
    c: Context, reservation: Record, outbound: bool | None = None
) -> NewFlights | None:
    """Draw another day for one direction of a trip and flights on it, or None if there are none.

    Args:
        c: The customer.
        reservation: Must not be in basic economy, else the result is None.
        outbound: Which direction to change; None to draw it.
    """
    if reservation["cabin"] == "basic_economy":
        return None
    there, back = directions(reservation)
    if outbound is None:
        outbound = not back or c.rng.random() < 0.5
    old, kept = (there, back) if outbound else (back, there)
    # A day apart from the other direction, as a flight may arrive on the day after.
    first = TODAY + 1 if outbound else int(there[-1]["date"][-2:]) + 2
    last = int(back[0]["date"][-2:]) - 2 if outbound and back else DAYS
    days = [d for d in range(max(first, TODAY + 1), last + 1) if date_of(d) != old[0]["date"]]
    for day in c.rng.sample(days, min(len(days), _ATTEMPTS)):
        found = _on_day(c, reservation, old, date_of(day))
        if found is not None:
            offer, words, read = found
            flights = [*offer.segments, *_segments(kept)]
            if not outbound:
                flights = [*_segments(kept), *offer.segments]
            return NewFlights(
                flights,
                _difference(reservation, old, offer),
                _wish(c, words, date_of(day), outbound if back else None),
                read,
            )
    return None


def directions(reservation: Record) -> tuple[list[Record], list[Record]]:
    """Return the flights there and the flights back (none for a one-way trip)."""
    flights = reservation["flights"]
    if reservation["flight_type"] == "one_way":
        return flights, []
    arrived = [flight["destination"] for flight in flights].index(reservation["destination"]) + 1
    return flights[:arrived], flights[arrived:]


def _on_day(
    c: Context, reservation: Record, old: list[Record], date: str
) -> tuple[Offer, str, ReferenceAction] | None:
    found = search(c, old[0]["origin"], old[-1]["destination"], date)
    if found is None:
        return None
    offers = with_seats(found[0], reservation["cabin"], len(reservation["passengers"]))
    chosen = choose(c, offers, reservation["cabin"])
    if chosen is None:
        return None
    offer, wish = chosen
    if any(segment in _segments(old) for segment in offer.segments):
        return None  # a connection that shares a flight with the old one keeps that flight's price
    return offer, wish.words(offer), found[1]


def _wish(c: Context, words: str, date: str, outbound: bool | None) -> str:
    """Return how the customer asks for flights; `outbound` is None for a one-way trip."""
    which = {
        None: "I want to fly on {date}",
        True: "I want to fly there on {date} and leave the way back as it is",
        False: "I want to fly back on {date} and leave the way there as it is",
    }[outbound]
    return c.say(
        (f"{which}. Please take {{words}}.", f"{which}, with {{words}}."),
        date=name_date(date),
        words=words,
    )


def _segments(flights: list[Record]) -> list[dict[str, Any]]:
    return [{"flight_number": f["flight_number"], "date": f["date"]} for f in flights]


def _difference(reservation: Record, old: list[Record], offer: Offer) -> int:
    before: int = sum(flight["price"] for flight in old)
    return (offer.price(reservation["cabin"]) - before) * len(reservation["passengers"])


def quote_cabin(
    c: Context, reservation: Record, cabin: str
) -> tuple[int, tuple[ReferenceAction, ...]] | None:
    """Return what another cabin costs more in all, and the searches that tell.

    None if a flight cannot be booked or lacks seats.
    """
    total, travelers = 0, len(reservation["passengers"])
    reads = []
    for flight in reservation["flights"]:
        day = c.record("flights", flight["flight_number"])["dates"][flight["date"]]
        if day["status"] != "available" or day["available_seats"][cabin] < travelers:
            return None
        total += (day["prices"][cabin] - flight["price"]) * travelers
        arguments = {key: flight[key] for key in ("origin", "destination", "date")}
        reads.append(action("search_direct_flight", **arguments))
    return total, tuple(reads)


def change_cabin(c: Context) -> Goal | None:
    """Fly in another cabin, with the same flights."""
    for reservation in reservations(c, lambda r: still_ahead(c.db, r)):
        others = [x for x in ("basic_economy", "economy", "business") if x != reservation["cabin"]]
        cabin = c.rng.choice(others)
        quote = quote_cabin(c, reservation, cabin)
        paid = choose_payment(c, quote[0]) if quote else None
        # If nothing is paid, nothing shows that the cabin was changed.
        if quote and quote[0] and paid:
            break
    else:
        return None
    words, trip_fact, reads = name_trip(c, reservation)
    cabin_fact, cabin_text = c.fact(
        "cabin",
        _CABIN_CUES,
        ("The new cabin should be {cabin}.", "Everything in {cabin}.", "I want {cabin}."),
        cabin=name_cabin(cabin),
    )
    fact, text = paying_fact(c, paid[0])
    opening = c.say(
        (
            "I want another cabin on {trip}, with the same flights.",
            "Please change the cabin of {trip} and keep the flights.",
            "Could {trip} be moved to another cabin? The flights are fine.",
            "I'm not happy with the cabin on {trip}. Please change it and nothing else.",
        ),
        trip=words,
    )
    write = action(
        "update_reservation_flights",
        reservation_id=reservation["reservation_id"],
        cabin=cabin,
        flights=_segments(reservation["flights"]),
        payment_id=paid[1]["id"],
    )
    request = Request(
        opening=sentence(capitalized(opening), cabin_text, text),
        facts=(trip_fact, cabin_fact, fact),
        ids=ids_of(reservation, paid[1]["id"]),
    )
    return Goal(request, (*reads, *quote[1], write))


def add_bags(c: Context) -> Goal | None:
    """Check more bags, of which some may be free."""
    membership = c.user["membership"]
    for reservation in reservations(c, lambda r: still_ahead(c.db, r)):
        travelers, old = len(reservation["passengers"]), reservation["total_baggages"]
        bags = old + c.rng.randint(1, 3)
        nonfree = extra_bags(membership, reservation["cabin"], travelers, bags)
        nonfree = max(nonfree, reservation["nonfree_baggages"])
        paid = choose_payment(c, BAG_FEE * (nonfree - reservation["nonfree_baggages"]))
        if paid:
            break
    else:
        return None
    words, trip_fact, reads = name_trip(c, reservation)
    more = f"{bags - old} more bag{'s' if bags - old > 1 else ''}"
    bag_fact, bag_text = c.fact(
        "bags",
        _BAG_CUES,
        ("It's {more}.", "I need {more}, which makes {bags} in all.", "{more} to check, please."),
        more=more,
        bags=str(bags),
    )
    fact, text = c.fact(
        "payment",
        PAYING_CUES,
        (
            "If that costs something, charge {method}.",
            "Should there be a fee, it goes on {method}.",
            "Use {method} if I have to pay for it.",
        ),
        method=paid[0],
    )
    opening = c.say(
        (
            "I'm taking more luggage on {trip} than planned.",
            "Please add checked bags to {trip}.",
            "I'd like to check more bags on {trip}.",
            "There's more to pack than I thought, so I need more checked bags for {trip}.",
        ),
        trip=words,
    )
    write = action(
        "update_reservation_baggages",
        reservation_id=reservation["reservation_id"],
        total_baggages=bags,
        nonfree_baggages=nonfree,
        payment_id=paid[1]["id"],
    )
    request = Request(
        opening=sentence(opening, bag_text, text),
        facts=(trip_fact, bag_fact, fact),
        ids=ids_of(reservation, paid[1]["id"]),
    )
    return Goal(request, (*reads, write))


def change_passenger(c: Context) -> Goal | None:
    """Correct a passenger's name or date of birth, or let somebody else fly instead."""
    reservation = next(reservations(c, lambda r: still_ahead(c.db, r)), None)
    if reservation is None:
        return None
    old = c.rng.choice(reservation["passengers"])
    names = [name_passenger(passenger) for passenger in reservation["passengers"]]
    new = person(c.rng)
    same = new["first_name"] == old["first_name"] or new["dob"] == old["dob"]
    if same or names.count(name_passenger(old)) > 1:
        return None
    kind = c.rng.choice(("first_name", "dob", "person"))
    if kind != "person":
        new = {**old, kind: new[kind]}
    wordings = {
        "first_name": (
            "{old} must be called {new}; the date of birth is right.",
            "The first name of {old} is wrong: it has to be {new}, born on the same day.",
        ),
        "dob": (
            "{old} was born on {dob}; the name is right.",
            "The correct date of birth of {old} is {dob}, and the name stays.",
        ),
        "person": (
            "{new}, born on {dob}, flies in the place of {old}.",
            "Replace {old} by {new}, born on {dob}.",
        ),
    }[kind]
    words, trip_fact, reads = name_trip(c, reservation)
    fact, text = c.fact(
        "passenger",
        _PERSON_CUES,
        wordings,
        old=name_passenger(old),
        new=name_passenger(new),
        dob=new["dob"],
    )
    opening = c.say(
        (
            "The passengers of {trip} are not right.",
            "I need to change a passenger on {trip}.",
            "Please update who flies on {trip}.",
            "Something about the passengers of {trip} has to be changed.",
        ),
        trip=words,
    )
    write = action(
        "update_reservation_passengers",
        reservation_id=reservation["reservation_id"],
        passengers=[dict(new if p is old else p) for p in reservation["passengers"]],
    )
    request = Request(
        opening=sentence(opening, text), facts=(trip_fact, fact), ids=ids_of(reservation)
    )
    return Goal(request, (*reads, write))
