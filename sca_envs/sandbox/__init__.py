"""Runs code that a model wrote, with tools as functions, in processes that the kernel confines."""

from sca_envs.sandbox.cache import CodeCache
from sca_envs.sandbox.errors import Reason, SandboxError, SandboxUnavailableError
from sca_envs.sandbox.isolation import Isolation, Level
from sca_envs.sandbox.pool import SandboxPool
from sca_envs.sandbox.results import Job, Limits, Result, SandboxCall, SandboxTool, Tools
from sca_envs.sandbox.sandbox import Sandbox
from sca_envs.sandbox.session import Session

__all__ = [
    "CodeCache",
    "Isolation",
    "Job",
    "Level",
    "Limits",
    "Reason",
    "Result",
    "Sandbox",
    "SandboxCall",
    "SandboxError",
    "SandboxPool",
    "SandboxTool",
    "SandboxUnavailableError",
    "Session",
    "Tools",
]
