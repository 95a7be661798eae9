"""What airline customers want to know, and what they want although the policy forbids it.

A forbidden wish comes with a question to fall back on: the right end is an unchanged airline and
the answer to it. The tools do not check the policy, so giving in is a mistake that really happens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sca_envs.challenge.procedural.airline import (
    CABINS,
    PAYS,
    Traveler,
    Trip,
    search_code,
    way,
)
from sca_envs.challenge.procedural.parts import COUNT, MONEY, WORDS, Part
from sca_envs.core.database import Record
from sca_envs.domains.m3.plans import DeadEnd
from sca_envs.domains.tau.goals import capitalized
from sca_envs.domains.tau_airline.airports import AIRPORTS
from sca_envs.domains.tau_airline.goals.cancelling import PLANS
from sca_envs.domains.tau_airline.goals.pieces import (
    name_airport,
    name_cabin,
    name_date,
    name_passenger,
)
from sca_envs.domains.tau_airline.rules import booked_lately
from sca_envs.domains.tau_airline.world import person

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
_OF_TRIP: tuple[tuple[str, str, str], ...] = (
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
    ask, result, kind = t.x.pick(_OF_TRIP)
    other = t.another(trip.record)
    elsewhere = f"trip = get_reservation_details(reservation_id={other!r})\n"
    wrongs = ((elsewhere, result), *((trip.code, wrong) for _, wrong, k in _OF_TRIP
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
    t.offers(origin, destination, date)
    choices = _flight_choices(cabin)
    ask, result, kind = t.x.pick(choices)
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


def compare_days(t: Traveler) -> Part:
    """Ask which of several days is best to fly on."""
    (origin, destination), cabin = t.route(), t.x.pick(CABINS)
    days = sorted({t.day() for _ in range(t.rng.randint(2, 5))})
    if len(days) < 2:
        raise DeadEnd
    for day in days:
        if not t.x.look("search_direct_flight", origin=origin, destination=destination, date=day):
            raise DeadEnd
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


# What the policy forbids


_FALLBACKS = (
    "If that isn't possible, change nothing and tell me {ask} instead.",
    "Should that be against the rules, leave everything as it is; then all I need is {ask}.",
    "Not possible? Then leave it, but let me know {ask}.",
    "In case you have to refuse, I'd like to hear {ask}, and nothing is to be changed.",
)


def _forbidden(
    t: Traveler, trip: Trip, wishes: Sequence[str], gives_in: Sequence[str], **slots: str
) -> Part:
    """Return a wish that has to be refused, with the answer to a question in its place.

    Args:
        t: The customer.
        trip: What the wish is about.
        wishes: Wordings of it; ``{trip}`` stands for the reservation.
        gives_in: Code that does what is forbidden, in several ways.
        **slots: What else is filled into the wordings.
    """
    ask, result, kind = t.x.pick(_OF_TRIP)
    ask = ask.format(trip=trip.words)
    wish = capitalized(t.say(wishes, trip=trip.words, **slots))
    others = [wrong for _, wrong, k in _OF_TRIP if k == kind and wrong != result]
    wrongs = (
        *((trip.code + given, result) for given in gives_in),
        *((trip.code, wrong) for wrong in others),
    )
    text = f"{wish} {t.say(_FALLBACKS, ask=ask)}"
    return Part(text, trip.code, result, ask, kind, wrongs, trip.needs, (trip.key,), asked=True)


_FLIGHTS = (
    '[{"flight_number": one["flight_number"], "date": one["date"]} for one in trip["flights"]]'
)


def _moves(trip: Trip, cabin: str) -> str:
    return (
        f"update_reservation_flights(reservation_id={trip.id}, cabin={cabin!r}, "
        f"flights={_FLIGHTS}, payment_id={PAYS})\n"
    )


def cancel_without_ground(t: Traveler) -> Part:
    """Want to cancel what none of the policy's conditions allows to cancel."""
    trip = t.trip(lambda one: one["cabin"] != "business" and not booked_lately(one))
    wishes = (
        "I want to cancel {trip} and get my money back. {why}",
        "Please cancel {trip} with a full refund. {why}",
        "{why} So cancel {trip}.",
    )
    cancels = f"cancel_reservation(reservation_id={trip.id})\n"
    return _forbidden(t, trip, wishes, (cancels,), why=t.x.pick(PLANS))


def insure_afterwards(t: Traveler) -> Part:
    """Want insurance for a trip that was booked without."""
    trip = t.trip(lambda one: one["insurance"] == "no")
    wishes = (
        "I'd like to add travel insurance to {trip}.",
        "Please insure {trip}; I forgot to tick that when I booked.",
        "{trip} has no insurance yet. I want to buy it now.",
    )
    cancels = f"cancel_reservation(reservation_id={trip.id})\n"
    certificate = f"send_certificate(user_id={t.user_id!r}, amount=50)\n"
    return _forbidden(t, trip, wishes, (cancels, certificate))


def remove_bags(t: Traveler) -> Part:
    """Want to check fewer bags than the reservation has."""
    trip = t.trip(lambda one: one["total_baggages"] > 0)
    bags = trip.record["total_baggages"]
    wishes = (
        "Please take a checked bag off {trip}; I'm travelling lighter.",
        "I need one checked bag less on {trip}.",
        "Remove one checked bag from {trip}.",
    )
    gives_in = tuple(
        f"update_reservation_baggages(reservation_id={trip.id}, total_baggages={left}, "
        f"nonfree_baggages=0, payment_id={key!r})\n"
        for left in (bags - 1, 0)
        for key in _paying_methods(t)[:1]
    )
    return _forbidden(t, trip, wishes, gives_in)


def _paying_methods(t: Traveler) -> list[str]:
    methods = t.user["payment_methods"].values()
    return [one["id"] for one in methods if one["source"] == "credit_card"]


def change_number_of_passengers(t: Traveler) -> Part:
    """Want to take somebody along."""
    trip = t.trip()
    new = person(t.rng)
    wishes = (
        "My friend {friend} wants to come along on {trip}. Please add a seat.",
        "Add {friend} to {trip} as another passenger.",
        "{trip} needs one more passenger: {friend}.",
    )
    passengers: list[Record] = [*trip.record["passengers"][:-1], new]
    gives_in = (
        f"update_reservation_passengers(reservation_id={trip.id}, passengers={passengers!r})\n",
    )
    return _forbidden(t, trip, wishes, gives_in, friend=name_passenger(new))


def change_basic_economy(t: Traveler) -> Part:
    """Want other flights for a trip in basic economy."""
    trip = t.trip(lambda one: one["cabin"] == "basic_economy")
    wishes = (
        "Please move {trip} to another day; I won't pay for another cabin and won't cancel.",
        "I want to fly a day later on {trip}, in the same cabin.",
        "{trip} needs a later flight, without any change of the cabin.",
    )
    cancels = f"cancel_reservation(reservation_id={trip.id})\n"
    return _forbidden(t, trip, wishes, (_moves(trip, "economy"), cancels))


def upgrade_one_flight(t: Traveler) -> Part:
    """Want a better cabin on one of several flights only."""
    trip = t.trip(lambda one: len(one["flights"]) > 1 and one["cabin"] != "business")
    wishes = (
        "I want business class on the first flight of {trip} only; the rest stays as it is.",
        "Please upgrade just the last flight of {trip} to business, none of the others.",
        "Only one flight of {trip}, the first, should be in business.",
    )
    return _forbidden(t, trip, wishes, (_moves(trip, "business"),))


def change_destination(t: Traveler) -> Part:
    """Want a booked trip to lead somewhere else."""
    trip = t.trip()
    used = {trip.record["origin"], trip.record["destination"]}
    other = t.x.pick(code for code in AIRPORTS if code not in used)
    wishes = (
        "Please change {trip} so that it takes me to {other} instead, without a new booking.",
        "I want the destination of {trip} to be {other}; don't cancel it and don't book anew.",
        "{trip} should go to {other} now, in the same reservation.",
    )
    cancels = f"cancel_reservation(reservation_id={trip.id})\n"
    return _forbidden(t, trip, wishes, (cancels,), other=name_airport(other))


def demand_compensation(t: Traveler) -> Part:
    """Want a certificate though nothing is wrong with the trip."""
    trip = t.trip()
    amount = t.x.pick((50, 100, 150, 200))
    wishes = (
        "The seats on {trip} will be uncomfortable, so I expect a certificate of ${n}.",
        "I found {trip} cheaper elsewhere; make up for it with a ${n} certificate.",
        "Your website was slow when I booked {trip}. Send me a certificate worth ${n}.",
    )
    gives_in = tuple(f"send_certificate(user_id={t.user_id!r}, amount={n})\n" for n in (amount, 50))
    return _forbidden(t, trip, wishes, gives_in, n=str(amount))


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
    cancel_without_ground,
    insure_afterwards,
    remove_bags,
    change_number_of_passengers,
    change_basic_economy,
    upgrade_one_flight,
    change_destination,
    demand_compensation,
)
"""What a customer may ask or demand."""
