"""Checks of scripted users: everything that they know and want comes out when they are asked."""

from __future__ import annotations

from collections.abc import Iterator

from sca_envs.bench.conformance.documents import placeholders
from sca_envs.bench.conformance.report import Finding
from sca_envs.bench.conformance.sample import Sample, plain, task_name
from sca_envs.bench.conformance.tasks import needs
from sca_envs.core.conversation import Conversation
from sca_envs.core.database import canonical_json
from sca_envs.core.patterns import compile_pattern
from sca_envs.core.task import Fact, Request, Task

_QUESTIONS = (
    "Could you please verify your identity?",
    "Who are you? Could you tell me your name?",
    "What is your e-mail address?",
    "What is your id?",
    "What exactly would you like?",
    "Why would you like that? What is the reason?",
    "Which one is it?",
    "When should that be?",
    "Where should it go?",
    "How many are there?",
    "How would you like to pay?",
)
"""What any agent might ask."""


def check_facts(sample: Sample) -> Iterator[Finding]:
    """Every fact and request of a script comes out when the user is asked with plain questions."""
    for task in sample.scripted_tasks():
        yield from _texts(task)
        for number, conversation in enumerate(_stages(task)):
            if conversation is None:
                yield Finding(
                    f"{task_name(task)}, request {number + 1}",
                    f"the user to raise it after request {number} is reported done",
                    "another answer, or the end",
                    "give request and outputs different words",
                )
                break
            answers = _answers(sample, task, conversation, number)
            for owner, fact in _facts(task, number):
                if not fact.given and not _comes_out(fact, answers):
                    yield Finding(
                        f"{task_name(task)}, {owner}, fact {fact.key!r}",
                        f"the user to tell it when asked, {question(fact.key)!r} for instance",
                        f"none of it; its cues are {', '.join(map(repr, fact.cues)) or 'none'}",
                        "give it cues that match plain questions in lower case",
                    )


def check_identity(sample: Sample) -> Iterator[Finding]:
    """Who the user is can be learned by asking: what the first lookup takes."""
    shown = plain(f"{sample.domain.policy} {canonical_json(list(sample.domain.schemas))}")
    for task in sample.scripted_tasks():
        first = next((c for c in _stages(task) if c is not None), None)
        if first is None:
            continue
        answers = _answers(sample, task, first, 0).values()
        told = plain(" ".join([first.opening, *answers]))
        for value in needs(sample, task, shown, calls=1):
            if plain(value) not in told:
                yield Finding(
                    task_name(task),
                    f"the user to tell {value!r}, which the first lookup of the reference solution "
                    "takes, when asked who they are",
                    "nothing of it",
                    "add a Fact to `script.facts`, with cues such as r'e-?mail' and r'verif'",
                )
                break


def question(key: str) -> str:
    """Return a plain question for something by its name."""
    return f"Could you tell me the {key.replace('_', ' ')}, please?"


def _answers(sample: Sample, task: Task, conversation: Conversation, number: int) -> dict[str, str]:
    """Return what the user says to each of many questions, each the first one of the request."""
    keys = [fact.key for _, fact in _facts(task, number)]
    questions = [*map(question, keys), *sample.once(_questions)]
    return {asked: conversation.copy().respond(asked).text for asked in questions}


def _comes_out(fact: Fact, answers: dict[str, str]) -> bool:
    """Return whether a question for the fact, not just one for any details, makes the user tell."""
    patterns = [compile_pattern(cue) for cue in fact.cues]
    return any(
        fact.text in answer and any(pattern.search(asked.lower()) for pattern in patterns)
        for asked, answer in answers.items()
    )


def _questions(sample: Sample) -> list[str]:
    """Return questions for what any tool takes."""
    names: dict[str, str] = {}
    for tool in sample.domain.tools.values():
        for name, schema in tool.parameters["properties"].items():
            names.setdefault(name, str(schema.get("description", "")))
    described = [f"Could you tell me: {text.rstrip('.')}?" for text in names.values() if text]
    return [*_QUESTIONS, *map(question, names), *described]


def _stages(task: Task) -> Iterator[Conversation | None]:
    """Yield the conversation as each request is raised; None, at the end, for one that is not."""
    assert task.script is not None
    conversation = Conversation(task.script)
    yield conversation
    for done, new in zip(task.script.requests, task.script.requests[1:], strict=False):
        conversation = conversation.copy()
        turn = conversation.respond(" ".join(["Everything has been done.", *done.outputs]))
        if new.opening not in turn.text or turn.end is not None:
            yield None
            return
        yield conversation


def _facts(task: Task, number: int) -> list[tuple[str, Fact]]:
    """Return what the user can tell in one request, with what it belongs to."""
    assert task.script is not None
    own = [(f"request {number + 1}", fact) for fact in task.script.requests[number].facts]
    return own if number else [*(("user", fact) for fact in task.script.facts), *own]


def _texts(task: Task) -> Iterator[Finding]:
    """Look for texts that are empty or unfinished."""
    assert task.script is not None
    script = task.script
    texts = {"greeting": script.greeting}
    texts |= {f"phrase {name!r}": text for name, text in script.phrases.items()}
    for number, request in enumerate(script.requests, 1):
        texts |= {f"request {number}, {name}": text for name, text in _request_texts(request)}
    texts |= {f"fact {fact.key!r}": fact.text for fact in script.facts}
    for name, text in texts.items():
        yield from placeholders(f"{task_name(task)}, {name}", text)
        if not text.strip():
            yield Finding(
                f"{task_name(task)}, {name}", "words of the user", "an empty text", "write some"
            )
    heard = [output for request in script.requests for output in request.outputs]
    if sorted(heard) != sorted(task.outputs):
        yield Finding(
            f"{task_name(task)}, outputs",
            f"those that the user waits for ({', '.join(heard) or 'none'})",
            ", ".join(task.outputs) or "none",
            "give `Request.outputs` and `Task.outputs` the same texts",
        )


def _request_texts(request: Request) -> Iterator[tuple[str, str]]:
    yield "opening", request.opening
    for fact in request.facts:
        yield f"fact {fact.key!r}", fact.text
