"""What can be booked on a day, and words that single one offer out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sca_envs.core.database import Record
from sca_envs.core.task import ReferenceAction
from sca_envs.domains.tau.goals import Context, action
from sca_envs.domains.tau_airline.goals.pieces import name_airport
from sca_envs.domains.tau_airline.lookups import get_timetable


class Offer(NamedTuple):
    """One flight, or two with a stop between them."""

    flights: tuple[Record, ...]
    """What the search tool shows of each, with its date."""

    def price(self, cabin: str) -> int:
        """Return the price for one passenger."""
        return sum(flight["prices"][cabin] for flight in self.flights)

    @property
    def hour(self) -> int:
        """Hour at which the first flight leaves; all leave on the hour."""
        return int(self.flights[0]["scheduled_departure_time_est"][:2])

    @property
    def arrival(self) -> tuple[bool, str]:
        """Whether the last flight arrives on a later day, and its time of arrival."""
        time = str(self.flights[-1]["scheduled_arrival_time_est"])
        return "+1" in time, time

    @property
    def segments(self) -> list[dict[str, str]]:
        """The flights as the tools take them."""
        return [{"flight_number": f["flight_number"], "date": f["date"]} for f in self.flights]


def _any(offer: Offer) -> bool:
    return True


class Wish(NamedTuple):
    """What a customer says to choose among offers."""

    template: str
    """What the customer says, such as ``the cheapest {kind}``."""
    rank: Callable[[Offer], Any]
    """The smallest is wanted most."""
    keep: Callable[[Offer], bool] = _any
    """Which offers the customer would take at all."""

    def words(self, offer: Offer) -> str:
        """Return what the customer says to get an offer."""
        direct = len(offer.flights) == 1
        return self.template.format(kind="direct flight" if direct else "connection with one stop")


def search(
    c: Context, origin: str, destination: str, date: str
) -> tuple[list[Offer], ReferenceAction] | None:
    """Return what can be booked on a day and the call that finds it: direct flights if there are.

    None if nothing can be booked, and also if a connection has its second flight on the day after:
    the tool shows that flight's price of another day.
    """
    timetable = get_timetable(c.db)
    arguments = {"origin": origin, "destination": destination, "date": date}
    if (origin, destination) in timetable.routes:
        direct = timetable.direct(**arguments)
        offers = [Offer(({**flight, "date": date},)) for flight in direct]
        return (offers, action("search_direct_flight", **arguments)) if offers else None
    pairs = timetable.one_stop(**arguments)
    if not pairs or any(second["date"] != date for _, second in pairs):
        return None
    call = action("search_onestop_flight", **arguments)
    return [Offer(tuple(pair)) for pair in pairs], call


def with_seats(offers: Sequence[Offer], cabin: str, passengers: int) -> list[Offer]:
    """Return the offers that have a seat for everybody."""
    return [
        offer
        for offer in offers
        if all(flight["available_seats"][cabin] >= passengers for flight in offer.flights)
    ]


def pick(wish: Wish, offers: Sequence[Offer]) -> Offer | None:
    """Return the one offer that is wanted most, or None if there are several or none."""
    kept = sorted(filter(wish.keep, offers), key=wish.rank)
    if not kept or (len(kept) > 1 and wish.rank(kept[0]) == wish.rank(kept[1])):
        return None
    return kept[0]


def cheapest(cabin: str) -> Wish:
    """Return the wish for the lowest price."""
    return Wish("the cheapest {kind}", lambda offer: offer.price(cabin))


def general_wishes(cabin: str) -> list[Wish]:
    """Return wishes that fit any offers."""
    return [
        cheapest(cabin),
        Wish("the {kind} that leaves earliest", lambda offer: offer.hour),
        Wish("the {kind} that leaves latest", lambda offer: -offer.hour),
        Wish("the {kind} that arrives first", lambda offer: offer.arrival),
    ]


def special_wishes(c: Context, offers: Sequence[Offer], cabin: str) -> list[Wish]:
    """Return wishes that are made for some offers."""
    target = c.rng.choice(offers)
    hour = c.rng.randint(6, 18)
    lowest = cheapest(cabin)
    after = Wish(
        f"{lowest.template} that leaves at {hour}:00 EST or later",
        lowest.rank,
        lambda offer: offer.hour >= hour,
    )
    number, stop = target.flights[0]["flight_number"], target.flights[0]["destination"]
    if len(target.flights) == 1:
        return [after, Wish(f"flight {number}", lambda offer: 0, lambda offer: offer == target)]
    through = Wish(
        f"the cheapest connection with its stop in {name_airport(stop)}",
        lowest.rank,
        lambda offer: offer.flights[0]["destination"] == stop,
    )
    return [after, through]


def choose(c: Context, offers: Sequence[Offer], cabin: str) -> tuple[Offer, Wish] | None:
    """Draw a wish that singles out an offer, and return both."""
    if not offers:
        return None
    wishes = [*general_wishes(cabin), *special_wishes(c, offers, cabin)]
    c.rng.shuffle(wishes)
    for wish in wishes:
        offer = pick(wish, offers)
        if offer is not None:
            return offer, wish
    return None
