"""Small charts of what was measured more than once: points on a line, drawn as SVG without scripts or styles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from sandbox.ehr.days import Dated, date_of
from sandbox.ehr.drafts import text_of
from sandbox.ehr.values import number_of, tidy_number, unit_of

Json = dict[str, Any]
WIDTH, HEIGHT, EDGE = 220, 56, 7
MOST_POINTS = 12


class Point(Struct, frozen=True):
    """One measurement, where it is drawn, and its words."""

    x: float
    y: float
    value: str
    when: Dated


class Trend(Struct, frozen=True):
    """One thing measured over time."""

    name: str
    unit: str
    points: tuple[Point, ...]

    @property
    def path(self) -> str:
        """The line, as SVG points."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)

    @property
    def latest(self) -> Point:
        """The newest measurement."""
        return self.points[-1]

    @property
    def described(self) -> str:
        """All of it in words, for who does not see the line."""
        said = ", ".join(f"{point.value} on {point.when.words}" for point in self.points)
        return f"{self.name}{f' in {self.unit}' if self.unit else ''}: {said}"


def trends_of(observations: Sequence[Json], today: date) -> tuple[Trend, ...]:
    """Everything measured at least twice, what was measured last first."""
    series: dict[tuple[str, str], list[tuple[str, float, Dated]]] = {}
    for each in observations:
        number, when = number_of(each), date_of(each, today)
        if number is not None and len(when.iso) >= 10 and not each.get("dataAbsentReason"):
            series.setdefault((_name(each), unit_of(each)), []).append((when.iso, number, when))
    found = [
        _drawn(name, unit, sorted(several, key=lambda one: one[0])[-MOST_POINTS:])
        for (name, unit), several in series.items()
        if len(several) > 1
    ]
    return tuple(sorted(found, key=lambda trend: (trend.latest.when.day, trend.name), reverse=True))


def _name(observation: Json) -> str:
    name = text_of(observation.get("code") or {})
    site = text_of(observation.get("bodySite") or {})
    return f"{name}, {site.lower()}" if site and site.lower() not in name.lower() else name


def _drawn(name: str, unit: str, several: Sequence[tuple[str, float, Dated]]) -> Trend:
    days = [date.fromisoformat(when.day).toordinal() for _, _, when in several]
    values = [value for _, value, _ in several]
    span, (low, high) = max(days[-1] - days[0], 1), _scale(name, values)
    points = tuple(
        Point(
            EDGE + (day - days[0]) / span * (WIDTH - 2 * EDGE),
            HEIGHT - EDGE - (value - low) / (high - low) * (HEIGHT - 2 * EDGE),
            tidy_number(value),
            when,
        )
        for day, (_, value, when) in zip(days, several, strict=True)
    )
    return Trend(name, unit, points)


def _scale(name: str, values: Sequence[float]) -> tuple[float, float]:
    """From the lowest to the highest, with room; a strength always on its scale of 0 to 5."""
    if ("strength" in name.lower() or "MRC" in name) and all(0 <= value <= 5 for value in values):
        return 0.0, 5.0
    low, high = min(values), max(values)
    room = max((high - low) * 0.15, abs(high) * 0.01, 0.5)
    return low - room, high + room
