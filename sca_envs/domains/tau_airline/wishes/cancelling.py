"""Wishes that cancel a trip or compensate for a disruption."""

from __future__ import annotations

from collections.abc import Callable

from sca_envs.core.database import Record
from sca_envs.core.wishes import Customer, DeadEnd, Term, Wish
from sca_envs.domains.tau_airline.changes import CERTIFICATE_IDS
from sca_envs.domains.tau_airline.rules import (
    booked_lately,
    compensated,
    not_flown,
    statuses,
    still_ahead,
)
from sca_envs.domains.tau_airline.wishes.pieces import (
    Trip,
    change_profile,
    draw_trip,
    find_trip,
    tell_payment,
    trips,
)
from sca_envs.domains.tau_airline.wishes.updates import (
    count_bags,
    count_outbound,
    draw_new_flights,
    replace_flights,
)

_CANCELLED_FEE, _DELAYED_FEE = 100, 50
"""Dollars of a certificate for each passenger."""


def cancel_booked_lately(c: Customer) -> Wish:
    """Cancel what was booked less than 24 hours ago, because plans changed."""
    return _cancel(c, booked_lately, "plans")


def cancel_business(c: Customer) -> Wish:
    """Cancel a trip in business, because plans changed."""
    return _cancel(c, lambda trip: trip["cabin"] == "business", "plans")


def cancel_insured(c: Customer) -> Wish:
    """Cancel an insured trip for health or weather."""
    return _cancel(c, lambda trip: trip["insurance"] == "yes", "health_or_weather")


def cancel_after_airline(c: Customer) -> Wish:
    """Cancel a trip of which the airline cancelled a flight, and of which nothing was flown."""
    return _cancel(c, lambda trip: "cancelled" in statuses(c.db, trip), "airline")


def _cancel(c: Customer, fits: Callable[[Record], bool], reason: str) -> Wish:
    trip = find_trip(c, draw_trip(c, lambda trip: not_flown(c.db, trip) and fits(trip)))
    asks = _call_off(c, trip, reason)
    return c.wish(asks, opening="cancel", trip=trip.words, it=trip.again)


def _call_off(c: Customer, trip: Trip, reason: str) -> dict[str, Term]:
    """Tell the reason and cancel a trip; return what may be asked."""
    c.tell("reason", reason, wording=f"because_{reason}")
    done = c.call("cancel_reservation", reservation_id=trip.key)
    refunds = done["payment_history"].where(lambda payment: payment["amount"] < 0)
    return {
        "how many dollars I get back for {it}": refunds.total(lambda refund: -refund["amount"]),
        "how many flights {it} had": done["flights"].length(),
        "how many people were booked on {it}": done["passengers"].length(),
        "the flight number of the first flight of {it}": done["flights"][0]["flight_number"],
    }


def cancel_or_add_bag(c: Customer) -> Wish:
    """Cancel a trip if it is in business, else take one bag more."""

    def fits(trip: Record) -> bool:
        other_ground = trip["insurance"] == "yes" or booked_lately(trip)
        return still_ahead(c.db, trip) and (trip["cabin"] == "business" or not other_ground)

    trip = find_trip(c, draw_trip(c, fits))
    payment = tell_payment(c, trip, _DELAYED_FEE, "fee")
    bags, extra = count_bags(c, trip, 1)
    cabin = trip.shown["cabin"]
    c.either(
        cabin == "business",
        ("cancel_reservation", {"reservation_id": trip.key}),
        (
            "update_reservation_baggages",
            {
                "reservation_id": trip.key,
                "total_baggages": bags,
                "nonfree_baggages": extra,
                "payment_id": payment,
            },
        ),
    )
    return c.wish(
        asks={
            "the cabin of {it}": cabin,
            "how many people are booked on {it}": trip.shown["passengers"].length(),
            "how many flights {it} has": trip.shown["flights"].length(),
        },
        trip=trip.words,
        it=trip.again,
    )


# Compensation


def complain_about_cancelled(c: Customer) -> Wish:
    """Ask for compensation because the airline cancelled a flight."""
    trip = find_trip(c, draw_trip(c, lambda trip: "cancelled" in statuses(c.db, trip)
                                  and _may_get_certificate(c, trip)))  # fmt: skip
    c.mistake(("cancel_reservation", {"reservation_id": trip.key}))
    asks = _compensate(c, trip, _CANCELLED_FEE)
    return c.wish(asks, trip=trip.words, it=trip.again)


def cancel_delayed(c: Customer) -> Wish:
    """Cancel a trip with a delayed flight and ask for compensation."""

    def fits(trip: Record) -> bool:
        ground = trip["cabin"] == "business" or booked_lately(trip)
        return ground and _is_delayed(c, trip) and _may_get_certificate(c, trip)

    trip = find_trip(c, draw_trip(c, fits))
    asks = _call_off(c, trip, "delay")
    asks |= _compensate(c, trip, _DELAYED_FEE)
    return c.wish(asks, trip=trip.words, it=trip.again)


def rebook_delayed(c: Customer) -> Wish:
    """Move a trip with a delayed flight to another day and ask for compensation."""
    for record in trips(c, lambda trip: _is_delayed(c, trip) and _may_get_certificate(c, trip)):
        late = [status == "delayed" for status in statuses(c.db, record)]
        new = draw_new_flights(c, record, any(late[: count_outbound(record)]))
        if new is not None:
            break
    else:
        raise DeadEnd
    trip = find_trip(c, record)
    asks = replace_flights(c, trip, new)
    asks |= _compensate(c, trip, _DELAYED_FEE)
    return c.wish(asks, trip=trip.words, it=trip.again)


def _compensate(c: Customer, trip: Trip, each: int) -> dict[str, Term]:
    """Send the certificate for a disruption; return what may be asked."""
    change_profile(c)
    travelers = trip.shown["passengers"].length()
    amount = each * travelers
    for other in (_CANCELLED_FEE, _DELAYED_FEE):
        if other != each:
            c.mistake(("send_certificate", {"user_id": c.key, "amount": other * travelers}))
    c.call("send_certificate", user_id=c.key, amount=amount)
    return {
        "how many dollars the certificate for {it} is worth": amount,
        "how many people are booked on {it}": travelers,
    }


def _may_get_certificate(c: Customer, trip: Record) -> bool:
    user = c.record("users", c.key)
    free = any(name not in user["payment_methods"] for name in CERTIFICATE_IDS)
    return free and compensated(user["membership"], trip)


def _is_delayed(c: Customer, trip: Record) -> bool:
    found = statuses(c.db, trip)
    return "delayed" in found and "cancelled" not in found and not_flown(c.db, trip)
