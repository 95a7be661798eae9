"""Tasks of the message decoder."""

from __future__ import annotations

from sca_envs.challenge.procedural.families.planned import Kinds, draft_of_kinds
from sca_envs.challenge.procedural.parts import Explorer
from sca_envs.core.wishes.draft import Draft
from sca_envs.domains.m3.plans import DeadEnd, Plan
from sca_envs.domains.m3.plans import Draft as PlanDraft
from sca_envs.domains.message_decoder import tasks
from sca_envs.domains.message_decoder.words import WORDS
from sca_envs.domains.tau.goals import enumerate_words


def decode(plan: Plan) -> PlanDraft:
    """Undo one to six steps."""
    layers = tasks.draw_layers(plan, plan.rng.randint(1, 6))
    message = tasks.draw_message(plan, plan.rng.randint(1, 4))
    hidden = tasks.hide_message(message, layers)
    text = plan.say(
        (
            "The text '{hidden}' came about like this: {steps}. Which message is behind it?",
            "Before somebody sent me '{hidden}', {steps}. What did it say at first?",
            "Undo what was done to '{hidden}': {steps}. The message is the answer.",
            "Decode '{hidden}' for me. I know how it was made: {steps}.",
        ),
        hidden=hidden,
        steps=tasks.describe_layers(layers),
    )
    return PlanDraft(text, tasks.uncover(plan, hidden, layers), ("decode", hidden, layers))


def count_letters(plan: Plan) -> PlanDraft:
    """Find the length of one or two messages, or of a text that is not hidden."""
    count = plan.rng.choice((1, 1, 2))
    layers = tasks.draw_layers(plan, plan.rng.randint(1, 5 if count == 1 else 2))
    messages = [tasks.draw_message(plan, plan.rng.randint(2, 6)) for _ in range(count)]
    hidden = [tasks.hide_message(message, layers) for message in messages]
    text = plan.say(
        (
            "How many characters, blanks included, {do} {hidden} have once decoded{sum}? To hide "
            "{it}, {steps}.",
            "Decode {hidden} and count the characters, blanks too{sum}; this is how {it} "
            "was hidden: {steps}.",
        ),
        do="does" if count == 1 else "do",
        sum="" if count == 1 else " (both together)",
        it="it" if count == 1 else "each",
        hidden=enumerate_words(f"'{code}'" for code in hidden),
        steps=tasks.describe_layers(layers),
    )
    lengths = [plan.call("string_length", tasks.uncover(plan, code, layers)) for code in hidden]
    if count == 2:
        total = lengths[0].value + lengths[1].value
        answer = plan.derive(total, "{0} + {1}", *lengths)
    else:
        answer = lengths[0]
    return PlanDraft(text, answer, ("length", *hidden, layers))


def first_or_last(plan: Plan) -> PlanDraft:
    """Find the first or last of some words in the alphabet, each hidden in one step."""
    layers = tasks.draw_layers(plan, 1)
    words = plan.rng.sample(WORDS, plan.rng.randint(2, 5))
    hidden = [tasks.hide_message(word, layers) for word in words]
    tool, place = plan.rng.choice((("minimum_value", "first"), ("maximum_value", "last")))
    text = plan.say(
        (
            "One word each is behind {hidden}; {steps}. Which of the words comes {place} in the "
            "alphabet?",
            "Decode {hidden} ({steps}) and answer the word that stands {place} in a dictionary.",
        ),
        hidden=enumerate_words(f"'{code}'" for code in hidden),
        steps=tasks.describe_layers(layers),
        place=place,
    )
    plain = [tasks.uncover(plan, code, layers) for code in hidden]
    return PlanDraft(text, plan.call(tool, *plain), (place, *hidden, layers))


def same_message(plan: Plan) -> PlanDraft:
    """Find which of two hidden texts is longer, once decoded."""
    layers = tasks.draw_layers(plan, plan.rng.choice((1, 2)))
    messages = [tasks.draw_message(plan, plan.rng.randint(1, 4)) for _ in range(2)]
    if len(messages[0]) == len(messages[1]):
        raise DeadEnd
    hidden = [tasks.hide_message(message, layers) for message in messages]
    which = plan.rng.choice(("longer", "shorter"))
    text = plan.say(
        (
            "Two messages were hidden in the same way ({steps}): {hidden}. Answer the {which} one.",
            "Decode {hidden} and answer whichever message is {which}. About both: {steps}.",
        ),
        hidden=enumerate_words(f"'{code}'" for code in hidden),
        steps=tasks.describe_layers(layers),
        which=which,
    )
    plain = [tasks.uncover(plan, code, layers) for code in hidden]
    pick = max if which == "longer" else min
    answer = plan.derive(
        pick(messages, key=len), f"sorted([{{0}}, {{1}}], key=len)[{-(which == 'longer')}]", *plain
    )
    return PlanDraft(text, answer, (which, *hidden, layers))


_EVERY = (1, 2, 3, 4, 5, 6)
KINDS: Kinds = {
    decode: _EVERY,
    count_letters: (2, 3, 4, 5, 6),
    first_or_last: (3, 4, 5, 6),
    same_message: (2, 4),
    tasks.extreme_number: (4, 5, 6),
    tasks.length_of_extreme: (5,),
    tasks.extreme_word: (5,),
}
"""The kinds of tasks -> the numbers of calls that they can have."""


def draft(x: Explorer, calls: int) -> Draft:
    """Draw the draft of a task; see `draft_of_kinds`."""
    return draft_of_kinds(x, KINDS, calls)
