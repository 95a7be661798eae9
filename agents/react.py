"""ReAct (Yao et al., 2022): the model thinks aloud, then acts, in plain text.

A message is ``Thought: …`` and ``Action: {"name": …, "arguments": …}``; the environment gets the
action alone. It works with any chat model, also with one whose endpoint knows no tools.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sca_envs import ChatAgent, OptionError
from sca_envs.agents import ChatModel, system_prompt

_ACTION = re.compile(r"^[ \t*]*Action:[ \t*]*", re.MULTILINE)
_INVENTED = re.compile(r"^[ \t*]*(?:Observation|Thought|Action|Result of \w+):", re.MULTILINE)
_DECODER = json.JSONDecoder()


class ReActAgent(ChatAgent):
    """Thinks, then acts; for environments with the action format ``json``.

    Args:
        model: A chat model, or the name of one behind an endpoint; by default ``SCA_MODEL``.
        options: Further options of `ChatAgent`.
    """

    def __init__(self, model: ChatModel | str | None = None, **options: Any) -> None:
        super().__init__(model, native=False, **options)

    def check_format(self, name: str) -> None:
        """Check that the environment's action format is ``json``."""
        if name != "json":
            raise OptionError(f"Expected the action format 'json' for ReAct; got {name!r}")

    def make_system_prompt(self, format_name: str, info: dict[str, Any]) -> str:
        """Return the system prompt, which asks for a thought and an action."""
        return system_prompt("react", info)

    def extract_turn(self, text: str) -> str:
        """Return the first action; text without one is said as it is."""
        head = _ACTION.search(text)
        if head is None:
            return text
        action = text[head.end() :].strip()
        if action.startswith("{"):
            try:
                _, end = _DECODER.raw_decode(action)
                return action[:end]  # what follows is a result that the model made up
            except (ValueError, RecursionError):
                pass
        return _INVENTED.split(action, maxsplit=1)[0].strip()
