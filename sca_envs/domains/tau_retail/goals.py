"""What a generated customer can want: the pieces that every goal is built of.

A goal becomes a request of the scripted user, a part of the prose instruction and a part of the
reference solution at once, so that the three never disagree.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sca_envs.core.database import Database, Record
from sca_envs.core.task import Fact, ReferenceAction, Request
from sca_envs.domains.tau_retail.personas import Persona

ORDER_CUES = (
    r"which order",
    r"what order",
    r"order(?:'s)? ?(?:id|number|#|no\b)",
    r"(?:id|number) of (?:the|your) order",
)
ITEM_CUES = (r"(?:which|what) (?:of the )?(?:items?|products?|things?)", r"items? (?:would|do|to)")
WISH_CUES = (
    r"(?:which|what) (?:new |other )?(?:variant|version|option|color|size|model|one|kind)",
    r"\boptions?\b",
    r"instead",
    r"replace",
    r"new items?",
    r"prefer",
    r"\bfor what\b",
)
PAYMENT_CUES = (
    r"payment",
    r"refund(?:ed)? (?:to|go)",
    r"paypal",
    r"gift card",
    r"credit card",
    r"(?:pay|paid|charge|bill)",
    r"price difference",
)
REASON_CUES = (r"reason", r"\bwhy\b", r"no longer need", r"by mistake")
ADDRESS_CUES = (r"(?<!mail )\baddress\b", r"where (?:to|should|do)", r"street")


@dataclass(frozen=True)
class Goal:
    """One thing that a customer wants, in all its forms."""

    request: Request
    actions: tuple[ReferenceAction, ...]
    """Reference solution after authentication."""
    outputs: tuple[str, ...] = ()
    """What the agent must say."""


@dataclass
class Context:
    """One customer, and the database as the goals so far leave it."""

    rng: random.Random
    db: Database
    user_id: str
    persona: Persona
    used: set[str] = field(default_factory=set)
    """Ids of orders that a goal is about already."""

    @property
    def user(self) -> Record:
        """The customer's record."""
        user = self.db.get("users", self.user_id)
        assert user is not None
        return user

    def orders(self, *statuses: str) -> list[Record]:
        """Return the customer's orders in some statuses that no goal is about, shuffled."""
        orders = [self.order(order_id) for order_id in self.user["orders"]]
        found = [o for o in orders if o["status"] in statuses and o["order_id"] not in self.used]
        self.rng.shuffle(found)
        return found

    def order(self, order_id: str) -> Record:
        """Return an order's record."""
        order = self.db.get("orders", order_id)
        assert order is not None
        return order

    def product(self, product_id: str) -> Record:
        """Return a product type's record."""
        product = self.db.get("products", product_id)
        assert product is not None
        return product

    def tells(self) -> bool:
        """Draw whether the customer tells a detail unasked."""
        return self.rng.random() < self.persona.openness

    def say(self, wordings: Sequence[str], **slots: str) -> str:
        """Draw a wording and fill it in."""
        return self.rng.choice(wordings).format(**slots)

    def fact(
        self, key: str, cues: tuple[str, ...], wordings: Sequence[str], **slots: str
    ) -> tuple[Fact, str]:
        """Return a fact, and its text if the customer tells it unasked."""
        text, given = self.say(wordings, **slots), self.tells()
        return Fact(key=key, cues=cues, text=text, given=given), text if given else ""


def action(name: str, **arguments: Any) -> ReferenceAction:
    """Return a reference action."""
    return ReferenceAction(name=name, arguments=arguments)


def sentence(*parts: str) -> str:
    """Join the parts of an opening, leaving out empty ones."""
    return " ".join(part for part in parts if part)


def money(amount: float) -> str | None:
    """Return an amount as an agent must say it, or None if it could be said in two ways.

    ``12.5`` might be said as 12.5 or 12.50, and a whole number is part of too many others.
    """
    text = f"{amount:.2f}"
    return None if text.endswith("0") else text


# Naming things


def describe(item: Record) -> str:
    """Return an item as a customer names it."""
    return f"{item['name']} ({', '.join(item['options'].values())})"


def enumerate_words(words: Iterable[str]) -> str:
    """Return ``a, b and c``."""
    *head, last = words
    return f"{', '.join(head)} and {last}" if head else last


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
        for item in c.order(order_id)["items"]
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
