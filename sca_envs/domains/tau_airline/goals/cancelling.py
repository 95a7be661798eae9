"""Goals that cancel a trip or compensate for a disruption."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sca_envs.core.database import Record
from sca_envs.core.task import ReferenceAction, Request
from sca_envs.domains.tau.goals import REASON_CUES, Context, Goal, action, capitalized, sentence
from sca_envs.domains.tau_airline.changes import CERTIFICATE_IDS
from sca_envs.domains.tau_airline.goals.pieces import ids_of, name_trip, reservations
from sca_envs.domains.tau_airline.goals.updates import (
    directions,
    draw_new_flights,
    new_flights_goal,
)
from sca_envs.domains.tau_airline.rules import booked_lately, compensated, not_flown, statuses

PLANS = (
    "My plans have changed.",
    "I don't want to go any more, my plans are different now.",
    "It's a change of plans.",
)
HEALTH_OR_WEATHER = (
    "I have fallen ill and my doctor won't let me fly.",
    "I broke my leg, so it's for health reasons.",
    "There's a hurricane forecast for where I'm going.",
    "The weather there is going to be dangerous.",
)
_AIRLINE = (
    "You cancelled a flight of it.",
    "The airline cancelled one of the flights.",
    "One of its flights was cancelled by you.",
)
_CANCELLED_FEE, _DELAYED_FEE = 100, 50
"""Dollars of a certificate for each passenger."""


def cancel_booked_lately(c: Context) -> Goal | None:
    """Cancel what was booked less than 24 hours ago, because plans changed."""
    return _cancel(c, booked_lately, PLANS)


def cancel_business(c: Context) -> Goal | None:
    """Cancel a trip in business, because plans changed."""
    return _cancel(c, lambda r: r["cabin"] == "business", PLANS)


def cancel_insured(c: Context) -> Goal | None:
    """Cancel an insured trip for health or weather."""
    return _cancel(c, lambda r: r["insurance"] == "yes", HEALTH_OR_WEATHER)


def cancel_after_airline(c: Context) -> Goal | None:
    """Cancel a trip of which the airline cancelled a flight, and of which nothing was flown."""
    return _cancel(c, lambda r: "cancelled" in statuses(c.db, r), _AIRLINE)


def _cancel(c: Context, fits: Callable[[Record], bool], reasons: Sequence[str]) -> Goal | None:
    found = reservations(c, lambda r: not_flown(c.db, r) and fits(r))
    reservation = next(found, None)
    if reservation is None:
        return None
    openings = (
        "I want to cancel {trip}.",
        "Please cancel {trip} and give me my money back.",
        "Could you call off {trip} for me?",
        "I need {trip} to be cancelled.",
    )
    return _cancel_goal(c, reservation, reasons, openings)


def _cancel_goal(
    c: Context, reservation: Record, reasons: Sequence[str], openings: Sequence[str]
) -> Goal:
    words, trip_fact, reads = name_trip(c, reservation)
    reason_fact, reason_text = c.fact("reason", REASON_CUES, reasons)
    opening = c.say(openings, trip=words)
    request = Request(
        opening=sentence(capitalized(opening), reason_text),
        facts=(trip_fact, reason_fact),
        ids=ids_of(reservation),
    )
    write = action("cancel_reservation", reservation_id=reservation["reservation_id"])
    return Goal(request, (*reads, write))


# Compensation


def _certificate(c: Context, reservation: Record, each: int) -> ReferenceAction:
    amount = each * len(reservation["passengers"])
    return action("send_certificate", user_id=c.user_id, amount=amount)


def _may_get_certificate(c: Context, reservation: Record) -> bool:
    free = any(name not in c.user["payment_methods"] for name in CERTIFICATE_IDS)
    return free and compensated(c.user["membership"], reservation)


def complain_about_cancelled(c: Context) -> Goal | None:
    """Ask for compensation because the airline cancelled a flight."""
    found = reservations(
        c, lambda r: "cancelled" in statuses(c.db, r) and _may_get_certificate(c, r)
    )
    reservation = next(found, None)
    if reservation is None:
        return None
    words, fact, reads = name_trip(c, reservation)
    opening = c.say(
        (
            "You cancelled a flight of {trip} and left me stranded. I want compensation, but leave "
            "the reservation as it is.",
            "A flight of {trip} was cancelled. What a mess! I expect to be compensated for that; "
            "don't change the reservation.",
            "I'm complaining about {trip}: a flight was cancelled by the airline. Please "
            "compensate me and change nothing else.",
        ),
        trip=words,
    )
    write = _certificate(c, reservation, _CANCELLED_FEE)
    request = Request(opening=opening, facts=(fact,), ids=ids_of(reservation))
    return Goal(request, (*reads, write))


def cancel_delayed(c: Context) -> Goal | None:
    """Cancel a trip with a delayed flight and ask for compensation."""
    found = reservations(
        c,
        lambda r: (
            _is_delayed(c, r)
            and _may_get_certificate(c, r)
            and (r["cabin"] == "business" or booked_lately(r))
        ),
    )
    reservation = next(found, None)
    if reservation is None:
        return None
    openings = (
        "A flight of {trip} is delayed, so cancel it all. And I want compensation for the trouble.",
        "{trip} has a delayed flight. I'm fed up: cancel it, and compensate me for the delay.",
        "Because of the delay of a flight on {trip} I'd like to cancel it and be compensated.",
    )
    reasons = (
        "The delay ruins my plans, so I'm not going.",
        "Because of the delay the trip makes no sense any more.",
        "With that delay my plans have changed.",
    )
    goal = _cancel_goal(c, reservation, reasons, openings)
    return Goal(goal.request, (*goal.actions, _certificate(c, reservation, _DELAYED_FEE)))


def rebook_delayed(c: Context) -> Goal | None:
    """Move a trip with a delayed flight to another day and ask for compensation."""
    for reservation in reservations(c, lambda r: _is_delayed(c, r) and _may_get_certificate(c, r)):
        there, _ = directions(reservation)
        outbound = any(_status(c, flight) == "delayed" for flight in there)
        new = draw_new_flights(c, reservation, outbound)
        if new is not None:
            break
    else:
        return None
    openings = (
        "A flight of {trip} is delayed. I want other flights, and compensation for the trouble.",
        "Because of the delayed flight on {trip} I have to rebook. I also want to be compensated.",
        "Rebook {trip}, please, as a flight of it is delayed, and compensate me for the delay.",
    )
    goal = new_flights_goal(c, reservation, new, openings)
    if goal is None:
        return None
    return Goal(goal.request, (*goal.actions, _certificate(c, reservation, _DELAYED_FEE)))


def _is_delayed(c: Context, reservation: Record) -> bool:
    found = statuses(c.db, reservation)
    return "delayed" in found and "cancelled" not in found and not_flown(c.db, reservation)


def _status(c: Context, flight: Record) -> str:
    status: str = c.record("flights", flight["flight_number"])["dates"][flight["date"]]["status"]
    return status
