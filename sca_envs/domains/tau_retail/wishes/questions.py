"""Wishes to know something."""

from __future__ import annotations

from sca_envs.core.database import Record
from sca_envs.core.wishes import Customer, DeadEnd, Term, Wish
from sca_envs.domains.tau_retail.wishes.items import (
    describe,
    describe_options,
    find_item,
    find_variant,
    single_items,
)
from sca_envs.domains.tau_retail.wishes.pieces import (
    ANY,
    SHIPPED,
    NamedOrder,
    all_orders,
    amount,
    look_up,
    name_order,
    orders,
    paid_once,
    price,
    use_profile,
)


def tracking_number(order: Term) -> Term:
    """Return the tracking number of an order that was sent in one piece."""
    return order["fulfillments"][0]["tracking_id"][0]


def was_sent_whole(order: Record) -> bool:
    """Return whether an order has exactly one tracking number."""
    numbers = [number for part in order["fulfillments"] for number in part["tracking_id"]]
    return order["status"] in SHIPPED and len(numbers) == 1


def asks_of_order(order: NamedOrder) -> dict[str, Term]:
    """Return what a customer may want to know of any order."""
    details, items = order.details, order.details["items"]
    asks = {
        "how many items {again} has": items.length(),
        "the price of the most expensive item of {again}": items.highest(price),
        "the price of the cheapest item of {again}": items.lowest(price),
        "the average price of the items of {again}": round(items.total(price) / items.length(), 2),
        "the first line of the address that {again} goes to": details["address"]["address1"],
        "the city that {again} goes to": details["address"]["city"],
    }
    if paid_once(order.record):
        asks["what I paid for {again}"] = amount(details)
    return asks


def ask_tracking_number(c: Customer) -> Wish:
    """Ask for the tracking number of an order that was sent."""
    order = name_order(c, c.pick(filter(was_sent_whole, orders(c, *SHIPPED))))
    return c.wish(
        asks={"the tracking number of {order}": tracking_number(order.details)},
        question=True,
        order=order.words,
    )


def ask_amount(c: Customer) -> Wish:
    """Ask what an order cost."""
    order = name_order(c, c.pick(filter(paid_once, orders(c, *ANY))))
    return c.wish(
        asks={"what I paid for {order}": amount(order.details)},
        question=True,
        order=order.words,
    )


def ask_about_order(c: Customer) -> Wish:
    """Ask for something that an order says."""
    order = name_order(c, c.pick(orders(c, *ANY)))
    return c.wish(asks_of_order(order), question=True, opening="question", again=order.words)


def ask_price_of_item(c: Customer) -> Wish:
    """Ask what one item of an order cost, or what the others did."""
    several = [o for o in orders(c, *ANY) if len(o["items"]) > 1 and single_items(o)]
    bought = c.pick(several)
    record = c.pick(single_items(bought))
    order = name_order(c, bought, besides=record["name"])
    item, items = find_item(c, order, record), order.details["items"]
    return c.wish(
        asks={
            "what the {item} in {order} cost": price(item),
            "what all items of {order} but the {item} cost together": round(
                items.total(price) - price(item), 2
            ),
        },
        question=True,
        opening="question",
        order=order.words,
        item=describe(record),
    )


def compare_orders(c: Customer) -> Wish:
    """Ask for something of two or three orders together."""
    own = [order for order in orders(c, *ANY) if paid_once(order)]
    if len(own) < 2:
        raise DeadEnd
    keys = [order["order_id"] for order in own[: c.rng.choice((2, 2, 3))]]
    found = Term.of([c.call("get_order_details", order_id=c.given(key)) for key in keys])
    c.use(*keys)
    return c.wish(
        asks={
            "what orders {ids} cost together": found.total(amount),
            "how much the most expensive of orders {ids} cost": found.highest(amount),
            "how much the cheapest of orders {ids} cost": found.lowest(amount),
            "by how much the most expensive of orders {ids} cost more than the cheapest of them": (
                round(found.highest(amount) - found.lowest(amount), 2)
            ),
            "how many items orders {ids} have together": found.total(
                lambda order: order["items"].length()
            ),
        },
        question=True,
        opening="question",
        ids=" and ".join((", ".join(keys[:-1]), keys[-1])),
    )


def ask_orders_in_status(c: Customer) -> Wish:
    """Ask what all orders in some status cost together."""
    own = all_orders(c)
    keys = [order["order_id"] for order in own]
    if c.used.intersection(keys) or not all(map(paid_once, own)):
        raise DeadEnd
    statuses = [order["status"] for order in own]
    status = c.pick(one for one in statuses if statuses.count(one) > 1)
    found = look_up(c, len(own)).where(lambda order: order["status"] == status)
    costs = [order["payment_history"][0]["amount"] for order in own if order["status"] == status]
    c.call("calculate", expression=" + ".join(f"{cost:.2f}" for cost in costs))
    c.use(*keys)
    return c.wish(
        asks={
            "what all my {status} orders cost together": found.total(amount),
            "how much the most expensive of my {status} orders cost": found.highest(amount),
            "how many items there are in all my {status} orders together": found.total(
                lambda order: order["items"].length()
            ),
        },
        question=True,
        opening="question",
        status=status,
    )


def ask_profile(c: Customer) -> Wish:
    """Ask for something that the profile says."""
    use_profile(c)
    profile, own = c.profile, c.record("users", c.key)["payment_methods"]
    cards = [key for key, method in own.items() if method["source"] == "gift_card"]
    c.use(*cards)
    asks = {
        "how many orders my profile lists": profile["orders"].length(),
        "how many payment methods I have with you": profile["payment_methods"].length(),
        "the first line of my default address": profile["address"]["address1"],
        "the second line of my default address": profile["address"]["address2"],
    }
    if c.record("users", c.key)["orders"]:
        asks["the id of my latest order, the last one in my profile"] = profile["orders"][-1]
    if cards:
        words = "what is left on my gift card" + ("s in all" if len(cards) > 1 else "")
        balances = profile["payment_methods"].values().total(lambda one: one.get("balance", 0))
        asks = {words: balances, **dict(c.rng.sample(list(asks.items()), 2))}
    return c.wish(asks, question=True, opening="question")


def ask_product(c: Customer) -> Wish:
    """Ask about the variants of a product type."""
    record = c.record("products", c.pick(c.db.base.keys("products")))
    variants = list(record["variants"].values())
    variant = c.pick(variants)
    key, value = c.pick(variant["options"].items() or [("", "")])
    types = c.call("list_all_product_types", as_="types")
    other = c.record("products", c.pick(c.db.base.keys("products")))
    name = c.given(record["name"], [other["name"]])
    key_of_product = types[name].assume(record["product_id"])
    product = c.call("get_product_details", product_id=key_of_product)
    shown = product["variants"].values()
    available = shown.where(lambda one: one["available"])
    with_option = shown.where(lambda one: one["options"].get(key) == value)
    asks = {
        "the lowest price of any {name} that is available": available.lowest(price),
        "the highest price of any {name} that is available": available.highest(price),
        "the price of the cheapest {name} with {option}, available or not": with_option.lowest(
            price
        ),
        "how many variants of the {name} are available": available.length(),
        "how many variants of the {name} are sold out": shown.where(
            lambda one: ~one["available"]
        ).length(),
        "how many variants of the {name} with {option} there are, available or not": (
            with_option.length()
        ),
    }
    if [other["options"] for other in variants].count(variant["options"]) == 1:
        wanted = find_variant(c, shown, variant, variants)
        asks["the item id of the {item}"] = wanted["item_id"]
    costs = [other["price"] for other in variants if other["available"]]
    if not costs:
        raise DeadEnd
    if costs.count(min(costs)) == 1:
        asks["the item id of the cheapest {name} that is available"] = available.smallest_by(price)[
            "item_id"
        ]
    return c.wish(
        asks,
        question=True,
        name=record["name"],
        option=f"{key} {value}",
        item=describe({"name": record["name"], "options": variant["options"]}),
    )


def ask_price_now(c: Customer) -> Wish:
    """Ask what an item that was bought costs now in another variant."""
    bought = c.pick(order for order in orders(c, *ANY) if single_items(order))
    record = c.pick(single_items(bought))
    variants = c.record("products", record["product_id"])["variants"]
    other = c.pick(v for v in variants.values() if v["options"] != record["options"])
    if [v["options"] for v in variants.values()].count(other["options"]) > 1:
        raise DeadEnd
    order = name_order(c, bought, besides=record["name"])
    item = find_item(c, order, record)
    product = c.call("get_product_details", product_id=item["product_id"])
    shown = product["variants"].values()
    available = shown.where(lambda one: one["available"])
    wanted = find_variant(c, shown, other, list(variants.values()))
    return c.wish(
        asks={
            "the price of the same {name} as in {order}, but with {options}": price(wanted),
            "the lowest price of the {name} in {order} now, in whatever variant": available.lowest(
                price
            ),
            "how many other variants of the {name} in {order} are available": available.where(
                lambda one: one["item_id"] != item["item_id"]
            ).length(),
        },
        question=True,
        opening="question",
        order=order.words,
        name=record["name"],
        options=describe_options(other),
    )
