"""Columns over time, made up of parts."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from audit_pages.charts.parts import Plot, Series, figure, frame, rect, steps


def stacked_columns(label: str, labels: Sequence[str], series: Sequence[Series], unit: str) -> Markup:
    """One column for each label, its parts from the first series at the bottom upwards."""
    sums = [sum(each.values[place] or 0 for each in series) for place in range(len(labels))]
    ticks = steps(max(sums, default=0))

    def draw(width: int) -> tuple[float, str]:
        plot = Plot(44, 28, width - 8, 212)
        slot = plot.width / max(1, len(labels))
        bar = min(slot * 0.78, 36)
        parts = [frame(plot, ticks, labels, unit, centred=True)]
        for place, name in enumerate(labels):
            x = plot.left + place * slot + (slot - bar) / 2
            bottom = plot.bottom
            for each in series:
                value = each.values[place] or 0
                if not value:
                    continue
                height = value / ticks[-1] * plot.height
                bottom -= height
                parts.append(rect(x, bottom, bar, height, f"part {each.look}", f"{name}: {value:g} {each.name}"))
        return 240, "".join(parts)

    return figure(label, draw, series)
