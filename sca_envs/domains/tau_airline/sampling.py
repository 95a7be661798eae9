"""Plausible arguments for airline tools, for random policies and mutations."""

from __future__ import annotations

from typing import Any

import numpy as np

from sca_envs.core.database import Base, Record
from sca_envs.domains.tau.sampling import pick, random_key, random_record
from sca_envs.domains.tau_airline.airports import AIRPORTS


def sample_argument(rng: np.random.Generator, base: Base, parameter: str) -> Any:
    """Draw a plausible value of a tool's parameter.

    Args:
        rng: Random generator.
        base: The tables to take ids from.
        parameter: The parameter's name.

    Raises:
        KeyError: If no airline tool has such a parameter.
    """
    match parameter:
        case "reservation_id":
            return random_key(rng, base, "reservations")
        case "user_id":
            return random_key(rng, base, "users")
        case "flight_number":
            return random_key(rng, base, "flights")
        case "origin" | "destination":
            return pick(rng, list(AIRPORTS))
        case "date":
            return f"2024-05-{rng.integers(1, 31):02d}"
        case "payment_id":
            return pick(rng, list(random_record(rng, base, "users")["payment_methods"]))
        case "flights":
            return [_flight(rng, base) for _ in range(int(rng.integers(1, 3)))]
        case "passengers":
            return [dict(p) for p in random_record(rng, base, "reservations")["passengers"]]
        case "payment_methods":
            method = sample_argument(rng, base, "payment_id")
            return [{"payment_id": method, "amount": int(rng.integers(50, 1000))}]
        case "amount":
            return 50 * int(rng.integers(1, 9))
        case "total_baggages" | "nonfree_baggages":
            return int(rng.integers(0, 4))
        case "expression":
            return f"{rng.integers(1, 1000)} {pick(rng, '+-*')} {rng.integers(1, 5)}"
        case "thought" | "summary":
            return pick(rng, _SENTENCES)
        case _:
            raise KeyError(parameter)


_SENTENCES = (
    "The customer asks about a reservation.",
    "The flights have to be looked up first.",
    "The request is outside what I may do.",
)


def _flight(rng: np.random.Generator, base: Base) -> Record:
    return {
        "flight_number": random_key(rng, base, "flights"),
        "date": f"2024-05-{rng.integers(16, 31):02d}",
    }
