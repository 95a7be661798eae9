"""The environments that Gymnasium knows after ``import sca_envs``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import gymnasium as gym

from sca_envs.core.errors import OptionError

if TYPE_CHECKING:
    from sca_envs.envs.tool_use import ToolUseEnv

ENVIRONMENTS: dict[str, str] = {
    "sca/TauRetail-v0": "sca_envs.envs.tau_retail:TauRetailEnv",
    "sca/TauAirline-v0": "sca_envs.envs.tau_airline:TauAirlineEnv",
    "sca/M3MessageDecoder-v0": "sca_envs.envs.m3.message_decoder:M3MessageDecoderEnv",
    "sca/M3DnaSequencer-v0": "sca_envs.envs.m3.dna_sequencer:M3DnaSequencerEnv",
    "sca/M3TradeCalculator-v0": "sca_envs.envs.m3.trade_calculator:M3TradeCalculatorEnv",
    "sca/M3TravelPlanning-v0": "sca_envs.envs.m3.travel_planning:M3TravelPlanningEnv",
    "sca/M3WebBrowsing-v0": "sca_envs.envs.m3.web_browsing:M3WebBrowsingEnv",
    "sca/M3Calculation-v0": "sca_envs.envs.m3.calculation:M3CalculationEnv",
    "sca/CodeAsTask-v0": "sca_envs.envs.code_as_task:CodeAsTaskEnv",
    "sca/TauRetailChallenger-v0": "sca_envs.envs.challenger:TauRetailChallengerEnv",
    "sca/TauAirlineChallenger-v0": "sca_envs.envs.challenger:TauAirlineChallengerEnv",
    "sca/M3MessageDecoderChallenger-v0": "sca_envs.envs.challenger:M3MessageDecoderChallengerEnv",
    "sca/M3DnaSequencerChallenger-v0": "sca_envs.envs.challenger:M3DnaSequencerChallengerEnv",
    "sca/M3TradeCalculatorChallenger-v0": "sca_envs.envs.challenger:M3TradeCalculatorChallengerEnv",
    "sca/M3TravelPlanningChallenger-v0": "sca_envs.envs.challenger:M3TravelPlanningChallengerEnv",
    "sca/M3WebBrowsingChallenger-v0": "sca_envs.envs.challenger:M3WebBrowsingChallengerEnv",
}
"""Environment id -> entry point, as text so that importing the package loads no domain."""


def check_id(env_id: str) -> None:
    """Complain about what is not the id of an environment of ours.

    Raises:
        OptionError: If it is none.
    """
    if env_id not in ENVIRONMENTS:
        raise OptionError(
            f"Expected an environment out of {', '.join(ENVIRONMENTS)}; got {env_id!r}"
        )


def environment_class(env_id: str) -> type[ToolUseEnv]:
    """Return the class of an environment; its data is not needed.

    Raises:
        OptionError: If there is no such environment.
    """
    check_id(env_id)
    module, _, name = ENVIRONMENTS[env_id].partition(":")
    found: type[ToolUseEnv] = getattr(importlib.import_module(module), name)
    return found


def register_all() -> None:
    """Register every environment with Gymnasium."""
    for env_id, entry_point in ENVIRONMENTS.items():
        if env_id not in gym.registry:
            gym.register(
                id=env_id,
                entry_point=entry_point,
                vector_entry_point=f"sca_envs.envs.vector:{env_id}",
            )
