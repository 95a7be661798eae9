"""Puts a family's domain together: generated tasks in a generated world, or the original's."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from sca_envs.core.database import Base, Database, Record
from sca_envs.core.domain import ArgumentSampler, Domain
from sca_envs.core.task import TaskSource
from sca_envs.core.tools import Tool
from sca_envs.data.m3tooleval import ROOT
from sca_envs.data.paths import require
from sca_envs.domains.m3 import ORIGINAL_SPLIT, SPLITS
from sca_envs.domains.m3.answers import answer_verifier, default_check
from sca_envs.domains.m3.book import PlanBook
from sca_envs.domains.m3.generated import GeneratedTasks
from sca_envs.domains.m3.original import read_tasks
from sca_envs.domains.m3.values import show_output

Tables = dict[str, dict[str, Record]]


def no_tables(_: object) -> Tables:
    """Return the tables of a family whose tools keep no state."""
    return {}


def call_unchecked(tool: Tool, database: Database, arguments: dict[str, Any]) -> Any:
    """Carry out a tool call of an agent's code on whatever arguments it gave, as the original."""
    return tool.function(database, *tool.order(arguments))


@dataclass(frozen=True)
class Family:
    """What a family of M3ToolEval is made of."""

    package: str
    """The domain's package, which has a ``policy.md`` in our words."""
    original: str
    """The original's name of the family."""
    plans: PlanBook
    """What generated tasks are about, and the tools."""
    sample_argument: ArgumentSampler
    """Draws plausible arguments."""
    build_world: Callable[[int], Tables] = no_tables
    """Makes the tables from a seed."""
    read_world: Callable[[Path], Tables] = no_tables
    """Reads the original's tables from the data set's folder."""
    code_prelude: str = ""
    """Makes the tools in an agent's code what they are in the original's, where JSON cannot."""
    transient: frozenset[str] = frozenset()
    """Tables that hold what the agent looks at; see `Domain`."""
    position: frozenset[str] = frozenset()
    """Paths of the fields in them that a task can be about; see `Domain`."""

    def load(self, data: str, seed: int) -> Domain:
        """Return the domain on a set of data.

        Args:
            data: One of `sca_envs.domains.m3.DATA`.
            seed: Seed of a generated world.

        Raises:
            DataNotInstalledError: If the data set was not imported yet.
        """
        name = self.plans.domain
        reference = f"generated:{seed}" if data == "generated" else data
        origin = (_base, (name, reference))
        splits: dict[str, Callable[[], TaskSource]] = {}
        if data == "generated":
            base = Base(self.build_world(seed), origin)
            for split in SPLITS:
                splits[split] = functools.partial(GeneratedTasks, self.plans, base, seed, split)
        else:
            folder = require(data, ROOT)
            base = Base(self.read_world(folder), origin)
            splits[ORIGINAL_SPLIT] = functools.partial(read_tasks, folder, name, self.original)
        return self._domain(reference, base, splits)

    def _domain(
        self, data: str, base: Base, splits: Mapping[str, Callable[[], TaskSource]]
    ) -> Domain:
        policy = files(self.package).joinpath("policy.md")
        return Domain(
            name=self.plans.domain,
            data=data,
            base=base,
            tools=self.plans.tools,
            policy=policy.read_text(encoding="utf-8"),
            splits=splits,
            sample_argument=self.sample_argument,
            verifier=answer_verifier(default_check(data)),
            show_output=show_output,
            call_from_code=call_unchecked,
            wishes=self.plans,
            code_prelude=self.code_prelude,
            transient=self.transient,
            position=self.position,
            origin=(_domain, (self.plans.domain, data)),
        )


def _domain(name: str, data: str) -> Domain:
    from sca_envs.domains import domain

    return domain(name, data)


def _base(name: str, data: str) -> Base:
    return _domain(name, data).base
