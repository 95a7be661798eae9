"""Wishes that the policy forbids.

Each comes with a question to fall back on: the right end is an unchanged store and the answer to
it. What the agent must say then tells a refusal from doing nothing.
"""

from __future__ import annotations

from sca_envs.core.wishes import Customer, DeadEnd, Term, Wish
from sca_envs.domains.tau_retail.wishes.items import (
    describe,
    describe_options,
    find_item,
    find_variant,
    single_items,
)
from sca_envs.domains.tau_retail.wishes.orders import REASONS
from sca_envs.domains.tau_retail.wishes.pieces import (
    SHIPPED,
    NamedOrder,
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
from sca_envs.domains.tau_retail.wishes.questions import (
    asks_of_order,
    tracking_number,
    was_sent_whole,
)

_RETURN = "return_delivered_order_items"


def _shipped_order(c: Customer) -> NamedOrder:
    return name_order(c, c.pick(filter(was_sent_whole, orders(c, *SHIPPED))))


def _asks_of_shipped(order: NamedOrder) -> dict[str, Term]:
    return {
        "the tracking number of {again}": tracking_number(order.details),
        "what I paid for {again}": amount(order.details),
        "the name of the first item of {again}": order.details["items"][0]["name"],
        "the status of {again}": order.details["status"],
    }


def cancel_shipped(c: Customer) -> Wish:
    """Want to cancel an order that is not pending any more."""
    order = _shipped_order(c)
    c.tell("reason", REASONS[0], wording=REASONS[0], given=True)
    if order.record["status"] == "delivered":
        ids = [item["item_id"] for item in order.record["items"]]
        method = paid_with(order.record)
        returning = {"order_id": order.id, "item_ids": ids, "payment_method_id": method}
        c.mistake((_RETURN, returning))
    for other in orders(c, "pending")[:1]:
        reason = {"order_id": other["order_id"], "reason": REASONS[0]}
        c.mistake(("cancel_pending_order", reason))
    return c.wish(_asks_of_shipped(order), question=True, order=order.words, again=order.again)


def redirect_shipped(c: Customer) -> Wish:
    """Want to send an order elsewhere that is not pending any more."""
    order = _shipped_order(c)
    new, written = tell_address(c, given=True)
    c.mistake(("modify_user_address", {"user_id": order.record["user_id"], **new}))
    for other in orders(c, "pending")[:1]:
        c.mistake(("modify_pending_order_address", {"order_id": other["order_id"], **new}))
    return c.wish(
        _asks_of_shipped(order),
        question=True,
        order=order.words,
        again=order.again,
        address=written,
    )


def refund_elsewhere(c: Customer) -> Wish:
    """Want a refund on a payment method that is neither the order's nor a gift card."""
    record, method = c.pick(
        (order, method)
        for order in orders(c, "delivered")
        for method in methods(c)
        if method["id"] != paid_with(order) and method["source"] != "gift_card"
    )
    order, name = name_order(c, record), name_method(method)
    c.tell("payment", method["id"], wording="refund", method=name, given=True)
    c.tell("items", [item["item_id"] for item in record["items"]], wording="all_items", given=True)
    c.about(method["id"])
    ids = [item["item_id"] for item in record["items"]]
    for allowed in (paid_with(record), *_cards(c)):
        returning = {"order_id": order.id, "item_ids": ids, "payment_method_id": allowed}
        c.mistake((_RETURN, returning))
    asks = asks_of_order(order)
    return c.wish(asks, question=True, order=order.words, again=order.again, method=name)


def _cards(c: Customer) -> list[str]:
    return [method["id"] for method in methods(c) if method["source"] == "gift_card"]


def exchange_for_sold_out(c: Customer) -> Wish:
    """Want a variant that is not available."""
    record = c.pick(o for o in orders(c, "delivered", "pending") if single_items(o))
    old = c.pick(single_items(record))
    variants = list(c.record("products", old["product_id"])["variants"].values())
    wanted = c.pick(v for v in variants if not v["available"] and v["options"] != old["options"])
    if [v["options"] for v in variants].count(wanted["options"]) > 1:
        raise DeadEnd
    order = name_order(c, record, besides=old["name"])
    item = find_item(c, order, old)
    product = c.call("get_product_details", product_id=item["product_id"])
    c.about(wanted["item_id"])
    shown = product["variants"].values()
    tools = {"delivered": "exchange_delivered_order_items", "pending": "modify_pending_order_items"}
    for other in variants:
        if other["available"] and other["options"] != old["options"]:
            swap = {
                "order_id": order.id,
                "item_ids": [old["item_id"]],
                "new_item_ids": [other["item_id"]],
                "payment_method_id": paid_with(record),
            }
            c.mistake((tools[record["status"]], swap))
            break
    return c.wish(
        asks={
            "the price of the {name} with {options}": find_variant(c, shown, wanted, variants)[
                "price"
            ],
            "what the {name} in {again} cost": item["price"],
            "how many variants of the {name} are available": shown.where(
                lambda one: one["available"]
            ).length(),
        },
        question=True,
        order=order.words,
        again=order.again,
        item=describe(old),
        name=old["name"],
        options=describe_options(wanted),
    )


def pay_with_short_card(c: Customer) -> Wish:
    """Want to pay a pending order with a gift card that does not cover it."""
    record, card = c.pick(
        (order, method)
        for order in orders(c, "pending")
        if len(order["payment_history"]) == 1
        for method in methods(c)
        if method["id"] != paid_with(order)
        and method.get("balance", 1e9) < order["payment_history"][0]["amount"]
    )
    use_profile(c)
    order, found = name_order(c, record), find_method(c, card)
    c.tell("payment", card["id"], wording="payment", method=name_method(card), given=True)
    for other in methods(c):
        if other["id"] not in (card["id"], paid_with(record)):
            paying = {"order_id": order.id, "payment_method_id": other["id"]}
            c.mistake(("modify_pending_order_payment", paying))
    reason = {"order_id": order.id, "reason": REASONS[0]}
    c.mistake(("cancel_pending_order", reason))
    c.use(card["id"])
    return c.wish(
        asks={
            "how much is left on my gift card": found["balance"],
            "how much my gift card lacks for {again}": round(
                amount(order.details) - found["balance"], 2
            ),
        },
        question=True,
        order=order.words,
        again=order.again,
    )


def touch_another_account(c: Customer) -> Wish:
    """Want something for an order of somebody else."""
    foreign = c.record("orders", c.pick(c.db.base.keys("orders")))
    if foreign["user_id"] == c.key or foreign["status"] != "pending":
        raise DeadEnd
    order = _shipped_order(c)
    key = foreign["order_id"]
    c.about(key)
    for reason in REASONS:
        c.mistake(("cancel_pending_order", {"order_id": key, "reason": reason}))
    address = c.record("users", c.key)["address"]
    c.mistake(("modify_pending_order_address", {"order_id": key, **address}))
    return c.wish(
        _asks_of_shipped(order), question=True, order=order.words, again=order.again, foreign=key
    )
