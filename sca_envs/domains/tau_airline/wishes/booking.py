"""Wishes that book a trip."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from sca_envs.core.database import Record
from sca_envs.core.wishes import Customer, DeadEnd, Term, Wish, derive
from sca_envs.core.wishes.terms import plain
from sca_envs.domains.tau_airline.airports import AIRPORTS
from sca_envs.domains.tau_airline.changes import BAG_FEE, BOOKING_IDS, INSURANCE_FEE
from sca_envs.domains.tau_airline.network import DAYS, TODAY, date_of, far_apart
from sca_envs.domains.tau_airline.wishes.offers import (
    Choice,
    Day,
    draw_choice,
    draw_common_choice,
    draw_route,
    search,
)
from sca_envs.domains.tau_airline.wishes.pieces import (
    CABINS,
    change_profile,
    draw_methods,
    find_method,
    free_bags_each,
    name_cabin,
    name_date,
    name_method,
    name_passenger,
    name_route,
)
from sca_envs.domains.tau_airline.world import person

_ATTEMPTS = 20
_INSURES = 0.4
_LIMITS = (0.75, 0.9, 1.1, 1.25)
"""What a customer would pay at most, as shares of the price."""


class _Party(NamedTuple):
    """Who travels, and in which cabin."""

    cabin: str
    saved: int
    """How many passengers come along that the profile has."""
    new: tuple[Record, ...]
    """Who comes along besides."""

    @property
    def size(self) -> int:
        """Number of passengers."""
        return 1 + self.saved + len(self.new)


class _Route(NamedTuple):
    """The flights of a trip to book, one day and offer for each direction."""

    days: tuple[Day, ...]
    choice: Choice
    other: Choice | None
    """What would single out other flights."""
    fare: int
    """Price of the flights for one passenger."""


def book_one_way(c: Customer) -> Wish:
    """Book a direct flight."""
    return _book(c, _draw_ways_to_pay(c))


def book_with_stop(c: Customer) -> Wish:
    """Book a connection between airports without direct flights."""
    return _book(c, _draw_ways_to_pay(c), direct=False)


def book_round_trip(c: Customer) -> Wish:
    """Book direct flights there and back."""
    return _book(c, _draw_ways_to_pay(c), back=True)


def book_with_certificates(c: Customer) -> Wish:
    """Book and want to pay with two certificates, of which the policy allows one."""
    certificates, cards = draw_methods(c, "certificate")[:2], draw_methods(c, "credit_card")
    if len(certificates) < 2 or not cards:
        raise DeadEnd
    smaller, larger = sorted(certificates, key=lambda method: method["amount"])
    return _book(c, [[larger, cards[0]]], unwanted=smaller)


def book_within_limit(c: Customer) -> Wish:
    """Book a direct flight only if all of it is cheap enough."""
    return _book(c, [[c.pick(draw_methods(c, "credit_card"))]], limited=True)


class _Order(NamedTuple):
    """A booking as it is written, but for the flights, the total and the insurance."""

    user_id: str
    route: _Route
    dates: tuple[Term, ...]
    party: _Party
    passengers: list[Any]
    bags: Term
    extra: Term
    """How many of the bags must be paid."""
    methods: list[Term]
    """The payment methods in the order in which they are used up."""

    def price(self, offers: Sequence[Term], insured: bool) -> Term:
        """Return what everything costs."""
        days, size = self.route.days, self.party.size
        fares = [day.price(one, self.party.cabin) for day, one in zip(days, offers, strict=True)]
        fare: Term = fares[0] if len(fares) == 1 else fares[0] + fares[1]
        total = fare * size if size > 1 else fare
        if insured:
            total = total + INSURANCE_FEE * size
        return total + BAG_FEE * self.extra if self.bags.value else total

    def call(
        self, offers: Sequence[Term], total: Term, insured: bool
    ) -> tuple[str, dict[str, Any]]:
        """Return the call that books some offers."""
        days = self.route.days
        flights = [
            segment
            for day, offer, date in zip(days, offers, self.dates, strict=True)
            for segment in day.segments(offer, date)
        ]
        return "book_reservation", {
            "user_id": self.user_id,
            "origin": days[0].origin,
            "destination": days[0].destination,
            "flight_type": "one_way" if len(days) == 1 else "round_trip",
            "cabin": self.party.cabin,
            "flights": flights,
            "passengers": self.passengers,
            "payment_methods": _write_payments(self.methods, total),
            "total_baggages": self.bags,
            "nonfree_baggages": self.extra,
            "insurance": "yes" if insured else "no",
        }


def _book(
    c: Customer,
    ways_to_pay: list[list[Record]],
    *,
    direct: bool = True,
    back: bool = False,
    limited: bool = False,
    unwanted: Record | None = None,
) -> Wish:
    """Book a trip.

    Args:
        c: The customer.
        ways_to_pay: Payment methods in the order in which they are used up; the first way that
            pays everything is taken.
        direct: Whether with direct flights.
        back: Whether there and back.
        limited: Whether only up to a price.
        unwanted: A certificate that the customer wants to use, too, against the policy.
    """
    change_profile(c)
    if all(c.db.get("reservations", key) is not None for key in BOOKING_IDS):
        raise DeadEnd
    party = _draw_party(c)
    route = _draw_route(c, party, direct=direct, back=back)
    _tell_route(c, route, party)
    passengers = _tell_passengers(c, party)
    bags, extra = _tell_bags(c, party)
    insured = c.rng.random() < _INSURES
    c.tell("insurance", insured, wording="insured" if insured else "not_insured")
    fees = INSURANCE_FEE * party.size * insured + BAG_FEE * extra.value
    paying = _tell_payment(c, ways_to_pay, route.fare * party.size + fees, unwanted)
    methods = [find_method(c, method) for method in paying]
    dates, free = zip(*(_look_up(c, day, party) for day in route.days), strict=True)
    order = _Order(c.key, route, dates, party, passengers, bags, extra, methods)
    if route.other is not None:
        others = [route.other.find(offers) for offers in free]
        c.mistake(order.call(others, order.price(others, insured), insured))
    offers = [c.let("best", route.choice.find(offers)) for offers in free]
    c.mistake(order.call(offers, order.price(offers, not insured), not insured))
    total = c.let("total", order.price(offers, insured))
    booking = order.call(offers, total, insured)
    first = route.days[0]
    asks = {
        "how many dollars the trip from {origin} to {destination} on {date} costs in all": total
    }
    number = first.flights(offers[0])[0]["flight_number"]
    if number.value not in route.choice.words:
        which = "flight" if direct else "first flight"
        ask = (
            f"the number of the {which} that I want from {{origin}} to {{destination}} on {{date}}"
        )
        asks[ask] = number
    for day, offer in zip(route.days, offers, strict=True):
        c.about([flight["flight_number"] for flight in day.flights(offer)])
    slots: dict[str, Any] = {"date": name_date(first.date)}
    slots |= name_route(first.origin, first.destination)
    if limited:
        limit = round(total.value * c.rng.choice(_LIMITS))
        c.either(total <= limit, booking)
        return c.wish(asks, question=True, limit=limit, **slots)
    c.call(booking[0], **booking[1])
    return c.wish(asks, opening="book", **slots)


def _look_up(c: Customer, day: Day, party: _Party) -> tuple[Term, Term]:
    """Search, and return the date and what has a seat for everybody."""
    date, offers = day.look_up(c)
    seats = offers.where(lambda offer: day.has_seats(offer, party.cabin, party.size))
    return date, c.let("free", seats)


# Where to, and with which flights


def _draw_route(c: Customer, party: _Party, *, direct: bool, back: bool) -> _Route:
    for _ in range(_ATTEMPTS):
        ends = draw_route(c) if direct else c.rng.choice(_distant_airports())
        first = c.rng.randint(TODAY + 1, DAYS - 2 * back)
        days = [search(c, *ends, date_of(first))]
        if back:
            days.append(search(c, *ends[::-1], date_of(c.rng.randint(first + 2, DAYS))))
        able = tuple(day for day in days if day is not None and day.direct == direct)
        route = _choose(c, able, party) if len(able) == len(days) else None
        if route is not None:
            return route
    raise DeadEnd


@functools.cache
def _distant_airports() -> list[tuple[str, str]]:
    return [(a, b) for a in AIRPORTS for b in AIRPORTS if far_apart(a, b)]


def _choose(c: Customer, days: tuple[Day, ...], party: _Party) -> _Route | None:
    if len(days) == 1:
        drawn = draw_choice(c, days[0], party.cabin, party.size)
        if drawn is None:
            return None
        offer, choice, other = drawn
        return _Route(days, choice, other, days[0].price(offer, party.cabin))
    both = draw_common_choice(c, days, party.cabin, party.size)
    if both is None:
        return None
    choice, picks = both
    fare = sum(day.price(offer, party.cabin) for day, offer in zip(days, picks, strict=True))
    return _Route(days, choice, None, fare)


def _tell_route(c: Customer, route: _Route, party: _Party) -> None:
    first, *later = route.days
    slots: dict[str, Any] = {"date": name_date(first.date)}
    slots |= name_route(first.origin, first.destination)
    ends, words = [first.origin, first.destination], route.choice.words
    if later:
        back = later[0].date
        dates = [first.date, back]
        c.tell("route", [*ends, *dates], wording="round_trip", back=name_date(back), **slots)
        words += ", both on the way there and on the way back"
    else:
        c.tell("route", [*ends, first.date], wording="one_way", **slots)
    c.tell("flight", words, wording="which_flight")
    c.tell("cabin", party.cabin, cabin=name_cabin(party.cabin))


# Who travels, with what, and who pays


def _draw_party(c: Customer) -> _Party:
    """Draw who travels: the customer alone, with a saved passenger, or with somebody new."""
    company = c.rng.choices((0, 1, 2), (5, 3, 2))[0]
    new = company == 2 or (company == 1 and c.rng.random() < 0.5)
    return _Party(c.pick(CABINS), company - new, (person(c.rng),) if new else ())


def _tell_passengers(c: Customer, party: _Party) -> list[Any]:
    user = c.profile
    passengers: list[Any] = [{**{key: user["name"][key] for key in user["name"].value},
                              "dob": user["dob"]}]  # fmt: skip
    others = []
    for place in range(party.saved):
        passengers.append(user["saved_passengers"][place])
        name = name_passenger(passengers[-1].value)
        others.append(f"{name}, whose details are saved in my profile")
    for new in party.new:
        stranger = person(c.rng)
        passengers.append({key: c.given(new[key], [stranger[key]]) for key in new})
        others.append(f"{name_passenger(new)}, born on {new['dob']}")
    wording = "company" if others else "alone"
    c.tell("passengers", plain(passengers), wording=wording, others=", and ".join(others))
    return passengers


def _tell_bags(c: Customer, party: _Party) -> tuple[Term, Term]:
    """Tell how many bags are checked; return that, and how many of them must be paid."""
    number = c.rng.choice((0, 1, 1, 2, 2, 3, 4)) + c.rng.randint(0, party.size - 1)
    if not number:
        return c.tell("bags", 0, wording="no_bags"), c.given(0)
    words = "1 bag" if number == 1 else f"{number} bags"
    bags = c.tell("bags", number, wording="all_bags", confusable=(number + 1,), bags=words)
    extra = bags - free_bags_each(c, party.cabin) * party.size
    return bags, c.let("extra", derive(max(0, extra.value), "max(0, {0})", extra))


def _draw_ways_to_pay(c: Customer) -> list[list[Record]]:
    """Return payment methods in the order in which they are used, as the policy allows them."""
    cards, gifts, certificates = (
        draw_methods(c, source)[:1] for source in ("credit_card", "gift_card", "certificate")
    )
    last = cards or gifts
    if not last:
        raise DeadEnd
    ways = [last]
    if gifts and cards:
        ways.append([*gifts, *cards])
    if certificates:
        ways.append([*certificates, *last])
    if certificates and gifts and cards:
        ways.append([*certificates, *gifts, *cards])
    c.rng.shuffle(ways)
    return ways


def _tell_payment(
    c: Customer, ways: list[list[Record]], total: int, unwanted: Record | None
) -> list[Record]:
    """Tell how a total is paid; return the payment methods that are needed for it."""
    methods = next((way for way in ways if _first_to_reach(way, total)), None)
    if methods is None:
        raise DeadEnd
    first, *others = map(name_method, methods)
    if unwanted is None:
        wording = "paying_in_turn" if others else "paying"
        slots: dict[str, Any] = {"first": first, "rest": ", then ".join(others)}
    else:
        wording, most = "two_certificates", f"${methods[0]['amount']}"
        one, other = c.rng.sample([first, name_method(unwanted)], 2)
        slots = {"one": one, "other": other, "most": most, "card": others[0]}
        c.about(unwanted["id"])
    c.tell("payment", [method["id"] for method in methods], wording=wording, **slots)
    return _first_to_reach(methods, total)


def _first_to_reach(methods: Sequence[Record], total: int) -> list[Record]:
    """Return the first methods that pay a total together, or none if all of them do not."""
    left = total
    for number, method in enumerate(methods, start=1):
        left -= min(left, method.get("amount", left))
        if not left:
            return list(methods[:number])
    return []


def _write_payments(methods: Sequence[Term], total: Term) -> list[dict[str, Any]]:
    """Return the payments if each method but the last pays all that is on it."""
    payments, left = [], total
    for method in methods[:-1]:
        payments.append({"payment_id": method["id"], "amount": method["amount"]})
        left = left - method["amount"]
    return [*payments, {"payment_id": methods[-1]["id"], "amount": left}]
