"""Airline tools that change reservations and profiles.

What they check, in which order, and what they leave behind is tau-bench's, quirks included: seats
are never taken or given back, a cancellation credits no gift card and can be repeated, a change of
cabin is paid but not stored. Whether the policy allows a change is left to the agent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from sca_envs.core.database import Database, Record, copy_json
from sca_envs.core.errors import ToolError
from sca_envs.core.tools import choices
from sca_envs.domains.tau_airline.arguments import Dollars, Flight, Passenger, Payment

NOW = "2024-05-15T15:00:00"
"""The present, in Eastern Standard Time."""
BAG_FEE = 50
"""Dollars for each checked bag that is not free."""
INSURANCE_FEE = 30
"""Dollars for each passenger."""
BOOKING_IDS = ("HATHAT", "HATHAU", "HATHAV")
"""Ids of the reservations that are booked in an episode; a fourth one takes the last again."""
CERTIFICATE_IDS = ("certificate_3221322", "certificate_3221323", "certificate_3221324")
"""Ids of the certificates that are sent to a customer in an episode."""

FlightType = Annotated[str, choices("one_way", "round_trip")]
Cabin = Annotated[str, choices("basic_economy", "economy", "business")]
Insurance = Annotated[str, choices("yes", "no")]


def book_reservation(
    db: Database,
    user_id: str,
    origin: str,
    destination: str,
    flight_type: FlightType,
    cabin: Cabin,
    flights: list[Flight],
    passengers: list[Passenger],
    payment_methods: list[Payment],
    total_baggages: int,
    nonfree_baggages: int,
    insurance: Insurance,
) -> str:
    """Book a trip. The payments must add up to the exact total.

    The total is the price of every flight for every passenger, 30 dollars a passenger for insurance
    and 50 dollars for each bag that is not free. The policy's rules are not checked. Tell the
    customer what will happen and get a clear yes before the call. Returns the reservation.

    Args:
        user_id: The user id, such as 'jane_doe_1234'.
        origin: Code of the airport where the trip begins, such as 'SEA'.
        destination: Code of the airport where it leads to, such as 'BOS'.
        flight_type: Whether the trip leads back as well.
        cabin: The cabin, the same on all flights.
        flights: Every flight of the trip, in order; those of the way back come last.
        passengers: Everybody who travels.
        payment_methods: What is paid by which payment method.
        total_baggages: Number of all checked bags.
        nonfree_baggages: How many of these are beyond the free allowance.
        insurance: Whether travel insurance is bought.
    """
    free = (name for name in BOOKING_IDS if db.get("reservations", name) is None)
    reservation = {
        "reservation_id": next(free, BOOKING_IDS[-1]),
        "user_id": user_id,
        "origin": origin,
        "destination": destination,
        "flight_type": flight_type,
        "cabin": cabin,
        "flights": copy_json(flights),
        "passengers": copy_json(passengers),
        "payment_history": copy_json(payment_methods),
        "created_at": NOW,
        "total_baggages": total_baggages,
        "nonfree_baggages": nonfree_baggages,
        "insurance": insurance,
    }
    return store_booking(db, reservation)


def cancel_reservation(db: Database, reservation_id: str) -> str:
    """Cancel a reservation as a whole and refund every payment.

    The policy's rules are not checked. Tell the customer what will happen and get a clear yes
    before the call. Returns the changed reservation.

    Args:
        reservation_id: The reservation id, six letters and digits such as 'A1B2C3'.
    """
    require_reservation(db, reservation_id)
    reservation = db.edit("reservations", reservation_id)
    reservation["payment_history"] += [
        {"payment_id": payment["payment_id"], "amount": -payment["amount"]}
        for payment in reservation["payment_history"]
    ]
    reservation["status"] = "cancelled"
    return db.text("reservations", reservation_id)


def send_certificate(db: Database, user_id: str, amount: Dollars) -> str:
    """Give a customer a travel certificate as compensation; see the policy for who may get one.

    Args:
        user_id: The user id, such as 'jane_doe_1234'.
        amount: Its value in dollars.
    """
    methods = require_user(db, user_id)["payment_methods"]
    free = [name for name in CERTIFICATE_IDS if name not in methods]
    if not free:  # tau-bench ends in an exception here, which no agent reads
        raise ToolError("no more certificates can be sent to this user")
    certificate = {"source": "certificate", "amount": amount, "id": free[0]}
    db.edit("users", user_id)["payment_methods"][free[0]] = certificate
    return f"Certificate {free[0]} added to user {user_id} with amount {amount}."


def update_reservation_baggages(
    db: Database, reservation_id: str, total_baggages: int, nonfree_baggages: int, payment_id: str
) -> str:
    """Set the numbers of checked bags of a reservation; bags that are not free and new are paid.

    The policy's rules are not checked. Tell the customer what will happen and get a clear yes
    before the call. Returns the changed reservation.

    Args:
        reservation_id: The reservation id, six letters and digits such as 'A1B2C3'.
        total_baggages: Number of all checked bags from now on, old ones included.
        nonfree_baggages: How many of these are beyond the free allowance.
        payment_id: A gift card or credit card of the customer, such as 'gift_card_0000000'.
    """
    reservation = require_reservation(db, reservation_id)
    price = BAG_FEE * max(0, nonfree_baggages - reservation["nonfree_baggages"])
    settle(db, reservation, payment_id, price)
    reservation = db.edit("reservations", reservation_id)
    reservation["total_baggages"] = total_baggages
    reservation["nonfree_baggages"] = nonfree_baggages
    return db.text("reservations", reservation_id)


def update_reservation_flights(
    db: Database, reservation_id: str, cabin: Cabin, flights: list[Flight], payment_id: str
) -> str:
    """Replace the flights of a reservation, change its cabin, or both.

    A flight that stays, in the same cabin, keeps its price; others have today's. The difference is
    paid or refunded. The policy's rules are not checked. Tell the customer what will happen and get
    a clear yes before the call. Returns the changed reservation.

    Args:
        reservation_id: The reservation id, six letters and digits such as 'A1B2C3'.
        cabin: The cabin on all flights, also if it stays the same.
        flights: Every flight of the trip, in order, those that stay included.
        payment_id: A gift card or credit card of the customer, such as 'gift_card_0000000'.
    """
    replace_flights(db, reservation_id, cabin, flights, payment_id)
    return db.text("reservations", reservation_id)


def update_reservation_passengers(
    db: Database, reservation_id: str, passengers: list[Passenger]
) -> str:
    """Replace the list of passengers of a reservation by another one of the same length.

    Tell the customer what will happen and get a clear yes before the call. Returns the changed
    reservation.

    Args:
        reservation_id: The reservation id, six letters and digits such as 'A1B2C3'.
        passengers: Everybody who travels, those who stay the same included, in order.
    """
    if len(passengers) != len(require_reservation(db, reservation_id)["passengers"]):
        raise ToolError("number of passengers does not match")
    db.edit("reservations", reservation_id)["passengers"] = copy_json(passengers)
    return db.text("reservations", reservation_id)


# Steps that tools share


def require_user(db: Database, user_id: str) -> Record:
    """Return a customer to read, or raise the tool's error."""
    user = db.get("users", user_id)
    if user is None:
        raise ToolError("user not found")
    return user


def require_reservation(db: Database, reservation_id: str) -> Record:
    """Return a reservation to read, or raise the tool's error."""
    reservation = db.get("reservations", reservation_id)
    if reservation is None:
        raise ToolError("reservation not found")
    return reservation


def store_booking(db: Database, reservation: Record) -> str:
    """Price, pay and store a new reservation; return its text.

    Args:
        db: The database, which keeps the reservation itself.
        reservation: The reservation, its flights without prices and its payments still to be made.
    """
    require_user(db, reservation["user_id"])
    travelers = len(reservation["passengers"])
    total = 0
    for flight in reservation["flights"]:
        _price(db, flight, reservation["cabin"], travelers)
        total += flight["price"] * travelers
    if reservation["insurance"] == "yes":
        total += INSURANCE_FEE * travelers
    total += BAG_FEE * reservation["nonfree_baggages"]
    _pay(db, reservation["user_id"], reservation["payment_history"], total)
    key = reservation["reservation_id"]
    db.put("reservations", key, reservation)
    db.edit("users", reservation["user_id"])["reservations"].append(key)
    return db.text("reservations", key)


def replace_flights(
    db: Database, reservation_id: str, cabin: str, flights: Sequence[Any], payment_id: str
) -> None:
    """Give a reservation other flights and settle the difference; the cabin is not stored."""
    reservation = require_reservation(db, reservation_id)
    travelers = len(reservation["passengers"])
    replaced: list[Record] = copy_json(flights)
    for flight in replaced:
        kept = _same_flight(reservation, flight) if cabin == reservation["cabin"] else None
        if kept is None:
            _price(db, flight, cabin, travelers)
        else:
            flight.update({key: kept[key] for key in ("price", "origin", "destination")})
    total = sum(flight["price"] for flight in replaced) * travelers
    total -= sum(flight["price"] for flight in reservation["flights"]) * travelers
    settle(db, reservation, payment_id, total)
    db.edit("reservations", reservation_id)["flights"] = replaced


def _same_flight(reservation: Record, wanted: Record) -> Record | None:
    for flight in reservation["flights"]:
        if (flight["flight_number"], flight["date"]) == (wanted["flight_number"], wanted["date"]):
            found: Record = flight
            return found
    return None


def _price(db: Database, flight: Record, cabin: str, travelers: int) -> None:
    """Add price, origin and destination to a flight that can be booked."""
    number, date = flight["flight_number"], flight["date"]
    found = db.get("flights", number)
    if found is None:
        raise ToolError(f"flight {number} not found")
    if date not in found["dates"]:
        raise ToolError(f"flight {number} not found on date {date}")
    day = found["dates"][date]
    if day["status"] != "available":
        raise ToolError(f"flight {number} not available on date {date}")
    if day["available_seats"][cabin] < travelers:
        raise ToolError(f"not enough seats on flight {number}")
    flight["price"] = day["prices"][cabin]
    flight["origin"] = found["origin"]
    flight["destination"] = found["destination"]


def _pay(db: Database, user_id: str, payments: Sequence[Record], total: float) -> None:
    """Take the payments of a booking; a certificate is used up whatever is left on it."""
    methods = require_user(db, user_id)["payment_methods"]
    for payment in payments:
        method = methods.get(payment["payment_id"])
        if method is None:
            raise ToolError(f"payment method {payment['payment_id']} not found")
        if "amount" in method and method["amount"] < payment["amount"]:
            raise ToolError(f"not enough balance in payment method {payment['payment_id']}")
    paid = sum(payment["amount"] for payment in payments)
    if paid != total:
        raise ToolError(f"payment amount does not add up, total price is {total}, but paid {paid}")
    methods = db.edit("users", user_id)["payment_methods"]
    for payment in payments:
        # Looked up anew: a certificate that is named twice is gone here, which is an error, too.
        method = methods[payment["payment_id"]]
        if method["source"] == "gift_card":
            method["amount"] -= payment["amount"]
        elif method["source"] == "certificate":
            del methods[payment["payment_id"]]


def settle(db: Database, reservation: Record, payment_id: str, amount: float) -> None:
    """Take the price of a change, or refund it if it is negative, and note it."""
    method = require_user(db, reservation["user_id"])["payment_methods"].get(payment_id)
    if method is None:
        raise ToolError("payment method not found")
    if method["source"] == "certificate":
        raise ToolError("certificate cannot be used to update reservation")
    if method["source"] == "gift_card":
        if method["amount"] < amount:
            raise ToolError("gift card balance is not enough")
        owner = db.edit("users", reservation["user_id"])
        owner["payment_methods"][payment_id]["amount"] -= amount
    if amount != 0:
        history = db.edit("reservations", reservation["reservation_id"])["payment_history"]
        history.append({"payment_id": payment_id, "amount": amount})
