"""FHIR dates as intervals of the patient's days."""

from __future__ import annotations

from datetime import UTC, date, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.partial_dates import at_age, days_in, not_after, read_date, since_at_least, spanning
from rules.dates import DateInterval

EASTERN = timezone(timedelta(hours=-5))
INDIA = timezone(timedelta(hours=5, minutes=30))


def days(first: str, last: str = "") -> DateInterval:
    return DateInterval(date.fromisoformat(first), date.fromisoformat(last or first))


DATES = {
    "a day": ("2026-09-14", days("2026-09-14")),
    "a month": ("2026-09", days("2026-09-01", "2026-09-30")),
    "a February of a leap year": ("2024-02", days("2024-02-01", "2024-02-29")),
    "a year": ("2026", days("2026-01-01", "2026-12-31")),
    "29 February of a leap year": ("2024-02-29", days("2024-02-29")),
    "blanks around it": (" 2026-09-14 ", days("2026-09-14")),
    "a time stamp in UTC": ("2026-09-14T23:59:59Z", days("2026-09-14")),
    "a time stamp with an offset stays on its own day": ("2026-09-14T23:30:00-05:00", days("2026-09-14")),
    "fractions of a second": ("2026-09-14T10:00:00.123456789+02:00", days("2026-09-14")),
    "a leap second": ("2016-12-31T23:59:60Z", days("2016-12-31")),
    "minutes only": ("2026-09-14T10:00Z", days("2026-09-14")),
    "no offset": ("2026-09-14T10:00:00", days("2026-09-14")),
}
UNREAD = {
    "nothing": "",
    "missing": None,
    "the year 0": "0000",
    "a placeholder": "0001-01-01T00:00:00Z",
    "30 February": "2026-02-30",
    "29 February of no leap year": "2026-02-29",
    "the 13th month": "2026-13",
    "month 0": "2026-00",
    "day 0": "2026-09-00",
    "hour 25": "2026-09-14T25:00:00Z",
    "an offset of 25 hours": "2026-09-14T10:00:00+25:00",
    "another order": "14.09.2026",
    "US order": "09/14/2026",
    "no dashes": "20260914",
    "a week": "2026-W38-1",
    "words": "last September",
    "a day and words": "2026-09-14 or so",
    "a blank between day and time": "2026-09-14 10:00:00",
    "other digits": "２０２６-09-14",
}


@pytest.mark.parametrize(("text", "expected"), DATES.values(), ids=DATES.keys())
def test_a_date_is_the_days_that_it_may_mean(text: str, expected: DateInterval):
    assert read_date(text) == expected


@pytest.mark.parametrize("text", UNREAD.values(), ids=UNREAD.keys())
def test_a_date_that_cannot_be_is_unread_and_never_guessed(text: str | None):
    assert read_date(text) is None


ZONES = {
    "late evening in New York is the next day in UTC": ("2026-09-15T02:00:00Z", EASTERN, "2026-09-14"),
    "a late evening stays where the order is written in UTC": ("2026-09-15T02:00:00Z", UTC, "2026-09-15"),
    "an early morning in India": ("2026-09-14T20:00:00Z", INDIA, "2026-09-15"),
    "another hospital's offset, told in the patient's": ("2026-09-14T23:30:00+09:00", EASTERN, "2026-09-14"),
    "a day without a time has no zone": ("2026-09-14", EASTERN, "2026-09-14"),
    "a time without an offset has no zone": ("2026-09-14T23:30:00", INDIA, "2026-09-14"),
}


@pytest.mark.parametrize(("text", "offset", "expected"), ZONES.values(), ids=ZONES.keys())
def test_a_time_stamp_is_the_patients_day_in_the_offset_of_the_call(text: str, offset: timezone, expected: str):
    assert read_date(text, offset) == days(expected)


def test_what_was_recorded_has_been_so_at_least_since():
    assert since_at_least(days("2026-09-01", "2026-09-30")) == DateInterval(None, date(2026, 9, 30))
    assert since_at_least(None) is None


def test_a_period_of_onset_means_some_day_within_it():
    assert spanning(days("2026-09-01"), days("2026-09-10")) == days("2026-09-01", "2026-09-10")
    assert spanning(days("2026-09-01"), None) == days("2026-09-01")
    assert spanning(None, days("2026-09-10")) == days("2026-09-10")
    assert spanning(days("2026-09-10"), days("2026-09-01")) == days("2026-09-10")


def test_an_age_is_the_days_between_two_birthdays_or_nothing():
    assert at_age(days("1980-05-01"), 0, 31) == days("1980-05-01", "1980-06-01")
    assert at_age(None, 0, 31) is None
    assert at_age(days("1980-05-01"), None, 31) is None
    assert at_age(days("1980-05-01"), 0, 1e9) is None


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (3, "wk", 21),
        (3, "weeks", 21),
        (2, "d", 2),
        (1, "a", 365.25),
        (6, "mo", 182.625),
        (5, "furlong", None),
        (None, "d", None),
        (-1, "d", None),
        (1, None, None),
    ],
)
def test_a_duration_needs_a_unit_of_time(value: float | None, unit: str | None, expected: float | None):
    assert days_in(value, unit) == expected


def test_what_was_found_cannot_lie_in_the_future():
    today = date(2026, 11, 25)
    assert not_after(days("2026-11-26"), today) == days("2026-11-26")  # zones differ by a day
    assert not_after(days("2026-11-27"), today) is None
    assert not_after(days("2026-01-01", "2026-12-31"), today) == days("2026-01-01", "2026-12-31")
    assert not_after(None, today) is None


@given(
    st.text(max_size=40)
    | st.from_regex(r"[0-9]{1,5}-?[0-9]{0,3}-?[0-9]{0,3}(T[0-9:.]{0,12}(Z|[+-][0-9:]{1,6})?)?", fullmatch=True)
)
def test_no_text_breaks_the_reading_and_every_interval_is_in_order(text: str):
    found = read_date(text, EASTERN)
    if found is not None:
        assert found.earliest is not None
        assert found.latest is not None
        assert found.earliest <= found.latest
