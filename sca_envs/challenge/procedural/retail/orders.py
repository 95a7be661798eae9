"""What retail customers want changed about an order or their profile as a whole."""

from __future__ import annotations

from collections.abc import Callable

from sca_envs.challenge.procedural.parts import COUNT, MONEY, WORDS, Part
from sca_envs.challenge.procedural.retail.shopper import (
    Shopper,
    arguments,
    paid_with,
    written_address,
)
from sca_envs.core.wishes import DeadEnd
from sca_envs.domains.tau.goals import capitalized
from sca_envs.domains.tau_retail.goals import name_method

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
        capitalized(wish), code(place.id, reason), result, ask, kind, wrongs, place.needs,
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
        capitalized(wish), code(place.id, new), result, ask, kind, wrongs, place.needs,
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
        capitalized(wish), code(place.id), result,
        "the zip code that the redirected order now goes to", WORDS, wrongs, "user",
        (order["order_id"], "profile"),
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
    charged, returned = (f'done["payment_history"][{i}]["amount"]' for i in (1, 2))
    choices = [
        (f"the amount that is charged to {name_method(method)}", charged),
        ("the amount that goes back to my old payment method", returned),
    ]
    if "balance" in method:
        left = f'round(method["balance"] - {charged}, 2)'
        choices.append(("what is left on the gift card", left))
    ask, result = s.x.pick(choices)
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
        capitalized(wish), code(place.id), result, ask, MONEY, tuple(wrongs), "user",
        (order["order_id"], method["id"], paid_with(order)),
    )  # fmt: skip


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
)
"""What a customer may want, the frequent wishes more than once."""
