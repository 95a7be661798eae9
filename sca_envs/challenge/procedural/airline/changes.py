"""What airline customers want changed about a reservation, within the policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sca_envs.challenge.procedural.airline.traveler import (
    CABINS,
    PAYS,
    Traveler,
    paid_by_card,
    paying_methods,
)
from sca_envs.challenge.procedural.parts import COUNT, MONEY, WORDS, Part
from sca_envs.core.database import Record
from sca_envs.core.wishes import DeadEnd
from sca_envs.domains.tau.goals import capitalized
from sca_envs.domains.tau_airline.changes import BAG_FEE
from sca_envs.domains.tau_airline.goals.cancelling import HEALTH_OR_WEATHER, PLANS
from sca_envs.domains.tau_airline.goals.pieces import (
    name_cabin,
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
        (trip.key, *paying_methods(trip.record)),
    )  # fmt: skip


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
        if one["source"] != "certificate" and one["id"] not in paying_methods(trip.record)
    ]
    wrongs = (
        (code(other), result),
        *((code(cabin, repr(key)), result) for key in methods[:2]),
        (code(cabin), "each - 30"),
        (code(cabin), 'sum(one["price"] for one in done["flights"])'),
    )
    return Part(
        capitalized(wish), code(cabin), result, ask, kind, wrongs, trip.needs,
        (trip.key, *paying_methods(trip.record)),
    )  # fmt: skip


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
        (trip.key, *paying_methods(trip.record)), skipped=1,
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
    cancel_or_add,
)
"""What a customer may want, the frequent wishes more than once."""
