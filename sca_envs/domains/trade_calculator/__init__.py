"""The trade calculator: prices, exchange rates, discounts and tariffs.

Its six tools behave as M3ToolEval's; tool descriptions and generated tasks are our own.
"""

from __future__ import annotations

from sca_envs.core.tools import toolset
from sca_envs.domains.m3.family import family
from sca_envs.domains.m3.generated import Recipe
from sca_envs.domains.m3.values import show
from sca_envs.domains.trade_calculator import tools
from sca_envs.domains.trade_calculator.sampling import sample_argument
from sca_envs.domains.trade_calculator.tasks import KINDS

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
    recipe=Recipe("trade_calculator", TOOLS, KINDS),
    sample_argument=sample_argument,
)
"""What the domain is made of."""
