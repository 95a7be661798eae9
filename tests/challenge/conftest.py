"""A lab for all tests of a process."""

from __future__ import annotations

import pytest

from sca_envs.challenge.lab import Lab
from sca_envs.challenge.verifier import shared_lab
from sca_envs.sandbox import SandboxUnavailableError


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab that environments share."""
    try:
        return shared_lab()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
