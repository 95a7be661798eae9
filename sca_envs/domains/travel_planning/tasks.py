"""What the tasks of the generated travel planner are made of."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Hashable, Mapping
from dataclasses import astuple, dataclass, replace
from typing import Any

from sca_envs.core.database import Record
from sca_envs.domains.m3.plans import DeadEnd, Draft, Plan, Term
from sca_envs.domains.travel_planning.world import PREFERENCES


@dataclass(frozen=True, slots=True)
class Leg:
    """A flight and the stay after it."""

    start: str
    goal: str
    date: str
    nights: int
    wishes: tuple[str, ...] = ()
    best_rated: bool = False
    """Whether to take the hotel with the highest rating rather than the cheapest."""

    def stay(self) -> str:
        """Return in words how to stay."""
        nights = f"{self.nights} night{'s' if self.nights > 1 else ''}"
        wishes = f" with {' and '.join(self.wishes)}" if self.wishes else ""
        return f"{nights} in the {'best rated' if self.best_rated else 'cheapest'} hotel{wishes}"

    def key(self) -> tuple[Hashable, ...]:
        """Return what it is, for telling tasks apart.

        The best rated hotel may be the cheapest, so it does not matter which of them is wanted.
        """
        return astuple(replace(self, best_rated=False))


def trip(plan: Plan) -> Draft:
    """Find the cost of a flight and a stay."""
    leg = draw_leg(plan)
    text = plan.say(
        (
            "What does a trip from {start} to {goal} on {date} cost, by the cheapest flight and "
            "with {stay}?",
            "I am in {start} and fly to {goal} on {date}, as cheaply as possible. I stay for "
            "{stay}. Give me the total budget.",
            "Plan a trip: the cheapest flight from {start} to {goal} on {date}, then {stay}. How "
            "much is it in all?",
        ),
        start=leg.start,
        goal=leg.goal,
        date=leg.date,
        stay=leg.stay(),
    )
    return Draft(text, _budget(plan, leg), ("trip", leg.key()))


def tour(plan: Plan) -> Draft:
    """Find the cost of two trips in a row."""
    first = draw_leg(plan)
    second = draw_leg(plan, start=first.goal, date=_later(first.date, first.nights))
    text = plan.say(
        (
            "A tour begins in {0.start} with a flight to {0.goal} on {0.date} and {1}. It goes on "
            "with a flight to {2.goal} on {2.date} and {3}. Flights are the cheapest ones. What is "
            "the total budget?",
            "Take the cheapest flight from {0.start} to {0.goal} on {0.date}, stay {1}, then take "
            "the cheapest flight to {2.goal} on {2.date} and stay {3}. What does all of it cost?",
        ),
        first,
        first.stay(),
        second,
        second.stay(),
    )
    budgets = [_budget(plan, leg) for leg in (first, second)]
    return Draft(text, plan.call("sum", *budgets), ("tour", first.key(), second.key()))


def return_trip(plan: Plan) -> Draft:
    """Find the cost of a trip with the flight home."""
    leg = draw_leg(plan)
    home = _later(leg.date, leg.nights)
    text = plan.say(
        (
            "I go from {leg.start} to {leg.goal} on {leg.date} and come back on {home}; in between "
            "I stay {stay}. I always take the cheapest flight. What does that cost in all?",
            "Work out the budget of a return trip from {leg.start} to {leg.goal}, out on "
            "{leg.date}, back on {home}, by the cheapest flights, with {stay}.",
        ),
        leg=leg,
        home=home,
        stay=leg.stay(),
    )
    there = _budget(plan, leg)
    back = cheapest_flight(plan, leg.goal, leg.start, home)
    return Draft(text, plan.call("sum", there, back), ("return", leg.key()))


def compare_places(plan: Plan) -> Draft:
    """Find the cost of the cheaper one of two trips."""
    first = draw_leg(plan)
    flights = [
        flight
        for flight in plan.database.base.tables["flights"].values()
        if flight["from_location"].strip('"') == first.start
        and flight["to_location"].strip('"') != first.goal
    ]
    flight = plan.rng.choice(flights)
    second = _leg(plan, flight, first.nights)
    text = plan.say(
        (
            "From {first.start} I could go to {first.goal} on {first.date} ({stay}) or to "
            "{second.goal} on {second.date} ({other}). What does the cheaper trip cost, by the "
            "cheapest flight?",
            "Compare two trips from {first.start}, both by the cheapest flight: to {first.goal} on "
            "{first.date} with {stay}, or to {second.goal} on {second.date} with {other}. Answer "
            "the lower total.",
        ),
        first=first,
        second=second,
        stay=first.stay(),
        other=second.stay(),
    )
    budgets = [_budget(plan, leg) for leg in (first, second)]
    key = ("compare", *sorted([first.key(), second.key()]))
    return Draft(text, plan.call("min", *budgets), key)


def flexible_day(plan: Plan) -> Draft:
    """Find the cost of a trip on the cheapest of several days."""
    leg = draw_leg(plan)
    route = {
        flight["date"]
        for flight in plan.database.base.tables["flights"].values()
        if (flight["from_location"], flight["to_location"]) == (f'"{leg.start}"', f'"{leg.goal}"')
    }
    if len(route) < 2:
        raise DeadEnd
    days = sorted(plan.rng.sample(sorted(route), min(len(route), plan.rng.randint(2, 4))))
    text = plan.say(
        (
            "I want to fly from {leg.start} to {leg.goal} on any of the days {days}, whichever has "
            "the cheapest flight, and spend {stay}. What is the total budget?",
            "A trip from {leg.start} to {leg.goal} may begin on {days}. Choose the day with the "
            "cheapest flight of all and add {stay}. How much is that?",
        ),
        leg=leg,
        days=f"{', '.join(days[:-1])} or {days[-1]}",
        stay=leg.stay(),
    )
    prices = [cheapest_flight(plan, leg.start, leg.goal, day) for day in days]
    answer = plan.call(
        "budget_calculator", plan.call("min", *prices), hotel_price(plan, leg), leg.nights
    )
    return Draft(text, answer, ("flexible", *days, replace(leg, date="").key()))


KINDS: Mapping[Callable[[Plan], Draft], float] = {
    trip: 2,
    tour: 2,
    return_trip: 1.5,
    compare_places: 1.5,
    flexible_day: 1.5,
}
"""The kinds of tasks -> how often, relative to the others."""


def draw_leg(plan: Plan, start: str | None = None, date: str | None = None) -> Leg:
    """Draw a flight that exists, from a place and on a day if these are given, and a stay."""
    flights = [
        flight
        for flight in plan.database.base.tables["flights"].values()
        if (start is None or flight["from_location"] == f'"{start}"')
        and (date is None or flight["date"] == date)
    ]
    if not flights:
        raise DeadEnd
    return _leg(plan, plan.rng.choice(flights), plan.rng.randint(1, 9))


def _leg(plan: Plan, flight: Record, nights: int) -> Leg:
    wishes = plan.rng.sample(PREFERENCES, plan.rng.choice((0, 1, 1, 2)))
    return Leg(
        start=flight["from_location"].strip('"'),
        goal=flight["to_location"].strip('"'),
        date=flight["date"],
        nights=nights,
        wishes=tuple(sorted(wishes)),
        best_rated=plan.rng.random() < 0.3,
    )


def _later(date: str, days: int) -> str:
    return (datetime.date.fromisoformat(date) + datetime.timedelta(days=days)).isoformat()


def _budget(plan: Plan, leg: Leg) -> Term:
    """Return the cost of a flight and the stay after it."""
    flight = cheapest_flight(plan, leg.start, leg.goal, leg.date)
    return plan.call("budget_calculator", flight, hotel_price(plan, leg), leg.nights)


def cheapest_flight(plan: Plan, start: str, goal: str, date: str) -> Term:
    """Note the search for flights; return the price of the cheapest."""
    flights = plan.call("find_flights", start, goal, date)
    if not flights.value:
        raise DeadEnd
    price = min(flight["price"] for flight in flights.value)
    return plan.derive(price, "min([flight['price'] for flight in {0}])", flights)


def hotel_price(plan: Plan, leg: Leg) -> Term:
    """Return the price of a night at the hotel to take."""
    hotels = plan.call("book_hotel", leg.goal, *leg.wishes)
    found: list[dict[str, Any]] = hotels.value
    if not found:
        raise DeadEnd
    if leg.best_rated:
        best = max(found, key=lambda hotel: hotel["rating"])
        code = "sorted({0}, key=lambda hotel: hotel['rating'])[-1]['price_per_night']"
        return plan.derive(best["price_per_night"], code, hotels)
    price = min(hotel["price_per_night"] for hotel in found)
    return plan.derive(price, "min([hotel['price_per_night'] for hotel in {0}])", hotels)
