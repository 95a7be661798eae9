"""Regular expressions of tasks: what could take long is refused, the rest ends soon."""

from __future__ import annotations

import re
import time

import pytest

import sca_envs
from sca_envs.core.conversation import Conversation
from sca_envs.core.patterns import (
    ATTENTION,
    MAX_SCRIPT_STEPS,
    MAX_STEPS,
    _examine,
    check_patterns,
    compile_pattern,
)
from sca_envs.core.task import Fact, Request, UserScript

PHRASES = dict.fromkeys(("yes", "no", "next", "thanks", "leave_it", "unsure", "give_up"), "ok")

CATASTROPHIC = [
    r"(a+)+$",
    r"(.*)*x",
    r"(a|a)*b",
    r"(a|aa)+$",
    r"(\w+\s?)+:",
    r"([a-zA-Z]+)*$",
    r"(x+x+)+y",
    r"(.*?,){11}P",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r".*.*.*=x",
    r"\s+$",
    r".*a.*b.*c.*d",
    r"(?=.*a)(?=.*b)(?=.*c)x",
    r"(?:a?){40}a{40}",
    r"(?:\b[a-z]*\b.){0,30}c",
    r"\b\w*\b\w*\b\w*!",
    r"(?=\b\w*\w*!)",
    r"x*",
    r"[^ ]*z",
    r"(a)\1",
    r"(?P<n>a+)(?P=n)",
    r"(a)?(?(1)b|c)",
    r"a++b",
    r"(?>a+)b",
    r"a{1,100000}",
    r"(?:a{1,1000}){1,1000}",
    r"(?:(?:a{0,30}){0,30}){0,30}",
    r"(?:){4000}",
    r"(?:\b){100000}",
    r"(?i:a)",
    r"(?-i:a)",
    r"(?<!a|bb)c",
    "|".join(f"(?:{chr(97 + i)}{{0,30}}){{0,3}}" for i in range(20)),
    "[\0-\U0010ffff]",
    "[\0-\uffff]" * 20,
    "(" * 400 + ")" * 400,
    "(?:" * 60 + "a" + ")" * 60,
    "a" * 1001,
    "a{99999999999}",
    "a{4294967296}",
    "(",
    "*",
    r"\c",
    "[[a]",
    "[a",
    "(?P<1>a)",
    "(?L)a",
    "\\",
]


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_what_could_take_long_is_refused(pattern: str) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match=r"expected|could take too long") as caught:
        compile_pattern(pattern)
    assert len(str(caught.value)) < 400
    with pytest.raises(ValueError, match=r"expected|could take too long"):
        Conversation(script(cues=(), id_pattern=pattern))
    with pytest.raises(ValueError, match=r"expected|could take too long"):
        script(cues=(pattern,))
    assert time.process_time() - start < 2


def script(cues: tuple[str, ...], id_pattern: str = r"(?!)") -> UserScript:
    fact = Fact(key="k", cues=cues, text="t")
    return UserScript(
        facts=(fact,),
        requests=(Request(opening="o"),),
        id_pattern=id_pattern,
        greeting="g",
        phrases=PHRASES,
    )


# The slowest of some 10,000 random patterns that are accepted, and what a person would write.
COSTLY = [
    r"(?:(?:[^x][^x]){0,20}(?:\wa){0,3}b)?",
    r"[ab]{0,240}?[cd]",
    r"[ab]{0,15}[ab]{0,11}[cd]",
    r"(?:[ab](?=a)){0,95}[cd]",
    r"[ab]{300}[a-z]x\b",
    r"(?:(?:(?=a)|[^x])(?:.(?!b))?[a-z]){0,2}\d",
    r"\b(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{6}\b",
    r"\b[a-z]*\d",
    r"\b\w+(?:@|\s?at\s?)",
    "(?:" + "|".join(f"a{chr(0x100 + i)}" for i in range(100)) + ")",
]
TEXTS = ["a", "ab", "a ", "aaaa ", "a1", "b", "a" * 399 + " ", "\u0130", "1a ", "é"]


@pytest.mark.parametrize("pattern", COSTLY)
def test_what_is_accepted_ends_soon(pattern: str) -> None:
    compiled = compile_pattern(pattern, re.IGNORECASE)
    for text in TEXTS:
        long = (text * ATTENTION)[:ATTENTION].lower()
        start = time.process_time()
        list(compiled.finditer(long))
        assert time.process_time() - start < 2  # some 0.05 s


def test_a_megabyte_of_the_agents_is_read_soon() -> None:
    conversation = Conversation(script((COSTLY[0], COSTLY[1]), id_pattern=COSTLY[2]))
    for text in (*TEXTS, "? ", ". ", "\n", "would you like ", "is this ", "which "):
        start = time.process_time()
        conversation.copy().respond(text * (1_000_000 // len(text)))
        assert time.process_time() - start < 5


def test_a_script_has_a_limit_of_its_own() -> None:
    one = r"[ab]{0,200}[cd]"
    number = MAX_SCRIPT_STEPS // _examine(one)
    check_patterns([one] * number)
    with pytest.raises(ValueError, match=f"{MAX_SCRIPT_STEPS} steps at most in a script"):
        check_patterns([one] * (number + 1))


@pytest.mark.parametrize("name", ["tau_retail", "tau_airline"])
def test_our_own_patterns_are_accepted_and_mean_what_they_did(name: str) -> None:
    """A generated task's patterns go through the same gate, and match as `re` does."""
    domain = sca_envs.domain(name)
    texts = ["could you give me your order id #W1234567, or e-mail?", "EHGLP3 why? which cabin"]
    for index in range(60):
        task = domain.tasks("train")[index]
        assert task.script is not None
        facts = [*task.script.facts, *(f for one in task.script.requests for f in one.facts)]
        for pattern in {task.script.id_pattern, *(cue for fact in facts for cue in fact.cues)}:
            assert _examine(pattern) <= MAX_STEPS
            for text in texts:
                assert bool(compile_pattern(pattern).search(text)) == bool(re.search(pattern, text))
