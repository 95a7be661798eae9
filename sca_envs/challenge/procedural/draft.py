"""A task under construction, and how it becomes a Code-as-Task that is known to work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sca_envs.challenge.procedural.trial import attempt, changes, judge, untouched
from sca_envs.challenge.procedural.verification import write_verify
from sca_envs.challenge.task import CodeAsTask, DataRef, Provenance
from sca_envs.core.domain import Domain
from sca_envs.core.errors import OptionError, ToolError
from sca_envs.core.wishes.draft import RIGHT_ANSWER, Draft
from sca_envs.sandbox.isolation import is_unsafe

CHALLENGER = "procedural"
MAX_CALLS = 6
"""Most tool calls of a solution."""
FEWEST_FAILURES, MOST_FAILURES = 3, 5


def compose(domain: Domain, draft: Draft, calls: int, seed: int) -> CodeAsTask | None:
    """Return the task of a draft, or None if it does not hold what a task must hold.

    Args:
        domain: The domain.
        draft: The draft.
        calls: How many tool calls the solution must make.
        seed: The seed, for the id and the provenance.
    """
    ended = attempt(domain, draft.solution)
    if ended.error is not None or len(ended.calls) != calls or not ended.answer.strip():
        return None
    changed = changes(domain, ended)
    verify = write_verify(changed, ended.value, domain.record_readers, page=draft.page)
    try:
        if judge(domain, verify, untouched(domain)) or judge(domain, verify, ended) is not True:
            return None
    except ToolError as error:
        raise OptionError(
            f"Expected the record_readers of {domain.name} to show every record that its tools "
            f"change; one refused: {error}"
        ) from None
    literal = repr(ended.value)
    wrongs = [
        *(wrong.replace(RIGHT_ANSWER, literal) for wrong in draft.failing_attempts),
        *([f"answer({literal})\n"] if changed else []),
        *_wrong_answers(draft.solution, ended.value),
    ]
    most = FEWEST_FAILURES + seed % (MOST_FAILURES - FEWEST_FAILURES + 1)
    failures = _failing(domain, verify, wrongs, most)
    if len(failures) < FEWEST_FAILURES:
        return None
    return CodeAsTask(
        id=f"{domain.name}-{CHALLENGER}-{seed}",
        domain=domain.name,
        data=DataRef.of(domain),
        instruction=draft.instruction,
        verify=verify,
        solution=draft.solution,
        failures=tuple(failures),
        provenance=Provenance(challenger=CHALLENGER, seed=seed, unsafe_sandbox=is_unsafe()),
    )


def _failing(domain: Domain, verify: str, wrongs: Iterable[str], most: int) -> list[str]:
    """Return the first wrong attempts that end without an error and really are wrong."""
    failures: list[str] = []
    for wrong in wrongs:
        if len(failures) == most:
            break
        if wrong in failures:
            continue
        ended = attempt(domain, wrong)
        if ended.error is None and ended.answer and judge(domain, verify, ended) is False:
            failures.append(wrong)
    return failures


def _wrong_answers(solution: str, value: Any) -> list[str]:
    """Return the solution with other answers at its end."""
    others: list[Any] = []
    if isinstance(value, bool):
        others = [not value]
    elif isinstance(value, int):
        others = [value + 1, value - 1, 2 * value]
    elif isinstance(value, float):
        others = [round(value * 1.08, 2), float(int(value)), round(value + 1, 2)]
    elif isinstance(value, str):
        words = value.split()
        others = ["done", "I could not find out.", *([" ".join(words[:-1])] if words[1:] else [])]
    elif isinstance(value, list) and value:
        others = [value[::-1], value[:-1]]
    elif isinstance(value, dict) and value:
        others = [dict(list(value.items())[:-1]), dict.fromkeys(value, 1)]
    body = "".join(solution.splitlines(keepends=True)[:-1])  # all but the line with the answer
    return [f"{body}answer({other!r})\n" for other in others]
