"""The tools that both domains have."""

from __future__ import annotations

from sca_envs.core.database import Database
from sca_envs.domains import calculator

TERMINAL_TOOLS = frozenset({"transfer_to_human_agents"})
"""Names of the tools whose call ends an episode."""


def calculate(db: Database, expression: str) -> str:
    """Work out an arithmetic expression; the result is rounded to two digits.

    Args:
        expression: Numbers with + - * / and parentheses, such as '(19.5 + 3) * 2'.
    """
    return calculator.calculate(expression)


def think(db: Database, thought: str) -> str:
    """Note a thought. It reveals nothing new and changes nothing; use it to reason or remember.

    Args:
        thought: The thought.
    """
    return ""


def transfer_to_human_agents(db: Database, summary: str) -> str:
    """Hand the customer over to a human agent, which ends the conversation.

    Do so only if the customer's request lies outside what the tools and the policy allow.

    Args:
        summary: What the customer wants, in a sentence or two, for the colleague.
    """
    return "Transfer successful"
