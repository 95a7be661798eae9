"""What the checks of a domain found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "not applicable"
_SHOWN = 3
"""Most findings of one check that are shown; the report has all."""


@dataclass(frozen=True)
class Finding:
    """One thing that is broken."""

    where: str
    """The tool, task, split or file of the domain, such as ``tool renew_loan``."""
    expected: str
    got: str
    remedy: str
    """What to do about it."""

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}; got {self.got}; {self.remedy}"


@dataclass(frozen=True)
class Row:
    """The outcome of one check."""

    check: str
    """Its name."""
    outcome: str
    """``passed``, ``failed`` or ``not applicable``."""
    findings: tuple[Finding, ...] = ()
    """What is broken; empty unless it failed."""
    reason: str = ""
    """Why it is not applicable."""

    def notes(self, most: int | None = None) -> str:
        """Return the findings, or the reason, a line each.

        Args:
            most: Most findings; the last line then says how many more there are.
        """
        lines = [str(finding) for finding in self.findings[:most]] or [self.reason]
        if most is not None and len(self.findings) > most:
            lines.append(f"… and {len(self.findings) - most} more")
        return "\n".join(lines)


@dataclass(frozen=True)
class DomainReport:
    """The outcome of all checks of a domain; its text is the failed ones."""

    domain: str
    """Name of the domain."""
    data: str
    """The data it stands on."""
    num_tasks: Mapping[str, int]
    """How many tasks of each split were looked at."""
    num_calls: int
    """How many tool calls were tried."""
    rows: Sequence[Row]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not self.failures

    @property
    def failures(self) -> list[Row]:
        """The checks that failed."""
        return [row for row in self.rows if row.outcome == FAILED]

    def raise_if_failed(self) -> None:
        """Raise if a check failed.

        Raises:
            AssertionError: With all findings.
        """
        if not self.passed:
            raise AssertionError(str(self))

    def table(self) -> Table:
        """Return the checks as a table for the terminal."""
        table = Table("check", "outcome", "what to mend", title=escape(self._title()))
        colors = {PASSED: "green", FAILED: "red", NOT_APPLICABLE: "dim"}
        for row in self.rows:
            outcome = f"[{colors[row.outcome]}]{row.outcome}[/]"
            table.add_row(row.check, outcome, escape(row.notes(_SHOWN)))
        return table

    def __str__(self) -> str:
        lines = [f"{row.check}: {row.notes()}" for row in self.failures]
        return "\n".join([self._title(), *(lines or ["every check passed"])])

    def _title(self) -> str:
        tasks = ", ".join(f"{count} of {split}" for split, count in self.num_tasks.items())
        return (
            f"{self.domain} on {self.data}: looked at {tasks or 'no'} tasks and {self.num_calls} "
            "tool calls"
        )
