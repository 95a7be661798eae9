"""The airline domain: customers, flights and reservations of an airline.

Its 14 tools behave as tau-bench's; policy, tool descriptions and generated data are our own.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from sca_envs.core.domain import RecordReader
from sca_envs.core.tools import Tool, toolset
from sca_envs.domains.tau import tools as common
from sca_envs.domains.tau.generated import GeneratedTasks
from sca_envs.domains.tau.loading import Blueprint, Original
from sca_envs.domains.tau_airline import audit, changes, lookups, tau2, world
from sca_envs.domains.tau_airline.sampling import sample_argument
from sca_envs.domains.tau_airline.tasks import RECIPE

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

BLUEPRINT = Blueprint(
    name="tau_airline",
    package=__name__,
    folder="airline",
    tables=("flights", "reservations", "users"),
    tools=TOOLS,
    originals={
        "tau-bench": Original(("test",), TOOLS, {"test": audit.TEST}),
        "tau2": Original(("test", "train"), TAU2_TOOLS),
    },
    build_world=world.build,
    tasks=functools.partial(GeneratedTasks, RECIPE),
    sample_argument=sample_argument,
    record_readers={
        "reservations": RecordReader("get_reservation_details", "reservation_id", "reservation"),
        "users": RecordReader("get_user_details", "user_id", "user"),
    },
)
"""What the domain is made of."""

DATA, load = BLUEPRINT.data, BLUEPRINT.load
