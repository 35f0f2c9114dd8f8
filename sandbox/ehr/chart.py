"""A chart as it is shown: what a clinician looks for first, in the record's own words. Nothing is judged here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from sandbox.ehr.days import Dated, age_on, date_of
from sandbox.ehr.drafts import text_of
from sandbox.ehr.trends import Trend, trends_of
from sandbox.ehr.values import value_text

Json = dict[str, Any]
_PAST = frozenset({"resolved", "inactive", "remission", "stopped", "completed", "cancelled", "ended"})
_UNSURE = frozenset({"provisional", "differential", "unconfirmed", "refuted", "preliminary"})


class Entry(Struct, frozen=True):
    """One line of the chart."""

    reference: str
    what: str
    value: str = ""
    when: Dated = Dated()
    remark: str = ""  # suspected, refuted, preliminary, the dose, the conclusion
    past: bool = False
    earlier: int = 0  # how many older results of the same thing there are


class Chart(Struct, frozen=True):
    """The sections of a chart."""

    problems: tuple[Entry, ...]
    examination: tuple[Entry, ...]
    results: tuple[Entry, ...]
    trends: tuple[Trend, ...]
    medicines: tuple[Entry, ...]
    imaging: tuple[Entry, ...]
    others: tuple[Entry, ...]


class Person(Struct, frozen=True):
    """Who it is about, as far as a synthetic patient is anybody."""

    name: str
    age: str
    sex: str


def person_of(patient: Json, today: date) -> Person:
    """Name, age and sex."""
    name: Json = next(iter(patient.get("name") or ()), {})
    return Person(
        " ".join([*name.get("given", ()), name.get("family", "")]).strip(),
        age_on(str(patient.get("birthDate") or ""), today),
        str(patient.get("gender") or ""),
    )


def chart_of(resources: Sequence[Json], today: date) -> Chart:
    """The chart of one patient's resources on one day."""
    by_type: dict[str, list[Json]] = {}
    for resource in resources:
        if not _is_error(resource):
            by_type.setdefault(resource["resourceType"], []).append(resource)

    def entries(*kinds: str) -> tuple[Entry, ...]:
        return _newest_first(_READERS[kind](each, today) for kind in kinds for each in by_type.get(kind, ()))

    observations = by_type.get("Observation", [])
    return Chart(
        problems=tuple(sorted(entries("Condition"), key=lambda entry: entry.past)),
        examination=_latest([each for each in observations if _is_examination(each)], today),
        results=_latest([each for each in observations if not _is_examination(each)], today),
        trends=trends_of(observations, today),
        medicines=tuple(sorted(entries("MedicationRequest", "MedicationStatement"), key=lambda entry: entry.past)),
        imaging=entries("DiagnosticReport", "ImagingStudy"),
        others=entries("Procedure", "ServiceRequest", "Device", "AllergyIntolerance"),
    )


def _is_error(resource: Json) -> bool:
    """Entered in error, as its status or its verification says: no chart shows it."""
    error = "entered-in-error"
    return resource.get("status") == error or _code(resource.get("verificationStatus") or {}) == error


def observation_name(observation: Json) -> str:
    """What was observed, and on which side."""
    name = text_of(observation.get("code") or {})
    site = text_of(observation.get("bodySite") or {})
    if site and site.lower() not in name.lower():
        return f"{name}, {site.lower()}"
    return name


def _is_examination(observation: Json) -> bool:
    codes = {
        coding.get("code") for category in observation.get("category") or () for coding in category.get("coding") or ()
    }
    return bool(codes & {"exam", "survey", "social-history"}) or not codes


def _newest_first(entries: Any) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.when.day, reverse=True))


def _latest(observations: Sequence[Json], today: date) -> tuple[Entry, ...]:
    """The newest result of each kind, with how many came before."""
    by_name: dict[str, list[Entry]] = {}
    for each in observations:
        entry = _observation(each, today)
        by_name.setdefault(entry.what, []).append(entry)
    latest = []
    for several in by_name.values():
        newest = max(several, key=lambda entry: entry.when.iso)
        latest.append(_with(newest, earlier=len(several) - 1))
    return _newest_first(latest)


def _with(entry: Entry, earlier: int) -> Entry:
    return Entry(entry.reference, entry.what, entry.value, entry.when, entry.remark, entry.past, earlier)


def _status(resource: Json) -> str:
    clinical = resource.get("clinicalStatus")
    if isinstance(clinical, dict):
        return _code(clinical)
    return str(resource.get("status") or "")


def _code(concept: Json) -> str:
    codings: list[Json] = concept.get("coding") or [{}]
    return str(codings[0].get("code") or concept.get("text") or "")


def _reference(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource.get('id', '')}"


def _remarks(*words: str) -> str:
    return ", ".join(dict.fromkeys(word for word in words if word))


def _condition(resource: Json, today: date) -> Entry:
    verification = _code(resource.get("verificationStatus") or {})
    status = _status(resource)
    severity = text_of(resource.get("severity") or {}).lower()
    return Entry(
        _reference(resource),
        text_of(resource.get("code") or {}),
        when=date_of(resource, today),
        remark=_remarks(
            verification if verification in _UNSURE else "", severity, status if status not in ("active", "") else ""
        ),
        past=status in _PAST or verification in ("refuted", "entered-in-error"),
    )


def _observation(resource: Json, today: date) -> Entry:
    status = str(resource.get("status") or "")
    return Entry(
        _reference(resource),
        observation_name(resource),
        value_text(resource),
        date_of(resource, today),
        status if status in ("preliminary", "corrected", "amended", "cancelled", "unknown") else "",
    )


def _medicine(resource: Json, today: date) -> Entry:
    dose = next((str(each["text"]) for each in resource.get("dosageInstruction") or () if each.get("text")), "")
    concept = resource.get("medicationCodeableConcept") or {
        "text": (resource.get("medicationReference") or {}).get("display")
    }
    status = _status(resource)
    return Entry(
        _reference(resource),
        text_of(concept),
        when=date_of(resource, today),
        remark=_remarks(dose, status if status != "active" else ""),
        past=status in _PAST,
    )


def _report(resource: Json, today: date) -> Entry:
    concept = resource.get("code") or next(iter(resource.get("procedureCode") or ()), None)
    status = _status(resource)
    return Entry(
        _reference(resource),
        text_of(concept or {}) or str(resource.get("description") or "Imaging study"),
        when=date_of(resource, today),
        remark=_remarks(str(resource.get("conclusion") or ""), status if status not in ("final", "available") else ""),
    )


def _procedure(resource: Json, today: date) -> Entry:
    status = _status(resource)
    return Entry(
        _reference(resource),
        text_of(resource.get("code") or {}),
        "Procedure",
        date_of(resource, today),
        status if status != "completed" else "",
    )


def _request(resource: Json, today: date) -> Entry:
    return Entry(
        _reference(resource),
        text_of(resource.get("code") or {}),
        "Request",
        date_of(resource, today),
        _status(resource),
    )


def _device(resource: Json, today: date) -> Entry:
    named = next((str(each.get("name")) for each in resource.get("deviceName") or () if each.get("name")), "")
    status = _status(resource)
    return Entry(
        _reference(resource),
        named or text_of(resource.get("type") or {}),
        "Device",
        date_of(resource, today),
        status if status != "active" else "",
    )


def _allergy(resource: Json, today: date) -> Entry:
    reaction: Json = next(iter(resource.get("reaction") or ()), {})
    what = ", ".join(text_of(each) for each in reaction.get("manifestation") or ())
    return Entry(_reference(resource), text_of(resource.get("code") or {}), "Allergy", date_of(resource, today), what)


_READERS: dict[str, Callable[[Json, date], Entry]] = {
    "Condition": _condition,
    "MedicationRequest": _medicine,
    "MedicationStatement": _medicine,
    "DiagnosticReport": _report,
    "ImagingStudy": _report,
    "Procedure": _procedure,
    "ServiceRequest": _request,
    "Device": _device,
    "AllergyIntolerance": _allergy,
}
