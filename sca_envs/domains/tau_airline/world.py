"""Makes an airline database from a seed: the original's schema and size, our own contents.

Numbers of records, trip types, payments, memberships and prices follow what was counted in
tau-bench's data. More trips than there have a delayed or cancelled flight, or were booked within
the last day, because few policies are as particular as those about such trips.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from sca_envs.core.database import Record
from sca_envs.domains.tau.people import FIRST_NAMES, LAST_NAMES, address
from sca_envs.domains.tau_airline.changes import CERTIFICATE_IDS, NOW
from sca_envs.domains.tau_airline.network import build_flights
from sca_envs.domains.tau_airline.rules import free_bags
from sca_envs.domains.tau_airline.trips import Planner

USERS = 500
RESERVATIONS = 2000
_MEMBERSHIPS = {"gold": 175, "silver": 182, "regular": 143}
_METHODS = {1: 80, 2: 142, 3: 111, 4: 90, 5: 41, 6: 28, 7: 8}
"""Number of payment methods -> how often."""
_PASSENGERS = {1: 920, 2: 662, 3: 323, 4: 95}
_CABINS = {"basic_economy": 649, "economy": 676, "business": 675}
_CERTIFICATES = (100, 150, 250, 500)
_PAID = {"basic_economy": (50, 100), "economy": (100, 200), "business": (400, 2000)}
"""Dollars that a flight cost when it was booked; business was dearer then, as in the original."""
_WITH_CUSTOMER = 0.8
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def build(seed: int) -> dict[str, dict[str, Record]]:
    """Return the tables `flights`, `reservations` and `users`.

    Args:
        seed: Two calls with the same seed return equal tables, on every machine.
    """
    rng = random.Random(f"tau_airline world {seed}")
    flights = build_flights(rng)
    numbers = {name.rpartition("_")[2] for name in CERTIFICATE_IDS}
    users: dict[str, Record] = {}
    while len(users) < USERS:
        key, user = _user(rng, numbers)
        users.setdefault(key, user)
    # Reservations are paid with what is still in the profile.
    customers = [key for key, user in users.items() if _cards(user)]
    planner = Planner(rng, flights)
    reservations: dict[str, Record] = {}
    while len(reservations) < RESERVATIONS:
        user_id = rng.choice(customers)
        reservation = _reservation(rng, planner, user_id, users[user_id])
        key = reservation["reservation_id"]
        if key not in reservations:
            reservations[key] = reservation
            users[user_id]["reservations"].append(key)
    return {"flights": flights, "reservations": reservations, "users": users}


def draw(rng: random.Random, weights: dict[Any, int]) -> Any:
    """Draw a key by its weight."""
    return rng.choices(list(weights), list(weights.values()))[0]


def person(rng: random.Random) -> dict[str, str]:
    """Draw a passenger: first name, last name and date of birth."""
    born = datetime(1950, 1, 1) + timedelta(days=rng.randrange(52 * 365))
    return {
        "first_name": rng.choice(FIRST_NAMES),
        "last_name": rng.choice(LAST_NAMES),
        "dob": born.date().isoformat(),
    }


def _user(rng: random.Random, numbers: set[str]) -> tuple[str, Record]:
    me = person(rng)
    first, last = me["first_name"], me["last_name"]
    methods = [_payment_method(rng, numbers) for _ in range(draw(rng, _METHODS))]
    return f"{first}_{last}_{rng.randrange(1000, 10000)}".lower(), {
        "name": {"first_name": first, "last_name": last},
        "address": address(rng),
        "email": f"{first}.{last}{rng.randrange(1000, 10000)}@example.com".lower(),
        "dob": me["dob"],
        "payment_methods": {method["id"]: method for method in methods},
        "saved_passengers": [person(rng) for _ in range(rng.choices((1, 2), (328, 172))[0])],
        "membership": draw(rng, _MEMBERSHIPS),
        "reservations": [],
    }


def _payment_method(rng: random.Random, numbers: set[str]) -> Record:
    source = rng.choice(("credit_card", "gift_card", "certificate"))
    method: Record = {"source": source}
    if source == "credit_card":
        method["brand"] = rng.choice(("mastercard", "visa"))
        method["last_four"] = str(rng.randrange(1000, 10000))
    else:
        method["amount"] = (
            rng.randint(0, 300) if source == "gift_card" else rng.choice(_CERTIFICATES)
        )
    number = str(rng.randrange(10**6, 10**7))
    while number in numbers:
        number = str(rng.randrange(10**6, 10**7))
    numbers.add(number)
    return {**method, "id": f"{source}_{number}"}


def _cards(user: Record) -> list[str]:
    """Return the ids of the payment methods that are no certificates."""
    return [key for key, m in user["payment_methods"].items() if m["source"] != "certificate"]


def _reservation(rng: random.Random, planner: Planner, user_id: str, user: Record) -> Record:
    trip = planner.draw()
    cabin = draw(rng, _CABINS)
    flights = [{**flight, "price": rng.randint(*_PAID[cabin])} for flight in trip.flights]
    passengers = _passengers(rng, user)
    insurance = rng.choice(("yes", "no"))
    total = sum(flight["price"] for flight in flights) * len(passengers)
    total += 30 * len(passengers) * (insurance == "yes")
    return {
        "reservation_id": _reservation_id(rng),
        "user_id": user_id,
        "origin": trip.origin,
        "destination": trip.destination,
        "flight_type": trip.flight_type,
        "cabin": cabin,
        "flights": flights,
        "passengers": passengers,
        "payment_history": [{"payment_id": rng.choice(_cards(user)), "amount": total}],
        "created_at": _created_at(rng, trip.flights[0]["date"]),
        "total_baggages": _bags(rng, user["membership"], cabin, len(passengers)),
        "nonfree_baggages": 0,
        "insurance": insurance,
    }


def _passengers(rng: random.Random, user: Record) -> list[Record]:
    passengers = [person(rng) for _ in range(draw(rng, _PASSENGERS))]
    if rng.random() < _WITH_CUSTOMER:
        passengers[0] = {**user["name"], "dob": user["dob"]}
    if len(passengers) > 1 and rng.random() < 0.5:
        passengers[1] = dict(rng.choice(user["saved_passengers"]))
    return passengers


def _reservation_id(rng: random.Random) -> str:
    """Draw six letters and digits, at least two of each, so that no word looks like an id."""
    digits = rng.randint(2, 4)
    signs = [*rng.choices("0123456789", k=digits), *rng.choices(_LETTERS, k=6 - digits)]
    rng.shuffle(signs)
    return "".join(signs)


def _created_at(rng: random.Random, departure: str) -> str:
    """Draw when a trip was booked: before now, and before the day of its departure."""
    last = min(datetime.fromisoformat(NOW), datetime.fromisoformat(departure))
    seconds = int((last - datetime(2024, 4, 30)).total_seconds())
    return (last - timedelta(seconds=rng.randrange(1, seconds + 1))).isoformat()


def _bags(rng: random.Random, membership: str, cabin: str, passengers: int) -> int:
    """Draw a number of checked bags, half of the time none, and never one that costs."""
    allowance = free_bags(membership, cabin) * passengers
    return rng.randint(0, min(allowance, 8)) if rng.random() < 0.6 else 0
