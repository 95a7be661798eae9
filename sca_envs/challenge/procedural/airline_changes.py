"""What airline customers want changed or booked, within the policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sca_envs.challenge.procedural.airline import (
    CABINS,
    PAYS,
    Traveler,
    paid_by_card,
    search_code,
    way,
)
from sca_envs.challenge.procedural.parts import COUNT, MONEY, WORDS, Part
from sca_envs.core.database import Record
from sca_envs.domains.m3.plans import DeadEnd
from sca_envs.domains.tau.goals import capitalized
from sca_envs.domains.tau_airline.changes import BAG_FEE, INSURANCE_FEE
from sca_envs.domains.tau_airline.goals.cancelling import HEALTH_OR_WEATHER, PLANS
from sca_envs.domains.tau_airline.goals.pieces import (
    name_cabin,
    name_date,
    name_passenger,
)
from sca_envs.domains.tau_airline.rules import booked_lately, free_bags
from sca_envs.domains.tau_airline.world import person

_REFUND = 'sum(-entry["amount"] for entry in done["payment_history"] if entry["amount"] < 0)'


def cancel(t: Traveler) -> Part:
    """Cancel a trip that may be cancelled."""

    def allowed(trip: Record) -> bool:
        return trip["cabin"] == "business" or trip["insurance"] == "yes" or booked_lately(trip)

    trip = t.trip(allowed, details=t.rng.random() < 0.3)
    free = trip.record["cabin"] == "business" or booked_lately(trip.record)
    reason = t.x.pick(PLANS if free else HEALTH_OR_WEATHER)
    ask, result, kind = t.x.pick(
        (
            ("the amount that I get back for the cancelled trip", _REFUND, MONEY),
            ("how many flights the cancelled trip had", 'len(done["flights"])', COUNT),
            ("how many people were on the cancelled trip", 'len(done["passengers"])', COUNT),
            (
                "the flight number of the first flight of the cancelled trip",
                'done["flights"][0]["flight_number"]',
                WORDS,
            ),
        )
    )
    wish = t.say(
        (
            "Please cancel {trip}. {why}",
            "{why} So I want {trip} cancelled.",
            "I have to call off {trip}. {why}",
            "Could you cancel {trip} for me? {why}",
            "{trip} has to be cancelled. {why}",
        ),
        trip=trip.words,
        why=reason,
    )

    def code(key: str, before: str = trip.code) -> str:
        return f"{before}done = cancel_reservation(reservation_id={key})\n"

    other = t.another(trip.record)
    looked = f"{trip.code}done = get_reservation_details(reservation_id={trip.id})\n"
    first = trip.record["passengers"]
    renamed = f"done = update_reservation_passengers(reservation_id={trip.key!r}, "
    wrongs = (
        (code(repr(other), ""), result),
        (code(trip.id) + code(repr(other), ""), result),
        (code(trip.id) + code(repr(trip.key), ""), result),
        (looked, result),
        (f"{renamed}passengers={[*first[:-1], person(t.rng)]!r})\n", result),
    )
    return Part(
        capitalized(wish), code(trip.id), result, ask, kind, wrongs, trip.needs, (trip.key,)
    )


def add_bags(t: Traveler) -> Part:
    """Check more bags, of which some may be free."""
    trip = t.trip(paid_by_card)
    membership, cabin = t.user["membership"], trip.record["cabin"]
    more = t.rng.randint(1, 4)
    looks = t.rng.random() < 0.5
    if looks:
        table = {one: free_bags(one, cabin) for one in ("regular", "silver", "gold")}
        free = f'{table!r}[user["membership"]]'
        member = ""
    else:
        free = str(free_bags(membership, cabin))
        member = t.say(
            (" I'm a {m} member.", " My membership is {m}, as you can check."), m=membership
        )
    wish = t.say(
        (
            "I need {more} on {trip}.",
            "Please add {more} to {trip}.",
            "There's more to pack than I thought: {more} for {trip}, please.",
            "Can I take {more} with me on {trip}?",
            "{trip}: please put down {more}.",
        ),
        trip=trip.words,
        more=f"{more} more checked bag{'s' if more > 1 else ''}",
    ) + t.say(
        (
            " If it costs something, charge what I paid the trip with first.",
            " Should there be a fee, it goes on the first payment method of that reservation.",
        )
    )

    def code(more: int, extra: str = "max(trip['nonfree_baggages'], bags - free)",
             pays: str = PAYS) -> str:  # fmt: skip
        return (
            f'{trip.code}free = {free} * len(trip["passengers"])\n'
            f'bags = trip["total_baggages"] + {more}\n'
            f"extra = {extra}\n"
            f"done = update_reservation_baggages(reservation_id={trip.id}, total_baggages=bags, "
            f"nonfree_baggages=extra, payment_id={pays})\n"
        )

    ask, result, kind = t.x.pick(
        (
            (
                "what the additional bags cost in all",
                f'{BAG_FEE} * (extra - trip["nonfree_baggages"])',
                MONEY,
            ),
            ("how many checked bags the trip has then", 'done["total_baggages"]', COUNT),
            ("how many of the trip's bags are not free", 'done["nonfree_baggages"]', COUNT),
        )
    )
    wrongs = (
        (code(more + 1), result),
        (code(more, "bags"), result),
        (code(more, "trip['nonfree_baggages']"), result),
        (code(more - 1) if more > 1 else code(more + 2), result),
        (code(more, f"trip['nonfree_baggages'] + {more}"), result),
    )
    needs = "user" if looks else trip.needs
    return Part(
        capitalized(wish) + member, code(more), result, ask, kind, wrongs, needs,
        (trip.key, *_paying(trip.record)),
    )  # fmt: skip


def _paying(trip: Record) -> tuple[str, ...]:
    return tuple(entry["payment_id"] for entry in trip["payment_history"])


_ABOUT_TRIP = (
    ("the flight number of its first flight", 'done["flights"][0]["flight_number"]', WORDS),
    ("the date of its first flight (YYYY-MM-DD)", 'done["flights"][0]["date"]', WORDS),
    ("how many flights it has", 'len(done["flights"])', COUNT),
    ("how many checked bags it has", 'done["total_baggages"]', COUNT),
    (
        "what was paid for it in all",
        'sum(entry["amount"] for entry in done["payment_history"])',
        MONEY,
    ),
)


def change_passenger(t: Traveler) -> Part:
    """Correct a passenger's data, or let somebody else fly."""
    trip = t.trip()
    old = t.x.pick(trip.record["passengers"])
    names = [name_passenger(one) for one in trip.record["passengers"]]
    new = person(t.rng)
    kind = t.x.pick(("first_name", "dob", "person"))
    if names.count(name_passenger(old)) > 1 or any(new[k] == old[k] for k in new):
        raise DeadEnd
    if kind != "person":
        new = {**old, kind: new[kind]}
    wish = t.say(
        {
            "first_name": (
                "On {trip} {old} must be called {new}; the date of birth is right.",
                "The first name of {old} on {trip} is wrong: it has to be {new}.",
                "You misspelt a passenger of {trip}. Make {old} read {new}.",
            ),
            "dob": (
                "On {trip}, {old} has a wrong date of birth. It should be {dob}.",
                "Please correct {trip}: {old} was born on {dob}.",
                "The date of birth of {old} on {trip} has to be {dob}.",
            ),
            "person": (
                "{new}, born on {dob}, flies in the place of {old} on {trip}.",
                "Please replace {old} on {trip} by {new}, born on {dob}.",
                "{old} can't come, so put {new} (date of birth {dob}) on {trip} instead.",
            ),
        }[kind],
        trip=trip.words,
        old=name_passenger(old),
        new=name_passenger(new),
        dob=new["dob"],
    )

    def code(old: Record, new: dict[str, Any]) -> str:
        parts = ", ".join(f"{key!r}: {new[key]!r}" for key in new if new[key] != old.get(key))
        is_old = " and ".join(f"one[{key!r}] == {old[key]!r}" for key in old)
        return (
            f"{trip.code}passengers = [{{**one, {parts}}} if {is_old} else one "
            'for one in trip["passengers"]]\n'
            f"done = update_reservation_passengers(reservation_id={trip.id}, "
            "passengers=passengers)\n"
        )

    ask, result, answer_kind = t.x.pick(_ABOUT_TRIP)
    stranger = person(t.rng)
    wrongs = [
        (code(old, {**new, "last_name": stranger["last_name"]}), result),
        (code(old, {**new, "dob": stranger["dob"]}), result),
        (code(old, stranger), result),
    ]
    for other in trip.record["passengers"]:
        if other is not old:
            wrongs.insert(0, (code(other, new), result))
            break
    return Part(
        capitalized(wish), code(old, new), result,
        f"for the trip whose passengers I changed, {ask}", answer_kind, tuple(wrongs), trip.needs,
        (trip.key,),
    )  # fmt: skip


def name_the_passenger(t: Traveler) -> Part:
    """Say who flies on a reservation for one; no look-up is needed."""
    trip = t.trip(lambda one: len(one["passengers"]) == 1, details=False)
    if trip.code:
        raise DeadEnd
    new = person(t.rng)
    wish = t.say(
        (
            "{trip} is for one person, and that is {new}, born on {dob}, from now on.",
            "Please let {new} (date of birth {dob}) fly on {trip} instead of its one passenger.",
            "The only passenger of {trip} must be {new}, born on {dob}.",
            "Change the one passenger of {trip} to {new}, born {dob}.",
        ),
        trip=trip.words,
        new=name_passenger(new),
        dob=new["dob"],
    )
    ask, result, kind = t.x.pick(_ABOUT_TRIP)

    def code(passenger: dict[str, Any]) -> str:
        given = f"reservation_id={trip.id}, passengers={[passenger]!r}"
        return f"done = update_reservation_passengers({given})\n"

    stranger = person(t.rng)
    wrongs = tuple((code({**new, key: stranger[key]}), result) for key in new)
    return Part(
        capitalized(wish), code(new), result, f"for the trip with the new passenger, {ask}", kind,
        wrongs, "", (trip.key,),
    )  # fmt: skip


def change_cabin(t: Traveler) -> Part:
    """Fly in another cabin, with the same flights."""
    trip = t.trip(paid_by_card)
    cabin = t.x.pick(one for one in CABINS if one != trip.record["cabin"])
    wish = t.say(
        (
            "I'd like {trip} in {cabin}, with the same flights.",
            "Please move {trip} to {cabin} and keep the flights.",
            "{trip} should be in {cabin} on all of its flights.",
            "Change the cabin of {trip} to {cabin}; the flights are fine.",
        ),
        trip=trip.words,
        cabin=name_cabin(cabin),
    ) + t.say(
        (
            " The difference goes to what I paid with first.",
            " Use the reservation's first payment method for the difference.",
        )
    )

    def code(cabin: str, pays: str = PAYS, flights: str = "flights") -> str:
        return (
            f"{trip.code}"
            'flights = [{"flight_number": one["flight_number"], "date": one["date"]} '
            'for one in trip["flights"]]\n'
            f"done = update_reservation_flights(reservation_id={trip.id}, cabin={cabin!r}, "
            f"flights={flights}, payment_id={pays})\n"
            'each = sum(one["price"] for one in done["flights"]) '
            '- sum(one["price"] for one in trip["flights"])\n'
            'difference = each * len(trip["passengers"])\n'
        )

    ask, result, kind = t.x.pick(
        (
            (
                "what the other cabin costs more in all, for everybody (negative if less)",
                "difference",
                MONEY,
            ),
            (
                "what the other cabin costs more for each passenger (negative if less)",
                "each",
                MONEY,
            ),
        )
    )
    other = next(one for one in CABINS if one not in (cabin, trip.record["cabin"]))
    methods = [
        one["id"]
        for one in t.user["payment_methods"].values()
        if one["source"] != "certificate" and one["id"] not in _paying(trip.record)
    ]
    wrongs = (
        (code(other), result),
        *((code(cabin, repr(key)), result) for key in methods[:2]),
        (code(cabin), "each - 30"),
        (code(cabin), 'sum(one["price"] for one in done["flights"])'),
    )
    return Part(
        capitalized(wish), code(cabin), result, ask, kind, wrongs, trip.needs,
        (trip.key, *_paying(trip.record)),
    )  # fmt: skip


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
        if one["source"] != "certificate" and one["id"] not in _paying(record)
    ]
    wrongs = (
        *((code(other), result) for other in _others(which)),
        *((code(which, pays=repr(key)), result) for key in methods[:1]),
        (code(which, date=t.day()), result),
        (code(which), 'trip["flights"][0]["flight_number"]'),
    )
    return Part(
        capitalized(wish), code(which), result, ask, kind, wrongs, trip.needs,
        (trip.key, *_paying(record)),
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


def cancel_or_add(t: Traveler) -> Part:
    """Cancel a trip if it is in business, else take one bag more."""
    trip = t.trip(paid_by_card)
    cabin = trip.record["cabin"]
    if cabin != "business" and (trip.record["insurance"] == "yes" or booked_lately(trip.record)):
        raise DeadEnd
    free = free_bags(t.user["membership"], cabin)
    wish = t.say(
        (
            "My plans changed. If {trip} is in business, cancel it. If not, I fly after all and "
            "need one more checked bag on it, paid with what I paid the trip with first.",
            "Is {trip} in business? Then please cancel it, my plans are different now. In any "
            "other cabin I keep it and check one bag more; a fee goes to its first payment method.",
            "Look at {trip}: in business it can be cancelled, and I want that because of a change "
            "of plans. Otherwise just add one checked bag, charged to what I first paid with.",
        ),
        trip=trip.words,
    )
    member = f" I'm a {t.user['membership']} member."

    def code(more: int = 1, business: str = "business", extra: str = "bags - free") -> str:
        return (
            f'{trip.code}free = {free} * len(trip["passengers"])\n'
            f'bags = trip["total_baggages"] + {more}\n'
            f'if trip["cabin"] == {business!r}:\n'
            f"    done = cancel_reservation(reservation_id={trip.id})\n"
            "else:\n"
            f"    done = update_reservation_baggages(reservation_id={trip.id}, "
            "total_baggages=bags, "
            f'nonfree_baggages=max(trip["nonfree_baggages"], {extra}), payment_id={PAYS})\n'
        )

    ask, result, kind = t.x.pick(
        (
            (f"the cabin of {trip.words}", 'trip["cabin"]', WORDS),
            (f"how many people are on {trip.words}", 'len(trip["passengers"])', COUNT),
            (f"how many flights {trip.words} has", 'len(trip["flights"])', COUNT),
        )
    )
    wrongs = (
        (code(business="economy" if cabin != "economy" else "business"), result),
        (code(2), result),
        (code(business=cabin if cabin != "business" else "none"), result),
        (code(extra="bags"), result),
        (trip.code, result),
    )
    return Part(
        capitalized(wish) + member, code(), result, ask, kind, wrongs, trip.needs,
        (trip.key, *_paying(trip.record)), skipped=1,
    )  # fmt: skip


PARTS: tuple[Callable[[Traveler], Part], ...] = (
    cancel,
    cancel,
    add_bags,
    add_bags,
    change_passenger,
    change_passenger,
    name_the_passenger,
    change_cabin,
    change_cabin,
    change_day,
    change_day,
    book,
    book,
    cancel_or_add,
)
"""What a customer may want, the frequent ones more than once."""
