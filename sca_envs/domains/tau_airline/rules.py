"""The policy's rules as functions of a reservation, for whoever makes data and tasks."""

from __future__ import annotations

from datetime import datetime, timedelta

from sca_envs.core.database import Database, Record
from sca_envs.domains.tau_airline.changes import NOW

_FREE_BAGS = {
    "regular": {"basic_economy": 0, "economy": 1, "business": 2},
    "silver": {"basic_economy": 1, "economy": 2, "business": 3},
    "gold": {"basic_economy": 2, "economy": 3, "business": 3},
}
_NOT_FLOWN = frozenset({"available", "on time", "delayed", "cancelled"})


def free_bags(membership: str, cabin: str) -> int:
    """Return how many checked bags are free for each passenger."""
    return _FREE_BAGS[membership][cabin]


def extra_bags(membership: str, cabin: str, passengers: int, bags: int) -> int:
    """Return how many of a reservation's checked bags must be paid."""
    return max(0, bags - passengers * free_bags(membership, cabin))


def statuses(db: Database, reservation: Record) -> list[str]:
    """Return the status of each flight of a reservation."""
    found = []
    for flight in reservation["flights"]:
        scheduled = db.get("flights", flight["flight_number"]) or {}
        found.append(scheduled["dates"][flight["date"]]["status"])
    return found


def not_flown(db: Database, reservation: Record) -> bool:
    """Return whether no part of a trip was flown."""
    return _NOT_FLOWN.issuperset(statuses(db, reservation))


def still_ahead(db: Database, reservation: Record) -> bool:
    """Return whether all flights of a trip leave on a later day than today."""
    return set(statuses(db, reservation)) == {"available"}


def booked_lately(reservation: Record) -> bool:
    """Return whether a reservation was made less than 24 hours ago."""
    age = datetime.fromisoformat(NOW) - datetime.fromisoformat(reservation["created_at"])
    return age < timedelta(hours=24)


def compensated(membership: str, reservation: Record) -> bool:
    """Return whether a customer who complains may get a certificate."""
    return (
        membership != "regular"
        or reservation["insurance"] == "yes"
        or reservation["cabin"] == "business"
    )
