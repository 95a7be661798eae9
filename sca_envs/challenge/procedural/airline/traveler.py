"""Airline customers: who they are, and how they name reservations and flights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sca_envs.challenge.procedural.parts import Customer, Explorer
from sca_envs.core.database import Record
from sca_envs.core.wishes import DeadEnd
from sca_envs.domains.tau_airline.changes import NOW
from sca_envs.domains.tau_airline.goals.pieces import name_airport, name_date
from sca_envs.domains.tau_airline.network import DAYS, TODAY, date_of

CABINS = ("basic_economy", "economy", "business")
PAYS = 'trip["payment_history"][0]["payment_id"]'
"""Expression for what a reservation was paid with."""
MOST_LOOKED_THROUGH = 4
"""Most reservations that are looked through to find the one that is meant."""


@dataclass(frozen=True)
class Trip:
    """A reservation, how the customer names it, and how the code gets at it."""

    record: Record
    words: str
    code: str
    """Gives the variable ``trip``; empty if nothing was looked up."""
    id: str
    """Expression for the reservation's id."""
    needs: str = ""

    @property
    def key(self) -> str:
        """The reservation's id."""
        key: str = self.record["reservation_id"]
        return key


class Traveler:
    """One customer of the airline, explored through the tools.

    Args:
        x: Explores.
    """

    def __init__(self, x: Explorer) -> None:
        self.x, self.rng, self.say = x, x.rng, x.say
        self.user_id = x.key("users")
        self.user: Record = x.look("get_user_details", user_id=self.user_id)

    @cached_property
    def identity(self) -> Customer:
        """How the customer says who it is; every customer knows the user id."""
        slots = {**self.user["name"], "id": self.user_id}
        return Customer(self.say(_IDENTITIES, **slots), "", self.user_id)

    @cached_property
    def trips(self) -> list[Record]:
        """The customer's reservations, in the profile's order."""
        look = self.x.look
        keys = self.user["reservations"]
        return [look("get_reservation_details", reservation_id=key) for key in keys]

    def trip(self, suits: Any = None, *, details: bool = True, ahead: bool = True) -> Trip:
        """Draw one of the customer's reservations and how it is named.

        Args:
            suits: Function of a reservation: whether it will do.
            details: Whether the code needs the reservation's record.
            ahead: Whether all its flights have to leave on a later day.
        """
        found = [one for one in self.trips if suits is None or suits(one)]
        record = self.x.pick(one for one in found if not ahead or still_ahead(one))
        key = record["reservation_id"]
        count = len(self.trips)
        if count > MOST_LOOKED_THROUGH or not self._is_telling(record) or self.rng.random() < 0.6:
            words = self.say(("reservation {id}", "my reservation {id}", "my trip {id}"), id=key)
            code = f"trip = get_reservation_details(reservation_id={key!r})\n" if details else ""
            return Trip(record, words, code, 'trip["reservation_id"]' if details else repr(key))
        ends = record["origin"], record["destination"]
        words = self.say(
            ("my trip from {a} to {b}", "the reservation of mine that goes from {a} to {b}"),
            a=name_airport(ends[0]),
            b=name_airport(ends[1]),
        )
        code = "".join(
            f'trip_{i} = get_reservation_details(reservation_id=user["reservations"][{i - 1}])\n'
            for i in range(1, count + 1)
        )
        listed = ", ".join(f"trip_{i}" for i in range(1, count + 1))
        code += (
            f"trip = next(one for one in [{listed}] "
            f'if [one["origin"], one["destination"]] == {list(ends)!r})\n'
        )
        return Trip(record, words, code, 'trip["reservation_id"]', "user")

    def _is_telling(self, record: Record) -> bool:
        ends = [(one["origin"], one["destination"]) for one in self.trips]
        return ends.count((record["origin"], record["destination"])) == 1

    def another(self, record: Record) -> str:
        """Return the id of another reservation: the customer's own, else somebody's."""
        own = [one["reservation_id"] for one in self.trips if still_ahead(one)]
        others = [key for key in own if key != record["reservation_id"]]
        if others:
            return str(self.x.pick(others))
        return next(
            key
            for key in (self.x.key("reservations") for _ in range(50))
            if key != record["reservation_id"]
        )

    def route(self) -> tuple[str, str]:
        """Draw two airports that have direct flights between them, as some trip shows."""
        key = self.x.key("reservations")
        trip = self.x.look("get_reservation_details", reservation_id=key)
        flight = self.x.pick(trip["flights"])
        return flight["origin"], flight["destination"]

    def day(self) -> str:
        """Draw a date that lies ahead."""
        return date_of(self.rng.randint(TODAY + 1, DAYS))

    def offers(self, origin: str, destination: str, date: str) -> list[Record]:
        """Return the direct flights of a day, if there are at least two to choose from."""
        found: list[Record] = self.x.look(
            "search_direct_flight", origin=origin, destination=destination, date=date
        )
        if len(found) < 2:
            raise DeadEnd
        return found


_IDENTITIES = (
    "My user id is {id}.",
    "I'm {first_name} {last_name}, user id {id}.",
    "{first_name} {last_name} here, user id {id}.",
    "You find me under the user id {id}.",
    "My profile is {id}.",
    "This is {first_name} {last_name}; my user id with you is {id}.",
    "User id: {id}.",
)


def still_ahead(trip: Record) -> bool:
    """Return whether a reservation is not cancelled and all of it lies ahead."""
    return "status" not in trip and all(one["date"] > NOW[:10] for one in trip["flights"])


def paid_by_card(trip: Record) -> bool:
    """Return whether a reservation's first payment can pay for a change, too."""
    return "certificate" not in trip["payment_history"][0]["payment_id"]


def search_code(name: str, origin: str, destination: str, date: str) -> str:
    """Return code that searches direct flights."""
    given = f"origin={origin!r}, destination={destination!r}, date={date!r}"
    return f"{name} = search_direct_flight({given})\n"


def way(origin: str, destination: str, date: str) -> dict[str, str]:
    """Return a flight's ends and date as a customer says them."""
    return {"a": name_airport(origin), "b": name_airport(destination), "date": name_date(date)}


def paying_methods(trip: Record) -> tuple[str, ...]:
    """Return the ids of what a reservation was paid with."""
    return tuple(entry["payment_id"] for entry in trip["payment_history"])
