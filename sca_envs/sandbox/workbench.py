"""A domain's tools as functions for code in the sandbox."""

from __future__ import annotations

import json

from sca_envs.core.actions import LoggedCall
from sca_envs.core.database import Database
from sca_envs.core.domain import Domain
from sca_envs.sandbox.results import JSON, Result, SandboxCall, SandboxTool

ANSWER = "answer"
"""Name of the function that gives the final answer."""


class AlreadyAnswered(RuntimeError):  # noqa: N818 - the code reads it as a fact
    """Something was done after the final answer."""


class Workbench:
    """What code works with: a domain's tools on a database, and a place for its answer.

    Args:
        domain: Whose tools to give.
        database: What the tools read and change; it may be exchanged between two runs.
        answers: Whether the code may give a final answer by ``answer(value)``. A value that is no
            text becomes JSON. Nothing can be done after it.
    """

    def __init__(self, domain: Domain, database: Database, *, answers: bool = False) -> None:
        self.domain = domain
        self.database = database
        self.answer: str | None = None
        """The final answer; None until it is given."""
        self.late = False
        """Whether something was tried after the answer."""
        self.tools: dict[str, SandboxTool] = {name: self._tool(name) for name in domain.tools}
        """The functions, for `Sandbox.run` or a session."""
        if answers:
            self.tools[ANSWER] = SandboxTool(ANSWER, ("value",), self._take_answer)

    def log(self, result: Result) -> tuple[LoggedCall, ...]:
        """Return the calls of the domain's tools that a run made."""
        return tuple(
            LoggedCall(call.name, self._named(call), call.error is None)
            for call in result.calls
            if call.name in self.domain.tools
        )

    def _named(self, call: SandboxCall) -> dict[str, JSON]:
        """Return a call's arguments as the tool's schema names them."""
        arguments, variadic = call.arguments, self.domain.tools[call.name].variadic
        if variadic is not None:
            arguments[variadic] = arguments.pop("args", [])
        return arguments

    def _tool(self, name: str) -> SandboxTool:
        tool = self.domain.tools[name]

        def call(arguments: dict[str, JSON]) -> JSON:
            self._demand_no_answer()
            if tool.variadic is not None:
                arguments[tool.variadic] = arguments.pop("args", [])
            return self.domain.call_from_code(tool, self.database, arguments)

        named = tuple(key for key in tool.parameters["properties"] if key != tool.variadic)
        return SandboxTool(name, named, call, variadic=tool.variadic is not None)

    def _take_answer(self, arguments: dict[str, JSON]) -> None:
        self._demand_no_answer()
        if arguments.keys() != {"value"}:
            raise TypeError(f"answer() takes one value; got {', '.join(arguments) or 'nothing'}")
        value = arguments["value"]
        self.answer = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def _demand_no_answer(self) -> None:
        if self.answer is not None:
            self.late = True
            raise AlreadyAnswered("the final answer was given already; nothing can follow it")
