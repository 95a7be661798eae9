"""What the tasks of the generated retail store are made of."""

from __future__ import annotations

from collections.abc import Callable

from sca_envs.core.task import Fact, ReferenceAction
from sca_envs.domains.tau.generated import Recipe
from sca_envs.domains.tau.goals import Context, Goal, action
from sca_envs.domains.tau_retail import change_goals, question_goals
from sca_envs.domains.tau_retail.changes import CHANGES

GOALS: dict[Callable[[Context], Goal | None], float] = {
    change_goals.cancel_order: 2,
    change_goals.modify_items: 3,
    change_goals.change_shipping_address: 2,
    change_goals.change_payment: 2,
    change_goals.change_default_address: 1,
    change_goals.return_items: 3,
    change_goals.exchange_items: 3,
    question_goals.ask_tracking_number: 0.7,
    question_goals.ask_amount: 0.7,
    question_goals.ask_pending_total: 0.7,
    question_goals.ask_cheapest: 0.7,
    question_goals.ask_item_id: 0.7,
    question_goals.ask_balance: 0.5,
    question_goals.cancel_shipped: 0.5,
    question_goals.redirect_shipped: 0.5,
    question_goals.pay_with_short_card: 0.5,
    question_goals.refund_elsewhere: 0.5,
    question_goals.exchange_for_sold_out: 0.5,
    question_goals.touch_another_account: 0.5,
}
"""What a customer may want -> how often, relative to the others."""


def identity(c: Context) -> tuple[tuple[Fact, ...], tuple[ReferenceAction, ...]]:
    """Draw what the customer says of themself, and how the agent looks them up.

    Four in ten do not remember their e-mail address, which leaves name and zip code. Both are as
    they were before any change.
    """
    user = c.db.base.tables["users"][c.user_id]
    person = {**user["name"], "zip": user["address"]["zip"]}
    mail = user["email"]
    knows_mail = c.rng.random() < 0.6
    name = c.say(
        (
            "My name is {first_name} {last_name}, zip code {zip}.",
            "I'm {first_name} {last_name} from {zip}.",
            "{first_name} {last_name}, and my zip code is {zip}.",
        ),
        **person,
    )
    told = c.say(
        ("My e-mail address is {mail}.", "You can find me under {mail}.", "My e-mail is {mail}.")
        if knows_mail
        else (
            "I don't remember which e-mail address I used.",
            "I can't tell you my e-mail address, I have forgotten it.",
            "No e-mail address, sorry.",
        ),
        mail=mail,
    )
    facts = (
        Fact(key="name", cues=(r"\bname\b", r"\bzip\b", *_WHO), text=name),
        Fact(key="email", cues=(r"e-?mail", *_WHO) if knows_mail else (r"e-?mail",), text=told),
    )
    found = (
        action("find_user_id_by_email", email=mail)
        if knows_mail
        else action("find_user_id_by_name_zip", **person)
    )
    return facts, (found, action("get_user_details", user_id=c.user_id))


_WHO = (r"\bidentit", r"verif", r"authenticat", r"who (?:am i|are you)", r"your account")

RECIPE = Recipe(
    domain="tau_retail",
    goals=GOALS,
    changes=CHANGES,
    concern="order_id",
    identity=identity,
    id_pattern=r"#W\d{7}|\b(?:paypal|credit_card|gift_card)_\d{7}\b|\b\d{10}\b",
)
"""How retail tasks are made; give it to `GeneratedTasks`."""
