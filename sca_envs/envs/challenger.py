"""Making tasks of a domain as an environment."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from sca_envs.challenge.gates import Executor, Gate, standard_gates
from sca_envs.challenge.task import CodeAsTask
from sca_envs.challenge.workshop import SUBMIT, Rules, Workshop, accepted_tasks, workshop
from sca_envs.core.actions import Action, ToolCall
from sca_envs.core.domain import Domain
from sca_envs.core.episode import Episode
from sca_envs.core.users import User
from sca_envs.envs.options import DomainOption
from sca_envs.envs.tool_use import ToolUseEnv

_DOCUMENTATION = """Make tasks of the domain `{domain}`, tested by code, that others can learn from.

    ## Description
    The first half of "Self-Challenging Language Model Agents" (Zhou et al., 2025,
    arXiv:2506.01716). The agent explores the world of `{other}` with its tools, on a scratch copy
    of the state, and writes a task as code: an instruction, a verification function, an example
    solution and at least three failure cases. The gates test it, and say what is wrong, so that it
    can be mended and submitted again. `info["policy"]` explains all of this to the agent, with two
    tasks of another domain as examples; `info["accepted"]` holds the accepted tasks, which
    `sca_envs.make(task)` or `sca/CodeAsTask-v0` turn into environments.

    ## Action Space
    One turn of the agent as text: calls of the domain's tools, and of `submit_task(instruction,
    verify, solution, failures)`. `sample()` draws valid calls; its submissions are flawed.

    ## Observation Space
    The newest text that the agent reads: at first where to begin, then what tools return. After a
    submission that is the gates' report.

    ## Rewards
    At the end 1.0 for an accepted task, times `4p(1-p)` if an executor is attached that solves it
    with rate `p`; otherwise 0.05 for each gate that the best submission passed; 0.0 without a
    submission. With `wanted` above 1 the accepted tasks share the reward. `reward_components` has
    `accepted` (how many), `gates` (what gates are worth) and `difficulty` (the mean factor).

    ## Starting State
    The domain's initial state. Each task of the split names other records to begin from, and a
    number of tool calls to aim at; `options={{"task": id or index}}` chooses it.

    ## Episode End
    Terminated when `wanted` tasks were accepted or all `submissions` are used up (`submitted`), or
    by a plain reply or an answer (`answered`). Truncated after `max_turns` actions, with reward 0.

    ## Arguments
    ```python
    import gymnasium as gym
    import sca_envs

    env = gym.make("{env_id}", submissions=5)
    observation, info = env.reset(seed=7)
    ```

    | argument | default | meaning |
    |---|---|---|
    | `data` | `"generated"` | the data that tasks are made on, as for `{other}` |
    | `split` | `"train"` | which places to begin from: `"train"` or `"test"` |
    | `submissions` | `3` | most submissions in an episode |
    | `wanted` | `1` | number of accepted tasks that ends it |
    | `gates` | `None` | the gates, all but novelty and difficulty; None means `standard_gates()` |
    | `executor` | `None` | a function from a task to the share of attempts that solve it |
    | `known` | `()` | tasks that exist already, so that copies of them are refused |
    | `user` | `"none"` | who answers plain replies: `"none"` ends the episode |
    | `action_format` | `"json"` | `"json"`, `"hermes"` or `"python"` |
    | `max_turns` | `30` | most actions in an episode |
    | `render_mode` | `None` | `"ansi"` or `"human"` |

    ## Version History
    - v0: first version.
    """


class ChallengerEnv(ToolUseEnv):
    """Make tasks of a domain, tested by code; `documentation` says all about it.

    Args:
        domain: The domain, or its name.
        data: The data that tasks are made on.
        split: Which places to begin from: ``train`` or ``test``.
        submissions: Most submissions in an episode.
        wanted: Number of accepted tasks that ends it.
        gates: The gates, all but novelty and difficulty.
        executor: Tries accepted tasks.
        known: Tasks that exist already.
        user: Who answers plain replies; nobody does by default.
        action_format: How a turn is written.
        max_turns: Most actions in an episode.
        render_mode: ``ansi``, ``human`` or None.

    Raises:
        OptionError: If an option has a value that is not allowed.
        DataNotInstalledError: If the data set was not imported yet.
    """

    def __init__(
        self,
        *,
        domain: str | Domain,
        data: str = "generated",
        split: str = "train",
        submissions: int = 3,
        wanted: int = 1,
        gates: tuple[Gate, ...] | None = None,
        executor: Executor | None = None,
        known: tuple[CodeAsTask, ...] = (),
        user: str | User | Callable[[], User] = "none",
        action_format: str = "json",
        max_turns: int = 30,
        render_mode: str | None = None,
    ) -> None:
        chosen = standard_gates() if gates is None else tuple(gates)
        self.rules = Rules(submissions, wanted, chosen, executor, tuple(known))
        super().__init__(
            domain=domain,
            data=data,
            split=split,
            user=user,
            action_format=action_format,
            max_turns=max_turns,
            render_mode=render_mode,
        )

    @property
    def documentation(self) -> str:
        """What there is to know about the environment, as Markdown."""
        env_id = "my/DomainChallenger-v0" if self.spec is None else self.spec.id
        names = {"env_id": env_id, "other": env_id.replace("Challenger-", "-")}
        return inspect.cleandoc(_DOCUMENTATION.format(domain=self.domain.name, **names))

    def _find_domains(self, domain: DomainOption, data: str) -> dict[str, Domain]:
        domains = super()._find_domains(domain, data)
        return {name: workshop(one, self.rules) for name, one in domains.items()}

    def describe_turn(self, episode: Episode) -> dict[str, Any]:
        """Return the part of the `info` that changes from turn to turn."""
        accepted = accepted_tasks(episode.database)
        info = super().describe_turn(episode)
        info["accepted"] = [task.model_dump(mode="json") for task in accepted]
        return info

    @property
    def accepted(self) -> list[CodeAsTask]:
        """The tasks that were accepted in this episode."""
        return accepted_tasks(self.episode.database)

    def reference_actions(self) -> list[Action]:
        """Return the submission of a procedural task that the gates accept."""
        from sca_envs.challenge.endless import accepted_proposal

        episode: Episode = self.episode
        assert isinstance(episode.domain, Workshop)
        number = int(episode.task.id.rpartition("-")[2])
        task = accepted_proposal(episode.domain.made_for, number, self.rules.gates)
        fields = ("instruction", "verify", "solution", "failures")
        arguments = {name: getattr(task, name) for name in fields}
        return [ToolCall(SUBMIT, {**arguments, "failures": list(task.failures)})]
