"""Running an agent's code: the protocol that an episode needs and a sandbox fulfils."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from sca_envs.core.actions import LoggedCall

if TYPE_CHECKING:
    from sca_envs.core.episode import Episode


class CodeOutput(NamedTuple):
    """What came of an agent's code."""

    printed: str
    """What it printed, a traceback included if it failed."""
    calls: tuple[LoggedCall, ...] = ()
    """The tool calls that it made, in order."""
    answer: str | None = None
    """What it answered, if it called ``answer``."""


class CodeRunner(Protocol):
    """Runs the code of an agent's turns; names live on from turn to turn of an episode.

    Episodes that fork share their runner. What it keeps between turns it therefore keeps by
    episode, and rebuilds from `Episode.transcript` (the sources of the earlier turns) for an
    episode that it does not know or whose transcript went back.
    """

    def run(self, episode: Episode, source: str) -> CodeOutput:
        """Run code whose globals have the domain's tools, on the episode's database.

        It never raises for what the code does.

        Args:
            episode: The episode; the tools' writes go to its database and nothing else of it is
                changed.
            source: Python code.
        """
        ...
