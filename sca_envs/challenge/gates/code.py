"""Gates that read a candidate and run nothing: is it complete, harmless, and no give-away?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from sca_envs.challenge.case import Case
from sca_envs.challenge.gates.base import failed, passed
from sca_envs.challenge.gates.purity import objection
from sca_envs.challenge.task import CodeAsTask, Verdict

_LONGEST_INSTRUCTION, _LONGEST_SOURCE = 4_000, 12_000
_LONGEST_PARSED = 200_000
_TELLING = 15
"""Characters that a line of code has at least, if it tells something when it is quoted."""


def sources(task: CodeAsTask) -> Iterator[tuple[str, str]]:
    """Yield what each piece of code is called, and the code."""
    yield "verify", task.verify
    yield "the solution", task.solution
    for number, source in enumerate(task.failures, 1):
        yield f"failure case {number}", source


def _parse(source: str) -> ast.Module | str:
    """Return the syntax tree, or why there is none."""
    if len(source) > _LONGEST_PARSED:
        return f"it is longer than {_LONGEST_PARSED:,} characters"
    try:
        return ast.parse(source)
    except SyntaxError as error:
        return f"{error.msg} in line {error.lineno}"
    except (ValueError, MemoryError, RecursionError) as error:
        return str(error) or type(error).__name__


@dataclass(frozen=True)
class Complete:
    """All parts are there, parse, and define or call what they must.

    Args:
        min_failures: Fewest failure cases.
        code: Whether there must be more than an instruction.
    """

    name: ClassVar[str] = "complete"

    min_failures: int = 3
    code: bool = True

    def check(self, case: Case) -> Verdict:
        """Return the verdict."""
        problem = self._problem(case.task)
        return failed(self, problem) if problem else passed(self)

    def _problem(self, task: CodeAsTask) -> str | None:
        if not task.instruction.strip():
            return "the instruction is empty"
        if any("\ud800" <= letter <= "\udfff" for letter in task.instruction):
            return "the instruction holds half a surrogate pair, which is no character"
        if not self.code:
            return None
        for what, source in sources(task):
            tree = _parse(source)
            if isinstance(tree, str):
                return f"{what} does not parse: {tree}"
            if what == "verify":
                if not _defines_verify(tree):
                    return "verify does not define `def verify(answer)` with one argument"
            elif not _calls(tree, "answer"):
                return f"{what} never calls answer(…)"
        if len(task.failures) < self.min_failures:
            return f"expected at least {self.min_failures} failure cases, got {len(task.failures)}"
        plain = [_normalized(source) for source in task.failures]
        if len(set(plain)) < len(plain):
            return "two failure cases are the same"
        if _normalized(task.solution) in plain:
            return "a failure case is the solution itself"
        return None


def _defines_verify(tree: ast.Module) -> bool:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "verify":
            given = node.args
            named = [*given.posonlyargs, *given.args]
            return len(named) - len(given.defaults) <= 1 <= len(named) and not given.kwonlyargs
    return False


def _calls(tree: ast.AST, name: str) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
        for node in ast.walk(tree)
    )


def _normalized(source: str) -> str:
    """Return code without comments and layout."""
    tree = ast.parse(source)
    try:
        return ast.dump(tree)
    except RecursionError:  # nested deeper than Python's stack: as it stands
        return source


@dataclass(frozen=True)
class Safe:
    """The code is short and uses nothing that pure computation does not need.

    The sandbox holds whatever code does; this keeps tasks readable, and their verdicts apart from
    clocks, chance and the interpreter's insides. See `purity` for the rules.
    """

    name: ClassVar[str] = "safe"

    def check(self, case: Case) -> Verdict:
        """Return the verdict."""
        problem = self._problem(case.task)
        return failed(self, problem) if problem else passed(self)

    def _problem(self, task: CodeAsTask) -> str | None:
        if len(task.instruction) > _LONGEST_INSTRUCTION:
            return f"the instruction is longer than {_LONGEST_INSTRUCTION} characters"
        for what, source in sources(task):
            if len(source) > _LONGEST_SOURCE:
                return f"{what} is longer than {_LONGEST_SOURCE} characters"
            if problem := objection(ast.parse(source)):
                return f"{what} {problem}"
        return None


@dataclass(frozen=True)
class NoLeak:
    """The instruction says what is wanted, not how to do it in code.

    It names no tool and quotes no line of code.
    """

    name: ClassVar[str] = "no leak"

    def check(self, case: Case) -> Verdict:
        """Return the verdict."""
        problem = self._problem(case)
        return failed(self, problem) if problem else passed(self)

    def _problem(self, case: Case) -> str | None:
        said = case.task.instruction
        if "```" in said or "def verify" in said:
            return "the instruction contains code"
        for name in case.domain.tools:
            pattern = rf"\b{name}\b" if "_" in name else rf"\b{name}\("
            if re.search(pattern, said):
                return f"the instruction names the tool {name}"
        words = " ".join(said.split())
        for line in case.task.solution.splitlines():
            line = " ".join(line.split())
            if len(line) >= _TELLING and "(" in line and line in words:
                return f"the instruction quotes the solution: {line[:80]}"
        return None
