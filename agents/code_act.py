"""CodeAct (Wang et al., 2024): the model acts by writing Python that calls the tools.

For environments with ``action_format="python"``, or ``"m3-code"`` in M3ToolEval's own words.
"""

from __future__ import annotations

import re
from typing import Any

from agents.chat import ChatAgent
from agents.endpoint import ChatModel
from sca_envs import OptionError

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

    def _check_format(self, name: str) -> None:
        if name not in ("python", "m3-code"):
            raise OptionError(
                f"Expected the action format 'python' or 'm3-code' for CodeAct; got {name!r}. Make "
                'the environment with action_format="python"'
            )

    def _extract(self, text: str) -> str:
        """Return the text up to the end of the first block; what follows is a made-up output."""
        block = _BLOCK.search(text)
        return text if block is None else text[: block.end()]
