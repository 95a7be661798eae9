"""The local engine: one worker, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sca_envs.bench.evaluating.recording import Finished, Job
from sca_envs.bench.evaluating.worker import WorkerSpec, play_all
from sca_envs.core.errors import OptionError


class LocalEngine:
    """Plays one episode after the other, or a batch at once if the agent is a batched one.

    Args:
        workers: 1.

    Raises:
        OptionError: If it is another number.
    """

    def __init__(self, workers: int = 1) -> None:
        if workers != 1:
            raise OptionError(
                f"Expected 1 worker for the engine 'local', got {workers}; take the engine "
                "'process' or 'thread' for more"
            )

    def run(self, spec: WorkerSpec, jobs: Sequence[Job]) -> Iterator[Finished]:
        """Play every job once; see `Engine.run`."""
        yield from play_all(spec, iter(jobs))
