"""Kinds of product that the generated stores of the retail domain sell.

The kinds, their options and their price ranges are invented for this project. Each kind names
its options and their values; a store draws variants from the combinations.
"""

from typing import NamedTuple

from sca_envs.core.packaged import read_toml


class ProductType(NamedTuple):
    """A kind of product with the options that its variants combine."""

    name: str
    """Display name, singular and in title case."""

    price: tuple[float, float]
    """Lowest and highest price of a variant in dollars."""

    options: dict[str, tuple[str, ...]]
    """Option name -> its possible values, lowercase; no value occurs under two options."""


PRODUCT_TYPES: tuple[ProductType, ...] = tuple(
    ProductType(**product) for product in read_toml(__package__ or "", "catalog.toml")["product"]
)
"""The 50 kinds of product; each has 16 to 120 combinations of option values."""
