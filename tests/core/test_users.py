"""The scripted user tells what it is asked, says nothing of its own, and always ends."""

import copy
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sca_envs
from sca_envs.core.errors import OptionError
from sca_envs.core.task import Fact, Request, Task, UserScript
from sca_envs.core.users import (
    Conversation,
    NoUser,
    ScriptedUser,
    Sentences,
    User,
    UserTurn,
    user_factory,
)

TASKS = [sca_envs.domain("tau_retail").tasks(s)[i] for s in ("train", "test") for i in range(60)]
SCRIPTS = [task.script for task in TASKS if task.script is not None]
CUES: dict[str, tuple[str, ...]] = {}
"""Fact -> the cues that generated customers have for it."""
for _script in SCRIPTS:
    for _fact in (*_script.facts, *(f for request in _script.requests for f in request.facts)):
        CUES[_fact.key] = max(CUES.get(_fact.key, ()), _fact.cues, key=len)

TEXTS = {
    "name": "I'm Ada Ito from 12345.",
    "email": "My e-mail is ada@example.com.",
    "order": "It is order #W1234567.",
    "reason": "I no longer need it.",
    "items": "The lamp.",
    "wish": "A green one.",
    "payment": "Use my gift card.",
    "address": "It should be 1 Elm Street.",
}
PHRASES = {
    "yes": "Yes.",
    "no": "No.",
    "next": "Next:",
    "thanks": "Thanks, bye.",
    "leave_it": "Leave it, then.",
    "unsure": "Again:",
    "give_up": "I give up.",
}


def request(opening: str, keys: str, given: str = "", output: str = "") -> Request:
    facts = tuple(
        Fact(key=key, cues=CUES[key], text=TEXTS[key], given=key in given.split())
        for key in keys.split()
    )
    ids = ("#W1234567", "gift_card_1111111", "1000000001", "1000000002")
    return Request(opening=opening, facts=facts, ids=ids, outputs=(output,) if output else ())


CANCEL = request("Cancel one of my orders.", "order reason")
SWAP = request("I want to exchange something.", "order items wish payment")
MOVED = request("Please change my address.", "address")
TRACK = request("Cancel it. Too late? Then I want the number.", "order", output="1147.02")
CARELESS = request("Cancel order #W1234567, I no longer need it.", "order reason", "order reason")


def script(*requests: Request) -> UserScript:
    identity = tuple(Fact(key=k, cues=CUES[k], text=TEXTS[k]) for k in ("name", "email"))
    pattern = r"#W\d{7}|\b(?:paypal|gift_card)_\d{7}\b|\b\d{10}\b"
    return UserScript(
        facts=identity, requests=requests, id_pattern=pattern, greeting="Hi.", phrases=PHRASES
    )


def talk(*requests: Request, told: str = "name email") -> Conversation:
    """Return a conversation in which the user has told some facts already."""
    user = Conversation(script(*requests))
    for key in told.split():
        user._told |= {(-1 if key in ("name", "email") else 0, key)}
    return user


def expected(wanted: Request, answer: str) -> str:
    """Return an answer in full: the keys of facts, or what the customer does."""
    full = {
        "yes": "Yes.",
        "no": f"No. {wanted.opening}",
        "again": f"Again: {wanted.opening}",
        "next": f"Next: {MOVED.opening}",
    }
    return full.get(answer) or " ".join(TEXTS[key] for key in answer.split())


ALL = "name email order reason items wish payment address"

# (request, facts told already, what agents write in their usual words -> the sensible answer)
SITUATIONS: list[tuple[Request, str, dict[str, str]]] = [
    (CANCEL, "", {
        "Sure! May I have your email address, or your full name and zip code?": "name email",
        "First I have to verify your identity, by your email or name and zip.": "name email",
        "Please provide one of:\n1. Your email address\n2. Or your name and zip": "name email",
        "Can you confirm your email address for me?": "email",
        "Hello! How can I help you today?": "again",
        "": "again",
    }),
    (CANCEL, "name email", {
        "I see three orders of yours. Which one would you like to cancel?": "order",
        "What is the order number, and why do you want to cancel it?": "order reason",
        "What's the reason: no longer needed, or ordered by mistake?": "reason",
        "I couldn't find that email. What are your name and zip code?": "name",
        "Thanks! Your identity has been verified. I'll look up your order.": "again",
        "I've successfully located your account. Let me check.": "again",
        "Thank you for verifying your identity. One moment please.": "again",
    }),
    (CANCEL, ALL, {
        "I'll cancel order #W1234567 and refund gift_card_1111111. Confirm (yes/no)?": "yes",
        "Order ID: #W1234567\n- Reason: no longer needed\n\nShall I go ahead?": "yes",
        "This cannot be undone. Do you want me to cancel order #W1234567?": "yes",
        "I cannot proceed without your confirmation. Do you confirm?": "yes",
        "Once cancelled you won't be able to change it. Would you like to proceed?": "yes",
        "I will cancel order #W7654321. Is that correct?": "no",
        "The refund goes to paypal_2222222. Do you confirm?": "no",
        "Which order? You have #W1234567 and #W7654321. Which would you like?": "order",
        "How would you like to proceed?": "again",
        "I'm processing the cancellation; it will be completed shortly.": "again",
        "Once it has been cancelled, the money is sent. Let me look it up.": "again",
        "Your order #W1234567 has been cancelled. Can I help with anything else?": "next",
        "Done! You'll get an email and a refund on your gift card. Anything else?": "next",
        "I\u2019ve cancelled your order.": "next",
        "I cancelled the order as you asked.": "next",
        "The cancellation was successful. Please allow 5 days for the refund.": "next",
        "Please let me know if you have any other questions.": "next",
        "I'm sorry, but order #W1234567 isn't pending, so I cannot cancel it.": "next",
        "I\u2019m afraid I can\u2019t do that.": "next",
        "I apologize, but our policy doesn't allow that.": "next",
        "Unfortunately it has been delivered. Do you want to return it instead?": "next",
    }),
    (SWAP, "name email order", {
        "It was delivered. Which items shall I exchange, for which options?": "items wish",
        "What would you like to exchange?": "items",
        "What would you like instead?": "wish",
        "There are:\n1. 1000000002: green\n2. 1000000003: blue\nWhich do you prefer?": "wish",
        "Should the difference of $3.10 go on your PayPal or a gift card?": "payment",
        "To complete the exchange, I need a payment method.": "payment",
        "I'd exchange it and charge your PayPal account. Do you confirm?": "payment",
    }),
    (SWAP, "order wish", {"Which items are it, and which option?": "items wish"}),
    (SWAP, ALL, {
        "Exchange 1000000001 for 1000000002 with gift_card_1111111. Is that right?": "yes",
        "You can do this only once. Is there any other item? If not, you confirm?": "yes",
        "Is there anything else you'd like to exchange before I proceed?": "again",
        "Your order has been delivered, so it is eligible. Let me check.": "again",
        "Which payment method would you like to use?": "payment",
        "The exchange was submitted, with the payment on your gift card. "
        "You'll get an email at your address. Can I help with anything else?": "next",
        "The exchange request has been processed.": "next",
    }),
    (CARELESS, "", {"Why cancel it?": "reason", "I'll cancel order #W1234567. Proceed?": "yes"}),
    (TRACK, ALL, {
        "Unfortunately I can't cancel it. Anything else?": "again",
        "It's too late. It costs $1,147.02. Is there anything else?": "next",
    }),
]  # fmt: skip
UTTERANCES = [
    (wanted, told, *pair) for wanted, told, answers in SITUATIONS for pair in answers.items()
]


@pytest.mark.parametrize(("wanted", "told", "message", "answer"), UTTERANCES)
def test_what_a_customer_answers(wanted: Request, told: str, message: str, answer: str) -> None:
    reply = talk(wanted, MOVED, told=told).respond(message)
    assert reply == UserTurn(expected(wanted, answer))


def test_a_whole_conversation() -> None:
    user = Conversation(script(CANCEL, SWAP, TRACK))
    assert user.opening == f"Hi. {CANCEL.opening}"
    for message, answer in [
        ("What are your name and zip code?", TEXTS["name"]),
        ("Which order do you mean, and why cancel it?", f"{TEXTS['order']} {TEXTS['reason']}"),
        ("I'll cancel #W1234567, because you no longer need it. Okay to proceed?", "Yes."),
        ("I have cancelled the order.", f"Next: {SWAP.opening}"),
        ("I cannot do that.", f"Next: {TRACK.opening}"),
        ("Which order?", TEXTS["order"]),
    ]:
        assert user.respond(message) == UserTurn(answer)
    assert user.respond("It was $1,147.02.") == UserTurn("Thanks, bye.", "user_stop")


@pytest.mark.parametrize("part", ["which ", "is this ", "has been ", "order #", ". ", "\n- ", "a"])
def test_a_long_message_takes_no_time(part: str) -> None:
    begin = time.thread_time()
    talk(CANCEL, told="").respond(part * (1_000_000 // len(part)))
    assert time.thread_time() - begin < 20


def said_by(user: Conversation, *messages: str) -> list[str]:
    return [user.respond(message).text for message in messages]


def test_who_insists_on_an_answer_gives_way_in_the_end() -> None:
    again, then = expected(TRACK, "again"), f"Next: {TRACK.opening}"
    refused = said_by(talk(TRACK, TRACK), *["I'm sorry, I can't do that."] * 4)
    assert refused == [again, then, again, "Leave it, then."]


def test_patience_ends() -> None:
    bored = said_by(talk(CANCEL, told=ALL), *["Lovely weather."] * 4)
    assert bored == [expected(CANCEL, "again")] * 3 + ["I give up."]
    asked = ["Do you confirm?"] * 3
    user = talk(CANCEL, MOVED, told=ALL)
    answered = said_by(user, *asked, "I have cancelled it.", *asked, *asked, "Do you confirm?")
    assert answered == ["Yes."] * 3 + [expected(CANCEL, "next")] + ["Yes."] * 6 + ["I give up."]


# Properties of generated scripts

_WORDS = (
    *("order", "order id", "reason", "why", "name", "zip", "email", "your account", "verify", "?"),
    *("which items", "payment", "gift card", "address", "instead", "details", "please", "confirm"),
    *("would you like", "proceed", "#W0000000", "1234567890", "cannot", "unfortunately", "undone"),
    *("once", "done.", "has been cancelled", "I have updated it.", "successful", "anything else?"),
    *(
        "before I proceed",
        "which one",
        "need",
        "\n- ",
        ". ",
        ": ",
        "! ",
        ",",
        "hello",
        "\u2019",
        "\n",
    ),
)
messages = st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join) | st.text(max_size=30)
scripts = st.sampled_from(SCRIPTS)


def facts_of(script: UserScript) -> list[Fact]:
    return [*script.facts, *(fact for request in script.requests for fact in request.facts)]


def bound(script: UserScript) -> int:
    """Return the most messages that a user with this script answers."""
    requests = len(script.requests)
    return len(facts_of(script)) + 3 * requests + requests + 3 + 1


def own_words(script: UserScript) -> re.Pattern[str]:
    """Return a pattern of all that can be said in the script's own strings."""
    said = {*script.phrases.values(), *(fact.text for fact in facts_of(script))}
    said |= {request.opening for request in script.requests}
    one = "|".join(re.escape(text) for text in sorted(said))
    return re.compile(f"(?:{one})(?: (?:{one}))*")


def answers(user: Any, said: list[str]) -> list[UserTurn]:
    """Return the answers to messages that repeat for ever, until the end or far too long."""
    turns: list[UserTurn] = []
    while len(turns) < 200 and not (turns and turns[-1].end):
        turns.append(user.respond(said[len(turns) % len(said)]))
    return turns


@given(scripts, st.lists(messages, min_size=1, max_size=8))
def test_conversations_end_in_the_users_own_words(script: UserScript, said: list[str]) -> None:
    pattern = own_words(script)
    turns = answers(Conversation(script), said)
    assert len(turns) <= bound(script)
    assert turns[-1].end == "user_stop"
    assert [turn.text for turn in turns if not pattern.fullmatch(turn.text)] == []
    assert turns[-1].text in script.phrases.values()


@pytest.mark.parametrize("message", [*_WORDS, *(message for _, _, message, _ in UTTERANCES)])
def test_one_message_for_ever_ends(message: str) -> None:
    for script in SCRIPTS:
        turns = answers(Conversation(script), [message])
        assert len(turns) <= bound(script)
        assert turns[-1].end == "user_stop"


@given(scripts, st.lists(messages, min_size=1, max_size=8))
def test_facts_are_told_only_when_asked(script: UserScript, said: list[str]) -> None:
    user = Conversation(script)
    openings = " ".join([*(r.opening for r in script.requests), *script.phrases.values()])
    for message in said:
        turn = user.respond(message)
        for fact in facts_of(script):
            if fact.text in turn.text and fact.text not in openings:
                cues = (*fact.cues, r"detail|which|what|specif|clarify")
                assert any(re.search(cue, message.lower()) for cue in cues)


@pytest.mark.parametrize("script", SCRIPTS[:40])
def test_generated_facts_can_be_asked_for(script: UserScript) -> None:
    questions = {
        "name": "What is your full name and your zip code?",
        "email": "What is your email address?",
        "no_email": "What is your email address?",
        "order": "What is the order number?",
        "reason": "What is the reason?",
        "items": "Which items do you mean?",
        "wish": "Which option would you like?",
        "payment": "Which payment method do you want?",
        "address": "What is the new address?",
    }
    for fact in (*script.facts, *script.requests[0].facts):
        assert fact.text in Conversation(script).respond(questions[fact.key]).text


# The user as an episode has it


PROSE = (
    "You are Ada. You live in Rome. You want a lamp! Is it in stock? If not, stop; "
    "You pay with a card. Be polite. (Never say so.) Ask twice. You have time."
)
PROSE_TASK = TASKS[0].model_copy(update={"script": None, "instruction": PROSE})


def test_prose_is_told_piece_by_piece() -> None:
    user = ScriptedUser()
    said = [user.reset(PROSE_TASK, 0)]
    turns = answers(user, ["Anything else?"])
    said += [turn.text for turn in turns[:-1]]
    assert " ".join(said) == PROSE
    assert 1 < len(said) <= 8
    assert turns[-1] == UserTurn("Thank you, that is all.", "user_stop")


@given(st.text(max_size=200) | st.just(PROSE), st.lists(messages, min_size=1, max_size=6))
def test_prose_ends_with_any_agent(prose: str, said: list[str]) -> None:
    turns = answers(Sentences(prose), said)
    assert len(turns) <= 8 + 3
    assert turns[-1].end == "user_stop"
    own = ("Yes, please go ahead.", "I have told you all I know; please use what you have.")
    assert all(turn.text in prose or turn.text in own for turn in turns[:-1])


@pytest.mark.parametrize("prose", [True, False])
@given(first=st.lists(messages, max_size=4), rest=st.lists(messages, min_size=1, max_size=4))
def test_a_copy_goes_its_own_way(prose: bool, first: list[str], rest: list[str]) -> None:
    def begin() -> ScriptedUser:
        user = ScriptedUser()
        user.reset(PROSE_TASK if prose else TASKS[1], 0)
        for message in first:
            user.respond(message)
        return user

    user = begin()
    copied = copy.deepcopy(user)
    answers(user, ["What are your name, email, order id and reason?", *rest])
    assert answers(copied, rest) == answers(begin(), rest)


def test_reset_begins_again() -> None:
    user = ScriptedUser()
    with pytest.raises(RuntimeError, match=r"reset\(task, seed\) before respond"):
        user.respond("Hello")
    opening = user.reset(TASKS[2], 0)
    turns = answers(user, ["What is your name?"])
    assert user.reset(TASKS[2], 1) == opening
    assert answers(user, ["What is your name?"]) == turns


class Parrot:
    def reset(self, task: Task, seed: int) -> str:
        return task.instruction

    def respond(self, message: str) -> UserTurn:
        return UserTurn(message)


def test_user_factory() -> None:
    parrot = Parrot()
    assert isinstance(parrot, User)
    assert isinstance(user_factory("none")(), NoUser)
    assert isinstance(user_factory("scripted")(), ScriptedUser)
    assert user_factory("scripted")() is not user_factory("scripted")()
    assert user_factory(parrot)() is parrot
    assert isinstance(user_factory(Parrot)(), Parrot)
    assert isinstance(user_factory(lambda: parrot)(), Parrot)
    nobody = NoUser()
    assert nobody.reset(TASKS[0], 0) == TASKS[0].instruction
    assert nobody.respond("Hi") == UserTurn("", "answered")


@pytest.mark.parametrize("user", ["nobody", "", None, 5, ["scripted"], object()])
def test_unknown_users_are_refused(user: Any) -> None:
    with pytest.raises(OptionError, match="'none' or 'scripted', or an object with methods"):
        user_factory(user)
