"""The retail domain: customers, products and orders of an online store.

Its 16 tools behave as tau-bench's; policy, tool descriptions and generated data are our own.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from importlib.resources import files

from sca_envs.core.database import Base
from sca_envs.core.domain import Domain
from sca_envs.core.task import TaskSource
from sca_envs.core.tools import Tool, toolset
from sca_envs.data.paths import require
from sca_envs.domains.tau_retail import changes, lookups, original, tau2, world
from sca_envs.domains.tau_retail.sampling import sample_argument
from sca_envs.domains.tau_retail.tasks import SPLITS, GeneratedTasks

NAME = "tau_retail"
DATA = ("generated", "tau-bench", "tau2")
"""Names of the data sets that the domain can stand on."""

TOOLS: dict[str, Tool] = toolset(
    lookups.calculate,
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
    lookups.think,
    lookups.transfer_to_human_agents,
)
"""The tools, in tau-bench's order."""

TAU2_TOOLS: dict[str, Tool] = {
    name: replace(tool, function=tau2.CHANGES.get(name, tool.function))
    for name, tool in TOOLS.items()
    if name != "think"
}
"""The same tools with the state changes of tau2, which has no `think`."""


def load(data: str, seed: int) -> Domain:
    """Return the domain on a set of data.

    Args:
        data: One of `DATA`.
        seed: Seed of a generated world.

    Raises:
        DataNotInstalledError: If the data set was not imported yet.
    """
    generated = data == "generated"
    reference = f"{data}:{seed}" if generated else data
    if generated:
        policy = files(__package__).joinpath("policy.md").read_text(encoding="utf-8")
        tables = world.build(seed)
    else:
        folder = require(data, "retail")
        policy = (folder / "policy.md").read_text(encoding="utf-8")
        tables = original.read_tables(folder)
    base = Base(tables, origin=(_base, (reference,)))

    def tasks(split: str) -> TaskSource:
        if generated:
            return GeneratedTasks(base, seed, split)
        return original.read_tasks(folder, data, split)

    splits = SPLITS if generated else original.SPLITS[data]
    if data == "tau-bench":
        splits += tuple(f"{split}{original.CLEAN}" for split in ("test", "train"))
    return Domain(
        name=NAME,
        data=reference,
        base=base,
        tools=TAU2_TOOLS if data == "tau2" else TOOLS,
        policy=policy,
        splits={split: functools.partial(tasks, split) for split in splits},
        sample_argument=sample_argument,
        terminal_tools=frozenset({"transfer_to_human_agents"}),
        origin=(_domain, (reference,)),
    )


def _domain(data: str) -> Domain:
    from sca_envs.domains import domain

    return domain(NAME, data)


def _base(data: str) -> Base:
    return _domain(data).base
