"""Pieces of an airline customer's goals: how trips, flights and payment methods are named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sca_envs.core.database import Record
from sca_envs.core.task import Fact, ReferenceAction
from sca_envs.domains.tau.goals import PAYMENT_CUES, Context, action
from sca_envs.domains.tau_airline.airports import AIRPORTS

TRIP_CUES = (
    r"(?:which|what) (?:reservation|booking|trip)",
    r"(?:reservation|booking|confirmation)(?:'s)? ?(?:id|number|code)",
    r"(?:id|number|code) of (?:the|your) (?:reservation|booking|trip)",
)
FLIGHT_CUES = (
    r"(?:which|what) (?:new |other )?(?:flight|date|day|time)",
    r"\bdates?\b(?! of birth)",
    r"\bwhen\b",
    r"new (?:flight|date)",
    r"flights? (?:would|do|to)",
    r"prefer",
    r"non-?stop|direct|connection",
    r"depart",
)
PAYING_CUES = (*PAYMENT_CUES, r"certificate")
_LOOKED_THROUGH = 3
"""Most reservations that an agent has to look at to find the one that is meant."""


def reservations(c: Context, fits: Callable[[Record], bool]) -> Iterator[Record]:
    """Yield the customer's fitting reservations that no goal is about, shuffled.

    What was booked or cancelled in the same conversation is left out.
    """
    base = c.db.base.tables["reservations"]
    own = [key for key in c.user["reservations"] if key in base and key not in c.used]
    c.rng.shuffle(own)
    for key in own:
        reservation = c.record("reservations", key)
        if "status" not in reservation and fits(reservation):
            yield reservation


def name_airport(code: str) -> str:
    """Return an airport as a customer names it."""
    return f"{AIRPORTS[code].city} ({code})"


def name_date(date: str) -> str:
    """Return a date as a customer says it."""
    return f"May {int(date[-2:])}"


def name_cabin(cabin: str) -> str:
    """Return a cabin as a customer says it."""
    return cabin.replace("_", " ")


def name_passenger(passenger: Record) -> str:
    """Return the full name of a passenger."""
    return f"{passenger['first_name']} {passenger['last_name']}"


def _name_method(method: Record) -> str:
    match method["source"]:
        case "credit_card":
            return f"my {method['brand']} ending in {method['last_four']}"
        case "gift_card":
            return f"my gift card with ${method['amount']} on it"
        case _:
            return f"my ${method['amount']} certificate"


def named_methods(c: Context, *sources: str) -> list[tuple[str, Record]]:
    """Return the customer's payment methods that a name singles out, with their names, shuffled.

    Empty ones are left out, and those that an earlier goal used or sent: with the amounts of the
    beginning, the customer's words are right at any time.
    """
    present = c.user["payment_methods"]
    first = c.db.base.tables["users"][c.user_id]["payment_methods"]
    names = {key: _name_method(method) for key, method in {**present, **first}.items()}
    taken = [*names.values(), *(_name_method(m) for k, m in present.items() if m != first.get(k))]
    found = [
        (names[key], method)
        for key, method in present.items()
        if method["source"] in sources
        and method == first.get(key)
        and taken.count(names[key]) == 1
        and method.get("amount", 1) > 0
    ]
    c.rng.shuffle(found)
    return found


def choose_payment(c: Context, amount: float) -> tuple[str, Record] | None:
    """Draw a payment method that can pay for a change, with its name."""
    for name, method in named_methods(c, "credit_card", "gift_card"):
        if method.get("amount", amount) >= amount:
            return name, method
    return None


def paying_fact(c: Context, name: str) -> tuple[Fact, str]:
    """Return the fact of how a change is paid or refunded."""
    return c.fact(
        "payment",
        PAYING_CUES,
        (
            "Any difference goes on {method}.",
            "Please use {method} for whatever there is to pay or to refund.",
            "For payment or refund take {method}.",
        ),
        method=name,
    )


def name_trip(c: Context, reservation: Record) -> tuple[str, Fact, tuple[ReferenceAction, ...]]:
    """Return how the opening names a reservation, the fact of which it is, and how to look it up.

    Half of the customers who could be understood without the id do not know it.
    """
    key = reservation["reservation_id"]
    own: Sequence[str] = c.user["reservations"]
    place = own.index(key)
    if route_is_telling(c, reservation) and place < _LOOKED_THROUGH and c.rng.random() < 0.5:
        known = "my trip from {} to {}".format(*map(name_airport, _route(reservation)))
        text = c.say(
            (
                "I don't have the reservation id. It is {words}.",
                "No idea about the id, but it's {words}.",
                "I can only tell you that it is {words}.",
            ),
            words=known,
        )
        looked_up = own[: place + 1]
    else:
        known, looked_up = f"reservation {key}", [key]
        text = c.say(
            ("It is reservation {id}.", "The reservation id is {id}.", "That would be {id}."),
            id=key,
        )
    given = c.tells()
    vague = c.rng.choice(("one of my reservations", "a trip of mine", "a trip I booked"))
    fact = Fact(key="trip", cues=TRIP_CUES, text=text, given=given)
    reads = tuple(action("get_reservation_details", reservation_id=read) for read in looked_up)
    return known if given else vague, fact, reads


def _route(reservation: Record) -> tuple[str, str]:
    return reservation["origin"], reservation["destination"]


def route_is_telling(c: Context, reservation: Record) -> bool:
    """Return whether none of the customer's other reservations has the same airports."""
    others = [c.record("reservations", key) for key in c.user["reservations"]]
    return [_route(other) for other in others].count(_route(reservation)) == 1


def ids_of(reservation: Record, *more: str) -> tuple[str, ...]:
    """Return the ids that an agent may name when it asks for confirmation."""
    own = [reservation["reservation_id"]]
    own += [flight["flight_number"] for flight in reservation["flights"]]
    own += [payment["payment_id"] for payment in reservation["payment_history"]]
    return tuple(dict.fromkeys((*own, *more)))
