"""Retail tools that change orders and profiles.

What they check, in which order, and what they leave behind is tau-bench's, quirks included: an
exchange moves no money, refunds of a changed payment are refunded again on cancellation, float
noise stays in a price difference. Every check comes before the first write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from sca_envs.core.database import Database, Record
from sca_envs.core.errors import ToolError
from sca_envs.core.tools import choices

_REASONS = ("no longer needed", "ordered by mistake")


def cancel_pending_order(
    db: Database, order_id: str, reason: Annotated[str, choices(*_REASONS)]
) -> str:
    """Cancel a pending order as a whole and refund it.

    Orders of another status cannot be cancelled. Tell the customer what will happen and get a clear
    yes before the call. The refund reaches a gift card at once, any other payment method within 5
    to 7 business days. Returns the changed order.

    Args:
        order_id: The order id with its leading '#', such as '#W0000000'.
        reason: Why the customer cancels.
    """
    order = require_order(db, order_id)
    if order["status"] != "pending":
        raise ToolError("non-pending order cannot be cancelled")
    if reason not in _REASONS:
        raise ToolError("invalid reason")
    order = db.edit("orders", order_id)
    refunds = []
    for payment in order["payment_history"]:
        method = payment["payment_method_id"]
        refunds.append(_payment("refund", payment["amount"], method))
        if "gift_card" in method:
            _credit(db, order["user_id"], method, payment["amount"])
    order["status"] = "cancelled"
    order["cancel_reason"] = reason
    order["payment_history"].extend(refunds)
    return db.text("orders", order_id)


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
    """Change the shipping address of a pending order.

    Tell the customer what will happen and get a clear yes before the call. Returns the changed
    order.

    Args:
        order_id: The order id with its leading '#', such as '#W0000000'.
        address1: First line of the address, such as '12 Example Street'.
        address2: Second line, such as 'Apt 3', or ''.
        city: City.
        state: State, in two letters such as 'CA'.
        country: Country, such as 'USA'.
        zip: Zip code, such as '12345'.
    """
    require_modifiable(require_order(db, order_id)["status"] == "pending")
    db.edit("orders", order_id)["address"] = address(address1, address2, city, state, country, zip)
    return db.text("orders", order_id)


def modify_pending_order_items(
    db: Database,
    order_id: str,
    item_ids: list[str],
    new_item_ids: list[str],
    payment_method_id: str,
) -> str:
    """Replace items of a pending order by other variants of the same product types.

    It works once for an order, and afterwards the order can no longer be changed or cancelled, so
    collect all replacements first. Tell the customer what will happen and get a clear yes before
    the call. Returns the changed order.

    Args:
        order_id: The order id with its leading '#', such as '#W0000000'.
        item_ids: The items to replace; an item that occurs twice is named twice.
        new_item_ids: Their replacements, in the same order and of the same product types.
        payment_method_id: Where the price difference is paid from or refunded to, such as
            'gift_card_0000000'; see the customer's profile.
    """
    order = require_order(db, order_id)
    require_modifiable(order["status"] == "pending")
    variants, difference = replacements(db, order, item_ids, new_item_ids)
    return replace_items(db, order, item_ids, variants, variants, difference, payment_method_id)


def modify_pending_order_payment(db: Database, order_id: str, payment_method_id: str) -> str:
    """Pay a pending order with another payment method of the customer.

    Tell the customer what will happen and get a clear yes before the call. Returns the changed
    order.

    Args:
        order_id: The order id with its leading '#', such as '#W0000000'.
        payment_method_id: The new payment method, such as 'credit_card_0000000'; see the customer's
            profile.
    """
    order = require_order(db, order_id)
    require_modifiable(order["status"] == "pending")
    return change_payment(db, order, payment_method_id)


def modify_user_address(
    db: Database,
    user_id: str,
    address1: str,
    address2: str,
    city: str,
    state: str,
    country: str,
    zip: str,
) -> str:
    """Change a customer's default address; their orders keep the address that they have.

    Tell the customer what will happen and get a clear yes before the call. Returns the changed
    profile.

    Args:
        user_id: The user id, such as 'jane_doe_1234'.
        address1: First line of the address, such as '12 Example Street'.
        address2: Second line, such as 'Apt 3', or ''.
        city: City.
        state: State, in two letters such as 'CA'.
        country: Country, such as 'USA'.
        zip: Zip code, such as '12345'.
    """
    if db.get("users", user_id) is None:
        raise ToolError("user not found")
    user = db.edit("users", user_id)
    user["address"] = address(address1, address2, city, state, country, zip)
    return db.text("users", user_id)


def return_delivered_order_items(
    db: Database, order_id: str, item_ids: list[str], payment_method_id: str
) -> str:
    """Ask for the return of items of a delivered order.

    The order's status becomes 'return requested', and the customer gets an e-mail on how to send
    the items back. Tell the customer what will happen and get a clear yes before the call. Returns
    the changed order.

    Args:
        order_id: The order id with its leading '#', such as '#W0000000'.
        item_ids: The items to return; an item that occurs twice is named twice.
        payment_method_id: Where the refund goes: the order's own payment method or a gift card.
    """
    order = require_order(db, order_id)
    if order["status"] != "delivered":
        raise ToolError("non-delivered order cannot be returned")
    _payment_method(db, order, payment_method_id)
    if (
        "gift_card" not in payment_method_id
        and payment_method_id != order["payment_history"][0]["payment_method_id"]
    ):
        raise ToolError(
            "payment method should be either the original payment method or a gift card"
        )
    if _lacking(order, item_ids) is not None:
        raise ToolError("some item not found")
    order = db.edit("orders", order_id)
    order["status"] = "return requested"
    order["return_items"] = sorted(item_ids)
    order["return_payment_method_id"] = payment_method_id
    return db.text("orders", order_id)


def exchange_delivered_order_items(
    db: Database,
    order_id: str,
    item_ids: list[str],
    new_item_ids: list[str],
    payment_method_id: str,
) -> str:
    """Ask for the exchange of items of a delivered order for other variants of the same types.

    A delivered order can be returned or exchanged only once, so collect all items first. Tell the
    customer what will happen and get a clear yes before the call. Returns the changed order.

    Args:
        order_id: The order id with its leading '#', such as '#W0000000'.
        item_ids: The items to exchange; an item that occurs twice is named twice.
        new_item_ids: Their replacements, in the same order and of the same product types.
        payment_method_id: Where the price difference is paid from or refunded to, such as
            'gift_card_0000000'; see the customer's profile.
    """
    order = require_order(db, order_id)
    if order["status"] != "delivered":
        raise ToolError("non-delivered order cannot be exchanged")
    _, difference = replacements(db, order, item_ids, new_item_ids)
    difference = round(difference, 2)
    method = _payment_method(db, order, payment_method_id)
    if method["source"] == "gift_card" and method["balance"] < difference:
        raise ToolError("insufficient gift card balance to pay for the price difference")
    order = db.edit("orders", order_id)
    order["status"] = "exchange requested"
    order["exchange_items"] = sorted(item_ids)
    order["exchange_new_items"] = sorted(new_item_ids)
    order["exchange_payment_method_id"] = payment_method_id
    order["exchange_price_difference"] = difference
    return db.text("orders", order_id)


# Steps that tools share


def change_payment(db: Database, order: Record, payment_method_id: str) -> str:
    """Pay an order with another method, whatever its status; return its text."""
    method = _payment_method(db, order, payment_method_id)
    history = order["payment_history"]
    if len(history) != 1 or history[0]["transaction_type"] != "payment":
        raise ToolError("there should be exactly one payment for a pending order")
    old_method_id, amount = history[0]["payment_method_id"], history[0]["amount"]
    if old_method_id == payment_method_id:
        raise ToolError("the new payment method should be different from the current one")
    if method["source"] == "gift_card" and method["balance"] < amount:
        raise ToolError("insufficient gift card balance to pay for the order")
    history = db.edit("orders", order["order_id"])["payment_history"]
    history.append(_payment("payment", amount, payment_method_id))
    history.append(_payment("refund", amount, old_method_id))
    if method["source"] == "gift_card":
        _credit(db, order["user_id"], payment_method_id, -amount)
    if "gift_card" in old_method_id:
        _credit(db, order["user_id"], old_method_id, amount)
    return db.text("orders", order["order_id"])


def require_order(db: Database, order_id: str) -> Record:
    """Return an order to read, or raise the tool's error."""
    order = db.get("orders", order_id)
    if order is None:
        raise ToolError("order not found")
    return order


def require_modifiable(pending: bool) -> None:
    """Raise the tool's error unless an order counts as pending."""
    if not pending:
        raise ToolError("non-pending order cannot be modified")


def _payment_method(db: Database, order: Record, payment_method_id: str) -> Record:
    user = db.get("users", order["user_id"]) or {}
    method: Record | None = user["payment_methods"].get(payment_method_id)
    if method is None:
        raise ToolError("payment method not found")
    return method


def _lacking(order: Record, item_ids: Sequence[str]) -> str | None:
    """Return the first id that is named more often than the order has it."""
    owned = [item["item_id"] for item in order["items"]]
    for item_id in item_ids:
        if item_ids.count(item_id) > owned.count(item_id):
            return item_id
    return None


def _line(order: Record, item_id: str) -> Record:
    """Return the first line of an order with an item."""
    line: Record = next(line for line in order["items"] if line["item_id"] == item_id)
    return line


def replacements(
    db: Database, order: Record, item_ids: Sequence[str], new_item_ids: Sequence[str]
) -> tuple[list[Record], float]:
    """Return the new variants and the price difference in dollars, not rounded."""
    lacking = _lacking(order, item_ids)
    if lacking is not None:
        raise ToolError(f"{lacking} not found")
    if len(item_ids) != len(new_item_ids):
        raise ToolError("the number of items to be exchanged should match")
    variants, difference = [], 0
    for item_id, new_item_id in zip(item_ids, new_item_ids, strict=True):
        line = _line(order, item_id)
        product = db.get("products", line["product_id"]) or {}
        variant = product["variants"].get(new_item_id)
        if variant is None or not variant["available"]:
            raise ToolError(f"new item {new_item_id} not found or available")
        difference += variant["price"] - line["price"]
        variants.append(variant)
    return variants, difference


def replace_items(
    db: Database,
    order: Record,
    item_ids: Sequence[str],
    variants: Sequence[Record],
    priced_as: Sequence[Record],
    difference: float,
    payment_method_id: str,
) -> str:
    """Settle the price difference and put variants in the place of items; return the text.

    Args:
        db: The database.
        order: The order.
        item_ids: The items to replace.
        variants: The variants whose ids come in.
        priced_as: The variants whose prices and options come in.
        difference: What the customer owes, in dollars.
        payment_method_id: Where that is paid from or refunded to.
    """
    _settle(db, order, difference, payment_method_id)
    order = db.edit("orders", order["order_id"])
    for item_id, variant, shown in zip(item_ids, variants, priced_as, strict=True):
        # A line is looked up anew each time: replacing A by B and B by C ends with C (tau-bench).
        line = _line(order, item_id)
        line["item_id"] = variant["item_id"]
        line["price"] = shown["price"]
        line["options"] = dict(shown["options"])
    order["status"] = "pending (item modified)"
    return db.text("orders", order["order_id"])


def _settle(db: Database, order: Record, difference: float, payment_method_id: str) -> None:
    """Pay or refund the price difference of modified items."""
    method = _payment_method(db, order, payment_method_id)
    gift_card = method["source"] == "gift_card"
    if gift_card and method["balance"] < difference:
        raise ToolError("insufficient gift card balance to pay for the new item")
    kind = "payment" if difference > 0 else "refund"
    history = db.edit("orders", order["order_id"])["payment_history"]
    history.append(_payment(kind, abs(difference), payment_method_id))
    if gift_card:
        _credit(db, order["user_id"], payment_method_id, -difference)


def _credit(db: Database, user_id: str, payment_method_id: str, amount: float) -> None:
    """Add an amount in dollars to the balance of a gift card."""
    card = db.edit("users", user_id)["payment_methods"][payment_method_id]
    card["balance"] = round(card["balance"] + amount, 2)


def _payment(kind: str, amount: float, payment_method_id: str) -> Record:
    return {"transaction_type": kind, "amount": amount, "payment_method_id": payment_method_id}


def address(address1: str, address2: str, city: str, state: str, country: str, zip: str) -> Record:
    """Return an address record in the key order that tau-bench's tools leave."""
    return {
        "address1": address1,
        "address2": address2,
        "city": city,
        "state": state,
        "country": country,
        "zip": zip,
    }


CHANGES: dict[str, Callable[..., str]] = {
    function.__name__: function
    for function in (
        cancel_pending_order,
        exchange_delivered_order_items,
        modify_pending_order_address,
        modify_pending_order_items,
        modify_pending_order_payment,
        modify_user_address,
        return_delivered_order_items,
    )
}
"""The tools of this module by name."""
