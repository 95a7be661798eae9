"""How an episode looks: plain text for `ansi`, the terminal for `human`."""

from __future__ import annotations

import json
from typing import Any

from sca_envs.core.actions import Answer, Code, Malformed, PositionalCall, Reply, ToolCall, Turn
from sca_envs.core.episode import Episode


def render_text(episode: Episode) -> str:
    """Return the conversation so far as plain text."""
    lines = [f"task: {episode.task.id}", f"user: {episode.opening}"]
    for turn in episode.transcript:
        lines += [f"agent: {_said(turn)}", f"{_speaker(turn)}: {turn.observation}"]
    if episode.done:
        lines.append(f"end: {episode.termination_reason} {json.dumps(episode.components)}")
    return "\n".join(lines)


def show(episode: Episode, *, opening: bool = False) -> None:
    """Print the newest turn, or the beginning, to the terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.panel import Panel

    console = Console()

    def panel(text: str, title: str, style: str) -> None:
        console.print(Panel(escape(text), title=escape(title), border_style=style))

    if opening:
        panel(episode.opening, f"user (task {episode.task.id})", "green")
        return
    turn = episode.transcript[-1]
    panel(_said(turn), f"agent, turn {episode.turn}", "cyan")
    if turn.observation:
        style = "green" if turn.source == "user" else "magenta"
        panel(_pretty(turn.observation), _speaker(turn), style)
    if episode.done:
        scores: dict[str, Any] = episode.components
        console.print(f"[bold]end:[/] {episode.termination_reason} {scores}")


def _said(turn: Turn) -> str:
    match turn.action:
        case ToolCall(name, arguments):
            return f"{name}({json.dumps(arguments)})"
        case PositionalCall(name, values):
            return f"{name}({', '.join(map(repr, values))})"
        case Reply(text) | Answer(text) | Code(text) | Malformed(text):
            return text


def _speaker(turn: Turn) -> str:
    if turn.source in ("user", "environment", "code"):
        return turn.source
    return f"tool {turn.source}"


def _pretty(text: str) -> str:
    """Return JSON over several lines, and other text as it is."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return json.dumps(value, indent=2) if isinstance(value, dict | list) else text
