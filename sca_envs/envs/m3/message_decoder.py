"""The message decoder of M3ToolEval as an environment."""

from __future__ import annotations

from typing import ClassVar

from sca_envs.envs.m3.base import M3Env


class M3MessageDecoderEnv(M3Env):
    """Uncover hidden messages.

    ## Description
    Messages were written in hexadecimal notation, reversed, and moved along the alphabet, step by
    step. The agent undoes the steps with six tools, and answers a message, the length of one, or a
    number.

    Tools, action formats and answer checking are those of M3ToolEval (Wang et al., 2024,
    arXiv:2402.01030). Tasks and tool descriptions are generated or our own; `data="m3tooleval"`
    runs the 8 original tasks.

    ## Action Space
    A string: one assistant turn. In the default format a JSON object `{"name": "caesar_decode",
    "arguments": {"message": "fdw", "shift": 3}}` calls a tool, and `{"name": "answer",
    "arguments": {"content": "42"}}` gives the final answer. With `action_format="m3-text"` these
    read `Action: caesar_decode, fdw, 3 End Action` and `Answer: 42`; `m3-json` and `m3-code` are
    the benchmark's two other formats. The tools' schemas are in `info["tools"]`.
    `action_space.sample()` draws valid calls.

    ## Observation Space
    A string: a tool's result as Python prints it, or what was wrong with the turn. In the formats
    `json` and `hermes` that begins with `Error:`; the `m3` formats have the benchmark's own texts.

    ## Rewards
    0 until the end; 1 for the right answer. Wrong answers cost a turn each and nothing else.

    ## Starting State
    The whole task is the first observation; the tools keep no state. `reset(seed=…)` draws the
    task; `reset(options={"task": id or index})` chooses it.

    ## Episode End
    Terminated after the right answer (`answered`). Truncated, with reward 0, after `max_turns`
    actions. `info["termination_reason"]` says which.

    ## Arguments
    ```python
    import gymnasium as gym
    import sca_envs

    env = gym.make("sca/M3MessageDecoder-v0", split="test", action_format="m3-text")
    ```

    | argument | default | meaning |
    |---|---|---|
    | `data` | `"generated"` | `"generated"`, `"generated:SEED"` or `"m3tooleval"` |
    | `split` | `None` | generated: `train` (the default), `test`; m3tooleval: `test` |
    | `tasks` | `None` | instead of a split: a task set, tasks, or the path of a task file |
    | `num_tasks` | `None` | draw from the first so many tasks only |
    | `user` | `"none"` | who answers plain replies: an object with `reset(task, seed)` and `respond(message)`; nobody by default |
    | `action_format` | `"json"` | `"json"`, `"hermes"`, `"python"`, `"m3-text"`, `"m3-json"` or `"m3-code"` |
    | `check` | `None` | `"original"` checks answers as the benchmark does, accidental rules included (the default for m3tooleval); `"tolerant"` compares numbers and texts (the default for generated tasks) |
    | `max_turns` | `10` | most actions in an episode |
    | `render_mode` | `None` | `"ansi"` or `"human"` |

    ## Version History
    - v0: first version.
    """  # noqa: E501 (a table row is a line)

    domain_name: ClassVar[str] = "message_decoder"
