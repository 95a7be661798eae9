"""What the tasks of the generated airline are made of."""

from __future__ import annotations

from collections.abc import Callable

from sca_envs.core.task import Fact, ReferenceAction
from sca_envs.domains.tau.generated import Recipe
from sca_envs.domains.tau.goals import Context, Goal, action
from sca_envs.domains.tau_airline import changes
from sca_envs.domains.tau_airline.goals import booking, cancelling, questions, refusals, updates

GOALS: dict[Callable[[Context], Goal | None], float] = {
    booking.book_one_way: 2,
    booking.book_with_stop: 2,
    booking.book_round_trip: 1.5,
    booking.book_with_certificates: 3,
    updates.change_flights: 2.5,
    updates.change_cabin: 2,
    updates.add_bags: 2,
    updates.change_passenger: 1.5,
    cancelling.cancel_booked_lately: 3,
    cancelling.cancel_business: 1,
    cancelling.cancel_insured: 1,
    cancelling.cancel_after_airline: 3,
    cancelling.complain_about_cancelled: 2,
    cancelling.cancel_delayed: 5,
    cancelling.rebook_delayed: 4,
    questions.ask_paid: 0.5,
    questions.ask_flight_number: 0.5,
    questions.ask_reservation_id: 0.5,
    questions.ask_cheapest_flight: 0.5,
    questions.ask_upgrade_price: 0.7,
    questions.ask_balance: 0.5,
    questions.ask_total_paid: 0.5,
    refusals.change_basic_economy: 0.5,
    refusals.cancel_without_ground: 0.5,
    refusals.change_number_of_passengers: 0.4,
    refusals.insure_afterwards: 0.4,
    refusals.remove_bags: 0.4,
    refusals.change_destination: 0.4,
    refusals.upgrade_one_flight: 0.4,
    refusals.upgrade_with_certificate: 0.4,
    refusals.demand_compensation: 1.5,
    refusals.book_against_rules: 0.4,
}
"""What a customer may want -> how often, relative to the others, if there is an occasion for it."""

CHANGES: dict[str, Callable[..., object]] = {
    function.__name__: function
    for function in (
        changes.book_reservation,
        changes.cancel_reservation,
        changes.send_certificate,
        changes.update_reservation_baggages,
        changes.update_reservation_flights,
        changes.update_reservation_passengers,
    )
}
"""The tools that write, by name."""

_WHO = (
    r"user[ -]?(?:id|name)",
    r"(?:customer|account|profile)(?:'s)? ?(?:id|number|name)",
    r"your (?:full |first |last )?name",
    r"\bidentit",
    r"verif",
    r"who (?:am i|are you)",
)


def identity(c: Context) -> tuple[tuple[Fact, ...], tuple[ReferenceAction, ...]]:
    """Draw how the customer tells the user id; the agent looks the profile up."""
    name = "{first_name} {last_name}".format(**c.user["name"])
    text = c.say(
        (
            "My user id is {id}.",
            "I'm {name}, user id {id}.",
            "{name}; my user id is {id}.",
            "You find me under the user id {id}.",
        ),
        id=c.user_id,
        name=name,
    )
    fact = Fact(key="user_id", cues=_WHO, text=text)
    return (fact,), (action("get_user_details", user_id=c.user_id),)


RECIPE = Recipe(
    domain="tau_airline",
    goals=GOALS,
    changes=CHANGES,
    concern="reservation_id",
    identity=identity,
    id_pattern=(
        r"\b(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{6}\b|\b(?:credit_card|gift_card|certificate)_\d{7}\b"
    ),
)
"""How airline tasks are made; give it to `GeneratedTasks`."""
