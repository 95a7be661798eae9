"""Makes retail tasks without end: item `index` of a split is the same for ever.

A task is drawn from `Random` of the world's seed, the split and the index alone. Customers belong
to one split only, so no task of one split can occur in the other.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable

from sca_envs.core.database import Base, Database, Record
from sca_envs.core.errors import UnknownTaskError
from sca_envs.core.task import Fact, Task, UserScript
from sca_envs.domains.tau_retail import change_goals, question_goals
from sca_envs.domains.tau_retail.changes import CHANGES
from sca_envs.domains.tau_retail.goals import Context, Goal, action
from sca_envs.domains.tau_retail.personas import PERSONAS

SPLITS = ("train", "test")
_TEST_EVERY = 5
"""One customer in five belongs to the test split."""
_CACHED_TASKS = 4096

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

_REQUESTS = {1: 35, 2: 35, 3: 20, 4: 10}
"""Number of requests in a task -> how often."""

_ID_PATTERN = r"#W\d{7}|\b(?:paypal|credit_card|gift_card)_\d{7}\b|\b\d{10}\b"


class GeneratedTasks:
    """The tasks of one split; their number has no end.

    Args:
        base: The world that `world.build` made of the seed.
        seed: The world's seed.
        split: ``train`` or ``test``.
    """

    size: int | None = None

    def __init__(self, base: Base, seed: int, split: str) -> None:
        self._base, self._seed, self._split = base, seed, split
        keys = base.keys("users")
        tested = keys[_TEST_EVERY - 1 :: _TEST_EVERY]
        self._customers = tested if split == "test" else tuple(k for k in keys if k not in tested)
        self._cache: OrderedDict[int, Task] = OrderedDict()

    def __reduce__(self) -> tuple[type[GeneratedTasks], tuple[Base, int, str]]:
        return GeneratedTasks, (self._base, self._seed, self._split)

    def __getitem__(self, index: int) -> Task:
        """Return a task by its index, from 0.

        Raises:
            IndexError: If the index is negative.
        """
        if index < 0:
            raise IndexError(f"Expected an index from 0, got {index}")
        task = self._cache.get(index)
        if task is None:
            task = self._cache[index] = self._make(index)
            if len(self._cache) > _CACHED_TASKS:
                self._cache.popitem(last=False)
        return task

    def find(self, key: str | int) -> Task:
        """Return a task by its id, such as ``train-12``, or by its index.

        Raises:
            UnknownTaskError: If it is neither.
        """
        if isinstance(key, str):
            prefix, _, number = key.rpartition("-")
            known = prefix == self._split and number.isdecimal() and str(int(number)) == number
        else:
            number, known = str(key), key >= 0
        if not known:
            raise UnknownTaskError(
                f"Expected an index from 0 or an id such as '{self._split}-12'; got {key!r}"
            )
        return self[int(number)]

    def _make(self, index: int) -> Task:
        rng = random.Random(f"tau_retail task {self._seed} {self._split} {index}")
        while True:
            context, goals = self._draw(rng)
            if goals:
                return self._compose(context, goals, index)

    def _draw(self, rng: random.Random) -> tuple[Context, list[Goal]]:
        """Draw a customer and compatible goals (none if nothing fits)."""
        wanted = rng.choices(list(_REQUESTS), list(_REQUESTS.values()))[0]
        context = Context(
            rng, Database(self._base), rng.choice(self._customers), rng.choice(PERSONAS)
        )
        goals: list[Goal] = []
        kinds, weights = list(GOALS), list(GOALS.values())
        for _ in range(4 * wanted):
            goal = rng.choices(kinds, weights)[0](context)
            if goal is not None:
                _carry_out(context, goal)
                goals.append(goal)
            if len(goals) == wanted:
                break
        return context, goals

    def _compose(self, c: Context, goals: list[Goal], index: int) -> Task:
        user = self._base.tables["users"][c.user_id]
        knows_email = c.rng.random() < 0.6
        facts = _identity(c, user, knows_email)
        script = UserScript(
            facts=facts,
            requests=tuple(goal.request for goal in goals),
            id_pattern=_ID_PATTERN,
            greeting=c.rng.choice(c.persona.greetings),
            phrases=c.persona.phrases(c.rng),
        )
        name = user["name"]
        found = (
            action("find_user_id_by_email", email=user["email"])
            if knows_email
            else action("find_user_id_by_name_zip", **name, zip=user["address"]["zip"])
        )
        profile = action("get_user_details", user_id=c.user_id)
        wishes = [part for goal in goals for part in _prose(goal)]
        withheld = sum(not fact.given for goal in goals for fact in goal.request.facts)
        return Task(
            id=f"{self._split}-{index}",
            domain="tau_retail",
            data=f"generated:{self._seed}",
            split=self._split,
            instruction=" ".join([c.persona.about, *(fact.text for fact in facts), *wishes]),
            script=script,
            actions=(found, profile, *(act for goal in goals for act in goal.actions)),
            outputs=tuple(output for goal in goals for output in goal.outputs),
            difficulty=len(goals) + withheld,
        )


def _carry_out(c: Context, goal: Goal) -> None:
    """Let the goal's changes happen, so that the next goal is about what they leave."""
    for act in goal.actions:
        if act.name in CHANGES:
            CHANGES[act.name](c.db, **act.arguments)
    orders = [act.arguments["order_id"] for act in goal.actions if "order_id" in act.arguments]
    c.used.update(orders[-1:])  # what comes before was only searched through


def _identity(c: Context, user: Record, knows_email: bool) -> tuple[Fact, ...]:
    """Return what the customer tells about themself."""
    person = {**user["name"], "zip": user["address"]["zip"], "email": user["email"]}
    name = c.say(
        (
            "My name is {first_name} {last_name}, zip code {zip}.",
            "I'm {first_name} {last_name} from {zip}.",
            "{first_name} {last_name}, and my zip code is {zip}.",
        ),
        **person,
    )
    mail = (
        ("My e-mail address is {email}.", "You can find me under {email}.", "It's {email}.")
        if knows_email
        else (
            "I don't remember which e-mail address I used.",
            "I can't tell you my e-mail address, I have forgotten it.",
            "No e-mail address, sorry.",
        )
    )
    who = (r"\bidentit", r"verif", r"authenticat", r"who (?:am i|are you)", r"your account")
    return (
        Fact(key="name", cues=(r"\bname\b", r"\bzip\b", *who), text=name),
        Fact(
            key="email",
            cues=(r"e-?mail", *(who if knows_email else ())),
            text=c.say(mail, **person),
        ),
    )


def _prose(goal: Goal) -> list[str]:
    """Return the opening of a request and the facts that it leaves out."""
    withheld = [fact.text for fact in goal.request.facts if not fact.given]
    return [goal.request.opening, *withheld]
