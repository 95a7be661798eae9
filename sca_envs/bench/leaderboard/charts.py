"""Geometry of the site's charts; the template `leaderboard/chart.svg` draws it.

A chart is points with intervals, in the coordinates of its drawing. Colours come from the page's
style sheet, so that a chart is as light or dark as the page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sca_envs.bench.evaluating.metrics import Estimate

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 14, 46
_LOGARITHMIC_FROM = 20  # largest to smallest value


@dataclass(frozen=True)
class Point:
    """A measured value with its interval."""

    x: float
    y: float
    low: float
    high: float
    title: str
    """What it says when it is pointed at."""


@dataclass(frozen=True)
class Series:
    """The points of one submission."""

    label: str
    number: int
    """Which colour it has, from 0."""
    points: tuple[Point, ...]

    @property
    def path(self) -> str:
        """The line through the points, as SVG has it."""
        return "M" + " L".join(f"{point.x:.1f} {point.y:.1f}" for point in self.points)

    @property
    def band(self) -> str:
        """The area of the intervals, as SVG has it."""
        upper = [f"{point.x:.1f} {point.high:.1f}" for point in self.points]
        lower = [f"{point.x:.1f} {point.low:.1f}" for point in reversed(self.points)]
        return "M" + " L".join(upper + lower) + " Z"


@dataclass(frozen=True)
class Chart:
    """A chart that is ready to be drawn."""

    title: str
    x_label: str
    y_label: str
    x_ticks: tuple[tuple[float, str], ...]
    """Place and label."""
    y_ticks: tuple[tuple[float, str], ...]
    series: tuple[Series, ...]
    lines: bool
    """Whether the points of a series are joined."""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def _y(share: float) -> float:
    return round(TOP + (1 - share) * (HEIGHT - TOP - BOTTOM), 2)


_Y_TICKS = tuple((_y(tick / 100), f"{tick} %") for tick in range(0, 101, 20))


def _point(x: float, estimate: Estimate, title: str) -> Point:
    return Point(round(x, 2), _y(estimate.mean), _y(estimate.low), _y(estimate.high), title)


def pass_hat_chart(systems: Sequence[tuple[str, int, dict[int, Estimate]]]) -> Chart | None:
    """Return the curves of pass^k, or None if there is none.

    Args:
        systems: Label, number of the colour, and k -> pass^k of each.
    """
    most = max((max(curve, default=0) for _, _, curve in systems), default=0)
    if not most:
        return None
    room = WIDTH - LEFT - RIGHT
    places = {k: LEFT + room * (k - 0.5) / most for k in range(1, most + 1)}
    series = tuple(
        Series(
            label,
            number,
            tuple(
                _point(places[k], one, f"{label}: pass^{k} {_share(one)}")
                for k, one in sorted(curve.items())
            ),
        )
        for label, number, curve in systems
    )
    return Chart(
        title="pass^k: all of k trials succeed",
        x_label="k",
        y_label="pass^k",
        x_ticks=tuple((round(x, 2), str(k)) for k, x in places.items()),
        y_ticks=_Y_TICKS,
        series=series,
        lines=True,
    )


def cost_chart(systems: Sequence[tuple[str, int, float, Estimate]]) -> Chart | None:
    """Return cost against success, or None if no cost is known.

    Args:
        systems: Label, number of the colour, mean cost of an episode in US dollars, and pass^1.
    """
    if not systems:
        return None
    costs = [cost for _, _, cost, _ in systems]
    place, ticks = _scale(costs)
    series = tuple(
        Series(label, number, (_point(place(cost), one, _cost_title(label, cost, one)),))
        for label, number, cost, one in systems
    )
    return Chart(
        title="Cost against success",
        x_label="US dollars an episode",
        y_label="pass^1",
        x_ticks=ticks,
        y_ticks=_Y_TICKS,
        series=series,
        lines=False,
    )


def _cost_title(label: str, cost: float, one: Estimate) -> str:
    return f"{label}: ${cost:.4g} an episode, pass^1 {_share(one)}"


def _share(one: Estimate) -> str:
    return f"{one.mean:.1%} ({one.low:.1%} to {one.high:.1%})"


class _Scale:
    """Where a cost is on the x axis: linear from 0, or logarithmic between powers of ten."""

    def __init__(self, low: float, high: float, logarithmic: bool) -> None:
        self._low, self._high, self._logarithmic = low, high, logarithmic

    def __call__(self, value: float) -> float:
        low, high = self._low, self._high
        if self._logarithmic:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low), 2)


def _scale(costs: Sequence[float]) -> tuple[_Scale, tuple[tuple[float, str], ...]]:
    smallest, largest = min(costs), max(costs)
    if smallest > 0 and largest / smallest >= _LOGARITHMIC_FROM:
        first, last = math.floor(math.log10(smallest)), math.ceil(math.log10(largest))
        scale = _Scale(10.0**first, 10.0**last, True)
        marks = [10.0**power for power in range(first, last + 1)]
    else:
        step = _step(largest * 1.05 / 5 if largest > 0 else 0.2)
        count = max(1, math.ceil(largest * 1.05 / step))
        scale = _Scale(0, step * count, False)
        marks = [step * n for n in range(count + 1)]
    return scale, tuple((scale(mark), f"${mark:.6g}") for mark in marks)


def _step(least: float) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that is at least so large."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * 0.999)
