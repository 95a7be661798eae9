"""What the tasks of the generated message decoder are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sca_envs.domains.m3.plans import DeadEnd, Draft, Plan, Term
from sca_envs.domains.message_decoder.words import WORDS

Layers = tuple[tuple[str, int], ...]
"""How a message was hidden, step by step: (``hex``, ``reverse`` or ``caesar``, shift)."""


def decode_message(plan: Plan) -> Draft:
    """Undo several steps."""
    count = plan.rng.choices((2, 3, 4, 5), (2, 4, 3, 1))[0]
    layers = draw_layers(plan, count)
    message = draw_message(plan, plan.rng.randint(1, 3))
    hidden = hide_message(message, layers)
    text = plan.say(
        (
            "A message was hidden step by step: {steps}. What came out is '{hidden}'. What was the "
            "message?",
            "Somebody hid a message like this: {steps}. The result reads '{hidden}'. Recover the "
            "message.",
            "Recover the message behind '{hidden}'. To hide it, {steps}.",
        ),
        steps=describe_layers(layers),
        hidden=hidden,
    )
    return Draft(text, uncover(plan, hidden, layers), ("decode", hidden, layers))


def length_of_extreme(plan: Plan) -> Draft:
    """Find the length of the shortest or longest of several messages."""
    count, layers = plan.rng.choice(((3, 1), (2, 2), (2, 1)))
    steps = draw_layers(plan, layers)
    messages = [draw_message(plan, plan.rng.randint(2, 6)) for _ in range(count)]
    hidden = tuple(hide_message(message, steps) for message in messages)
    extreme = plan.rng.choice(("shortest", "longest"))
    text = plan.say(
        (
            "These messages were all hidden in the same way, for which {steps}: {hidden}. How many "
            "characters does the {extreme} of them have once they are decoded?",
            "Decode {hidden}; to hide each, {steps}. Give the length of the {extreme} message.",
        ),
        steps=describe_layers(steps),
        hidden=_enumerate(hidden),
        extreme=extreme,
    )
    lengths = [plan.call("string_length", uncover(plan, code, steps)) for code in hidden]
    tool = "minimum_value" if extreme == "shortest" else "maximum_value"
    return Draft(text, plan.call(tool, *lengths), (extreme, *sorted(hidden), steps))


def extreme_number(plan: Plan) -> Draft:
    """Find the smallest or largest of several numbers that were written in hexadecimal digits."""
    numbers = [plan.rng.randint(100, 99_999) for _ in range(plan.rng.randint(3, 7))]
    hidden = tuple(str(number).encode().hex() for number in numbers)
    tool, extreme = plan.rng.choice((("minimum_value", "smallest"), ("maximum_value", "largest")))
    text = plan.say(
        (
            "Each of these texts is a whole number, written in hexadecimal notation: {hidden}. "
            "Which number is the {extreme}?",
            "Convert {hidden} from hexadecimal notation to text. Every text is a whole number; "
            "answer the {extreme} one.",
        ),
        hidden=_enumerate(hidden),
        extreme=extreme,
    )
    texts = [plan.call("convert_hex_to_ascii", code) for code in hidden]
    values = [plan.derive(int(text.value), "int({0})", text) for text in texts]
    return Draft(text, plan.call(tool, *values), (extreme, *sorted(hidden)))


def extreme_word(plan: Plan) -> Draft:
    """Find the message that comes first or last in the alphabet."""
    layers = draw_layers(plan, 2)
    words = plan.rng.sample(WORDS, plan.rng.randint(2, 4))
    hidden = tuple(hide_message(word, layers) for word in words)
    tool, place = plan.rng.choice((("minimum_value", "first"), ("maximum_value", "last")))
    text = plan.say(
        (
            "Decode the words {hidden}. To hide each one, {steps}. Which word comes {place} in the "
            "alphabet?",
            "There is a word behind each of {hidden}; {steps}. Answer the one that a dictionary "
            "lists {place}.",
        ),
        steps=describe_layers(layers),
        hidden=_enumerate(hidden),
        place=place,
    )
    plain = [uncover(plan, code, layers) for code in hidden]
    return Draft(text, plan.call(tool, *plain), (place, *sorted(hidden), layers))


def message_of_length(plan: Plan) -> Draft:
    """Find the one of several messages that has a certain length."""
    layers = draw_layers(plan, 2)
    messages = [draw_message(plan, plan.rng.randint(1, 4)) for _ in range(3)]
    if len({len(message) for message in messages}) < len(messages):
        raise DeadEnd
    hidden = tuple(hide_message(message, layers) for message in messages)
    wanted = plan.rng.choice(messages)
    text = plan.say(
        (
            "Behind {hidden} there is a message each; {steps}. Exactly one message has {length} "
            "characters. Answer that message.",
            "Decode {hidden} and answer the message that is {length} characters long, blanks "
            "included. To hide each message, {steps}.",
        ),
        steps=describe_layers(layers),
        hidden=_enumerate(hidden),
        length=len(wanted),
    )
    plain = [uncover(plan, code, layers) for code in hidden]
    lengths = [plan.call("string_length", term) for term in plain]
    listed = ", ".join(f"({{{i}}}, {{{i + 3}}})" for i in range(3))
    code = f"next(text for text, size in [{listed}] if size == {len(wanted)})"
    key = ("of length", len(wanted), *sorted(hidden), layers)
    return Draft(text, plan.derive(wanted, code, *plain, *lengths), key)


KINDS: Mapping[Callable[[Plan], Draft], float] = {
    decode_message: 5,
    length_of_extreme: 1,
    extreme_number: 1,
    extreme_word: 2,
    message_of_length: 1.5,
}
"""The kinds of tasks -> how often, relative to the others."""


def draw_message(plan: Plan, words: int) -> str:
    """Draw a message of some words."""
    return " ".join(plan.rng.choice(WORDS) for _ in range(words))


def draw_layers(plan: Plan, count: int) -> Layers:
    """Draw how messages are hidden: no step undoes or repeats the one before it."""
    layers: list[tuple[str, int]] = []
    while len(layers) < count:
        step = plan.rng.choice(("hex", "reverse", "caesar"))
        once = step != "hex" or all(name != "hex" for name, _ in layers)
        if once and (not layers or layers[-1][0] != step):
            layers.append((step, plan.rng.randint(1, 25) if step == "caesar" else 0))
    return tuple(layers)


def hide_message(message: str, layers: Layers) -> str:
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


def uncover(plan: Plan, hidden: str, layers: Layers) -> Term:
    """Note the calls that undo the steps, the last first; return the message."""
    term: Term | str = hidden
    for step, shift in reversed(layers):
        match step:
            case "hex":
                term = plan.call("convert_hex_to_ascii", term)
            case "reverse":
                term = plan.call("reverse_string", term)
            case _:
                term = plan.call("caesar_decode", term, shift)
    assert isinstance(term, Term)
    return term


_STEPS = {
    "hex": "it was written in hexadecimal notation",
    "reverse": "it was reversed",
    "caesar": "a Caesar cipher moved its letters forward by {}",
}


def describe_layers(layers: Layers) -> str:
    """Return the steps in words."""
    *before, last = (_STEPS[step].format(shift) for step, shift in layers)
    return f"{', then '.join(before)} and finally {last}" if before else last


def _enumerate(codes: tuple[str, ...]) -> str:
    *head, last = (f"'{code}'" for code in codes)
    return f"{', '.join(head)} and {last}"
