"""What is not installed is named together with the extra that brings it."""

from __future__ import annotations

import sys

import pytest

from sca_envs import SCAError
from sca_envs.agents.endpoint import Endpoint
from sca_envs.agents.hf import HFAgent
from sca_envs.agents.vllm_agent import VLLMAgent


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Make a package as good as not installed."""
    monkeypatch.setitem(sys.modules, request.param, None)


@pytest.mark.parametrize("without", ["openai"], indirect=True)
@pytest.mark.usefixtures("without")
def test_openai() -> None:
    with pytest.raises(SCAError, match=r"openai, .* `pip install 'sca-envs\[agents\]'"):
        Endpoint("toy", "http://localhost")


@pytest.mark.parametrize("without", ["torch"], indirect=True)
@pytest.mark.usefixtures("without")
def test_torch() -> None:
    with pytest.raises(SCAError, match=r"torch, .* `pip install 'sca-envs\[hf\]'"):
        HFAgent("owner/name")


@pytest.mark.parametrize("without", ["vllm"], indirect=True)
@pytest.mark.usefixtures("without")
def test_vllm() -> None:
    with pytest.raises(SCAError, match=r"vllm, .* `pip install 'sca-envs\[vllm\]'"):
        VLLMAgent("owner/name")
