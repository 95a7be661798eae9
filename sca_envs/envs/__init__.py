"""Gymnasium environments: thin views of the kernel's `Episode`."""

from sca_envs.envs.m3 import (
    M3CalculationEnv,
    M3DnaSequencerEnv,
    M3MessageDecoderEnv,
    M3TradeCalculatorEnv,
    M3TravelPlanningEnv,
    M3WebBrowsingEnv,
)
from sca_envs.envs.tau_retail import TauRetailEnv
from sca_envs.envs.tool_use import ToolUseEnv

__all__ = [
    "M3CalculationEnv",
    "M3DnaSequencerEnv",
    "M3MessageDecoderEnv",
    "M3TradeCalculatorEnv",
    "M3TravelPlanningEnv",
    "M3WebBrowsingEnv",
    "TauRetailEnv",
    "ToolUseEnv",
]
