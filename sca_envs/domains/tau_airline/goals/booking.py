"""Goals that book a trip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sca_envs.core.database import Record
from sca_envs.core.task import Fact, ReferenceAction, Request
from sca_envs.domains.tau.goals import Context, Goal, action, capitalized, sentence
from sca_envs.domains.tau_airline.airports import AIRPORTS
from sca_envs.domains.tau_airline.changes import BAG_FEE, BOOKING_IDS, INSURANCE_FEE
from sca_envs.domains.tau_airline.goals.offers import (
    Offer,
    choose,
    general_wishes,
    pick,
    search,
    with_seats,
)
from sca_envs.domains.tau_airline.goals.pieces import (
    FLIGHT_CUES,
    PAYING_CUES,
    name_airport,
    name_cabin,
    name_date,
    name_passenger,
    named_methods,
)
from sca_envs.domains.tau_airline.lookups import get_timetable
from sca_envs.domains.tau_airline.network import DAYS, TODAY, date_of, far_apart
from sca_envs.domains.tau_airline.rules import extra_bags
from sca_envs.domains.tau_airline.world import person

_CABINS = ("basic_economy", "economy", "business")
_ATTEMPTS = 20
_ROUTE_CUES = (
    r"\bwhere\b",
    r"origin",
    r"destination",
    r"(?:from|to) (?:which|what)",
    r"(?:which|what) (?:city|cities|airports?|route)",
    r"one[- ]way",
    r"round[- ]trip",
    r"type of trip|trip type",
)
_CABIN_CUES = (r"cabin", r"\bclass\b", r"\beconomy\b", r"\bbusiness\b")
_PASSENGER_CUES = (
    r"passenger",
    r"travell?er",
    r"birth|\bdob\b",
    r"\bnames?\b",
    r"who(?:'s| is| will| else| are)",
    r"how many (?:people|persons|of you)",
)
_BAG_CUES = (r"\bbags?\b", r"baggage", r"luggage", r"suitcase")
_INSURANCE_CUES = (r"insur",)
_OPENINGS = (
    "I'd like to book a trip.",
    "Please book flights for me.",
    "I need to fly somewhere and want to book that now.",
    "Can you make a new reservation for me?",
)


class _Trip(NamedTuple):
    """A trip to book, with what the customer says about it."""

    origin: str
    destination: str
    flight_type: str
    offers: tuple[Offer, ...]
    """One for each direction."""
    route: str
    wish: str
    reads: tuple[ReferenceAction, ...]


def book_one_way(c: Context) -> Goal | None:
    """Book a direct flight."""
    return _book(c, direct=True, back=False)


def book_with_stop(c: Context) -> Goal | None:
    """Book a connection between airports without direct flights."""
    return _book(c, direct=False, back=False)


def book_round_trip(c: Context) -> Goal | None:
    """Book direct flights there and back."""
    return _book(c, direct=True, back=True)


def book_with_certificates(c: Context) -> Goal | None:
    """Book and want to pay with two certificates, of which the policy allows one."""
    return _book(c, direct=True, back=False, two_certificates=True)


def _book(c: Context, *, direct: bool, back: bool, two_certificates: bool = False) -> Goal | None:
    if all(c.db.get("reservations", key) is not None for key in BOOKING_IDS):
        return None
    passengers, passenger_text = _passengers(c)
    cabin = c.rng.choice(_CABINS)
    trip = _draw_trip(c, cabin, len(passengers), direct=direct, back=back)
    if trip is None:
        return None
    bags, nonfree = _bags(c, cabin, len(passengers))
    insured = c.rng.random() < 0.4
    total = sum(offer.price(cabin) for offer in trip.offers) * len(passengers)
    total += INSURANCE_FEE * len(passengers) * insured + BAG_FEE * nonfree
    paid = _two_certificates(c, total) if two_certificates else _payment(c, total)
    if paid is None:
        return None
    payments, payment_text = paid
    told = [
        *_trip_facts(c, trip, cabin),
        c.fact("passengers", _PASSENGER_CUES, (passenger_text,)),
        _bag_fact(c, bags),
        _insurance_fact(c, insured),
        c.fact("payment", PAYING_CUES, (payment_text,)),
    ]
    write = action(
        "book_reservation",
        user_id=c.user_id,
        origin=trip.origin,
        destination=trip.destination,
        flight_type=trip.flight_type,
        cabin=cabin,
        flights=[segment for offer in trip.offers for segment in offer.segments],
        passengers=passengers,
        payment_methods=payments,
        total_baggages=bags,
        nonfree_baggages=nonfree,
        insurance="yes" if insured else "no",
    )
    numbers = [s["flight_number"] for offer in trip.offers for s in offer.segments]
    request = Request(
        opening=sentence(c.say(_OPENINGS), *(text for _, text in told)),
        facts=tuple(fact for fact, _ in told),
        ids=(*numbers, *(payment["payment_id"] for payment in payments)),
    )
    return Goal(request, (*trip.reads, write))


def _trip_facts(c: Context, trip: _Trip, cabin: str) -> list[tuple[Fact, str]]:
    wishes = ("I want {wish}.", "Please take {wish}.")
    cabins = ("In {cabin}.", "In {cabin}, please.", "We fly {cabin}.")
    return [
        c.fact("route", _ROUTE_CUES, (trip.route,)),
        c.fact("flight", FLIGHT_CUES, wishes, wish=trip.wish),
        c.fact("cabin", _CABIN_CUES, cabins, cabin=name_cabin(cabin)),
    ]


# Where to, and with which flights


def _draw_trip(
    c: Context, cabin: str, passengers: int, *, direct: bool, back: bool
) -> _Trip | None:
    flying = set(get_timetable(c.db).routes)
    apart = [(a, b) for a in AIRPORTS for b in AIRPORTS if far_apart(a, b)]
    other = [route for route in apart if route not in flying]
    routes = sorted(flying) if direct else other
    for _ in range(_ATTEMPTS):
        origin, destination = c.rng.choice(routes)
        day = c.rng.randint(TODAY + 1, DAYS)
        if not back:
            trip = _there(c, origin, destination, date_of(day), cabin, passengers)
        elif day + 2 <= DAYS:
            dates = date_of(day), date_of(c.rng.randint(day + 2, DAYS))
            trip = _there_and_back(c, origin, destination, dates, cabin, passengers)
        else:
            continue
        if trip is not None:
            return trip
    return None


def _there(
    c: Context, origin: str, destination: str, date: str, cabin: str, passengers: int
) -> _Trip | None:
    found = search(c, origin, destination, date)
    if found is None:
        return None
    offers, read = found
    chosen = choose(c, with_seats(offers, cabin, passengers), cabin)
    if chosen is None:
        return None
    offer, wish = chosen
    route = c.say(
        (
            "It's one way from {origin} to {destination} on {date}.",
            "From {origin} to {destination} on {date}, only one way.",
            "I fly from {origin} to {destination} on {date} and need no flight back.",
        ),
        origin=name_airport(origin),
        destination=name_airport(destination),
        date=name_date(date),
    )
    return _Trip(origin, destination, "one_way", (offer,), route, wish.words(offer), (read,))


def _there_and_back(
    c: Context, origin: str, destination: str, dates: tuple[str, str], cabin: str, passengers: int
) -> _Trip | None:
    ways = ((origin, destination, dates[0]), (destination, origin, dates[1]))
    found = [search(c, *way) for way in ways]
    wishes = general_wishes(cabin)
    c.rng.shuffle(wishes)
    for wish in wishes:
        picked = [
            pick(wish, with_seats(offers, cabin, passengers)) for offers, _ in filter(None, found)
        ]
        offers = tuple(offer for offer in picked if offer is not None)
        if len(offers) == len(ways):
            break
    else:
        return None
    route = c.say(
        (
            "A round trip from {origin} to {destination}, there on {out} and back on {back}.",
            "I go from {origin} to {destination} on {out} and return on {back}.",
            "It's {origin} to {destination} and back: I leave on {out} and come home on {back}.",
        ),
        origin=name_airport(origin),
        destination=name_airport(destination),
        out=name_date(dates[0]),
        back=name_date(dates[1]),
    )
    words = f"{wish.words(offers[0])}, both on the way there and on the way back"
    reads = tuple(read for _, read in filter(None, found))
    return _Trip(origin, destination, "round_trip", offers, route, words, reads)


# Who travels, with what, and who pays


def _passengers(c: Context) -> tuple[list[Record], str]:
    """Draw who travels: the customer alone, with saved passengers, or with somebody new."""
    user = c.user
    me = {**user["name"], "dob": user["dob"]}
    company = c.rng.choices((0, 1, 2), (5, 3, 2))[0]
    if not company:
        text = c.say(
            (
                "I travel alone. My date of birth is in my profile.",
                "Just me; you have my date of birth in the profile.",
                "The only passenger is me, and my profile has my date of birth.",
            )
        )
        return [me], text
    others = [dict(passenger) for passenger in user["saved_passengers"][:1]]
    told = [f"{name_passenger(others[0])}, whose details are saved in my profile"]
    if company == 2:
        others.append(person(c.rng))
    elif c.rng.random() < 0.5:
        others, told = [person(c.rng)], []
    if len(others) == 2 or not told:
        told.append(f"{name_passenger(others[-1])}, born on {others[-1]['dob']}")
    text = c.say(
        (
            "The passengers, in this order, are me and then {others}.",
            "First passenger is me (my date of birth is in my profile), then {others}.",
            "Put me down first and then {others}.",
        ),
        others=", and ".join(told),
    )
    return [me, *others], text


def _bags(c: Context, cabin: str, passengers: int) -> tuple[int, int]:
    """Draw a number of checked bags, and return it with how many must be paid."""
    membership = c.user["membership"]
    bags = c.rng.choice((0, 1, 1, 2, 2, 3, 4)) + c.rng.randint(0, passengers - 1)
    return bags, extra_bags(membership, cabin, passengers, bags)


def _bag_fact(c: Context, bags: int) -> tuple[Fact, str]:
    wordings: Sequence[str] = (
        "We check {n} in all.",
        "There will be {n} to check in, all together.",
        "In total it's {n} for the hold.",
    )
    if not bags:
        wordings = (
            "No checked bags.",
            "No bags to check in.",
            "Hand luggage only, no checked bag.",
        )
    return c.fact("bags", _BAG_CUES, wordings, n="1 bag" if bags == 1 else f"{bags} bags")


def _insurance_fact(c: Context, insured: bool) -> tuple[Fact, str]:
    wordings = (
        ("With travel insurance, please.", "I want the travel insurance.", "Insure the trip, too.")
        if insured
        else ("No travel insurance.", "I don't want insurance.", "Without the insurance.")
    )
    return c.fact("insurance", _INSURANCE_CUES, wordings)


def _payment(c: Context, total: int) -> tuple[list[dict[str, Any]], str] | None:
    """Draw how a total is paid, and return the payments with what the customer says."""
    ways = list(_ways_to_pay(c))
    c.rng.shuffle(ways)
    for methods in ways:
        payments = _split(methods, total)
        if payments is not None:
            return payments, _paying_text(c, [name for name, _ in methods])
    return None


def _ways_to_pay(c: Context) -> Iterator[list[tuple[str, Record]]]:
    """Yield payment methods in the order in which they are used, as the policy allows them."""
    cards, gifts, certificates = (
        named_methods(c, source)[:1] for source in ("credit_card", "gift_card", "certificate")
    )
    last = cards or gifts
    if last:
        yield last
    if gifts and cards:
        yield [*gifts, *cards]
    if certificates and last:
        yield [*certificates, *last]
    if certificates and gifts and cards:
        yield [*certificates, *gifts, *cards]


def _split(methods: Sequence[tuple[str, Record]], total: int) -> list[dict[str, Any]] | None:
    """Return the payments if each method pays what it can, one after the other."""
    payments, left = [], total
    for _, method in methods:
        amount = min(left, method.get("amount", left))
        if amount:
            payments.append({"payment_id": method["id"], "amount": amount})
        left -= amount
    return None if left else payments


def _paying_text(c: Context, names: Sequence[str]) -> str:
    if len(names) == 1:
        wordings = ("I pay with {name}.", "Please charge {name}.", "{Name} pays for all of it.")
        return c.say(wordings, name=names[0], Name=capitalized(names[0]))
    first, *others = names
    rest = ", then ".join(others)
    return c.say(
        (
            "Use up {first} first, then {rest} for what is left to pay.",
            "First take as much as possible from {first}, then from {rest}.",
            "{First} goes first, as far as it reaches, then {rest}.",
        ),
        first=first,
        First=capitalized(first),
        rest=rest,
    )


def _two_certificates(c: Context, total: int) -> tuple[list[dict[str, Any]], str] | None:
    """Pay with the larger of two certificates, as a second one is not allowed."""
    certificates = named_methods(c, "certificate")[:2]
    cards = named_methods(c, "credit_card")[:1]
    if len(certificates) < 2 or not cards:
        return None
    amounts = sorted((method["amount"] for _, method in certificates), reverse=True)
    larger = max(certificates, key=lambda named: named[1]["amount"])
    payments = _split([larger, *cards], total)
    text = c.say(
        (
            "I want to use both {a} and {b}. If only one is allowed, take the larger first and put "
            "the rest on {card}.",
            "Please take {a} and {b}. Should just one work, then the bigger of them, and {card} "
            "for what is left.",
            "I have {a} and {b} to pay with. Only one possible? Then the ${most} one, and the "
            "remainder goes on {card}.",
        ),
        a=certificates[0][0],
        b=certificates[1][0],
        most=str(amounts[0]),
        card=cards[0][0],
    )
    return (payments, text) if payments else None
