"""Wishes that change a pending order or the profile as a whole."""

from __future__ import annotations

from typing import Any

from sca_envs.core.wishes import Customer, Wish
from sca_envs.domains.tau_retail.wishes.pieces import (
    ANY,
    amount,
    find_method,
    methods,
    name_method,
    name_order,
    orders,
    paid_with,
    tell_address,
    use_profile,
)

REASONS = ("no longer needed", "ordered by mistake")


def cancel_order(c: Customer) -> Wish:
    """Cancel a pending order."""
    order = name_order(c, c.pick(orders(c, "pending")))
    why = c.pick(REASONS)
    reason = c.tell("reason", why, wording=why, confusable=REASONS)
    done = c.call("cancel_pending_order", order_id=order.id, reason=reason)
    refunds = done["payment_history"].where(lambda entry: entry["transaction_type"] == "refund")
    return c.wish(
        asks={
            "the amount that is refunded to me for {order}": refunds.total(
                lambda entry: entry["amount"]
            ),
            "how many items were in {order}": done["items"].length(),
            "the new status of {order}": done["status"],
            "the name of the first item of {order}": done["items"][0]["name"],
        },
        order=order.words,
    )


def change_payment(c: Customer) -> Wish:
    """Pay a pending order with another payment method."""
    record, method = c.pick(
        (order, method)
        for order in orders(c, "pending")
        if len(order["payment_history"]) == 1
        for method in methods(c)
        if method["id"] != paid_with(order)
        and method.get("balance", 1e9) >= order["payment_history"][0]["amount"]
    )
    order, name = name_order(c, record), name_method(method)
    c.tell("payment", method["id"], method=name)
    found = find_method(c, method)
    reason = {"order_id": order.id, "reason": REASONS[0]}
    c.mistake(("cancel_pending_order", reason))
    done = c.call("modify_pending_order_payment", order_id=order.id, payment_method_id=found["id"])
    history = done["payment_history"]
    return c.wish(
        asks={
            f"the amount that is charged to {name} for {{order}}": history[1]["amount"],
            "the amount that goes back to the old payment method of {order}": history[2]["amount"],
            "how many items {order} has": done["items"].length(),
        },
        order=order.words,
    )


def change_shipping_address(c: Customer) -> Wish:
    """Send a pending order elsewhere."""
    order = name_order(c, c.pick(orders(c, "pending")))
    new, _ = tell_address(c)
    move = ("modify_pending_order_address", {"order_id": order.id, **new})
    of_profile = ("modify_user_address", {"user_id": order.record["user_id"], **new})
    c.mistake(of_profile)
    c.mistake(move, of_profile)
    done = c.call(move[0], **move[1])
    return c.wish(
        asks={
            "how many items of {order} go to the new address": done["items"].length(),
            "the name of the first item in {order}": done["items"][0]["name"],
            "what I paid for {order}": amount(done),
        },
        order=order.words,
    )


def send_home(c: Customer) -> Wish:
    """Send a pending order to the address in the profile."""
    home = c.record("users", c.key)["address"]
    record = c.pick(o for o in orders(c, "pending") if o["address"] != home)
    use_profile(c)
    order = name_order(c, record)
    c.mistake(("modify_user_address", {"user_id": c.key, **record["address"]}))
    known = c.let("home", c.profile["address"])
    where: dict[str, Any] = {key: known[key] for key in home}
    done = c.call("modify_pending_order_address", order_id=order.id, **where)
    return c.wish(
        asks={
            "the first line of the address that {order} now goes to": done["address"]["address1"],
            "the city that {order} now goes to": done["address"]["city"],
            "how many items of {order} go there": done["items"].length(),
        },
        order=order.words,
    )


def change_default_address(c: Customer) -> Wish:
    """Change the address in the profile."""
    use_profile(c)
    new, _ = tell_address(c)
    for record in orders(c, "pending")[:1]:
        c.mistake(("modify_pending_order_address", {"order_id": record["order_id"], **new}))
    done = c.call("modify_user_address", user_id=c.id, **new)
    return c.wish(
        asks={
            "the zip code in my profile": done["address"]["zip"],
            "the city in my profile": done["address"]["city"],
            "how many orders my profile lists": done["orders"].length(),
            "how many payment methods my profile has": done["payment_methods"].length(),
        },
    )


def copy_address(c: Customer) -> Wish:
    """Take an order's address over into the profile."""
    home = c.record("users", c.key)["address"]
    record = c.pick(o for o in orders(c, *ANY) if o["address"] != home)
    use_profile(c)
    order = name_order(c, record)
    if record["status"] == "pending":
        c.mistake(("modify_pending_order_address", {"order_id": order.id, **home}))
    where: dict[str, Any] = {key: order.details["address"][key] for key in record["address"]}
    c.mistake(("modify_user_address", {"user_id": c.key, **where, "zip": home["zip"]}))
    c.mistake(("modify_user_address", {"user_id": c.key, **where, "address2": ""}))
    done = c.call("modify_user_address", user_id=order.details["user_id"], **where)
    c.use(record["order_id"])
    return c.wish(
        asks={
            "the first line of the address in my profile": done["address"]["address1"],
            "the zip code in my profile": done["address"]["zip"],
            "the city in my profile": done["address"]["city"],
        },
        order=order.words,
    )
