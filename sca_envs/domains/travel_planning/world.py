"""A world of places, flights and hotels, made from a seed."""

from __future__ import annotations

import datetime
import random

from sca_envs.core.database import Record

PLACES = (
    "Arvenna", "Belmora", "Castrel", "Dunhaven", "Eskerby", "Fjordal", "Galtimore", "Hestria",
    "Isombre", "Juntara",
)  # fmt: skip
PREFERENCES = ("wifi", "pool", "gym", "breakfast", "parking")
"""What a hotel may offer."""
FIRST_DAY = datetime.date(2031, 3, 1)
DAYS = 60
"""How many days have flights."""

_FLIGHTS = 900
_HOTELS = (4, 6)
"""Fewest and most hotels of a place; a list of six fits in what an agent sees of a result."""


def build(seed: int) -> dict[str, dict[str, Record]]:
    """Return the tables of the world with a seed."""
    rng = random.Random(f"travel_planning world {seed}")
    return {
        "places": {quoted(place): {} for place in PLACES},
        "flights": _flights(rng),
        "hotels": _hotels(rng),
    }


def quoted(place: str) -> str:
    """Return the name of a place as the tables have it."""
    return f'"{place}"'


def _flights(rng: random.Random) -> dict[str, Record]:
    days = [(FIRST_DAY + datetime.timedelta(days=day)).isoformat() for day in range(DAYS)]
    flights: dict[str, Record] = {}
    while len(flights) < _FLIGHTS:
        start, goal = rng.sample(PLACES, 2)
        date = rng.choice(days)
        # Two or three on a day, of different prices, so that choosing matters.
        for price in rng.sample(range(80, 900), rng.randint(1, 3)):
            flights[f"F{len(flights)}"] = {
                "from_location": quoted(start),
                "to_location": quoted(goal),
                "date": date,
                "price": price,
            }
    return flights


def _hotels(rng: random.Random) -> dict[str, Record]:
    hotels: dict[str, Record] = {}
    for place in PLACES:
        count = rng.randint(*_HOTELS)
        prices = rng.sample(range(35, 320), count)
        ratings = rng.sample([rating / 10 for rating in range(20, 50)], count)
        for price, rating in zip(prices, ratings, strict=True):
            offered = rng.sample(PREFERENCES, rng.randint(1, 4))
            hotels[f"H{len(hotels)}"] = {
                "location": quoted(place),
                "preferences": sorted(offered),
                "price_per_night": price,
                "rating": rating,
            }
    return hotels
