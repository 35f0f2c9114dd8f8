"""Bars that lie, one for each thing compared; and a strip of peers with one of them marked."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from audit_pages.charts.parts import Plot, Series, figure, line, rect, steps, text
from audit_trail.per_cent import per_cent


def bars(label: str, names: Sequence[str], series: Sequence[Series], unit: str = "") -> Markup:
    """One bar for each name, its parts from left to right; the name stands above its bar, so that it is never cut."""
    sums = [sum(each.values[place] or 0 for each in series) for place in range(len(names))]
    top = steps(max(sums, default=0))[-1]

    def draw(width: int) -> tuple[float, str]:
        plot = Plot(0, 0, width - 64, 0)
        parts = []
        for place, name in enumerate(names):
            y = place * 40
            parts.append(text(0, y + 13, _cut(name, width), "label"))
            x = 0.0
            for each in series:
                value = each.values[place] or 0
                size = value / top * plot.width
                if value:
                    parts.append(rect(x, y + 19, size, 12, f"part {each.look}", f"{name}: {value:g} {each.name}"))
                x += size
            parts.append(text(x + 6, y + 30, f"{sums[place]:g}{unit}"))
        return max(40.0 * len(names), 20), "".join(parts)

    return figure(label, draw, series if len(series) > 1 else ())


def strip(label: str, peers: Sequence[float], own: float | None, low: float, high: float, middle: float) -> Markup:
    """Rates of peers in per cent as dots on one line, with the range of the middle half, and one's own."""

    def draw(width: int) -> tuple[float, str]:
        left, right, y = 12.0, width - 12.0, 46.0

        def place(value: float) -> float:
            return left + value / 100 * (right - left)

        parts = [rect(place(low), y - 14, place(high) - place(low), 28, "range", "the middle half of the peers")]
        parts.append(line(left, y, right, y, "axis"))
        for tick in (0, 25, 50, 75, 100):
            parts.append(line(place(tick), y + 14, place(tick), y + 19, "axis"))
            anchor = "start" if tick == 0 else "end" if tick == 100 else "middle"
            parts.append(text(place(tick), y + 34, f"{tick} %", anchor=anchor))
        parts += [f'<circle cx="{place(each):.1f}" cy="{y:.1f}" r="4" class="peer"/>' for each in peers]
        parts.append(line(place(middle), y - 16, place(middle), y + 16, "median"))
        if own is not None:
            x = place(own)
            parts.append(f'<path d="M {x:.1f} {y - 8:.1f} l -8 -14 h 16 z" class="own"/>')
            anchor = "start" if own < 12 else "end" if own > 88 else "middle"
            parts.append(text(x, y - 27, per_cent(own), "label strong", anchor))
        return 92, "".join(parts)

    return figure(label, draw)


def _cut(name: str, width: int) -> str:
    most = width // 7
    return name if len(name) <= most else f"{name[: most - 1]}…"
