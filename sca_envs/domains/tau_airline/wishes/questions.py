"""Wishes that change nothing: the customer wants to know something."""

from __future__ import annotations

from typing import Any

from sca_envs.core.wishes import Customer, DeadEnd, Term, Wish, derive, enumerate_words
from sca_envs.domains.tau_airline.airports import AIRPORTS
from sca_envs.domains.tau_airline.rules import still_ahead
from sca_envs.domains.tau_airline.wishes.offers import (
    direct_flights,
    draw_date,
    draw_route,
    general_choices,
    require_free_seat,
)
from sca_envs.domains.tau_airline.wishes.pieces import (
    CABINS,
    Trip,
    draw_trip,
    find_trip,
    keep_profile,
    name_cabin,
    name_date,
    name_route,
    route_is_telling,
    route_of,
    total_paid,
    trips,
)
from sca_envs.domains.tau_airline.wishes.updates import draw_cabin, quote_cabin

_MOST_RESERVATIONS = 5
_BY_CITY = 0.4
"""How often airports are named by their cities alone."""


def about_trip(trip: Trip) -> dict[str, Term]:
    """Return what may be asked of a trip."""
    flights, first, last = trip.shown["flights"], *(trip.shown["flights"][n] for n in (0, -1))
    return {
        "how many dollars were paid for {it} in all": total_paid(trip.shown),
        "how many dollars the dearest flight of {it} cost for one passenger": flights.highest(
            lambda flight: flight["price"]
        ),
        "how many dollars the flights of {it} cost together for one passenger": flights.total(
            lambda flight: flight["price"]
        ),
        "how many flights {it} has": flights.length(),
        "how many people are booked on {it}": trip.shown["passengers"].length(),
        "how many checked bags {it} has": trip.shown["total_baggages"],
        "the flight number of the first flight of {it}": first["flight_number"],
        "the flight number of the last flight of {it}": last["flight_number"],
        "the date (YYYY-MM-DD) of the first flight of {it}": first["date"],
        "the date (YYYY-MM-DD) of the last flight of {it}": last["date"],
        "the date of birth (YYYY-MM-DD) of the first passenger of {it}": (
            trip.shown["passengers"][0]["dob"]
        ),
    }


def ask_about_trip(c: Customer) -> Wish:
    """Ask for something that a reservation says."""
    trip = find_trip(c, draw_trip(c))
    return c.wish(about_trip(trip), question=True, opening="question", it=trip.words)


def ask_reservation_id(c: Customer) -> Wish:
    """Ask for the id of a trip that is named by its airports."""
    own = c.record("users", c.key)["reservations"]
    record = draw_trip(
        c,
        lambda trip: (
            route_is_telling(c, trip) and own.index(trip["reservation_id"]) < _MOST_RESERVATIONS
        ),
    )
    place = own.index(record["reservation_id"])
    c.about(record["reservation_id"])
    listed = c.profile["reservations"]
    for earlier in range(place):
        c.call("get_reservation_details", as_="trip", reservation_id=listed[earlier])
    index = c.given(place, range(len(listed.value)))
    trip = c.call("get_reservation_details", as_="trip", reservation_id=listed[index])
    ask = "the reservation id of my trip from {origin} to {destination}"
    return c.wish({ask: trip["reservation_id"]}, question=True, **name_route(*route_of(record)))


def ask_upgrade_price(c: Customer) -> Wish:
    """Ask what it would cost to fly in a better cabin."""
    for record in trips(c, lambda trip: still_ahead(c.db, trip)):
        better = CABINS[CABINS.index(record["cabin"]) + 1 :]
        quote = draw_cabin(c, record, list(better))
        if quote and quote[1] > 0:
            break
    else:
        raise DeadEnd
    trip, cabin = find_trip(c, record), quote[0]
    each = quote_cabin(c, trip, cabin)
    return c.wish(
        asks={
            "how many dollars more {it} would cost in {cabin} with the same flights, for everybody "
            "together": each * trip.shown["passengers"].length(),
            "how many dollars more {it} would cost in {cabin} with the same flights, for each "
            "passenger": each,
        },
        question=True,
        trip=trip.words,
        it=trip.again,
        cabin=name_cabin(cabin),
    )


def compare_trips(c: Customer) -> Wish:
    """Ask for something of several reservations together."""
    own = list(trips(c))
    if len(own) < 2:
        raise DeadEnd
    chosen = own[: c.rng.randint(2, 4)]
    keys = [record["reservation_id"] for record in chosen]
    others = [record["reservation_id"] for record in own if record not in chosen]
    shown = [
        c.call("get_reservation_details", as_="trip", reservation_id=c.given(key, others))
        for key in keys
    ]
    c.use(*keys)
    c.about(keys)
    together = c.let("trips", Term.of(shown))
    dearest, cheapest_paid = together.highest(total_paid), together.lowest(total_paid)
    asks = {
        "how many dollars I paid for reservations {ids} together": together.total(total_paid),
        "how many dollars I paid for the dearest of reservations {ids}": dearest,
        "how many dollars more I paid for the dearest of reservations {ids} than for the cheapest "
        "of them": dearest - cheapest_paid,
        "how many flights reservations {ids} have together": together.total(
            lambda trip: trip["flights"].length()
        ),
        "how many checked bags reservations {ids} have together": together.total(
            lambda trip: trip["total_baggages"]
        ),
    }
    dates = [record["flights"][0]["date"] for record in chosen]
    if dates.count(min(dates)) == 1:
        first = together.smallest_by(lambda trip: trip["flights"][0]["date"])
        asks["the id of the one of reservations {ids} that begins first"] = first["reservation_id"]
    return c.wish(asks, question=True, opening="question", ids=enumerate_words(keys))


def ask_about_all_trips(c: Customer) -> Wish:
    """Ask for something of all reservations in the profile."""
    keep_profile(c)
    keys = c.record("users", c.key)["reservations"]
    if not 2 <= len(keys) <= _MOST_RESERVATIONS or c.used & set(keys):
        raise DeadEnd
    c.use(*keys)
    listed = c.profile["reservations"]
    shown = [
        c.call("get_reservation_details", as_="trip", reservation_id=listed[place])
        for place in range(len(keys))
    ]
    records = [c.record("reservations", key) for key in keys]
    together = c.let("trips", Term.of(shown))
    cabin = c.pick(record["cabin"] for record in records)
    insured = together.where(lambda trip: trip["insurance"] == "yes")
    return c.wish(
        asks={
            "how many dollars I paid for all of my reservations together": together.total(
                total_paid
            ),
            f"how many dollars I paid for all of my reservations in {name_cabin(cabin)} "
            "together": together.where(lambda trip: trip["cabin"] == cabin).total(total_paid),
            "how many flights all of my reservations have together": together.total(
                lambda trip: trip["flights"].length()
            ),
            "how many of my reservations are insured": insured.length(),
        },
        question=True,
        opening="question",
    )


def ask_about_profile(c: Customer) -> Wish:
    """Ask for something that the profile says."""
    keep_profile(c)
    user = c.profile
    methods = user["payment_methods"]
    asks = {
        "how many reservations my profile lists": user["reservations"].length(),
        "how many payment methods I have with you": methods.length(),
        "how many passengers are saved in my profile": user["saved_passengers"].length(),
        "the date of birth (YYYY-MM-DD) in my profile": user["dob"],
        "the zip code in my profile": user["address"]["zip"],
        "the e-mail address in my profile": user["email"],
    }
    if user["reservations"].value:
        asks["the last reservation id in my profile"] = user["reservations"][-1]
    sources = {one["source"] for one in methods.value.values()}
    for words, source in (("gift cards", "gift_card"), ("certificates", "certificate")):
        if source in sources:
            asks[f"how many dollars my {words} are worth together"] = _worth(c, source)
    if {"gift_card", "certificate"} <= sources:
        asks["how many dollars my gift cards and certificates are worth together"] = _worth(
            c, "gift_card"
        ) + _worth(c, "certificate")
    return c.wish(asks, question=True, opening="question")


def _worth(c: Customer, source: str) -> Term:
    """Return what the payment methods of a source are worth together."""
    methods = c.profile["payment_methods"].values()
    return methods.where(lambda one: one["source"] == source).total(lambda one: one["amount"])


def ask_about_flights(c: Customer) -> Wish:
    """Ask about the direct flights of a day, the airports by code or by city."""
    origin, destination = draw_route(c)
    date, cabin = draw_date(c), c.pick(CABINS)
    day = direct_flights(c, origin, destination, date)
    choices = general_choices(day, cabin)[:3]
    if any(choice.pick(day.offers) is None for choice in choices):
        raise DeadEnd
    require_free_seat(day, cabin)
    ends: dict[str, Any] = {"origin": origin, "destination": destination}
    slots = name_route(origin, destination)
    if c.rng.random() < _BY_CITY:
        slots = {end: AIRPORTS[code].city for end, code in ends.items()}
        airports = c.call("list_all_airports", as_="airports")
        ends = {end: _find_airport(c, airports, code) for end, code in ends.items()}
    on = c.given(date, [draw_date(c), draw_date(c)])
    offers = c.call("search_direct_flight", as_="offers", **ends, date=on)
    lowest, first, last = (choice.find(offers) for choice in choices)
    c.about([offer["flight_number"] for offer in (lowest, first, last)])
    where = "of the direct flights from {origin} to {destination} on {date}"
    return c.wish(
        asks={
            f"how many dollars the cheapest {where} costs in {{cabin}} for one person": lowest[
                "prices"
            ][cabin],
            f"how many dollars the dearest {where} costs in {{cabin}} for one person": (
                offers.highest(lambda offer: offer["prices"][cabin])
            ),
            f"the number of the cheapest {where} in {{cabin}}": lowest["flight_number"],
            f"the number of the earliest {where}": first["flight_number"],
            f"the number of the latest {where}": last["flight_number"],
            f"how many seats are free in {{cabin}} on all {where} together": offers.total(
                lambda offer: offer["available_seats"][cabin]
            ),
            "how many direct flights from {origin} to {destination} can be booked on {date}": (
                offers.length()
            ),
        },
        question=True,
        opening="question",
        cabin=name_cabin(cabin),
        date=name_date(date),
        **slots,
    )


def _find_airport(c: Customer, airports: Term, code: str) -> Term:
    """Return the code of an airport, found by its city."""
    city = AIRPORTS[code].city
    others = [airport.city for other, airport in AIRPORTS.items() if other != code]
    given = c.given(city, c.rng.sample(others, 1))
    return derive(code, "next(code for code, city in {0}.items() if city == {1})", airports, given)


def compare_days(c: Customer) -> Wish:
    """Ask which of several days is best to fly on."""
    (origin, destination), cabin = draw_route(c), c.pick(CABINS)
    dates = sorted({draw_date(c) for _ in range(c.rng.randint(2, 5))})
    if len(dates) < 2:
        raise DeadEnd
    rows: list[tuple[Term, str]] = []
    for date in dates:
        day = direct_flights(c, origin, destination, date)
        require_free_seat(day, cabin)
        offers = c.call(
            "search_direct_flight",
            as_="offers",
            origin=origin,
            destination=destination,
            date=date,
        )
        rows.append((offers.lowest(lambda offer: offer["prices"][cabin]), date))
    days = c.let("days", Term.of(rows))
    prices = [price.value for price, _ in rows]
    lowest, highest = (ends(lambda day: day[0]) for ends in (days.lowest, days.highest))
    where = "for a direct flight from {origin} to {destination} on {days}"
    asks = {
        f"how many dollars I would pay at least in {{cabin}} for one person {where}": lowest,
        "by how many dollars the lowest prices of these days differ at most in {cabin} for one "
        f"person {where}": highest - lowest,
    }
    if prices.count(min(prices)) == 1:
        best = days.smallest_by(lambda day: day[0])
        asks[f"the date (YYYY-MM-DD) with the lowest price in {{cabin}} {where}"] = best[1]
    names = [name_date(date) for date in dates]
    return c.wish(
        asks,
        question=True,
        opening="question",
        cabin=name_cabin(cabin),
        days=f"{', '.join(names[:-1])} or {names[-1]}",
        **name_route(origin, destination),
    )
