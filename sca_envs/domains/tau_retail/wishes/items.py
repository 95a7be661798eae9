"""Wishes that change single items of an order: returns, and other variants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sca_envs.core.database import Record
from sca_envs.core.wishes import Customer, DeadEnd, Term, Wish, enumerate_words
from sca_envs.domains.tau_retail.wishes.pieces import (
    NamedOrder,
    methods,
    name_order,
    orders,
    paid_with,
    price,
    tell_method,
)

_RETURN = "return_delivered_order_items"


def describe(item: Record) -> str:
    """Return an item as a customer names it."""
    options = ", ".join(item["options"].values())
    return f"{item['name']} ({options})" if options else str(item["name"])


def describe_options(variant: Record) -> str:
    """Return the options of an item or variant as a customer names them."""
    return enumerate_words(f"{key} {value}" for key, value in variant["options"].items())


def single_items(order: Record) -> list[Record]:
    """Return the items whose name occurs once in an order."""
    names = [item["name"] for item in order["items"]]
    return [item for item in order["items"] if names.count(item["name"]) == 1]


def find_item(c: Customer, order: NamedOrder, item: Record, name: str = "item") -> Term:
    """Return an item of an order, found by its name, under a name of its own in the solution."""
    others = [other["name"] for other in single_items(order.record)]
    wanted = c.given(item["name"], others)
    found = order.details["items"].first(lambda one: one["name"] == wanted)
    return c.let(name, found.assume(item))


def find_variant(c: Customer, shown: Term, variant: Record, others: list[Record]) -> Term:
    """Return a variant among those of a product, found by its options.

    Args:
        c: The customer.
        shown: The variants of the product.
        variant: The one wanted.
        others: Some that it could be mistaken for.
    """
    wrong = [other["options"] for other in others[:3] if other is not variant]
    options = c.given(variant["options"], wrong)
    return shown.first(lambda one: one["options"] == options).assume(variant)


# Returns


def return_items(c: Customer) -> Wish:
    """Return some or all items of a delivered order."""
    order = name_order(c, c.pick(orders(c, "delivered")))
    original = paid_with(order.record)
    allowed = [m for m in methods(c) if m["id"] == original or m["source"] == "gift_card"]
    items, chosen = _tell_items(c, order)
    method = c.pick(allowed)
    method_id = tell_method(c, order, method, "refund")
    ids = [item["item_id"] for item in order.record["items"]]
    for other in (ids, ids[:1], ids[-1:]):
        if sorted(other) != sorted(chosen):
            c.mistake((_RETURN, _returning(order, other, method["id"])))
    for another in allowed:
        if another is not method:
            c.mistake((_RETURN, _returning(order, chosen, another["id"])))
    returning = _returning(order, items.each(lambda item: item["item_id"]), method_id)
    done = c.call(_RETURN, **returning)
    return c.wish(
        asks={
            "how much I get back for what I return from {order}": items.total(price),
            "how many items of {order} I have to send back": items.length(),
            "the status of {order} after the return": done["status"],
        },
        order=order.words,
    )


def _returning(order: NamedOrder, ids: object, method_id: object) -> dict[str, Any]:
    return {"order_id": order.id, "item_ids": ids, "payment_method_id": method_id}


def _tell_items(c: Customer, order: NamedOrder) -> tuple[Term, list[str]]:
    """Let the customer know which items of an order it is about; return them and their ids."""
    choice: _Choice = c.pick(_choices(c, order))
    ids = [item["item_id"] for item in choice.records]
    c.tell("items", ids, wording=choice.wording, items=choice.words)
    return choice.items.assume(choice.records), ids


class _Choice(NamedTuple):
    """Some items of an order."""

    wording: str
    """Which wordings say it."""
    words: str
    items: Term
    records: list[Record]


def _choices(c: Customer, order: NamedOrder) -> Iterator[_Choice]:
    records, shown = order.record["items"], order.details["items"]
    yield _Choice("all_items", "", shown, records)
    singles = single_items(order.record)
    if singles:
        item = c.pick(singles)
        name = c.given(item["name"], [other["name"] for other in singles])
        yield from [
            _Choice("items", describe(item), shown.where(lambda i: i["name"] == name), [item])
        ] * 2
    if len(singles) > 2:
        pair = sorted(c.rng.sample(singles, 2), key=records.index)
        names = [item["name"] for item in pair]
        named = c.given(names, [[name] for name in names])
        words = enumerate_words(map(describe, pair))
        yield _Choice("items", words, shown.where(lambda i: named.contains(i["name"])), pair)
    prices = sorted({item["price"] for item in records})
    if len(prices) > 1:
        yield from _choices_by_price(c, order, prices)


def _choices_by_price(c: Customer, order: NamedOrder, prices: list[float]) -> Iterator[_Choice]:
    records, shown = order.record["items"], order.details["items"]
    place = c.rng.randrange(len(prices) - 1)
    low, high = prices[place : place + 2]
    limit = round((low + high) / 2)
    if low < limit < high:
        given = c.given(limit, [limit + round(high), max(1, limit // 2)])
        if c.rng.random() < 0.5:
            dear = [item for item in records if item["price"] > limit]
            above = shown.where(lambda item: item["price"] > given)
            yield _Choice("items_above", str(limit), above, dear)
        else:
            cheap = [item for item in records if item["price"] < limit]
            below = shown.where(lambda item: item["price"] < given)
            yield _Choice("items_below", str(limit), below, cheap)
    dearest = [item for item in records if item["price"] == prices[-1]]
    if len(dearest) == 1:
        highest = c.let("highest", shown.highest(price))
        yield _Choice(
            "dearest_item", "", shown.where(lambda item: item["price"] == highest), dearest
        )


# Other variants


def modify_items(c: Customer) -> Wish:
    """Replace items of a pending order."""
    return _swap(c, "pending", "modify_pending_order_items")


def exchange_items(c: Customer) -> Wish:
    """Exchange items of a delivered order."""
    return _swap(c, "delivered", "exchange_delivered_order_items")


def _swap(c: Customer, status: str, tool: str) -> Wish:
    record = c.pick(order for order in orders(c, status) if single_items(order))
    swaps = [swap for item in _draw_items(c, record) if (swap := _draw_swap(c, record, item))]
    difference = sum(swap.variant["price"] - swap.item["price"] for swap in swaps)
    fitting = [m for m in methods(c) if m.get("balance", difference) >= difference]
    if not swaps or not fitting:
        raise DeadEnd
    order = name_order(c, record, besides=swaps[0].item["name"])
    old_ids, new_ids = ([one["item_id"] for one in pair] for pair in zip(*((s.item, s.variant)
                        for s in swaps), strict=True))  # fmt: skip
    c.tell("items", old_ids, items=enumerate_words(describe(swap.item) for swap in swaps))
    c.tell("wish", new_ids, wishes=" ".join(_say_swap(c, swap) for swap in swaps))
    c.about(*new_ids)
    pairs = [_find_swap(c, order, swap) for swap in swaps]
    method = c.pick(fitting)
    method_id = tell_method(c, order, method, "difference")
    arguments: dict[str, Any] = {
        "order_id": order.id,
        "item_ids": [old["item_id"] for old, _ in pairs],
        "new_item_ids": [new["item_id"] for _, new in pairs],
        "payment_method_id": method_id,
    }
    _add_mistakes(c, tool, arguments, order, [m for m in fitting if m is not method])
    done = c.call(tool, **arguments)
    old, new = pairs[0]
    return c.wish(
        asks={
            "the price of the new {item} in {order} minus that of the old one (negative if it is "
            "cheaper)": round(new["price"] - old["price"], 2),
            "the price of the new {item} in {order}": new["price"],
            "the item id of the new {item} in {order}": new["item_id"],
            "the new status of {order}": done["status"],
        },
        order=order.words,
        item=swaps[0].item["name"],
    )


def _draw_items(c: Customer, order: Record) -> list[Record]:
    """Draw one or two items of an order, or all, that can be told apart."""
    singles = single_items(order)
    if c.rng.random() < 0.2:
        return singles
    chosen = c.rng.sample(singles, min(len(singles), c.rng.choice((1, 1, 2))))
    return sorted(chosen, key=order["items"].index)


class _Swap(NamedTuple):
    """An item and the variant wanted for it."""

    item: Record
    variant: Record
    kind: str
    """How the customer names the variant: ``cheapest``, ``dearest`` or ``options``."""
    others: list[Record]
    """The variants that it could be mistaken for."""


def _draw_swap(c: Customer, order: Record, item: Record) -> _Swap | None:
    """Draw another variant that can be had and singled out; None if there is none.

    One that the order has already is left out: replacing A by B and B by C in one call would depend
    on the sequence.
    """
    variants = list(c.record("products", item["product_id"])["variants"].values())
    others = [v for v in variants if v["available"] and v["item_id"] != item["item_id"]]
    taken = {line["item_id"] for line in order["items"]}
    by_price, drawn = sorted(others, key=lambda variant: variant["price"]), c.rng.random()
    for kind, limit, ordered in (("cheapest", 0.2, by_price), ("dearest", 0.3, by_price[::-1])):
        single = len(ordered) > 1 and ordered[0]["price"] != ordered[1]["price"]
        if drawn < limit and single and ordered[0]["item_id"] not in taken:
            return _Swap(item, ordered[0], kind, ordered[1:])
    free = [variant for variant in others if variant["item_id"] not in taken]
    if not free:
        return None
    variant = c.rng.choice(free)
    if [other["options"] for other in variants].count(variant["options"]) > 1:
        return None
    return _Swap(item, variant, "options", [other for other in others if other is not variant])


def _say_swap(c: Customer, swap: _Swap) -> str:
    old, new = swap.item["options"], swap.variant["options"]
    changed = {key: value for key, value in new.items() if old.get(key) != value}
    kept = "" if len(changed) == len(new) else ", everything else the same"
    wanted = f"{describe_options({'options': changed})}{kept}" if changed else ""
    slots = {"item": describe(swap.item), "name": swap.item["name"], "wanted": wanted}
    return c.say(f"wish_{swap.kind}", **slots)


def _find_swap(c: Customer, order: NamedOrder, swap: _Swap) -> tuple[Term, Term]:
    """Look an item and the variant wanted for it up."""
    old = find_item(c, order, swap.item, "old")
    product = c.call("get_product_details", product_id=old["product_id"])
    variants = product["variants"].values()
    if swap.kind == "options":
        return old, c.let("new", find_variant(c, variants, swap.variant, swap.others))
    others = variants.where(lambda one: one["available"] & (one["item_id"] != old["item_id"]))
    extreme = others.smallest_by if swap.kind == "cheapest" else others.largest_by
    return old, c.let("new", extreme(price).assume(swap.variant))


def _add_mistakes(
    c: Customer, tool: str, arguments: dict[str, Any], order: NamedOrder, others: list[Record]
) -> None:
    for method in others:
        c.mistake((tool, {**arguments, "payment_method_id": method["id"]}))
    if order.record["status"] == "pending":
        reason = {"order_id": order.id, "reason": "no longer needed"}
        c.mistake(("cancel_pending_order", reason))
    else:
        c.mistake((_RETURN, _returning(order, arguments["item_ids"], paid_with(order.record))))
