"""The retail domain of tau-bench as an environment."""

from __future__ import annotations

from typing import ClassVar

from sca_envs.envs.tool_use import ToolUseEnv


class TauRetailEnv(ToolUseEnv):
    """Serve a customer of an online store by chat and tools.

    ## Description
    A customer wants something: to cancel or change a pending order, to return or exchange items of a
    delivered one, to change an address, to learn something, or something that the store's policy
    forbids. The agent finds out who the customer is and what they want, looks things up, asks for
    confirmation, and acts. It has 16 tools over a database of 500 customers, 50 product types and
    1000 orders. The rules are in `info["policy"]`.

    Tools, their checks and what they leave in the database are those of tau-bench retail (Yao et al.,
    2024, arXiv:2406.12045). Customers, products, tasks and policy text are generated or our own;
    `data="tau-bench"` and `data="tau2"` run the original tasks on the original data.

    ## Action Space
    A string: one assistant turn. In the default format a JSON object
    `{"name": "get_order_details", "arguments": {"order_id": "#W1234567"}}` calls a tool, and any
    other text is said to the customer. The tools' schemas are in `info["tools"]`.
    `action_space.sample()` draws valid calls with ids that exist.

    ## Observation Space
    A string: the newest text that the agent reads, which is a tool's result or the customer's answer.
    What an agent did wrong is an observation that begins with `Error:` and uses up a turn.
    `sca_envs.ChatMessages` gives the whole conversation as chat messages instead.

    ## Rewards
    0 until the end. Then 1 if the database equals the one that the reference actions leave and the
    agent said every required output, else 0. `info["reward_components"]` has both parts.
    `sca_envs.DenseReward` adds a potential that leaves the optimal policy unchanged.

    ## Starting State
    The database in its initial state and the customer's first message. `reset(seed=…)` draws the
    task; `reset(options={"task": id or index})` chooses it.

    ## Episode End
    Terminated when the customer stops (`user_stop`), after `transfer_to_human_agents` (`transfer`),
    and with `user="none"` after the first reply (`answered`). Truncated, with reward 0, after
    `max_turns` actions. `info["termination_reason"]` says which.

    ## Arguments
    ```python
    import gymnasium as gym
    import sca_envs

    env = gym.make("sca/TauRetail-v0", split="test", user="none", max_turns=20)
    ```

    | argument | default | meaning |
    |---|---|---|
    | `data` | `"generated"` | `"generated"`, `"generated:SEED"`, `"tau-bench"` or `"tau2"` |
    | `split` | `"train"` | generated: `train`, `test`; tau-bench: `test`, `train`, `dev`, and `test-clean`, `train-clean` without the tasks whose reference is known to be wrong; tau2: `train`, `test` |
    | `tasks` | `None` | instead of a split: a task set, tasks, or the path of a task file |
    | `num_tasks` | `None` | draw from the first so many tasks only |
    | `user` | `"scripted"` | `"scripted"`, `"none"`, or an object with `reset(task, seed)` and `respond(message)` |
    | `action_format` | `"json"` | `"json"`, `"hermes"` or `"python"` |
    | `max_turns` | `30` | most actions in an episode |
    | `render_mode` | `None` | `"ansi"` or `"human"` |

    ## Version History
    - v0: first version.
    """  # noqa: E501 (a table row is a line)

    domain_name: ClassVar[str] = "tau_retail"
