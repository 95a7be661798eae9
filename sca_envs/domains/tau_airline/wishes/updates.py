"""Wishes that change a reservation: flights, cabin, bags or passengers."""

from __future__ import annotations

from typing import Any, NamedTuple

from sca_envs.core.database import Record
from sca_envs.core.wishes import Customer, DeadEnd, Term, Wish, derive
from sca_envs.domains.tau_airline.changes import BAG_FEE
from sca_envs.domains.tau_airline.network import DAYS, TODAY, date_of
from sca_envs.domains.tau_airline.rules import extra_bags, still_ahead
from sca_envs.domains.tau_airline.wishes.offers import Choice, Day, draw_choice, search
from sca_envs.domains.tau_airline.wishes.pieces import (
    CABINS,
    Trip,
    draw_able_methods,
    draw_trip,
    find_trip,
    free_bags_each,
    name_cabin,
    name_date,
    name_passenger,
    segment,
    tell_payment,
    total_paid,
    trips,
)
from sca_envs.domains.tau_airline.world import person

_ATTEMPTS = 6


class NewFlights(NamedTuple):
    """Other flights for one direction of a trip, and how the customer singles them out."""

    day: Day
    choice: Choice
    other: Choice | None
    """What would single out other flights of the day."""
    kept: range
    """Which flights of the reservation stay."""
    way: str
    """``only``, ``there`` or ``back``: which direction is changed."""
    difference: int
    """What they cost more than those of the reservation, in dollars."""


def change_flights(c: Customer) -> Wish:
    """Fly on another day, with the same airports and in the same cabin."""
    for record in trips(c, lambda trip: still_ahead(c.db, trip)):
        new = draw_new_flights(c, record)
        if new is not None:
            trip = find_trip(c, record)
            return c.wish(replace_flights(c, trip, new), trip=trip.words, it=trip.again)
    raise DeadEnd


def draw_new_flights(
    c: Customer, record: Record, outbound: bool | None = None
) -> NewFlights | None:
    """Draw another day for one direction of a trip and flights on it, or None if there are none.

    Args:
        c: The customer.
        record: The reservation; must not be in basic economy, else the result is None.
        outbound: Which direction to change; None to draw it.
    """
    if record["cabin"] == "basic_economy":
        return None
    flights = record["flights"]
    turn = count_outbound(record)
    there, back = flights[:turn], flights[turn:]
    if outbound is None:
        outbound = not back or c.rng.random() < 0.5
    old = there if outbound else back
    # A day apart from the other direction, as a flight may arrive on the day after.
    first = TODAY + 1 if outbound else int(there[-1]["date"][-2:]) + 2
    last = int(back[0]["date"][-2:]) - 2 if outbound and back else DAYS
    days = [d for d in range(max(first, TODAY + 1), last + 1) if date_of(d) != old[0]["date"]]
    ends = old[0]["origin"], old[-1]["destination"]
    travelers = len(record["passengers"])
    for number in c.rng.sample(days, min(len(days), _ATTEMPTS)):
        day = search(c, *ends, date_of(number))
        drawn = day and draw_choice(c, day, record["cabin"], travelers)
        if not day or not drawn:
            continue
        offer, choice, other = drawn
        segments = [segment(flight) for flight in old]
        if any(one in segments for one in day.segments(offer)):
            continue  # it shares a flight with the old connection, which keeps its price
        before = sum(flight["price"] for flight in old)
        difference = (day.price(offer, record["cabin"]) - before) * travelers
        if draw_able_methods(c, difference):
            kept = range(turn, len(flights)) if outbound else range(turn)
            way = ("there" if outbound else "back") if back else "only"
            return NewFlights(day, choice, other, kept, way, difference)
    return None


def count_outbound(record: Record) -> int:
    """Return how many flights of a reservation lead there; the others lead back."""
    if record["flight_type"] == "one_way":
        return len(record["flights"])
    arrived = [flight["destination"] for flight in record["flights"]]
    return arrived.index(record["destination"]) + 1


def replace_flights(c: Customer, trip: Trip, new: NewFlights) -> dict[str, Term]:
    """Tell which flights are wanted, and replace those of a trip; return what may be asked."""
    day, cabin = new.day, trip.record["cabin"]
    date, offers = day.look_up(c)
    c.tell(
        "flight",
        day.date,
        wording=f"fly_{new.way}",
        date=name_date(day.date),
        flight=new.choice.words,
    )
    payment = tell_payment(c, trip, new.difference)
    travelers = len(trip.record["passengers"])
    free = c.let("free", offers.where(lambda offer: day.has_seats(offer, cabin, travelers)))

    def change(offer: Term) -> dict[str, Any]:
        kept = [segment(trip.shown["flights"][place]) for place in new.kept]
        added = day.segments(offer, date)
        flights = [*kept, *added] if new.way == "back" else [*added, *kept]
        return {"reservation_id": trip.key, "cabin": cabin, "flights": flights,
                "payment_id": payment}  # fmt: skip

    if new.other is not None:
        c.mistake(("update_reservation_flights", change(new.other.find(free))))
    best = c.let("best", new.choice.find(free))
    c.about([flight["flight_number"] for flight in day.flights(best)])
    done = c.call("update_reservation_flights", **change(best))
    each = _total_price(done) - _total_price(trip.shown)
    numbers = {
        f"the number of the {which} flight of {{it}}": flight["flight_number"]
        for which, flight in zip(
            ("new",) if day.direct else ("first new", "second new"), day.flights(best), strict=True
        )
        if flight["flight_number"].value not in new.choice.words
    }
    return {
        **numbers,
        "how many dollars more the new flights of {it} cost for everybody together (negative if "
        "less)": each * trip.shown["passengers"].length(),
        "how many dollars more the new flights of {it} cost for each passenger (negative if "
        "less)": each,
    }


def _total_price(trip: Term) -> Term:
    return trip["flights"].total(lambda flight: flight["price"])


def draw_cabin(c: Customer, record: Record, cabins: list[str]) -> tuple[str, int] | None:
    """Draw another cabin, with what it costs more for everybody.

    None if there is none, or if a flight cannot be booked in it or lacks seats.
    """
    if not cabins:
        return None
    cabin, total, travelers = c.rng.choice(cabins), 0, len(record["passengers"])
    for flight in record["flights"]:
        day = c.record("flights", flight["flight_number"])["dates"][flight["date"]]
        if day["status"] != "available" or day["available_seats"][cabin] < travelers:
            return None
        total += (day["prices"][cabin] - flight["price"]) * travelers
    return cabin, total


def quote_cabin(c: Customer, trip: Trip, cabin: str) -> Term:
    """Look up what another cabin costs more for each passenger."""
    prices = [
        _price_now(c, trip.shown["flights"][place], cabin)
        for place in range(len(trip.record["flights"]))
    ]
    today = prices[0]
    for price in prices[1:]:
        today = today + price
    return today - _total_price(trip.shown)


def _price_now(c: Customer, flight: Term, cabin: str) -> Term:
    where: dict[str, Any] = {key: flight[key] for key in ("origin", "destination", "date")}
    offers = c.call("search_direct_flight", as_="offers", **where)
    number = flight["flight_number"]
    return offers.first(lambda offer: offer["flight_number"] == number)["prices"][cabin]


def change_cabin(c: Customer) -> Wish:
    """Fly in another cabin, with the same flights."""
    for record in trips(c, lambda trip: still_ahead(c.db, trip)):
        quote = draw_cabin(c, record, [one for one in CABINS if one != record["cabin"]])
        # If nothing is paid, nothing shows that the cabin was changed.
        if quote and quote[1] and draw_able_methods(c, quote[1]):
            break
    else:
        raise DeadEnd
    trip, (cabin, price) = find_trip(c, record), quote
    others = [one for one in CABINS if one not in (cabin, record["cabin"])]
    new = c.tell("cabin", cabin, wording="other_cabin", confusable=others, cabin=name_cabin(cabin))
    payment = tell_payment(c, trip, price)
    quote_cabin(c, trip, cabin)
    flights = trip.shown["flights"].each(segment)
    change: dict[str, Any] = {"reservation_id": trip.key, "flights": flights, "payment_id": payment}
    c.mistake(("update_reservation_flights", {**change, "cabin": record["cabin"]}))
    done = c.call("update_reservation_flights", **change, cabin=new)
    each = _total_price(done) - _total_price(trip.shown)
    return c.wish(
        asks={
            "how many dollars the other cabin on {it} costs more for everybody together (negative "
            "if less)": each * trip.shown["passengers"].length(),
            "how many dollars the other cabin on {it} costs more for each passenger (negative if "
            "less)": each,
        },
        trip=trip.words,
        it=trip.again,
    )


def add_bags(c: Customer) -> Wish:
    """Check more bags, of which some may be free."""
    membership = c.record("users", c.key)["membership"]
    for record in trips(c, lambda trip: still_ahead(c.db, trip)):
        more = c.rng.randint(1, 3)
        bags, travelers = record["total_baggages"] + more, len(record["passengers"])
        extra = extra_bags(membership, record["cabin"], travelers, bags)
        price = BAG_FEE * max(0, extra - record["nonfree_baggages"])
        if draw_able_methods(c, price):
            break
    else:
        raise DeadEnd
    trip = find_trip(c, record)
    words = f"{more} more bag{'s' if more > 1 else ''}"
    others = [other for other in (more + 1, more - 1) if other]
    added = c.tell("bags", more, wording="more_bags", confusable=others, more=words, bags=str(bags))
    payment = tell_payment(c, trip, price, "fee")
    fee, done = check_bags(c, trip, added, payment)
    return c.wish(
        asks={
            "how many dollars the additional bags on {it} cost in all": fee,
            "how many checked bags {it} has then": done["total_baggages"],
            "how many of the checked bags of {it} are not free": done["nonfree_baggages"],
        },
        trip=trip.words,
        it=trip.again,
    )


def check_bags(c: Customer, trip: Trip, added: Any, payment: Term) -> tuple[Term, Term]:
    """Add bags to a trip; return the fee and the reservation."""
    bags, extra = count_bags(c, trip, added)
    change: dict[str, Any] = {
        "reservation_id": trip.key,
        "total_baggages": bags,
        "payment_id": payment,
    }
    for other in (bags, trip.shown["nonfree_baggages"]):
        c.mistake(("update_reservation_baggages", {**change, "nonfree_baggages": other}))
    done = c.call("update_reservation_baggages", **change, nonfree_baggages=extra)
    return BAG_FEE * (extra - trip.shown["nonfree_baggages"]), done


def count_bags(c: Customer, trip: Trip, added: Any) -> tuple[Term, Term]:
    """Return how many bags a trip has with some more, and how many of them are not free."""
    bags = c.let("bags", trip.shown["total_baggages"] + added)
    free = free_bags_each(c, trip.record["cabin"]) * trip.shown["passengers"].length()
    before = trip.shown["nonfree_baggages"]
    extra = bags - free
    return bags, c.let(
        "extra", derive(max(before.value, extra.value), "max({0}, {1})", before, extra)
    )


def change_passenger(c: Customer) -> Wish:
    """Correct a passenger's name or date of birth, or let another person fly instead."""
    record = draw_trip(c, lambda trip: still_ahead(c.db, trip))
    passengers = record["passengers"]
    place = c.rng.randrange(len(passengers))
    old, new, stranger = passengers[place], person(c.rng), person(c.rng)
    names = [name_passenger(passenger) for passenger in passengers]
    if names.count(names[place]) > 1 or any(new[key] == old[key] for key in new):
        raise DeadEnd
    kind = c.pick(("first_name", "dob", "person"))
    trip = find_trip(c, record)
    own = trip.shown["passengers"][place]
    changed = {
        key: c.given(new[key], [stranger[key]]) if kind in (key, "person") else own[key]
        for key in old
    }
    written = {key: str(value) for key, value in changed.items()}
    c.tell(
        "passenger",
        [names[place], written],
        wording=f"correct_{kind}",
        old=names[place],
        new=name_passenger(written),
        dob=written["dob"],
    )

    def listed(where: int) -> list[Any]:
        shown = trip.shown["passengers"]
        return [changed if n == where else shown[n] for n in range(len(passengers))]

    for other in range(len(passengers)):
        if other != place:
            change = {"reservation_id": trip.key, "passengers": listed(other)}
            c.mistake(("update_reservation_passengers", change))
    done = c.call(
        "update_reservation_passengers", reservation_id=trip.key, passengers=listed(place)
    )
    return c.wish(about_new_passenger(done), trip=trip.words, it=trip.again)


def name_the_passenger(c: Customer) -> Wish:
    """Say who flies on a reservation for one; nothing needs to be looked up for that."""
    record = draw_trip(c, lambda one: len(one["passengers"]) == 1 and still_ahead(c.db, one))
    trip, new, stranger = find_trip(c, record), person(c.rng), person(c.rng)
    if any(new[key] == record["passengers"][0][key] for key in new):
        raise DeadEnd
    c.tell("passenger", new, wording="only_passenger", new=name_passenger(new), dob=new["dob"])
    passenger = {key: c.given(new[key], [stranger[key]]) for key in new}
    done = c.call(
        "update_reservation_passengers",
        reservation_id=trip.key,
        passengers=Term.of([passenger]),
    )
    return c.wish(about_new_passenger(done), trip=trip.words, it=trip.again)


def about_new_passenger(done: Term) -> dict[str, Term]:
    """Return what may be asked of a trip whose passengers were changed."""
    return {
        "the flight number of the first flight of {it}": done["flights"][0]["flight_number"],
        "the date (YYYY-MM-DD) of the first flight of {it}": done["flights"][0]["date"],
        "how many flights {it} has": done["flights"].length(),
        "how many checked bags {it} has": done["total_baggages"],
        "how many dollars were paid for {it} in all": total_paid(done),
    }
