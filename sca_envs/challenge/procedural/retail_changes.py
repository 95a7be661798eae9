"""What retail customers want changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sca_envs.challenge.procedural.parts import COUNT, MONEY, WORDS, Part, options_of
from sca_envs.challenge.procedural.retail import (
    Place,
    Shopper,
    arguments,
    paid_with,
    single_items,
    written_address,
)
from sca_envs.core.database import Record
from sca_envs.domains.m3.plans import DeadEnd
from sca_envs.domains.tau.goals import enumerate_words
from sca_envs.domains.tau_retail.goals import describe, name_method

_REASONS = {
    "no longer needed": (
        "I no longer need any of it.",
        "It's no longer needed.",
        "There is no need for it any more.",
        "We found the same in the attic, so it is no longer needed.",
    ),
    "ordered by mistake": (
        "I ordered it by mistake.",
        "That order was a mistake of mine.",
        "My son ordered it by mistake.",
        "I clicked the wrong button, so it was ordered by mistake.",
    ),
}
_REFUND = (
    "round(sum(entry['amount'] for entry in done['payment_history'] "
    "if entry['transaction_type'] == 'refund'), 2)"
)
_PAID_BY = 'order["payment_history"][0]["payment_method_id"]'


def cancel(s: Shopper) -> Part:
    """Cancel a pending order."""
    order = s.order("pending")
    place = s.place(order, details=s.rng.random() < 0.35)
    reason, *others = s.x.shuffled(_REASONS)
    ask, result, kind = s.x.pick(
        (
            ("the amount that is refunded to me for the cancellation", _REFUND, MONEY),
            ("how many items were in the cancelled order", 'len(done["items"])', COUNT),
            ("the status that the cancelled order has now", 'done["status"]', WORDS),
            (
                "the name of the first item of the cancelled order",
                'done["items"][0]["name"]',
                WORDS,
            ),
        )
    )
    wish = s.say(
        (
            "Please cancel {order}. {why}",
            "I want {order} cancelled. {why}",
            "{why} So call off {order}.",
            "Stop {order} before it is sent: {lower}",
            "Could you cancel {order} for me? {why}",
            "{order} should be cancelled. {why}",
        ),
        order=place.words,
        why=(why := s.x.pick(_REASONS[reason])),
        lower=why if why.startswith("I ") else why[0].lower() + why[1:],
    )

    def code(order_id: str, because: str, before: str = place.code) -> str:
        call = f"cancel_pending_order(order_id={order_id}, reason={because!r})"
        return f"{before}done = {call}\n"

    other = s.another(order)["order_id"]
    elsewhere = arguments(order_id=order["order_id"], **s.new_address())
    wrongs = (
        (code(place.id, others[0]), result),
        (code(repr(other), reason, ""), result),
        (f"done = modify_pending_order_address({elsewhere})\n", result),
        (code(place.id, reason) + code(repr(other), reason, ""), result),
    )
    return Part(
        _capital(wish), code(place.id, reason), result, ask, kind, wrongs, place.needs,
        (order["order_id"], paid_with(order)),
    )  # fmt: skip


def send_elsewhere(s: Shopper) -> Part:
    """Send a pending order to another address."""
    order = s.order("pending")
    place = s.place(order, details=False)
    new = s.new_address()
    if new == order["address"]:
        raise DeadEnd
    ask, result, kind = s.x.pick(
        (
            ("how many items go to the new address", 'len(done["items"])', COUNT),
            (
                "the name of the first item in the redirected order",
                'done["items"][0]["name"]',
                WORDS,
            ),
            (
                "what I paid for the redirected order",
                'done["payment_history"][0]["amount"]',
                MONEY,
            ),
        )
    )
    wish = s.say(
        (
            "I won't be at home, so please send {order} to {address}.",
            "{order} has to go to another address: {address}.",
            "Please change where {order} is shipped to. It is now {address}.",
            "Deliver {order} to {address} instead.",
            "{order} must be delivered to {address}, but leave my profile as it is.",
            "Could {order} be redirected to {address}?",
        ),
        order=place.words,
        address=written_address(new),
    )

    def code(order_id: str, given: dict[str, str], before: str = place.code) -> str:
        call = f"modify_pending_order_address(order_id={order_id}, {arguments(**given)})"
        return f"{before}done = {call}\n"

    other = s.another(order)["order_id"]
    typo = {**new, "zip": str(int(new["zip"]) % 89999 + 10000)}
    profile = f"modify_user_address({arguments(user_id=s.user_id, **new)})\n"
    looked = f"done = get_order_details(order_id={order['order_id']!r})\n"
    wrongs = (
        (code(place.id, typo), result),
        (code(repr(other), new, ""), result),
        (looked + profile, result),
        (code(place.id, new) + profile, result),
    )
    return Part(
        _capital(wish), code(place.id, new), result, ask, kind, wrongs, place.needs,
        (order["order_id"],),
    )  # fmt: skip


def send_home(s: Shopper) -> Part:
    """Send a pending order to the address in the profile."""
    order = s.order("pending")
    home = s.user["address"]
    if order["address"] == home:
        raise DeadEnd
    place = s.place(order, details=False)
    wish = s.say(
        (
            "{order} is going to the wrong place. Send it to the address in my profile.",
            "Please ship {order} to my default address, the one you have in my profile.",
            "Let {order} come to the address that my profile has.",
        ),
        order=place.words,
    )
    home_code = ", ".join(f"{key}=home[{key!r}]" for key in home)
    typed = arguments(**{**home, "address1": order["address"]["address1"]})

    def code(order_id: str, given: str = home_code, before: str = place.code) -> str:
        call = f"modify_pending_order_address(order_id={order_id}, {given})"
        return f'{before}home = user["address"]\ndone = {call}\n'

    result = 'done["address"]["zip"]'
    other = s.another(order)["order_id"]
    profile = arguments(user_id=s.user_id, **order["address"])
    wrongs = (
        (code(place.id, typed), result),
        (code(repr(other), before=""), result),
        (f"done = modify_user_address({profile})\n", result),
    )
    return Part(
        _capital(wish), code(place.id), result, "the zip code that the redirected order now goes to", WORDS,
        wrongs, "user", (order["order_id"], "profile"),
    )  # fmt: skip


def move_house(s: Shopper) -> Part:
    """Change the address in the profile."""
    new = s.new_address()
    ask, result, kind = s.x.pick(
        (
            ("the zip code in my profile", 'done["address"]["zip"]', WORDS),
            ("how many orders my profile lists", 'len(done["orders"])', COUNT),
            (
                "how many payment methods my profile has",
                'len(done["payment_methods"])',
                COUNT,
            ),
        )
    )
    wish = s.say(
        (
            "I have moved: my default address is now {address}. My orders stay as they are.",
            "Please put a new address into my profile: {address}.",
            "The address in my account is out of date. The right one is {address}.",
            "Update my profile's address to {address}, and nothing else.",
            "From now on I live at {address}; change my profile accordingly.",
        ),
        address=written_address(new),
    )

    def code(given: dict[str, str]) -> str:
        return f"done = modify_user_address(user_id=user_id, {arguments(**given)})\n"

    old = s.user["address"]
    order = s.orders[0]["order_id"]
    only_order = arguments(order_id=order, **new)
    looked = "done = get_user_details(user_id=user_id)\n"
    wrongs = [
        (code({**new, "zip": old["zip"]}), result),
        (code({**new, "address2": old["address2"]}), result),
        (code({**new, "address1": new["address1"] + " North"}), result),
    ]
    if s.orders[0]["status"] == "pending":
        wrongs.insert(1, (f"{looked}modify_pending_order_address({only_order})\n", result))
    return Part(wish, code(new), result, ask, kind, tuple(wrongs), "user_id", ("profile",))


def live_where_it_goes(s: Shopper) -> Part:
    """Take an order's address over into the profile."""
    orders = [o for o in s.orders if o["address"] != s.user["address"]]
    order = s.x.pick(orders)
    place = s.place(order)
    wish = s.say(
        (
            "I live where {order} goes. Make that address the default one in my profile.",
            "Copy the shipping address of {order} into my profile.",
            "My profile should have the same address as {order}; the order itself is fine.",
        ),
        order=place.words,
    )
    fields = list(order["address"])

    def code(source: str) -> str:
        given = ", ".join(f"{key}={source}[{key!r}]" for key in fields)
        user_id = 'order["user_id"]'
        return f"{place.code}done = modify_user_address(user_id={user_id}, {given})\n"

    result = 'done["address"]["zip"]'
    mixed = {**s.user["address"], "zip": order["address"]["zip"]}
    typed = {**order["address"], "address2": ""}
    wrongs = tuple(
        (f"done = modify_user_address({arguments(user_id=s.user_id, **given)})\n", result)
        for given in (mixed, typed, s.new_address())
    )
    return Part(
        wish, code('order["address"]'), result, "the zip code that my profile has then", WORDS,
        wrongs, place.needs, (order["order_id"], "profile"),
    )  # fmt: skip


def pay_otherwise(s: Shopper) -> Part:
    """Pay a pending order with another payment method."""
    order = s.order("pending")
    place = s.place(order, details=False)
    amount = order["payment_history"][0]["amount"]
    fitting = [m for m in s.other_methods(paid_with(order)) if m.get("balance", amount) >= amount]
    method = s.x.pick(fitting)
    ask, result = s.x.pick(
        (
            (f"the amount that is charged to {name_method(method)}", 'done["payment_history"][1]["amount"]'),
            ("the amount that goes back to my old payment method", 'done["payment_history"][2]["amount"]'),
            *(
                [("what is left on the gift card", 'round(method["balance"] - '
                  'done["payment_history"][1]["amount"], 2)')]
                if "balance" in method
                else []
            ),
        )
    )  # fmt: skip
    wish = s.say(
        (
            "I'd like to pay for {order} with {method}.",
            "Please switch the payment of {order} to {method}.",
            "Charge {method} for {order} instead of what I chose at first.",
            "The payment method of {order} should be {method}.",
            "I picked the wrong way to pay for {order}; it has to be {method}.",
        ),
        order=place.words,
        method=name_method(method),
    )
    found = s.method_code(method)

    def code(order_id: str, method_id: str = 'method["id"]', before: str = place.code) -> str:
        given = f"order_id={order_id}, payment_method_id={method_id}"
        return f"{before}{found}done = modify_pending_order_payment({given})\n"

    wrongs = [
        (
            f"{place.code}{found}looked = get_order_details(order_id={place.id})\n"
            f"cancel_pending_order(order_id={place.id}, reason='no longer needed')\n"
            'done = {"payment_history": [looked["payment_history"][0]] * 3}\n',
            result,
        )
    ]
    wrongs = [
        *((code(place.id, repr(m["id"])), result) for m in fitting if m is not method),
        *wrongs,
    ]
    for other in s.orders:
        if other["status"] == "pending" and other is not order:
            wrongs.insert(0, (code(repr(other["order_id"]), before=""), result))
    return Part(
        _capital(wish), code(place.id), result, ask, MONEY, tuple(wrongs), "user",
        (order["order_id"], method["id"], paid_with(order)),
    )  # fmt: skip


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
        _capital(wish), code(condition), result, ask, kind, wrongs,
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
    return words, "", _PAID_BY, others, ""


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
        wordings, order=place.words, name=item["name"], wish=words, Wish=_capital(words)
    ) + s.x.pick(
        (
            " Settle any difference with the payment method of the order.",
            " The difference goes to, or comes from, what I paid the order with.",
            " For any difference use the way I paid.",
        )
    )  # fmt: skip

    def code(choice: str, method: str = _PAID_BY, use: str = tool) -> str:
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
            f'item_ids=[old["item_id"]], payment_method_id={_PAID_BY})\n'
            if status == "delivered"
            else f"{gone}cancel_pending_order(order_id={place.id}, reason='no longer needed')\n",
            result,
        ),
    )
    return Part(
        _capital(wish), code(choice), result, ask, kind, wrongs, place.needs,
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


def cancel_or_return(s: Shopper) -> Part:
    """Cancel an order if it is still pending, else return all of it."""
    order = s.order("pending", "delivered")
    place: Place = s.place(order)
    reason = "no longer needed"
    wish = s.say(
        (
            "I no longer need anything of {order}. If it is still pending, cancel it for that "
            "reason; if it was delivered already, return all of it, refunded the way I paid.",
            "Get rid of {order} for me, it's no longer needed: a cancellation as long as it is "
            "pending, otherwise a return of everything to the payment method that I used.",
            "Has {order} been delivered? Then I return every item and want the money back where "
            "it came from. If it's only pending, cancel it as no longer needed.",
        ),
        order=place.words,
    )
    cancels = f"cancel_pending_order(order_id={place.id}, reason={reason!r})"
    ids = '[item["item_id"] for item in order["items"]]'

    def returns(ids: str) -> str:
        given = f"order_id={place.id}, item_ids={ids}, payment_method_id={_PAID_BY}"
        return f"return_delivered_order_items({given})"

    def code(ids: str = ids, status: str = "pending", cancels: str = cancels) -> str:
        return (
            f'{place.code}if order["status"] == {status!r}:\n    done = {cancels}\n'
            f"else:\n    done = {returns(ids)}\n"
        )

    by_mistake = cancels.replace("no longer needed", "ordered by mistake")
    item = order["items"][0]["item_id"]
    swapped = f'{place.code}done = {{"status": "done"}}\n'
    other = s.another(order)
    result = 'done["status"]'
    wrongs = (
        (code(repr([item])), result),
        (code(cancels=by_mistake), result),
        (swapped, result),
        (
            code().replace(place.code, f"order = get_order_details(order_id={other['order_id']!r})\n"),
            result,
        ),
        (f'{place.code}done = {{"status": {"returned" if order["status"] == "pending" else "cancelled"!r}}}\n', result),
    )  # fmt: skip
    return Part(
        _capital(wish), code(), result, f"the status that {place.words} has in the end", WORDS,
        wrongs, place.needs, (order["order_id"], paid_with(order)), skipped=1,
    )  # fmt: skip


def cancel_if_dear(s: Shopper) -> Part:
    """Cancel a pending order if it cost more than some amount, else redirect it."""
    order = s.order("pending")
    place = s.place(order)
    paid = order["payment_history"][0]["amount"]
    limit = max(10, round(paid + s.rng.choice((-1, 1)) * s.rng.uniform(15, 200)))
    new = s.new_address()
    if new == order["address"]:
        raise DeadEnd
    wish = s.say(
        (
            "If I paid more than ${limit} for {order}, cancel it; I ordered it by mistake. If "
            "not, keep it and send it to {address}.",
            "Look at the total of {order}. Above ${limit} I want it cancelled as ordered by "
            "mistake, otherwise it shall go to {address}.",
            "{order} was a mistake, so cancel it, but only if it cost over ${limit}. A cheaper "
            "order I'd keep and have delivered to {address}.",
        ),
        order=place.words,
        limit=limit,
        address=written_address(new),
    )
    cancels = f"cancel_pending_order(order_id={place.id}, reason='ordered by mistake')"

    def code(sign: str = ">", cancels: str = cancels, given: dict[str, str] = new) -> str:
        moves = f"modify_pending_order_address(order_id={place.id}, {arguments(**given)})"
        return (
            f'{place.code}paid = order["payment_history"][0]["amount"]\n'
            f"if paid {sign} {limit}:\n    done = {cancels}\nelse:\n    done = {moves}\n"
        )

    typo = {**new, "city": s.user["address"]["city"], "zip": s.user["address"]["zip"]}
    wrongs = (
        (code("<"), "paid"),
        (code(cancels=cancels.replace("ordered by mistake", "no longer needed")), "paid"),
        (code(given=typo), "paid"),
        (code() + f"modify_user_address({arguments(user_id=s.user_id, **new)})\n", "paid"),
        (f'{place.code}paid = order["payment_history"][0]["amount"]\n', "paid"),
    )
    return Part(
        _capital(wish), code(), "paid", f"what I paid for {place.words}", MONEY, wrongs, place.needs,
        (order["order_id"], paid_with(order)), skipped=1,
    )  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


PARTS: tuple[Callable[[Shopper], Part], ...] = (
    cancel,
    cancel,
    send_elsewhere,
    send_elsewhere,
    send_home,
    move_house,
    live_where_it_goes,
    pay_otherwise,
    pay_otherwise,
    send_back,
    send_back,
    swap_pending,
    swap_pending,
    swap_delivered,
    swap_delivered,
    cancel_or_return,
    cancel_if_dear,
)
"""What a customer may want, the frequent ones more than once."""
