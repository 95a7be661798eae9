"""Wishes: what a customer may want, described once for both kinds of task.

A wish is a function that draws one thing that a customer wants over a real state. While it is
drawn, its tool calls are carried out on a scratch database, and what they return are terms: values
that also know the expression that gave them. From the one run come the script, the reference
actions and the outputs of a `Task`, and the solution and the failing attempts of a Code-as-Task.
"""

from sca_envs.core.wishes.book import WishBook
from sca_envs.core.wishes.customer import Customer
from sca_envs.core.wishes.derive import derive
from sca_envs.core.wishes.draft import Draft, DraftSource
from sca_envs.core.wishes.errors import DeadEnd, WishError
from sca_envs.core.wishes.tasks import WishTasks
from sca_envs.core.wishes.terms import Term
from sca_envs.core.wishes.wish import Introduction, Wish
from sca_envs.core.wishes.wordings import Wordings, enumerate_words

__all__ = [
    "Customer",
    "DeadEnd",
    "Draft",
    "DraftSource",
    "Introduction",
    "Term",
    "Wish",
    "WishBook",
    "WishError",
    "WishTasks",
    "Wordings",
    "derive",
    "enumerate_words",
]
