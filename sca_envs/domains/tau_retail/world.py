"""Makes a retail database from a seed: the original's schema and size, our own names and products.

Numbers of records, statuses, payments and variants follow what was counted in tau-bench's data.
"""

from __future__ import annotations

import itertools
import random
from typing import Any

from sca_envs.core.database import Record
from sca_envs.domains.tau.people import FIRST_NAMES, LAST_NAMES, address
from sca_envs.domains.tau_retail.catalog import PRODUCT_TYPES, ProductType

USERS = 500
ORDERS = 1000
_STATUSES = ("pending", "delivered", "processed", "cancelled")
_STATUS_WEIGHTS = (423, 373, 102, 102)
_AVAILABLE = 0.64
_MOVED = 0.2
"""Share of the orders that go to another address than their customer's."""


def build(seed: int) -> dict[str, dict[str, Record]]:
    """Return the tables `users`, `products` and `orders`.

    Args:
        seed: Two calls with the same seed return equal tables, on every machine.
    """
    rng = random.Random(f"tau_retail world {seed}")
    ids = _Ids(rng)
    products = dict(_product(rng, ids, kind) for kind in PRODUCT_TYPES)
    users: dict[str, Record] = {}
    people: set[tuple[str, str, str]] = set()
    while len(users) < USERS:
        key, user = _user(rng, ids)
        person = (user["name"]["first_name"], user["name"]["last_name"], user["address"]["zip"])
        if key not in users and person not in people:
            people.add(person)
            users[key] = user
    # Everybody has an order; the others fall where they fall.
    customers = list(users)
    customers += rng.choices(customers, k=ORDERS - USERS)
    rng.shuffle(customers)
    orders = {}
    for user_id in customers:
        order = _order(rng, ids, user_id, users[user_id], list(products.values()))
        orders[order["order_id"]] = order
        users[user_id]["orders"].append(order["order_id"])
    return {"users": users, "products": products, "orders": orders}


class _Ids:
    """Draws random numbers of a fixed length, never the same twice."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._used: set[str] = set()

    def draw(self, digits: int) -> str:
        while True:
            number = str(self._rng.randrange(10 ** (digits - 1), 10**digits))
            if number not in self._used:
                self._used.add(number)
                return number


def _product(rng: random.Random, ids: _Ids, kind: ProductType) -> tuple[str, Record]:
    combinations = list(itertools.product(*kind.options.values()))
    chosen = rng.sample(combinations, rng.randint(5, min(20, len(combinations))))
    low, high = kind.price
    middle = rng.uniform(low, high)
    variants = {}
    for values in chosen:
        item_id = ids.draw(10)
        variants[item_id] = {
            "item_id": item_id,
            "options": dict(zip(kind.options, values, strict=True)),
            "available": rng.random() < _AVAILABLE,
            "price": round(min(high, max(low, rng.gauss(middle, (high - low) / 8))), 2),
        }
    for variant in rng.sample(list(variants.values()), 2):
        variant["available"] = True
    product_id = ids.draw(10)
    return product_id, {"name": kind.name, "product_id": product_id, "variants": variants}


def _user(rng: random.Random, ids: _Ids) -> tuple[str, Record]:
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    number = rng.randrange(1000, 10000)
    methods = [_payment_method(rng, ids) for _ in range(rng.choices((1, 2, 3), (50, 38, 12))[0])]
    # At most one PayPal account and gift card each, so that "my gift card" says which.
    payment_methods: dict[str, Record] = {}
    for method in methods:
        if method["source"] == "credit_card" or all(
            other["source"] != method["source"] for other in payment_methods.values()
        ):
            payment_methods[method["id"]] = method
    return f"{first}_{last}_{number}".lower(), {
        "name": {"first_name": first, "last_name": last},
        "address": address(rng),
        "email": f"{first}.{last}{rng.randrange(1000, 10000)}@example.com".lower(),
        "payment_methods": payment_methods,
        "orders": [],
    }


def _payment_method(rng: random.Random, ids: _Ids) -> dict[str, Any]:
    source = rng.choice(("credit_card", "gift_card", "paypal"))
    method: dict[str, Any] = {"source": source}
    if source == "credit_card":
        method["brand"] = rng.choice(("mastercard", "visa"))
        method["last_four"] = str(rng.randrange(1000, 10000))
    if source == "gift_card":
        method["balance"] = round(rng.uniform(1, 100), 2)
    method["id"] = f"{source}_{ids.draw(7)}"
    return method


def _order(
    rng: random.Random, ids: _Ids, user_id: str, user: Record, products: list[Record]
) -> Record:
    items = []
    for product in rng.choices(products, k=rng.randint(1, 5)):
        variant = rng.choice(list(product["variants"].values()))
        items.append(
            {
                "name": product["name"],
                "product_id": product["product_id"],
                "item_id": variant["item_id"],
                "price": variant["price"],
                "options": dict(variant["options"]),
            }
        )
    status = rng.choices(_STATUSES, _STATUS_WEIGHTS)[0]
    payment = {
        "transaction_type": "payment",
        "amount": round(sum(item["price"] for item in items), 2),
        "payment_method_id": rng.choice(list(user["payment_methods"])),
    }
    history = [payment]
    if status == "cancelled":
        history.append({**payment, "transaction_type": "refund"})
    shipped = {"tracking_id": [ids.draw(12)], "item_ids": [item["item_id"] for item in items]}
    return {
        "order_id": f"#W{ids.draw(7)}",
        "user_id": user_id,
        "address": address(rng) if rng.random() < _MOVED else dict(user["address"]),
        "items": items,
        "fulfillments": [] if status == "pending" else [shipped],
        "status": status,
        "payment_history": history,
    }
