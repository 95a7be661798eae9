"""What the customers of the airline may want."""

from __future__ import annotations

from sca_envs.core.wishes import WishBook, Wordings
from sca_envs.domains.tau_airline.wishes import (
    booking,
    cancelling,
    questions,
    refusals,
    updates,
)
from sca_envs.domains.tau_airline.wishes.pieces import identify

WISHES = WishBook(
    wishes={
        booking.book_one_way: 2,
        booking.book_with_stop: 2,
        booking.book_round_trip: 1.5,
        booking.book_with_certificates: 3,
        booking.book_within_limit: 0.7,
        updates.change_flights: 2.5,
        updates.change_cabin: 2,
        updates.add_bags: 2,
        updates.change_passenger: 1.5,
        updates.name_the_passenger: 0.5,
        cancelling.cancel_booked_lately: 3,
        cancelling.cancel_business: 1,
        cancelling.cancel_insured: 1,
        cancelling.cancel_after_airline: 3,
        cancelling.cancel_or_add_bag: 0.5,
        cancelling.complain_about_cancelled: 2,
        cancelling.cancel_delayed: 5,
        cancelling.rebook_delayed: 4,
        questions.ask_about_trip: 1,
        questions.ask_reservation_id: 0.5,
        questions.ask_about_flights: 0.5,
        questions.ask_upgrade_price: 0.7,
        questions.ask_about_profile: 0.5,
        questions.ask_about_all_trips: 0.5,
        questions.compare_trips: 0.5,
        questions.compare_days: 0.5,
        refusals.change_basic_economy: 0.5,
        refusals.cancel_without_ground: 0.5,
        refusals.change_number_of_passengers: 0.4,
        refusals.insure_afterwards: 0.4,
        refusals.remove_bags: 0.4,
        refusals.change_destination: 0.4,
        refusals.upgrade_one_flight: 0.4,
        refusals.upgrade_with_certificate: 0.4,
        refusals.demand_compensation: 1.5,
        refusals.demand_goodwill: 0.4,
        refusals.book_against_rules: 0.4,
    },
    identify=identify,
    wordings=Wordings.read("sca_envs.domains.tau_airline"),
    subject_parameter="reservation_id",
    id_pattern=(
        r"\b(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{6}\b|\b(?:credit_card|gift_card|certificate)_\d{7}\b"
    ),
)
"""What a customer may want -> how often, relative to the others, if there is an occasion for it."""
