"""Checks of tool calls: plausible arguments, refusals that change nothing, results that are text.

Calls are those of the reference solutions, in the states that they are made for, too often, and
with one argument swapped for another one that the schema allows; and calls that the domain samples.
They are tried on a copy of the tables, tool by tool, so that one which writes to what all episodes
share is named and spoils nothing.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from sca_envs.bench.conformance.report import Finding
from sca_envs.bench.conformance.sample import Sample, Step, describe
from sca_envs.core.database import Base, Database, Snapshot, canonical_json, copy_json
from sca_envs.core.errors import ToolError
from sca_envs.core.tools import Tool, refused, show_json

_SAMPLES = 40
"""Sampled calls of each tool."""
_STEPS = 12
"""Reference calls of each tool that are varied."""
_REPEATS = 4
"""How often the same call is made in a row: a limit may be reached late."""
_WALK = 300
"""Most reference calls of a tool that are made in one state, one after the other."""
_ODD: dict[str, tuple[Any, ...]] = {
    "string": ("", "no such thing", "0"),
    "integer": (0, -1, 1_000_000),
    "number": (0.0, -1.0, 1e6),
    "boolean": (True, False),
}
"""What else the schema allows, by JSON type."""

_REFUSAL, _RESULT, _SHARED = "refusal", "result", "shared"


def check_samples(sample: Sample) -> Iterator[Finding]:
    """Sampled arguments fit the schemas and depend on the given random generator alone."""
    for key, tool in sample.domain.tools.items():
        for name, schema in tool.parameters["properties"].items():
            if "enum" not in schema:
                yield from _samples(sample, tool, name, f"tool {key}, parameter {name}")


def _samples(sample: Sample, tool: Tool, name: str, where: str) -> Iterator[Finding]:
    try:
        values = _draw(sample, name, 1)
        again = _draw(sample, name, 2)
    except Exception as error:
        yield Finding(where, "a value from `sample_argument`", describe(error), "add a case for it")
        return
    for value in values:
        problem = _misfit(tool, name, value)
        if problem:
            yield Finding(
                where,
                f"a value of `sample_argument` that the schema allows "
                f"({canonical_json(tool.parameters['properties'][name])[:100]})",
                f"{value!r} ({problem})",
                "draw a JSON value of the parameter's type; NumPy's numbers need int() or float()",
            )
            return
    if repr(values) != repr(again):
        yield Finding(
            where,
            "the same values from `sample_argument` for the same generator",
            "others the second time",
            "draw from its argument `rng` only, not from `random` or `numpy.random`",
        )


def _draw(sample: Sample, name: str, global_seed: int) -> list[Any]:
    """Draw values, whatever state the global random generators are in."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        random.seed(global_seed)
        np.random.seed(global_seed)
        rng = np.random.default_rng(sample.seed)
        return [sample.domain.sample_argument(rng, name) for _ in range(_SAMPLES)]
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _misfit(tool: Tool, name: str, value: Any) -> str | None:
    """Return what is wrong with the value of one parameter, whatever the others have."""
    try:
        tool.check({name: value})
    except ToolError as error:
        problem = f"{name!r}: "
        text = str(error)
        if problem in text or f"{name!r} is not" in text:
            return text.partition(problem)[2].partition(", got ")[0] or text
        if f"'{name}." in text:
            return text.partition(f"'{name}.")[2].partition(", got ")[0]
    return None


def check_refusals(sample: Sample) -> Iterator[Finding]:
    """Refused calls leave the state alone, and say why."""
    yield from sample.once(_try_calls)[_REFUSAL]


def check_results(sample: Sample) -> Iterator[Finding]:
    """Tools raise nothing but `ToolError`, and return JSON."""
    yield from sample.once(_try_calls)[_RESULT]


def check_base(sample: Sample) -> Iterator[Finding]:
    """The tables hold JSON, and nothing writes to them."""
    for table, records in sample.domain.base.tables.items():
        try:
            same = json.loads(json.dumps(records, allow_nan=False)) == records
        except (TypeError, ValueError) as error:
            problem = describe(error)
        else:
            problem = "" if same else "keys or tuples that JSON changes"
        if problem or not all(isinstance(record, dict) for record in records.values()):
            yield Finding(
                f"table {table}",
                "text keys and JSON objects as records",
                problem or "a record that is no object",
                "keep records to None, bool, int, float, str, list and dict with text keys",
            )
    yield from sample.once(_try_calls)[_SHARED]
    if repr(sample.domain.base.tables) != sample.tables_before:
        yield Finding(
            "tables",
            "the initial tables as they were before the checks",
            "other ones",
            "change no record that a tool, a task generator or `sample_argument` reads; a tool "
            "changes what `db.edit` returned",
        )


def _try_calls(sample: Sample) -> dict[str, list[Finding]]:
    """Return what is wrong with tools, by kind; the first finding of each tool and kind only."""
    domain, rng = sample.domain, sample.rng("calls")
    findings: dict[tuple[str, str], Finding] = {}
    steps = [step for task in sample.all_tasks() for step in sample.steps(task)]
    steps = [step for step in steps if step.action.name in domain.tools]
    rng.shuffle(steps)
    for tool in domain.tools.values():
        base = Base(copy_json(domain.base.tables))
        for database, arguments in _calls(sample, tool, steps, base, rng):
            sample.num_calls += 1
            for kind, finding in _try(tool, database, arguments):
                findings.setdefault((kind, finding.where), finding)
        if repr(base.tables) != repr(domain.base.tables):
            where = f"tool {tool.name}"
            findings[_SHARED, where] = Finding(
                where,
                "the initial tables, which all episodes share, as they are after any call",
                "other ones",
                "change what `db.edit` returns, not what `db.get` returns",
            )
    return {
        wanted: [finding for (kind, _), finding in findings.items() if kind == wanted]
        for wanted in (_REFUSAL, _RESULT, _SHARED)
    }


def _calls(
    sample: Sample, tool: Tool, steps: list[Step], base: Base, rng: random.Random
) -> Iterator[tuple[Database, dict[str, Any]]]:
    """Yield calls of a tool with the states to try them in, on tables of their own."""
    generator = np.random.default_rng(sample.seed)
    for _ in range(_SAMPLES):
        try:
            arguments = sample.domain.sample_arguments(generator, tool)
        except Exception:  # the check of the samples tells
            break
        yield Database(base), arguments
    mine = [step for step in steps if step.action.name == tool.name]
    for step in mine[:_STEPS]:
        state = _state(base, step)
        for _ in range(_REPEATS):
            yield state, step.action.arguments
        for arguments in _variations(tool, step, mine, rng):
            yield _state(base, step), arguments
    walk = Database(base)
    for step in mine[:_WALK]:
        yield walk, step.action.arguments


def _state(base: Base, step: Step) -> Database:
    """Return the state of a step on other tables that are equal."""
    return Database(base, Snapshot(base, step.before.snapshot().overlay))


def _variations(
    tool: Tool, step: Step, others: list[Step], rng: random.Random
) -> Iterator[dict[str, Any]]:
    """Yield a step's arguments with one of them swapped for another one that the schema allows."""
    for name, value in step.action.arguments.items():
        schema = tool.parameters["properties"].get(name, {})
        other = rng.choice(others).action.arguments.get(name, value)
        odd = [other, *(schema.get("enum") or _ODD.get(str(schema.get("type")), ()))]
        if isinstance(value, list) and value and name != tool.variadic:
            odd += [[], value + value, value[:-1]]
        for swapped in odd:
            yield {**step.action.arguments, name: swapped}


def _try(
    tool: Tool, database: Database, arguments: dict[str, Any]
) -> Iterator[tuple[str, Finding]]:
    """Carry out a call and yield what is wrong with it, by kind."""
    where, before = f"tool {tool.name}", database.snapshot()
    call = f"{tool.name}({json.dumps(arguments, default=repr)[:200]})"
    refusal: str | None = None
    try:
        result = tool.run(database, arguments)
    except (ToolError, ValueError) as error:  # Python's own functions refuse with the latter
        refusal = str(error)
    except Exception as error:
        yield (
            _RESULT,
            Finding(
                where,
                f"a result or a ToolError from {call}",
                describe(error),
                "raise ToolError for what the agent did wrong, before the first write",
            ),
        )
        return
    if refusal is None:
        shown, problem = _show(tool, result)
        if problem:
            yield (
                _RESULT,
                Finding(
                    where,
                    f"a result that JSON can say from {call}",
                    problem,
                    "return text, numbers, lists and dicts; no sets, objects or NaN",
                ),
            )
            return
        if not refused(shown):
            return
    elif not refusal.strip():
        yield (
            _REFUSAL,
            Finding(
                where,
                f"a refusal that says why from {call}",
                "an error without a text",
                "say what was expected and what came",
            ),
        )
    if changes := database.diff(before):
        yield (
            _REFUSAL,
            Finding(
                where,
                f"the state as it was after {call}, which was refused",
                f"a change of {changes[0].path}",
                "check everything, and raise ToolError, before the first write",
            ),
        )


def _show(tool: Tool, result: Any) -> tuple[str, str | None]:
    """Return what the agent reads of a result, and why it cannot."""
    try:
        text: Any = tool.show(result)
        if tool.show is show_json:
            json.dumps(result, allow_nan=False)
    except Exception as error:
        return "", describe(error)
    return (text, None) if isinstance(text, str) else ("", f"{type(text).__name__}, no text")
