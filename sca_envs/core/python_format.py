"""The action format whose actions are Python code."""

from __future__ import annotations

import ast
import re

from sca_envs.core.actions import Action, Answer, Code, Malformed, PositionalCall, Reply, ToolCall

_SPOKEN: dict[str, type[Reply] | type[Answer]] = {"respond": Reply, "answer": Answer}
_FENCE = re.compile(r"^[ \t]*```[ \t]*(\w*)[ \t]*$", re.MULTILINE)
_LANGUAGES = ("python", "py", "")


class PythonFormat:
    """Code in a Markdown fence is run, with the tools as functions; other text is a reply.

    Variables live on from turn to turn. Text around the code is ignored, and there is one block a
    turn. A block that is nothing but ``respond("…")`` or ``answer("…")`` says that to the user, or
    gives the final answer.
    """

    name = "python"
    positional = False

    def parse(self, text: str) -> Action:
        """Return the action that a text means; never raises."""
        fences = list(_FENCE.finditer(text))
        if not fences or fences[0][1] not in _LANGUAGES:
            return Reply(text)
        if len(fences) == 1:
            return Malformed(text, "Expected a closing ``` after the code")
        if len(fences) > 2:
            return Malformed(text, "Expected at most one block of code a turn")
        source = text[fences[0].end() + 1 : fences[1].start()]
        return _spoken(source) or Code(source)

    def render(self, action: Action) -> str:
        """Return a text that parses to the action; a tool call becomes code that prints it.

        Raises:
            ValueError: If the text of code would close the fence.
        """
        match action:
            case Malformed(text):
                return text
            case Reply(text) if self.parse(text) == action:
                return text
            case Reply(text):
                source = f"respond({text!r})"
            case Answer(text):
                source = f"answer({text!r})"
            case ToolCall(name, arguments):
                given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
                source = f"print({name}({given}))"
            case PositionalCall(name, values):
                source = f"print({name}({', '.join(map(repr, values))}))"
            case Code(source):
                pass
        rendered = f"```python\n{source}\n```"
        if len(_FENCE.findall(rendered)) != 2:
            raise ValueError("The action format 'python' cannot render code with a fence in it")
        return rendered


def _spoken(source: str) -> Action | None:
    """Return what a block that only speaks says."""
    if not source.lstrip().startswith(tuple(_SPOKEN)):
        return None
    try:
        tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    match tree:
        case ast.Call(ast.Name(name), [ast.Constant(str(text))], []) if name in _SPOKEN:
            return _SPOKEN[name](text)
    return None
