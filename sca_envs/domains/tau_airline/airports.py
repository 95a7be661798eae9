"""The airports of the airline: codes, cities and places on the globe."""

from __future__ import annotations

from typing import NamedTuple

from sca_envs.core.packaged import read_toml


class Airport(NamedTuple):
    """An airport of the USA."""

    city: str
    """What the airline calls its city."""
    latitude: float
    """Degrees north."""
    longitude: float
    """Degrees east, hence negative."""


AIRPORTS: dict[str, Airport] = {
    code: Airport(*place) for code, place in read_toml(__package__ or "", "airports.toml").items()
}
"""IATA code -> airport, in the order in which the tool lists them."""
