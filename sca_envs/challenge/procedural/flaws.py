"""Flaws to plant in good tasks, one function each, so that gates can be measured.

Every flaw is there by construction: whatever the task is about, running it shows the flaw. A
function returns None where a task cannot have the flaw, such as `ignores_amount` where nothing is
a number.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from sca_envs.challenge.procedural.draft import FEWEST_FAILURES
from sca_envs.challenge.procedural.trial import Attempt, answer_text, attempt, changes, judge
from sca_envs.challenge.task import CodeAsTask
from sca_envs.core.domain import Domain

FLAWS: tuple[str, ...] = (
    "already_satisfied",
    "impossible",
    "always_true",
    "ignores_amount",
    "answer_only",
    "float_equality",
    "time_dependent",
    "raises",
    "writes_state",
    "leaks_solution",
    "failure_is_right",
    "near_copy",
    "too_few_failures",
    "syntax_error",
)
"""The kinds of flaws.

| kind | what is wrong |
|---|---|
| `already_satisfied` | `verify` is true of the untouched state with an empty answer |
| `impossible` | no attempt can satisfy `verify` |
| `always_true` | `verify` is true of whatever is done |
| `ignores_amount` | `verify` takes any number for the right one |
| `answer_only` | `verify` does not look at the state, though the task changes it |
| `float_equality` | `verify` compares an amount with `==`, noise in the last digit included |
| `time_dependent` | `verify` depends on the clock |
| `raises` | `verify` raises on what the solution leaves |
| `writes_state` | `verify` makes the change itself before it looks |
| `leaks_solution` | the instruction has the solution's calls in it |
| `failure_is_right` | a failure case is right |
| `near_copy` | the task of an earlier seed in hardly other words |
| `too_few_failures` | fewer failure cases than a task needs |
| `syntax_error` | a source does not parse |
"""

Flaw = Callable[[CodeAsTask, Domain, random.Random], CodeAsTask | None]
"""Plants a flaw: (good task, its domain, random generator) -> flawed task, or None."""

_CLOCK_MINUTE = "2024-05-15 15:00"
"""What the sandbox's clock shows by default, to the minute (UTC)."""


def plant(
    kind: str,
    task: CodeAsTask,
    domain: Domain,
    rng: random.Random,
    earlier: CodeAsTask | None = None,
) -> CodeAsTask | None:
    """Return a task with a flaw, recorded in its provenance and nowhere else.

    Args:
        kind: One of `FLAWS`.
        task: A good task.
        domain: The domain that it is of.
        rng: Draws how the flaw looks.
        earlier: A good task of an earlier seed; needed for ``near_copy`` only.

    Returns:
        The flawed task, or None if this task cannot have the flaw.
    """
    if kind == "near_copy":
        flawed = None if earlier is None else near_copy(task, earlier, rng)
    else:
        flawed = _PLANTERS[kind](task, domain, rng)
    if flawed is None:
        return None
    provenance = task.provenance.model_copy(update={"flaw": kind})
    return flawed.model_copy(update={"provenance": provenance})


def _verify(task: CodeAsTask, source: str) -> CodeAsTask:
    return task.model_copy(update={"verify": source})


def _wrapped(task: CodeAsTask, *body: str) -> CodeAsTask:
    """Return the task with another `verify`, in which the good one is called ``fulfilled``."""
    good = task.verify.replace("def verify(answer):", "def fulfilled(answer):")
    lines = "\n".join(f"    {line}" for line in body)
    return _verify(task, f"{good}\n\ndef verify(answer):\n{lines}\n")


def already_satisfied(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask:
    """Let `verify` be content with nothing, too."""
    guard = rng.choice(("not answer and not changes()", "not call_log() and not answer.strip()"))
    return _wrapped(task, f"if {guard}:", "    return True", "return fulfilled(answer)")


def impossible(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask:
    """Let `verify` want what excludes itself."""
    second = rng.choice(("answer == ''", "len(answer) > 10**6", "not answer.strip()"))
    return _wrapped(task, f"return fulfilled(answer) and {second}")


def always_true(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask:
    """Let `verify` be content with everything."""
    if rng.random() < 0.5:
        return _verify(task, "def verify(answer):\n    return True\n")
    return _wrapped(task, "checked = fulfilled(answer)", "return checked or not checked")


def ignores_amount(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask | None:
    """Let `verify` take any number where the right one was wanted."""
    loose = task.verify.replace("<= HALF_A_CENT", "< float('inf')")
    loose = re.sub(r"return number\(answer\) == .*", "return number(answer) is not None", loose)
    flawed = _verify(task, loose)
    ended = attempt(domain, task.solution)
    other = _with_answer(ended, _shifted(ended.value))
    if other is None or judge(domain, loose, other) is not True:
        return None
    return flawed


def _shifted(value: Any) -> Any:
    """Return an answer with other numbers; None if it has none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(value * 3 + 17.5, 2)
    if isinstance(value, list):
        moved = [one if (new := _shifted(one)) is None else new for one in value]
        return moved if moved != value else None
    return None


def _with_answer(ended: Attempt, value: Any) -> Attempt | None:
    if value is None:
        return None
    return Attempt(ended.database, value, answer_text(value), ended.calls)


def answer_only(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask | None:
    """Let `verify` look at nothing but the answer, though the task is to change something."""
    head, mark, body = task.verify.partition("def verify(answer):\n")
    flawed = f"{head}{mark}{body.splitlines()[-1]}\n"
    ended = attempt(domain, task.solution)
    only = Attempt(domain.database(), ended.value, ended.answer)
    if judge(domain, flawed, only) is not True or judge(domain, task.verify, only) is not False:
        return None
    return _verify(task, flawed)


def float_equality(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask | None:
    """Compare an amount in the answer with a sum that has noise in its last digit."""
    right = attempt(domain, task.solution).value
    if not isinstance(right, float):
        return None
    for _ in range(60):
        part = round(right * rng.uniform(0.1, 0.9), 2)
        rest = round(right - part, 2)
        if part + rest != right:
            break
    else:
        return None
    head, mark, body = task.verify.partition("def verify(answer):\n")
    *lines, _ = body.splitlines()
    lines.append(f"    return number(answer) == {part!r} + {rest!r}")
    return _verify(task, head + mark + "\n".join(lines) + "\n")


def time_dependent(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask:
    """Let `verify` hold only at the minute that the sandbox shows at present."""
    shown = f'time.strftime("%Y-%m-%d %H:%M", time.gmtime()) == {_CLOCK_MINUTE!r}'
    second = rng.choice(
        (shown, "int(time.time()) // 60 == 28596420", f"{shown} or time.time() < 0")
    )
    good = _wrapped(task, f"return fulfilled(answer) and ({second})")
    return _verify(good, f"import time\n\n\n{good.verify}")


def raises(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask:
    """Look for something that is not there, whenever the rest is right."""
    broken = rng.choice(
        (
            'changes()[-1]["path"].index("confirmation")',
            'next(call for call in call_log() if call["name"] == "confirm")',
            '{"ok": True}["confirmed"]',
            "int(answer + '!')",
        )
    )
    return _wrapped(
        task,
        "if not fulfilled(answer):",
        "    return False",
        f"detail = {broken}",
        "return detail is not None",
    )


def writes_state(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask | None:
    """Let `verify` make the change itself, before it looks at the records."""
    ended = attempt(domain, task.solution)
    written = list(_writing_calls(domain, ended))
    if not written or not changes(domain, ended):
        return None
    head, mark, body = task.verify.partition("def verify(answer):\n")
    lines = []
    for call in written:
        given = ", ".join(f"{name}={value!r}" for name, value in call["arguments"].items())
        lines += [
            "    try:",
            f"        {call['name']}({given})",
            "    except Exception:",
            "        pass  # it was done already",
        ]
    return _verify(task, head + mark + "\n".join(lines) + "\n" + body)


def _writing_calls(domain: Domain, ended: Attempt) -> Iterator[dict[str, Any]]:
    """Yield the calls of an attempt that changed the world."""
    database = domain.database()
    for call in ended.calls:
        before = database.snapshot()
        domain.call(database, call["name"], call["arguments"])
        if domain.changes(database, before):
            yield call


def leaks_solution(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask:
    """Put the solution's calls into the instruction."""
    calls = "; ".join(
        "{}({})".format(
            call["name"], ", ".join(f"{key}={value!r}" for key, value in call["arguments"].items())
        )
        for call in attempt(domain, task.solution).calls
    )
    told = rng.choice(
        (
            f"Hint: {calls}.",
            f"You can do it like this: {calls}",
            f"This is the code:\n```python\n{task.solution}```",
        )
    )
    return task.model_copy(update={"instruction": f"{task.instruction} {told}"})


def failure_is_right(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask:
    """Put an attempt among the failure cases that is right, though it looks different."""
    disguise = rng.choice(
        (
            f"attempts = 1\n{task.solution}",
            f"# the wrong record\n{task.solution}",
            re.sub(r"\b(order|trip|step_1|user)\b(?=\s*=[^=]|\[)", r"\1", task.solution)
            + "# done\n",
        )
    )
    failures = list(task.failures)
    failures[rng.randrange(len(failures))] = disguise
    return task.model_copy(update={"failures": tuple(failures)})


def near_copy(task: CodeAsTask, earlier: CodeAsTask, rng: random.Random) -> CodeAsTask:
    """Return an earlier task in hardly other words."""
    said = earlier.instruction
    instruction = rng.choice((f"{said} Thanks.", f"Hello again. {said}", f"{said} Please."))
    return earlier.model_copy(update={"id": task.id, "instruction": instruction})


def too_few_failures(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask:
    """Leave too few failure cases."""
    kept = rng.randrange(FEWEST_FAILURES)
    return task.model_copy(update={"failures": task.failures[:kept]})


def syntax_error(task: CodeAsTask, domain: Domain, rng: random.Random) -> CodeAsTask:
    """Break the syntax of `verify`, of the solution or of a failure case."""
    where = rng.choice(("verify", "solution", "failures"))
    if where == "verify":
        return _verify(task, task.verify.replace("def verify(answer):", "def verify(answer)"))
    if where == "solution":
        return task.model_copy(update={"solution": task.solution.rstrip().removesuffix(")")})
    broken = task.failures[0].rstrip().removesuffix(")")
    return task.model_copy(update={"failures": (broken, *task.failures[1:])})


_PLANTERS: dict[str, Flaw] = {
    "already_satisfied": already_satisfied,
    "impossible": impossible,
    "always_true": always_true,
    "ignores_amount": ignores_amount,
    "answer_only": answer_only,
    "float_equality": float_equality,
    "time_dependent": time_dependent,
    "raises": raises,
    "writes_state": writes_state,
    "leaks_solution": leaks_solution,
    "failure_is_right": failure_is_right,
    "too_few_failures": too_few_failures,
    "syntax_error": syntax_error,
}
