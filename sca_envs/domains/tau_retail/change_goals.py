"""Goals that change an order or a profile."""

from __future__ import annotations

from typing import Any

from sca_envs.core.database import Record
from sca_envs.core.task import Fact, Request
from sca_envs.domains.tau.goals import (
    REASON_CUES,
    Context,
    Goal,
    action,
    capitalized,
    enumerate_words,
    sentence,
)
from sca_envs.domains.tau.people import address
from sca_envs.domains.tau_retail.goals import (
    ADDRESS_CUES,
    ITEM_CUES,
    WISH_CUES,
    describe,
    ids_of,
    name_order,
    orders,
    payment_fact,
)

_REASONS = {
    "no longer needed": (
        "I no longer need it.",
        "It is simply no longer needed.",
        "My plans changed, so it's no longer needed.",
    ),
    "ordered by mistake": (
        "I ordered it by mistake.",
        "Ordering it was a mistake.",
        "It was ordered by mistake, my finger slipped.",
    ),
}


def cancel_order(c: Context) -> Goal | None:
    """Cancel a pending order."""
    if not (own := orders(c, "pending")):
        return None
    order = own[0]
    words, order_fact, reads = name_order(c, order)
    reason = c.rng.choice(sorted(_REASONS))
    reason_fact, reason_text = c.fact("reason", REASON_CUES, _REASONS[reason])
    opening = c.say(
        (
            "I want to cancel {order}.",
            "Please cancel {order} for me.",
            "Could you call off {order}? I don't want it to be sent.",
            "I'd like to get rid of {order} before it ships, so please cancel it.",
        ),
        order=words,
    )
    order_id = order["order_id"]
    write = action("cancel_pending_order", order_id=order_id, reason=reason)
    return Goal(
        Request(
            opening=sentence(opening, reason_text),
            facts=(order_fact, reason_fact),
            ids=ids_of(order),
        ),
        (*reads, write),
    )


def change_payment(c: Context) -> Goal | None:
    """Pay a pending order with another payment method."""
    methods = c.user["payment_methods"]
    for order in orders(c, "pending"):
        paid = order["payment_history"][0]
        if len(order["payment_history"]) > 1:
            continue
        fitting = [
            method
            for method in methods.values()
            if method["id"] != paid["payment_method_id"]
            and method.get("balance", paid["amount"]) >= paid["amount"]
        ]
        if fitting:
            break
    else:
        return None
    method = c.rng.choice(fitting)
    words, order_fact, reads = name_order(c, order)
    fact, text = payment_fact(
        c, method, ("It should go on {method}.", "Please use {method}.", "I'd rather use {method}.")
    )
    opening = c.say(
        (
            "I'd like to pay for {order} another way.",
            "Can you switch how {order} is paid?",
            "The payment method of {order} has to be changed.",
            "I picked the wrong way to pay for {order}; please change that.",
        ),
        order=words,
    )
    write = action(
        "modify_pending_order_payment",
        order_id=order["order_id"],
        payment_method_id=method["id"],
    )
    return Goal(
        Request(
            opening=sentence(opening, text),
            facts=(order_fact, fact),
            ids=ids_of(order, method["id"]),
        ),
        (*reads, write),
    )


def _new_address(c: Context) -> tuple[dict[str, str], Fact, str]:
    new = address(c.rng)
    fact, text = c.fact(
        "address",
        ADDRESS_CUES,
        (
            "The new address is {address}.",
            "It should be {address}.",
            "Here it is: {address}.",
        ),
        address="{address1}, {address2}, {city}, {state} {zip}, {country}".format(**new),
    )
    return new, fact, text


def change_shipping_address(c: Context) -> Goal | None:
    """Send a pending order elsewhere."""
    if not (own := orders(c, "pending")):
        return None
    order = own[0]
    words, order_fact, reads = name_order(c, order)
    new, fact, text = _new_address(c)
    opening = c.say(
        (
            "{order} should be delivered somewhere else.",
            "I need to change where {order} is shipped to.",
            "Please send {order} to a different address.",
            "I won't be at home, so {order} has to go to another address.",
        ),
        order=words,
    )
    write = action("modify_pending_order_address", order_id=order["order_id"], **new)
    return Goal(
        Request(
            opening=sentence(capitalized(opening), text),
            facts=(order_fact, fact),
            ids=ids_of(order),
        ),
        (*reads, write),
    )


def change_default_address(c: Context) -> Goal | None:
    """Change the address in the customer's profile."""
    if "profile" in c.used:
        return None
    new, fact, text = _new_address(c)
    opening = c.say(
        (
            "I have moved, so please update the address in my profile.",
            "My default address needs to be changed.",
            "Could you put a new default address into my account?",
            "The address in my profile is out of date. Please replace it.",
        )
    )
    c.used.add("profile")
    write = action("modify_user_address", user_id=c.user_id, **new)
    return Goal(Request(opening=sentence(opening, text), facts=(fact,)), (write,))


def return_items(c: Context) -> Goal | None:
    """Return some or all items of a delivered order."""
    if not (own := orders(c, "delivered")):
        return None
    order = own[0]
    methods = c.user["payment_methods"]
    original = order["payment_history"][0]["payment_method_id"]
    allowed = [m for m in methods.values() if m["id"] == original or m["source"] == "gift_card"]
    method = c.rng.choice(allowed)
    items = _some_items(c, order)
    everything = len(items) == len(order["items"])
    words, order_fact, reads = name_order(c, order)
    item_fact, item_text = c.fact(
        "items",
        ITEM_CUES,
        ("All of it.", "Everything in it.", "The whole order.")
        if everything
        else ("The {items}.", "It's about the {items}.", "I mean the {items}."),
        items=enumerate_words(map(describe, items)),
    )
    fact, text = payment_fact(
        c,
        method,
        ("The refund should go to {method}.", "I'd like the money on {method}.", "Use {method}."),
    )
    opening = c.say(
        (
            "I'd like to return something from {order}.",
            "I want to send back what I don't like from {order}.",
            "How about a return? It concerns {order}.",
            "I'm not happy with {order} and want to return things.",
        ),
        order=words,
    )
    write = action(
        "return_delivered_order_items",
        order_id=order["order_id"],
        item_ids=[item["item_id"] for item in items],
        payment_method_id=method["id"],
    )
    return Goal(
        Request(
            opening=sentence(opening, item_text, text),
            facts=(order_fact, item_fact, fact),
            ids=ids_of(order, method["id"]),
        ),
        (*reads, write),
    )


def modify_items(c: Context) -> Goal | None:
    """Replace items of a pending order."""
    return _swap(
        c,
        "pending",
        "modify_pending_order_items",
        (
            "I'd like something different in {order}, which hasn't been sent yet.",
            "I picked the wrong version of something in {order}. Please modify it.",
            "Please change what's in {order}.",
            "Can I still change {order}? I want another version of something.",
        ),
    )


def exchange_items(c: Context) -> Goal | None:
    """Exchange items of a delivered order."""
    return _swap(
        c,
        "delivered",
        "exchange_delivered_order_items",
        (
            "I'd like to exchange something from {order}.",
            "{order} arrived, but I'd rather have another version. Can we swap?",
            "I want to swap part of {order} for something similar.",
            "An exchange, please. It's about {order}.",
        ),
    )


def _swap(c: Context, status: str, tool: str, openings: tuple[str, ...]) -> Goal | None:
    for order in orders(c, status):
        swaps = [(item, w) for item in _some_items(c, order) if (w := _wish(c, order, item))]
        if swaps:
            break
    else:
        return None
    difference = sum(variant["price"] - item["price"] for item, (variant, _) in swaps)
    methods = [
        method
        for method in c.user["payment_methods"].values()
        if method.get("balance", difference) >= difference
    ]
    if not methods:
        return None
    method = c.rng.choice(methods)
    words, order_fact, reads = name_order(c, order)
    item_fact, item_text = c.fact(
        "items",
        ITEM_CUES,
        ("It's the {items}.", "I mean the {items}.", "The {items}."),
        items=enumerate_words(describe(item) for item, _ in swaps),
    )
    # A wish says by itself what it replaces, because it may be told before the items are.
    wish_fact, wish_text = c.fact(
        "wish",
        WISH_CUES,
        ("{wishes}", "What I want: {wishes}", "So: {wishes}"),
        wishes=" ".join(text for _, (_, text) in swaps),
    )
    fact, text = payment_fact(
        c,
        method,
        (
            "Any difference goes on {method}.",
            "Please settle the difference with {method}.",
            "Use {method} for the difference in price.",
        ),
    )
    opening = c.say(openings, order=words)
    write: dict[str, Any] = {
        "order_id": order["order_id"],
        "item_ids": [item["item_id"] for item, _ in swaps],
        "new_item_ids": [variant["item_id"] for _, (variant, _) in swaps],
        "payment_method_id": method["id"],
    }
    products = dict.fromkeys(item["product_id"] for item, _ in swaps)
    looks = tuple(action("get_product_details", product_id=product) for product in products)
    return Goal(
        Request(
            opening=sentence(capitalized(opening), item_text, wish_text, text),
            facts=(order_fact, item_fact, wish_fact, fact),
            ids=ids_of(order, method["id"], *write["new_item_ids"]),
        ),
        (*reads, *looks, action(tool, **write)),
    )


def _some_items(c: Context, order: Record) -> list[Record]:
    """Draw one or two items, or all, that can be told apart in the order."""
    items = [item for item in order["items"] if order["items"].count(item) == 1]
    if not items:
        return list(order["items"])
    if len(items) == len(order["items"]) and c.rng.random() < 0.2:
        return items
    chosen = c.rng.sample(items, min(len(items), c.rng.choice((1, 1, 2))))
    return sorted(chosen, key=order["items"].index)


def _wish(c: Context, order: Record, item: Record) -> tuple[Record, str] | None:
    """Return another available variant and words that single it out, or None.

    A variant that the order has already is left out: replacing A by B and B by C in one call would
    depend on the sequence.
    """
    taken = {line["item_id"] for line in order["items"]}
    name, options = item["name"], item["options"]
    others = [
        variant
        for variant in c.record("products", item["product_id"])["variants"].values()
        if variant["available"] and variant["item_id"] != item["item_id"]
    ]
    by_price = sorted(others, key=lambda variant: variant["price"])
    free = [variant for variant in others if variant["item_id"] not in taken]
    if not free:
        return None
    single = len(by_price) == 1 or by_price[0]["price"] < by_price[1]["price"]
    if c.rng.random() < 0.25 and single and by_price[0] in free:
        return by_price[0], f"Instead of the {describe(item)} I want {_cheapest(c, name)}."
    variant = c.rng.choice(free)
    changed = [key for key in options if variant["options"][key] != options[key]]
    wanted = enumerate_words(f"{key} {variant['options'][key]}" for key in changed)
    same = "" if len(changed) == len(options) else ", everything else the same"
    return variant, f"Instead of the {describe(item)} I want one with {wanted}{same}."


def _cheapest(c: Context, name: str) -> str:
    return c.say(
        (
            "the cheapest other {name} that is available",
            "whichever other available {name} costs least",
            "another {name}, the least expensive that you can deliver",
        ),
        name=name,
    )
