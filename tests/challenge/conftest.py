"""A lab for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sca_envs.challenge.lab import LIMITS, Lab
from sca_envs.sandbox import SandboxUnavailableError


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab that gives up sooner on code that never ends."""
    try:
        made = Lab(limits=replace(LIMITS, cpu_seconds=0.5))
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    with made:
        yield made
