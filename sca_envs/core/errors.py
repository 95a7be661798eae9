"""Errors that a user of the library can act on.

Each says what was expected, what came, and what to do. What an agent does wrong inside an episode
is never one of these: it is an observation that begins with ``Error:``.
"""


class SCAError(Exception):
    """Base of every error that the library raises on purpose."""


class OptionError(SCAError, ValueError):
    """An argument or option has a value that is not among those allowed."""


class DataNotInstalledError(SCAError):
    """A data set was asked for that is not in the data folder."""


class UnknownTaskError(SCAError):
    """A task id or index does not exist in the split."""


class TaskFileError(SCAError):
    """A task file cannot be read; the message names the file and the line."""


class ToolError(SCAError):
    """Raised inside a tool; the agent reads it as an observation ``Error: <message>``."""


class InfrastructureError(SCAError):
    """Raised by an agent whose model cannot be reached: no server, no answer, no right to ask.

    An episode that breaks off by it (or by what was raised from it) is not scored: it is a trial
    that is missing, which a resumed run plays again.
    """


class UserError(SCAError):
    """Raised by a user that failed, such as a language model that cannot be reached.

    An episode ends with it (``user_error``) and is not scored: it says nothing about the agent.
    """


def shorten(value: object, most: int = 80) -> str:
    """Return a value for an error's text: in one short line, without what commands a terminal.

    Args:
        value: What came; text from a file may hold anything, and a million times.
        most: Most characters.
    """
    text = repr(value[:most] if isinstance(value, str | bytes) else value)
    cut = len(text) > most or (isinstance(value, str | bytes) and len(value) > most)
    return f"{text[: most - 1]}…" if cut else text
