"""The web browser: a small website of items, people and articles behind a five-line window.

Its six tools behave as M3ToolEval's; tool descriptions, pages and generated tasks are our own.
"""

from __future__ import annotations

from pathlib import Path

from sca_envs.core.tools import toolset
from sca_envs.core.wishes import Wordings
from sca_envs.domains.m3.book import PlanBook
from sca_envs.domains.m3.family import family
from sca_envs.domains.m3.original import read_pages
from sca_envs.domains.m3.values import show
from sca_envs.domains.spec import Tables
from sca_envs.domains.web_browsing import tools, world
from sca_envs.domains.web_browsing.sampling import sample_argument
from sca_envs.domains.web_browsing.tasks import DRAFTS, TASKS

TOOLS = toolset(
    tools.click_url,
    tools.go_to_previous_page,
    tools.scroll_down,
    tools.scroll_up,
    tools.view,
    tools.calculator,
    show=show,
)
"""The tools, in the original's order."""


def read_world(folder: Path) -> Tables:
    """Return the original's pages, and a browser at the start."""
    return {"pages": read_pages(folder), "browser": tools.start()}


SPEC = family(
    package=__name__,
    original="web_browsing",
    plans=PlanBook(
        domain="web_browsing",
        tools=TOOLS,
        tasks=TASKS,
        drafts=DRAFTS,
        wordings=Wordings.read(__name__),
        stateful=True,
        tables=("items", "people", "articles"),
    ),
    sample_argument=sample_argument,
    build_world=world.build,
    read_world=read_world,
    view_tables=frozenset({"browser"}),
    scored_view_fields=frozenset({"/browser/state/page", "/browser/state/scroll"}),
)
"""What the domain is made of."""
