"""The patient's age and sex."""

from __future__ import annotations

from datetime import date

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.elements import Unreadable, anything_in, is_given
from fhir_mappings.fhir_records import NOTHING, Patient
from fhir_mappings.partial_dates import read_date
from rules.dates import DateInterval
from rules.facts import AgeRange

_SEXES = frozenset({"male", "female", "other", "unknown"})
_OLDEST = 130


class _Name(Struct, frozen=True, gc=False):
    family: Raw = NOTHING


_NAMES = msgspec.json.Decoder(list[_Name])


def birth_of(patient: Patient) -> DateInterval | None:
    """The day, month or year of birth."""
    return read_date(patient.birth_date)


def age_on(birth: DateInterval | None, day: date) -> AgeRange | None:
    """Completed years; ``None`` where the birth date is missing, impossible or in the future."""
    if birth is None or birth.earliest is None or birth.latest is None or birth.earliest > day:
        return None
    oldest = _years(birth.earliest, day)
    youngest = oldest if birth.latest is birth.earliest else max(_years(birth.latest, day), 0)
    return AgeRange(youngest, oldest) if oldest <= _OLDEST else None


def _years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def sex_of(patient: Patient) -> str:
    """FHIR administrative gender; empty where it is none of the four codes."""
    gender = (patient.gender or "").strip().lower()
    return gender if gender in _SEXES else ""


def is_older_fhir(patient: Patient) -> bool:
    """DSTU2 has family names as lists; later versions never do."""
    if not is_given(patient.name):
        return False
    try:
        return any(bytes(name.family)[:1] == b"[" for name in _NAMES.decode(patient.name))
    except (msgspec.DecodeError, RecursionError):
        return _has_listed_family(patient)


def _has_listed_family(patient: Patient) -> bool:
    """The same of a name in a shape that FHIR does not give it."""
    try:
        names = anything_in(patient.name)
    except Unreadable:
        return False
    several = names if isinstance(names, list) else [names]
    return any(isinstance(name, dict) and isinstance(name.get("family"), list) for name in several)
