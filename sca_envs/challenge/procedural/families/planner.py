"""Tasks of the travel planner."""

from __future__ import annotations

from sca_envs.challenge.procedural.families.planned import Kinds, draft_of_kinds
from sca_envs.challenge.procedural.parts import Explorer
from sca_envs.core.wishes.draft import Draft
from sca_envs.domains.m3.plans import DeadEnd, Plan, Term
from sca_envs.domains.m3.plans import Draft as PlanDraft
from sca_envs.domains.tau.goals import enumerate_words
from sca_envs.domains.travel_planning import tasks
from sca_envs.domains.travel_planning.world import PREFERENCES


def flights(plan: Plan) -> PlanDraft:
    """Find what is to be known of the flights of a day or of several."""
    legs = [tasks.draw_leg(plan) for _ in range(plan.rng.randint(1, 6))]
    which = plan.rng.choice(("cheapest", "most expensive", "count"))
    what = {
        "cheapest": "what the cheapest flight costs",
        "most expensive": "what the most expensive flight costs",
        "count": "how many flights there are",
    }[which]
    ways = enumerate_words(f"from {leg.start} to {leg.goal} on {leg.date}" for leg in legs)
    text = plan.say(
        (
            "Find out {what} {ways}{total}.",
            "I'd like to know {what} {ways}{total}.",
            "Tell me {what} {ways}{total}.",
        ),
        what=what,
        ways=ways,
        total=", everything added up" if len(legs) > 1 else "",
    )
    found = [plan.call("find_flights", leg.start, leg.goal, leg.date) for leg in legs]
    numbers = [_of_flights(plan, term, which) for term in found]
    code = " + ".join(f"{{{i}}}" for i in range(len(numbers)))
    total = plan.derive(sum(term.value for term in numbers), code, *numbers)
    return PlanDraft(text, total, ("flights", which, *(leg.key() for leg in legs)))


def _of_flights(plan: Plan, found: Term, which: str) -> Term:
    prices = [flight["price"] for flight in found.value]
    listed = "[flight['price'] for flight in {0}]"
    if which == "count":
        return plan.derive(len(prices), "len({0})", found)
    if which == "cheapest":
        return plan.derive(min(prices), f"min({listed})", found)
    return plan.derive(max(prices), f"max({listed})", found)


def hotels(plan: Plan) -> PlanDraft:
    """Compare the hotels of one or several places."""
    places = [key.strip('"') for key in plan.database.base.keys("places")]
    chosen = plan.rng.sample(places, plan.rng.randint(1, 4))
    wishes = sorted(plan.rng.sample(PREFERENCES, plan.rng.choice((0, 1, 1, 2))))
    nights = plan.rng.randint(2, 12)
    wish = f" with {' and '.join(wishes)}" if wishes else ""
    found = [plan.call("book_hotel", place, *wishes) for place in chosen]
    if any(not term.value for term in found):
        raise DeadEnd
    best = [
        plan.derive(
            min(hotel["price_per_night"] for hotel in term.value),
            "min([hotel['price_per_night'] for hotel in {0}])",
            term,
        )
        for term in found
    ]
    stays = plan.rng.random() < 0.5
    if stays:
        code = f"({' + '.join(f'{{{i}}}' for i in range(len(best)))}) * {nights}"
        answer = plan.derive(sum(term.value for term in best) * nights, code, *best)
        text = plan.say(
            (
                "I stay {nights} nights in {places}{each}, in the cheapest hotel{wish}. What do "
                "the hotels cost in all?",
                "How much are {nights} nights in the cheapest hotel{wish} in {places}{each}?",
                "Work out what {nights} nights cost in {places}{each}, taking the cheapest "
                "hotel{wish}.",
            ),
            nights=nights,
            places=enumerate_words(chosen),
            each=" each, one after the other" if len(chosen) > 1 else "",
            wish=wish,
        )
    else:
        dearest = plan.rng.random() < 0.5 and len(chosen) > 1
        pick = "max" if dearest else "min"
        code = f"{pick}([{', '.join(f'{{{i}}}' for i in range(len(best)))}])"
        values = [term.value for term in best]
        answer = plan.derive(max(values) if dearest else min(values), code, *best)
        text = plan.say(
            (
                "Find the cheapest hotel{wish} in {places}. What does a night cost in {it}?",
                "In {places} I look for the cheapest hotel{wish}. Answer the price of a night in "
                "{it}.",
                "For {places}, look up the cheapest hotel{wish}. I want to know what one night "
                "is in {it}.",
            ),
            wish=wish,
            places=enumerate_words(chosen) + (" (one in each place)" if len(chosen) > 1 else ""),
            it="it"
            if len(chosen) == 1
            else f"the one of these that is {'most expensive' if dearest else 'cheapest'}",
        )
    return PlanDraft(text, answer, ("hotels", *chosen, *wishes, nights, stays))


def known_prices(plan: Plan) -> PlanDraft:
    """Work out a budget of prices that are known, or of a flight that is to be looked up."""
    leg = tasks.draw_leg(plan)
    night, nights = plan.rng.randint(30, 320), plan.rng.randint(1, 14)
    if plan.rng.random() < 0.5:
        flight = plan.rng.randint(80, 900)
        text = plan.say(
            (
                "A flight to {goal} costs {flight} and a night there {night}. What is the budget "
                "for {nights} nights?",
                "My flight to {goal} was {flight}; I pay {night} a night for {nights} nights. How "
                "much is the trip?",
            ),
            goal=leg.goal,
            flight=flight,
            night=night,
            nights=nights,
        )
        answer = plan.call("budget_calculator", flight, night, nights)
        return PlanDraft(text, answer, ("known", flight, night, nights))
    text = plan.say(
        (
            "I fly from {leg.start} to {leg.goal} on {leg.date} as cheaply as possible and pay "
            "{night} a night for {nights} nights. What does the trip cost?",
            "My room in {leg.goal} is {night} a night, for {nights} nights. With the cheapest "
            "flight from {leg.start} on {leg.date}, what is the budget?",
        ),
        leg=leg,
        night=night,
        nights=nights,
    )
    flight_price = tasks.cheapest_flight(plan, leg.start, leg.goal, leg.date)
    answer = plan.call("budget_calculator", flight_price, night, nights)
    return PlanDraft(text, answer, ("known room", leg.key(), night, nights))


def trip_with_extras(plan: Plan) -> PlanDraft:
    """Add something to the cost of a trip."""
    leg = tasks.draw_leg(plan)
    extra = plan.rng.randint(20, 400)
    what = plan.rng.choice(
        ("a visa", "insurance", "a rented bicycle", "theatre tickets", "a guide")
    )
    text = plan.say(
        (
            "I fly from {leg.start} to {leg.goal} on {leg.date} with the cheapest flight and stay "
            "{stay}. On top comes {what} for {extra}. What is the total?",
            "Work out a trip to {leg.goal}: the cheapest flight from {leg.start} on {leg.date}, "
            "{stay}, and {extra} for {what}.",
        ),
        leg=leg,
        stay=leg.stay(),
        what=what,
        extra=extra,
    )
    flight = tasks.cheapest_flight(plan, leg.start, leg.goal, leg.date)
    night = tasks.hotel_price(plan, leg)
    budget = plan.call("budget_calculator", flight, night, leg.nights)
    return PlanDraft(text, plan.call("sum", budget, extra), ("extra", leg.key(), extra))


def two_trips(plan: Plan) -> PlanDraft:
    """Find the cost of two trips together, or by how much they differ."""
    legs = [tasks.draw_leg(plan), tasks.draw_leg(plan)]
    differ = plan.rng.random() < 0.5
    trips = [
        f"from {leg.start} to {leg.goal} on {leg.date} by the cheapest flight, with {leg.stay()}"
        for leg in legs
    ]
    text = plan.say(
        (
            "There are two trips: {one}; and {two}. {ask}",
            "We plan {one}. Another group goes {two}. {ask}",
        ),
        one=trips[0],
        two=trips[1],
        ask="By how much do their costs differ?" if differ else "What do they cost together?",
    )
    budgets = [
        plan.call(
            "budget_calculator",
            tasks.cheapest_flight(plan, leg.start, leg.goal, leg.date),
            tasks.hotel_price(plan, leg),
            leg.nights,
        )
        for leg in legs
    ]
    one, two = (term.value for term in budgets)
    if differ:
        answer = plan.derive(abs(one - two), "abs({0} - {1})", *budgets)
    else:
        answer = plan.derive(one + two, "{0} + {1}", *budgets)
    return PlanDraft(text, answer, ("two trips", differ, *(leg.key() for leg in legs)))


KINDS: Kinds = {
    flights: (1, 2, 3, 4, 5, 6),
    hotels: (1, 2, 3, 4),
    known_prices: (1, 2),
    trip_with_extras: (4,),
    two_trips: (6,),
    tasks.trip: (3,),
    tasks.return_trip: (5,),
    tasks.flexible_day: (4, 5, 6),
}
"""The kinds of tasks -> the numbers of calls that they can have; `min` and `max` are Python's."""


def draft(x: Explorer, calls: int) -> Draft:
    """Draw the draft of a task; see `draft_of_kinds`."""
    return draft_of_kinds(x, KINDS, calls)
