"""Dates of a record as a clinician reads them: the day, and how long ago."""

from __future__ import annotations

from datetime import date
from typing import Any

from msgspec import Struct

Json = dict[str, Any]
_DATED_BY = {
    "Condition": ("onsetDateTime", "onsetPeriod", "onsetString", "recordedDate"),
    "Observation": ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"),
    "Procedure": ("performedDateTime", "performedPeriod"),
    "MedicationRequest": ("authoredOn",),
    "MedicationStatement": ("effectiveDateTime", "effectivePeriod", "dateAsserted"),
    "ServiceRequest": ("authoredOn", "occurrenceDateTime"),
    "DiagnosticReport": ("effectiveDateTime", "effectivePeriod", "issued"),
    "ImagingStudy": ("started",),
    "AllergyIntolerance": ("onsetDateTime", "recordedDate"),
    "Encounter": ("period",),
}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Dated(Struct, frozen=True):
    """A FHIR date, in words, and how long before today it lies. ``iso`` is empty where the record gives none."""

    iso: str = ""
    words: str = ""
    ago: str = ""

    @property
    def day(self) -> str:
        """The calendar day, for sorting."""
        return self.iso[:10]


def date_of(resource: Json, today: date) -> Dated:
    """When the resource says that it happened."""
    for member in _DATED_BY.get(str(resource.get("resourceType")), ()):
        value = resource.get(member)
        if isinstance(value, dict):
            value = value.get("start") or value.get("end")
        if value:
            return dated(str(value), today)
    return Dated()


def dated(text: str, today: date) -> Dated:
    """A FHIR date or time; anything else is shown as it stands."""
    parts = text[:10].split("-")
    if not all(part.isdigit() for part in parts) or len(parts[0]) != 4 or len(parts) > 3:
        return Dated(text, text)
    numbers = [int(part) for part in parts]
    if len(numbers) == 1:
        return Dated(text, parts[0], _years(today.year - numbers[0]))
    if not 1 <= numbers[1] <= 12:
        return Dated(text, text)
    month = f"{_MONTHS[numbers[1] - 1]} {numbers[0]}"
    if len(numbers) == 2:
        months = (today.year - numbers[0]) * 12 + today.month - numbers[1]
        return Dated(text, month, _months(months))
    try:
        day = date(*numbers)
    except ValueError:
        return Dated(text, text)
    return Dated(text, f"{day.day} {month}", _ago((today - day).days))


def age_on(birth: str, today: date) -> str:
    """Completed years, of a full or partial birth date."""
    parts = [int(part) for part in birth.split("-") if part.isdigit()]
    if not parts:
        return ""
    years = today.year - parts[0]
    if len(parts) == 3 and (today.month, today.day) < (parts[1], parts[2]):
        years -= 1
    return str(years)


def _ago(days: int) -> str:
    if days < 0:
        return "tomorrow" if days == -1 else f"in {-days} days"
    if days == 0:
        return "today"
    if days == 1:
        return "yesterday"
    if days < 21:
        return f"{days} days ago"
    if days < 120:
        return f"{round(days / 7)} weeks ago"
    return _months(round(days / 30.44))


def _months(months: int) -> str:
    if months < 1:
        return "this month"
    if months < 24:
        return f"{months} month{'s' if months > 1 else ''} ago"
    return _years(months // 12)


def _years(years: int) -> str:
    if years < 1:
        return "this year"
    return f"{years} year{'s' if years > 1 else ''} ago"
