"""Writes the source of `verify` from how the solution ended.

It checks exactly what the solution left: the records that it changed, field by field through the
tools that show them, that nothing else changed, and the answer. Amounts may be off by half a cent,
because agents round; words may be in other letters, blanks or quotes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sca_envs.core.domain import RecordReader
from sca_envs.core.errors import OptionError

_SAME = '''\
def same(found, wanted):
    """Compare values of records; amounts may be off by half a cent."""
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and found.keys() == wanted.keys()
            and all(same(found[key], wanted[key]) for key in wanted)
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(same(one, other) for one, other in zip(found, wanted))
        )
    if isinstance(wanted, float) and isinstance(found, (int, float)):
        return abs(found - wanted) <= HALF_A_CENT
    return found == wanted
'''
_NUMBER = '''\
def number(text):
    """Read a number, with or without a dollar sign and commas."""
    try:
        return float(text.strip().rstrip(".").replace("$", "").replace(",", ""))
    except ValueError:
        return None
'''
_PLAIN = '''\
def plain(text):
    """Leave out what does not matter in an answer: blanks, quotes, a full stop, upper case."""
    return " ".join(text.split()).strip(" .'\\"").casefold()
'''
_READ = '''\
def read(text):
    """Read a list or dictionary, written as JSON or as Python writes it."""
    try:
        return json.loads(text.replace("'", '"').replace("(", "[").replace(")", "]"))
    except ValueError:
        return None
'''
_HALF_A_CENT = "HALF_A_CENT = 0.005 + 1e-9\n"


def write_verify(
    changes: Sequence[dict[str, Any]],
    value: Any,
    readers: Mapping[str, RecordReader],
    *,
    page: str | None = None,
) -> str:
    """Return the source of `verify` for a solution.

    Args:
        changes: What the solution changed in the world.
        value: What it answered.
        readers: Table -> the tool that shows a record of it.
        page: The page whose top the browser has to show at the end, if that is part of the task.
    """
    lines = _state_checks(changes, readers)
    if page is not None:
        shown = f"[Web Page Name: {page}]\n[Viewing page 1 of "
        lines += [f"if {shown!r} not in view():", "    return False"]
    return _assemble([*lines, *_answer_checks(value)])


def _assemble(body: Iterable[str]) -> str:
    """Put the helpers that are used before the function."""
    function = "\n".join(["def verify(answer):", *(f"    {line}" for line in body), ""])
    used = [h for name, h in _HELPERS.items() if f"{name}(" in function]
    if "same(" in function or "HALF_A_CENT" in function:
        used.insert(0, _HALF_A_CENT)
    if _READ in used:
        used.insert(0, "import json\n")
    return "\n\n".join([*used, function]).replace("\n\n\n\n", "\n\n\n")


_HELPERS = {"same": _SAME, "number": _NUMBER, "plain": _PLAIN, "read": _READ}


def _state_checks(
    changes: Sequence[dict[str, Any]], readers: Mapping[str, RecordReader]
) -> list[str]:
    if not changes:
        return ["if changes():", "    return False"]
    paths = sorted(change["path"] for change in changes)
    lines = [
        "expected = {",
        *(f"    {path!r}," for path in paths),
        "}",
        'if {change["path"] for change in changes()} != expected:',
        "    return False",
    ]
    shown = None
    for change in changes:
        _, table, key, *fields = (_unescape(part) for part in change["path"].split("/"))
        if table not in readers:
            raise OptionError(
                f"Expected the domain's record_readers to have a tool that shows a record of the "
                f"table {table!r}, which a wish changes; got {', '.join(readers) or 'none'}"
            )
        if change["kind"] == "remove" and not fields:
            continue  # no tool shows what is gone; that its path changed says it all
        tool, parameter, name = readers[table]
        if shown != (table, key):
            lines.append(f"{name} = {tool}({parameter}={key!r})")
            shown = (table, key)
        found = name + "".join(f"[{field!r}]" for field in fields[:-1])
        if fields:
            found += f".get({fields[-1]!r})"
        lines += _comparison(found, change["after"])
    return lines


def _comparison(found: str, wanted: Any) -> list[str]:
    if wanted is None:
        return [f"if {found} is not None:", "    return False"]
    if isinstance(wanted, str | int):
        return [f"if {found} != {wanted!r}:", "    return False"]
    return [f"if not same({found}, {wanted!r}):", "    return False"]


def _answer_checks(value: Any) -> list[str]:
    if isinstance(value, bool):
        value = json.dumps(value)
    if isinstance(value, str):
        return [f"return plain(answer) == plain({value!r})"]
    if isinstance(value, float):
        wanted = f"abs(number(answer) - {value!r}) <= HALF_A_CENT"
        return [f"return number(answer) is not None and {wanted}"]
    if isinstance(value, int):
        return [f"return number(answer) == {value!r}"]
    return [f"return same(read(answer), {value!r})"]


def _unescape(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
