"""Retail customers: who they are, and how they name orders, items and payment methods."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sca_envs.challenge.procedural.parts import Customer, Explorer
from sca_envs.core.database import Record
from sca_envs.core.wishes import DeadEnd
from sca_envs.domains.tau.people import address

PAID_BY = 'order["payment_history"][0]["payment_method_id"]'
"""Expression for what an order was paid with."""


@dataclass(frozen=True)
class Place:
    """An order, how the customer names it, and how the code gets at it."""

    order: Record
    words: str
    code: str
    """Gives the variable ``order``; empty if nothing was looked up."""
    id: str
    """Expression for the order's id."""
    needs: str = ""


class Shopper:
    """One customer of the store, explored through the tools.

    Args:
        x: Explores.
    """

    def __init__(self, x: Explorer) -> None:
        self.x, self.rng, self.say = x, x.rng, x.say
        self.user_id = x.key("users")
        self.user: Record = x.look("get_user_details", user_id=self.user_id)
        if not self.user["orders"]:
            raise DeadEnd

    @cached_property
    def orders(self) -> list[Record]:
        """The customer's orders, in the profile's order."""
        return [self.x.look("get_order_details", order_id=key) for key in self.user["orders"]]

    @cached_property
    def identity(self) -> Customer:
        """How the customer says who it is, and how that is looked up."""
        name, mail = self.user["name"], self.user["email"]
        slots = {**name, "zip": self.user["address"]["zip"], "mail": mail}
        if self.rng.random() < 0.6:
            words = self.say(_BY_MAIL, **slots)
            found = f"user_id = find_user_id_by_email(email={mail!r})\n"
            owner = self.x.look("find_user_id_by_email", email=mail)
        else:
            words = self.say(_BY_NAME, **slots)
            arguments = {**name, "zip": slots["zip"]}
            written = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
            found = f"user_id = find_user_id_by_name_zip({written})\n"
            owner = self.x.look("find_user_id_by_name_zip", **arguments)
        if owner != self.user_id:  # somebody else of that name or mail comes first
            raise DeadEnd
        return Customer(words, found, self.user_id)

    def order(self, *statuses: str) -> Record:
        """Draw one of the customer's orders in some status."""
        drawn: Record = self.x.pick(o for o in self.orders if o["status"] in statuses)
        return drawn

    def foreign_order(self) -> Record:
        """Draw any order of the store."""
        drawn: Record = self.x.look("get_order_details", order_id=self.x.key("orders"))
        return drawn

    def another(self, order: Record) -> Record:
        """Return another order of the same status: the customer's own, else somebody's."""
        for other in self.orders:
            if other["status"] == order["status"] and other["order_id"] != order["order_id"]:
                return other
        for _ in range(12):
            other = self.foreign_order()
            if other["status"] == order["status"] and other["order_id"] != order["order_id"]:
                return other
        raise DeadEnd

    def place(self, order: Record, *, details: bool = True) -> Place:
        """Draw how an order is named: by its number, or by what is in it.

        Args:
            order: The order.
            details: Whether the code needs the order's record.
        """
        key = order["order_id"]
        if self.rng.random() < 0.55:
            words = self.say(("order {id}", "my order {id}", "the order {id}"), id=key)
            code = f"order = get_order_details(order_id={key!r})\n" if details else ""
            return Place(order, words, code, 'order["order_id"]' if details else repr(key))
        name = self.x.pick(self._telling_names(order))
        words = self.say(
            ("my order with the {name} in it", "the order of mine that has the {name}"),
            name=name,
        )
        count = len(self.user["orders"])
        code = "".join(
            f'order_{i} = get_order_details(order_id=user["orders"][{i - 1}])\n'
            for i in range(1, count + 1)
        )
        listed = ", ".join(f"order_{i}" for i in range(1, count + 1))
        code += (
            f"order = next(one for one in [{listed}] "
            f'if {name!r} in [item["name"] for item in one["items"]])\n'
        )
        return Place(order, words, code, 'order["order_id"]', "user")

    def _telling_names(self, order: Record) -> list[str]:
        others = {item["name"] for o in self.orders if o is not order for item in o["items"]}
        return sorted({item["name"] for item in order["items"]} - others)

    def method_code(self, method: Record) -> str:
        """Return code that finds a payment method in the profile as the customer names it.

        Raises:
            DeadEnd: If the name fits another one, too.
        """
        methods = self.user["payment_methods"].values()
        key = "last_four" if method["source"] == "credit_card" else "source"
        if [other.get(key) for other in methods].count(method[key]) > 1:
            raise DeadEnd
        return (
            'method = next(one for one in user["payment_methods"].values() '
            f"if one.get({key!r}) == {method[key]!r})\n"
        )

    def other_methods(self, *known: str) -> list[Record]:
        """Return the payment methods that are not among some, in any order."""
        methods = self.user["payment_methods"].values()
        return self.x.shuffled(one for one in methods if one["id"] not in known)

    def new_address(self) -> dict[str, str]:
        """Draw an address that is not the customer's."""
        drawn = address(self.rng)
        if drawn == self.user["address"]:
            raise DeadEnd
        return drawn


_BY_MAIL = (
    "My e-mail address is {mail}.",
    "My account runs under {mail}.",
    "I'm {first_name}, and you find me under {mail}.",
    "{first_name} {last_name} here; my e-mail is {mail}.",
    "I registered with {mail}.",
    "You have me on file as {mail}.",
)
_BY_NAME = (
    "My name is {first_name} {last_name}, zip code {zip}.",
    "I'm {first_name} {last_name} and live in {zip}.",
    "{first_name} {last_name} here, zip {zip}; I don't know my e-mail address by heart.",
    "This is {first_name} {last_name}. My zip code is {zip}.",
    "The account belongs to {first_name} {last_name}, zip code {zip}.",
)


def paid_with(order: Record) -> str:
    """Return the id of the payment method that an order was paid with."""
    method: str = order["payment_history"][0]["payment_method_id"]
    return method


def single_items(order: Record) -> list[Record]:
    """Return the items whose name occurs once in an order."""
    names = [item["name"] for item in order["items"]]
    return [item for item in order["items"] if names.count(item["name"]) == 1]


def written_address(new: dict[str, str]) -> str:
    """Return an address as a customer says it."""
    return "{address1}, {address2}, {city}, {state} {zip}, {country}".format(**new)


def arguments(**values: Any) -> str:
    """Return keyword arguments as they are written in code, of literals."""
    return ", ".join(f"{name}={value!r}" for name, value in values.items())
