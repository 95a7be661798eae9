"""The travel planner: flights, hotels and what trips cost.

Its six tools behave as M3ToolEval's; tool descriptions, places, flights, hotels and generated tasks
are our own.
"""

from __future__ import annotations

from sca_envs.core.tools import toolset
from sca_envs.core.wishes import Wordings
from sca_envs.domains.m3.book import PlanBook
from sca_envs.domains.m3.family import family
from sca_envs.domains.m3.original import read_travel
from sca_envs.domains.m3.values import show
from sca_envs.domains.travel_planning import tools, world
from sca_envs.domains.travel_planning.sampling import sample_argument
from sca_envs.domains.travel_planning.tasks import DRAFTS, TASKS

TOOLS = toolset(
    tools.find_flights,
    tools.book_hotel,
    tools.budget_calculator,
    tools.max,
    tools.min,
    tools.sum,
    show=show,
)
"""The tools, in the original's order."""

SPEC = family(
    package=__name__,
    original="travel_itinerary_planning",
    plans=PlanBook(
        domain="travel_planning",
        tools=TOOLS,
        tasks=TASKS,
        drafts=DRAFTS,
        wordings=Wordings.read(__name__),
        similar={"min": "max", "max": "min"},
        builtins=("max", "min"),
    ),
    sample_argument=sample_argument,
    build_world=world.build,
    read_world=read_travel,
    code_prelude="del max, min",  # which leaves Python's own, with `key` and all
)
"""What the domain is made of."""
