"""Names and address parts from which the customers are made up.

The customers are fictional: given names, last names and streets are combined at random. City,
state and ZIP prefix belong together, so that an address is plausible.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from sca_envs.core.packaged import read_toml


class City(NamedTuple):
    """A city of the USA with the start of its ZIP codes."""

    name: str
    """Name of the city."""

    state: str
    """Two-letter postal code of its state."""

    zip_prefix: str
    """First three of the five digits of ZIP codes in the city."""


_DATA = read_toml(__package__ or "", "people.toml")

FIRST_NAMES: tuple[str, ...] = _DATA["first_names"]
"""Given names, 120, of ASCII letters only."""

LAST_NAMES: tuple[str, ...] = _DATA["last_names"]
"""Family names, 120, of ASCII letters only."""

STREETS: tuple[str, ...] = _DATA["streets"]
"""Street names, 60, without a house number."""

UNITS: tuple[str, ...] = _DATA["units"]
"""Words that open the second line of an address, before a number."""

CITIES: tuple[City, ...] = tuple(City(*city) for city in _DATA["cities"])
"""Cities that customers live in, 40."""


def address(rng: random.Random) -> dict[str, str]:
    """Draw an address, with the keys in the order of the original's data."""
    city = rng.choice(CITIES)
    return {
        "address1": f"{rng.randrange(100, 1000)} {rng.choice(STREETS)}",
        "address2": f"{rng.choice(UNITS)} {rng.randrange(100, 1000)}",
        "city": city.name,
        "country": "USA",
        "state": city.state,
        "zip": f"{city.zip_prefix}{rng.randrange(100):02d}",
    }
