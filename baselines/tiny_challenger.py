"""Challengers for the tiny world: one in code, and a language model of half a million parameters.

Both write whole Code-as-Tasks for the questions of `tiny`, and both know only those to train on.
The one in code plants flaws of known kinds, so that each gate has something to do. The model
imitates its submissions and samples others, through the same workshop as a large one: it looks at
a number that a tool gives, and submits. Much of what it samples is wrong, which is for the gates to
find.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from baselines import tiny
from sca_envs import CodeAsTask, Domain, Task, Usage
from sca_envs.agents import Completion, HFAgent, Message, TranscriptEncoder

CONTEXT = 512
"""Tokens that the model can read and write in an episode."""
_ASKED = "Make a task."

Parts = dict[str, Any]
"""Fields of a task that are text: instruction, verify, solution, failures."""


class TinyChallenger:
    """Writes a question to train on as a Code-as-Task.

    Args:
        domain: The trade calculator.
        flaw_rate: Share of the candidates that get a flaw, from 0 to 1.
    """

    def __init__(self, domain: Domain, flaw_rate: float = 0.3) -> None:
        self.domain = domain
        self.flaw_rate = flaw_rate
        self._tasks = tiny.tiny_tasks("train")

    def propose(self, seed: int) -> CodeAsTask:
        """Return the task of a seed; the same question comes again and again."""
        rng = random.Random(f"tiny challenger {seed}")
        task = self._tasks[rng.randrange(len(self._tasks))]
        parts = write(task, self.domain)
        flaw = rng.choice([*FLAWS]) if rng.random() < self.flaw_rate else None
        if flaw is not None:
            parts |= FLAWS[flaw](parts, task)
        return CodeAsTask.model_validate(
            {
                "id": f"tiny-{seed}",
                "domain": self.domain.name,
                "data": {"name": self.domain.data, "digest": self.domain.base.digest()},
                "provenance": {"challenger": "tiny", "seed": seed, "flaw": flaw},
                **parts,
            }
        )


def write(task: Task, domain: Domain) -> Parts:
    """Return the parts of a question without a flaw.

    Args:
        task: A question that one tool call answers.
        domain: The tools.
    """
    name, numbers = _call(task, domain)
    wrong = [[numbers[0] + 1, *numbers[1:]], [*numbers[:-1], numbers[-1] + 1]]
    return {
        "instruction": task.instruction,
        "verify": _verify(f"abs(float(answer) - {_result(task)}) < 0.005"),
        "solution": f"answer({_code(name, numbers)})",
        "failures": [f"answer({_code(name, others)})" for others in wrong] + ["answer(0)"],
    }


def _call(task: Task, domain: Domain) -> tuple[str, list[Any]]:
    """Return the tool of a question and its arguments in order."""
    action = task.actions[0]
    names = domain.tools[action.name].parameters["properties"]
    return action.name, [action.arguments[name] for name in names if name in action.arguments]


def _code(name: str, arguments: list[Any]) -> str:
    return f"{name}({', '.join(map(repr, arguments))})"


def _result(task: Task) -> str:
    assert task.expected is not None
    return task.expected.text


def _verify(condition: str) -> str:
    lines = ["def verify(answer):", "    try:", f"        return {condition}"]
    return "\n".join([*lines, "    except ValueError:", "        return False"])


FLAWS: dict[str, Callable[[Parts, Task], Parts]] = {
    "too few failures": lambda parts, task: {"failures": parts["failures"][:2]},
    "asks the clock": lambda parts, task: {"verify": f"import time\n{parts['verify']}"},
    "names the tool": lambda parts, task: {
        "instruction": f"{parts['instruction']} Use {task.actions[0].name}."
    },
    "always true": lambda parts, task: {"verify": "def verify(answer):\n    return True"},
    "wrong result": lambda parts, task: {
        "verify": _verify(f"abs(float(answer) - {float(_result(task)) + 1:g}) < 0.005")
    },
    "right failure": lambda parts, task: {
        "failures": [*parts["failures"][:2], f"answer({_result(task)})"]
    },
    "any number": lambda parts, task: {
        "verify": _verify("float(answer) > 0"),
        "failures": ["answer(0)", "answer(-1)", "answer('unknown')"],
    },
}
"""Kind of flaw -> the parts that it changes; they are for different gates."""


# The model


class Author(HFAgent):
    """Reads nothing of the workshop's long introduction: it knows one kind of task by heart."""

    def opening(self, observation: str, info: dict[str, Any]) -> tuple[list[Message], None]:
        """Return what it is asked."""
        return [{"role": "user", "content": _ASKED}], None


def demonstrate(domain: Domain, number: int, flaw_rate: float, seed: int) -> list[list[str]]:
    """Return episodes of making a task: opening, a look at a tool's result, the submission.

    Args:
        domain: The trade calculator.
        number: How many.
        flaw_rate: Share of submissions with a flaw.
        seed: Fixes them.
    """
    challenger = TinyChallenger(domain, flaw_rate)
    tasks = {task.instruction: task for task in tiny.tiny_tasks("train")}
    made = []
    for index in range(number):
        found = challenger.propose(seed * number + index)
        task = tasks[found.instruction.partition(" Use ")[0]]
        action = task.actions[0]
        call = {"name": action.name, "arguments": action.arguments}
        shown = domain.call(domain.database(), action.name, dict(action.arguments))
        fields = {name: getattr(found, name) for name in ("instruction", "verify", "solution")}
        submission = {"name": "submit_task", "arguments": fields | {"failures": found.failures}}
        said = json.dumps(call), f"Result of {action.name}:\n{shown}", json.dumps(submission)
        made.append([_ASKED, *said])
    return made


def author_tokenizer(demonstrations: list[list[str]]) -> Any:
    """Return a tokeniser whose pieces are whole numbers and whatever stands between two of them.

    So a submission, of 600 characters, has about 60 tokens.
    """
    texts = (text for parts in demonstrations for text in parts)
    return tiny.train_tokenizer(texts, r"\d+|\D+", 4000)


def train_author(
    domain: Domain,
    seed: int,
    *,
    demonstrations: int = 1000,
    flaw_rate: float = 0.5,
    steps: int = 300,
) -> tuple[Any, Any]:
    """Return a model that has imitated submissions, and its tokeniser.

    Args:
        domain: The trade calculator.
        seed: Fixes weights, demonstrations and order.
        demonstrations: How many.
        flaw_rate: Share of them with a flaw.
        steps: Steps of training.
    """
    shown = demonstrate(domain, demonstrations, flaw_rate, seed)
    tokenizer = author_tokenizer(shown)
    model = tiny.tiny_model(tokenizer, seed, hidden=64)
    encoder = TranscriptEncoder(tokenizer, tiny.TEMPLATE)
    tiny.imitate(model, tiny.encode(encoder, shown), steps, seed)
    return model, tokenizer


class TinyJudge:
    """A chat model's part for the tiny world, which has no model that could read a transcript.

    It takes an episode for a success if the answer is what a tool said last. So it cannot tell
    whether that was the right tool, as a judge often cannot that has only an instruction.
    """

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[dict[str, Any]] | None = None,
        seed: int | None = None,
    ) -> Completion:
        """Return the verdict on the episode in the newest message."""
        text = str(messages[-1]["content"])
        shown = re.findall(r"^(?!Agent:)\w+: (.+)$", text, re.MULTILINE)
        answers = re.findall(r'^Agent: .*"answer".*"content": "([^"]*)"', text, re.MULTILINE)
        right = bool(shown and answers) and answers[-1] == shown[-1]
        return Completion(f"Verdict: {'success' if right else 'failure'}", (), Usage())
