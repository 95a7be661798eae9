"""Running an agent's code: the protocol that an episode needs and a sandbox fulfils."""

from __future__ import annotations

import os
from typing import NamedTuple, Protocol, TypeVar

from sca_envs.core.actions import LoggedCall

EpisodeT_contra = TypeVar("EpisodeT_contra", contravariant=True)


class CodeOutput(NamedTuple):
    """What came of an agent's code."""

    printed: str
    """What it printed, a traceback included if it failed."""
    calls: tuple[LoggedCall, ...] = ()
    """The tool calls that it made, in order."""
    answer: str | None = None
    """What it answered, if it called ``answer``."""


class CodeRunner(Protocol[EpisodeT_contra]):
    """Runs the code of an agent's turns; names live on from turn to turn of an episode.

    Episodes that fork share their runner. What it keeps between turns it therefore keeps by
    episode, and rebuilds from `Episode.transcript` (the sources of the earlier turns) for an
    episode that it does not know or whose transcript went back.
    """

    def run(self, episode: EpisodeT_contra, source: str) -> CodeOutput:
        """Run code whose globals have the domain's tools, on the episode's database.

        It never raises for what the code does.

        Args:
            episode: The episode; the tools' writes go to its database and nothing else of it is
                changed.
            source: Python code.
        """
        ...


def is_unsafe() -> bool:
    """Return whether SCA_SANDBOX lets code run unconfined; runs and tasks record it."""
    return os.environ.get("SCA_SANDBOX") == "unsafe"
