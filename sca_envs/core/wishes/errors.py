"""What a wish raises while it is drawn: that another draw will do, or that its author erred."""

from sca_envs.core.errors import SCAError


class DeadEnd(Exception):  # noqa: N818 (nothing is wrong: another draw will do)
    """What was drawn makes no wish: the customer has no such record, for example."""


class WishError(SCAError):
    """A wish does what no wish may do, such as a call that the tool refuses."""
