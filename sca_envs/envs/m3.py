"""The environments of M3ToolEval's families: questions whose answers are checked."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any, NamedTuple

from sca_envs.core.actions import ToolCall
from sca_envs.core.formats import action_format
from sca_envs.core.task import Task, TaskSet
from sca_envs.core.users import User
from sca_envs.domains.m3 import ORIGINAL, ORIGINAL_SPLIT
from sca_envs.domains.m3.answers import answer_verifier, default_check
from sca_envs.domains.spec import SPLITS
from sca_envs.envs.options import DomainOption
from sca_envs.envs.tool_use import ToolUseEnv

_DOCUMENTATION = """{family.title}

    ## Description
    {family.about}

    Tools, action formats and answer checking are those of M3ToolEval (Wang et al., 2024,
    arXiv:2402.01030). Tasks and tool descriptions are generated or our own; `data="m3tooleval"`
    runs the {family.originals} original tasks.

    ## Action Space
    A string: one assistant turn. In the default format the JSON object
    `{json_call}`
    calls a tool, and `{{"name": "answer", "arguments": {{"content": "42"}}}}` gives the final answer.
    With `action_format="m3-text"` these read `{text_call}`
    and `Answer: 42`; `m3-json` and `m3-code` are the benchmark's two other formats. The tools'
    schemas are in `info["tools"]`. `action_space.sample()` draws valid calls.

    ## Observation Space
    A string: a tool's result as Python prints it, or what was wrong with the turn. In the formats
    `json` and `hermes` that begins with `Error:`; the `m3` formats have the benchmark's own texts.

    ## Rewards
    0 until the end; 1 for the right answer. Wrong answers cost a turn each and nothing else.

    ## Starting State
    The whole task is the first observation; {family.start}.
    `reset(seed=…)` draws the task; `reset(options={{"task": id or index}})` chooses it.

    ## Episode End
    Terminated after the right answer (`answered`). Truncated, with reward 0, after `max_turns`
    actions. `info["termination_reason"]` says which.

    ## Arguments
    ```python
    import gymnasium as gym
    import sca_envs

    env = gym.make("{env_id}", split="test", action_format="m3-text")
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


class _Family(NamedTuple):
    """What the documentation of one family says that another's does not."""

    title: str
    about: str
    originals: int
    tool: str
    arguments: dict[str, Any]
    start: str = "the tools keep no state"


_FAMILIES = {
    "message_decoder": _Family(
        "Uncover hidden messages.",
        """Messages were written in hexadecimal notation, reversed, and moved along the alphabet,
    step by step. The agent undoes the steps with six tools, and answers a message, the length of
    one, or a number.""",
        8,
        "caesar_decode",
        {"message": "fdw", "shift": 3},
    ),
    "dna_sequencer": _Family(
        "Study the DNA of plants.",
        """Six tools transcribe DNA to mRNA and back, translate it to amino acids, check it, and
    count its nucleotides. The agent answers chains of amino acids, nucleotides and counts.""",
        8,
        "count_nucleotides",
        {"dna_sequence": "GATTACA"},
    ),
    "trade_calculator": _Family(
        "Work out what trades are worth.",
        """Goods have prices, discounts, exchange rates and tariffs. The agent computes final
    values with six tools, among them a calculator that takes expressions, and compares them.""",
        17,
        "convert_currency",
        {"base_price": 20, "conversion_rate": 1.5},
    ),
    "travel_planning": _Family(
        "Plan trips and work out what they cost.",
        """Two of the six tools list flights between places and hotels with what they offer; the
    others compute. The agent chooses flights and hotels as it is told, and answers the budget.""",
        15,
        "book_hotel",
        {"location": "Castrel", "preferences": ["wifi"]},
        "the tools change nothing",
    ),
    "web_browsing": _Family(
        "Look things up on a website.",
        """A browser shows a website of about a hundred pages, five lines at a time. The agent
    follows links and scrolls with five tools, has a calculator as the sixth, and answers prices,
    names, or how to reach people. In generated websites links lead to every page; on the
    original's one, seven pages that five of its tasks need can only be reached by guessing an
    address.""",
        34,
        "click_url",
        {"url": "/catalog"},
        """the browser stands on the page `/`, with an
    empty history; the agent sees it with `view`""",
    ),
}
_MIXED = _Family(
    "Compute with tools: four families of M3ToolEval together.",
    """The tasks of `sca/M3MessageDecoder-v0`, `sca/M3DnaSequencer-v0`, `sca/M3TradeCalculator-v0`
    and `sca/M3TravelPlanning-v0`, mixed; each comes with the six tools of its family, so
    `info["tools"]` differs from episode to episode. This is what the paper on self-challenging
    agents (Zhou et al., 2025, arXiv:2506.01716) calls Calculation.""",
    48,
    "convert_currency",
    {"base_price": 20, "conversion_rate": 1.5},
)


class M3Env(ToolUseEnv):
    """A family's questions, whose final answers are checked; wrong ones may be followed by others.

    Args:
        domain: The family's domain or its name; or several, whose tasks are mixed.
        data: ``generated``, ``generated:SEED``, or ``m3tooleval``.
        split: Which tasks; by default ``train`` of generated data and ``test``, the only one, of
            the original.
        tasks: Instead of a split: a task set, tasks, or the path of a task file.
        num_tasks: Draw from the first so many tasks only.
        user: Who answers plain replies; see `ToolUseEnv`. Nobody does by default.
        action_format: How a turn is written: a name in `sca_envs.core.formats.FORMATS`.
        check: How answers are checked: ``original`` or ``tolerant``; by default as suits the data.
        max_turns: Most actions in an episode.
        render_mode: ``ansi``, ``human`` or None.

    Raises:
        OptionError: If an option has a value that is not allowed.
        DataNotInstalledError: If the data set was not imported yet.
        TaskFileError: If the task file is broken; the message names the line.
    """

    def __init__(
        self,
        *,
        domain: DomainOption = None,
        data: str = "generated",
        split: str | None = None,
        tasks: TaskSet | Iterable[Task] | str | PathLike[str] | None = None,
        num_tasks: int | None = None,
        user: str | User | Callable[[], User] = "none",
        action_format: str = "json",
        check: str | None = None,
        max_turns: int = 10,
        render_mode: str | None = None,
    ) -> None:
        if split is None:
            split = _default_split(data)
        super().__init__(
            domain=domain,
            data=data,
            split=split,
            tasks=tasks,
            num_tasks=num_tasks,
            user=user,
            action_format=action_format,
            max_turns=max_turns,
            render_mode=render_mode,
        )
        self._verifier = answer_verifier(default_check(data) if check is None else check)

    @property
    def documentation(self) -> str:
        """What there is to know about the environment, as Markdown."""
        names = list(self.domains)
        family = _FAMILIES[names[0]] if len(names) == 1 else _MIXED
        call = ToolCall(family.tool, family.arguments)
        domain = next(one for one in self.domains.values() if family.tool in one.tools)
        text = _DOCUMENTATION.format(
            family=family,
            json_call=json.dumps({"name": family.tool, "arguments": family.arguments}),
            text_call=domain.write(call, action_format("m3-text")),
            env_id="sca/M3Calculation-v0" if self.spec is None else self.spec.id,
        )
        return inspect.cleandoc(text)

    @classmethod
    def resolve_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options with the defaults of those that are left out or None."""
        resolved = super().resolve_options(options)
        if resolved["split"] is None and resolved["tasks"] is None:
            resolved["split"] = _default_split(resolved["data"])
        if resolved["check"] is None:
            resolved["check"] = default_check(resolved["data"])
        return resolved


def _default_split(data: str) -> str:
    return ORIGINAL_SPLIT if data == ORIGINAL else SPLITS[0]
