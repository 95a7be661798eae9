"""Code-as-Task: an instruction, and code that says when it is fulfilled.

The idea is that of "Self-Challenging Language Model Agents" (Zhou et al., 2025, arXiv:2506.01716):
a task comes with a verification function, an example solution and failure cases, all as code, so
that it can be tested before anybody learns from it.

All code calls the domain's tools by name, as an agent's code does (`sca_envs.sandbox`): results
in JSON come as objects, and a call that the tool refuses raises. Besides, there is

- in a solution and in a failure case, ``answer(value)``: the final answer, which ends the attempt.
  A value that is not a text is answered as JSON.
- in ``verify``, whose tools work on a copy of the state that the attempt left, ``initial(tool,
  **arguments)`` (the tool on a copy of the state before the attempt), ``call_log()`` (the attempt's
  tool calls: name, arguments, whether it succeeded) and ``changes()`` (what the attempt changed in
  the database: path, before, after, kind).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from sca_envs.core.code_runner import is_unsafe
from sca_envs.core.domain import Domain
from sca_envs.core.errors import OptionError, shorten
from sca_envs.core.task import MAX_ITEMS, Name, Strings, Task

FORMAT = "sca-code-as-task"
"""What every line of a file of Code-as-Tasks says it is."""
VERSION = 1
"""Version of the format; it grows with every change that an older reader could misread."""
SPLIT = "code-as-task"
"""Name of the split of Code-as-Tasks as tasks of episodes."""


_NUMBERS = {"calls", "mutants", "rejected", "pass_rate"}
"""What gates measure and `Statistics` adds up."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataRef(_Model):
    """The data that a task was made on."""

    name: Name
    """Which data, such as ``generated:0`` or ``tau-bench``."""
    digest: str = Field(max_length=64, pattern="^[0-9a-f]*$")
    """sha256 of the canonical JSON of its initial tables, as hex digits."""

    @classmethod
    def of(cls, domain: Domain) -> DataRef:
        """Return the reference to a domain's data."""
        return cls(name=domain.data, digest=domain.base.digest())


class Verdict(_Model):
    """What one gate said of a task."""

    gate: Name
    """The gate's name."""
    passed: bool = Field(strict=True)
    reason: str = ""
    """Why it failed, in plain words."""
    details: dict[str, Any] = {}
    """What it measured, such as the share of mutants that were rejected."""

    @field_validator("details")
    @classmethod
    def _check_details(cls, details: dict[str, Any]) -> dict[str, Any]:
        for name in _NUMBERS & details.keys():
            number = details[name]
            if isinstance(number, bool) or not isinstance(number, int | float) or not number >= 0:
                raise ValueError(f"expected {name} to be a number from 0, got {shorten(number)}")
        return details


class Provenance(_Model):
    """Where a task comes from."""

    challenger: str = ""
    """Who made it."""
    seed: int | None = Field(None, strict=True, ge=0, lt=2**64)
    """The seed that it was made with."""
    flaw: str | None = None
    """The kind of flaw that was planted, where that is known; gates never read it."""
    verdicts: tuple[Verdict, ...] = Field((), max_length=MAX_ITEMS)
    """What the gates said."""
    unsafe_sandbox: bool = False
    """Whether it was made or examined under ``SCA_SANDBOX=unsafe``; left out where it was not."""

    @model_serializer(mode="wrap")
    def _leave_out(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        if not self.unsafe_sandbox:
            fields.pop("unsafe_sandbox", None)
        return fields


class VerifiedTask(Task):
    """A task of an episode that is judged by a verification function."""

    verify: str
    """Source of ``def verify(answer)``; see `CodeAsTask`."""


class CodeAsTask(_Model):
    """A task whose verification is code.

    The model takes whatever was written, also what no gate would let pass, so that a bad task can
    be reported, stored and looked at; `sca_envs.challenge.gates` says whether it is any good.
    """

    format: str = Field(FORMAT, pattern=f"^{FORMAT}$")
    version: int = Field(VERSION, strict=True, ge=1, lt=2**63)
    id: Name
    """Unique within a task set."""
    domain: Name
    """Name of the domain, such as ``tau_retail``."""
    data: DataRef
    """The data that it was made on and runs on."""
    instruction: str
    """What the agent is asked to do, as the user would say it."""
    verify: str
    """Source of ``def verify(answer)``: ``True`` if the task was fulfilled, else ``False``.
    ``answer`` is the text of the final answer, empty if there was none."""
    solution: str
    """Source that fulfils the task and ends in ``answer(…)``."""
    failures: Strings = ()
    """Sources of plausible wrong attempts; a task needs three at least to be accepted."""
    provenance: Provenance = Provenance()
    """Where it comes from, and what the gates said."""

    @property
    def content_digest(self) -> str:
        """The sha256 of all that decides its verdicts, as hex digits: without id and provenance."""
        content = self.model_dump(mode="json", exclude={"id", "provenance"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def with_verdicts(self, verdicts: tuple[Verdict, ...]) -> CodeAsTask:
        """Return the task with the gates' verdicts in its provenance."""
        unsafe = self.provenance.unsafe_sandbox or is_unsafe()
        provenance = self.provenance.model_copy(
            update={"verdicts": verdicts, "unsafe_sandbox": unsafe}
        )
        return self.model_copy(update={"provenance": provenance})

    def to_task(self) -> VerifiedTask:
        """Return it as a task that an episode can be made of."""
        return VerifiedTask(
            id=self.id,
            domain=self.domain,
            data=self.data.name,
            split=SPLIT,
            instruction=self.instruction,
            solution=self.solution,
            verify=self.verify,
        )

    def load_domain(self) -> Domain:
        """Return the domain on the data that the task was made on.

        Raises:
            OptionError: If there is no such domain or data, or the data is not what it was.
            DataNotInstalledError: If the data set was not imported yet.
        """
        from sca_envs.domains import domain as find_domain

        domain = find_domain(self.domain, self.data.name)
        if domain.base.digest() != self.data.digest:
            raise OptionError(
                f"Task {self.id!r}: expected {self.domain} data {self.data.name!r} with digest "
                f"{self.data.digest[:12]}…, got {domain.base.digest()[:12]}…; import the data that "
                "it was made on, or make the task anew"
            )
        return domain
