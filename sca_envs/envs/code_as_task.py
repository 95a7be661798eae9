"""Tasks that were made by a challenger, as an environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any

import gymnasium as gym

from sca_envs.challenge.files import load_code_tasks
from sca_envs.challenge.task import CodeAsTask, VerifiedTask
from sca_envs.challenge.verifier import CodeVerifier, shared_lab
from sca_envs.core.actions import Action, Answer, Code, ToolCall
from sca_envs.core.domain import Domain
from sca_envs.core.errors import OptionError, shorten
from sca_envs.core.formats import CODE_FORMATS
from sca_envs.core.task import Task, TaskSet, TaskSource
from sca_envs.core.users import User
from sca_envs.domains import domain as find_domain
from sca_envs.envs.options import DomainOption, runner_for
from sca_envs.envs.registration import id_of_domain
from sca_envs.envs.tool_use import ToolUseEnv

_Given = CodeAsTask | VerifiedTask
"""Evaluations and trainers hand tasks of episodes around."""


class CodeAsTaskEnv(ToolUseEnv):
    """Fulfil tasks that a challenger made; their own code judges.

    ## Description
    The second half of "Self-Challenging Language Model Agents" (Zhou et al., 2025,
    arXiv:2506.01716): an agent learns from tasks that an agent made. Each task is about one of the
    suite's domains, whose tools the agent has; its verification function decides about the reward.
    Task sets come from `sca challenge`, from a challenger environment's `info["accepted"]`, or from
    any file in the format. Without any, tasks are made on the fly by the procedural challenger, and
    pass their own tests before they are used.

    ## Action Space
    One turn of the agent as text, at most 100,000 characters. In the default format `json` an
    object such as `{"name": "get_order_details", "arguments": {"order_id": "#W1"}}` is a tool call,
    and `{"name": "answer", "arguments": {"content": "42"}}` is the final answer, which ends the
    episode. In the format `python` a block of code is run with the tools as functions, and
    `answer(value)` in it ends the episode. `m3-text` cannot write every argument. `sample()` draws
    valid tool calls.

    ## Observation Space
    The newest text that the agent reads. At first that is the task's instruction.

    ## Rewards
    At the end of the episode 1.0 if the task's `verify(answer)` returns `True`, else 0.0; before
    that 0.0. `answer` is the last thing that the agent answered or said. `reward_components` has
    `verify`.

    ## Starting State
    Without a choice, the task is drawn from all; `options={"task": id or index}` chooses it. The
    data is that which the task was made on, checked by its digest.

    ## Episode End
    Terminated by an answer (`answered`), by a plain reply where there is no user, by the user
    (`user_stop`), or by a tool that ends the conversation (`transfer`). Truncated after
    `max_turns` actions, with reward 0. If the verification function fails instead of giving a
    verdict, `termination_reason` is `verifier_error`.

    ## Arguments
    ```python
    import gymnasium as gym
    import sca_envs

    env = gym.make("sca/CodeAsTask-v0", domain="tau_airline")
    observation, info = env.reset(seed=7)
    ```

    | argument | default | meaning |
    |---|---|---|
    | `tasks` | `None` | Code-as-Tasks (or what their `to_task()` gives), or the path of a file or folder of them; None makes them on the fly |
    | `domain` | `"tau_retail"` | without `tasks`: which domain they are made for |
    | `data` | `"generated"` | without `tasks`: the data that they are made on |
    | `split` | `"train"` | without `tasks`: `"train"` or `"test"` |
    | `num_tasks` | `None` | draw from the first so many tasks only |
    | `user` | `"none"` | `"none"` gives the whole instruction at once, `"scripted"` piece by piece; or an object with `reset(task, seed)` and `respond(message)` |
    | `action_format` | `"json"` | `"json"`, `"hermes"`, `"python"`, `"m3-text"`, `"m3-json"` or `"m3-code"` |
    | `max_turns` | `30` | most actions in an episode |
    | `render_mode` | `None` | `"ansi"` or `"human"` |

    ## Version History
    - v0: first version.
    """  # noqa: E501 (a table row is a line)

    registered_options = ()

    def __init__(
        self,
        *,
        tasks: _Given | Iterable[_Given] | str | PathLike[str] | None = None,
        domain: str | Domain = "tau_retail",
        data: str = "generated",
        split: str = "train",
        num_tasks: int | None = None,
        user: str | User | Callable[[], User] = "none",
        action_format: str = "json",
        max_turns: int = 30,
        render_mode: str | None = None,
    ) -> None:
        self._code_tasks = _read(tasks)
        super().__init__(
            domain=domain,
            data=data,
            split=split,
            num_tasks=num_tasks,
            user=user,
            action_format=action_format,
            max_turns=max_turns,
            render_mode=render_mode,
        )
        self._verifier = CodeVerifier()
        self._code_runner = runner_for(self._format, answers=True)

    @classmethod
    def resolve_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options with the defaults of those that are left out or None."""
        resolved = super().resolve_options(options)
        if resolved["tasks"] is not None:
            resolved["domain"] = None  # each task has its own
        return resolved

    def _find_domains(self, domain: DomainOption, data: str) -> dict[str, Domain]:
        if self._code_tasks is None:
            return super()._find_domains(domain, data)
        domains: dict[str, Domain] = {}
        for task in self._code_tasks:
            _add_domain(domains, task)
        return domains

    def _split(self, split: str) -> TaskSource:
        if self._code_tasks is not None:
            try:
                return TaskSet(map(_as_task, self._code_tasks), "Code-as-Tasks")
            except ValueError as error:  # two with one id
                raise OptionError(f"{error}; give each task an id of its own") from None
        from sca_envs.challenge.endless import ProceduralTasks

        return ProceduralTasks(self.domain, split)

    def reference_actions(self) -> list[Action]:
        """Return the example solution of the present task: its calls, or its code as it is."""
        task = self.episode.task
        assert isinstance(task, VerifiedTask)
        assert task.solution is not None
        if self._format.name in CODE_FORMATS:
            return [Code(task.solution)]
        attempt = shared_lab().attempt(self.episode.domain, task.solution)
        calls = [ToolCall(call.name, call.arguments) for call in attempt.calls]
        return [*calls, Answer(attempt.answer)]


def _read(
    tasks: _Given | Iterable[_Given] | str | PathLike[str] | None,
) -> tuple[_Given, ...] | None:
    if tasks is None:
        return None
    if isinstance(tasks, CodeAsTask | VerifiedTask):
        return (tasks,)
    if isinstance(tasks, str | PathLike):
        domains: dict[str, Domain] = {}
        found = load_code_tasks(tasks, lambda task: _add_domain(domains, task))
        if not found:
            raise OptionError(f"Expected at least one task in {tasks}, found none")
        return tuple(found)
    given: list[Any] = list(tasks)
    for task in given:
        if not isinstance(task, CodeAsTask | VerifiedTask):
            kind = type(task).__name__
            raise OptionError(f"Expected tasks to be Code-as-Tasks, got {kind}")
    return tuple(given)


def _add_domain(domains: dict[str, Domain], task: _Given) -> None:
    """Load the domain of a task, which must be on the data of the others."""
    if isinstance(task, CodeAsTask):
        domain = task.load_domain()
    else:
        domain = find_domain(task.domain, task.data)
    known = domains.setdefault(task.domain, domain)
    if known is not domain:
        raise OptionError(
            f"Expected one set of data for {task.domain}, got {known.data!r} and "
            f"{domain.data!r} (task {task.id!r}); make an environment for each"
        )


def _as_task(task: _Given) -> VerifiedTask:
    return task.to_task() if isinstance(task, CodeAsTask) else task


def make(task: CodeAsTask | Task, **options: Any) -> gym.Env[str, str]:
    """Return the environment of one task.

    Args:
        task: A Code-as-Task, or a task of a domain.
        options: Options of the environment, such as ``user`` or ``action_format``.

    Raises:
        OptionError: If it is no task, its data is not what it was made on, or an option is wrong.
    """
    if not isinstance(task, CodeAsTask | Task):
        raise OptionError(
            f"Expected a CodeAsTask or a Task; got {shorten(task)}. An environment's id is for "
            "gymnasium.make"
        )
    if isinstance(task, CodeAsTask):
        return gym.make("sca/CodeAsTask-v0", tasks=task, disable_env_checker=True, **options)
    options = {"data": task.data, "tasks": [task], **options}
    return gym.make(id_of_domain(task.domain), disable_env_checker=True, **options)
