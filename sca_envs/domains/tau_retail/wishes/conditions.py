"""Wishes that depend on something that has to be looked up first."""

from __future__ import annotations

from sca_envs.core.wishes import Customer, DeadEnd, Wish
from sca_envs.domains.tau_retail.wishes.pieces import (
    amount,
    name_order,
    orders,
    paid_with,
    tell_address,
)


def cancel_or_return(c: Customer) -> Wish:
    """Cancel an order if it is still pending, else return all of it."""
    own = set(c.record("users", c.key)["payment_methods"])
    record = c.pick(o for o in orders(c, "pending", "delivered") if paid_with(o) in own)
    order = name_order(c, record)
    details = order.details
    reason = c.tell("reason", "no longer needed", wording="no longer needed",
                    confusable=["ordered by mistake"], given=True)  # fmt: skip
    c.tell("payment", paid_with(record), wording="refund_as_paid", given=True)
    ids = [item["item_id"] for item in record["items"]]
    if record["status"] == "delivered" and len(ids) > 1:
        returning = {"item_ids": ids[:1], "payment_method_id": paid_with(record)}
        c.mistake(("return_delivered_order_items", {"order_id": order.id, **returning}))
    done = c.either(
        details["status"] == "pending",
        ("cancel_pending_order", {"order_id": order.id, "reason": reason}),
        (
            "return_delivered_order_items",
            {
                "order_id": order.id,
                "item_ids": details["items"].each(lambda item: item["item_id"]),
                "payment_method_id": details["payment_history"][0]["payment_method_id"],
            },
        ),
    )
    return c.wish(
        asks={
            "the status of {order} in the end": done["status"],
            "how many items {order} has": details["items"].length(),
            "what I paid for {order}": amount(details),
        },
        order=order.words,
    )


def cancel_if_expensive(c: Customer) -> Wish:
    """Cancel a pending order if it cost more than some amount, else send it elsewhere."""
    order = name_order(c, c.pick(orders(c, "pending")))
    cost = order.record["payment_history"][0]["amount"]
    limit = max(10, round(cost + c.rng.choice((-1, 1)) * c.rng.uniform(15, 200)))
    if limit == cost:
        raise DeadEnd
    reason = c.tell("reason", "ordered by mistake", wording="ordered by mistake",
                    confusable=["no longer needed"], given=True)  # fmt: skip
    new, written = tell_address(c, given=True)
    paid = c.let("paid", amount(order.details))
    done = c.either(
        paid > c.given(limit),
        ("cancel_pending_order", {"order_id": order.id, "reason": reason}),
        ("modify_pending_order_address", {"order_id": order.id, **new}),
    )
    return c.wish(
        asks={
            "what I paid for {order}": paid,
            "the status of {order} in the end": done["status"],
            "how many items {order} has": done["items"].length(),
        },
        order=order.words,
        limit=limit,
        address=written,
    )
