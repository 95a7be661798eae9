"""What can be booked on a day, and words that single one offer out.

An offer is what the search tools show: a flight, or two with a stop between them. What is said here
of offers holds for records, to draw by them, and for terms alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sca_envs.core.wishes import Customer, DeadEnd, Term
from sca_envs.domains.tau_airline.lookups import get_timetable
from sca_envs.domains.tau_airline.network import DAYS, TODAY, date_of
from sca_envs.domains.tau_airline.wishes.pieces import name_airport, segment


class Day(NamedTuple):
    """What can be booked on a route and date."""

    origin: str
    destination: str
    date: str
    direct: bool
    """Whether there are direct flights; connections count only where there are none."""
    offers: list[Any]

    def price(self, offer: Any, cabin: str) -> Any:
        """Return an offer's price for one passenger."""
        if self.direct:
            return offer["prices"][cabin]
        return offer[0]["prices"][cabin] + offer[1]["prices"][cabin]

    def has_seats(self, offer: Any, cabin: str, travelers: int) -> Any:
        """Return whether an offer has a seat for everybody."""
        seats = [one["available_seats"][cabin] >= travelers for one in self.flights(offer)]
        return seats[0] if self.direct else seats[0] & seats[1]

    def flights(self, offer: Any) -> list[Any]:
        """Return the flights of an offer."""
        return [offer] if self.direct else [offer[0], offer[1]]

    def segments(self, offer: Any, date: Any = None) -> list[dict[str, Any]]:
        """Return the flights of an offer as the tools take them.

        Args:
            offer: The offer.
            date: Its date as a term, if it is direct: the tool shows none then.
        """
        if self.direct:
            return [segment(offer, self.date if date is None else date)]
        return [segment(offer[0]), segment(offer[1])]

    def departure(self, offer: Any) -> Any:
        """Return the time at which an offer leaves; all leave on the hour."""
        return self.flights(offer)[0]["scheduled_departure_time_est"]

    def look_up(self, c: Customer) -> tuple[Term, Term]:
        """Search, and return the date and what the tool shows."""
        date = c.given(self.date, [draw_date(c), draw_date(c)])
        tool = "search_direct_flight" if self.direct else "search_onestop_flight"
        ends = {"origin": self.origin, "destination": self.destination}
        return date, c.call(tool, as_="offers", **ends, date=date)


class Choice(NamedTuple):
    """What a customer says to choose among offers."""

    words: str
    """Such as ``the cheapest direct flight``."""
    rank: Callable[[Any], Any]
    """What the wanted offer has the least of."""
    keep: Callable[[Any], Any] | None = None
    """Which offers the customer would take at all."""
    most: bool = False
    """Whether the wanted offer has the most of it instead."""

    def pick(self, offers: Iterable[Any]) -> Any:
        """Return the one record that is wanted, or None if there are several or none."""
        kept = [offer for offer in offers if self.keep is None or self.keep(offer)]
        ranks = [self.rank(offer) for offer in kept]
        if not kept:
            return None
        best = max(ranks) if self.most else min(ranks)
        return kept[ranks.index(best)] if ranks.count(best) == 1 else None

    def find(self, offers: Term) -> Term:
        """Return the one that is wanted of what a tool shows."""
        kept = offers if self.keep is None else offers.where(self.keep)
        return kept.largest_by(self.rank) if self.most else kept.smallest_by(self.rank)


def draw_date(c: Customer) -> str:
    """Draw a date that lies ahead."""
    return date_of(c.rng.randint(TODAY + 1, DAYS))


def draw_route(c: Customer) -> tuple[str, str]:
    """Draw two airports that have direct flights between them."""
    route: tuple[str, str] = c.rng.choice(get_timetable(c.db).routes)
    return route


def search(c: Customer, origin: str, destination: str, date: str) -> Day | None:
    """Return what can be booked on a day: direct flights if there are.

    None if nothing can be booked, and also if a connection has its second flight on the day after:
    the tool shows that flight's price of another day.
    """
    timetable = get_timetable(c.db)
    if (origin, destination) in timetable.routes:
        flights = timetable.direct(origin, destination, date)
        return Day(origin, destination, date, True, flights) if flights else None
    pairs = timetable.one_stop(origin, destination, date)
    if not pairs or any(second["date"] != date for _, second in pairs):
        return None
    return Day(origin, destination, date, False, pairs)


def direct_flights(c: Customer, origin: str, destination: str, date: str) -> Day:
    """Return the direct flights of a day.

    Raises:
        DeadEnd: If there are less than two to choose from.
    """
    flights = get_timetable(c.db).direct(origin, destination, date)
    if len(flights) < 2:
        raise DeadEnd
    return Day(origin, destination, date, True, flights)


def cheapest(day: Day, cabin: str) -> Choice:
    """Return the choice of the lowest price."""
    return Choice(f"the cheapest {_kind(day)}", lambda offer: day.price(offer, cabin))


def require_free_seat(day: Day, cabin: str) -> None:
    """Make sure that sold-out flights make no difference to what is the lowest price.

    Raises:
        DeadEnd: If they do.
    """
    free = [offer for offer in day.offers if day.has_seats(offer, cabin, 1)]
    lowest = [
        min((day.price(o, cabin) for o in offers), default=0) for offers in (free, day.offers)
    ]
    if lowest[0] != lowest[1]:
        raise DeadEnd


def general_choices(day: Day, cabin: str) -> list[Choice]:
    """Return choices that fit any offers of the day's kind."""

    def arrival(offer: Any) -> list[Any]:
        time = day.flights(offer)[-1]["scheduled_arrival_time_est"]
        later = time.contains("+1") if isinstance(time, Term) else "+1" in time
        return [later, time]

    return [
        cheapest(day, cabin),
        Choice(f"the {_kind(day)} that leaves earliest", day.departure),
        Choice(f"the {_kind(day)} that leaves latest", day.departure, most=True),
        Choice(f"the {_kind(day)} that arrives first", arrival),
    ]


def draw_choice(
    c: Customer, day: Day, cabin: str, travelers: int
) -> tuple[Any, Choice, Choice | None] | None:
    """Draw a choice that singles out an offer with a seat for everybody.

    Returns:
        The offer, the choice, and one of another offer if there is one; None if there is no offer
        to single out.
    """
    offers = [offer for offer in day.offers if day.has_seats(offer, cabin, travelers)]
    if not offers:
        return None
    choices = [*general_choices(day, cabin), *_special_choices(c, day, cabin, offers)]
    c.rng.shuffle(choices)
    picks = ((offer, one) for one in choices if (offer := one.pick(offers)) is not None)
    offer, choice = next(picks, (None, None))
    if choice is None:
        return None
    return offer, choice, next((one for other, one in picks if other is not offer), None)


def draw_common_choice(
    c: Customer, days: Sequence[Day], cabin: str, travelers: int
) -> tuple[Choice, list[Any]] | None:
    """Draw a choice that singles out an offer on each of several days, if there is one."""
    choices = general_choices(days[0], cabin)
    c.rng.shuffle(choices)
    for choice in choices:
        picks = [
            choice.pick(one for one in day.offers if day.has_seats(one, cabin, travelers))
            for day in days
        ]
        if all(pick is not None for pick in picks):
            return choice, picks
    return None


def _special_choices(c: Customer, day: Day, cabin: str, offers: Sequence[Any]) -> list[Choice]:
    """Return choices that are made for some offers."""
    first = day.flights(c.rng.choice(offers))[0]
    hour = c.rng.randint(6, 18)
    lowest = cheapest(day, cabin)
    words = f"{lowest.words} that leaves at {hour}:00 EST or later"
    after = Choice(words, lowest.rank, lambda offer: day.departure(offer) >= f"{hour:02d}:00:00")
    if day.direct:
        number = first["flight_number"]
        named = Choice(
            f"flight {number}", lowest.rank, lambda offer: offer["flight_number"] == number
        )
        return [after, named]
    stop = first["destination"]
    through = Choice(
        f"the cheapest connection with its stop in {name_airport(stop)}",
        lowest.rank,
        lambda offer: offer[0]["destination"] == stop,
    )
    return [after, through]


def _kind(day: Day) -> str:
    return "direct flight" if day.direct else "connection with one stop"
