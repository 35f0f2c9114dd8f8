"""What all charts have in common: escaping, axes with round numbers, and three sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from markupsafe import Markup, escape
from msgspec import Struct

# The style sheet shows the one that fits the width of its panel, so that text keeps its size.
SIZES: Final = (("wide", 1140), ("medium", 600), ("narrow", 320))


class Series(Struct, frozen=True):
    """One row of numbers in a chart; ``look`` is its class in the style sheet."""

    name: str
    look: str
    values: tuple[float | None, ...]


class Plot(Struct, frozen=True):
    """The area between the axes, in the units of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Of the area."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Of the area."""
        return self.bottom - self.top


def figure(label: str, draw: Callable[[int], tuple[float, str]], legend: Sequence[Series] = ()) -> Markup:
    """The chart in each size. ``draw`` gives height and content of a width."""
    parts = []
    for look, width in SIZES:
        height, content = draw(width)
        parts.append(
            f'<svg class="{look}" viewBox="0 0 {width} {height:g}" role="img" aria-label="{escape(label)}" '
            f'focusable="false">{content}</svg>'
        )
    keys = "".join(f'<li class="{escape(each.look)}">{escape(each.name)}</li>' for each in legend)
    listed = f'<ul class="legend" aria-hidden="true">{keys}</ul>' if keys else ""
    return Markup(f'<div class="chart">{listed}{"".join(parts)}</div>')  # noqa: S704  every value above is escaped


def text(x: float, y: float, said: object, look: str = "tick", anchor: str = "") -> str:
    """One piece of text."""
    end = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{look}"{end}>{escape(said)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, look: str) -> str:
    """One straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{look}"/>'


def rect(x: float, y: float, width: float, height: float, look: str, said: str = "") -> str:
    """One bar; ``said`` is shown by browsers where the pointer rests."""
    title = f"<title>{escape(said)}</title>" if said else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" '
        f'class="{escape(look)}">{title}</rect>'
    )


def steps(most: float, how_many: int = 4) -> tuple[float, ...]:
    """Round numbers from 0 to at least ``most``."""
    if most <= 0:
        return (0.0, 1.0)
    rough = most / how_many
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * each for each in (1, 2, 2.5, 5, 10) if unit * each >= rough - 1e-9)
    if step < 1 and float(most).is_integer():
        step = 1.0
    count = math.ceil(most / step - 1e-9)
    return tuple(step * each for each in range(count + 1))


def short(value: float) -> str:
    """A number as an axis says it."""
    if value >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def frame(plot: Plot, ticks: Sequence[float], labels: Sequence[str], unit: str, centred: bool) -> str:
    """Grid, numbers at the left, and as many labels below as fit."""
    top = ticks[-1]
    parts = []
    for tick in ticks:
        y = plot.bottom - tick / top * plot.height
        parts.append(line(plot.left, y, plot.right, y, "grid"))
        parts.append(text(plot.left - 6, y + 4, short(tick), anchor="end"))
    parts.append(text(plot.left, plot.top - 10, unit, "tick unit"))
    if labels:
        every = max(1, math.ceil(len(labels) * 52 / plot.width))
        slot = plot.width / (len(labels) if centred else max(1, len(labels) - 1))
        for place in range(0, len(labels), every):
            x = plot.left + (place + 0.5 if centred else place) * slot
            parts.append(text(x, plot.bottom + 18, labels[place], anchor="middle"))
    return "".join(parts)
