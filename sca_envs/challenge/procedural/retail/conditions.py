"""What retail customers want done on a condition, which has to be looked up first."""

from __future__ import annotations

from collections.abc import Callable

from sca_envs.challenge.procedural.parts import MONEY, WORDS, Part
from sca_envs.challenge.procedural.retail.shopper import (
    PAID_BY,
    Place,
    Shopper,
    arguments,
    paid_with,
    written_address,
)
from sca_envs.core.wishes import DeadEnd
from sca_envs.domains.tau.goals import capitalized


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
        given = f"order_id={place.id}, item_ids={ids}, payment_method_id={PAID_BY}"
        return f"return_delivered_order_items({given})"

    def code(ids: str = ids, status: str = "pending", cancels: str = cancels) -> str:
        return (
            f'{place.code}if order["status"] == {status!r}:\n    done = {cancels}\n'
            f"else:\n    done = {returns(ids)}\n"
        )

    by_mistake = cancels.replace("no longer needed", "ordered by mistake")
    item = order["items"][0]["item_id"]
    untouched = f'{place.code}done = {{"status": "done"}}\n'
    other = s.another(order)["order_id"]
    elsewhere = f"order = get_order_details(order_id={other!r})\n"
    claimed = "returned" if order["status"] == "pending" else "cancelled"
    result = 'done["status"]'
    wrongs = (
        (code(repr([item])), result),
        (code(cancels=by_mistake), result),
        (untouched, result),
        (code().replace(place.code, elsewhere), result),
        (untouched, repr(claimed)),
    )
    return Part(
        capitalized(wish), code(), result, f"the status that {place.words} has in the end", WORDS,
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
        capitalized(wish), code(), "paid", f"what I paid for {place.words}", MONEY, wrongs,
        place.needs, (order["order_id"], paid_with(order)), skipped=1,
    )  # fmt: skip


PARTS: tuple[Callable[[Shopper], Part], ...] = (
    cancel_or_return,
    cancel_if_dear,
)
"""What a customer may want, the frequent wishes more than once."""
