"""The tools of the travel planner, over tables of flights and hotels.

Names of places have double quotes around them in the tables, as in the original; a caller may
leave them out.
"""

from __future__ import annotations

import builtins
from collections.abc import Hashable
from typing import Any

from sca_envs.core.database import Database, Record, copy_json
from sca_envs.domains.m3.values import product, total

Number = int | float


def find_flights(db: Database, from_location: str, to_location: str, date: str) -> list[Record]:
    """List the flights from one place to another on a day, with their prices.

    Args:
        from_location: Where the flight starts.
        to_location: Where it goes.
        date: The day as YYYY-MM-DD.
    """
    start, goal = from_location.strip('"'), to_location.strip('"')
    places = _places(db)
    if _quoted(start) not in places:
        raise ValueError(f"Origin [{start}] is not supported. Supported from_locations: {places}")
    if _quoted(goal) not in places:
        raise ValueError(f"Destination [{goal}] is not supported. Supported to_locations: {places}")
    if not isinstance(date, str):  # no flight's day, which is no error in the original
        return []
    route = (_quoted(start), _quoted(goal), date)
    keys = db.base.index("flights", _route).get(route, [])
    return [copy_json(flight) for key in keys if (flight := db.get("flights", key))]


def book_hotel(db: Database, location: str, *preferences: str) -> list[Record]:
    """List the hotels of a place that offer everything that is asked for.

    Nothing is booked by it. Without a preference all hotels of the place are listed.

    Args:
        location: The place.
        preferences: What the hotel must offer, such as 'wifi'.
    """
    place = location.strip('"')
    places = _places(db)
    if _quoted(place) not in places:
        raise ValueError(f"Location [{place}] is not supported. Supported locations: {places}")
    keys = db.base.index("hotels", _location).get(_quoted(place), [])
    hotels = (db.get("hotels", key) for key in keys)
    return [
        copy_json(hotel)
        for hotel in hotels
        if hotel and all(wish in hotel["preferences"] for wish in preferences)
    ]


def budget_calculator(
    db: Database, flight_price: Number, hotel_price_per_night: Number, num_nights: int
) -> Any:
    """Work out what a trip costs: the flight and the nights at the hotel.

    Args:
        flight_price: Price of the flight.
        hotel_price_per_night: Price of one night.
        num_nights: Number of nights.
    """
    return flight_price + product(hotel_price_per_night, num_nights)


def max(db: Database, *values: Number) -> Any:
    """Return the largest of some numbers.

    Args:
        values: The numbers, at least two.
    """
    return builtins.max(*values)


def min(db: Database, *values: Number) -> Any:
    """Return the smallest of some numbers.

    Args:
        values: The numbers, at least two.
    """
    return builtins.min(*values)


def sum(db: Database, *values: Number) -> Any:
    """Add up some numbers.

    Args:
        values: The numbers.
    """
    return total(values)


def _quoted(place: str) -> str:
    return f'"{place}"'


def _places(db: Database) -> list[str]:
    """Return the names of all places, in order."""
    return list(db.base.tables["places"])


def _route(key: str, flight: Record) -> Hashable:
    return flight["from_location"], flight["to_location"], flight["date"]


def _location(key: str, hotel: Record) -> Hashable:
    location: str = hotel["location"]
    return location
