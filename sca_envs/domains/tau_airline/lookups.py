"""Airline tools that change nothing; tau-bench has all of them but `get_flight_status`."""

from __future__ import annotations

import json

from sca_envs.core.database import Database
from sca_envs.core.errors import ToolError
from sca_envs.domains.tau_airline.airports import AIRPORTS
from sca_envs.domains.tau_airline.timetable import Timetable

_AIRPORTS_AS_JSON = json.dumps({code: airport.city for code, airport in AIRPORTS.items()})


def get_reservation_details(db: Database, reservation_id: str) -> str:
    """Show a reservation: trip, cabin, flights, passengers, payments, bags and insurance.

    Args:
        reservation_id: The reservation id, six letters and digits such as 'A1B2C3'.
    """
    # tau-bench says "user" here, too.
    return _text(db, "reservations", reservation_id)


def get_user_details(db: Database, user_id: str) -> str:
    """Show a customer's profile: membership, payment methods, saved passengers, reservation ids.

    Args:
        user_id: The user id, such as 'jane_doe_1234'.
    """
    return _text(db, "users", user_id)


def list_all_airports(db: Database) -> str:
    """List the code and city of every airport that the airline flies to."""
    return _AIRPORTS_AS_JSON


def search_direct_flight(db: Database, origin: str, destination: str, date: str) -> str:
    """Find the direct flights that can be booked on a date, with free seats and prices by cabin.

    Args:
        origin: Airport code, such as 'SEA'.
        destination: Airport code, such as 'BOS'.
        date: Day of departure, such as '2024-05-20'.
    """
    timetable = get_timetable(db)
    return timetable.text(timetable.direct, origin, destination, date)


def search_onestop_flight(db: Database, origin: str, destination: str, date: str) -> str:
    """Find connections of two flights that can be booked, with free seats and prices by cabin.

    Each flight of a connection has its own date, because the second may leave the day after.

    Args:
        origin: Airport code, such as 'SEA'.
        destination: Airport code, such as 'BOS'.
        date: Day of departure of the first flight, such as '2024-05-20'.
    """
    timetable = get_timetable(db)
    return timetable.text(timetable.one_stop, origin, destination, date)


def get_flight_status(db: Database, flight_number: str, date: str) -> str:
    """Tell the status of a flight on a date, such as 'available', 'delayed' or 'landed'.

    Args:
        flight_number: Flight number, such as 'HAT001'.
        date: Day of departure, such as '2024-05-20'.
    """
    flight = db.get("flights", flight_number)
    if flight is None:
        raise ToolError(f"flight {flight_number} not found")
    if date not in flight["dates"]:
        raise ToolError(f"flight {flight_number} not found on date {date}")
    status: str = flight["dates"][date]["status"]
    return status


def get_timetable(db: Database) -> Timetable:
    """Return the search over the flights of a database."""
    timetable: Timetable = db.derived("flights", Timetable)
    return timetable


def _text(db: Database, table: str, key: str) -> str:
    try:
        return db.text(table, key)
    except KeyError:
        raise ToolError("user not found") from None
