"""A person at a terminal as the agent."""

from __future__ import annotations

import contextlib
import difflib
import json
import shlex
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from sca_envs.bench.agents import StopRun
from sca_envs.core.actions import Action, Reply, ToolCall
from sca_envs.envs.tool_use import ToolUseEnv

HELP = """\
Type what you want to say to the user, or call a tool:
  get_order_details order_id=#W1234567      a tool and its arguments
  get_order_details                         the same; you are asked for the arguments
  {"name": "think", "arguments": {…}}       the same in the action format
  /tools  /tools NAME  /policy  /help  /quit
Lists are written a,b,c. The Tab key completes tools and arguments."""


class Quit(StopRun):
    """The person wants to stop."""


class HumanAgent:
    """Asks a person for every turn.

    Args:
        env: The environment that will be played.
        console: Where to print.
        ask: Reads a line, given a prompt.
    """

    def __init__(
        self,
        env: ToolUseEnv,
        console: Console | None = None,
        ask: Callable[[str], str] = input,
    ) -> None:
        self._env = env
        self._console = console or Console()
        self._ask = ask
        self._schemas: dict[str, dict[str, Any]] = {}

    def reset(self, observation: str, info: dict[str, Any]) -> None:
        """Learn the tools and say how to play."""
        self._schemas = {tool["function"]["name"]: tool["function"] for tool in info["tools"]}
        _complete(self.words())
        self._console.print(_call_table(self._schemas))
        self._console.print(HELP, markup=False, highlight=False)

    def words(self) -> list[str]:
        """Return what the Tab key completes."""
        parameters = {
            f"{name}="
            for tool in self._schemas.values()
            for name in tool["parameters"]["properties"]
        }
        return [*self._schemas, *sorted(parameters), "/tools", "/policy", "/help", "/quit"]

    def act(self, observation: str, info: dict[str, Any]) -> str:
        """Return the person's turn in the environment's action format.

        Raises:
            Quit: If the person wants to stop.
        """
        while True:
            line = self._read("\nagent> ").strip()
            if line.startswith("/"):
                self._command(line, info)
            elif line.startswith(("{", "<tool_call>")):
                return line
            elif line:
                action = self._parse(line)
                if action is not None:
                    return self._env.render_action(action)

    def _read(self, prompt: str) -> str:
        try:
            return self._ask(prompt)
        except EOFError:
            raise Quit from None

    def _parse(self, line: str) -> Action | None:
        """Return the action that a line means, or None after saying what is wrong with it."""
        name = line.split(maxsplit=1)[0]
        if name not in self._schemas:
            near = difflib.get_close_matches(name, self._schemas, n=1)
            if "_" not in name or not near:
                return Reply(line)
            self._console.print(f"There is no tool {name}; did you mean {near[0]}?", style="red")
            return None
        try:
            words = shlex.split(line)[1:]
        except ValueError as error:
            self._console.print(f"[red]Expected closed quotation marks: {error}[/]")
            return None
        properties = self._schemas[name]["parameters"]["properties"]
        arguments: dict[str, Any] = {}
        for word in words:
            key, equals, value = word.partition("=")
            if not equals or key not in properties:
                expected = ", ".join(f"{key}=…" for key in properties) or "no arguments"
                self._console.print(f"Expected {expected}; got {word}", style="red", markup=False)
                return None
            arguments[key] = _value(value, properties[key])
        for key in self._schemas[name]["parameters"]["required"]:
            if key not in arguments:
                arguments[key] = _value(self._read(f"  {key}= "), properties[key])
        return ToolCall(name, arguments)

    def _command(self, line: str, info: dict[str, Any]) -> None:
        command, _, name = line.partition(" ")
        match command:
            case "/quit" | "/q":
                raise Quit
            case "/policy":
                self._console.print(Markdown(info["policy"]))
            case "/tools" if name.strip() in self._schemas:
                self._console.print_json(json.dumps(self._schemas[name.strip()]))
            case "/tools":
                self._console.print(_tool_table(self._schemas))
            case _:
                self._console.print(HELP, markup=False, highlight=False)


def _call_table(schemas: dict[str, dict[str, Any]]) -> Table:
    table = Table("tool", "arguments", box=None)
    for name, schema in schemas.items():
        table.add_row(name, ", ".join(schema["parameters"]["properties"]))
    return table


def _tool_table(schemas: dict[str, dict[str, Any]]) -> Table:
    table = Table()
    table.add_column("tool", no_wrap=True)
    table.add_column("arguments")
    table.add_column("what it does")
    for name, schema in schemas.items():
        about = schema["description"].partition(". ")[0]
        table.add_row(name, ", ".join(schema["parameters"]["properties"]), about)
    return table


def _value(text: str, schema: dict[str, Any]) -> Any:
    """Return a typed argument: text for strings, ``a,b`` for lists, JSON for anything else."""
    text = text.strip()
    if schema.get("type") == "string":
        return text
    with contextlib.suppress(ValueError):
        return json.loads(text)
    if schema.get("type") == "array":
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _complete(words: list[str]) -> None:
    """Let the Tab key complete words, where the terminal's library is there."""
    try:
        import readline
    except ImportError:  # Windows
        return

    def candidates(text: str, state: int) -> str | None:
        found = [word for word in words if word.startswith(text)]
        return found[state] if state < len(found) else None

    readline.set_completer(candidates)
    readline.set_completer_delims(" ")
    readline.parse_and_bind("tab: complete")
