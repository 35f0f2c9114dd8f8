"""Small charts of what was measured more than once: points on a line, drawn as SVG without scripts or styles."""

from __future__ import annotations

import re
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
_STATED = re.compile(r"\b(?P<low>\d+)-(?P<high>\d+)\)")  # "Pain score (0-10)", "Muscle power (MRC 0-5), left ..."
_USUAL_SPAN = 0.2  # of the value
_LEAST_SPAN = {"°C": 3.0}


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
    span, (low, high) = max(days[-1] - days[0], 1), _scale(name, unit, values)
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


def _scale(name: str, unit: str, values: Sequence[float]) -> tuple[float, float]:
    """The scale that the name states ("0-10"); else wide enough that a small change is drawn as a small one."""
    low, high = min(values), max(values)
    if (stated := _STATED.search(name)) and float(stated["low"]) <= low and high <= float(stated["high"]):
        return float(stated["low"]), float(stated["high"])
    middle = (low + high) / 2
    least = _LEAST_SPAN.get(unit, abs(middle) * _USUAL_SPAN) or 1.0
    span = max((high - low) * 1.2, least)
    return middle - span / 2, middle + span / 2
