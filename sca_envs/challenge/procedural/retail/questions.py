"""What retail customers want to know."""

from __future__ import annotations

from collections.abc import Callable

from sca_envs.challenge.procedural.parts import COUNT, MONEY, WORDS, Part, options_of
from sca_envs.challenge.procedural.retail.shopper import (
    Shopper,
    single_items,
)
from sca_envs.core.wishes import DeadEnd
from sca_envs.domains.tau_retail.goals import describe

SHIPPED = ("processed", "delivered")
TRACKING = 'order["fulfillments"][0]["tracking_id"][0]'
PAID = 'order["payment_history"][0]["amount"]'
OF_ORDER: tuple[tuple[str, str, str], ...] = (
    ("what I paid for {order}", PAID, MONEY),
    ("how many items {order} has", 'len(order["items"])', COUNT),
    (
        "the price of the most expensive item of {order}",
        'max(item["price"] for item in order["items"])',
        MONEY,
    ),
    (
        "the price of the cheapest item of {order}",
        'min(item["price"] for item in order["items"])',
        MONEY,
    ),
    (
        "the average price of the items of {order}",
        'round(sum(item["price"] for item in order["items"]) / len(order["items"]), 2)',
        MONEY,
    ),
    ("the zip code that {order} goes to", 'order["address"]["zip"]', WORDS),
    ("the city that {order} goes to", 'order["address"]["city"]', WORDS),
)
_WHY = (
    "",
    "I'm doing my books.",
    "It's for my expense report.",
    "My partner keeps asking.",
    "I deleted your mail by accident.",
    "I want to compare it with what the bank says.",
    "It's about my insurance.",
    "I'm sorting my papers.",
)


def ask_about_order(s: Shopper) -> Part:
    """Ask for something that an order says."""
    order = s.x.pick(s.orders)
    place = s.place(order)
    choices = list(OF_ORDER)
    if order["status"] in SHIPPED and order["fulfillments"]:
        choices.append(("the tracking number of {order}", TRACKING, WORDS))
    ask, result, kind = s.x.pick(choices)
    others = [(text, other) for text, other, k in choices if k == kind and other != result]
    other = s.x.look("get_order_details", order_id=s.x.key("orders"))
    elsewhere = f"order = get_order_details(order_id={other['order_id']!r})\n"
    wrongs = [*((place.code, wrong) for _, wrong in others[:3])]
    if kind != WORDS or "tracking" not in ask or other["fulfillments"]:
        wrongs.insert(0, (elsewhere, result))
    return Part(
        s.x.pick(_WHY), place.code, result, ask.format(order=place.words), kind, tuple(wrongs),
        place.needs, (order["order_id"],), changes=False,
    )  # fmt: skip


def ask_price_of_item(s: Shopper) -> Part:
    """Ask what one item of an order cost, or its share of the total."""
    order = s.x.pick(o for o in s.orders if len(o["items"]) > 1)
    item = s.x.pick(single_items(order))
    place = s.place(order)
    ask, result = s.x.pick(
        (
            ("what the {item} in {order} cost", 'item["price"]'),
            (
                "what I paid for {order} without the {item}",
                'round(sum(one["price"] for one in order["items"]) - item["price"], 2)',
            ),
            (
                "which part of the total of {order} the {item} is, in percent",
                'round(100 * item["price"] / sum(one["price"] for one in order["items"]), 2)',
            ),
        )
    )
    kind = MONEY if "percent" not in ask else COUNT
    if kind == COUNT:
        ask += ", rounded to two digits,"

    def code(name: str) -> str:
        found = f'item = next(one for one in order["items"] if one["name"] == {name!r})\n'
        return place.code + found

    wrongs = [(code(one["name"]), result) for one in single_items(order) if one is not item]
    wrongs.append((code(item["name"]), PAID))
    return Part(
        s.x.pick(_WHY), code(item["name"]), result,
        ask.format(order=place.words, item=describe(item)), kind, tuple(wrongs), place.needs,
        (order["order_id"],), changes=False,
    )  # fmt: skip


def compare_orders(s: Shopper) -> Part:
    """Ask for something of two or more orders together."""
    if len(s.orders) < 2:
        raise DeadEnd
    chosen = s.rng.sample(s.orders, s.rng.choice((2, 2, min(3, len(s.orders)))))
    ids = [order["order_id"] for order in chosen]
    code = "".join(
        f"order_{i} = get_order_details(order_id={key!r})\n" for i, key in enumerate(ids, 1)
    )
    listed = ", ".join(f"order_{i}" for i in range(1, len(ids) + 1))
    amounts = f'[one["payment_history"][0]["amount"] for one in [{listed}]]'
    numbers = " and ".join((", ".join(ids[:-1]), ids[-1]))
    choices = [
        ("what orders {ids} cost together", "round(sum(amounts), 2)", MONEY),
        ("how much the dearest of orders {ids} cost", "max(amounts)", MONEY),
        (
            "by how much the dearest of orders {ids} cost more than the cheapest of them",
            "round(max(amounts) - min(amounts), 2)",
            MONEY,
        ),
        (
            "how many items orders {ids} have together",
            f'sum(len(one["items"]) for one in [{listed}])',
            COUNT,
        ),
    ]
    ask, result, kind = s.x.pick(choices)
    code += f"amounts = {amounts}\n"
    wrongs = tuple((code, wrong) for _, wrong, k in choices if wrong != result and k == kind)
    if kind == COUNT:
        wrongs = ((code, f"len([{listed}])"), (code, 'len(order_1["items"])'))
    return Part(
        s.x.pick(_WHY), code, result, ask.format(ids=numbers), kind, wrongs, "", tuple(ids),
        changes=False,
    )  # fmt: skip


def all_orders(s: Shopper) -> Part:
    """Ask about all orders in the profile that have some status."""
    keys = s.user["orders"]
    status = s.x.pick(order["status"] for order in s.orders)
    words = s.say(
        (
            "what all orders in my profile that are {status} cost together",
            "the total of my {status} orders, all of them",
        )
        if s.rng.random() < 0.7
        else ("how many items there are in all my {status} orders together",),
        status=status,
    )
    count = "items" in words
    code = "".join(
        f'order_{i} = get_order_details(order_id=user["orders"][{i}])\n' for i in range(len(keys))
    )
    listed = ", ".join(f"order_{i}" for i in range(len(keys)))

    def result(condition: str) -> str:
        if count:
            return f'sum(len(one["items"]) for one in [{listed}] if {condition})'
        amount = 'one["payment_history"][0]["amount"]'
        return f"round(sum({amount} for one in [{listed}] if {condition}), 2)"

    right = f'one["status"] == {status!r}'
    wrongs = (
        (code, result("True")),
        (code, result(f'one["status"] != {status!r}')),
        (code, f"len([{listed}])"),
        (code, result(f'one["status"] == {status!r} and one["items"][1:]')),
    )
    return Part(
        s.x.pick(_WHY), code, result(right), words, COUNT if count else MONEY, wrongs, "user",
        tuple(keys), changes=False,
    )  # fmt: skip


def ask_profile(s: Shopper) -> Part:
    """Ask for something that the profile says."""
    methods = 'user["payment_methods"].values()'
    choices: list[tuple[str, str, str]] = [
        ("how many orders my profile lists", 'len(user["orders"])', COUNT),
        ("how many payment methods I have with you", 'len(user["payment_methods"])', COUNT),
        ("the zip code of my default address", 'user["address"]["zip"]', WORDS),
        ("the first line of my default address", 'user["address"]["address1"]', WORDS),
        ("the second line of my default address", 'user["address"]["address2"]', WORDS),
        ("the id of my latest order, which is the last in my profile", 'user["orders"][-1]', WORDS),
    ]
    cards = [m for m in s.user["payment_methods"].values() if m["source"] == "gift_card"]
    if cards:
        left = f"round(sum(one.get('balance', 0) for one in {methods}), 2)"
        choices += [("what is left on my gift cards in all", left, MONEY)] * 3
    ask, result, kind = s.x.pick(choices)
    if "zip" in ask and "zip code" in s.identity.words:
        raise DeadEnd  # the customer has just said it
    code = "profile = user\n"
    wrongs = tuple((code, wrong) for _, wrong, _ in choices if wrong != result)
    return Part(
        s.x.pick(_WHY), code, result, ask, kind, wrongs, "user", ("profile", *(
            card["id"] for card in cards
        )), changes=False,
    )  # fmt: skip


def ask_product(s: Shopper) -> Part:
    """Ask about the variants of a product type."""
    types = s.x.look("list_all_product_types")
    name = s.x.pick(types)
    product = s.x.look("get_product_details", product_id=types[name])
    options = s.x.pick(product["variants"].values())["options"]
    key = s.x.pick(options)
    value = options[key]
    has = f'one["options"].get({key!r}) == {value!r}'
    free = 'one["available"]'
    variants = 'product["variants"].values()'

    def prices(condition: str) -> str:
        return f'one["price"] for one in {variants} if {condition}'

    choices = [
        ("the lowest price of a {name} that is available", f"min({prices(free)})", MONEY),
        ("the highest price of a {name} that is available", f"max({prices(free)})", MONEY),
        (
            "how much the cheapest {name} with {option} costs, available or not",
            f"min({prices(has)})",
            MONEY,
        ),
        ("how many variants of the {name} are available", f"len([{prices(free)}])", COUNT),
        ("how many variants of the {name} are sold out", f"len([{prices('not ' + free)}])", COUNT),
        (
            "how many variants of the {name} with {option} there are, available or not",
            f"len([{prices(has)}])",
            COUNT,
        ),
        (
            "the item id of the cheapest {name} that is available",
            f'min((one["price"], one["item_id"]) for one in {variants} if {free})[1]',
            WORDS,
        ),
    ]
    ask, result, kind = s.x.pick(choices)

    def code(wanted: str) -> str:
        return (
            "types = list_all_product_types()\n"
            f"product = get_product_details(product_id=types[{wanted!r}])\n"
        )

    other = s.x.pick(one for one in types if one != name)
    wrongs = [(code(name), wrong) for _, wrong, k in choices if wrong != result and k == kind]
    if "option" not in ask:
        wrongs.insert(0, (code(other), result))
    if kind == WORDS:
        wrongs += [
            (code(name), result.replace("min(", "max(")),
            (code(name), "types[next(iter(types))]"),
        ]
    if "id" in ask:
        ties = [v["price"] for v in product["variants"].values() if v["available"]]
        if ties.count(min(ties)) > 1:
            raise DeadEnd
    why = s.x.pick(
        (
            "",
            "I'm looking for a present.",
            "A friend of mine is thinking about buying one.",
            "I might buy another one.",
            "My old one broke.",
            f"We are furnishing the office and consider the {name}.",
            "Just window-shopping today.",
        )
    )
    option = f"{key} {value}"
    return Part(
        why, code(name), result, ask.format(name=name, option=option), kind, tuple(wrongs), "",
        (types[name],), changes=False,
    )  # fmt: skip


def ask_price_now(s: Shopper) -> Part:
    """Ask what an item that was bought costs now in another variant."""
    order = s.x.pick(s.orders)
    item = s.x.pick(single_items(order))
    product = s.x.look("get_product_details", product_id=item["product_id"])
    place = s.place(order)
    variants = list(product["variants"].values())
    other = s.x.pick(one for one in variants if one["item_id"] != item["item_id"])
    ask, result, kind = s.x.pick(
        (
            (
                "the price of the same {name} as in {order}, but with {options}",
                f'next(one["price"] for one in variants if one["options"] == {other["options"]!r})',
                MONEY,
            ),
            (
                "the lowest price at which a {name} like the one in {order}, of whatever variant, "
                "is available",
                'min(one["price"] for one in variants if one["available"])',
                MONEY,
            ),
            (
                "how many other variants of the {name} in {order} are available",
                'len([one for one in variants if one["available"] '
                'and one["item_id"] != item["item_id"]])',
                COUNT,
            ),
        )
    )

    def code(name: str) -> str:
        return (
            f"{place.code}"
            f'item = next(one for one in order["items"] if one["name"] == {name!r})\n'
            'product = get_product_details(product_id=item["product_id"])\n'
            'variants = list(product["variants"].values())\n'
        )

    wrongs = (
        (code(item["name"]), 'item["price"]'),
        (code(item["name"]), 'max(one["price"] for one in variants)'),
        (code(item["name"]), "len(variants)"),
        (code(item["name"]), 'variants[0]["price"]'),
    )
    ask = ask.format(name=item["name"], order=place.words, options=options_of(other))
    return Part(
        s.x.pick(_WHY), code(item["name"]), result, ask, kind, wrongs, place.needs,
        (order["order_id"], item["product_id"]), changes=False,
    )  # fmt: skip


PARTS: tuple[Callable[[Shopper], Part], ...] = (
    ask_about_order,
    ask_price_of_item,
    compare_orders,
    compare_orders,
    all_orders,
    ask_profile,
    ask_product,
    ask_price_now,
)
"""What a customer may want, the frequent wishes more than once."""
