"""Types of the nested arguments that airline tools take.

Each reaches its tool as the agent wrote it: further keys stay, and so does the order of the keys,
because both show in what tau-bench's tools return.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, WithJsonSchema, WrapValidator, with_config
from typing_extensions import TypedDict  # pydantic wants it before Python 3.12


def _as_given(value: Any, check: Callable[[Any], Any]) -> Any:
    check(value)
    return value


_OPEN = with_config(ConfigDict(extra="allow", strict=True))

Dollars = Annotated[
    int | Annotated[float, Field(allow_inf_nan=False)], WithJsonSchema({"type": "number"})
]
"""An amount; a whole number stays one, because ``50`` and ``50.0`` are different in a database."""


@_OPEN
class _Flight(TypedDict):
    flight_number: Annotated[str, Field(description="Flight number, such as 'SKY001'.")]
    date: Annotated[str, Field(description="Day of departure, such as '2024-05-20'.")]


@_OPEN
class _Passenger(TypedDict):
    first_name: Annotated[str, Field(description="Given name.")]
    last_name: Annotated[str, Field(description="Family name.")]
    dob: Annotated[str, Field(description="Date of birth, such as '1990-12-31'.")]


@_OPEN
class _Payment(TypedDict):
    payment_id: Annotated[
        str, Field(description="Id in the customer's profile, such as 'gift_card_0000000'.")
    ]
    amount: Annotated[Dollars, Field(description="Dollars to take from it.")]


# With their schemas written out, because not every endpoint follows references to definitions.
Flight = Annotated[
    _Flight, WrapValidator(_as_given), WithJsonSchema(TypeAdapter(_Flight).json_schema())
]
Passenger = Annotated[
    _Passenger, WrapValidator(_as_given), WithJsonSchema(TypeAdapter(_Passenger).json_schema())
]
Payment = Annotated[
    _Payment, WrapValidator(_as_given), WithJsonSchema(TypeAdapter(_Payment).json_schema())
]
