"""What GRPOTrainer needs to train on an environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import gymnasium as gym

from sca_envs.bench.evaluating.plan import NUM_TASKS, episode_seed
from sca_envs.core.errors import OptionError
from sca_envs.core.extras import import_extra
from sca_envs.core.task import Task
from sca_envs.envs.challenger import ChallengerEnv
from sca_envs.envs.code_as_task import CodeAsTaskEnv
from sca_envs.envs.registration import check_id
from sca_envs.envs.tool_use import ToolUseEnv
from sca_envs.integrations.trl.episodes import Rollout
from sca_envs.integrations.trl.parsing import prepare
from sca_envs.integrations.trl.rewards import verdict
from sca_envs.integrations.trl.rollouts import RolloutAgent, dialogue_rollout, make_rollout_func
from sca_envs.integrations.trl.tool_methods import tool_rollout

MODES = ("tools", "dialogue")

_HOW = "\n\nCall one tool at a time and read its result before you go on."
_TALK = (
    " Talk to the user by calling `respond`; a message that calls no tool ends the conversation."
)
_ANSWER = " Give the final answer by calling `answer`; nobody reads plain text."

EnvironmentFactory = type[Rollout] | dict[str, type[Rollout]]


class Spec:
    """An environment for `trl.GRPOTrainer`.

    In mode ``tools`` every tool, talking to the user (``respond``) and answering (``answer``) is a
    method of a generated class, which TRL's own loop calls. In mode ``dialogue`` the model writes
    free text in the environment's action format, and `rollout_func` plays the episodes.

    All members of a group have the same row of the data set, hence the same task and the same user.

    Args:
        env_id: Id of the environment.
        split: Which tasks, such as ``train``; not with `tasks` among the `options`.
        mode: ``tools`` or ``dialogue``.
        num_tasks: The first so many tasks; by default all, or 100 where there is no end.
        seed: Fixes the users' randomness.
        agent: In mode ``dialogue``: makes the agent of a trainer, such as `sca_envs.TrainerAgent`.
        options: Further keyword arguments of `gymnasium.make`.

    Raises:
        OptionError: If an option has a value that is not allowed.
        SCAError: If the data or the task file is missing.
    """

    def __init__(
        self,
        env_id: str,
        *,
        split: str | None = None,
        mode: str = "tools",
        num_tasks: int | None = None,
        seed: int = 0,
        agent: Callable[[Any], RolloutAgent] | None = None,
        **options: Any,
    ) -> None:
        if mode not in MODES:
            raise OptionError(f"Expected mode to be {' or '.join(MODES)}; got {mode!r}")
        if (mode == "dialogue") != (agent is not None):
            raise OptionError(
                "Expected an agent in mode 'dialogue' and nowhere else, such as "
                "agent=sca_envs.TrainerAgent"
            )
        self.env_id = env_id
        self.mode = mode
        self.seed = seed
        self._env = _make(env_id, options | ({} if split is None else {"split": split}))
        self._tasks = _first(self._env, num_tasks)
        self._factories = self._make_factories()
        self._rollout_func = make_rollout_func(agent) if agent else None

    @property
    def train_dataset(self) -> Any:
        """A `datasets.Dataset`: ``prompt``, ``task_id``, ``seed``, perhaps ``environment``.

        The prompt's last message is an empty one of the user, which `reset` completes.

        Raises:
            SCAError: If datasets is missing.
        """
        datasets = import_extra("datasets", "trl")
        return datasets.Dataset.from_list(self.rows(isinstance(self.environment_factory, dict)))

    @property
    def environment_factory(self) -> EnvironmentFactory:
        """An environment class, or label -> class where tasks differ in their tools."""
        if len(self._factories) == 1:
            return next(iter(self._factories.values()))
        return dict(self._factories)

    @property
    def reward_funcs(self) -> list[Callable[..., list[float | None]]]:
        """The verifier's reward, see `verdict`."""
        return [verdict]

    @property
    def rollout_func(self) -> Callable[[list[Any], Any], dict[str, Any]] | None:
        """What plays the episodes in mode ``dialogue``; else None, and TRL's loop does."""
        return self._rollout_func

    def prepare(self, tokenizer: Any) -> Any:
        """Return the tokeniser for the trainer, so that malformed tool calls are answered.

        Without it TRL takes such a call for plain text, which ends the rollout; it is counted then,
        but nobody answers it.

        Args:
            tokenizer: Changed in place.
        """
        return prepare(tokenizer) if self.mode == "tools" else tokenizer

    def trainer_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `GRPOTrainer` that this spec fills."""
        arguments: dict[str, Any] = {
            "train_dataset": self.train_dataset,
            "environment_factory": self.environment_factory,
            "reward_funcs": self.reward_funcs,
        }
        if self.rollout_func is not None:
            arguments["rollout_func"] = self.rollout_func
        return arguments

    def rows(self, labelled: bool) -> list[dict[str, Any]]:
        """Return the rows of the data set.

        Args:
            labelled: Whether there is a column ``environment``.
        """
        rows = []
        for task in self._tasks:
            row = {
                "prompt": [
                    {"role": "system", "content": self._system(task)},
                    {"role": "user", "content": ""},
                ],
                "task_id": task.id,
                "seed": episode_seed(self.seed, task.id, 0),
            }
            rows.append(row | ({"environment": self._label(task.domain)} if labelled else {}))
        return rows

    def _system(self, task: Task) -> str:
        policy = self._env.domains[task.domain].policy.strip()
        if self.mode == "dialogue":  # the agent writes its own
            return policy
        talks, answers = self._speech(task.domain)
        return policy + _HOW + _TALK * talks + _ANSWER * answers

    def _make_factories(self) -> dict[str, type[Rollout]]:
        """Return label -> class, one for each domain of the tasks."""
        factories: dict[str, type[Rollout]] = {}
        for domain in dict.fromkeys(task.domain for task in self._tasks):
            label = self._label(domain)
            if self.mode == "dialogue":
                factories[label] = dialogue_rollout(self._env, label)
            else:
                talks, answers = self._speech(domain)
                factories[label] = tool_rollout(
                    self._env, domain, label, talks=talks, answers=answers
                )
        return factories

    def _label(self, domain: str) -> str:
        return self.env_id if len(self._env.domains) == 1 else f"{self.env_id}:{domain}"

    def _speech(self, domain: str) -> tuple[bool, bool]:
        """Return whether tasks of a domain need talking, and whether they need an answer."""
        if isinstance(self._env, CodeAsTaskEnv):
            return False, True  # code wants `answer`, and by default nobody listens
        questions = [task.expected is not None for task in self._tasks if task.domain == domain]
        return not all(questions), any(questions)


def _make(env_id: str, options: dict[str, Any]) -> ToolUseEnv:
    env = gym.make(check_id(env_id), disable_env_checker=True, **options).unwrapped
    if isinstance(env, ChallengerEnv):
        raise OptionError(f"Expected an environment with tasks to solve; got {env_id!r}")
    return cast(ToolUseEnv, env)


def _first(env: ToolUseEnv, number: int | None) -> list[Task]:
    size = env.tasks.size
    if number is None:
        number = NUM_TASKS if size is None else size
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise OptionError(f"Expected num_tasks to be an integer from 1; got {number!r}")
    if size is not None and number > size:
        raise OptionError(f"Expected num_tasks to be at most {size}; got {number}")
    return [env.tasks[index] for index in range(number)]
