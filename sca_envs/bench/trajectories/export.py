"""Training data out of trajectories: supervised examples, preference pairs, OpenAI's fine-tuning.

What is left out is counted by reason, so that nobody trains on less than they think.
"""

from __future__ import annotations

import json
import os
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sca_envs.bench.trajectories.trajectory import Trajectory
from sca_envs.core.database import canonical_json
from sca_envs.core.errors import OptionError
from sca_envs.core.writing import whole_file
from sca_envs.domains import domain

Examples = Iterator[dict[str, Any]]


def export(
    trajectories: Iterable[Trajectory], to: str, path: str | os.PathLike[str]
) -> tuple[int, Counter[str]]:
    """Write training data as JSON Lines; the file appears whole or not at all.

    ``sft``: an object with ``messages`` and ``tools`` for each success, the arguments of tool calls
    as objects, as chat templates want them. ``dpo``: ``prompt``, ``chosen``, ``rejected`` and
    ``tools``; the successes and failures of a task are paired in order. ``openai``: OpenAI's
    format for fine-tuning, for each success.

    A conversation ends with the agent's last message, because what comes after it is not learned.

    Args:
        trajectories: The trajectories.
        to: ``sft``, ``dpo`` or ``openai``.
        path: The file.

    Returns:
        The number of examples, and reason -> number of trajectories that were left out.

    Raises:
        OptionError: If `to` is another word.
        DataNotInstalledError: If the data is missing that the tools' schemas come from.
    """
    if to not in FORMATS:
        raise OptionError(f"Expected to export to one of {', '.join(FORMATS)}; got {to!r}")
    dropped: Counter[str] = Counter()
    number = 0
    with (
        whole_file(path) as partial,
        partial.open("w", encoding="utf-8", newline="\n") as file,
    ):
        for example in FORMATS[to](_usable(trajectories, dropped), dropped):
            file.write(json.dumps(example, ensure_ascii=False, separators=(",", ":")) + "\n")
            number += 1
    return number, dropped


def preference_pairs(
    trajectories: Iterable[Trajectory],
) -> tuple[list[tuple[Trajectory, Trajectory]], Counter[str]]:
    """Return pairs of a success and a failure on the same task, as ``dpo`` exports them.

    Args:
        trajectories: The trajectories.

    Returns:
        The pairs, and reason -> number of trajectories that are in none.
    """
    dropped: Counter[str] = Counter()
    pairs = list(_pairs(_usable(trajectories, dropped), dropped))
    return pairs, +dropped


def _usable(trajectories: Iterable[Trajectory], dropped: Counter[str]) -> Iterator[Trajectory]:
    """Leave out what no format can use."""
    seen: set[str] = set()
    for one in trajectories:
        text = canonical_json([one.domain, one.data, one.messages])
        if not one.counts or one.error is not None:
            dropped[f"broken off ({one.termination_reason})"] += 1
        elif not _conversation(one):
            dropped["the agent said nothing"] += 1
        elif text in seen:
            dropped["the same conversation as another one"] += 1
        elif not _is_unicode(one.messages):
            dropped["text that UTF-8 cannot say"] += 1
        else:
            seen.add(text)
            yield one


def _sft(trajectories: Iterator[Trajectory], dropped: Counter[str]) -> Examples:
    for one in _successes(trajectories, dropped):
        yield {"messages": _with_objects(_conversation(one)), "tools": _tools(one)}


def _openai(trajectories: Iterator[Trajectory], dropped: Counter[str]) -> Examples:
    for one in _successes(trajectories, dropped):
        yield {
            "messages": _conversation(one),
            "tools": _tools(one),
            "parallel_tool_calls": False,
        }


def _successes(trajectories: Iterator[Trajectory], dropped: Counter[str]) -> Iterator[Trajectory]:
    for one in trajectories:
        if one.success:
            yield one
        else:
            dropped["no success"] += 1


def _dpo(trajectories: Iterator[Trajectory], dropped: Counter[str]) -> Examples:
    for chosen, rejected in _pairs(trajectories, dropped):
        prompt = _prompt(chosen)
        yield {
            "prompt": prompt,
            "chosen": _with_objects(_conversation(chosen)[len(prompt) :]),
            "rejected": _with_objects(_conversation(rejected)[len(prompt) :]),
            "tools": _tools(chosen),
        }
    for reason in [reason for reason, count in dropped.items() if not count]:
        del dropped[reason]


def _pairs(
    trajectories: Iterator[Trajectory], dropped: Counter[str]
) -> Iterator[tuple[Trajectory, Trajectory]]:
    groups: OrderedDict[str, tuple[list[Trajectory], list[Trajectory]]] = OrderedDict()
    for one in trajectories:
        key = canonical_json([one.env_id, one.data, one.split, one.task_id, _prompt(one)])
        good, bad = groups.setdefault(key, ([], []))
        (good if one.success else bad).append(one)
    for good, bad in groups.values():
        pairs = min(len(good), len(bad))
        dropped["no failure to pair with"] += len(good) - pairs
        dropped["no success to pair with"] += len(bad) - pairs
        yield from zip(good, bad, strict=False)


FORMATS: dict[str, Callable[[Iterator[Trajectory], Counter[str]], Examples]] = {
    "sft": _sft,
    "dpo": _dpo,
    "openai": _openai,
}
"""Name of the format -> function that makes its examples and counts what it leaves out."""


def _prompt(one: Trajectory) -> list[dict[str, Any]]:
    """Return what comes before the agent's first message."""
    first = next(i for i, said in enumerate(one.messages) if said["role"] == "assistant")
    return one.messages[:first]


def _conversation(one: Trajectory) -> list[dict[str, Any]]:
    """Return the messages up to the agent's last one; empty if there is none."""
    number = len(one.messages)
    while number and one.messages[number - 1]["role"] != "assistant":
        number -= 1
    return one.messages[:number]


def _with_objects(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return messages whose tool calls have their arguments as objects."""
    return [
        said | {"tool_calls": [_with_object(call) for call in said["tool_calls"]]}
        if "tool_calls" in said
        else said
        for said in messages
    ]


def _with_object(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    return call | {"function": function | {"arguments": json.loads(function["arguments"])}}


def _tools(one: Trajectory) -> list[dict[str, Any]]:
    module, colon, _ = one.env_id.rpartition(":")
    return list(domain(f"{module}{colon}{one.domain}", one.data).schemas)


def _is_unicode(messages: list[dict[str, Any]]) -> bool:
    try:
        json.dumps(messages, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
