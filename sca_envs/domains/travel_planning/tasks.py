"""What the tasks of the generated travel planner are about."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import astuple, dataclass, replace

from sca_envs.core.database import Record
from sca_envs.core.wishes import DeadEnd, Term, derive, enumerate_words
from sca_envs.domains.m3.plans import Kinds, Plan, Question, add_up, choose
from sca_envs.domains.travel_planning.world import PREFERENCES


@dataclass(frozen=True, slots=True)
class Leg:
    """A flight and the stay after it."""

    start: str
    goal: str
    date: str
    nights: int
    preferences: tuple[str, ...] = ()
    best_rated: bool = False
    """Whether to take the hotel with the highest rating rather than the cheapest."""

    @property
    def stay(self) -> str:
        """How to stay, in words."""
        nights = f"{self.nights} night{'s' if self.nights > 1 else ''}"
        hotel = f"{'best rated' if self.best_rated else 'cheapest'} hotel"
        return f"{nights} in the {hotel}{_with(self.preferences)}"

    def key(self) -> tuple[Hashable, ...]:
        """Return what it is, for telling tasks apart.

        The best rated hotel may be the cheapest, so it does not matter which of them is wanted.
        """
        return astuple(replace(self, best_rated=False))


def trip(plan: Plan) -> Question:
    """Find the cost of a flight and a stay."""
    leg = _draw_leg(plan)
    return Question(plan.say("text", leg=leg), _budget(plan, leg), ("trip", leg.key()))


def trip_with_extra(plan: Plan) -> Question:
    """Add something to the cost of a trip."""
    leg, cost = _draw_leg(plan), plan.rng.randint(20, 400)
    text = plan.say("text", leg=leg, extra=plan.say("extra"), cost=cost)
    answer = plan.call("sum", _budget(plan, leg), cost)
    return Question(text, answer, ("extra", leg.key(), cost))


def tour(plan: Plan) -> Question:
    """Find the cost of two trips in a row."""
    first = _draw_leg(plan)
    second = _draw_leg(plan, start=first.goal, date=_later(first.date, first.nights))
    text = plan.say("text", first=first, second=second)
    answer = plan.call("sum", _budget(plan, first), _budget(plan, second))
    return Question(text, answer, ("tour", first.key(), second.key()))


def return_trip(plan: Plan) -> Question:
    """Find the cost of a trip with the flight home."""
    leg = _draw_leg(plan)
    home = _later(leg.date, leg.nights)
    text = plan.say("text", leg=leg, home=home)
    there = _budget(plan, leg)
    back = _cheapest_flight(plan, leg.goal, leg.start, home)
    return Question(text, plan.call("sum", there, back), ("return", leg.key()))


def compare_places(plan: Plan) -> Question:
    """Find the cost of the cheaper one of two trips."""
    first = _draw_leg(plan)
    flight = plan.pick(
        one
        for one in _flights(plan, start=first.start)
        if one["to_location"].strip('"') != first.goal
    )
    second = _leg(plan, flight, first.nights)
    text = plan.say("text", first=first, second=second)
    answer = plan.call("min", _budget(plan, first), _budget(plan, second))
    return Question(text, answer, ("compare", *sorted([first.key(), second.key()])))


def two_trips(plan: Plan) -> Question:
    """Find the cost of two trips together, or by how much they differ."""
    legs = [_draw_leg(plan), _draw_leg(plan)]
    asked = plan.rng.choice(("sum", "difference"))
    text = plan.say("text", one=legs[0], two=legs[1], ask=plan.say(asked))
    one, two = (_budget(plan, leg) for leg in legs)
    answer, mistake = one + two, abs(one - two)
    if asked == "difference":
        answer, mistake = mistake, answer
    return Question(text, answer, (asked, *sorted(leg.key() for leg in legs)), (mistake,))


def flexible_day(plan: Plan) -> Question:
    """Find the cost of a trip on the cheapest of several days."""
    leg = _draw_leg(plan)
    route = {flight["date"] for flight in _flights(plan, start=leg.start, goal=leg.goal)}
    count = plan.size(2, 4, besides=2)  # `min` is Python's in a Code-as-Task
    if len(route) < count:
        raise DeadEnd
    days = sorted(plan.rng.sample(sorted(route), count))
    text = plan.say("text", leg=leg, days=f"{', '.join(days[:-1])} or {days[-1]}")
    prices = [_cheapest_flight(plan, leg.start, leg.goal, day) for day in days]
    flight = plan.call("min", *prices)
    answer = plan.call("budget_calculator", flight, _hotel_price(plan, leg), leg.nights)
    return Question(text, answer, ("flexible", *days, replace(leg, date="").key()))


def known_prices(plan: Plan) -> Question:
    """Work out a budget of prices that are known, but perhaps for the flight's."""
    leg = _draw_leg(plan)
    flight, night = plan.rng.randint(80, 900), plan.rng.randint(30, 320)
    nights = plan.rng.randint(2, 14)
    if plan.rng.random() < 0.5:
        text = plan.say("all_known", leg=leg, flight=flight, night=night, nights=nights)
        answer = plan.call("budget_calculator", flight, night, nights)
        return Question(text, answer, ("known", flight, night, nights))
    text = plan.say("room_known", leg=leg, night=night, nights=nights)
    price = _cheapest_flight(plan, leg.start, leg.goal, leg.date)
    answer = plan.call("budget_calculator", price, night, nights)
    return Question(text, answer, ("known room", leg.start, leg.goal, leg.date, night, nights))


_OF_FLIGHTS: dict[str, Callable[[Term], Term]] = {
    "cheapest": lambda flights: flights.lowest(lambda flight: flight["price"]),
    "dearest": lambda flights: flights.highest(lambda flight: flight["price"]),
    "count": lambda flights: flights.length(),
}
"""What there is to know of the flights of a day -> how it is found out."""


def flights(plan: Plan) -> Question:
    """Find what there is to know of the flights of a day or of several."""
    legs = [_draw_leg(plan) for _ in range(plan.size(1, 6))]
    asked, other = plan.rng.sample(list(_OF_FLIGHTS), 2)
    ways = enumerate_words(f"from {leg.start} to {leg.goal} on {leg.date}" for leg in legs)
    text = plan.say("several" if legs[1:] else "one", what=plan.say(asked), ways=ways)
    lists = [plan.call("find_flights", leg.start, leg.goal, leg.date) for leg in legs]
    answer = add_up([plan.let(_OF_FLIGHTS[asked](one)) for one in lists])
    mistake = add_up([_OF_FLIGHTS[other](one) for one in lists])
    ways_key = sorted((leg.start, leg.goal, leg.date) for leg in legs)
    return Question(text, answer, ("flights", *ways_key), (mistake,))


def hotels(plan: Plan) -> Question:
    """Compare the cheapest hotels of one or several places, or stay in all of them."""
    places = [key.strip('"') for key in plan.database.base.keys("places")]
    places = plan.rng.sample(places, plan.size(1, 4))
    preferences = _draw_preferences(plan)
    nights = plan.rng.randint(2, 12)
    asked = plan.pick(("stay", "cheapest", "dearest") if places[1:] else ("stay_in_one", "one"))
    slots = {"places": enumerate_words(places), "preferences": _with(preferences)}
    text = plan.say(asked, nights=nights, **slots)
    best = [_cheapest_hotel(plan, place, preferences) for place in places]
    if asked.startswith("stay"):
        answer, mistake = add_up(best) * nights, add_up(best)
    else:
        answer, mistake = choose(max if asked == "dearest" else min, best), add_up(best) * 2
    key = ("hotels", *sorted(places), *preferences, nights if asked.startswith("stay") else 0)
    return Question(text, answer, key, (mistake,))


TASKS: Kinds = {
    trip: 2,
    trip_with_extra: 1,
    tour: 2,
    return_trip: 1.5,
    compare_places: 1.5,
    two_trips: 1,
    flexible_day: 1.5,
    known_prices: 0.3,
    flights: 0.7,
    hotels: 0.5,
}
"""What a task may ask."""
DRAFTS: Kinds = {
    trip: 1,
    trip_with_extra: 1,
    return_trip: 1,
    compare_places: 1,
    two_trips: 1,
    flexible_day: 1,
    known_prices: 2,
    flights: 1,
    hotels: 1,
}
"""What a Code-as-Task may ask."""


def _flights(
    plan: Plan, start: str | None = None, goal: str | None = None, date: str | None = None
) -> Iterator[Record]:
    """Yield the flights from and to a place and on a day, if these are given."""
    for flight in plan.database.base.tables["flights"].values():
        if (
            (start is None or flight["from_location"] == f'"{start}"')
            and (goal is None or flight["to_location"] == f'"{goal}"')
            and (date is None or flight["date"] == date)
        ):
            yield flight


def _draw_leg(plan: Plan, start: str | None = None, date: str | None = None) -> Leg:
    """Draw a flight that exists, from a place and on a day if these are given, and a stay."""
    flight = plan.pick(_flights(plan, start=start, date=date))
    return _leg(plan, flight, plan.rng.randint(1, 9))


def _leg(plan: Plan, flight: Record, nights: int) -> Leg:
    return Leg(
        start=flight["from_location"].strip('"'),
        goal=flight["to_location"].strip('"'),
        date=flight["date"],
        nights=nights,
        preferences=_draw_preferences(plan),
        best_rated=plan.rng.random() < 0.3,
    )


def _draw_preferences(plan: Plan) -> tuple[str, ...]:
    return tuple(sorted(plan.rng.sample(PREFERENCES, plan.rng.choice((0, 1, 1, 2)))))


def _with(preferences: Iterable[str]) -> str:
    words = " and ".join(preferences)
    return f" with {words}" if words else ""


def _later(date: str, days: int) -> str:
    return (datetime.date.fromisoformat(date) + datetime.timedelta(days=days)).isoformat()


def _budget(plan: Plan, leg: Leg) -> Term:
    """Note what finds the cost of a flight and the stay after it; return that."""
    flight = _cheapest_flight(plan, leg.start, leg.goal, leg.date)
    return plan.call("budget_calculator", flight, _hotel_price(plan, leg), leg.nights)


def _cheapest_flight(plan: Plan, start: str, goal: str, date: str) -> Term:
    """Note the search for flights; return the price of the cheapest."""
    flights = plan.call("find_flights", start, goal, date)
    if not flights.value:
        raise DeadEnd
    return plan.let(flights.lowest(lambda flight: flight["price"]))


def _cheapest_hotel(plan: Plan, place: str, preferences: Iterable[str]) -> Term:
    """Note the search for hotels; return the lowest price of a night."""
    hotels = plan.call("book_hotel", place, *preferences)
    if not hotels.value:
        raise DeadEnd
    return plan.let(hotels.lowest(lambda hotel: hotel["price_per_night"]))


def _hotel_price(plan: Plan, leg: Leg) -> Term:
    """Note the search for the hotel to take; return the price of a night."""
    if not leg.best_rated:
        return _cheapest_hotel(plan, leg.goal, leg.preferences)
    hotels = plan.call("book_hotel", leg.goal, *leg.preferences)
    if not hotels.value:
        raise DeadEnd
    best = max(hotels.value, key=lambda hotel: hotel["rating"])
    # The tool `max` takes no key.
    code = "sorted({0}, key=lambda hotel: hotel['rating'])[-1]['price_per_night']"
    return plan.let(derive(best["price_per_night"], code, hotels))
