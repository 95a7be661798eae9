"""Tasks of the trade calculator."""

from __future__ import annotations

from sca_envs.challenge.procedural.families.planned import Kinds, draft_of_kinds
from sca_envs.challenge.procedural.parts import Explorer
from sca_envs.core.wishes.draft import Draft
from sca_envs.domains.m3.plans import Draft as PlanDraft
from sca_envs.domains.m3.plans import Plan, Term
from sca_envs.domains.tau.goals import enumerate_words
from sca_envs.domains.trade_calculator import tasks

_ROUNDED = "Round to two digits."


def one_step(plan: Plan) -> PlanDraft:
    """Work out a product, a conversion or a tariff."""
    trade = tasks.draw_trade(plan)
    kind = plan.rng.choice(("product", "conversion", "tariff"))
    text = plan.say(
        {
            "product": (
                "What do {t.quantity} units of {t.goods} cost at {t.price:g} each?",
                "{t.quantity} units of {t.goods} are sold for {t.price:g} each. How much is that?",
            ),
            "conversion": (
                "Convert {t.price:g} for {t.goods} to {money}, at a rate of {t.rate:g}.",
                "Some {t.goods} cost {t.price:g}. What is that in {money}, at {t.rate:g} each?",
            ),
            "tariff": (
                "The tariff on {t.goods} is {t.tariff:g}%. How much is it on a price of "
                "{t.price:g} {money}?",
                "How many {money} of tariff are due on {t.goods} worth {t.price:g} {money}, at "
                "{t.tariff:g}%?",
            ),
        }[kind],
        t=trade,
        money=plan.rng.choice(tasks.CURRENCIES),
    )
    if kind == "product":
        result = plan.call("calculator", f"{trade.quantity} * {trade.price!r}")
    elif kind == "conversion":
        result = plan.call("convert_currency", trade.price, trade.rate)
    else:
        result = plan.call("calculate_tariff", trade.price, trade.tariff)
    return PlanDraft(f"{text} {_ROUNDED}", plan.rounded(result), (kind, trade.key()))


def with_tariffs(plan: Plan) -> PlanDraft:
    """Add tariffs to prices: one to three goods, whose values are added up."""
    trades = [tasks.draw_trade(plan) for _ in range(plan.rng.randint(1, 3))]
    money = plan.rng.choice(tasks.CURRENCIES)
    goods = enumerate_words(
        f"{t.goods} worth {t.price:g} {money} with a tariff of {t.tariff:g}%" for t in trades
    )
    text = plan.say(
        (
            "What is paid for {goods} in the end{sum}?",
            "Add the tariff to each price{sum}: {goods}. What comes out?",
            "A merchant brings {goods} over the border. How much is that with the tariff{sum}?",
        ),
        goods=goods,
        sum=" in all" if len(trades) > 1 else "",
    )
    values = [tasks.with_tariff(plan, Term(t.price, repr(t.price)), t.tariff) for t in trades]
    code = " + ".join(f"{{{i}}}" for i in range(len(values)))
    total = plan.derive(sum(term.value for term in values), code, *values)
    key = ("with tariffs", *(trade.key() for trade in trades))
    return PlanDraft(f"{text} {_ROUNDED}", plan.rounded(total), key)


def converted_value(plan: Plan) -> PlanDraft:
    """Convert a price and add the tariff."""
    trade = tasks.draw_trade(plan)
    text = plan.say(
        (
            "{goods} cost {price:g}, to be converted at {rate:g}; then a tariff of {tariff:g}% "
            "comes on top. What is the final value in {money}?",
            "Convert a price of {price:g} for {goods} to {money} at a rate of {rate:g} and add the "
            "tariff of {tariff:g}%.",
        ),
        goods=trade.goods.capitalize(),
        price=trade.price,
        rate=trade.rate,
        tariff=trade.tariff,
        money=plan.rng.choice(tasks.CURRENCIES),
    )
    converted = plan.call("convert_currency", trade.price, trade.rate)
    value = tasks.with_tariff(plan, converted, trade.tariff)
    return PlanDraft(f"{text} {_ROUNDED}", plan.rounded(value), ("converted", trade.key()))


def best_of_offers(plan: Plan) -> PlanDraft:
    """Find the highest or lowest of some offers, each of which has to be worked out."""
    trades = [tasks.draw_trade(plan) for _ in range(plan.rng.randint(2, 5))]
    tool, extreme = plan.rng.choice((("find_maximum", "highest"), ("find_minimum", "lowest")))
    converts = plan.rng.random() < 0.5
    if converts:
        offers = enumerate_words(
            f"{t.price:g} for {t.goods} at a rate of {t.rate:g}" for t in trades
        )
    else:
        offers = enumerate_words(f"{t.quantity} units of {t.goods} at {t.price:g}" for t in trades)
    text = plan.say(
        (
            "Which is the {extreme} amount{how}: {offers}?",
            "There are {n} offers: {offers}. Answer the {extreme} of the amounts{how}.",
            "Compare {offers}. What is the {extreme} amount{how}?",
        ),
        extreme=extreme,
        n=len(trades),
        how=" after conversion" if converts else "",
        offers=offers,
    )
    values = [
        plan.call("convert_currency", t.price, t.rate)
        if converts
        else plan.call("calculator", f"{t.quantity} * {t.price!r}")
        for t in trades
    ]
    key = (extreme, converts, *(trade.key() for trade in trades))
    answer = plan.rounded(plan.call(tool, *values))
    return PlanDraft(f"{text} {_ROUNDED}", answer, key)


def product_converted(plan: Plan) -> PlanDraft:
    """Convert the price of one to three lots of goods."""
    trades = [tasks.draw_trade(plan) for _ in range(plan.rng.randint(1, 3))]
    money = plan.rng.choice(tasks.CURRENCIES)
    lots = enumerate_words(
        f"{t.quantity} units of {t.goods} at {t.price:g} each (rate {t.rate:g})" for t in trades
    )
    text = plan.say(
        (
            "What are {lots} worth in {money}{sum}?",
            "Convert the price of {lots} to {money}{sum}.",
            "How many {money} does one get for {lots}{sum}?",
        ),
        lots=lots,
        money=money,
        sum=", added up" if len(trades) > 1 else "",
    )
    values = [
        plan.call(
            "convert_currency", plan.call("calculator", f"{t.quantity} * {t.price!r}"), t.rate
        )
        for t in trades
    ]
    code = " + ".join(f"{{{i}}}" for i in range(len(values)))
    total = plan.derive(sum(term.value for term in values), code, *values)
    key = ("lots", *(trade.key() for trade in trades))
    return PlanDraft(f"{text} {_ROUNDED}", plan.rounded(total), key)


def gain(plan: Plan) -> PlanDraft:
    """Subtract what was spent from the final value of a trade."""
    trade = tasks.draw_trade(plan, discount=plan.rng.random() < 0.4)
    spent = plan.rng.randint(100, 90_000) / 100
    text = plan.say(
        (
            "A trader spent {spent:g} and sells {trade}. By how much does the final value exceed "
            "what was spent? It may be negative.",
            "Work out the final value of {trade}. Then subtract {spent:g} for expenses.",
            "Expenses of {spent:g} have to be taken off the final value of {trade}. What is left?",
        ),
        spent=spent,
        trade=trade.words(),
    )
    value = tasks.final_value_of(plan, trade)
    expression = plan.derive(f"{value.value!r} - {spent!r}", f"f'{{{{{{0}}}}}} - {spent!r}'", value)
    answer = plan.rounded(plan.call("calculator", expression))
    return PlanDraft(f"{text} {_ROUNDED}", answer, ("gain", spent, trade.key()))


KINDS: Kinds = {
    one_step: (1,),
    with_tariffs: (2, 4, 6),
    converted_value: (3,),
    best_of_offers: (3, 4, 5, 6),
    product_converted: (2, 4, 6),
    gain: (5,),
    tasks.final_value: (4,),
    tasks.best_market: (6,),
    tasks.lowest_tariff: (6,),
}
"""The kinds of tasks -> the numbers of calls that they can have."""


def draft(x: Explorer, calls: int) -> Draft:
    """Draw the draft of a task; see `draft_of_kinds`."""
    return draft_of_kinds(x, KINDS, calls)
