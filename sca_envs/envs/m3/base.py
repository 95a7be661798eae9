"""What the environments of M3ToolEval's families have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any

from sca_envs.core.task import Task, TaskSet
from sca_envs.core.users import User
from sca_envs.domains.m3 import ORIGINAL, ORIGINAL_SPLIT
from sca_envs.domains.m3.answers import answer_verifier, default_check
from sca_envs.domains.spec import SPLITS
from sca_envs.envs.tool_use import ToolUseEnv


class M3Env(ToolUseEnv):
    """A family's questions, whose final answers are checked; wrong ones may be followed by others.

    Args:
        data: ``generated``, ``generated:SEED``, or ``m3tooleval``.
        split: Which tasks; by default ``train`` of generated data and ``test``, the only one, of
            the original.
        tasks: Instead of a split: a task set, tasks, or the path of a task file.
        num_tasks: Draw from the first so many tasks only.
        user: Who answers plain replies; see `ToolUseEnv`. Nobody does by default.
        action_format: How a turn is written: a name in `sca_envs.core.formats.FORMATS`.
        check: How answers are checked: ``original`` or ``tolerant``; by default as suits the data.
        max_turns: Most actions in an episode.
        render_mode: ``ansi``, ``human`` or None.

    Raises:
        OptionError: If an option has a value that is not allowed.
        DataNotInstalledError: If the data set was not imported yet.
        TaskFileError: If the task file is broken; the message names the line.
    """

    def __init__(
        self,
        *,
        data: str = "generated",
        split: str | None = None,
        tasks: TaskSet | Iterable[Task] | str | PathLike[str] | None = None,
        num_tasks: int | None = None,
        user: str | User | Callable[[], User] = "none",
        action_format: str = "json",
        check: str | None = None,
        max_turns: int = 10,
        render_mode: str | None = None,
    ) -> None:
        if split is None:
            split = _default_split(data)
        super().__init__(
            data=data,
            split=split,
            tasks=tasks,
            num_tasks=num_tasks,
            user=user,
            action_format=action_format,
            max_turns=max_turns,
            render_mode=render_mode,
        )
        self._verifier = answer_verifier(default_check(data) if check is None else check)

    @classmethod
    def resolve_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options with the defaults of those that are left out or None."""
        resolved = super().resolve_options(options)
        if resolved["split"] is None and resolved["tasks"] is None:
            resolved["split"] = _default_split(resolved["data"])
        if resolved["check"] is None:
            resolved["check"] = default_check(resolved["data"])
        return resolved


def _default_split(data: str) -> str:
    return ORIGINAL_SPLIT if data == ORIGINAL else SPLITS[0]
