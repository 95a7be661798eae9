"""Tools: plain typed functions over a database, with schemas from their hints and docstrings.

A tool function takes the database first and then what the agent gives. Its Google docstring is
its documentation for the agent, too: the summary and body become the description, the ``Args``
section the descriptions of the parameters. A variadic parameter (``*values``) is a list there.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from sca_envs.core.database import Database, copy_json
from sca_envs.core.errors import ToolError


def choices(*values: str) -> Any:
    """Annotate a string parameter with the values that the agent should choose from.

    The values are in the schema; another one is not refused before the call, because the
    original benchmarks leave that to the tool, which says so in its own words.
    """
    return Field(json_schema_extra={"enum": list(values)})


def show_json(result: Any) -> str:
    """Return a tool's result as the agent reads it: text as it is, anything else as JSON."""
    return result if isinstance(result, str) else json.dumps(result)


_FAILED = "Failed to execute tool "  # M3ToolEval's text


def refused(observation: str) -> bool:
    """Return whether what the agent read after a tool call says that the call failed."""
    return observation.startswith(("Error:", _FAILED))


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that an agent can call.

    Make one with `Tool.from_function`.
    """

    name: str
    """The name by which it is called."""
    description: str
    """What it does, for the agent."""
    parameters: dict[str, Any]
    """JSON schema of its arguments (an object)."""
    function: Callable[..., Any]
    """The implementation; its first parameter is the database."""
    arguments_model: type[BaseModel] = field(repr=False)
    """Pydantic model that checks the arguments."""
    variadic: str | None = None
    """The parameter whose list the function takes as further positional arguments, if any."""
    show: Callable[[Any], str] = show_json
    """Turns a result into what the agent reads."""

    @classmethod
    def from_function(
        cls,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        show: Callable[[Any], str] = show_json,
    ) -> Tool:
        """Make a tool of a typed function with a Google docstring.

        Args:
            function: Its first parameter is the database; every other one has a type hint and an
                entry in the ``Args`` section of the docstring.
            name: The tool's name; by default the function's.
            show: Turns a result into what the agent reads.

        Raises:
            TypeError: If a hint, the docstring or an ``Args`` entry is missing.
        """
        name = name or function.__name__
        variadic: str | None = None
        description, documented = _parse_docstring(function)
        hints = typing.get_type_hints(function, include_extras=True)
        fields: dict[str, Any] = {}
        for parameter in list(inspect.signature(function).parameters.values())[1:]:
            if parameter.name not in hints or parameter.name not in documented:
                raise TypeError(
                    f"Tool {name}: expected a type hint and an Args entry for parameter "
                    f"{parameter.name!r}"
                )
            hint, about = hints[parameter.name], documented[parameter.name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                variadic = parameter.name
                fields[variadic] = (list[hint], Field(default_factory=list, description=about))  # type: ignore[valid-type]
                continue
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[parameter.name] = (hint, Field(default, description=about))
        config = ConfigDict(extra="forbid", strict=True)
        model = create_model(name, __config__=config, **fields)
        schema = model.model_json_schema(schema_generator=_PlainSchema)
        parameters = {
            "type": "object",
            "properties": schema.get("properties", {}),
            "required": schema.get("required", []),
            "additionalProperties": False,
        }
        if "$defs" in schema:
            parameters["$defs"] = schema["$defs"]
        return cls(name, description, parameters, function, model, variadic, show)

    def __reduce__(self) -> tuple[Callable[..., Tool], tuple[Any, ...]]:
        # A model that was made of a function has no module to be found in.
        return functools.partial(Tool.from_function, name=self.name, show=self.show), (
            self.function,
        )

    @property
    def schema(self) -> dict[str, Any]:
        """A fresh copy of the schema in OpenAI's function format."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": json.loads(json.dumps(self.parameters)),
        }
        return {"type": "function", "function": function}

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments, checked and copied, as the function takes them.

        Raises:
            ToolError: If an argument is missing, unknown or of a wrong type.
        """
        validator = self.arguments_model.__pydantic_validator__
        try:
            copied = {
                name: copy_json(value) if isinstance(value, dict | list) else value
                for name, value in arguments.items()
            }
            return validator.validate_python(copied).__dict__  # type: ignore[no-any-return]
        except ValidationError as error:
            raise ToolError(self._explain(error)) from None

    def call(self, database: Database, arguments: Mapping[str, Any]) -> str:
        """Run the tool and return what the agent reads.

        Whatever goes wrong is an observation that begins with ``Error:``, never an exception.

        Args:
            database: The episode's database.
            arguments: What the agent gave.
        """
        try:
            return self.show(self.run(database, arguments))
        except Exception as error:  # an agent's call must not end the episode's process
            return f"Error: {str(error) or type(error).__name__}"

    def run(self, database: Database, arguments: Mapping[str, Any]) -> Any:
        """Run the tool and return its result as it is.

        Args:
            database: The episode's database.
            arguments: What the agent gave.

        Raises:
            ToolError: If the arguments are not those of the schema, or the tool refuses.
        """
        checked = self.check(arguments)
        if self.variadic is None:
            return self.function(database, **checked)
        return self.function(database, *self.order(checked))

    def order(self, arguments: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return arguments as positional ones; they end before the first that is missing."""
        values: list[Any] = []
        for name in self.parameters["properties"]:
            if name not in arguments:
                break
            values += arguments[name] if name == self.variadic else [arguments[name]]
        return tuple(values)

    def call_positional(self, database: Database, values: tuple[Any, ...]) -> str:
        """Run the tool on positional arguments, as they are, and return what the agent reads.

        Only M3ToolEval calls tools like this. It checks nothing beforehand and has one text for
        every failure.

        Args:
            database: The episode's database.
            values: What the agent gave.
        """
        try:
            return self.show(self.function(database, *values))
        except Exception:  # an agent's call must not end the episode's process
            return (
                f"{_FAILED}{self.name} with args {_represent(values)}. "
                "Did you try to invoke more than one tool at a time?"
            )

    def named(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """Return positional arguments by name; what is too much is left out."""
        names = [name for name in self.parameters["properties"] if name != self.variadic]
        arguments = dict(zip(names, values, strict=False))
        if self.variadic is not None:
            arguments[self.variadic] = list(values[len(names) :])
        return arguments

    def _explain(self, error: ValidationError) -> str:
        problems = []
        for item in error.errors(include_url=False):
            where = ".".join(str(part) for part in item["loc"])
            if item["type"] == "missing":
                problems.append(f"{where!r} is missing")
            elif item["type"] == "extra_forbidden":
                problems.append(f"{where!r} is not a parameter")
            else:
                problems.append(f"{where!r}: {item['msg']}, got {_shorten(item['input'])}")
        takes = ", ".join(self.parameters["properties"]) or "no arguments"
        return f"invalid arguments for {self.name}: {'; '.join(problems)} (it takes {takes})"


def toolset(
    *functions: Callable[..., Any], show: Callable[[Any], str] = show_json
) -> dict[str, Tool]:
    """Return tools made of functions, by name.

    Args:
        functions: See `Tool.from_function`.
        show: Turns a result into what the agent reads.
    """
    tools = (Tool.from_function(function, show=show) for function in functions)
    return {tool.name: tool for tool in tools}


class _PlainSchema(GenerateJsonSchema):
    """Leaves out the titles that pydantic adds."""

    def generate(self, schema: Any, mode: Any = "validation") -> JsonSchemaValue:
        return typing.cast(JsonSchemaValue, _without_titles(super().generate(schema, mode)))


def _without_titles(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: {name: _without_titles(item) for name, item in part.items()}
            if key == "properties"
            else _without_titles(part)
            for key, part in value.items()
            if key != "title"
        }
    if isinstance(value, list):
        return [_without_titles(item) for item in value]
    return value


_SECTION = re.compile(r"^(Args|Returns|Raises|Yields|Note|Example)s?:\s*$", re.MULTILINE)
_ENTRY = re.compile(r"^    (\w+)(?: \([^)]*\))?: (.*(?:\n {5,}.*)*)", re.MULTILINE)


def _parse_docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return the description and the parameters' descriptions of a Google docstring."""
    text = inspect.getdoc(function)
    if not text:
        raise TypeError(f"Tool {function.__name__}: expected a docstring, found none")
    parts = _SECTION.split(text)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    entries = _ENTRY.findall(sections.get("Args", ""))
    documented = {name: " ".join(body.split()) for name, body in entries}
    return " ".join(parts[0].split()), documented


def _represent(values: tuple[Any, ...]) -> str:
    try:
        return repr(values)
    except (RecursionError, ValueError):  # nested too deeply, or too many digits
        return "(…)"


def _shorten(value: Any, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "…"
