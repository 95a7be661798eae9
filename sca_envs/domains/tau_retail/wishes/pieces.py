"""Pieces of a retail customer's wishes: how orders, addresses and payment methods are named."""

from __future__ import annotations

from typing import Any, NamedTuple

from sca_envs.core.database import Record
from sca_envs.core.wishes import Customer, DeadEnd, Term
from sca_envs.domains.tau.people import address

ANY = ("pending", "processed", "delivered", "cancelled")
"""The statuses of orders that nothing was changed about yet."""
SHIPPED = ("processed", "delivered")
_KNOWS_MAIL, _BY_ITEM, _AS_PAID = 0.6, 0.4, 0.5
"""How often customers know their e-mail address, name an order by what only it has in it, and name
its payment method as the one that they paid with."""
_AGAIN = "that order"
"""What the customer calls an order after having been vague about it."""


def identify(c: Customer) -> None:
    """Tell name, zip code and perhaps e-mail address; the agent looks the profile up."""
    user = c.record("users", c.key)
    person = {**user["name"], "zip": user["address"]["zip"]}
    c.tell("name", person, **person)
    if c.rng.random() < _KNOWS_MAIL:
        mail = c.tell("email", user["email"])
        c.id = c.call("find_user_id_by_email", as_="user_id", email=mail)
    else:
        c.tell("no_email")
        c.id = c.call("find_user_id_by_name_zip", as_="user_id", **person)
    if c.id.value != c.key:  # another customer of that name comes first
        raise DeadEnd
    c.profile = c.call("get_user_details", as_="user", user_id=c.id)


# Orders


class NamedOrder(NamedTuple):
    """An order, as the customer names it and as the agent finds it."""

    record: Record
    details: Term
    """What the tool shows of it."""
    id: Term
    words: str
    """What the opening calls it."""
    again: str
    """What it calls it when it comes back to it."""


def all_orders(c: Customer) -> list[Record]:
    """Return the customer's orders, in the profile's order."""
    return [c.record("orders", key) for key in c.record("users", c.key)["orders"]]


def orders(c: Customer, *statuses: str) -> list[Record]:
    """Return the customer's orders in some statuses that no wish touches, shuffled."""
    own = c.records("orders", c.record("users", c.key)["orders"])
    return [o for o in own if o["status"] in statuses and paid_with(o) not in c.used]


def name_order(c: Customer, order: Record, *, besides: str = "") -> NamedOrder:
    """Let the customer name an order: by its number, or by what only it has in it.

    Args:
        c: The customer.
        order: The order.
        besides: An item that the wish names anyway, and the order had better not be named by.
    """
    key, others = order["order_id"], all_orders(c)
    c.about(key, paid_with(order))
    for item in order["items"]:
        c.about(item["item_id"], item["product_id"])
    others.remove(order)
    if c.rng.random() < _BY_ITEM and (telling := _names(order) - _names(*others) - {besides}):
        return _name_by_item(c, order, c.pick(sorted(telling)))
    alike = sorted(others, key=lambda other: other["status"] != order["status"])
    known = c.say("known_order", id=key)
    number, words = c.name(
        "order",
        key,
        known,
        confusable=[other["order_id"] for other in alike],
        id=key,
    )
    details = c.call("get_order_details", order_id=number)
    return NamedOrder(order, details, number, words, known if words == known else _AGAIN)


def _names(*orders: Record) -> set[str]:
    return {item["name"] for order in orders for item in order["items"]}


def _name_by_item(c: Customer, order: Record, item: str) -> NamedOrder:
    earlier = all_orders(c)
    del earlier[earlier.index(order) :]
    known = c.say("known_order_by_item", item=item)
    name, words = c.name(
        "order",
        item,
        known,
        wording="order_by_item",
        confusable=sorted(_names(*earlier)),
        item=item,
    )
    candidates = look_up(c, len(earlier) + 1)
    found = candidates.first(
        lambda order: order["items"].each(lambda item: item["name"]).contains(name)
    )
    details = c.let("order", found.assume(order))
    again = known if words == known else _AGAIN
    return NamedOrder(order, details, details["order_id"], words, again)


def look_up(c: Customer, count: int) -> Term:
    """Look up the first orders of the profile; return them as one list."""
    keys = [c.profile["orders"][number] for number in range(count)]
    return Term.of([c.call("get_order_details", as_="candidate", order_id=key) for key in keys])


def paid_with(order: Record) -> str:
    """Return the id of the payment method that an order was paid with."""
    method: str = order["payment_history"][0]["payment_method_id"]
    return method


def paid_once(order: Record) -> bool:
    """Return whether an order has one price, which no change has altered."""
    kinds = [entry["transaction_type"] for entry in order["payment_history"]]
    return order["status"] in ANY and kinds.count("payment") == 1


def amount(order: Term) -> Term:
    """Return what was paid for an order."""
    return order["payment_history"][0]["amount"]


def price(item: Term) -> Term:
    """Return the price of an item or variant."""
    return item["price"]


# Payment methods


def methods(c: Customer) -> list[Record]:
    """Return the customer's payment methods whose balance no wish is about."""
    own = c.record("users", c.key)["payment_methods"]
    return [method for key, method in own.items() if key not in c.used]


def name_method(method: Record) -> str:
    """Return a payment method as its owner names it."""
    match method["source"]:
        case "credit_card":
            return f"my {method['brand']} ending in {method['last_four']}"
        case "gift_card":
            return "my gift card"
        case _:
            return "my PayPal account"


def find_method(c: Customer, method: Record) -> Term:
    """Return a payment method of the profile, found as its owner names it.

    Raises:
        DeadEnd: If the name fits another one, too.
    """
    c.about(method["id"])
    key = "last_four" if method["source"] == "credit_card" else "source"
    own = c.record("users", c.key)["payment_methods"].values()
    values = [other[key] for other in own if key in other]
    if values.count(method[key]) > 1:
        raise DeadEnd
    named = c.given(method[key], values)
    return (
        c.profile["payment_methods"]
        .values()
        .first(lambda one: one.get(key) == named)
        .assume(method)
    )


def tell_method(c: Customer, order: NamedOrder, method: Record, wording: str) -> Term:
    """Let the customer know which payment method to use for an order; return its id."""
    if method["id"] == paid_with(order.record) and c.rng.random() < _AS_PAID:
        c.tell("payment", method["id"], wording=f"{wording}_as_paid")
        return order.details["payment_history"][0]["payment_method_id"]
    c.tell("payment", method["id"], wording=wording, method=name_method(method))
    return find_method(c, method)["id"]


# Addresses and the profile


def tell_address(c: Customer, *, given: bool | None = None) -> tuple[dict[str, Any], str]:
    """Let the customer know a new address; return it as arguments and in words."""
    home: dict[str, Any] = c.record("users", c.key)["address"]
    new = address(c.rng)
    written = "{address1}, {address2}, {city}, {state} {zip}, {country}".format(**new)
    c.tell("address", new, given=given, written=written)
    return {key: c.given(value, [home[key]]) for key, value in new.items()}, written


def use_profile(c: Customer) -> None:
    """Note that a wish is about the profile.

    Raises:
        DeadEnd: If another one was, or changed it.
    """
    if "profile" in c.used or c.profile.value != c.record("users", c.key):
        raise DeadEnd
    c.use("profile")
