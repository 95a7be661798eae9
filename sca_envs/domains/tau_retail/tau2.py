"""Where tau2's retail tools leave another database than tau-bench's.

tau2 counts an order with modified items as still pending for its address and payment, refuses to
modify an item into itself, and gives every modified item the price and options of the last one.
(The last is a defect of tau2; its reference solutions run through it, so scores depend on it.)
"""

from __future__ import annotations

from collections.abc import Callable

from sca_envs.core.database import Database
from sca_envs.core.errors import ToolError
from sca_envs.domains.tau_retail import changes


def modify_pending_order_address(
    db: Database,
    order_id: str,
    address1: str,
    address2: str,
    city: str,
    state: str,
    country: str,
    zip: str,
) -> str:
    """Change the shipping address of an order that is pending in whatever way."""
    order = changes.require_order(db, order_id)
    changes.require_modifiable("pending" in order["status"])
    db.edit("orders", order_id)["address"] = changes.address(
        address1, address2, city, state, country, zip
    )
    return db.text("orders", order_id)


def modify_pending_order_items(
    db: Database,
    order_id: str,
    item_ids: list[str],
    new_item_ids: list[str],
    payment_method_id: str,
) -> str:
    """Replace items; each gets the price and options of the last replacement."""
    order = changes.require_order(db, order_id)
    changes.require_modifiable(order["status"] == "pending")
    variants, difference = changes.replacements(db, order, item_ids, new_item_ids)
    if any(old == new for old, new in zip(item_ids, new_item_ids, strict=True)):
        raise ToolError("the new item id should be different from the old item id")
    last = variants[-1:] * len(variants)
    return changes.replace_items(db, order, item_ids, variants, last, difference, payment_method_id)


def modify_pending_order_payment(db: Database, order_id: str, payment_method_id: str) -> str:
    """Pay an order that is pending in whatever way with another method."""
    order = changes.require_order(db, order_id)
    changes.require_modifiable("pending" in order["status"])
    return changes.change_payment(db, order, payment_method_id)


CHANGES: dict[str, Callable[..., str]] = {
    function.__name__: function
    for function in (
        modify_pending_order_address,
        modify_pending_order_items,
        modify_pending_order_payment,
    )
}
"""The tools that differ, by name; what the agent reads about them is the same."""
