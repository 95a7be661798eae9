"""Original retail tasks whose reference solution is known or reported to be wrong.

Collected from corrections that tau2 made, from the issue trackers of both projects, and from
replaying the reference actions. `split="test-clean"` leaves these tasks out.
"""

TEST: dict[str, str] = {
    "2": "counts variants of a product whose lookup fails in the reference (tau2 issue 89)",
    "3": "counts variants of a product whose lookup fails in the reference (tau2 issue 89)",
    "4": "counts variants of a product whose lookup fails in the reference (tau2 issue 89)",
    "10": "the reference forbids returns that are feasible (tau2 issues 307 and 316)",
    "12": "the reference returns to a payment method that is not allowed (corrected in tau2)",
    "13": "the reference returns to a payment method that is not allowed (corrected in tau2)",
    "18": "the reference exchanges an item for itself (corrected in tau2)",
    "34": "requires an output that is wrong (removed in tau2)",
    "37": "requires an amount without its trailing zero (corrected in tau2)",
    "38": "requires an amount without its trailing zero (corrected in tau2)",
    "41": "the address is ambiguous (tau-bench issue 9)",
    "42": "the address is ambiguous (tau-bench issue 9)",
    "64": "the reference exchanges items of an order that is not delivered, which fails",
    "91": "the reference exchanges an item for itself (corrected in tau2)",
    "95": "the same task as 93 (dropped in tau2)",
    "99": "the reference pays with another card than the user asks (corrected in tau2)",
    "105": "the reference lacks a return (added in tau2)",
    "106": "the reference fails for lack of gift card balance",
    "108": "the reference exchanges an item for itself (corrected in tau2)",
}
"""Task id of tau-bench's test split -> what is wrong."""

_NO_BALANCE = "a reference action fails for lack of gift card balance"

TRAIN: dict[str, str] = dict.fromkeys(
    [
        "24",
        "27",
        "81",
        "148",
        "161",
        "214",
        "229",
        "252",
        "253",
        "288",
        "314",
        "349",
        "351",
        "369",
        "376",
        "427",
        "431",
        "441",
        "469",
    ],
    _NO_BALANCE,
)
"""Task id of tau-bench's train split -> what is wrong."""
