"""FHIR dates as intervals of the patient's days: partial dates are intervals, impossible dates are unread."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta, timezone

from rules.dates import DateInterval

_MONTH_OR_YEAR = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")
_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
# Before this year nothing in a living patient's record happened: "0001-01-01" and the like are placeholders.
_FIRST_YEAR = 1850
# Durations of ages and prescriptions in days; UCUM codes first, then what records write. A month or year is a mean.
_DAYS: dict[str, float] = {
    "min": 1 / 1440, "h": 1 / 24, "d": 1, "wk": 7, "mo": 30.4375, "a": 365.25,
    "minute": 1 / 1440, "minutes": 1 / 1440, "hour": 1 / 24, "hours": 1 / 24, "hr": 1 / 24, "hrs": 1 / 24,
    "day": 1, "days": 1, "week": 7, "weeks": 7, "wks": 7, "w": 7, "month": 30.4375, "months": 30.4375,
    "mos": 30.4375, "year": 365.25, "years": 365.25, "yr": 365.25, "yrs": 365.25, "y": 365.25,
}  # fmt: skip


def read_date(text: str | None, offset: timezone | None = None) -> DateInterval | None:
    """The day, month or year that a FHIR date names; ``None`` where it is no possible date.

    A time stamp becomes the patient's day: in the ``offset`` of the call where it states one, else the day as the
    record writes it (in the time stamp's own offset, or UTC), which is also the day that a card shows.
    """
    if not text:
        return None
    if len(text) < 10 or not text[4] == "-" == text[7]:
        return _unusual(text, offset)
    try:  # as most are: read by the C library
        if len(text) == 10:
            day = date.fromisoformat(text)
        elif text[10] == "T":
            stamp = datetime.fromisoformat(text)
            day = stamp.date() if offset is None or offset is UTC else _patients_day(stamp, offset)
        else:
            return _unusual(text, offset)
    except (ValueError, OverflowError):
        return _unusual(text, offset)
    return DateInterval(day, day) if day.year >= _FIRST_YEAR else None


def _unusual(text: str, offset: timezone | None) -> DateInterval | None:
    """Months and years, dates with blanks around them, and time stamps that the C library does not take."""
    bare = text.strip()
    if len(bare) != len(text):
        return read_date(bare, offset)
    if text[10:11] == "T":
        return _day_of_unusual_time_stamp(text, offset)
    found = _MONTH_OR_YEAR.fullmatch(text)
    if found is None:
        return None
    year, month = found.groups()
    return _month_or_year(int(year), int(month) if month else None)


def _month_or_year(year: int, month: int | None) -> DateInterval | None:
    if year < _FIRST_YEAR or not (month is None or 1 <= month <= 12):
        return None
    if month is None:
        return DateInterval(date(year, 1, 1), date(year, 12, 31))
    return DateInterval(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))


def _patients_day(stamp: datetime, offset: timezone | None) -> date:
    if offset is None or offset is UTC or stamp.tzinfo is None:
        return stamp.date()
    return stamp.astimezone(offset).date()


def _day_of_unusual_time_stamp(text: str, offset: timezone | None) -> DateInterval | None:
    """Leap seconds, and fractions finer than the C library takes."""
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        return None
    whole, hour, minute, second, zone = found.groups()
    year, month, day = int(whole[:4]), int(whole[5:7]), int(whole[8:10])
    if year < _FIRST_YEAR:
        return None
    seconds = min(int(second or 0), 59)  # a leap second belongs to the same day
    try:
        stamp = datetime(year, month, day, int(hour), int(minute), seconds, tzinfo=_zone(zone) if zone else None)
        exact = _patients_day(stamp, offset)
    except (ValueError, OverflowError):
        return None
    return DateInterval(exact, exact)


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 14 or minutes > 59:
        raise ValueError("no such offset")
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(-ahead if text[0] == "-" else ahead)


def since_at_least(recorded: DateInterval | None) -> DateInterval | None:
    """What is recorded on a day has been so at least since then; when it began is not known."""
    return None if recorded is None or recorded.latest is None else DateInterval(None, recorded.latest)


def spanning(start: DateInterval | None, end: DateInterval | None) -> DateInterval | None:
    """Some day within a period. With one end only, that end is what the record knows."""
    if start is None or end is None:
        return start or end
    if start.earliest is None or end.latest is None or start.earliest > end.latest:
        return start
    return DateInterval(start.earliest, end.latest)


def days_in(value: float | None, unit: str | None) -> float | None:
    """A duration in days; ``None`` where the unit is not known."""
    if value is None or unit is None or not 0 <= value < 1e6:
        return None
    factor = _DAYS.get(unit) or _DAYS.get(unit.strip().lower().strip("{}"))
    return None if factor is None else value * factor


def at_age(birth: DateInterval | None, lowest: float | None, highest: float | None) -> DateInterval | None:
    """The days on which a person was of an age, given in days; an age stated in whole years lasts a year."""
    if birth is None or birth.earliest is None or birth.latest is None or lowest is None or highest is None:
        return None
    try:
        return DateInterval(birth.earliest + timedelta(days=int(lowest)), birth.latest + timedelta(days=int(highest)))
    except OverflowError:
        return None


def not_after(interval: DateInterval | None, day: date) -> DateInterval | None:
    """A date at which something was found cannot lie in the future: such a date is unread. A day of slack for zones."""
    if interval is None:
        return None
    first = interval.earliest or interval.latest
    if first is not None and first > day + timedelta(days=1):
        return None
    return interval
