"""Manners of speaking of the generated customers."""

from __future__ import annotations

import random
from typing import NamedTuple


class Persona(NamedTuple):
    """How a customer speaks."""

    about: str
    """What the customer says of themself in the prose instruction."""
    openness: float
    """Probability that a detail is told before anybody asks."""
    greetings: tuple[str, ...]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    next: tuple[str, ...]
    thanks: tuple[str, ...]
    leave_it: tuple[str, ...]
    unsure: tuple[str, ...]
    give_up: tuple[str, ...]

    def phrases(self, rng: random.Random) -> dict[str, str]:
        """Draw one wording for each occasion, as `UserScript.phrases` wants them."""
        kinds = ("yes", "no", "next", "thanks", "leave_it", "unsure", "give_up")
        return {kind: rng.choice(getattr(self, kind)) for kind in kinds}


PERSONAS: tuple[Persona, ...] = (
    Persona(
        about="I keep it short.",
        openness=0.25,
        greetings=("Hi.", "Hello.", "Hey.", "Hi there."),
        yes=("Yes.", "Yes, do it.", "Correct, yes."),
        no=("No.", "No, that's wrong.", "Not that."),
        next=("Next:", "One more thing.", "Also:"),
        thanks=("Thanks, bye.", "Good. That's all.", "Ok, done then."),
        leave_it=("Fine, leave it. Bye.", "Ok then. Bye.", "Never mind then."),
        unsure=("Again:", "I said:", "Once more:"),
        give_up=("Forget it.", "This isn't working. Bye.", "I'll try another time."),
    ),
    Persona(
        about="I am friendly and like to chat.",
        openness=0.6,
        greetings=(
            "Hello, I hope you're having a lovely day!",
            "Hi there, thanks for taking the time!",
            "Good day! So nice that somebody is there.",
        ),
        yes=(
            "Yes, that sounds wonderful, go ahead!",
            "Yes please, that's exactly it.",
            "Oh yes, please do!",
        ),
        no=(
            "Oh no, sorry, that isn't what I meant.",
            "Hmm, no, I think we misunderstood each other.",
        ),
        next=(
            "You're a star! There's one more thing I wanted to ask.",
            "Lovely! While I have you here,",
            "That's great. I had another small matter.",
        ),
        thanks=(
            "Thank you so much, that was everything. Have a great day!",
            "Wonderful, you've been such a help. Goodbye!",
        ),
        leave_it=(
            "Ah, that's a pity, but I understand. Thank you anyway, bye!",
            "Oh well, never mind. Thanks for looking into it!",
        ),
        unsure=(
            "Sorry, I didn't quite follow. What I was hoping for:",
            "I'm a bit lost, sorry! Let me say it again.",
        ),
        give_up=(
            "I think we're going around in circles, so I'll come back another day. Bye!",
            "Never mind, I'll try again tomorrow. Take care!",
        ),
    ),
    Persona(
        about="I am in a hurry and a little annoyed.",
        openness=0.7,
        greetings=(
            "I don't have much time.",
            "Finally. Let's make this quick.",
            "Hello, I'm in a rush.",
        ),
        yes=("Yes, yes, go ahead.", "Yes. Just do it.", "Obviously, yes."),
        no=("No! Please listen.", "No, that is not what I said."),
        next=("And then there's this.", "Right, next.", "I'm not finished."),
        thanks=("Good. Goodbye.", "Finally. That's it.", "Fine, that was all."),
        leave_it=("Unbelievable. Forget it, then.", "Well, that's disappointing. Bye."),
        unsure=("What? I'll repeat it for you.", "That doesn't help me.", "Please pay attention."),
        give_up=("I've wasted enough time. Goodbye.", "Enough. I'm leaving."),
    ),
    Persona(
        about="I am polite and formal.",
        openness=0.5,
        greetings=(
            "Good morning.",
            "Good afternoon, I would appreciate your assistance.",
            "Dear support team,",
        ),
        yes=(
            "Yes, I confirm. Please proceed.",
            "That is correct; yes, kindly go ahead.",
            "Yes, you have my consent.",
        ),
        no=("No, I am afraid that is not correct.", "I must decline; that is not my request."),
        next=(
            "I have a further request.",
            "Much obliged. May I raise another matter?",
            "Thank you. In addition,",
        ),
        thanks=(
            "I thank you for your service. Good day.",
            "That concludes my requests. Kind regards.",
        ),
        leave_it=(
            "I understand. I shall leave it at that. Good day.",
            "Very well, I accept that. Kind regards.",
        ),
        unsure=(
            "I beg your pardon, perhaps I was unclear.",
            "Allow me to restate my request.",
        ),
        give_up=(
            "I shall contact you at another time. Good day.",
            "I regret that we could not settle this. Goodbye.",
        ),
    ),
    Persona(
        about="I am careful with what I tell and answer only what I am asked.",
        openness=0.0,
        greetings=("Hello.", "Hi, is somebody there?", "Hello, I need some help."),
        yes=("Yes.", "Yes, that's right.", "Yes, please."),
        no=("No.", "No, I don't think that's right."),
        next=("I have another question.", "There is something else.", "Okay. Another thing:"),
        thanks=("Thank you. That's all.", "Okay, thanks. Bye."),
        leave_it=("I see. Okay, bye.", "All right, leave it, then."),
        unsure=("I'm not sure what you mean.", "I don't know what to say to that."),
        give_up=("I'd rather stop here. Bye.", "I'll ask somebody else. Bye."),
    ),
    Persona(
        about="I am organized and give all details at once.",
        openness=1.0,
        greetings=(
            "Hello, I have prepared everything you need.",
            "Hi, here is all the information.",
            "Hello, straight to the facts.",
        ),
        yes=("Yes, all of that is correct.", "Confirmed, yes.", "Yes, as listed."),
        no=("No, please compare that with what I wrote.", "No, one of these details is wrong."),
        next=("Second item on my list:", "Next on my list:", "Checked off. Now this:"),
        thanks=("Everything is checked off. Thank you.", "My list is done, thanks and goodbye."),
        leave_it=("Noted; I'll strike it off my list. Goodbye.", "Understood, I'll drop it. Bye."),
        unsure=("Let me repeat the facts.", "To be precise:"),
        give_up=("I'll take my list elsewhere. Goodbye.", "We're not getting anywhere. Bye."),
    ),
    Persona(
        about="I am not good with computers and a bit unsure of myself.",
        openness=0.35,
        greetings=(
            "Hello? I hope I'm in the right place.",
            "Hi, I've never used this chat before.",
            "Hello, my neighbor told me to write here.",
        ),
        yes=("Yes, I think that's right.", "Um, yes please.", "Yes, if you think so."),
        no=("Oh, no, I don't think that's mine.", "No, hm, that's something else."),
        next=("Could I ask something else, too?", "Oh, and before I forget:", "And, um,"),
        thanks=("Thank you, that's everything, I think.", "Oh good. Thank you, bye bye."),
        leave_it=("Oh. Well, then I'll leave it. Bye.", "I see, too bad. Thank you anyway."),
        unsure=("I'm sorry, I don't understand.", "I don't know about that, sorry."),
        give_up=("This is too difficult for me, sorry. Bye.", "I'll ask my daughter. Goodbye."),
    ),
    Persona(
        about="I am relaxed about everything.",
        openness=0.45,
        greetings=("Hey, how's it going?", "Yo.", "Hey there!", "Hiya."),
        yes=("Yeah, yes, go for it.", "Yep, yes.", "Sure, yes, sounds good."),
        no=("Nah, not that one.", "Nope, that's something else."),
        next=("Cool. Also,", "Sweet. Another thing,", "Nice one. Oh, and"),
        thanks=("Awesome, that's it. Cheers!", "Perfect, see you around.", "Cheers, all good."),
        leave_it=("No worries, leave it then. Cheers.", "Ah well, whatever. Bye."),
        unsure=("Not sure I get you.", "Huh? So, basically:"),
        give_up=("Let's leave it, I'm off.", "Nah, this isn't going anywhere. Later."),
    ),
)
