"""The environments of M3ToolEval's families."""

from sca_envs.envs.m3.base import M3Env
from sca_envs.envs.m3.calculation import M3CalculationEnv
from sca_envs.envs.m3.dna_sequencer import M3DnaSequencerEnv
from sca_envs.envs.m3.message_decoder import M3MessageDecoderEnv
from sca_envs.envs.m3.trade_calculator import M3TradeCalculatorEnv
from sca_envs.envs.m3.travel_planning import M3TravelPlanningEnv
from sca_envs.envs.m3.web_browsing import M3WebBrowsingEnv

__all__ = [
    "M3CalculationEnv",
    "M3DnaSequencerEnv",
    "M3Env",
    "M3MessageDecoderEnv",
    "M3TradeCalculatorEnv",
    "M3TravelPlanningEnv",
    "M3WebBrowsingEnv",
]
