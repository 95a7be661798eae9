"""Gymnasium environments with verifier-based rewards for tool-using language-model agents.

Importing the package registers its environments with Gymnasium::

    import gymnasium as gym
    import sca_envs

    env = gym.make("sca/TauRetail-v0")
"""

from sca_envs.bench.agents import Agent, NoopAgent, RandomAgent, ReferenceAgent
from sca_envs.bench.checker import check_env
from sca_envs.bench.rollout import Result, play
from sca_envs.core.actions import Action, Answer, Code, Malformed, Reply, ToolCall
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode
from sca_envs.core.errors import (
    DataNotInstalledError,
    OptionError,
    SCAError,
    TaskFileError,
    UnknownTaskError,
)
from sca_envs.core.task import Task, TaskSet
from sca_envs.core.task_files import from_datasets, load_tasks, save_tasks, to_datasets
from sca_envs.core.users import User, UserTurn
from sca_envs.domains import domain
from sca_envs.envs.registration import register_all
from sca_envs.envs.wrappers import ChatMessages, DenseReward

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Agent",
    "Answer",
    "ChatMessages",
    "Code",
    "DataNotInstalledError",
    "DenseReward",
    "Domain",
    "Episode",
    "Malformed",
    "NoopAgent",
    "OptionError",
    "RandomAgent",
    "ReferenceAgent",
    "Reply",
    "Result",
    "SCAError",
    "Task",
    "TaskFileError",
    "TaskSet",
    "ToolCall",
    "UnknownTaskError",
    "User",
    "UserTurn",
    "check_env",
    "domain",
    "from_datasets",
    "load_tasks",
    "play",
    "register_all",
    "save_tasks",
    "to_datasets",
]

register_all()
