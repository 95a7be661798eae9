"""Pieces of a retail customer's goals: how orders, items and payment methods are named."""

from __future__ import annotations

from collections.abc import Sequence

from sca_envs.core.database import Record
from sca_envs.core.task import Fact, ReferenceAction
from sca_envs.domains.tau.goals import PAYMENT_CUES, Context, action

ORDER_CUES = (
    r"which order",
    r"what order",
    r"order(?:'s)? ?(?:id|number|#|no\b)",
    r"(?:id|number) of (?:the|your) order",
    r"which (?:one|of (?:them|these|those|your orders))",
)
ITEM_CUES = (
    r"(?:which|what) (?:of the )?(?:items?|products?|things?)",
    r"items? (?:would|do|to)",
    r"what (?:exactly )?(?:would|do) you (?:like|want) to (?:return|exchange|change|modify|swap)",
)
WISH_CUES = (
    r"(?:which|what) (?:new |other )?(?:variant|version|option|color|size|model|one|kind)",
    r"\boptions?\b",
    r"instead",
    r"replace",
    r"new items?",
    r"prefer",
    r"\bfor what\b",
)
ADDRESS_CUES = (r"(?<!mail )\baddress\b", r"where (?:to|should|do)", r"street")


def orders(c: Context, *statuses: str) -> list[Record]:
    """Return the customer's orders in some statuses that no goal is about, shuffled."""
    own = [c.record("orders", order_id) for order_id in c.user["orders"]]
    found = [o for o in own if o["status"] in statuses and o["order_id"] not in c.used]
    c.rng.shuffle(found)
    return found


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


def name_order(c: Context, order: Record) -> tuple[str, Fact, tuple[ReferenceAction, ...]]:
    """Return how the opening names an order, the fact of which it is, and how to look it up.

    Half of the customers who could be understood without the number do not know it.
    """
    order_id = order["order_id"]
    unique = _telling_item(c, order)
    if unique is not None and c.rng.random() < 0.4:
        words = c.say(("the order with the {item}", "the one with the {item} in it"), item=unique)
        text = c.say(
            (
                "I don't have the number. It is {words}.",
                "No idea about the number, but it's {words}.",
                "I can only tell you that it is {words}.",
            ),
            words=words,
        )
        known = f"my order with the {unique}"
        looked_up = c.user["orders"][: c.user["orders"].index(order_id) + 1]
    else:
        text = c.say(
            ("It is order {id}.", "The order number is {id}.", "That would be {id}."), id=order_id
        )
        known = f"order {order_id}"
        looked_up = [order_id]
    given = c.tells()
    vague = c.rng.choice(("one of my orders", "an order of mine", "an order I placed"))
    fact = Fact(key="order", cues=ORDER_CUES, text=text, given=given)
    reads = tuple(action("get_order_details", order_id=read) for read in looked_up)
    return known if given else vague, fact, reads


def _telling_item(c: Context, order: Record) -> str | None:
    """Return the name of a product that only one of the customer's orders has."""
    others = {
        item["name"]
        for order_id in c.user["orders"]
        if order_id != order["order_id"]
        for item in c.record("orders", order_id)["items"]
    }
    names = sorted({item["name"] for item in order["items"]} - others)
    return c.rng.choice(names) if names else None


def payment_fact(c: Context, method: Record, wordings: Sequence[str]) -> tuple[Fact, str]:
    """Return the fact of which payment method the customer wants."""
    return c.fact("payment", PAYMENT_CUES, wordings, method=name_method(method))


def ids_of(order: Record, *more: str) -> tuple[str, ...]:
    """Return the ids that an agent may name when it asks for confirmation."""
    own = [order["order_id"], order["payment_history"][0]["payment_method_id"]]
    for item in order["items"]:
        own += [item["item_id"], item["product_id"]]
    return tuple(dict.fromkeys((*own, *more)))
