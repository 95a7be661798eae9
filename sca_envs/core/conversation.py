"""Conversations of a scripted user: what an agent's message means, and what to answer.

`Conversation` plays the script of a generated task, `Sentences` the prose of an original one. Both
work by key words, so they are deterministic and their limits can be read off the patterns.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sca_envs.core.patterns import ATTENTION, compile_pattern
from sca_envs.core.task import Fact, Request, UserScript


class UserTurn(NamedTuple):
    """What a user answers."""

    text: str
    """The words that the agent reads."""
    end: str | None = None
    """Why the conversation is over (``user_stop``, ``answered``, ``user_error``), or None."""


# What the agent's words mean, in lower case, sentence by sentence (see `_Gist`). The order in which
# they count is in `Conversation.respond`; an unknown wording costs patience and no more.
_SENTENCE = re.compile(r"(?<=[.!?])(?<!\d\.)\s+(?![-*•\d])|\n\s*(?![-*•\d])")
_ASKING = re.compile(
    r"\?|\bplease (?!note|allow|wait|hold|keep|be aware|bear)|\bkindly\b"
    r"|\b(provide|tell me|let me know|share|give me|need|confirm|specify|verify|require)\b"
)
_CONFIRMING = re.compile(
    r"\bconfirm|\bproceed|\byes\b|go ahead|shall i|should i|would you like|do you want"
    r"|(is|are|does|would) (that|this|it|these|everything)\b.*\b(ok|okay|correct|right|fine|good)"
    r"|are you sure|do you agree|want me to|like me to"
)
_CHOOSING = re.compile(
    r"\b(which|what|how|why|where|when)\b[^?]*(would you like|do you want|should i|shall i|proceed)"
)
_CLOSING = re.compile(
    r"(anything|something|what|how) (else|more)|(further|other|more) (help|assist|request|question)"
)
_REMINDING = re.compile(
    r"\bbefore (i|we) (?!end|close|finish)|\b(item|(like|want|wish|need) to (?!ask|discuss|know))"
)
_ACTS = (
    r"(?:cancell?ed|changed|modified|updated|exchanged|returned|refunded|requested|submitted"
    r"|switched|replaced|swapped|completed|initiated|moved|applied|set|redirected|placed|booked"
    r"|upgraded|added|removed|issued)"
)
_DONE = re.compile(
    rf"\b(?:has|have) (?:now |all |just |already )*been (?:now |all |just |successfully )*{_ACTS}\b"
    rf"|\b(?:is|are|was|were) (?:now |all |just |already |successfully )*{_ACTS}\b"
    rf"|\bi(?:'ve| have)? (?:now |just |already |also |successfully |gone ahead and )*{_ACTS}\b"
    r"|(?:return|refund|exchange|request|cancell?ation|change|update)s? (?:has|have|was|were|is)"
    r" (?:now |been |successfully )*processed|\bi(?:'ve| have)? (?:now |just )*processed\b"
    r"|\b(?:is|are|was|were|been) (?:now |all )*(?:successful|complete|done)\b|\bis now (?:on|in)\b"
    r"|^(?:all )?done\b|\ball (?:set|done)\b"
)
_NOT_YET = re.compile(r"\b(once|after|when|if|until|before|as soon as)\b")
_REFUSING = re.compile(
    r"\b(can't|cannot|can not|won't|unable|not able|not possible|impossible|not allowed"
    r"|not permitted|not eligible|ineligible|could not|couldn't|isn't possible"
    r"|(does not|doesn't|do not|don't) (allow|permit|support))\b"
)
_WARNING = re.compile(
    r"\b(undone|reversed|reverted|again|further|once|after (this|that)|until|unless|without)\b"
)
_SEARCHING = re.compile(
    r"(can't|cannot|can not|unable to|not able to|could not|couldn't) (find|locate|verify)\b"
)
_SORRY = re.compile(r"\b(sorry|unfortunately|afraid|apologi[sz]e|regret)\b")
_DETAILS = re.compile(r"\b(details?|more information|clarify|specif|elaborate|which|what)")


class _Gist(NamedTuple):
    """What a message of the agent amounts to."""

    question: str
    """The sentences that ask for something."""
    confirming: bool
    """Whether these want a yes or no."""
    done: bool
    """Whether something is reported done."""
    refusing: bool
    closing: bool
    """Whether the agent asks if there is more to do."""

    @classmethod
    def of(cls, text: str) -> _Gist:
        """Return the gist of a message in lower case.

        A reminder to name everything before a change is no closing question, a warning of what a
        change rules out is no refusal, and what will be done once something happens is not done.
        """
        sentences = _SENTENCE.split(text)
        more = [s for s in sentences if _CLOSING.search(s)]
        rest = [s for s in sentences if s not in more]
        done = any(
            found and "?" not in s and not _NOT_YET.search(s[: found.start()])
            for s in rest
            for found in [_DONE.search(s)]
        )
        question = "\n".join(s for s in rest if "?" in s or (not done and _ASKING.search(s)))
        confirming = bool(_CONFIRMING.search(question)) and not _CHOOSING.search(question)
        refusing = any(
            _REFUSING.search(s)
            and (_SORRY.search(s) or not _WARNING.search(s))
            and not _SEARCHING.search(s)
            for s in sentences
        )
        return cls(
            question=question,
            confirming=confirming,
            done=done,
            # "Unfortunately" alone may tell bad news and then ask to go on, or for something else.
            refusing=refusing
            or ("unfortunately" in text and ("instead" in question or not confirming)),
            closing=not all(_REMINDING.search(s) for s in more),
        )


_NUDGES = 3
"""How often in a conversation an agent may say something that leads nowhere."""
_CONFIRMATIONS = 3
"""How often it may ask for confirmation in one request before that leads nowhere, too."""


class Conversation:
    """Plays a `UserScript`.

    The user greets and raises the first request. It tells a fact when a question touches one of the
    fact's cues; says yes to a request for confirmation unless that names an id that has no part in
    the request; goes on to the next request when one is reported done or refused, or when what it
    asked for was said; and says goodbye after the last. Who waits for an answer insists on it once.
    A message that leads nowhere is answered by repeating the request, three times in all; then the
    user gives up. So no conversation is longer than its facts, requests and confirmations.

    Args:
        script: What the user knows, wants and says.
    """

    def __init__(self, script: UserScript) -> None:
        self.script = script
        self.opening = f"{script.greeting} {script.requests[0].opening}"
        self._request = 0
        self._told: set[tuple[int, str]] = set()
        self._confirmed = 0
        self._insisted = False
        self._nudges = 0

    def copy(self) -> Conversation:
        """Return an independent copy (it shares the script)."""
        copied = Conversation(self.script)
        copied.__dict__.update(self.__dict__, _told=set(self._told))
        return copied

    def respond(self, message: str) -> UserTurn:
        """Answer a message of the agent."""
        request = self.script.requests[self._request]
        plain = message.lower().replace(",", "")
        if request.outputs and all(output.lower() in plain for output in request.outputs):
            return self._next("thanks")
        message = message[-ATTENTION:]
        text = message.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        gist = _Gist.of(text)
        asked = self._asked(gist.question)
        if self._untold(asked):
            return self._tell(asked)
        if gist.refusing or gist.closing:
            return self._leave("leave_it" if gist.refusing and not gist.done else "thanks")
        if gist.confirming:
            # What the agent lists may be a guess, so facts that it touches come before a yes.
            guessed = [(owner, fact) for owner, fact in self._asked(text) if owner >= 0]
            if new := self._untold(guessed):
                return self._tell(new)
            return self._confirm(message, request)
        if gist.done:
            return self._leave("thanks")
        if asked:
            return self._tell(asked) if self._spend() else self._give_up()
        return self._nudge(bool(_DETAILS.search(gist.question)))

    def _facts(self) -> list[tuple[int, Fact]]:
        """Return what the user may tell now, with the request that it belongs to (-1: identity)."""
        request = self.script.requests[self._request]
        return [(-1, fact) for fact in self.script.facts] + [
            (self._request, fact) for fact in request.facts
        ]

    def _asked(self, text: str) -> list[tuple[int, Fact]]:
        return [
            (owner, fact)
            for owner, fact in self._facts()
            if any(compile_pattern(cue).search(text) for cue in fact.cues)
        ]

    def _untold(self, facts: list[tuple[int, Fact]]) -> list[tuple[int, Fact]]:
        return [
            (o, fact) for o, fact in facts if (o, fact.key) not in self._told and not fact.given
        ]

    def _tell(self, facts: list[tuple[int, Fact]]) -> UserTurn:
        self._told.update((owner, fact.key) for owner, fact in facts)
        return UserTurn(" ".join(fact.text for _, fact in facts))

    def _confirm(self, message: str, request: Request) -> UserTurn:
        self._confirmed += 1
        if self._confirmed > _CONFIRMATIONS and not self._spend():
            return self._give_up()
        named = {found.group().lower() for found in self._ids(message)}
        if named - {known.lower() for known in request.ids}:
            return UserTurn(f"{self.script.phrases['no']} {request.opening}")
        return UserTurn(self.script.phrases["yes"])

    def _ids(self, message: str) -> list[re.Match[str]]:
        return list(compile_pattern(self.script.id_pattern, re.IGNORECASE).finditer(message))

    def _leave(self, phrase: str) -> UserTurn:
        if self.script.requests[self._request].outputs and not self._insisted and self._spend():
            self._insisted = True
            return self._repeat()
        return self._next(phrase)

    def _next(self, phrase: str) -> UserTurn:
        phrases = self.script.phrases
        self._request += 1
        self._confirmed = 0
        self._insisted = False
        if self._request == len(self.script.requests):
            self._request -= 1
            return UserTurn(phrases[phrase], "user_stop")
        return UserTurn(f"{phrases['next']} {self.script.requests[self._request].opening}")

    def _nudge(self, wants_details: bool) -> UserTurn:
        if not self._spend():
            return self._give_up()
        untold = self._untold([(owner, fact) for owner, fact in self._facts() if owner >= 0])
        if wants_details and untold:
            return self._tell(untold[:1])
        return self._repeat()

    def _repeat(self) -> UserTurn:
        opening = self.script.requests[self._request].opening
        return UserTurn(f"{self.script.phrases['unsure']} {opening}")

    def _spend(self) -> bool:
        self._nudges += 1
        return self._nudges <= _NUDGES

    def _give_up(self) -> UserTurn:
        return UserTurn(self.script.phrases["give_up"], "user_stop")


_PIECES = 8
"""Most pieces that a prose instruction is disclosed in, so that a turn limit of 30 leaves room."""
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=[A-Z\"'(#])")


class Sentences:
    """Discloses a prose instruction sentence by sentence, one piece a message of the agent.

    Long instructions are cut into at most eight pieces. When all is told the user says yes to what
    it is asked, three times at most, and stops at the first message that asks nothing.

    Args:
        instruction: The prose.
    """

    def __init__(self, instruction: str) -> None:
        sentences = [s for s in _SENTENCE_END.split(instruction.strip()) if s]
        size = -(-len(sentences) // _PIECES) or 1
        self._pieces = [" ".join(sentences[i : i + size]) for i in range(0, len(sentences), size)]
        self.opening = self._pieces[0] if self._pieces else ""
        self._next_piece = 1
        self._questions = 0

    def copy(self) -> Sentences:
        """Return an independent copy."""
        copied = Sentences.__new__(Sentences)
        copied.__dict__.update(self.__dict__)
        return copied

    def respond(self, message: str) -> UserTurn:
        """Answer a message of the agent."""
        if self._next_piece < len(self._pieces):
            self._next_piece += 1
            return UserTurn(self._pieces[self._next_piece - 1])
        text = message[-ATTENTION:].lower()
        if "?" in text and not _CLOSING.search(text) and self._questions < _NUDGES:
            self._questions += 1
            if _CONFIRMING.search(text):
                return UserTurn("Yes, please go ahead.")
            return UserTurn("I have told you all I know; please use what you have.")
        return UserTurn("Thank you, that is all.", "user_stop")
