"""What the tasks of the generated trade calculator are about."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import astuple, dataclass, replace
from typing import Any

from sca_envs.core.wishes import Term, enumerate_words
from sca_envs.core.wishes.terms import to_code
from sca_envs.domains.m3.plans import Kinds, Plan, Question, add_up, round_amount

GOODS = (
    "cedar planks", "clay pots", "copper wire", "dried figs", "glass beads", "iron nails",
    "lamp oil", "olive soap", "paper rolls", "rock salt", "sail cloth", "silk thread",
    "sun hats", "tea leaves", "wax candles", "wool blankets",
)  # fmt: skip
CURRENCIES = ("crowns", "dinars", "florins", "guilders", "lire", "marks", "pesos", "shillings")


@dataclass(frozen=True, slots=True)
class Trade:
    """Some goods at a price, to be converted and taxed."""

    quantity: int
    goods: str
    price: float
    rate: float
    tariff: float
    discount: float = 0.0

    def __str__(self) -> str:
        less = f", less a discount of {self.discount:g}%" if self.discount else ""
        return (
            f"{self.quantity} units of {self.goods} at {self.price:g} each{less}, with a "
            f"conversion rate of {self.rate:g} and a tariff of {self.tariff:g}%"
        )

    def key(self) -> tuple[Hashable, ...]:
        """Return what it is, for telling tasks apart."""
        return astuple(self)


def one_step(plan: Plan) -> Question:
    """Work out a product, a conversion or a tariff."""
    trade = _draw_trade(plan)
    step = plan.rng.choice(("product", "conversion", "tariff"))
    if step == "product":
        result = _product(plan, trade)
    elif step == "conversion":
        result = plan.call("convert_currency", trade.price, trade.rate)
    else:
        result = plan.call("calculate_tariff", trade.price, trade.tariff)
    return _ask(plan, step, round_amount(result), (step, trade.key()), trade=trade)


def prices_with_tariffs(plan: Plan) -> Question:
    """Add tariffs to prices: one to three goods, whose values are added up."""
    trades = [_draw_trade(plan) for _ in range(plan.size(1, 3, each=2))]
    values = [_with_tariff(plan, plan.given(trade.price), trade.tariff) for trade in trades]
    goods = [f"{t.goods} worth {t.price:g} with a tariff of {t.tariff:g}%" for t in trades]
    key = ("with tariffs", *sorted(trade.key() for trade in trades))
    wording = "several" if trades[1:] else "one"
    return _ask(plan, wording, round_amount(add_up(values)), key, goods=enumerate_words(goods))


def converted_price(plan: Plan) -> Question:
    """Convert a price and add the tariff."""
    trade = _draw_trade(plan)
    converted = plan.call("convert_currency", trade.price, trade.rate)
    value = _with_tariff(plan, converted, trade.tariff)
    return _ask(plan, "text", round_amount(value), ("converted", trade.key()), trade=trade)


def converted_lots(plan: Plan) -> Question:
    """Convert the price of one to three lots of goods."""
    trades = [_draw_trade(plan) for _ in range(plan.size(1, 3, each=2))]
    lots = [
        f"{t.quantity} units of {t.goods} at {t.price:g} each (rate {t.rate:g})" for t in trades
    ]
    values = [plan.call("convert_currency", _product(plan, t), t.rate) for t in trades]
    key = ("lots", *sorted(trade.key() for trade in trades))
    wording = "several" if trades[1:] else "one"
    return _ask(plan, wording, round_amount(add_up(values)), key, lots=enumerate_words(lots))


def best_of_offers(plan: Plan) -> Question:
    """Find the highest or lowest of some amounts, each of which has to be worked out."""
    trades = [_draw_trade(plan) for _ in range(plan.size(2, 5, besides=1))]
    tool, extreme = plan.pick((("find_maximum", "highest"), ("find_minimum", "lowest")))
    if converts := plan.rng.random() < 0.5:
        offers = [f"{t.price:g} for {t.goods} at a rate of {t.rate:g}" for t in trades]
        values = [plan.call("convert_currency", t.price, t.rate) for t in trades]
    else:
        offers = [f"{t.quantity} units of {t.goods} at {t.price:g}" for t in trades]
        values = [_product(plan, trade) for trade in trades]
    key = (extreme, converts, *sorted(trade.key() for trade in trades))
    slots = {"extreme": extreme, "count": len(trades), "offers": enumerate_words(offers)}
    wording = "conversion" if converts else "product"
    return _ask(plan, wording, round_amount(plan.call(tool, *values)), key, **slots)


def final_value(plan: Plan) -> Question:
    """Find the final value of one trade."""
    trade = _draw_trade(plan, discount=plan.rng.random() < 0.5)
    value = round_amount(_final_value(plan, trade))
    return _ask(plan, "text", value, ("final value", trade.key()), trade=trade)


def gain(plan: Plan) -> Question:
    """Subtract what was spent from the final value of a trade."""
    trade = _draw_trade(plan, discount=plan.rng.random() < 0.4)
    spent = plan.rng.randint(100, 90_000) / 100
    left = plan.calculate("{0} - {1}", _final_value(plan, trade), spent)
    return _ask(
        plan, "text", round_amount(left), ("gain", spent, trade.key()), spent=spent, trade=trade
    )


def better_offer(plan: Plan) -> Question:
    """Find the higher or lower final value of two trades."""
    trades = [_draw_trade(plan), _draw_trade(plan)]
    tool, extreme = plan.pick((("find_maximum", "higher"), ("find_minimum", "lower")))
    value = plan.call(tool, *(_final_value(plan, trade) for trade in trades))
    key = (extreme, *sorted(trade.key() for trade in trades))
    slots = {"extreme": extreme, "first": trades[0], "second": trades[1]}
    return _ask(plan, "text", round_amount(value), key, **slots)


def best_market(plan: Plan) -> Question:
    """Sell where the exchange rate is best."""
    trade = _draw_trade(plan)
    rates = plan.rng.sample([rate / 100 for rate in range(60, 280)], plan.size(2, 4, besides=4))
    price = _product(plan, trade)
    converted = [plan.call("convert_currency", price, rate) for rate in rates]
    best = plan.call("find_maximum", *converted)
    value = _with_tariff(plan, best, trade.tariff)
    key = ("market", replace(trade, rate=0.0).key(), *sorted(rates))
    named = enumerate_words(f"{rate:g}" for rate in rates)
    return _ask(plan, "text", round_amount(value), key, trade=trade, count=len(rates), rates=named)


def extreme_tariff(plan: Plan) -> Question:
    """Ship over the border with the lowest or highest tariff."""
    trade = _draw_trade(plan)
    rates = plan.rng.sample([rate / 2 for rate in range(4, 50)], plan.size(2, 4, besides=4))
    tool, extreme = plan.pick((("find_minimum", "lowest"), ("find_maximum", "highest")))
    converted = plan.call("convert_currency", _product(plan, trade), trade.rate)
    tariffs = [plan.call("calculate_tariff", converted, rate) for rate in rates]
    value = plan.call("estimate_final_value", converted, plan.call(tool, *tariffs))
    key = (extreme, replace(trade, tariff=0.0).key(), *sorted(rates))
    slots = {"extreme": extreme, "rates": enumerate_words(f"{rate:g}%" for rate in rates)}
    return _ask(plan, "text", round_amount(value), key, trade=trade, **slots)


def profit(plan: Plan) -> Question:
    """Subtract what was paid from what was earned."""
    bought, sold = _draw_trade(plan), _draw_trade(plan)
    cost, revenue = _final_value(plan, bought), _final_value(plan, sold)
    value = round_amount(plan.calculate("{0} - {1}", revenue, cost))
    key = ("profit", bought.key(), sold.key())
    return _ask(plan, "text", value, key, bought=bought, sold=sold)


def both_values(plan: Plan) -> Question:
    """List the final values of two trades."""
    trades = [_draw_trade(plan), _draw_trade(plan)]
    values = [round_amount(_final_value(plan, trade)) for trade in trades]
    answer = Term([value.value for value in values], to_code(values))
    text = plan.say("text", first=trades[0], second=trades[1])
    return Question(text, answer, ("both", *(trade.key() for trade in trades)))


TASKS: Kinds = {
    one_step: 0.3,
    prices_with_tariffs: 0.5,
    converted_price: 0.5,
    converted_lots: 0.5,
    best_of_offers: 1,
    final_value: 2,
    gain: 1,
    better_offer: 1.5,
    best_market: 2,
    extreme_tariff: 1.5,
    profit: 1.5,
    both_values: 1,
}
"""What a task may ask."""
DRAFTS: Kinds = {
    one_step: 2,
    prices_with_tariffs: 1,
    converted_price: 1,
    converted_lots: 1,
    best_of_offers: 1,
    final_value: 1,
    gain: 1,
    best_market: 1,
    extreme_tariff: 1,
}
"""What a Code-as-Task may ask."""


def _ask(
    plan: Plan, wording: str, amount: Term, key: tuple[Hashable, ...], **slots: Any
) -> Question:
    """Return a question for an amount."""
    text = plan.say(wording, currency=plan.rng.choice(CURRENCIES), **slots)
    return Question(f"{text} {plan.say('rounded')}", amount, key)


def _draw_trade(plan: Plan, *, discount: bool = False) -> Trade:
    """Draw a trade, perhaps with a discount."""
    return Trade(
        quantity=plan.rng.randint(2, 90) * 5,
        goods=plan.rng.choice(GOODS),
        price=plan.rng.randint(50, 40_000) / 100,
        rate=plan.rng.randint(60, 280) / 100,
        tariff=plan.rng.randint(4, 50) / 2,
        discount=plan.rng.randint(4, 60) / 2 if discount else 0.0,
    )


def _product(plan: Plan, trade: Trade) -> Term:
    """Note the call that works out what the goods cost; return the price."""
    if trade.discount:
        numbers = (trade.quantity, trade.price, trade.discount)
        return plan.calculate("{0} * {1} * (1 - {2} / 100)", *numbers)
    return plan.calculate("{0} * {1}", trade.quantity, trade.price)


def _final_value(plan: Plan, trade: Trade) -> Term:
    """Note the calls that work out the final value of a trade; return it."""
    converted = plan.call("convert_currency", _product(plan, trade), trade.rate)
    return _with_tariff(plan, converted, trade.tariff)


def _with_tariff(plan: Plan, price: Term, rate: float) -> Term:
    """Note the calls that add a tariff, in percent, to a price; return the sum."""
    return plan.call("estimate_final_value", price, plan.call("calculate_tariff", price, rate))
