"""Days relative to today, as stories and samples write them."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta

_WHOLE = re.compile(
    r"(?:(?P<count>\d+) (?P<unit>day|week|month|year)s? ago|in (?P<ahead>\d+) (?P<ahead_unit>day|week)s?)"
)
_ROUGHLY = re.compile(r"about (?P<count>\d+) (?P<unit>month|year)s? ago")
_WEEK = 7


class UnknownDay(ValueError):
    """Words that name no day."""


def shifted(day: date, count: int, unit: str) -> date:
    """The day this many days, months or years away; the last of a shorter month stands for its missing days."""
    if unit in ("d", "day"):
        return day + timedelta(days=count)
    if unit == "week":
        return day + timedelta(days=_WEEK * count)
    months = day.year * 12 + day.month - 1 + count * (12 if unit in ("y", "year") else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def fhir_date(words: str, today: date) -> str:
    """The FHIR date of "today", "21 days ago", "in 2 weeks"; "about 3 years ago" is a year, and of months a month."""
    if words == "today":
        return today.isoformat()
    if found := _ROUGHLY.fullmatch(words):
        roughly = shifted(today, -int(found["count"]), found["unit"]).isoformat()
        return roughly[:4] if found["unit"] == "year" else roughly[:7]
    if found := _WHOLE.fullmatch(words):
        if found["ahead"]:
            return shifted(today, int(found["ahead"]), found["ahead_unit"]).isoformat()
        return shifted(today, -int(found["count"]), found["unit"]).isoformat()
    raise UnknownDay(f"{words!r} names no day")
