"""Gymnasium environments: thin views of the kernel's `Episode`."""

from sca_envs.envs.tau_retail import TauRetailEnv
from sca_envs.envs.tool_use import ToolUseEnv

__all__ = ["TauRetailEnv", "ToolUseEnv"]
