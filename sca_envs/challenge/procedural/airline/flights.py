"""New flights that airline customers want: on another day, or in a new reservation."""

from __future__ import annotations

from collections.abc import Callable

from sca_envs.challenge.procedural.airline.traveler import (
    CABINS,
    PAYS,
    Traveler,
    paid_by_card,
    paying_methods,
    search_code,
    way,
)
from sca_envs.challenge.procedural.parts import MONEY, WORDS, Part
from sca_envs.core.database import Record
from sca_envs.core.wishes import DeadEnd
from sca_envs.domains.tau.goals import capitalized
from sca_envs.domains.tau_airline.changes import INSURANCE_FEE
from sca_envs.domains.tau_airline.goals.pieces import (
    name_cabin,
    name_date,
    name_passenger,
)

_BEST = {
    "the cheapest": 'min({offers}, key=lambda one: one["prices"][{cabin!r}])',
    "the earliest": 'min({offers}, key=lambda one: one["scheduled_departure_time_est"])',
    "the latest": 'max({offers}, key=lambda one: one["scheduled_departure_time_est"])',
}


def _choose(t: Traveler, offers: list[Record], cabin: str, travelers: int) -> str:
    """Draw which flight is wanted, so that there is just one."""
    free = [one for one in offers if one["available_seats"][cabin] >= travelers]
    if len(free) < 2:
        raise DeadEnd
    wish: str = t.x.pick(_BEST)
    prices = sorted(one["prices"][cabin] for one in free)
    times = sorted(one["scheduled_departure_time_est"] for one in free)
    values = prices if wish == "the cheapest" else times[::-1] if wish == "the latest" else times
    if values[0] == values[1]:
        raise DeadEnd
    return wish


def _best(name: str, wish: str, offers: str, cabin: str, travelers: int) -> str:
    """Return code that takes the flight that is wanted out of those with enough seats."""
    free = f'[one for one in {offers} if one["available_seats"][{cabin!r}] >= {travelers}]'
    return f"{name} = {_BEST[wish].format(offers=free, cabin=cabin)}\n"


def _others(wish: str) -> list[str]:
    return [one for one in _BEST if one != wish]


def change_day(t: Traveler) -> Part:
    """Fly on another day with a direct flight."""

    def direct(trip: Record) -> bool:
        return (
            len(trip["flights"]) == 1
            and trip["cabin"] != "basic_economy"
            and trip["flight_type"] == "one_way"
            and paid_by_card(trip)
        )

    trip = t.trip(direct)
    record, cabin = trip.record, trip.record["cabin"]
    travelers, date = len(record["passengers"]), t.day()
    if date == record["flights"][0]["date"]:
        raise DeadEnd
    which = _choose(t, t.offers(record["origin"], record["destination"], date), cabin, travelers)
    wish = t.say(
        (
            "I want to fly on {date} instead on {trip}: {which} direct flight that has room for "
            "all of us, in the same cabin.",
            "Please move {trip} to {date}, to {which} direct flight with enough seats in our "
            "cabin.",
            "Rebook {trip}. It's {date} now, with {which} direct flight where there are seats "
            "left in the cabin.",
        ),
        trip=trip.words,
        date=name_date(date),
        which=which,
    ) + t.say(
        (
            " Any difference goes to what I paid with first.",
            " Settle the difference with the first payment method of the reservation.",
        )
    )

    def code(which: str, date: str = date, pays: str = PAYS) -> str:
        given = f'origin=trip["origin"], destination=trip["destination"], date={date!r}'
        return (
            f"{trip.code}offers = search_direct_flight({given})\n"
            f"{_best('best', which, 'offers', cabin, travelers)}"
            f"done = update_reservation_flights(reservation_id={trip.id}, cabin={cabin!r}, "
            f'flights=[{{"flight_number": best["flight_number"], "date": {date!r}}}], '
            f"payment_id={pays})\n"
        )

    ask, result, kind = t.x.pick(
        (
            ("the number of the new flight", 'best["flight_number"]', WORDS),
            (
                "the new price of the flight for each passenger",
                'done["flights"][0]["price"]',
                MONEY,
            ),
            (
                "how much more the new flight costs for everybody together (negative if less)",
                'len(trip["passengers"]) * '
                '(done["flights"][0]["price"] - trip["flights"][0]["price"])',
                MONEY,
            ),
        )
    )
    methods = [
        one["id"]
        for one in t.user["payment_methods"].values()
        if one["source"] != "certificate" and one["id"] not in paying_methods(record)
    ]
    wrongs = (
        *((code(other), result) for other in _others(which)),
        *((code(which, pays=repr(key)), result) for key in methods[:1]),
        (code(which, date=t.day()), result),
        (code(which), 'trip["flights"][0]["flight_number"]'),
    )
    return Part(
        capitalized(wish), code(which), result, ask, kind, wrongs, trip.needs,
        (trip.key, *paying_methods(record)),
    )  # fmt: skip


def book(t: Traveler) -> Part:
    """Book a direct flight one way or there and back, perhaps only if it is cheap enough."""
    cards = [m for m in t.user["payment_methods"].values() if m["source"] == "credit_card"]
    card = t.x.pick(cards)
    if [one["last_four"] for one in cards].count(card["last_four"]) > 1:
        raise DeadEnd
    (origin, destination), date, cabin = t.route(), t.day(), t.x.pick(CABINS)
    company = t.user["saved_passengers"][:1] if t.rng.random() < 0.5 else []
    insured = t.rng.random() < 0.4
    travelers = 1 + len(company)
    ways = [(origin, destination, date)]
    back = t.day()
    if t.rng.random() < 0.35 and back > date:
        ways.append((destination, origin, back))
    offers = [t.offers(*one) for one in ways]
    which = _choose(t, offers[0], cabin, travelers)
    if len(ways) > 1:
        which = next(
            (w for w in _BEST if all(_is_single(o, cabin, travelers, w) for o in offers)), ""
        )
    if not which:
        raise DeadEnd
    words = _booking_words(t, ways, which, cabin, insured)
    said = f" I pay with my {card['brand']} ending in {card['last_four']}."
    if company:
        said += f" {name_passenger(company[0])}, who is saved in my profile, comes with me; I'm "
        said += "the first passenger."
    else:
        said += t.say((" I travel alone.", " It's only me.", " I'm the only passenger."))
    said += t.say((" No checked bags.", " Hand luggage only.", " We check no bags."))

    limit = None
    if len(ways) == 1 and t.rng.random() < 0.35:
        total = min(one["prices"][cabin] for one in offers[0]) * travelers
        limit = total + t.rng.choice((-1, 1)) * t.rng.randint(20, 120) + 30 * travelers * insured
        said += t.say(
            (
                " But only if all of it costs at most ${limit}; otherwise book nothing.",
                " If the total is above ${limit}, don't book at all.",
            ),
            limit=limit,
        )

    def code(which: str = which, cabin: str = cabin, insured: bool = insured,
             company: list[Record] = company, sign: str = "<=") -> str:  # fmt: skip
        return _booking_code(t, ways, which, cabin, insured, company, card, limit, sign)

    ask, result, kind = t.x.pick(
        (
            ("the total price of the flights that I asked you to book", "total", MONEY),
            (
                "the number of the flight on the way there that I asked you to book",
                'best_1["flight_number"]',
                WORDS,
            ),
        )
    )
    wrongs = [
        *((code(which=other), result) for other in _others(which)),
        (code(insured=not insured), result),
        *((code(cabin=other), result) for other in CABINS if other != cabin),
    ]
    if company:
        wrongs.insert(1, (code(company=[]), result))
    if limit is not None:
        wrongs.insert(0, (code(sign=">"), result))
    price = _price(offers, which, cabin, travelers) + INSURANCE_FEE * travelers * insured
    skipped = int(limit is not None and price > limit)
    return Part(
        words + said, code(), result, ask, kind, tuple(wrongs), "user",
        ("booking", card["id"]), skipped=skipped,
    )  # fmt: skip


def _is_single(offers: list[Record], cabin: str, travelers: int, which: str) -> bool:
    """Return whether just one flight with enough seats is the one that is wanted."""
    free = [one for one in offers if one["available_seats"][cabin] >= travelers]
    key = [
        one["prices"][cabin] if which == "the cheapest" else one["scheduled_departure_time_est"]
        for one in free
    ]
    best = (max if which == "the latest" else min)(key, default=None)
    return key.count(best) == 1


def _price(offers: list[list[Record]], which: str, cabin: str, travelers: int) -> int:
    total = 0
    for found in offers:
        free = [one for one in found if one["available_seats"][cabin] >= travelers]
        ranked = sorted(free, key=lambda one: one["scheduled_departure_time_est"])
        if which == "the cheapest":
            ranked = sorted(free, key=lambda one: one["prices"][cabin])
        best = ranked[-1 if which == "the latest" else 0]
        total += best["prices"][cabin] * travelers
    return total


def _booking_words(
    t: Traveler, ways: list[tuple[str, str, str]], which: str, cabin: str, insured: bool
) -> str:
    slots = {**way(*ways[0]), "which": which, "cabin": name_cabin(cabin)}
    if len(ways) == 1:
        words = t.say(
            (
                "Please book {which} direct flight in {cabin} from {a} to {b} on {date}.",
                "I need a one-way trip from {a} to {b} on {date}: {which} direct flight, {cabin}.",
                "Book me from {a} to {b} on {date}, one way, with {which} direct flight that has "
                "seats in {cabin}.",
            ),
            **slots,
        )
    else:
        words = t.say(
            (
                "Please book a round trip in {cabin}: {a} to {b} on {date}, and back on {back}. "
                "Take {which} direct flight each way.",
                "I fly from {a} to {b} on {date} and return on {back}, both with {which} direct "
                "flight that has seats in {cabin}. Book that in {cabin} as one round trip.",
            ),
            back=name_date(ways[1][2]),
            **slots,
        )
    return words + (" With travel insurance." if insured else " No insurance.")


def _booking_code(
    t: Traveler,
    ways: list[tuple[str, str, str]],
    which: str,
    cabin: str,
    insured: bool,
    company: list[Record],
    card: Record,
    limit: int | None,
    sign: str,
) -> str:
    travelers = 1 + len(company)
    numbers = range(1, len(ways) + 1)
    code = "".join(search_code(f"offers_{i}", *ways[i - 1]) for i in numbers)
    code += "".join(_best(f"best_{i}", which, f"offers_{i}", cabin, travelers) for i in numbers)
    prices = " + ".join(f'best_{i}["prices"][{cabin!r}]' for i in numbers)
    fee = f" + {INSURANCE_FEE * travelers}" if insured else ""
    flights = ", ".join(
        f'{{"flight_number": best_{i}["flight_number"], "date": {ways[i - 1][2]!r}}}'
        for i in numbers
    )
    saved = ', user["saved_passengers"][0]' if company else ""
    origin, destination, _ = ways[0]
    call = (
        f"book_reservation(user_id={t.user_id!r}, origin={origin!r}, "
        f"destination={destination!r}, "
        f"flight_type={'one_way' if len(ways) == 1 else 'round_trip'!r}, cabin={cabin!r}, "
        f"flights=[{flights}], passengers=passengers, "
        'payment_methods=[{"payment_id": card["id"], "amount": total}], '
        f"total_baggages=0, nonfree_baggages=0, insurance={'yes' if insured else 'no'!r})"
    )
    guard = "" if limit is None else f"if total {sign} {limit}:\n    "
    return (
        f'{code}me = {{**user["name"], "dob": user["dob"]}}\n'
        f"passengers = [me{saved}]\n"
        f"total = ({prices}) * {travelers}{fee}\n"
        'card = next(one for one in user["payment_methods"].values() '
        f'if one.get("last_four") == {card["last_four"]!r})\n'
        f"{guard}{call}\n"
    )


PARTS: tuple[Callable[[Traveler], Part], ...] = (
    change_day,
    change_day,
    book,
    book,
)
"""What a customer may want, the frequent wishes more than once."""
