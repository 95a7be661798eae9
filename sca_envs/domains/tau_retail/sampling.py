"""Plausible arguments for retail tools, for random policies and mutations."""

from __future__ import annotations

from typing import Any

import numpy as np

from sca_envs.core.database import Base, Record
from sca_envs.domains.tau.people import CITIES, STREETS, UNITS
from sca_envs.domains.tau.sampling import pick, random_key, random_record


def sample_argument(rng: np.random.Generator, base: Base, parameter: str) -> Any:
    """Draw a plausible value of a tool's parameter.

    Args:
        rng: Random generator.
        base: The tables to take ids from.
        parameter: The parameter's name.

    Raises:
        KeyError: If no retail tool has such a parameter.
    """
    match parameter:
        case "order_id":
            return random_key(rng, base, "orders")
        case "user_id":
            return random_key(rng, base, "users")
        case "product_id":
            return random_key(rng, base, "products")
        case "item_ids":
            items = random_record(rng, base, "orders")["items"]
            return [item["item_id"] for item in items[: int(rng.integers(1, 3))]]
        case "new_item_ids":
            variants = list(random_record(rng, base, "products")["variants"])
            return [pick(rng, variants) for _ in range(int(rng.integers(1, 3)))]
        case "payment_method_id":
            return pick(rng, list(random_record(rng, base, "users")["payment_methods"]))
        case "email":
            return random_record(rng, base, "users")["email"]
        case "first_name" | "last_name":
            return random_record(rng, base, "users")["name"][parameter]
        case "expression":
            return f"{rng.integers(1, 1000)} {pick(rng, '+-*')} {rng.integers(1, 1000) / 100}"
        case "thought" | "summary":
            return pick(rng, _SENTENCES)
        case _:
            return _address(rng)[parameter]


_SENTENCES = (
    "The customer asks about an order.",
    "The order has to be looked up first.",
    "The request is outside what I may do.",
)


def _address(rng: np.random.Generator) -> Record:
    city = pick(rng, CITIES)
    return {
        "address1": f"{rng.integers(100, 1000)} {pick(rng, STREETS)}",
        "address2": f"{pick(rng, UNITS)} {rng.integers(100, 1000)}",
        "city": city.name,
        "state": city.state,
        "country": "USA",
        "zip": f"{city.zip_prefix}{rng.integers(100):02d}",
    }
