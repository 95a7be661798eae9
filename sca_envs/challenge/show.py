"""Tasks in the terminal: instruction, highlighted code, verdicts and mutants."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from sca_envs.challenge.case import Case
from sca_envs.challenge.mutants import mutants
from sca_envs.challenge.task import CodeAsTask
from sca_envs.challenge.verifier import shared_lab

_MUTANTS = 40
_LONGEST = 20_000
"""Most characters of a text that are shown; megabytes take minutes to lay out."""


def show(task: CodeAsTask) -> RenderableType:
    """Return a whole task, to be printed by rich."""
    made = task.provenance
    where = f"{task.domain} on {task.data.name} ({task.data.digest[:12]}…)"
    origin = f"by {made.challenger or 'unknown'}, seed {made.seed}"
    if made.unsafe_sandbox:
        origin += ", under SCA_SANDBOX=unsafe"
    parts: list[RenderableType] = [
        Rule(Text(_clean(task.id), style="bold")),
        Text(_clean(f"{where}, {origin}"), style="dim"),
        Panel(Text(_clean(_cut(task.instruction))), title="instruction"),
        _code(task.verify, "verify"),
        _code(task.solution, "solution"),
    ]
    parts += [_code(source, f"failure case {i}") for i, source in enumerate(task.failures, 1)]
    if made.verdicts:
        parts.append(_verdicts(task))
    return Group(*parts)


def _code(source: str, title: str) -> RenderableType:
    code = Syntax(
        _clean(_cut(source.strip("\n"))), "python", word_wrap=True, background_color="default"
    )
    return Panel(code, title=title, title_align="left")


def _verdicts(task: CodeAsTask) -> Table:
    table = Table("gate", "verdict", "what it found", title="Verdicts")
    for verdict in task.provenance.verdicts:
        found = verdict.reason or ", ".join(f"{k}={v}" for k, v in verdict.details.items())
        mark = Text("passed", "green") if verdict.passed else Text("FAILED", "bold red")
        table.add_row(Text(verdict.gate), mark, Text(_clean(found)))
    return table


def mutant_table(task: CodeAsTask) -> Table:
    """Return the mutants of a task's solution, and what its verification function says of them.

    Raises:
        OptionError: If the task's data is not at hand.
    """
    case = Case(task, task.load_domain(), shared_lab())
    table = Table("mutant", "verify", title="Mutants")
    for mutant in mutants(case, _MUTANTS):
        fulfilled = case.judge(mutant.attempt).fulfilled
        mark = Text("True", "bold red") if fulfilled else Text("False", "green")
        table.add_row(Text(_clean(mutant.change)), mark)
    return table


def _cut(text: str) -> str:
    more = len(text) - _LONGEST
    return text if more <= 0 else f"{text[:_LONGEST]}\n# … {more:,} more characters"


def _clean(text: str) -> str:
    """Return text that any terminal can print, and that does not command it."""
    return "".join(_escape(letter) for letter in text)


def _escape(letter: str) -> str:
    if letter.isprintable() or letter in "\n\t":
        return letter
    return letter.encode("unicode_escape").decode()
