"""Goals that the policy forbids.

Each comes with a question to fall back on. What the agent must say then tells a refusal from doing
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sca_envs.core.database import Record
from sca_envs.core.task import Fact
from sca_envs.domains.tau.goals import (
    REASON_CUES,
    Context,
    Goal,
    capitalized,
    question,
    sentence,
)
from sca_envs.domains.tau_airline.airports import AIRPORTS
from sca_envs.domains.tau_airline.goals.cancelling import HEALTH_OR_WEATHER, PLANS
from sca_envs.domains.tau_airline.goals.pieces import (
    ids_of,
    name_airport,
    name_cabin,
    name_date,
    name_passenger,
    name_trip,
    named_methods,
    reservations,
)
from sca_envs.domains.tau_airline.goals.questions import amount_paid, cheapest_flight
from sca_envs.domains.tau_airline.lookups import get_timetable
from sca_envs.domains.tau_airline.network import DAYS, TODAY, date_of
from sca_envs.domains.tau_airline.rules import (
    booked_lately,
    compensated,
    not_flown,
    statuses,
    still_ahead,
)
from sca_envs.domains.tau_airline.world import person

_FALLBACKS = (
    "If that isn't possible, change nothing and just tell me {asked}.",
    "Should that be against the rules, leave everything as it is; then all I need is {asked}.",
    "Not possible? Then leave it, but tell me {asked}.",
)


def _forbidden(
    c: Context, reservation: Record, wishes: Sequence[str], *facts: Fact, **slots: str
) -> Goal:
    """Return a goal that ends with the answer to a question about the reservation.

    Args:
        c: The customer.
        reservation: What the wish is about.
        wishes: Wordings of what is forbidden; ``{trip}`` stands for the reservation.
        *facts: What the customer can tell besides which reservation it is.
        **slots: What else is filled into the wordings.
    """
    flights = reservation["flights"]
    answers = {
        "the flight number of its first flight": flights[0]["flight_number"],
        "the flight number of its last flight": flights[-1]["flight_number"],
    }
    paid = amount_paid(reservation)
    if paid:
        answers["what I paid for it in all"] = paid
    asked = c.rng.choice(list(answers))
    words, fact, reads = name_trip(c, reservation)
    wish = capitalized(c.say(wishes, trip=words, **slots))
    opening = sentence(wish, c.say(_FALLBACKS, asked=asked))
    return question(opening, answers[asked], reads, fact, *facts, ids=ids_of(reservation))


def _ahead(c: Context, fits: Callable[[Record], bool]) -> Record | None:
    return next(reservations(c, lambda r: still_ahead(c.db, r) and fits(r)), None)


def change_basic_economy(c: Context) -> Goal | None:
    """Want other flights for a trip in basic economy."""
    reservation = _ahead(c, lambda r: r["cabin"] == "basic_economy")
    if reservation is None:
        return None
    wishes = (
        "Please move {trip} to another day; I won't pay for another cabin and won't cancel.",
        "I want to fly a day later on {trip}, in the same cabin.",
        "{trip} needs a later flight, without any change of the cabin.",
    )
    return _forbidden(c, reservation, wishes)


def cancel_without_ground(c: Context) -> Goal | None:
    """Want to cancel what none of the policy's conditions allows to cancel."""
    reservation = _ahead(c, lambda r: r["cabin"] != "business" and not booked_lately(r))
    if reservation is None:
        return None
    wishes = (
        "I want to cancel {trip} and get my money back.",
        "Please cancel {trip} with a full refund.",
        "Call off {trip}, I won't be flying.",
    )
    reasons = PLANS if reservation["insurance"] == "yes" else (*PLANS, *HEALTH_OR_WEATHER)
    reason = Fact(key="reason", cues=REASON_CUES, text=c.rng.choice(reasons))
    return _forbidden(c, reservation, wishes, reason)


def change_number_of_passengers(c: Context) -> Goal | None:
    """Want to take somebody along, or to leave somebody out."""
    reservation = _ahead(c, lambda r: True)
    if reservation is None:
        return None
    wishes = [
        "My friend {friend} wants to come along on {trip}. Please add a seat.",
        "Add {friend} to {trip} as another passenger.",
    ]
    passengers = reservation["passengers"]
    if len(passengers) > 1:
        wishes += [
            "{left_out} isn't coming after all. Take that passenger off {trip}.",
            "Remove {left_out} from {trip} and refund that seat.",
        ]
    friend, left_out = name_passenger(person(c.rng)), name_passenger(passengers[-1])
    return _forbidden(c, reservation, wishes, friend=friend, left_out=left_out)


def insure_afterwards(c: Context) -> Goal | None:
    """Want insurance for a trip that was booked without."""
    reservation = _ahead(c, lambda r: r["insurance"] == "no")
    if reservation is None:
        return None
    wishes = (
        "I'd like to add travel insurance to {trip}.",
        "Please insure {trip}; I forgot to tick that when I booked.",
        "{trip} has no insurance yet. I want to buy it now.",
    )
    return _forbidden(c, reservation, wishes)


def remove_bags(c: Context) -> Goal | None:
    """Want to check fewer bags than the reservation has."""
    reservation = _ahead(c, lambda r: r["total_baggages"] > 0)
    if reservation is None:
        return None
    wishes = (
        "Please take a checked bag off {trip}; I'm travelling lighter.",
        "I need one checked bag less on {trip}.",
        "Remove all checked bags from {trip}.",
    )
    return _forbidden(c, reservation, wishes)


def change_destination(c: Context) -> Goal | None:
    """Want a booked trip to lead somewhere else."""
    reservation = _ahead(c, lambda r: r["cabin"] != "basic_economy")
    if reservation is None:
        return None
    used = {reservation["origin"], reservation["destination"]}
    other = c.rng.choice([code for code in AIRPORTS if code not in used])
    wishes = (
        "Please change {trip} so that it takes me to {other} instead, without a new booking.",
        "I want the destination of {trip} to be {other}; don't cancel it and don't book anew.",
        "{trip} should go to {other} now, in the same reservation.",
    )
    return _forbidden(c, reservation, wishes, other=name_airport(other))


def upgrade_one_flight(c: Context) -> Goal | None:
    """Want a better cabin on one of several flights only."""
    reservation = _ahead(c, lambda r: len(r["flights"]) > 1 and r["cabin"] != "business")
    if reservation is None:
        return None
    wishes = (
        "I want business class on the first flight of {trip} only; the rest stays as it is.",
        "Please upgrade just the last flight of {trip} to business, none of the others.",
        "Only one flight of {trip}, the first, should be in business.",
    )
    return _forbidden(c, reservation, wishes)


def upgrade_with_certificate(c: Context) -> Goal | None:
    """Want to pay for a better cabin with a certificate."""
    reservation = _ahead(c, lambda r: r["cabin"] != "business")
    certificates = named_methods(c, "certificate")
    if reservation is None or not certificates:
        return None
    wishes = (
        "I want {trip} in business and pay with {certificate} and nothing else.",
        "Move {trip} to business. Only {certificate} may be used for that.",
        "Please upgrade {trip} to business; {certificate} has to cover it, not a card.",
    )
    return _forbidden(c, reservation, wishes, certificate=certificates[0][0])


def demand_compensation(c: Context) -> Goal | None:
    """Want a certificate that the policy does not grant."""

    def undeserved(reservation: Record) -> bool:
        found = statuses(c.db, reservation)
        if compensated(c.user["membership"], reservation):
            # Somebody who keeps a delayed trip gets nothing.
            return "delayed" in found and "cancelled" not in found and not_flown(c.db, reservation)
        return "cancelled" in found or "delayed" in found

    reservation = next(reservations(c, undeserved), None)
    if reservation is None:
        return None
    problem = "cancelled" if "cancelled" in statuses(c.db, reservation) else "delayed"
    wishes = (
        "A flight of {trip} was {problem}. I keep the trip as it is, but want compensation.",
        "Because a flight of {trip} was {problem} I expect a certificate; don't change the trip.",
        "You owe me something for the {problem} flight of {trip}. I'm neither cancelling nor "
        "rebooking.",
    )
    return _forbidden(c, reservation, wishes, problem=problem)


def book_against_rules(c: Context) -> Goal | None:
    """Want a booking for too many people, or with a payment that is not allowed."""
    if "forbidden booking" in c.used:
        return None
    origin, destination = c.rng.choice(get_timetable(c.db).routes)
    date = date_of(c.rng.randint(TODAY + 1, DAYS))
    number, reads = cheapest_flight(c, origin, destination, date, "economy")
    if number is None:
        return None
    c.used.add("forbidden booking")
    terms = [
        "for {n} people, all in one reservation",
        "and pay with a card that isn't in my profile; I'll give you its number",
    ]
    cards = named_methods(c, "credit_card")
    if len(cards) > 1:
        terms.append(f"and split the payment between {cards[0][0]} and {cards[1][0]}")
    opening = c.say(
        (
            "Please book the cheapest direct flight from {origin} to {destination} on {date} in "
            "{cabin} {terms}. If that's not allowed, book nothing and tell me its flight number.",
            "I want to book {origin} to {destination} on {date} in {cabin} {terms}. Against the "
            "rules? Then no booking; I only need the flight number of the cheapest direct flight "
            "in {cabin}.",
            "Book me from {origin} to {destination} on {date} in {cabin} {terms}. If you can't, "
            "just say which direct flight is the cheapest in {cabin} that day, by its number.",
        ),
        origin=name_airport(origin),
        destination=name_airport(destination),
        date=name_date(date),
        cabin=name_cabin("economy"),
        terms=c.rng.choice(terms).format(n=c.rng.choice(("six", "seven", "eight"))),
    )
    return question(opening, number, reads, ids=(number,))
