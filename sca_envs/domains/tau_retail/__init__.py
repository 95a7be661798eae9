"""The retail domain: customers, products and orders of an online store.

Its 16 tools behave as tau-bench's; policy, tool descriptions and generated data are our own.
"""

from __future__ import annotations

from dataclasses import replace

from sca_envs.core.database import Base
from sca_envs.core.domain import RecordReader
from sca_envs.core.tools import Tool, toolset
from sca_envs.core.wishes import WishTasks
from sca_envs.domains.tau import tools as common
from sca_envs.domains.tau.loading import Blueprint, Original
from sca_envs.domains.tau_retail import audit, changes, lookups, tau2, world
from sca_envs.domains.tau_retail.sampling import sample_argument
from sca_envs.domains.tau_retail.wishes import WISHES

TOOLS: dict[str, Tool] = toolset(
    common.calculate,
    changes.cancel_pending_order,
    changes.exchange_delivered_order_items,
    lookups.find_user_id_by_email,
    lookups.find_user_id_by_name_zip,
    lookups.get_order_details,
    lookups.get_product_details,
    lookups.get_user_details,
    lookups.list_all_product_types,
    changes.modify_pending_order_address,
    changes.modify_pending_order_items,
    changes.modify_pending_order_payment,
    changes.modify_user_address,
    changes.return_delivered_order_items,
    common.think,
    common.transfer_to_human_agents,
)
"""The tools, in tau-bench's order."""

TAU2_TOOLS: dict[str, Tool] = {
    name: replace(tool, function=tau2.CHANGES.get(name, tool.function))
    for name, tool in TOOLS.items()
    if name != "think"
}
"""The same tools with the state changes of tau2, which has no `think`."""


def generate_tasks(base: Base, seed: int, split: str) -> WishTasks:
    """Return the generated tasks of a split."""
    return WishTasks(WISHES, "tau_retail", TOOLS, base, seed, split)


BLUEPRINT = Blueprint(
    name="tau_retail",
    package=__name__,
    folder="retail",
    tables=("users", "products", "orders"),
    tools=TOOLS,
    originals={
        "tau-bench": Original(
            ("test", "train", "dev"), TOOLS, {"test": audit.TEST, "train": audit.TRAIN}
        ),
        "tau2": Original(("train", "test"), TAU2_TOOLS),
    },
    build_world=world.build,
    tasks=generate_tasks,
    sample_argument=sample_argument,
    wishes=WISHES,
    record_readers={
        "orders": RecordReader("get_order_details", "order_id", "order"),
        "users": RecordReader("get_user_details", "user_id", "user"),
    },
)
"""What the domain is made of."""

DATA, load = BLUEPRINT.data, BLUEPRINT.load
