"""What the quality team does not see: whatever names a patient or a clinician, also inside the text of a card.

Names, numbers and addresses are taken from the stored request itself, so that exactly what identifies this patient and
these people is taken out of every text. Texts that nobody understood are left out whole: anything can stand in them.
Dates stay, as the team needs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from audit_pages.words import Words
from audit_trail.packing import NotPacked, unpacked
from audit_trail.record import DecisionRecord
from audit_trail.selection import person
from audit_trail.story import plain_details

HIDDEN: Final = "[withheld]"
# "Condition/12" and "ServiceRequest/x#reasonCode": a type says nothing of a person, an id may.
_REFERENCE: Final = re.compile(
    r"\b(Patient|Practitioner|PractitionerRole|RelatedPerson|Encounter|Condition|Observation|Procedure|ServiceRequest"
    r"|MedicationRequest|MedicationStatement|Medication|DiagnosticReport|ImagingStudy|Device|DeviceUseStatement"
    r"|AllergyIntolerance|Organization|Location|EpisodeOfCare|CarePlan)/(\[withheld\]|[A-Za-z0-9\-.:]{1,128})(#[A-Za-z]+)?"
)
_PEOPLE: Final = frozenset({"Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Person"})
_OF_PEOPLE: Final = frozenset({"name", "telecom", "address", "contact", "birthDate", "photo", "identifier"})
_NAMES_SOMEBODY: Final = frozenset(
    {
        "actor", "asserter", "author", "generalPractitioner", "individual", "informationSource", "patient", "performer",
        "practitioner", "recorder", "requester", "resultsInterpreter", "subject",
    }
)  # fmt: skip
_SHORTEST: Final = 2
_UNREAD_START: Final = 30  # a card may cut a long text; its beginning is enough to know it by


class Withheld(Struct, frozen=True):
    """Takes out of any text what may not be seen; ``None``: everything may."""

    pattern: re.Pattern[str] | None = None
    instead: dict[str, str] = {}
    references: bool = False

    def of(self, text: str) -> str:
        """The text as it may be seen."""
        if self.pattern is not None:
            text = self.pattern.sub(lambda found: self.instead.get(found.group(0).lower(), HIDDEN), text)
        return _REFERENCE.sub(r"\1", text) if self.references else text


def withheld_from(record: DecisionRecord, words: Words) -> Withheld:
    """For this record and this viewer."""
    if words.viewer.sees_people:
        return Withheld()
    patient = words.patient(record.client, record.patient)
    instead = {
        record.user.lower(): words.person(person(record.client, record.user)),
        record.patient.lower(): patient,
        f"patient/{record.patient}".lower(): patient,
    }
    secrets = {each for each in _identifying(record) if len(each) >= _SHORTEST}
    secrets |= {record.user, record.patient, _tail(record.user), record.encounter, record.hook_instance} - {""}
    secrets |= {f"Patient/{record.patient}"} if record.patient else set()
    whole = sorted(secrets, key=len, reverse=True)
    # Whole words only: somebody called Ann must not blank the middle of "cannot".
    parts = [rf"(?<![A-Za-z0-9]){re.escape(each)}(?![A-Za-z0-9])" for each in whole]
    parts += [_unread(each) for each in _unread_texts(record)]
    pattern = re.compile("|".join(parts), re.IGNORECASE) if parts else None
    return Withheld(pattern, instead, references=True)


def _tail(reference: str) -> str:
    return reference.rpartition("/")[2]


def _unread(text: str) -> str:
    if len(text) <= _UNREAD_START:
        return re.escape(text)
    return re.escape(text[:_UNREAD_START]) + r"[^”\n]*"


def _unread_texts(record: DecisionRecord) -> Iterator[str]:
    details = plain_details(record)
    for advice in details.get("advice") or ():
        yield from (each for each in advice.get("unread") or () if each)
        order = advice.get("order") or {}
        yield from (each for each in order.get("unread_reasons") or () if each)
        if not order.get("procedure") and order.get("name"):
            yield order["name"]


def _identifying(record: DecisionRecord) -> Iterator[str]:
    """Every string of the request and of what was fetched that names somebody."""
    packed = [record.request, *(page for wave in record.fetched for each in wave.answers for page in each.pages)]
    for each in packed:
        try:
            document = msgspec.json.decode(unpacked(each)) if each else None
        except (NotPacked, msgspec.DecodeError):
            continue
        yield from _in(document)


def _in(document: Any) -> Iterator[str]:
    waiting: list[Any] = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            kind = each.get("resourceType")
            if kind in _PEOPLE:
                yield from _texts({name: value for name, value in each.items() if name in _OF_PEOPLE}, kind)
            if isinstance(kind, str) and isinstance(each.get("id"), str):
                yield each["id"]
            yield from _of_reference(each)
            yield from _numbers(each.get("identifier"))
            waiting += each.values()


def _of_reference(each: dict[str, Any]) -> Iterator[str]:
    reference = each.get("reference")
    if isinstance(reference, str):
        yield _tail(reference)
        if reference.rpartition("/")[0].rpartition("/")[2] in _PEOPLE:
            yield from _display_of(each)
    for name in _NAMES_SOMEBODY & each.keys():  # also where a name stands without any reference
        yield from _display_of(each[name])


def _display_of(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        display = each.get("display") if isinstance(each, dict) else None
        if isinstance(display, str):
            yield display
            yield from _names_of(display)


def _numbers(identifiers: Any) -> Iterator[str]:
    for each in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(each, dict) and isinstance(each.get("value"), str):
            yield each["value"]


_SAY_NOTHING: Final = frozenset(
    {"system", "use", "type", "assigner", "relationship", "gender", "coding", "period", "extension"}
)


def _texts(value: Any, kind: str) -> Iterator[str]:
    """Every text below, whole and word by word; what systems and uses are called says nothing of a person."""
    if isinstance(value, str):
        yield value
        yield from _names_of(value)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, kind)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in _SAY_NOTHING:
                yield from _texts(each, kind)


def _names_of(text: str) -> Iterable[str]:
    return (each for each in re.split(r"[\s,;]+", text) if len(each) > _SHORTEST and not each.isdigit())
