"""Puts a customer-service domain together: a generated world, or a data set that was imported."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from sca_envs.core.database import Base, Record
from sca_envs.core.domain import ArgumentSampler, Domain, RecordReader
from sca_envs.core.task import TaskSource
from sca_envs.core.tools import Tool
from sca_envs.core.wishes import DraftSource
from sca_envs.data.paths import require
from sca_envs.domains.tau.generated import SPLITS
from sca_envs.domains.tau.original import CLEAN, read_tables, read_tasks
from sca_envs.domains.tau.tools import TERMINAL_TOOLS


@dataclass(frozen=True)
class Original:
    """What a domain has of an original data set."""

    splits: tuple[str, ...]
    """Names of its splits."""
    tools: Mapping[str, Tool]
    """The tools by name, as they behave there."""
    audits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Split -> task id -> what is wrong with the reference; such a split has a clean one, too."""


@dataclass(frozen=True)
class Blueprint:
    """What a customer-service domain is made of."""

    name: str
    """Name of the domain."""
    package: str
    """The domain's package, which has a ``policy.md`` in our words."""
    folder: str
    """Its folder in an imported data set."""
    tables: tuple[str, ...]
    """Names of its tables."""
    tools: Mapping[str, Tool]
    """The tools by name."""
    originals: Mapping[str, Original]
    """Data set -> what the domain has of it."""
    build_world: Callable[[int], dict[str, dict[str, Record]]]
    """Makes the tables from a seed."""
    tasks: Callable[[Base, int, str], TaskSource]
    """Gives the generated tasks of a split: (base, seed of the world, split) -> tasks."""
    sample_argument: ArgumentSampler
    """Draws plausible arguments."""
    wishes: DraftSource | None = None
    """What its customers may want; see `Domain`."""
    record_readers: Mapping[str, RecordReader] = field(default_factory=dict)
    """Table -> the tool that shows a record of it; see `Domain`."""

    @property
    def data(self) -> tuple[str, ...]:
        """Names of the data sets that the domain can stand on."""
        return ("generated", *self.originals)

    def load(self, data: str, seed: int) -> Domain:
        """Return the domain on a set of data.

        Args:
            data: One of `data`.
            seed: Seed of a generated world.

        Raises:
            DataNotInstalledError: If the data set was not imported yet.
        """
        return self._generate(seed) if data == "generated" else self._read(data)

    def _generate(self, seed: int) -> Domain:
        reference = f"generated:{seed}"
        base = Base(self.build_world(seed), origin=(_base, (self.name, reference)))
        return self._domain(
            reference,
            base,
            self.tools,
            files(self.package).joinpath("policy.md").read_text(encoding="utf-8"),
            {split: functools.partial(self.tasks, base, seed, split) for split in SPLITS},
        )

    def _read(self, data: str) -> Domain:
        folder, original = require(data, self.folder), self.originals[data]
        base = Base(read_tables(folder, self.tables), origin=(_base, (self.name, data)))
        splits = (*original.splits, *(f"{split}{CLEAN}" for split in original.audits))
        return self._domain(
            data,
            base,
            original.tools,
            (folder / "policy.md").read_text(encoding="utf-8"),
            {
                split: functools.partial(
                    read_tasks,
                    folder,
                    self.name,
                    data,
                    split,
                    original.audits.get(split.removesuffix(CLEAN), {}),
                )
                for split in splits
            },
        )

    def _domain(
        self,
        data: str,
        base: Base,
        tools: Mapping[str, Tool],
        policy: str,
        splits: Mapping[str, Callable[[], TaskSource]],
    ) -> Domain:
        return Domain(
            name=self.name,
            data=data,
            base=base,
            tools=tools,
            policy=policy,
            splits=splits,
            sample_argument=self.sample_argument,
            terminal_tools=TERMINAL_TOOLS,
            wishes=self.wishes,
            record_readers=self.record_readers,
            origin=(_domain, (self.name, data)),
        )


def _domain(name: str, data: str) -> Domain:
    from sca_envs.domains import domain

    return domain(name, data)


def _base(name: str, data: str) -> Base:
    return _domain(name, data).base
