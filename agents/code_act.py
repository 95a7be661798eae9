"""CodeAct (Wang et al., 2024): the model acts by writing Python that calls the tools.

For environments with ``action_format="python"``, or ``"m3-code"`` in M3ToolEval's own words.
"""

from __future__ import annotations

import re
from typing import Any

from sca_envs import ChatAgent, OptionError
from sca_envs.agents import ChatModel

_BLOCK = re.compile(r"^[ \t]*```[ \t]*(?:python|py)?[ \t]*\n.*?^[ \t]*```[ \t]*$", re.M | re.S)


class CodeActAgent(ChatAgent):
    """Writes Python; the environment runs it in the sandbox.

    Args:
        model: A chat model, or the name of one behind an endpoint; by default ``SCA_MODEL``.
        format: ``python`` or ``m3-code``, where the info does not say it.
        options: Further options of `ChatAgent`.
    """

    def __init__(
        self, model: ChatModel | str | None = None, *, format: str = "python", **options: Any
    ) -> None:
        super().__init__(model, native=False, format=format, **options)

    def check_format(self, name: str) -> None:
        """Check that turns of the environment may be Python."""
        if name not in ("python", "m3-code"):
            raise OptionError(
                f"Expected the action format 'python' or 'm3-code' for CodeAct; got {name!r}. Make "
                'the environment with action_format="python"'
            )

    def extract_turn(self, text: str) -> str:
        """Return the text up to the end of the first block; what follows is a made-up output."""
        block = _BLOCK.search(text)
        return text if block is None else text[: block.end()]
