"""The airports of the airline: codes, cities and places on the globe."""

from __future__ import annotations

from typing import NamedTuple


class Airport(NamedTuple):
    """An airport of the USA."""

    city: str
    """What the airline calls its city."""
    latitude: float
    """Degrees north."""
    longitude: float
    """Degrees east, hence negative."""


AIRPORTS: dict[str, Airport] = {
    "SFO": Airport("San Francisco", 37.6, -122.4),
    "JFK": Airport("New York", 40.6, -73.8),
    "LAX": Airport("Los Angeles", 33.9, -118.4),
    "ORD": Airport("Chicago", 42.0, -87.9),
    "DFW": Airport("Dallas", 32.9, -97.0),
    "DEN": Airport("Denver", 39.9, -104.7),
    "SEA": Airport("Seattle", 47.4, -122.3),
    "ATL": Airport("Atlanta", 33.6, -84.4),
    "MIA": Airport("Miami", 25.8, -80.3),
    "BOS": Airport("Boston", 42.4, -71.0),
    "PHX": Airport("Phoenix", 33.4, -112.0),
    "IAH": Airport("Houston", 30.0, -95.3),
    "LAS": Airport("Las Vegas", 36.1, -115.2),
    "MCO": Airport("Orlando", 28.4, -81.3),
    "EWR": Airport("Newark", 40.7, -74.2),
    "CLT": Airport("Charlotte", 35.2, -80.9),
    "MSP": Airport("Minneapolis", 44.9, -93.2),
    "DTW": Airport("Detroit", 42.2, -83.4),
    "PHL": Airport("Philadelphia", 39.9, -75.2),
    "LGA": Airport("LaGuardia", 40.8, -73.9),
}
"""IATA code -> airport, in the order in which the tool lists them."""
