"""Partial dates as intervals of days, so that a threshold inside the interval is uncertain, never guessed."""

from datetime import date, timedelta

from msgspec import Struct


class DateInterval(Struct, frozen=True, gc=False):
    """The days on which something may have happened, both ends included.

    ``earliest is None`` means "at some unknown time up to ``latest``" (a recorded date only says "at least since").
    ``latest is None`` means "some day from ``earliest`` on". Both ``None`` never occurs: that is no interval at all.
    """

    earliest: date | None
    latest: date | None


class DayRange(Struct, frozen=True, gc=False):
    """How many days ago, as an interval: ``shortest`` <= true value <= ``longest`` (``None``: no upper bound known)."""

    shortest: int
    longest: int | None


def days_between(interval: DateInterval, as_of: date) -> DayRange:
    """How long before ``as_of`` the interval lies; a day in the future counts as 0 days ago."""
    shortest = 0 if interval.latest is None else max((as_of - interval.latest).days, 0)
    longest = None if interval.earliest is None else max((as_of - interval.earliest).days, 0)
    return DayRange(shortest, longest)


def within_days(interval: DateInterval, as_of: date, days: int) -> bool | None:
    """Did it happen in the last ``days`` days, today included? ``None`` when the interval straddles the limit."""
    ago = days_between(interval, as_of)
    if ago.longest is not None and ago.longest <= days:
        return True
    if ago.shortest > days:
        return False
    return None


def days_before(day: date, days: float) -> date:
    """So many days earlier; where that lies beyond all dates, the first of them."""
    return day - timedelta(days=max(min(days, (day - date.min).days), (day - date.max).days))


def days_after(day: date, days: float) -> date:
    """So many days later; where that lies beyond all dates, the last of them ("9999-12-31" often says "no end")."""
    return days_before(day, -days)
