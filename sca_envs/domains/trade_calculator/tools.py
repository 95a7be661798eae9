"""The tools of the trade calculator; they keep no state."""

from __future__ import annotations

import functools
from typing import Any

from sca_envs.core.database import Database
from sca_envs.domains.m3.calculator import calculate
from sca_envs.domains.m3.values import product

Number = int | float


def convert_currency(db: Database, base_price: Number, conversion_rate: Number) -> Any:
    """Convert a price to another currency.

    Args:
        base_price: The price.
        conversion_rate: What one unit of its currency is worth in the other.
    """
    return product(base_price, conversion_rate)


def calculate_tariff(db: Database, price: Number, tariff_rate: Number) -> Any:
    """Work out the tariff on a price.

    Args:
        price: The price, already converted.
        tariff_rate: The tariff in percent of the price.
    """
    return product(price, tariff_rate) / 100


def estimate_final_value(db: Database, price: Number, tariff: Number) -> Any:
    """Add a tariff to a price.

    Args:
        price: The price, already converted.
        tariff: The tariff as an amount.
    """
    return price + tariff


def calculator(db: Database, expression: str) -> Any:
    """Work out an expression, such as '(3 + 4) * 2.5'.

    Args:
        expression: The expression, as Python writes it.
    """
    # The original evaluates where these are defined, so an expression can call them.
    tools = (
        convert_currency,
        calculate_tariff,
        estimate_final_value,
        find_minimum,
        find_maximum,
    )
    return calculate(expression, {tool.__name__: functools.partial(tool, db) for tool in tools})


def find_minimum(db: Database, *values: Number) -> Any:
    """Return the smallest of some numbers.

    Args:
        values: The numbers.
    """
    return min(values)


def find_maximum(db: Database, *values: Number) -> Any:
    """Return the largest of some numbers.

    Args:
        values: The numbers.
    """
    return max(values)
