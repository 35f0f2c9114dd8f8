"""Charts show their numbers to scale, and nothing in them acts."""

from __future__ import annotations

import re

import pytest

from audit_pages.charts import Series, bars, lines, stacked_columns, strip
from audit_pages.charts.parts import SIZES, short, steps


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0, (0, 1)),
        (1, (0, 1)),
        (3, (0, 1, 2, 3)),
        (7, (0, 2, 4, 6, 8)),
        (100, (0, 25, 50, 75, 100)),
        (0.8, (0, 0.2, 0.4, 0.6, 0.8)),
        (1234, (0, 500, 1000, 1500)),
    ],
)
def test_an_axis_has_round_numbers_and_reaches_the_highest(most: float, ticks: tuple[float, ...]):
    assert steps(most) == pytest.approx(ticks)


@pytest.mark.parametrize(("value", "said"), [(0, "0"), (2.5, "2.5"), (1500, "1500"), (20_000, "20k")])
def test_an_axis_says_numbers_shortly(value: float, said: str):
    assert short(value) == said


def rects(chart: str, size: int) -> list[tuple[float, float, str]]:
    """Width and height of each part in the picture of that size, and what it says."""
    picture = chart.split("<svg")[size + 1]
    found = re.findall(r'width="([\d.]+)" height="([\d.]+)" class="part[^"]*"><title>([^<]*)<', picture)
    return [(float(width), float(height), said) for width, height, said in found]


GOOD, BAD = Series("good", "good", (6, 0, 3)), Series("bad", "bad", (2, 8, 0))


@pytest.mark.parametrize("size", range(len(SIZES)))
def test_columns_are_as_high_as_their_numbers(size: int):
    found = rects(stacked_columns("C", ["a", "b", "c"], [GOOD, BAD], "orders"), size)
    assert [said for _, _, said in found] == ["a: 6 good", "a: 2 bad", "b: 8 bad", "c: 3 good"]
    unit = found[2][1] / 8
    assert [height / unit for _, height, _ in found] == pytest.approx([6, 2, 8, 3], abs=0.01)


@pytest.mark.parametrize("size", range(len(SIZES)))
def test_bars_are_as_long_as_their_numbers(size: int):
    found = rects(bars("B", ["a", "b", "c"], [GOOD, BAD]), size)
    unit = found[2][0] / 8
    assert [width / unit for width, _, _ in found] == pytest.approx([6, 2, 8, 3], abs=0.01)


def test_a_day_without_a_value_is_a_gap_in_the_line():
    chart = lines("L", ["a", "b", "c", "d", "e"], [Series("s", "first", (1, 2, None, 3, 4))], "ms")
    assert chart.count("<polyline") == 2 * len(SIZES)
    alone = lines("L", ["a", "b"], [Series("s", "first", (None, 2))], "ms")
    assert alone.count("<circle") == len(SIZES)


def test_nothing_to_show_is_no_failure():
    for chart in (stacked_columns("C", [], [], "x"), lines("L", [], [], "x"), bars("B", [], [])):
        assert chart.count("<svg") == len(SIZES)


def test_peers_lie_where_their_rates_are():
    chart = strip("S", [0, 50, 100], 50, 25, 75, 50)
    picture = chart.split("<svg")[1]
    places = [float(each) for each in re.findall(r'<circle cx="([\d.]+)"', picture)]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.2)
    assert 'class="own"' in picture
    assert 'class="own"' not in strip("S", [1.0], None, 0, 1, 1)


def test_text_in_a_chart_is_text():
    evil = '"><script>alert(1)</script>'
    for chart in (
        bars(evil, [evil], [Series(evil, "good", (1,))]),
        stacked_columns(evil, [evil], [Series(evil, "good", (1,)), Series(evil, "bad", (1,))], evil),
        lines(evil, [evil, evil], [Series(evil, "good", (1, 2))], evil),
    ):
        assert "<script" not in chart
        assert "style=" not in chart
