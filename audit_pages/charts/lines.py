"""Lines over time; a day without a value is a gap, not a zero."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from audit_pages.charts.parts import Plot, Series, figure, frame, steps, text


def lines(label: str, labels: Sequence[str], series: Sequence[Series], unit: str, most: float = 0) -> Markup:
    """One line for each series; ``most`` fixes the top of the axis (100 for per cent)."""
    highest = max((value for each in series for value in each.values if value is not None), default=0)
    ticks = steps(most or highest)

    def draw(width: int) -> tuple[float, str]:
        plot = Plot(44, 28, width - 14, 192)
        slot = plot.width / max(1, len(labels) - 1)
        parts = [frame(plot, ticks, labels, unit, centred=False)]
        for each in series:
            for run in _runs(each.values):
                points = [
                    (plot.left + place * slot, plot.bottom - value / ticks[-1] * plot.height) for place, value in run
                ]
                if len(points) > 1:
                    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
                    parts.append(f'<polyline points="{path}" class="line {each.look}"/>')
                else:
                    parts.append(
                        f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3" class="dot {each.look}"/>'
                    )
        if not highest:
            parts.append(text(plot.left + 8, plot.bottom - 8, "nothing yet"))
        return 220, "".join(parts)

    return figure(label, draw, series)


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """The stretches without a gap."""
    runs: list[list[tuple[int, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place, value))
    return [run for run in runs if run]
