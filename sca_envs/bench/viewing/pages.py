"""HTML from templates: one Jinja environment for the viewer and the leaderboard's site.

Everything is escaped by default, and a page may run no script but its own, whose hash its content
security policy names. So a trajectory can say anything without becoming a part of the page.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_FOLDER = files("sca_envs.bench.viewing") / "templates"


@functools.cache
def templates() -> Environment:
    """Return the environment that has the package's templates."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    made = Environment(
        loader=FunctionLoader(read),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["csp_hash"] = csp_hash
    return made


def read(name: str) -> str:
    """Return the text of a file among the templates, such as ``viewer/page.html``."""
    return (_FOLDER / name).read_text("utf-8")


def style(*names: str) -> Markup:
    """Return style sheets as the content of a ``style`` element."""
    return _inline("\n".join(map(read, names)), "</style")


def script(*names: str) -> Markup:
    """Return scripts, which share one scope, as the content of a ``script`` element."""
    body = "\n".join(map(read, names))
    return _inline(f'(() => {{\n"use strict";\n{body}}})();', "</script", "<!--")


def _inline(text: str, *forbidden: str) -> Markup:
    from markupsafe import Markup

    for ending in forbidden:  # nothing escapes inside these elements
        assert ending not in text.lower(), f"{ending} would end the element that it is in"
    return Markup(text)  # a file of this package, not of a run


def csp_hash(text: str) -> str:
    """Return how a content security policy names an inline script: its hash."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def speakable(text: str) -> str:
    """Return a text that UTF-8 can say; half surrogates, of a path perhaps, become ``?``."""
    return text.encode("utf-8", "replace").decode()
