"""Wishes about a pending order or the profile as a whole."""

from __future__ import annotations

from sca_envs.core.wishes import Customer, Wish
from sca_envs.domains.tau_retail.wishes.pieces import (
    all_orders,
    find_order,
    methods,
    name_method,
    orders,
    paid_with,
    tell_address,
    tell_method,
)

REASONS = ("no longer needed", "ordered by mistake")


def cancel_order(c: Customer) -> Wish:
    """Cancel a pending order."""
    order, words = find_order(c, c.pick(orders(c, "pending")))
    why = c.pick(REASONS)
    reason = c.tell("reason", why, wording=f"reason {why}", confusable=REASONS)
    done = c.call("cancel_pending_order", order_id=order["order_id"], reason=reason)
    refunds = done["payment_history"].where(lambda entry: entry["transaction_type"] == "refund")
    return c.wish(
        asks={
            "the amount that is refunded to me for the cancellation": refunds.total(
                lambda entry: entry["amount"]
            ),
            "how many items were in the cancelled order": done["items"].length(),
            "the status that the cancelled order has now": done["status"],
            "the name of the first item of the cancelled order": done["items"][0]["name"],
        },
        order=words,
    )


def change_payment(c: Customer) -> Wish:
    """Pay a pending order with another payment method."""
    choices = [
        (order, method)
        for order in orders(c, "pending")
        if len(order["payment_history"]) == 1
        for method in methods(c)
        if method["id"] != paid_with(order)
        and method.get("balance", 1e9) >= order["payment_history"][0]["amount"]
    ]
    drawn, method = c.pick(choices)
    order, words = find_order(c, drawn)
    method_id = tell_method(c, method)
    order_id = order["order_id"]
    c.mistake(
        ("cancel_pending_order", {"order_id": order_id, "reason": "no longer needed"}),
    )
    done = c.call("modify_pending_order_payment", order_id=order_id, payment_method_id=method_id)
    history = done["payment_history"]
    return c.wish(
        asks={
            f"the amount that is charged to {name_method(method)}": history[1]["amount"],
            "how many entries the payment history of that order has then": history.length(),
        },
        order=words,
    )


def change_shipping_address(c: Customer) -> Wish:
    """Send a pending order elsewhere."""
    order, words = find_order(c, c.pick(orders(c, "pending")))
    new = tell_address(c)
    move = {"order_id": order["order_id"], **new}
    c.mistake(("modify_user_address", {"user_id": order["user_id"], **new}))
    c.mistake(
        ("modify_pending_order_address", move),
        ("modify_user_address", {"user_id": order["user_id"], **new}),
    )
    done = c.call("modify_pending_order_address", **move)
    return c.wish(
        asks={
            "how many items go to the new address": done["items"].length(),
            "the name of the first item in the redirected order": done["items"][0]["name"],
            "what I paid for the redirected order": done["payment_history"][0]["amount"],
        },
        order=words,
    )


def ask_amount(c: Customer) -> Wish:
    """Ask what an order cost."""
    order, words = find_order(c, c.pick(all_orders(c)))
    return c.wish(
        asks={"what I paid for {order}": order["payment_history"][0]["amount"]},
        question=True,
        order=words,
    )
