"""Pieces of a retail customer's wishes: how orders, items and payment methods are named."""

from __future__ import annotations

from typing import Any

from sca_envs.core.database import Record
from sca_envs.core.wishes import Customer, DeadEnd, Term
from sca_envs.domains.tau.people import address

SHIPPED = ("processed", "delivered")
PAID_BY = "payment_method_id"


def identify(c: Customer) -> None:
    """Tell name, zip code and perhaps e-mail address; the agent looks the profile up."""
    user = c.record("users", c.key)
    person = {**user["name"], "zip": user["address"]["zip"]}
    c.tell("name", **person)
    if c.rng.random() < 0.5:
        mail = c.tell("email", user["email"])
        user_id = c.call("find_user_id_by_email", as_="user_id", email=mail)
    else:
        c.tell("no_email")
        user_id = c.call("find_user_id_by_name_zip", as_="user_id", **person)
    if user_id.value != c.key:  # another customer of that name comes first
        raise DeadEnd
    c.profile = c.call("get_user_details", as_="user", user_id=user_id)


def orders(c: Customer, *statuses: str) -> list[Record]:
    """Return the customer's orders in some statuses that no wish is about, shuffled."""
    own = c.records("orders", c.record("users", c.key)["orders"])
    return [order for order in own if order["status"] in statuses]


def all_orders(c: Customer) -> list[Record]:
    """Return the customer's orders, in the profile's order."""
    return [c.record("orders", key) for key in c.record("users", c.key)["orders"]]


def find_order(c: Customer, order: Record) -> tuple[Term, str]:
    """Look an order up as the customer names it: by its number, or by what only it has in it.

    Returns:
        The order as a tool shows it, and the words for it in the opening.
    """
    key = order["order_id"]
    c.about(order["order_id"], order["items"], paid_with(order))
    own = c.profile["orders"]
    others = [o for o in all_orders(c) if o["order_id"] != key]
    telling = {i["name"] for i in order["items"]} - {i["name"] for o in others for i in o["items"]}
    if telling and c.rng.random() < 0.4:
        item = c.pick(sorted(telling))
        _, words = c.name("order", item, f"my order with the {item}", wording="order_by_item")
        place = own.value.index(key)
        looked = [c.call("get_order_details", as_="order", order_id=own[i])
                  for i in range(place + 1)]  # fmt: skip
        return looked[place], words
    alike = [o["order_id"] for o in others if o["status"] == order["status"]]
    alike += [o["order_id"] for o in others if o["status"] != order["status"]]
    number, words = c.name("order", key, f"order {key}", confusable=alike)
    return c.call("get_order_details", as_="order", order_id=number), words


def describe(item: Record) -> str:
    """Return an item as a customer names it."""
    return f"{item['name']} ({', '.join(item['options'].values())})"


def name_method(method: Record) -> str:
    """Return a payment method as its owner names it."""
    match method["source"]:
        case "credit_card":
            return f"my {method['brand']} ending in {method['last_four']}"
        case "gift_card":
            return "my gift card"
        case _:
            return "my PayPal account"


def methods(c: Customer) -> list[Record]:
    """Return the customer's payment methods."""
    return list(c.record("users", c.key)["payment_methods"].values())


def tell_method(c: Customer, method: Record, wording: str = "payment") -> Term:
    """Let the customer know which payment method to use; return its id, found in the profile."""
    others = [other["id"] for other in methods(c) if other["id"] != method["id"]]
    c.about(method["id"])
    return c.tell(
        "payment", method["id"], wording=wording, confusable=others, method=name_method(method)
    )


def paid_with(order: Record) -> str:
    """Return the id of the payment method that an order was paid with."""
    method: str = order["payment_history"][0]["payment_method_id"]
    return method


def tell_address(c: Customer) -> dict[str, Any]:
    """Let the customer know a new address; return it as arguments."""
    new = address(c.rng)
    written = "{address1}, {address2}, {city}, {state} {zip}, {country}".format(**new)
    c.tell("address", new, written=written)
    home: dict[str, Any] = c.record("users", c.key)["address"]
    return {key: c.given(value, [home[key]]) for key, value in new.items()}
