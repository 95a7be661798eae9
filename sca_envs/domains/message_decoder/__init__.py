"""The message decoder: texts hidden by hexadecimal notation, reversal and Caesar ciphers.

Its six tools behave as M3ToolEval's; tool descriptions and generated tasks are our own.
"""

from __future__ import annotations

from sca_envs.core.tools import toolset
from sca_envs.core.wishes import Wordings
from sca_envs.domains.m3.book import PlanBook
from sca_envs.domains.m3.family import family
from sca_envs.domains.m3.values import show
from sca_envs.domains.message_decoder import tools
from sca_envs.domains.message_decoder.sampling import sample_argument
from sca_envs.domains.message_decoder.tasks import DRAFTS, TASKS

TOOLS = toolset(
    tools.convert_hex_to_ascii,
    tools.reverse_string,
    tools.caesar_decode,
    tools.string_length,
    tools.minimum_value,
    tools.maximum_value,
    show=show,
)
"""The tools, in the original's order."""

SPEC = family(
    package=__name__,
    original="message_decoder",
    plans=PlanBook(
        domain="message_decoder",
        tools=TOOLS,
        tasks=TASKS,
        drafts=DRAFTS,
        wordings=Wordings.read(__name__),
        similar={"minimum_value": "maximum_value", "maximum_value": "minimum_value"},
    ),
    sample_argument=sample_argument,
)
"""What the domain is made of."""
