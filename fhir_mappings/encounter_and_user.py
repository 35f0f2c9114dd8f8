"""Where the patient is seen, and by whom: what tells a specialist setting from any other."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.codes import CodeReader, specialties_in
from fhir_mappings.elements import CodeableConcept, Coding
from fhir_mappings.fhir_records import NOTHING, Encounter, Practitioner, PractitionerRole, Reference
from fhir_mappings.references import local_reference
from rules.concepts import GROUPS

SPINE = frozenset(GROUPS["spine-specialty"].concepts)
GENERAL = frozenset(GROUPS["general-specialty"].concepts)
_URN = "urn:uuid:"
_INPATIENT = frozenset({"IMP", "ACUTE", "NONAC"})  # http://terminology.hl7.org/CodeSystem/v3-ActCode, encounter codes


class Qualification(Struct, frozen=True, gc=False):
    code: CodeableConcept | None = None


_QUALIFICATIONS = msgspec.json.Decoder(list[Qualification | None] | None)
_CLASS = msgspec.json.Decoder(Coding | str | None)


def encounter_of(reference: Reference | None) -> str:
    """As "Encounter/7", whatever form the reference has; in a Bundle of new resources the urn holds the id."""
    text = None if reference is None else reference.reference
    if not text:
        return ""
    if text[:10] == "Encounter/" and text.count("/") == 1 and "?" not in text:
        return text  # as nearly all are
    if text.startswith(_URN):
        return f"Encounter/{text.removeprefix(_URN)}"
    return local_reference(text)


def user_specialties(
    user: str, practitioners: Iterable[Practitioner], roles: Iterable[PractitionerRole], codes: CodeReader
) -> tuple[str, ...]:
    """The specialties of the user's roles and qualifications; other people's count for nothing."""
    who = local_reference(user)
    found: list[str] = []
    for role in roles:
        practitioner = "" if role.practitioner is None else local_reference(role.practitioner.reference)
        if role.active is False or who not in (f"PractitionerRole/{role.id}", practitioner):
            continue
        found += _specialties(role.specialty, codes)
        found += _specialties(role.code, codes)
    for person in practitioners:
        if who == f"Practitioner/{person.id}":
            found += specialties_in(codes.of(each) for each in _qualifications(person.qualification))
    return tuple(dict.fromkeys(found)) if found else ()


def _qualifications(raw: Raw) -> tuple[CodeableConcept, ...]:
    if not len(raw):
        return ()
    try:
        several = _QUALIFICATIONS.decode(raw) or []
    except msgspec.DecodeError:
        return ()
    return tuple(each.code for each in several if each is not None and each.code is not None)


def _specialties(raw: Raw, codes: CodeReader) -> tuple[str, ...]:
    return () if raw is NOTHING else codes.specialties.of(raw)


def is_specialist(encounter: Encounter | None, codes: CodeReader) -> bool | None:
    """Does the encounter's service or type say that this is a specialist setting, or that it is not?

    The service or type decides by its specialty. Without one, an inpatient is in a hospital, which NICE NG59 (1.1.6)
    names as a specialist setting; an emergency or outpatient class says nothing of the service.
    """
    if encounter is None:
        return None
    found = _specialties(encounter.service_type, codes) + _specialties(encounter.type, codes)
    if not SPINE.isdisjoint(found):
        return True
    if not GENERAL.isdisjoint(found):
        return False
    return True if _class_code(encounter.encounter_class) in _INPATIENT else None


def _class_code(raw: Raw) -> str:
    if not len(raw):
        return ""
    try:
        found = _CLASS.decode(raw)
    except msgspec.DecodeError:
        return ""
    return (found.code or "") if isinstance(found, Coding) else ""
