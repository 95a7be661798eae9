"""Goals that change nothing: questions, and requests that the policy forbids.

A forbidden request always comes with a question to fall back on. What the agent must say then tells
a refusal from doing nothing.
"""

from __future__ import annotations

from sca_envs.core.database import Record
from sca_envs.core.task import Fact
from sca_envs.domains.tau.goals import (
    REASON_CUES,
    Context,
    Goal,
    action,
    capitalized,
    money,
    question,
    sentence,
)
from sca_envs.domains.tau_retail.goals import describe, ids_of, name_method, name_order, orders

_SHIPPED = ("processed", "delivered")


def _tracking_number(order: Record) -> str:
    number: str = order["fulfillments"][0]["tracking_id"][0]
    return number


# Questions


def ask_tracking_number(c: Context) -> Goal | None:
    """Ask for the tracking number of an order that was sent."""
    if not (own := orders(c, *_SHIPPED)):
        return None
    order = own[0]
    words, fact, reads = name_order(c, order)
    opening = c.say(
        (
            "What is the tracking number of {order}?",
            "I need the tracking number for {order}.",
            "Could you look up the number to track {order} with?",
            "Where can I follow {order}? Give me the tracking number, please.",
        ),
        order=words,
    )
    return question(opening, _tracking_number(order), reads, fact, ids=ids_of(order))


def ask_amount(c: Context) -> Goal | None:
    """Ask what an order cost."""
    for order in orders(c, "pending", "processed", "delivered", "cancelled"):
        amount = money(order["payment_history"][0]["amount"])
        if amount and len(order["payment_history"]) <= 2:
            break
    else:
        return None
    words, fact, reads = name_order(c, order)
    opening = c.say(
        (
            "How much did I pay for {order}?",
            "I'd like to know the total of {order}.",
            "What did {order} cost me in all?",
            "For my bookkeeping: what was the full amount of {order}?",
        ),
        order=words,
    )
    return question(opening, amount, reads, fact, ids=ids_of(order))


def ask_pending_total(c: Context) -> Goal | None:
    """Ask what all pending orders cost together."""
    own = [c.record("orders", order_id) for order_id in c.user["orders"]]
    pending = [order for order in own if "pending" in order["status"]]
    if len(pending) < 2 or any(order["order_id"] in c.used for order in pending):
        return None
    amounts = [order["payment_history"][0]["amount"] for order in pending]
    total = money(sum(amounts))
    if total is None:
        return None
    c.used.update(order["order_id"] for order in pending)
    opening = c.say(
        (
            "How much are my pending orders together?",
            "I've lost track: what do all the orders of mine that are still pending add up to?",
            "Please add up the totals of my pending orders.",
            "What's the sum of everything I have pending with you?",
        )
    )
    reads = tuple(action("get_order_details", order_id=order_id) for order_id in c.user["orders"])
    added = action("calculate", expression=" + ".join(f"{amount:.2f}" for amount in amounts))
    return question(opening, total, (*reads, added))


def ask_cheapest(c: Context) -> Goal | None:
    """Ask for the lowest price of a product type that can be delivered."""
    product = c.rng.choice(list(c.db.items("products")))[1]
    prices = [v["price"] for v in product["variants"].values() if v["available"]]
    lowest = money(min(prices))
    if lowest is None:
        return None
    opening = c.say(
        (
            "What's the lowest price of a {name} that you have available?",
            "I'm thinking of a {name}. How much is the cheapest one that's available?",
            "Which price does your least expensive available {name} have?",
            "How little can I spend on a {name} that is available?",
        ),
        name=product["name"],
    )
    reads = (
        action("list_all_product_types"),
        action("get_product_details", product_id=product["product_id"]),
    )
    return question(opening, lowest, reads)


def ask_item_id(c: Context) -> Goal | None:
    """Ask for the item id of a variant."""
    product = c.rng.choice(list(c.db.items("products")))[1]
    variant = c.rng.choice(list(product["variants"].values()))
    opening = c.say(
        (
            "What is the item id of the {item}?",
            "I need the item number of the {item} for a colleague.",
            "Could you tell me which item id the {item} has?",
            "A friend wants the {item}. What's its item id?",
        ),
        item=describe({"name": product["name"], "options": variant["options"]}),
    )
    reads = (
        action("list_all_product_types"),
        action("get_product_details", product_id=product["product_id"]),
    )
    return question(opening, variant["item_id"], reads)


def ask_balance(c: Context) -> Goal | None:
    """Ask what is left on the gift card, if no earlier goal of the task changed it."""
    cards = [m for m in c.user["payment_methods"].values() if m["source"] == "gift_card"]
    if not cards or c.db.base.tables["users"][c.user_id] != c.user:
        return None
    balance = money(cards[0]["balance"])
    if balance is None:
        return None
    opening = c.say(
        (
            "How much is left on my gift card?",
            "What's the balance of my gift card?",
            "Could you check how much money my gift card still has?",
            "I forgot what's on my gift card. How much is it?",
        )
    )
    return question(opening, balance, ())


# Requests that the policy forbids


def cancel_shipped(c: Context) -> Goal | None:
    """Want to cancel an order that is not pending any more."""
    return _about_shipped(
        c,
        (
            "Please cancel {order}.",
            "I want {order} cancelled.",
            "I changed my mind about {order}; cancel it.",
        ),
        with_reason=True,
    )


def redirect_shipped(c: Context) -> Goal | None:
    """Want to send an order elsewhere that is not pending any more."""
    return _about_shipped(
        c,
        (
            "Please send {order} to my office instead.",
            "I'd like {order} to go to my sister's address.",
            "{order} should go to another address.",
        ),
        with_reason=False,
    )


def _about_shipped(c: Context, openings: tuple[str, ...], *, with_reason: bool) -> Goal | None:
    if not (own := orders(c, *_SHIPPED)):
        return None
    order = own[0]
    words, fact, reads = name_order(c, order)
    wish = c.say(openings, order=words)
    fallback = c.say(
        (
            "If that can't be done any more, just give me its tracking number.",
            "Should it be too late, tell me the tracking number and leave everything as it is.",
            "Too late? Then all I want is the tracking number.",
        )
    )
    facts = [fact]
    if with_reason:
        facts.append(Fact(key="reason", cues=REASON_CUES, text="I no longer need it."))
    return question(
        sentence(capitalized(wish), fallback),
        _tracking_number(order),
        reads,
        *facts,
        ids=ids_of(order),
    )


def pay_with_short_card(c: Context) -> Goal | None:
    """Want to pay a pending order with a gift card that does not cover it."""
    cards = [m for m in c.user["payment_methods"].values() if m["source"] == "gift_card"]
    fitting = [
        order
        for order in orders(c, "pending")
        if cards
        and len(order["payment_history"]) == 1
        and order["payment_history"][0]["payment_method_id"] != cards[0]["id"]
        and order["payment_history"][0]["amount"] > cards[0]["balance"]
    ]
    balance = money(cards[0]["balance"]) if cards else None
    if not fitting or balance is None or c.db.base.tables["users"][c.user_id] != c.user:
        return None
    words, fact, reads = name_order(c, fitting[0])
    opening = c.say(
        (
            "I want to pay for {order} with my gift card. "
            "If it doesn't cover it, tell me its balance and leave the order alone.",
            "Please move the payment of {order} to my gift card. "
            "Not enough on it? Then just say how much is left.",
            "Can my gift card pay for {order}? If not, change nothing, "
            "but tell me how much there is on the card.",
        ),
        order=words,
    )
    return question(opening, balance, reads, fact, ids=ids_of(fitting[0], cards[0]["id"]))


def refund_elsewhere(c: Context) -> Goal | None:
    """Want a refund on a payment method that is neither the order's nor a gift card."""
    for order in orders(c, "delivered"):
        original = order["payment_history"][0]["payment_method_id"]
        others = [
            method
            for method in c.user["payment_methods"].values()
            if method["id"] != original and method["source"] != "gift_card"
        ]
        amount = money(order["payment_history"][0]["amount"])
        if others and amount:
            break
    else:
        return None
    method = c.rng.choice(others)
    words, fact, reads = name_order(c, order)
    opening = c.say(
        (
            "I'm returning all of {order}, with the refund to {method} and nowhere else. "
            "If that isn't allowed I'll keep it; then tell me what I paid for it.",
            "Please take back everything in {order} and refund {method}. "
            "Can't do that? Then no return, just tell me the order's total.",
            "Return {order} completely. The money must go to {method}; otherwise do nothing "
            "and only tell me how much it cost.",
        ),
        order=words,
        method=name_method(method),
    )
    return question(opening, amount, reads, fact, ids=ids_of(order, method["id"]))


def exchange_for_sold_out(c: Context) -> Goal | None:
    """Want an exchange for a variant that is not available."""
    for order in orders(c, "delivered"):
        item = c.rng.choice(order["items"])
        product = c.record("products", item["product_id"])
        gone = [v for v in product["variants"].values() if not v["available"] and money(v["price"])]
        if gone:
            break
    else:
        return None
    variant = c.rng.choice(gone)
    words, fact, reads = name_order(c, order)
    wanted = describe({"name": item["name"], "options": variant["options"]})
    opening = c.say(
        (
            "In {order} there is a {item}. I want the {wanted} instead and nothing else. "
            "If you don't have that, tell me its price and I'll wait.",
            "Please exchange the {item} of {order} for the {wanted}. "
            "Sold out? Then leave it, but tell me what that one costs.",
            "I'd swap the {item} from {order} for the {wanted}, only that one. "
            "If it isn't available, no exchange; just let me know its price.",
        ),
        order=words,
        item=describe(item),
        wanted=wanted,
    )
    look = action("get_product_details", product_id=item["product_id"])
    price = money(variant["price"]) or ""
    return question(opening, price, (*reads, look), fact, ids=ids_of(order, variant["item_id"]))


def touch_another_account(c: Context) -> Goal | None:
    """Want something for an order of somebody else."""
    if not (shipped := orders(c, *_SHIPPED)):
        return None
    own = shipped[0]
    foreign = c.rng.choice(c.db.base.keys("orders"))
    other = c.record("orders", foreign)
    if other["user_id"] == c.user_id:
        return None
    words, fact, reads = name_order(c, own)
    opening = c.say(
        (
            "My flatmate's order {foreign} has to be cancelled; she asked me to do it. "
            "If you can't do that for me, give me the tracking number of {own} instead.",
            "Tell me what is in order {foreign}. It belongs to my brother. "
            "Not possible? Then the tracking number of {own} will do.",
            "Order {foreign} is a friend's. Please change its address to mine. "
            "If that's against the rules, I only need the tracking number of {own}.",
        ),
        foreign=foreign,
        own=words,
    )
    return question(opening, _tracking_number(own), reads, fact, ids=ids_of(own, foreign))
