"""Dates as a case writes them: "21 days ago", "today", "3 years ago", or an ISO date, partial or whole."""

from __future__ import annotations

import re
from datetime import date, timedelta

_AGO = re.compile(r"(\d+) (day|week|year)s? ago")
_AHEAD = re.compile(r"in (\d+) (day|week)s?")
_ISO = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}))?)?)?")
_WEEK = 7


class CaseDateError(ValueError):
    """A date in a case that cannot be read."""


def fhir_date(text: str, as_of: date) -> str:
    """The FHIR date (whole or partial, as the case gives it) that ``text`` means on the day of the case."""
    if text == "today":
        return as_of.isoformat()
    if text == "yesterday":
        return (as_of - timedelta(days=1)).isoformat()
    if _ISO.fullmatch(text):
        return text
    if found := _AGO.fullmatch(text):
        return _before(as_of, int(found[1]), found[2]).isoformat()
    if found := _AHEAD.fullmatch(text):
        return (as_of + timedelta(days=int(found[1]) * (_WEEK if found[2] == "week" else 1))).isoformat()
    raise CaseDateError(f"not a date a case can use: {text!r}")


def is_relative(text: str) -> bool:
    """Does ``text`` mean another day when the case is run on another day?"""
    return text in ("today", "yesterday") or bool(_AGO.fullmatch(text) or _AHEAD.fullmatch(text))


def birth_date(age: int, as_of: date, *, days_since_birthday: int = 100) -> str:
    """The birth date of somebody who turned ``age`` that many days before the day of the case."""
    birthday = as_of - timedelta(days=days_since_birthday)
    return _before(birthday, age, "year").isoformat()


def _before(day: date, count: int, unit: str) -> date:
    if unit == "year":
        try:
            return day.replace(year=day.year - count)
        except ValueError:  # 29 February
            return day.replace(year=day.year - count, day=28)
    return day - timedelta(days=count * (_WEEK if unit == "week" else 1))
