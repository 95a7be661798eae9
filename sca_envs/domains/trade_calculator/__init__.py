"""The trade calculator: prices, exchange rates, discounts and tariffs.

Its six tools behave as M3ToolEval's; tool descriptions and generated tasks are our own.
"""

from __future__ import annotations

from sca_envs.core.tools import toolset
from sca_envs.core.wishes import Wordings
from sca_envs.domains.m3.book import PlanBook
from sca_envs.domains.m3.family import family
from sca_envs.domains.m3.values import show
from sca_envs.domains.trade_calculator import tools
from sca_envs.domains.trade_calculator.sampling import sample_argument
from sca_envs.domains.trade_calculator.tasks import DRAFTS, TASKS

TOOLS = toolset(
    tools.convert_currency,
    tools.calculate_tariff,
    tools.estimate_final_value,
    tools.calculator,
    tools.find_minimum,
    tools.find_maximum,
    show=show,
)
"""The tools, in the original's order."""

SPEC = family(
    package=__name__,
    original="trade_calculator",
    plans=PlanBook(
        domain="trade_calculator",
        tools=TOOLS,
        tasks=TASKS,
        drafts=DRAFTS,
        wordings=Wordings.read(__name__),
        similar={
            "find_minimum": "find_maximum",
            "find_maximum": "find_minimum",
            "convert_currency": "calculate_tariff",
            "calculate_tariff": "convert_currency",
        },
    ),
    sample_argument=sample_argument,
)
"""What the domain is made of."""
