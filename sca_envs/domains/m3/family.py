"""What the specs of M3ToolEval's families have in common."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sca_envs.core.database import Database
from sca_envs.core.domain import ArgumentSampler
from sca_envs.core.tools import Tool
from sca_envs.data.m3tooleval import ROOT
from sca_envs.data.paths import require
from sca_envs.domains.m3 import ORIGINAL, ORIGINAL_SPLIT
from sca_envs.domains.m3.answers import answer_verifier, default_check
from sca_envs.domains.m3.book import PlanBook
from sca_envs.domains.m3.generated import GeneratedTasks
from sca_envs.domains.m3.original import read_tasks
from sca_envs.domains.m3.values import show_output
from sca_envs.domains.spec import DomainSpec, Original, Tables, no_tables


def call_unchecked(tool: Tool, database: Database, arguments: dict[str, Any]) -> Any:
    """Carry out a tool call of an agent's code on whatever arguments it gave, as the original."""
    return tool.function(database, *tool.order(arguments))


def family(
    package: str,
    original: str,
    plans: PlanBook,
    sample_argument: ArgumentSampler,
    *,
    read_world: Callable[[Path], Tables] = no_tables,
    **options: Any,
) -> DomainSpec:
    """Return the spec of a family.

    Args:
        package: The domain's package, which has a ``policy.md`` in our words.
        original: The original's name of the family.
        plans: What generated tasks are about, and the tools.
        sample_argument: Draws plausible arguments.
        read_world: Reads the original's tables from the data set's folder.
        options: Further fields of `DomainSpec`.
    """
    return DomainSpec(
        name=plans.domain,
        package=package,
        tools=plans.tools,
        tasks=functools.partial(GeneratedTasks, plans),
        wishes=plans,
        sample_argument=sample_argument,
        verifier=answer_verifier(default_check("generated")),
        show_output=show_output,
        call_from_code=call_unchecked,
        originals={
            ORIGINAL: Original(
                locate=functools.partial(require, ORIGINAL, ROOT),
                splits=(ORIGINAL_SPLIT,),
                read_tasks=functools.partial(read_tasks, plans.domain, original),
                read_world=read_world,
                verifier=answer_verifier(default_check(ORIGINAL)),
            )
        },
        **options,
    )
