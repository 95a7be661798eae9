"""The wishes of a domain, and how customers and their wishes are drawn."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sca_envs.core.database import Base
from sca_envs.core.errors import OptionError, SCAError, shorten
from sca_envs.core.patterns import compile_pattern
from sca_envs.core.tools import Tool
from sca_envs.core.wishes.attempts import Story
from sca_envs.core.wishes.customer import Customer
from sca_envs.core.wishes.draft import Draft
from sca_envs.core.wishes.errors import DeadEnd, WishError
from sca_envs.core.wishes.instruction import Instruction
from sca_envs.core.wishes.personas import PERSONAS, Persona
from sca_envs.core.wishes.wish import Introduction, Wish
from sca_envs.core.wishes.wordings import NO_WISHES, Wordings

_SECONDS = 4
"""Draws of a second wish of a Code-as-Task before giving up."""

WishFunction = Callable[[Customer], Wish]


@dataclass(frozen=True)
class WishBook:
    """What the customers of a domain may want.

    ```python
    WISHES = WishBook(
        wishes={renew: 2, ask_due_day: 1},
        identify=identify,
        wordings=Wordings.read(__name__),
        subject_parameter="loan_id",
    )
    ```
    """

    wishes: Mapping[WishFunction, float]
    """What a customer may want -> how often, relative to the others."""
    identify: Callable[[Customer], None]
    """Tells who the customer is, looks that up, and sets `Customer.profile`."""
    wordings: Wordings
    """How customers say it."""
    customers: str = "users"
    """Name of the table of customers."""
    subject_parameter: str = ""
    """The parameter that says which record a call is about, such as ``order_id``: no two wishes of
    a task are about the same."""
    id_pattern: str = r"(?!)"
    """Regular expression of the ids that occur in the domain."""
    personas: Sequence[Persona] = PERSONAS
    """Manners of speaking."""

    def __post_init__(self) -> None:
        functions = [self.identify, *self.wishes]
        names = [getattr(function, "__name__", "") for function in functions]
        for function, name in zip(functions, names, strict=True):
            if not name.isidentifier() or name in NO_WISHES or names.count(name) > 1:
                raise OptionError(
                    f"Expected functions with names of their own for the wishes and `identify`, "
                    f"because wordings go by them; got {name or shorten(function)}. Write a `def` "
                    "for each"
                )
        weights = list(self.wishes.values())
        if not weights or not all(0 < weight < math.inf for weight in weights):
            raise OptionError(
                f"Expected wishes, each with how often it is drawn, above 0; got "
                f"{dict(zip(names[1:], weights, strict=True))}"
            )
        if not self.personas:
            raise OptionError("Expected at least one persona, got none")
        try:
            compile_pattern(self.id_pattern)
        except ValueError as error:
            raise OptionError(f"id_pattern: {error}") from None

    def customer_keys(self, base: Base) -> tuple[str, ...]:
        """Return the keys of all customers.

        Raises:
            OptionError: If the world has no such table, or nobody is in it.
        """
        if not base.tables.get(self.customers):
            raise OptionError(
                f"Expected customers in the table {self.customers!r}, got "
                f"{'an empty one' if self.customers in base.tables else ', '.join(base.tables)}; "
                "say which table has them: WishBook(customers=…)"
            )
        return base.keys(self.customers)

    def meet(
        self,
        tools: Mapping[str, Tool],
        base: Base,
        keys: Sequence[str],
        rng: random.Random,
        *,
        pool: str,
        openness: float | None = None,
    ) -> tuple[Customer, Persona, Introduction]:
        """Draw a customer who has told who they are.

        Args:
            tools: The domain's tools by name.
            base: The world.
            keys: Keys of the customers to draw from.
            rng: Draws everything.
            pool: Which of the wordings to use.
            openness: Probability that a detail is told unasked; by default the persona's.

        Raises:
            DeadEnd: If this customer cannot be identified.
            WishError: If `identify` does what no wish may do.
        """
        key, persona = rng.choice(keys), rng.choice(self.personas)
        customer = Customer(
            tools,
            base,
            self.wordings,
            pool,
            key,
            rng,
            openness=persona.openness if openness is None else openness,
            id_pattern=self.id_pattern,
        )
        _carry_out(self.identify, customer)
        return customer, persona, customer.introduction()

    def draw(self, customer: Customer, fits: Callable[[Wish], bool] = lambda wish: True) -> Wish:
        """Draw one wish of a customer; a later one finds what it changes.

        Args:
            customer: The customer.
            fits: Whether a wish that was drawn will do.

        Raises:
            DeadEnd: If there is no occasion for what was drawn, or it does not fit; nothing has
                changed then.
            WishError: If the wish calls a tool that refuses, or fails otherwise.
        """
        return self._draw(customer, _pick(customer.rng, self.wishes), fits)

    def _draw(self, customer: Customer, wish: WishFunction, fits: Callable[[Wish], bool]) -> Wish:
        before = customer.state()
        try:
            drawn = _carry_out(wish, customer)
            if not isinstance(drawn, Wish):
                raise WishError(
                    f"the wish {wish.__name__}: expected it to return customer.wish(…), got "
                    f"{shorten(drawn)}"
                )
            if not fits(drawn):
                raise DeadEnd
        except DeadEnd:
            customer.restore(before)
            raise
        subjects = [call.values.get(self.subject_parameter) for call in drawn.calls]
        concerned = [subject for subject in subjects if isinstance(subject, str)]
        customer.use(*concerned[-1:])  # what comes before was only searched through
        return drawn

    def draw_several(self, customer: Customer, number: int) -> list[Wish]:
        """Draw up to a number of wishes of a customer, for a `Task`; perhaps none."""
        drawn: list[Wish] = []
        wishes = dict(self.wishes)

        def fits(wish: Wish) -> bool:
            known = not wish.question or bool(wish.request.outputs)
            return known and not any(wish.repeats(o) or wish.gives_away(o) for o in drawn)

        for _ in range(4 * number):
            wish = _pick(customer.rng, wishes)
            try:
                drawn.append(self._draw(customer, wish, fits))
            except DeadEnd:
                del wishes[wish]  # hardly ever would this customer have an occasion for it later
            if len(drawn) == number or not wishes:
                break
        return drawn

    def draft(self, tools: Mapping[str, Tool], base: Base, rng: random.Random, calls: int) -> Draft:
        """Draw a Code-as-Task of one or two wishes; see `DraftSource.draft`."""
        keys = self.customer_keys(base)
        customer, persona, who = self.meet(tools, base, keys, rng, pool="train", openness=1.0)
        story = self._draw_story(customer, who, tools, calls)
        instruction = Instruction(rng, persona, story).text
        return Draft(instruction, story.solution.write(), story.failing_attempts())

    def _draw_story(
        self, customer: Customer, who: Introduction, tools: Mapping[str, Tool], calls: int
    ) -> Story:
        first = self.draw(customer)
        story = Story(who, (first,), tools)
        single = story.solution.calls
        if single == calls:
            return story

        def fits(second: Wish) -> bool:
            both = Story(who, (first, second), tools)
            alike = second.repeats(first) or second.asks[0][0] == first.asks[0][0]
            return both.solution.calls == calls and not alike

        for _ in range(_SECONDS if single < calls else 0):
            with contextlib.suppress(DeadEnd):
                return Story(who, (first, self.draw(customer, fits)), tools)
        raise DeadEnd


def _pick(rng: random.Random, wishes: Mapping[WishFunction, float]) -> WishFunction:
    return rng.choices(list(wishes), list(wishes.values()))[0]


def _carry_out(function: Callable[[Customer], Any], customer: Customer) -> Any:
    """Return what a function of the author gives for a customer.

    Raises:
        DeadEnd: If there is no occasion for it.
        WishError: If it fails, with its name.
    """
    customer.begin(function.__name__)
    try:
        return function(customer)
    except (DeadEnd, SCAError):
        raise
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        raise WishError(f"the wish {function.__name__} failed with {problem}") from error
