"""Rates, their uncertainty, breakdowns and percentiles."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from audit_trail.facts import Facts, Orders, Shown
from audit_trail.statistics import Rate, breakdown, line, over_time, peers, percentile, periods, reasons

DAY = date(2026, 11, 25)


def orders(count: int, rating: str, user: str = "u", day: date = DAY) -> Orders:
    return Orders(day, "s", "c", user, "p", "k", rating, "", "row", count)


def shown(outcome: str, code: str = "", text: str = "", user: str = "u") -> Shown:
    return Shown(DAY, "s", "c", user, "p", "k", "r", "row", "warning", "t", outcome, code, text)


def facts(first: date = DAY, last: date = DAY, **members: tuple[object, ...]) -> Facts:
    since = datetime.combine(first, datetime.min.time(), UTC)
    until = datetime.combine(last, datetime.max.time(), UTC)
    return Facts(since=since, until=until, **members)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # Worked out by hand from Wilson's formula; 15 of 20 and 0 of 10 are often printed examples.
    [(15, 20, 53.13, 88.81), (0, 10, 0.0, 27.75), (10, 10, 72.25, 100.0), (1, 1, 20.65, 100.0)],
)
def test_a_rate_says_between_what_it_may_truly_lie(count: int, of: int, low: float, high: float):
    interval = Rate(count, of).interval
    assert interval is not None
    assert interval == pytest.approx((low, high), abs=0.01)


def test_a_rate_of_nothing_is_no_number():
    assert (Rate(0, 0).percent, Rate(0, 0).interval) == (None, None)


@pytest.mark.parametrize(("percent", "value"), [(0, 1.0), (50, 3.0), (95, 5.0), (20, 1.0), (21, 2.0), (100, 5.0)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, value: float):
    assert percentile([1.0, 2.0, 3.0, 4.0, 5.0], percent) == value


def test_orders_that_no_criteria_apply_to_are_no_part_of_appropriateness():
    found = line(
        "", [orders(6, "appropriate"), orders(2, "not-appropriate"), orders(5, "no-criteria-apply"), orders(3, "")], ()
    )
    assert (found.orders, found.rated, found.appropriate.percent) == (16, 8, 75.0)


def test_a_card_without_a_report_is_neither_accepted_nor_overridden():
    found = line("", (), [shown("accepted"), shown("overridden"), shown(""), shown("")])
    assert (found.shown, found.accepted, found.overridden) == (4, 1, 1)
    assert found.acceptance.percent == 25.0


def test_a_breakdown_has_a_line_for_each_and_loses_nothing():
    found = breakdown(
        facts(
            orders=(orders(2, "appropriate", "a"), orders(5, "appropriate", "b")), shown=(shown("accepted", user="c"),)
        ),
        "user",
    )
    assert [(each.name, each.orders, each.shown) for each in found] == [("b", 5, 0), ("a", 2, 0), ("c", 0, 1)]


def test_reasons_are_counted_of_overridden_cards_only():
    found = reasons(
        facts(
            shown=(
                shown("overridden", "x", "X"),
                shown("overridden", "x", "X"),
                shown("overridden"),
                shown("accepted", "x", "X"),
            )
        )
    )
    assert [(each.code, each.count) for each in found] == [("x", 2), ("", 1)]


def test_a_long_time_is_shown_by_weeks_that_begin_on_mondays():
    steps = periods(facts(date(2026, 9, 2), DAY))
    assert steps[0].start == date(2026, 8, 31)
    assert {each.days for each in steps} == {7}
    assert steps[-1].start <= DAY


def test_days_without_a_call_are_there_too():
    months = facts(date(2026, 11, 20), DAY, orders=(orders(3, "appropriate"),))
    found = over_time(months, months.orders, lambda each: each.day, lambda each: each.rating, lambda each: each.orders)
    assert found == {"appropriate": (0, 0, 0, 0, 0, 3)}


def test_peers_are_compared_only_where_there_are_enough_of_them_with_enough_orders():
    many = [
        line(str(each), [orders(each, "appropriate"), orders(20 - each, "not-appropriate")], ()) for each in (4, 10, 16)
    ]
    few = [line("x", [orders(9, "appropriate")], ()), line("", [orders(100, "appropriate")], ())]
    found = peers([*many, *few])
    assert found is not None
    assert (found.rates, found.middle) == ((20.0, 50.0, 80.0), 50.0)
    assert peers(many[:2]) is None
