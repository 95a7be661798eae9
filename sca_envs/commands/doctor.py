"""`sca doctor`: how well this machine can confine code that a model wrote."""

from __future__ import annotations

import platform

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def register(app: typer.Typer) -> None:
    """Add the command to `sca`."""
    app.command()(doctor)


def doctor() -> None:
    """Say how well code is confined here, by what, and what would raise the level."""
    from sca_envs.sandbox import Level, Sandbox

    console = Console()
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    console.print(f"Kernel: {system}; Python {platform.python_version()}", highlight=False)
    with Sandbox() as sandbox:
        isolation = sandbox.isolation
    levels = ", ".join(level.name for level in Level)
    console.print(f"Level: [bold]{isolation.level.name}[/] (of {levels})")
    if isolation.level is Level.UNSAFE:
        console.print("[bold red]Code runs WITHOUT protection[/]: unset SCA_SANDBOX.")
        return
    table = Table()
    for column in ("mechanism", "here", "needed for"):
        table.add_column(column, no_wrap=True)
    for mechanism in isolation.mechanisms:
        needed = "equal results" if mechanism.level is None else mechanism.level.name
        table.add_row(mechanism.name, "yes" if mechanism.present else "[red]no[/]", needed)
    console.print(table)
    for reason in isolation.missing:
        console.print(f"Missing: {escape(reason)}", highlight=False)
    for remedy in dict.fromkeys(m.remedy for m in isolation.mechanisms if not m.present):
        console.print(f"To have it: {escape(remedy)}", highlight=False)
