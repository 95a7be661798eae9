"""The retail domain: customers, products and orders of an online store.

Its 16 tools behave as tau-bench's; policy, tool descriptions and generated data are our own.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from sca_envs.core.domain import RecordReader
from sca_envs.core.tools import Tool, toolset
from sca_envs.domains.spec import DomainSpec
from sca_envs.domains.tau import tools as common
from sca_envs.domains.tau.original import original
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

_original = functools.partial(
    original, "tau_retail", folder="retail", tables=("users", "products", "orders")
)

SPEC = DomainSpec(
    name="tau_retail",
    package=__name__,
    tools=TOOLS,
    wishes=WISHES,
    record_readers={
        "orders": RecordReader("get_order_details", "order_id", "order"),
        "users": RecordReader("get_user_details", "user_id", "user"),
    },
    sample_argument=sample_argument,
    build_world=world.build,
    originals={
        "tau-bench": _original(
            "tau-bench",
            splits=("test", "train", "dev"),
            tools=TOOLS,
            audits={"test": audit.TEST, "train": audit.TRAIN},
        ),
        "tau2": _original("tau2", splits=("train", "test"), tools=TAU2_TOOLS),
    },
    terminal_tools=common.TERMINAL_TOOLS,
)
"""What the domain is made of."""
