"""What the tasks of the generated message decoder are about."""

from __future__ import annotations

from collections.abc import Sequence

from sca_envs.core.wishes import DeadEnd, Term, derive, enumerate_words
from sca_envs.domains.m3.plans import Kinds, Plan, Question, add_up
from sca_envs.domains.message_decoder.words import WORDS

Layers = tuple[tuple[str, int], ...]
"""How a message was hidden, step by step: (``hex``, ``reverse`` or ``caesar``, shift)."""


def decode(plan: Plan) -> Question:
    """Undo some steps."""
    layers = _draw_layers(plan, plan.size(1, 6))
    hidden = _hide(_draw_message(plan, plan.rng.randint(1, 4)), layers)
    text = plan.say("text", steps=_describe(layers), hidden=hidden)
    return Question(text, _uncover(plan, hidden, layers), ("decode", hidden, layers))


def count_letters(plan: Plan) -> Question:
    """Find the length of a message, or of two together."""
    count = plan.rng.choice((1, 1, 2))
    layers = _draw_layers(plan, plan.rng.randint(1, 5 if count == 1 else 2))
    hidden = _draw_hidden(plan, [plan.rng.randint(2, 6) for _ in range(count)], layers)
    text = plan.say("one" if count == 1 else "two", steps=_describe(layers), hidden=_quote(hidden))
    lengths = [plan.call("string_length", _uncover(plan, code, layers)) for code in hidden]
    return Question(text, add_up(lengths), ("length", *sorted(hidden), layers))


def length_of_extreme(plan: Plan) -> Question:
    """Find the length of the shortest or longest of several messages."""
    count, number = plan.rng.choice(((3, 1), (2, 2), (2, 1)))
    layers = _draw_layers(plan, number)
    hidden = _draw_hidden(plan, [plan.rng.randint(2, 6) for _ in range(count)], layers)
    tool, extreme = plan.pick((("minimum_value", "shortest"), ("maximum_value", "longest")))
    text = plan.say("text", steps=_describe(layers), hidden=_quote(hidden), extreme=extreme)
    lengths = [plan.call("string_length", _uncover(plan, code, layers)) for code in hidden]
    return Question(text, plan.call(tool, *lengths), (extreme, *sorted(hidden), layers))


def extreme_number(plan: Plan) -> Question:
    """Find the smallest or largest of several numbers that were written in hexadecimal digits."""
    numbers = [plan.rng.randint(100, 99_999) for _ in range(plan.size(3, 7, besides=1))]
    hidden = [str(number).encode().hex() for number in numbers]
    tool, extreme = plan.pick((("minimum_value", "smallest"), ("maximum_value", "largest")))
    text = plan.say("text", hidden=_quote(hidden), extreme=extreme)
    texts = [plan.call("convert_hex_to_ascii", code) for code in hidden]
    values = [derive(int(text.value), "int({0})", text) for text in texts]
    return Question(text, plan.call(tool, *values), (extreme, *sorted(hidden)))


def extreme_word(plan: Plan) -> Question:
    """Find the word that comes first or last in the alphabet."""
    layers = _draw_layers(plan, plan.rng.choice((1, 2)))
    words = plan.rng.sample(WORDS, plan.size(2, 5, each=len(layers), besides=1))
    hidden = [_hide(word, layers) for word in words]
    tool, place = plan.pick((("minimum_value", "first"), ("maximum_value", "last")))
    text = plan.say("text", steps=_describe(layers), hidden=_quote(hidden), place=place)
    found = [_uncover(plan, code, layers) for code in hidden]
    return Question(text, plan.call(tool, *found), (place, *sorted(hidden), layers))


def longer_message(plan: Plan) -> Question:
    """Find which of two messages is longer, or shorter."""
    layers = _draw_layers(plan, plan.size(1, 2, each=2))
    hidden = _draw_hidden(plan, [plan.rng.randint(1, 4) for _ in range(2)], layers)
    which = plan.pick(("longer", "shorter"))
    text = plan.say("text", steps=_describe(layers), hidden=_quote(hidden), which=which)
    found = [_uncover(plan, code, layers) for code in hidden]
    messages = [term.value for term in found]
    if len(messages[0]) == len(messages[1]):
        raise DeadEnd
    shorter = derive(min(messages, key=len), "min({0}, {1}, key=len)", *found)
    longer = derive(max(messages, key=len), "max({0}, {1}, key=len)", *found)
    key = (which, *sorted(hidden), layers)
    answer, mistake = (longer, shorter) if which == "longer" else (shorter, longer)
    return Question(text, answer, key, (mistake,))


def message_of_length(plan: Plan) -> Question:
    """Find the one of several messages that has a certain length."""
    layers = _draw_layers(plan, plan.rng.choice((1, 2)))
    hidden = _draw_hidden(plan, [plan.rng.randint(1, 4) for _ in range(3)], layers)
    found = [_uncover(plan, code, layers) for code in hidden]
    lengths = [plan.call("string_length", term) for term in found]
    sizes = [length.value for length in lengths]
    if len(set(sizes)) < len(sizes):
        raise DeadEnd
    place = plan.rng.randrange(3)
    text = plan.say("text", steps=_describe(layers), hidden=_quote(hidden), length=sizes[place])
    listed = ", ".join(f"({{{i}}}, {{{i + 3}}})" for i in range(3))
    code = f"next(text for text, size in [{listed}] if size == {sizes[place]})"
    key = ("of length", sizes[place], *sorted(hidden), layers)
    return Question(text, derive(found[place].value, code, *found, *lengths), key)


TASKS: Kinds = {
    decode: 5,
    count_letters: 0.3,
    length_of_extreme: 1,
    extreme_number: 1,
    extreme_word: 2,
    longer_message: 1,
    message_of_length: 1.5,
}
"""What a task may ask."""
DRAFTS: Kinds = {
    decode: 1,
    count_letters: 2,
    length_of_extreme: 1,
    extreme_number: 1,
    extreme_word: 1,
    longer_message: 1,
    message_of_length: 1,
}
"""What a Code-as-Task may ask."""


def _draw_message(plan: Plan, words: int) -> str:
    return " ".join(plan.rng.choice(WORDS) for _ in range(words))


def _draw_hidden(plan: Plan, words: Sequence[int], layers: Layers) -> list[str]:
    """Draw messages of some numbers of words, all hidden in the same way."""
    return [_hide(_draw_message(plan, number), layers) for number in words]


def _draw_layers(plan: Plan, count: int) -> Layers:
    """Draw how messages are hidden: no step undoes or repeats the one before it."""
    layers: list[tuple[str, int]] = []
    while len(layers) < count:
        step = plan.rng.choice(("hex", "reverse", "caesar"))
        once = step != "hex" or all(name != "hex" for name, _ in layers)
        if once and (not layers or layers[-1][0] != step):
            layers.append((step, plan.rng.randint(1, 25) if step == "caesar" else 0))
    return tuple(layers)


def _hide(message: str, layers: Layers) -> str:
    """Return a message as it is after the steps that hide it."""
    for step, shift in layers:
        match step:
            case "hex":
                message = message.encode().hex()
            case "reverse":
                message = message[::-1]
            case _:
                message = "".join(_moved(character, shift) for character in message)
    return message


def _moved(character: str, shift: int) -> str:
    if not character.islower():
        return character
    return chr((ord(character) - ord("a") + shift) % 26 + ord("a"))


def _uncover(plan: Plan, hidden: str, layers: Layers) -> Term:
    """Note the calls that undo the steps, the last first; return the message."""
    term = plan.given(hidden)
    for step, shift in reversed(layers):
        match step:
            case "hex":
                term = plan.call("convert_hex_to_ascii", term)
            case "reverse":
                term = plan.call("reverse_string", term)
            case _:
                term = plan.call("caesar_decode", term, shift)
    return term


_STEPS = {
    "hex": "it was written in hexadecimal notation",
    "reverse": "it was reversed",
    "caesar": "a Caesar cipher moved its letters forward by {}",
}


def _describe(layers: Layers) -> str:
    """Return the steps in words."""
    *before, last = (_STEPS[step].format(shift) for step, shift in layers)
    return f"{', then '.join(before)} and finally {last}" if before else last


def _quote(codes: Sequence[str]) -> str:
    return enumerate_words(f"'{code}'" for code in codes)
