"""What retail customers want changed about single items: returns and other variants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sca_envs.challenge.procedural.parts import COUNT, MONEY, WORDS, Part, options_of
from sca_envs.challenge.procedural.retail.shopper import (
    PAID_BY,
    Shopper,
    paid_with,
    single_items,
)
from sca_envs.core.database import Record
from sca_envs.core.wishes import DeadEnd
from sca_envs.domains.tau.goals import capitalized, enumerate_words
from sca_envs.domains.tau_retail.goals import describe


def send_back(s: Shopper) -> Part:
    """Return items of a delivered order."""
    order = s.order("delivered")
    place = s.place(order)
    which, condition, wrong_conditions = _some_items(s, order)
    refund_words, method_code, method, other_methods, needs = _refund(s, order)
    ask, result, kind = s.x.pick(
        (
            (
                "how much I get back for the return",
                'round(sum(item["price"] for item in items), 2)',
                MONEY,
            ),
            ("how many items I have to send back", "len(items)", COUNT),
            ("the status of the order after the return", 'done["status"]', WORDS),
        )
    )
    wish = s.say(
        (
            "I want to return {which} from {order}. {refund}",
            "Please arrange a return for {order}: {which}. {refund}",
            "{order} has arrived, and I'd like to send back {which}. {refund}",
            "How about a return? It is about {which} from {order}. {refund}",
            "I'm not happy with {order}. Take back {which}. {refund}",
        ),
        which=which,
        order=place.words,
        refund=refund_words,
    )

    def code(condition: str, method: str = method) -> str:
        return (
            f'{place.code}{method_code}items = [item for item in order["items"] if {condition}]\n'
            f"done = return_delivered_order_items(order_id={place.id}, "
            'item_ids=[item["item_id"] for item in items], '
            f"payment_method_id={method})\n"
        )

    wrongs = (
        *((code(wrong), result) for wrong in wrong_conditions),
        *((code(condition, repr(other)), result) for other in other_methods),
        (code("True"), result),
        (code('item == order["items"][0]'), result),
        (code('item == order["items"][-1]'), result),
    )
    return Part(
        capitalized(wish), code(condition), result, ask, kind, wrongs,
        "user" if "user" in (needs, place.needs) else "", (order["order_id"],),
    )  # fmt: skip


def _some_items(s: Shopper, order: Record) -> tuple[str, str, list[str]]:
    """Draw which items of an order: in words, as a condition, and wrong conditions."""
    items = order["items"]
    prices = sorted({item["price"] for item in items})
    singles = single_items(order)
    choices: list[tuple[str, str, list[str]]] = [("everything in it", "True", ["item is not None"])]
    for item in singles:
        others = [f'item["name"] == {one["name"]!r}' for one in singles if one is not item]
        wording = s.say(("the {item}", "only the {item}"), item=describe(item))
        choices.append((wording, f'item["name"] == {item["name"]!r}', others))
    if len(singles) > 2:
        pair = s.rng.sample(singles, 2)
        names = sorted(one["name"] for one in pair)
        wording = enumerate_words(f"the {describe(one)}" for one in pair)
        condition = f'item["name"] in {names!r}'
        choices.append((wording, condition, [f'item["name"] == {n!r}' for n in names]))
    if len(prices) > 1:
        place = s.rng.randrange(len(prices) - 1)
        limit = round((prices[place] + prices[place + 1]) / 2)
        if prices[place] < limit < prices[place + 1]:
            wrong = [f'item["price"] < {limit}']
            choices.append((f"whatever cost more than ${limit}", f'item["price"] > {limit}', wrong))
            wrong = [f'item["price"] > {limit}']
            choices.append(
                (f"every item that cost less than ${limit}", f'item["price"] < {limit}', wrong)
            )
        if [item["price"] for item in items].count(prices[-1]) == 1:
            dearest = 'item["price"] == max(one["price"] for one in order["items"])'
            choices.append(("the most expensive item", dearest, [dearest.replace("max", "min")]))
    drawn: tuple[str, str, list[str]] = s.x.pick(choices)
    return drawn


def _refund(s: Shopper, order: Record) -> tuple[str, str, str, list[str], str]:
    """Draw where a refund goes: in words, code, expression, wrong ids, and what code needs."""
    cards = [m for m in s.user["payment_methods"].values() if m["source"] == "gift_card"]
    others = [m["id"] for m in cards if m["id"] != paid_with(order)]
    if others and s.rng.random() < 0.5:
        card = s.user["payment_methods"][others[0]]
        words = s.say(("Put the money on my gift card.", "The refund should go to my gift card."))
        return words, s.method_code(card), 'method["id"]', [paid_with(order)], "user"
    words = s.say(
        (
            "The money goes back to where it came from.",
            "Refund it the way I paid.",
            "I want the money on the payment method of that order.",
        )
    )
    return words, "", PAID_BY, others, ""


def swap_pending(s: Shopper) -> Part:
    """Take another variant in a pending order."""
    return _swap(
        s,
        "pending",
        "modify_pending_order_items",
        (
            "In {order} I'd rather have another {name}: {wish}.",
            "{order} is not sent yet, so please change the {name} in it: {wish}.",
            "I picked the wrong {name} for {order}. Modify it: {wish}.",
            "Can the {name} in {order}, which is still pending, be replaced? {Wish}.",
        ),
    )


def swap_delivered(s: Shopper) -> Part:
    """Exchange an item of a delivered order."""
    return _swap(
        s,
        "delivered",
        "exchange_delivered_order_items",
        (
            "{order} has arrived. I want to exchange the {name}: {wish}.",
            "Please exchange the {name} from {order}: {wish}.",
            "The {name} that came with {order} isn't right for me. In exchange {wish}.",
            "I'd like to swap the {name} of {order}. {Wish}.",
        ),
    )


def _swap(s: Shopper, status: str, tool: str, wordings: tuple[str, ...]) -> Part:
    order = s.order(status)
    item = s.x.pick(single_items(order))
    place = s.place(order)
    words, choice, wrong_choices = _wish(s, item)
    ask, result, kind = s.x.pick(
        (
            (
                f"the price of the new {item['name']} minus that of the old one (negative if it "
                "is cheaper)",
                'round(new["price"] - old["price"], 2)',
                MONEY,
            ),
            (f"the price of the new {item['name']}", 'new["price"]', MONEY),
            (f"the item id of the new {item['name']}", 'new["item_id"]', WORDS),
        )
    )
    wish = s.say(
        wordings, order=place.words, name=item["name"], wish=words, Wish=capitalized(words)
    ) + s.x.pick(
        (
            " Settle any difference with the payment method of the order.",
            " The difference goes to, or comes from, what I paid the order with.",
            " For any difference use the way I paid.",
        )
    )  # fmt: skip

    def code(choice: str, method: str = PAID_BY, use: str = tool) -> str:
        return (
            f"{place.code}"
            f'old = next(item for item in order["items"] if item["name"] == {item["name"]!r})\n'
            'product = get_product_details(product_id=old["product_id"])\n'
            'others = [one for one in product["variants"].values() '
            'if one["available"] and one["item_id"] != old["item_id"]]\n'
            f"new = {choice}\n"
            f'done = {use}(order_id={place.id}, item_ids=[old["item_id"]], '
            f'new_item_ids=[new["item_id"]], payment_method_id={method})\n'
        )

    methods = [m["id"] for m in s.other_methods(paid_with(order))]
    gone = code(choice).rpartition("done = ")[0]
    wrongs = (
        *((code(wrong), result) for wrong in wrong_choices),
        *((code(choice, repr(other)), result) for other in methods),
        (
            f"{gone}return_delivered_order_items(order_id={place.id}, "
            f'item_ids=[old["item_id"]], payment_method_id={PAID_BY})\n'
            if status == "delivered"
            else f"{gone}cancel_pending_order(order_id={place.id}, reason='no longer needed')\n",
            result,
        ),
    )
    return Part(
        capitalized(wish), code(choice), result, ask, kind, wrongs, place.needs,
        (order["order_id"], paid_with(order)),
    )  # fmt: skip


def _wish(s: Shopper, item: Record) -> tuple[str, str, list[str]]:
    """Draw another variant of an item: in words, as an expression, and wrong expressions."""
    product = s.x.look("get_product_details", product_id=item["product_id"])
    others = [
        one
        for one in product["variants"].values()
        if one["available"] and one["item_id"] != item["item_id"]
    ]
    if len(others) < 2:
        raise DeadEnd
    prices = sorted(one["price"] for one in others)
    cheapest = 'min(others, key=lambda one: one["price"])'
    dearest = 'max(others, key=lambda one: one["price"])'
    drawn = s.rng.random()
    if drawn < 0.25 and prices[0] < prices[1]:
        words = s.say(
            (
                "I'll take the cheapest other one that is available",
                "give me whichever other available one costs least",
            )
        )
        return words, cheapest, [dearest, 'sorted(others, key=lambda one: one["price"])[1]']
    if drawn < 0.4 and prices[-1] > prices[-2]:
        words = "I want the most expensive other one that is available"
        return words, dearest, [cheapest, 'sorted(others, key=lambda one: one["price"])[-2]']
    wanted = s.x.pick(others)
    wrong = s.x.pick(one for one in others if one is not wanted)
    words = s.say(
        ("I want one with {options}", "what I need has {options}"), options=options_of(wanted)
    )
    choice = _by_options(wanted["options"])
    return words, choice, [_by_options(wrong["options"]), cheapest, dearest]


def _by_options(options: dict[str, Any]) -> str:
    return f'next(one for one in others if one["options"] == {options!r})'


PARTS: tuple[Callable[[Shopper], Part], ...] = (
    send_back,
    send_back,
    swap_pending,
    swap_pending,
    swap_delivered,
    swap_delivered,
)
"""What a customer may want, the frequent wishes more than once."""
