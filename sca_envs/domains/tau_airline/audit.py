"""Original airline tasks whose reference solution is known or reported to be wrong.

Collected from corrections that tau2 made and from the issue trackers of both projects.
`split="test-clean"` leaves these tasks out.
"""

_NO_CAUSE = "the reference gives a certificate though nothing is changed (removed in tau2)"
_FLOWN = "the reference cancels a trip that was flown (corrected in tau2, its issue 156)"

TEST: dict[str, str] = {
    "1": "the reservation leads from Newark to Newark (tau-bench issue 29)",
    "2": "the bags of a reservation do not fit its new cabin (tau-bench issue 41)",
    "3": "which gift card is the smallest is reported to be wrong in the reference",
    "8": "the payment that the user asks for is reported to be impossible",
    "9": "the reference has wrong passenger names (corrected in tau2)",
    "10": "the reference cancels a reservation that must stay (corrected in tau2)",
    "15": "the reference lacks an upgrade, a downgrade and an output (added in tau2)",
    "16": _NO_CAUSE,
    "19": "the reference changes a destination (corrected in tau2)",
    "22": "unclear what to do if one cancellation is refused (tau-bench issue 70)",
    "23": "the reference charges a gold member for free bags (corrected in tau2)",
    "24": "budget and date of birth are reported to be wrong",
    "25": "the reference has a wrong date of birth (corrected in tau2)",
    "26": _FLOWN,
    "27": _FLOWN,
    "31": "the reference cancels a reservation that must stay (corrected in tau2)",
    "33": "the reference cancels a reservation that must stay (corrected in tau2)",
    "34": "the reference lacks an upgrade and an output (added in tau2, its issue 84)",
    "45": _NO_CAUSE,
    "46": _NO_CAUSE,
}
"""Task id of tau-bench's test split -> what is wrong."""
