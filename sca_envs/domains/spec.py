"""What a domain is made of, and how it is loaded on a set of data.

A `DomainSpec` is plain data and functions. Its `load` gives the `Domain`: on a world generated from
a seed, or on a data set of somebody else's (an `Original`) if the domain has one.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, SupportsIndex

from sca_envs.core.database import Base, Record
from sca_envs.core.domain import (
    ArgumentSampler,
    CodeCall,
    Domain,
    RecordReader,
    call_validated,
    truncate_output,
)
from sca_envs.core.errors import OptionError, shorten
from sca_envs.core.plugins import import_module
from sca_envs.core.task import TaskSource
from sca_envs.core.tools import Tool
from sca_envs.core.verifiers import STATE_AND_OUTPUTS, Verifier
from sca_envs.core.wishes import DraftSource, WishBook, WishTasks
from sca_envs.domains.sampling import sample_field

Tables = dict[str, dict[str, Record]]
"""Table name -> record key -> record."""
TaskFactory = Callable[[Base, int, str], TaskSource]
"""Gives the generated tasks of a split: (base, seed of the world, split) -> tasks."""
SPLITS = ("train", "test")
"""The usual splits of generated tasks."""
_POLICY = "policy.md"
_MAX_DIGITS = 18


def no_tables(_: object) -> Tables:
    """Return the tables of a domain whose tools keep no state."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Original:
    """How a domain stands on a data set that was imported."""

    locate: Callable[[], Path]
    """Returns the data's folder; raises `DataNotInstalledError` if it is not there. A ``policy.md``
    in it comes instead of the domain's own."""
    splits: tuple[str, ...]
    """Names of its splits."""
    read_tasks: Callable[[Path, str], TaskSource]
    """Reads the tasks of a split: (folder, split) -> tasks."""
    read_world: Callable[[Path], Tables] = no_tables
    """Reads the tables from the folder."""
    tools: Mapping[str, Tool] | None = None
    """The tools as they behave there; None if they are the domain's."""
    verifier: Verifier[Any] | None = None
    """How its tasks are judged; None if as the domain's."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DomainSpec:
    """What a domain is made of.

    A spec that is an attribute of a module is pickled by its name, as a function is; so every
    process has its own, and loads a world once.
    """

    name: str
    """The domain's name, such as ``tau_retail``."""
    package: str
    """Its package, which has a ``policy.md``."""
    tools: Mapping[str, Tool]
    """The tools by name."""
    sample_argument: ArgumentSampler = sample_field
    """Draws plausible arguments, for random policies and mutations; by default from the records'
    fields of that name."""
    wishes: DraftSource | None = None
    """What its customers may want; the procedural challenger makes tasks of it."""
    tasks: TaskFactory | None = None
    """Gives the generated tasks of a split; None if they are made of `wishes` (a `WishBook`)."""
    record_readers: Mapping[str, RecordReader] = field(default_factory=dict)
    """Table -> the tool that shows a record of it; see `Domain`."""
    build_world: Callable[[int], Tables] = no_tables
    """Makes the tables from a seed."""
    splits: tuple[str, ...] = SPLITS
    """The splits of generated tasks."""
    originals: Mapping[str, Original] = field(default_factory=dict)
    """Data set -> how the domain stands on it."""
    terminal_tools: frozenset[str] = frozenset()
    """Names of the tools whose call ends the episode."""
    verifier: Verifier[Any] = STATE_AND_OUTPUTS
    """How tasks are judged."""
    show_output: Callable[[str], str] = truncate_output
    """Turns what an agent's code printed into what the agent reads."""
    call_from_code: CodeCall = call_validated
    """Carries out a tool call of an agent's code."""
    code_prelude: str = ""
    """Python code that runs before an agent's first code, in its globals."""
    view_tables: frozenset[str] = frozenset()
    """Tables that hold what the agent looks at; see `Domain`."""
    scored_view_fields: frozenset[str] = frozenset()
    """Paths of the fields in them that a task can be about; see `Domain`."""

    def __post_init__(self) -> None:
        if self.tasks is None and not isinstance(self.wishes, WishBook):
            raise OptionError(
                f"Expected the spec of {self.name} to have tasks, or a WishBook as wishes; got "
                f"{shorten(self.wishes)}"
            )

    @property
    def data(self) -> tuple[str, ...]:
        """Names of the data sets that the domain can stand on."""
        return ("generated", *self.originals)

    def load(self, data: str = "generated") -> Domain:
        """Return the domain on a set of data, the same object each time.

        Args:
            data: ``generated`` (the world of seed 0), ``generated:SEED``, or one of `originals`.

        Raises:
            OptionError: If there is no such data.
            DataNotInstalledError: If the data set was not imported yet.
        """
        kind, seed = self.parse_data(data)
        return _load(self, kind, int(seed or 0))

    def parse_data(self, data: str) -> tuple[str, str]:
        """Return the name of a data set, and the seed as text if it is generated and has one.

        Raises:
            OptionError: If the domain has no such data.
        """
        kind, _, seed = data.partition(":") if isinstance(data, str) else (data, "", "")
        if kind not in self.data or (seed and not (kind == "generated" and _is_seed(seed))):
            raise OptionError(
                f"Expected data for {self.name} to be one of {', '.join(self.data)} or "
                f"generated:SEED, with a seed of {_MAX_DIGITS} digits at most; got {shorten(data)}"
            )
        return kind, seed

    def _tasks_of_wishes(self, base: Base, seed: int, split: str) -> TaskSource:
        assert isinstance(self.wishes, WishBook)
        return WishTasks(self.wishes, self.name, self.tools, base, seed, split)

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        module = sys.modules.get(self.package)
        names = [name for name, value in vars(module).items() if value is self] if module else []
        return (_named, (self.package, names[0])) if names else super().__reduce_ex__(protocol)


def _named(package: str, attribute: str) -> DomainSpec:
    spec: DomainSpec = getattr(import_module(package, "a domain"), attribute)
    return spec


def full_data_name(data: str) -> str:
    """Return the name of data as domains have it: ``generated`` is short for ``generated:0``."""
    kind, _, seed = data.partition(":")
    known = kind == "generated" and (not seed or _is_seed(seed))
    return f"generated:{int(seed or 0)}" if known else data


def _is_seed(text: str) -> bool:
    return text.isdecimal() and len(text) <= _MAX_DIGITS


@functools.cache
def _load(spec: DomainSpec, kind: str, seed: int) -> Domain:
    if kind == "generated":
        data = f"generated:{seed}"
        base = Base(spec.build_world(seed), origin=(_load_base, (spec, data)))
        make = spec.tasks or spec._tasks_of_wishes
        tasks = {split: functools.partial(make, base, seed, split) for split in spec.splits}
        return _compose(spec, data, base, tasks)
    original = spec.originals[kind]
    folder = original.locate()
    base = Base(original.read_world(folder), origin=(_load_base, (spec, kind)))
    read = original.read_tasks
    splits = {split: functools.partial(read, folder, split) for split in original.splits}
    return _compose(spec, kind, base, splits, original, folder)


def _compose(
    spec: DomainSpec,
    data: str,
    base: Base,
    splits: Mapping[str, Callable[[], TaskSource]],
    original: Original | None = None,
    folder: Path | None = None,
) -> Domain:
    return Domain(
        name=spec.name,
        data=data,
        base=base,
        tools=(original and original.tools) or spec.tools,
        policy=_read_policy(spec.package, folder),
        splits=splits,
        sample_argument=spec.sample_argument,
        terminal_tools=spec.terminal_tools,
        verifier=(original and original.verifier) or spec.verifier,
        show_output=spec.show_output,
        call_from_code=spec.call_from_code,
        code_prelude=spec.code_prelude,
        wishes=spec.wishes,
        record_readers=spec.record_readers,
        view_tables=spec.view_tables,
        scored_view_fields=spec.scored_view_fields,
        origin=(_load_domain, (spec, data)),
    )


def _read_policy(package: str, folder: Path | None) -> str:
    if folder is not None and (folder / _POLICY).is_file():
        return (folder / _POLICY).read_text(encoding="utf-8")
    return files(package).joinpath(_POLICY).read_text(encoding="utf-8")


def _load_domain(spec: DomainSpec, data: str) -> Domain:
    return spec.load(data)


def _load_base(spec: DomainSpec, data: str) -> Base:
    return spec.load(data).base
