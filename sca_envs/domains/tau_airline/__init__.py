"""The airline domain: customers, flights and reservations of an airline.

Its 14 tools behave as tau-bench's; policy, tool descriptions and generated data are our own.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from sca_envs.core.domain import RecordReader
from sca_envs.core.tools import Tool, toolset
from sca_envs.domains.spec import DomainSpec
from sca_envs.domains.tau import tools as common
from sca_envs.domains.tau.original import original
from sca_envs.domains.tau_airline import audit, changes, lookups, tau2, world
from sca_envs.domains.tau_airline.sampling import sample_argument
from sca_envs.domains.tau_airline.wishes import WISHES

TOOLS: dict[str, Tool] = toolset(
    changes.book_reservation,
    common.calculate,
    changes.cancel_reservation,
    lookups.get_reservation_details,
    lookups.get_user_details,
    lookups.list_all_airports,
    lookups.search_direct_flight,
    lookups.search_onestop_flight,
    changes.send_certificate,
    common.think,
    common.transfer_to_human_agents,
    changes.update_reservation_baggages,
    changes.update_reservation_flights,
    changes.update_reservation_passengers,
)
"""The tools, in tau-bench's order."""

TAU2_TOOLS: dict[str, Tool] = {
    name: replace(tool, function=tau2.CHANGED.get(name, tool.function))
    for name, tool in (TOOLS | toolset(lookups.get_flight_status)).items()
    if name != "think"
}
"""The same tools with what tau2 does differently; it has no `think`, but `get_flight_status`."""

_original = functools.partial(
    original, "tau_airline", folder="airline", tables=("flights", "reservations", "users")
)

SPEC = DomainSpec(
    name="tau_airline",
    package=__name__,
    tools=TOOLS,
    wishes=WISHES,
    record_readers={
        "reservations": RecordReader("get_reservation_details", "reservation_id", "reservation"),
        "users": RecordReader("get_user_details", "user_id", "user"),
    },
    sample_argument=sample_argument,
    build_world=world.build,
    originals={
        "tau-bench": _original(
            "tau-bench", splits=("test",), tools=TOOLS, audits={"test": audit.TEST}
        ),
        "tau2": _original("tau2", splits=("test", "train"), tools=TAU2_TOOLS),
    },
    terminal_tools=common.TERMINAL_TOOLS,
)
"""What the domain is made of."""
