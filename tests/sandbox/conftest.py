"""A sandbox for a whole module, and the tools that the attack snippets may use."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sca_envs.sandbox import Limits, Sandbox, SandboxTool, SandboxUnavailableError

ORDERS = {
    "#W1": {"order_id": "#W1", "user_id": "ann_1", "status": "pending", "items": [{"price": 1.5}]}
}
PREAMBLE = "OID = '#W1'\nUID = 'ann_1'\n"
LIMITS = Limits(wall_seconds=6.0, cpu_seconds=0.5)


class Host:
    """A small database with one tool that reads and one that writes."""

    def __init__(self) -> None:
        self.orders: dict[str, Any] = copy.deepcopy(ORDERS)
        self.tools = {
            tool.name: tool
            for tool in (
                SandboxTool("get_order_details", ("order_id",), self._read),
                SandboxTool("cancel_order", ("order_id", "reason"), self._cancel),
            )
        }

    def _read(self, arguments: dict[str, Any]) -> Any:
        return self.orders[arguments["order_id"]]

    def _cancel(self, arguments: dict[str, Any]) -> Any:
        self.orders[arguments["order_id"]]["status"] = "cancelled"
        return "done"


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    try:
        made = Sandbox(limits=LIMITS)
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    with made:
        yield made


def shared_attacks() -> list[dict[str, Any]]:
    """Return the shared attack snippets; none where the data folder is absent."""
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    path = Path(os.environ.get("SCA_DATA_DIR", beside)) / "attacks.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]
