"""Draws the trips that the customers of a generated airline have booked."""

from __future__ import annotations

import random
from typing import NamedTuple

from sca_envs.core.database import Record
from sca_envs.domains.tau_airline.network import DAYS, TODAY, date_of, far_apart

_STAYS = (152, 154, 133, 109, 98, 62, 57, 53, 38, 41, 20, 24, 10, 4)
"""How often a customer flies back after 1, 2, … days."""
_ROUND_TRIP = 0.55
_ONE_STOP = 0.7
_DISRUPTED = 0.08
"""Share of the trips that begin with a flight that is delayed or was cancelled."""

Leg = list[Record]
"""One direction of a trip: one flight, or two with a stop between them."""


class Trip(NamedTuple):
    """The flights of a reservation, without prices."""

    origin: str
    destination: str
    flight_type: str
    flights: list[Record]


class Planner:
    """Puts flights together to trips.

    Args:
        rng: Random generator.
        flights: The table of flights.
    """

    def __init__(self, rng: random.Random, flights: dict[str, Record]) -> None:
        self._rng = rng
        self._table = flights
        self._flights = list(flights.values())
        self._from: dict[str, list[Record]] = {}
        for flight in self._flights:
            self._from.setdefault(flight["origin"], []).append(flight)
        first_disrupted = TODAY - 3
        self._disrupted = [
            (flight, day)
            for flight in self._flights
            for day in range(first_disrupted, TODAY + 1)
            if flight["dates"][date_of(day)]["status"] in ("cancelled", "delayed")
        ]

    def draw(self) -> Trip:
        """Draw a trip: one way or round, direct or with one stop."""
        rng = self._rng
        while True:
            if rng.random() < _DISRUPTED:
                flight, day = rng.choice(self._disrupted)
            else:
                # Two in three trips lie ahead.
                flight, day = rng.choice(self._flights), rng.randint(rng.choice((2, 10)), DAYS)
            out = self._leg(flight, day)
            if out is None:
                continue
            origin, destination = out[0]["origin"], out[-1]["destination"]
            if rng.random() > _ROUND_TRIP:
                return Trip(origin, destination, "one_way", out)
            back = self._way_back(out)
            if back is not None:
                return Trip(origin, destination, "round_trip", [*out, *back])

    def _leg(self, first: Record, day: int) -> Leg | None:
        """Return a flight, perhaps with a connection, or None if that leaves the calendar."""
        onward = [
            second
            for second in self._from[first["destination"]]
            if far_apart(first["origin"], second["destination"]) and _connects(first, second)
        ]
        if onward and self._rng.random() < _ONE_STOP:
            return _dated([first, self._rng.choice(onward)], day)
        return _dated([first], day)

    def _way_back(self, out: Leg) -> Leg | None:
        """Return flights back to where a leg began, or None if there are none in the calendar."""
        start, end = out[-1]["destination"], out[0]["origin"]
        stay = self._rng.choices(range(1, len(_STAYS) + 1), _STAYS)[0]
        arrival = self._table[out[-1]["flight_number"]]["scheduled_arrival_time_est"]
        day = int(out[-1]["date"][-2:]) + ("+1" in arrival) + stay
        direct = [[flight] for flight in self._from[start] if flight["destination"] == end]
        with_stop = [
            [first, second]
            for first in self._from[start]
            for second in self._from[first["destination"]]
            if second["destination"] == end and _connects(first, second)
        ]
        ways = with_stop if with_stop and (len(out) > 1 or not direct) else direct
        return _dated(self._rng.choice(ways), day) if ways else None


def _connects(first: Record, second: Record) -> bool:
    """Return whether the second flight leaves after the first one's arrival, on that day."""
    arrival = first["scheduled_arrival_time_est"].removesuffix("+1")
    return bool(arrival <= second["scheduled_departure_time_est"])


def _dated(flights: list[Record], day: int) -> Leg | None:
    leg = []
    for flight in flights:
        if day > DAYS:
            return None
        leg.append(
            {
                "origin": flight["origin"],
                "destination": flight["destination"],
                "flight_number": flight["flight_number"],
                "date": date_of(day),
            }
        )
        day += "+1" in flight["scheduled_arrival_time_est"]
    return leg
