"""Retail tools that change nothing."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping

from sca_envs.core.database import Database, Record
from sca_envs.core.errors import ToolError


def _by_email(key: str, user: Record) -> Hashable:
    email: str = user["email"]
    return email.lower()


def _by_name_zip(key: str, user: Record) -> Hashable:
    name = user["name"]
    return name["first_name"].lower(), name["last_name"].lower(), user["address"]["zip"]


def _types_as_json(products: Mapping[str, Record]) -> str:
    types = {product["name"]: product["product_id"] for product in products.values()}
    return json.dumps(dict(sorted(types.items())))


def find_user_id_by_email(db: Database, email: str) -> str:
    """Look up a customer's user id by e-mail address. This is the first choice for authentication.

    Args:
        email: The customer's e-mail address, such as 'name@example.com'; case does not matter.
    """
    user_id = db.find("users", _by_email, email.lower())
    if user_id is None:
        raise ToolError("user not found")
    return user_id


def find_user_id_by_name_zip(db: Database, first_name: str, last_name: str, zip: str) -> str:
    """Look up a customer's user id by full name and zip code.

    Use it when the customer has no e-mail address at hand, or when that is not found.

    Args:
        first_name: Given name; case does not matter.
        last_name: Family name; case does not matter.
        zip: Zip code of the customer's default address, such as '12345'.
    """
    user_id = db.find("users", _by_name_zip, (first_name.lower(), last_name.lower(), zip))
    if user_id is None:
        raise ToolError("user not found")
    return user_id


def get_user_details(db: Database, user_id: str) -> str:
    """Show a customer's profile: name, default address, e-mail, payment methods and order ids.

    Args:
        user_id: The user id, such as 'jane_doe_1234'.
    """
    return _text(db, "users", user_id, "user not found")


def get_order_details(db: Database, order_id: str) -> str:
    """Show an order: status, items, address, deliveries and payments.

    Args:
        order_id: The order id with its leading '#', such as '#W0000000'.
    """
    return _text(db, "orders", order_id, "order not found")


def get_product_details(db: Database, product_id: str) -> str:
    """Show a product type with all its variants: item id, options, availability and price.

    Args:
        product_id: The id of the product type, such as '6086499569'; it is not an item id.
    """
    return _text(db, "products", product_id, "product not found")


def list_all_product_types(db: Database) -> str:
    """List every product type of the store with its product id, sorted by name."""
    types: str = db.derived("products", _types_as_json)
    return types


def _text(db: Database, table: str, key: str, missing: str) -> str:
    try:
        return db.text(table, key)
    except KeyError:
        raise ToolError(missing) from None
