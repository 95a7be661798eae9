"""Search in the table of flights, as fast as a dictionary look-up for what was asked before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sca_envs.core.database import Record

Search = Callable[[str, str, str], list[Any]]
"""Finds flights: (origin, destination, date) -> what an agent reads, as JSON values."""


class Timetable:
    """The flights by route. Get one with `Database.derived`, so that it is made once.

    Args:
        flights: The table of flights. What a search returns shares its parts: only read it.
    """

    def __init__(self, flights: Mapping[str, Record]) -> None:
        self._from: dict[str, list[Record]] = {}
        self._routes: dict[tuple[str, str], list[Record]] = {}
        for flight in flights.values():
            origin, destination = flight["origin"], flight["destination"]
            self._from.setdefault(origin, []).append(flight)
            self._routes.setdefault((origin, destination), []).append(flight)
        self._dates = {date for flight in flights.values() for date in flight["dates"]}
        self._texts: dict[tuple[str, str, str, str], str] = {}

    @property
    def routes(self) -> tuple[tuple[str, str], ...]:
        """Origin and destination of every direct flight, in the order of the table."""
        return tuple(self._routes)

    def direct(self, origin: str, destination: str, date: str) -> list[Record]:
        """Return the flights that can be booked on a date, in the order of the table."""
        return [
            _offer(flight, date)
            for flight in self._routes.get((origin, destination), ())
            if _bookable(flight, date)
        ]

    def one_stop(self, origin: str, destination: str, date: str) -> list[list[Record]]:
        """Return pairs of flights; the second one's seats and prices are those of the first's date.

        That is how tau-bench's tool behaves, also where the second flight leaves the day after.

        Raises:
            ValueError: If a first flight arrives the day after, and the date ends in no number.
            KeyError: If the second flight is not in the table on the first's date.
        """
        return [
            [{**_offer(first, date), "date": date}, {**_offer(second, date), "date": later}]
            for first, second, later in self._connections(origin, destination, date)
        ]

    def one_stop_as_dated(self, origin: str, destination: str, date: str) -> list[list[Record]]:
        """Return pairs of flights, each with the seats and prices of its own date (tau2)."""
        return [
            [{**_offer(first, date), "date": date}, {**_offer(second, later), "date": later}]
            for first, second, later in self._connections(origin, destination, date)
        ]

    def _connections(
        self, origin: str, destination: str, date: str
    ) -> Iterator[tuple[Record, Record, str]]:
        """Yield two flights and the date of the second."""
        for first in self._from.get(origin, ()):
            arrival = first["scheduled_arrival_time_est"]
            for second in self._routes.get((first["destination"], destination), ()):
                later = f"2024-05-{int(date[-2:]) + 1}" if "+1" in arrival else date
                # As text, so an arrival at "01:00:00+1" is before a departure at "06:00:00".
                in_time = arrival <= second["scheduled_departure_time_est"]
                if in_time and _bookable(first, date) and _bookable(second, later):
                    yield first, second, later

    def text(self, search: Search, origin: str, destination: str, date: str) -> str:
        """Return what a search finds as JSON text, remembered.

        Args:
            search: One of the three methods above.
            origin: Airport code.
            destination: Airport code.
            date: Day of departure, such as ``2024-05-20``.
        """
        key = (search.__name__, origin, destination, date)
        text = self._texts.get(key)
        if text is None:
            text = json.dumps(search(origin, destination, date))
            # Made-up arguments have no end, so only what is in the table is remembered: all of it
            # together is some 25 MB.
            if date in self._dates and origin in self._from and destination in self._from:
                self._texts[key] = text
        return text


def _bookable(flight: Record, date: str) -> bool:
    return date in flight["dates"] and flight["dates"][date]["status"] == "available"


def _offer(flight: Record, date: str) -> Record:
    offer = {key: value for key, value in flight.items() if key != "dates"}
    return {**offer, **flight["dates"][date]}
