"""Where tau2's airline tools leave another database than tau-bench's, or tell something else.

tau2 takes seats when a trip is booked, refuses a fourth booking or certificate, stores a changed
cabin, and keeps of nested arguments only what its records have. Its search for connections shows
the second flight as on its own date, its airports are a list, and it can tell a flight's status.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sca_envs.core.database import Database, Record
from sca_envs.core.errors import ToolError
from sca_envs.domains.tau_airline import changes
from sca_envs.domains.tau_airline.airports import AIRPORTS
from sca_envs.domains.tau_airline.lookups import get_timetable

_AIRPORTS_AS_JSON = json.dumps(
    [{"iata": code, "city": airport.city} for code, airport in AIRPORTS.items()]
)
_FLIGHT = ("flight_number", "date")
_PASSENGER = ("first_name", "last_name", "dob")


def list_all_airports(db: Database) -> str:
    """List the airports as objects."""
    return _AIRPORTS_AS_JSON


def search_onestop_flight(db: Database, origin: str, destination: str, date: str) -> str:
    """Find connections, each flight with the seats and prices of its own date."""
    timetable = get_timetable(db)
    return timetable.text(timetable.one_stop_as_dated, origin, destination, date)


def book_reservation(
    db: Database,
    flights: Sequence[Record],
    passengers: Sequence[Record],
    payment_methods: Sequence[Record],
    **others: Any,
) -> str:
    """Book a trip and take its seats."""
    if all(db.get("reservations", name) is not None for name in changes.BOOKING_IDS):
        raise ToolError("too many reservations")
    text = changes.book_reservation(
        db,
        flights=_only(_FLIGHT, flights),
        passengers=_only(_PASSENGER, passengers),
        payment_methods=[_payment(payment) for payment in payment_methods],
        **others,
    )
    for flight in flights:
        day = db.edit("flights", flight["flight_number"])["dates"][flight["date"]]
        day["available_seats"][others["cabin"]] -= len(passengers)
    return text


def update_reservation_flights(
    db: Database, reservation_id: str, cabin: str, flights: Sequence[Record], payment_id: str
) -> str:
    """Replace the flights of a reservation and store the cabin."""
    changes.replace_flights(db, reservation_id, cabin, _only(_FLIGHT, flights), payment_id)
    db.edit("reservations", reservation_id)["cabin"] = cabin
    return db.text("reservations", reservation_id)


def update_reservation_passengers(
    db: Database, reservation_id: str, passengers: Sequence[Record]
) -> str:
    """Replace the passengers of a reservation."""
    return changes.update_reservation_passengers(
        db, reservation_id, passengers=_only(_PASSENGER, passengers)
    )


def _only(keys: Sequence[str], records: Sequence[Record]) -> list[Any]:
    return [{key: record[key] for key in keys} for record in records]


def _payment(payment: Mapping[str, Any]) -> Any:
    """Return a payment with a whole number of dollars."""
    amount = payment["amount"]
    if amount != int(amount):
        raise ToolError(f"expected a whole number of dollars, got {amount}")
    return {"payment_id": payment["payment_id"], "amount": int(amount)}


CHANGED: dict[str, Callable[..., str]] = {
    function.__name__: function
    for function in (
        book_reservation,
        list_all_airports,
        search_onestop_flight,
        update_reservation_flights,
        update_reservation_passengers,
    )
}
"""The tools that differ, by name; what the agent reads about them is the same."""
