"""What airline customers want to know."""

from __future__ import annotations

from collections.abc import Callable

from sca_envs.challenge.procedural.airline.traveler import (
    CABINS,
    Traveler,
    search_code,
    way,
)
from sca_envs.challenge.procedural.parts import COUNT, MONEY, WORDS, Part
from sca_envs.core.database import Record
from sca_envs.core.wishes import DeadEnd
from sca_envs.domains.tau_airline.goals.pieces import (
    name_airport,
    name_cabin,
    name_date,
)

_WHY = (
    "",
    "It's for my expense report.",
    "My boss wants to know.",
    "I'm planning my week.",
    "I lost your mail.",
    "I'm comparing offers.",
    "My sister asks.",
    "I'm making a list.",
)
_PAID = 'sum(entry["amount"] for entry in trip["payment_history"])'
OF_TRIP: tuple[tuple[str, str, str], ...] = (
    ("what was paid for {trip} in all", _PAID, MONEY),
    (
        "the price of the dearest flight of {trip} for one passenger",
        'max(one["price"] for one in trip["flights"])',
        MONEY,
    ),
    (
        "what the flights of {trip} cost together for one passenger",
        'sum(one["price"] for one in trip["flights"])',
        MONEY,
    ),
    ("how many flights {trip} has", 'len(trip["flights"])', COUNT),
    ("how many people travel on {trip}", 'len(trip["passengers"])', COUNT),
    ("how many checked bags {trip} has", 'trip["total_baggages"]', COUNT),
    (
        "the flight number of the first flight of {trip}",
        'trip["flights"][0]["flight_number"]',
        WORDS,
    ),
    (
        "the flight number of the last flight of {trip}",
        'trip["flights"][-1]["flight_number"]',
        WORDS,
    ),
    (
        "the date of the first flight of {trip} (YYYY-MM-DD)",
        'trip["flights"][0]["date"]',
        WORDS,
    ),
    ("the date of the last flight of {trip} (YYYY-MM-DD)", 'trip["flights"][-1]["date"]', WORDS),
    (
        "the date of birth of the first passenger of {trip} (YYYY-MM-DD)",
        'trip["passengers"][0]["dob"]',
        WORDS,
    ),
)


def ask_about_trip(t: Traveler) -> Part:
    """Ask for something that a reservation says."""
    trip = t.trip(ahead=False)
    ask, result, kind = t.x.pick(OF_TRIP)
    other = t.another(trip.record)
    elsewhere = f"trip = get_reservation_details(reservation_id={other!r})\n"
    wrongs = ((elsewhere, result), *((trip.code, wrong) for _, wrong, k in OF_TRIP
              if k == kind and wrong != result))  # fmt: skip
    return Part(
        t.x.pick(_WHY), trip.code, result, ask.format(trip=trip.words), kind, wrongs, trip.needs,
        (trip.key,), changes=False,
    )  # fmt: skip


def compare_trips(t: Traveler) -> Part:
    """Ask for something of two or three reservations together."""
    if len(t.trips) < 2:
        raise DeadEnd
    chosen = t.rng.sample(t.trips, t.rng.randint(2, min(4, len(t.trips))))
    ids = [one["reservation_id"] for one in chosen]
    code = "".join(
        f"trip_{i} = get_reservation_details(reservation_id={key!r})\n"
        for i, key in enumerate(ids, 1)
    )
    listed = ", ".join(f"trip_{i}" for i in range(1, len(ids) + 1))
    code += (
        f'paid = [sum(entry["amount"] for entry in one["payment_history"]) for one in [{listed}]]\n'
    )
    choices = (
        ("what I paid for reservations {ids} together", "sum(paid)", MONEY),
        ("how much the dearest of reservations {ids} cost", "max(paid)", MONEY),
        (
            "how much more the dearest of reservations {ids} cost than the cheapest of them",
            "max(paid) - min(paid)",
            MONEY,
        ),
        (
            "how many flights reservations {ids} have together",
            f'sum(len(one["flights"]) for one in [{listed}])',
            COUNT,
        ),
        (
            "how many checked bags reservations {ids} have together",
            f'sum(one["total_baggages"] for one in [{listed}])',
            COUNT,
        ),
        (
            "the id of the one of reservations {ids} that begins first",
            f'min([{listed}], key=lambda one: one["flights"][0]["date"])["reservation_id"]',
            WORDS,
        ),
    )
    ask, result, kind = t.x.pick(choices)
    dates = [one["flights"][0]["date"] for one in chosen]
    if kind == WORDS and dates.count(min(dates)) > 1:
        raise DeadEnd
    wrongs = [(code, wrong) for _, wrong, k in choices if wrong != result and k == kind]
    if kind == WORDS:
        wrongs = [(code, repr(key)) for key in ids]
    numbers = " and ".join((", ".join(ids[:-1]), ids[-1]))
    return Part(
        t.x.pick(_WHY), code, result, ask.format(ids=numbers), kind, tuple(wrongs), "",
        tuple(ids), changes=False,
    )  # fmt: skip


def all_trips(t: Traveler) -> Part:
    """Ask about all reservations in the profile."""
    count = len(t.trips)
    code = "".join(
        f'trip_{i} = get_reservation_details(reservation_id=user["reservations"][{i - 1}])\n'
        for i in range(1, count + 1)
    )
    listed = ", ".join(f"trip_{i}" for i in range(1, count + 1))
    cabin = t.x.pick(one["cabin"] for one in t.trips)
    paid = 'sum(entry["amount"] for entry in one["payment_history"])'
    choices = (
        ("what I paid for all of my reservations", f"sum({paid} for one in [{listed}])", MONEY),
        (
            f"what I paid for all of my reservations in {name_cabin(cabin)}",
            f'sum({paid} for one in [{listed}] if one["cabin"] == {cabin!r})',
            MONEY,
        ),
        (
            "how many flights all of my reservations have together",
            f'sum(len(one["flights"]) for one in [{listed}])',
            COUNT,
        ),
        (
            "how many of my reservations are insured",
            f'len([one for one in [{listed}] if one["insurance"] == "yes"])',
            COUNT,
        ),
    )
    ask, result, kind = t.x.pick(choices)
    wrongs = tuple((code, wrong) for _, wrong, k in choices if wrong != result and k == kind)
    return Part(
        t.x.pick(_WHY), code, result, ask, kind, wrongs, "user",
        tuple(t.user["reservations"]), changes=False,
    )  # fmt: skip


def ask_profile(t: Traveler) -> Part:
    """Ask for something that the profile says."""
    methods = 'user["payment_methods"].values()'
    cards = f'[one["amount"] for one in {methods} if one["source"] == "gift_card"]'
    certificates = f'[one["amount"] for one in {methods} if one["source"] == "certificate"]'
    choices = (
        ("what my gift cards are worth together", f"sum({cards})", MONEY),
        ("what my certificates are worth together", f"sum({certificates})", MONEY),
        (
            "what my gift cards and certificates are worth together",
            f"sum({cards}) + sum({certificates})",
            MONEY,
        ),
        ("how many reservations my profile lists", 'len(user["reservations"])', COUNT),
        ("how many payment methods I have with you", 'len(user["payment_methods"])', COUNT),
        ("how many passengers are saved in my profile", 'len(user["saved_passengers"])', COUNT),
        ("my membership", 'user["membership"]', WORDS),
        ("the date of birth in my profile (YYYY-MM-DD)", 'user["dob"]', WORDS),
        ("the zip code in my profile", 'user["address"]["zip"]', WORDS),
        ("the e-mail address in my profile", 'user["email"]', WORDS),
        ("the last reservation id in my profile", 'user["reservations"][-1]', WORDS),
    )
    if not t.user["reservations"]:
        raise DeadEnd
    ask, result, kind = t.x.pick(choices)
    code = "profile = user\n"
    wrongs = tuple((code, wrong) for _, wrong, k in choices if wrong != result and k == kind)
    return Part(
        t.x.pick(_WHY), code, result, ask, kind, wrongs, "user",
        ("profile", *t.user["payment_methods"]), changes=False,
    )  # fmt: skip


def _flight_choices(cabin: str) -> list[tuple[str, str, str]]:
    price = f'one["prices"][{cabin!r}]'
    words = name_cabin(cabin)
    return [
        (f"the lowest price in {words} for one person", f"min({price} for one in offers)", MONEY),
        (f"the highest price in {words} for one person", f"max({price} for one in offers)", MONEY),
        (
            f"the number of the flight that is cheapest in {words}",
            f"min((({price}), one['flight_number']) for one in offers)[1]",
            WORDS,
        ),
        (
            "the number of the flight that leaves first",
            'min((one["scheduled_departure_time_est"], one["flight_number"]) for one in offers)[1]',
            WORDS,
        ),
        (
            "the number of the flight that leaves last",
            'max((one["scheduled_departure_time_est"], one["flight_number"]) for one in offers)[1]',
            WORDS,
        ),
        (
            f"how many seats are free in {words} on all of them together",
            f'sum(one["available_seats"][{cabin!r}] for one in offers)',
            COUNT,
        ),
        ("how many flights there are to choose from", "len(offers)", COUNT),
    ]


def ask_flights(t: Traveler) -> Part:
    """Ask about the direct flights of a day, the airports by code or by city."""
    (origin, destination), date, cabin = t.route(), t.day(), t.x.pick(CABINS)
    offers = t.offers(origin, destination, date)
    choices = _flight_choices(cabin)
    ask, result, kind = t.x.pick(choices)
    if kind == WORDS and not _all_differ(offers, cabin):
        raise DeadEnd
    by_city = t.rng.random() < 0.4
    airports = t.x.look("list_all_airports")
    cities = list(airports.values())
    if by_city and max(cities.count(airports[code]) for code in (origin, destination)) > 1:
        raise DeadEnd
    other_day = t.day()

    def code(date: str, swapped: bool = False) -> str:
        ends = (destination, origin) if swapped else (origin, destination)
        if not by_city:
            return search_code("offers", *ends, date)
        a, b = (airports[end] for end in ends)
        return (
            "airports = list_all_airports()\n"
            "codes = {city: code for code, city in airports.items()}\n"
            f"offers = search_direct_flight(origin=codes[{a!r}], destination=codes[{b!r}], "
            f"date={date!r})\n"
        )

    slots = way(origin, destination, date)
    if by_city:
        slots |= {"a": airports[origin], "b": airports[destination]}
    about = t.say(
        (
            "for direct flights from {a} to {b} on {date}, {ask}",
            "{ask}, looking at the direct flights from {a} to {b} on {date}",
            "regarding {date} and direct flights from {a} to {b}: {ask}",
        ),
        ask=ask,
        **slots,
    )
    wrongs = [(code(date), wrong) for _, wrong, k in choices if wrong != result and k == kind]
    wrongs[1:1] = [(code(other_day), result), (code(date, swapped=True), result)]
    return Part(
        t.x.pick(_WHY), code(date), result, about, kind, tuple(wrongs), "",
        (f"{origin}{destination}{date}",), changes=False,
    )  # fmt: skip


def _all_differ(offers: list[Record], cabin: str) -> bool:
    """Return whether no two flights have the same price or leave at the same time."""
    prices = {one["prices"][cabin] for one in offers}
    times = {one["scheduled_departure_time_est"] for one in offers}
    return len(prices) == len(times) == len(offers)


def compare_days(t: Traveler) -> Part:
    """Ask which of several days is best to fly on."""
    (origin, destination), cabin = t.route(), t.x.pick(CABINS)
    days = sorted({t.day() for _ in range(t.rng.randint(2, 5))})
    if len(days) < 2:
        raise DeadEnd
    lowest = []
    for date in days:
        found = t.x.look("search_direct_flight", origin=origin, destination=destination, date=date)
        if not found:
            raise DeadEnd
        lowest.append(min(one["prices"][cabin] for one in found))
    code = "".join(
        search_code(f"day_{i}", origin, destination, day) for i, day in enumerate(days, 1)
    )
    listed = ", ".join(f"{day!r}: day_{i}" for i, day in enumerate(days, 1))
    code += (
        f'lowest = {{date: min(one["prices"][{cabin!r}] for one in found) '
        f"for date, found in {{{listed}}}.items()}}\n"
    )
    choices = (
        ("the lowest price in {cabin} for one person", "min(lowest.values())", MONEY),
        (
            "how much the cheapest {cabin} flights of these days differ at most for one person",
            "max(lowest.values()) - min(lowest.values())",
            MONEY,
        ),
        (
            "the date (YYYY-MM-DD) that has the cheapest flight in {cabin}",
            "min(lowest, key=lowest.get)",
            WORDS,
        ),
    )
    ask, result, kind = t.x.pick(choices)
    if kind == WORDS and lowest.count(min(lowest)) > 1:
        raise DeadEnd
    names = [name_date(day) for day in days]
    about = t.say(
        (
            "of the direct flights from {a} to {b} on {days}, {ask}",
            "{ask}, if I fly directly from {a} to {b} on {days}",
        ),
        a=name_airport(origin),
        b=name_airport(destination),
        days=f"{', '.join(names[:-1])} or {names[-1]}",
        ask=ask.format(cabin=name_cabin(cabin)),
    )
    wrongs = [(code, wrong) for _, wrong, k in choices if wrong != result and k == kind]
    wrongs += [(code, repr(day)) for day in days] if kind == WORDS else []
    wrongs += [(code, "max(lowest.values())"), (code, f"lowest[{days[0]!r}]")]
    return Part(
        t.x.pick(_WHY), code, result, about, kind, tuple(wrongs), "",
        (f"{origin}{destination}{days}",), changes=False,
    )  # fmt: skip


PARTS: tuple[Callable[[Traveler], Part], ...] = (
    ask_about_trip,
    ask_about_trip,
    compare_trips,
    compare_trips,
    all_trips,
    ask_profile,
    ask_flights,
    ask_flights,
    compare_days,
)
"""What a customer may want, the frequent wishes more than once."""
