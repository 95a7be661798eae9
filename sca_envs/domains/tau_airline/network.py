"""Makes the flights of a generated airline: routes, times, and what happens on every date."""

from __future__ import annotations

import itertools
import math
import random
from datetime import datetime, timedelta

from sca_envs.core.database import Record
from sca_envs.domains.tau_airline.airports import AIRPORTS
from sca_envs.domains.tau_airline.changes import NOW

DAYS = 30
"""Flights are scheduled for every day from 2024-05-01 on."""
TODAY = int(NOW[8:10])
"""The day of the month that it is."""
_ROUTE_SIZES = {1: 22, 2: 30, 3: 25, 4: 20, 5: 6, 6: 4, 9: 1}
"""Flights a day on a route -> number of such routes; 300 flights on 108 routes, as counted."""
_NEAREST = 80
"""Miles below which two airports have no flights between them."""
_SPEED = 480
"""Miles an hour."""
_CANCELLED = 0.089
_DELAYED = 0.25
_SEATS = 20
_PRICES = {"basic_economy": (50, 100), "economy": (100, 200), "business": (200, 500)}


def date_of(day: int) -> str:
    """Return a day of the month as a date."""
    return f"2024-05-{day:02d}"


def build_flights(rng: random.Random) -> dict[str, Record]:
    """Return the table of flights."""
    plans = []
    sizes = [size for size, times in _ROUTE_SIZES.items() for _ in range(times)]
    rng.shuffle(sizes)
    for (origin, destination), size in zip(_routes(rng, len(sizes)), sizes, strict=True):
        # No two flights of a route leave at the same hour, so that "the earliest" is one.
        for hour in rng.sample(range(24), size):
            plans.append((origin, destination, hour))
    rng.shuffle(plans)
    numbered = ((f"SKY{i:03d}", plan) for i, plan in enumerate(plans, start=1))
    return {number: _flight(rng, number, *plan) for number, plan in numbered}


def _routes(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Draw pairs of airports in both directions; every airport can be reached from every other."""
    airports = list(AIRPORTS)
    pairs = [pair for pair in itertools.combinations(airports, 2) if far_apart(*pair)]
    while True:
        chosen = rng.sample(pairs, count // 2)
        if _connected(airports, chosen):
            return [*chosen, *((destination, origin) for origin, destination in chosen)]


def _connected(airports: list[str], pairs: list[tuple[str, str]]) -> bool:
    reached, edge = set(), {airports[0]}
    while edge:
        reached |= edge
        edge = {b for pair in pairs for a, b in (pair, pair[::-1]) if a in edge} - reached
    return len(reached) == len(airports)


def far_apart(origin: str, destination: str) -> bool:
    """Return whether two airports are so far apart that somebody would fly between them."""
    return _miles(origin, destination) > _NEAREST


def _miles(origin: str, destination: str) -> float:
    """Return the distance of two airports (haversine formula)."""
    a, b = AIRPORTS[origin], AIRPORTS[destination]
    north, other_north = math.radians(a.latitude), math.radians(b.latitude)
    across = math.radians(b.longitude - a.longitude) / 2
    along = (other_north - north) / 2
    part = math.sin(along) ** 2 + math.cos(north) * math.cos(other_north) * math.sin(across) ** 2
    return 2 * 3959 * math.asin(math.sqrt(part))


def _flight(rng: random.Random, number: str, origin: str, destination: str, hour: int) -> Record:
    # Half hours, as all times are in one time zone.
    half_hours = max(2, round(2 * (_miles(origin, destination) / _SPEED + 0.5)))
    end = 2 * hour + half_hours
    next_day = "+1" if end >= 48 else ""
    return {
        "flight_number": number,
        "origin": origin,
        "destination": destination,
        "scheduled_departure_time_est": f"{hour:02d}:00:00",
        "scheduled_arrival_time_est": f"{end // 2 % 24:02d}:{end % 2 * 30:02d}:00{next_day}",
        "dates": {date_of(d): _day(rng, d, hour, half_hours) for d in range(1, DAYS + 1)},
    }


def _day(rng: random.Random, day: int, hour: int, half_hours: int) -> Record:
    """Return what a flight is on a day: gone, on its way, or still to be booked."""
    if day > TODAY:
        return {
            "status": "available",
            "available_seats": {cabin: rng.randint(0, _SEATS) for cabin in _PRICES},
            "prices": {cabin: rng.randint(*limits) for cabin, limits in _PRICES.items()},
        }
    if day < TODAY and rng.random() < _CANCELLED:
        return {"status": "cancelled"}
    delayed = day == TODAY and rng.random() < _DELAYED
    minutes = rng.randint(60, 480) if delayed else rng.randint(-30, 30)
    departure = datetime(2024, 5, day, hour) + timedelta(minutes=minutes)
    arrival = departure + timedelta(minutes=30 * half_hours + rng.randint(-10, 30))
    now = datetime.fromisoformat(NOW)
    kinds = ("estimated", "estimated", "delayed" if delayed else "on time")
    if departure <= now:
        kinds = ("actual", "estimated", "flying")
    if arrival <= now:
        kinds = ("actual", "actual", "landed")
    return {
        "status": kinds[2],
        f"{kinds[0]}_departure_time_est": departure.isoformat(),
        f"{kinds[1]}_arrival_time_est": arrival.isoformat(),
    }
