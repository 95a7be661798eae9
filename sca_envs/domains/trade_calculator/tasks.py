"""What the tasks of the generated trade calculator are made of."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import astuple, dataclass, replace

from sca_envs.domains.m3.plans import Draft, Plan, Term

GOODS = (
    "cedar planks", "clay pots", "copper wire", "dried figs", "glass beads", "iron nails",
    "lamp oil", "olive soap", "paper rolls", "rock salt", "sail cloth", "silk thread",
    "sun hats", "tea leaves", "wax candles", "wool blankets",
)  # fmt: skip
CURRENCIES = ("crowns", "dinars", "florins", "guilders", "lire", "marks", "pesos", "shillings")
_ROUNDED = "Round to two digits."


@dataclass(frozen=True, slots=True)
class Trade:
    """Some goods at a price, to be converted and taxed."""

    quantity: int
    goods: str
    price: float
    rate: float
    tariff: float
    discount: float = 0.0

    def words(self) -> str:
        """Return it in words."""
        less = f", less a discount of {self.discount:g}%" if self.discount else ""
        return (
            f"{self.quantity} units of {self.goods} at {self.price:g} each{less}, with a "
            f"conversion rate of {self.rate:g} and a tariff of {self.tariff:g}%"
        )

    def key(self) -> tuple[Hashable, ...]:
        """Return what it is, for telling tasks apart."""
        return astuple(self)


def final_value(plan: Plan) -> Draft:
    """Find the final value of one trade."""
    trade = draw_trade(plan, discount=plan.rng.random() < 0.5)
    text = plan.say(
        (
            "A merchant sells {trade}. What is the final value of the trade in {currency}, tariff "
            "included? {rounded}",
            "Work out the final value in {currency} of {trade}. {rounded}",
            "How much is this worth in {currency} in the end, with the tariff: {trade}? {rounded}",
        ),
        trade=trade.words(),
        currency=plan.rng.choice(CURRENCIES),
        rounded=_ROUNDED,
    )
    return Draft(text, plan.rounded(final_value_of(plan, trade)), ("final value", trade.key()))


def better_offer(plan: Plan) -> Draft:
    """Find the higher or lower final value of two trades."""
    trades = [draw_trade(plan), draw_trade(plan)]
    tool, extreme = plan.rng.choice((("find_maximum", "higher"), ("find_minimum", "lower")))
    text = plan.say(
        (
            "There are two offers. First: {first}. Second: {second}. Give the {extreme} of the two "
            "final values. {rounded}",
            "Compare two trades: {first}; and {second}. What is the {extreme} final value? "
            "{rounded}",
        ),
        extreme=extreme,
        rounded=_ROUNDED,
        first=trades[0].words(),
        second=trades[1].words(),
    )
    values = [final_value_of(plan, trade) for trade in trades]
    key = (extreme, *sorted(trade.key() for trade in trades))
    return Draft(text, plan.rounded(plan.call(tool, *values)), key)


def best_market(plan: Plan) -> Draft:
    """Sell where the exchange rate is best."""
    trade = draw_trade(plan)
    rates = plan.rng.sample([rate / 100 for rate in range(60, 280)], plan.rng.randint(2, 4))
    text = plan.say(
        (
            "{quantity} units of {goods} at {price:g} each can be sold in {count} markets, whose "
            "conversion rates are {rates}. The tariff is {tariff:g}% in all of them. What is the "
            "final value in the most profitable one? {rounded}",
            "A captain sells {quantity} units of {goods} for {price:g} each. Choose the best of "
            "the conversion rates {rates} and add the tariff of {tariff:g}%. What is the final "
            "value? {rounded}",
        ),
        quantity=trade.quantity,
        goods=trade.goods,
        price=trade.price,
        count=len(rates),
        rates=_enumerate(f"{rate:g}" for rate in rates),
        tariff=trade.tariff,
        rounded=_ROUNDED,
    )
    price = plan.call("calculator", f"{trade.quantity} * {trade.price!r}")
    converted = [plan.call("convert_currency", price, rate) for rate in rates]
    best = plan.call("find_maximum", *converted)
    answer = with_tariff(plan, best, trade.tariff)
    return Draft(
        text, plan.rounded(answer), ("market", replace(trade, rate=0.0).key(), *sorted(rates))
    )


def lowest_tariff(plan: Plan) -> Draft:
    """Ship over the border with the lowest or highest tariff."""
    trade = draw_trade(plan)
    rates = plan.rng.sample([rate / 2 for rate in range(4, 50)], plan.rng.randint(2, 4))
    tool, extreme = plan.rng.choice((("find_minimum", "lowest"), ("find_maximum", "highest")))
    text = plan.say(
        (
            "{quantity} units of {goods} cost {price:g} each; the conversion rate is {rate:g}. "
            "Customs offices ask for tariffs of {rates}. What is the final value with the "
            "{extreme} tariff? {rounded}",
            "A caravan carries {quantity} units of {goods}, worth {price:g} each before conversion "
            "at a rate of {rate:g}. It may pay any of these tariffs: {rates}. Give the final value "
            "with the {extreme} of them. {rounded}",
        ),
        quantity=trade.quantity,
        goods=trade.goods,
        price=trade.price,
        rate=trade.rate,
        rates=_enumerate(f"{rate:g}%" for rate in rates),
        extreme=extreme,
        rounded=_ROUNDED,
    )
    price = plan.call("calculator", f"{trade.quantity} * {trade.price!r}")
    converted = plan.call("convert_currency", price, trade.rate)
    tariffs = [plan.call("calculate_tariff", converted, rate) for rate in rates]
    chosen = plan.call(tool, *tariffs)
    answer = plan.call("estimate_final_value", converted, chosen)
    return Draft(
        text, plan.rounded(answer), (extreme, replace(trade, tariff=0.0).key(), *sorted(rates))
    )


def profit(plan: Plan) -> Draft:
    """Subtract what was paid from what was earned."""
    bought, sold = draw_trade(plan), draw_trade(plan)
    text = plan.say(
        (
            "A trader buys {first}, and sells {second}. By how much does the final value of the "
            "sale exceed that of the purchase? It may be negative. {rounded}",
            "Subtract the final value of a purchase from that of a sale. The purchase: {first}. "
            "The sale: {second}. {rounded}",
        ),
        rounded=_ROUNDED,
        first=bought.words(),
        second=sold.words(),
    )
    cost, revenue = final_value_of(plan, bought), final_value_of(plan, sold)
    expression = plan.derive(
        f"{revenue.value!r} - {cost.value!r}", "f'{{{0}}} - {{{1}}}'", revenue, cost
    )
    answer = plan.rounded(plan.call("calculator", expression))
    return Draft(text, answer, ("profit", bought.key(), sold.key()))


def both_values(plan: Plan) -> Draft:
    """List the final values of two trades."""
    trades = [draw_trade(plan), draw_trade(plan)]
    text = plan.say(
        (
            "Work out the final values of two shipments. First: {first}. Second: {second}. {form}",
            "What are these two trades worth, converted and with the tariff: {first}; {second}? "
            "{form}",
        ),
        form="Answer a list of the two values in this order, rounded to two digits, such as "
        "[12.34, 56.78].",
        first=trades[0].words(),
        second=trades[1].words(),
    )
    first, second = (plan.rounded(final_value_of(plan, trade)) for trade in trades)
    answer = plan.derive([first.value, second.value], "[{0}, {1}]", first, second)
    return Draft(text, answer, ("both", *(trade.key() for trade in trades)))


KINDS: Mapping[Callable[[Plan], Draft], float] = {
    final_value: 2.5,
    better_offer: 1.5,
    best_market: 2,
    lowest_tariff: 1.5,
    profit: 1.5,
    both_values: 1,
}
"""The kinds of tasks -> how often, relative to the others."""


def draw_trade(plan: Plan, *, discount: bool = False) -> Trade:
    """Draw a trade, perhaps with a discount."""
    return Trade(
        quantity=plan.rng.randint(2, 90) * 5,
        goods=plan.rng.choice(GOODS),
        price=plan.rng.randint(50, 40_000) / 100,
        rate=plan.rng.randint(60, 280) / 100,
        tariff=plan.rng.randint(4, 50) / 2,
        discount=plan.rng.randint(4, 60) / 2 if discount else 0.0,
    )


def final_value_of(plan: Plan, trade: Trade) -> Term:
    """Return the final value of a trade."""
    expression = f"{trade.quantity} * {trade.price!r}"
    if trade.discount:
        expression += f" * (1 - {trade.discount!r} / 100)"
    price = plan.call("calculator", expression)
    converted = plan.call("convert_currency", price, trade.rate)
    return with_tariff(plan, converted, trade.tariff)


def with_tariff(plan: Plan, price: Term, rate: float) -> Term:
    """Note the calls that add a tariff, in percent, to a price; return the sum."""
    tariff = plan.call("calculate_tariff", price, rate)
    return plan.call("estimate_final_value", price, tariff)


def _enumerate(parts: Iterable[str]) -> str:
    *head, last = parts
    return f"{', '.join(head)} and {last}"
