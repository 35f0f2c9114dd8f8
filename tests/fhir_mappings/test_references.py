"""Whom a resource is about."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fhir_mappings.fhir_records import Reference
from fhir_mappings.references import OnePatient, local_reference

IDENTIFIERS = msgspec.Raw(b'[{"system": "urn:mrn", "value": "M-1"}]')
WHO = OnePatient("p1", frozenset({"urn:uuid:1f0c"}), IDENTIFIERS)


def reference(literal: str | None, identifier: dict[str, Any] | None = None) -> Reference:
    raw = msgspec.json.encode({"reference": literal, **({"identifier": identifier} if identifier else {})})
    return msgspec.json.decode(raw, type=Reference)


OURS: dict[str, Reference | None] = {
    "nobody is named": None,
    "an empty reference": reference(None),
    "relative": reference("Patient/p1"),
    "a version": reference("Patient/p1/_history/2"),
    "absolute": reference("https://ehr.example.org/fhir/Patient/p1"),
    "absolute, a version": reference("https://ehr.example.org/fhir/Patient/p1/_history/7"),
    "absolute, by another address of the same server": reference("http://10.0.0.7:8080/fhir/Patient/p1"),
    "by the fullUrl of the Patient's entry": reference("urn:uuid:1f0c"),
    "by an identifier of the patient": reference(None, {"system": "urn:mrn", "value": "M-1"}),
    "by an identifier of another kind": reference(None, {"system": "urn:ssn", "value": "999"}),
    "a contained Patient with the patient's identifier": reference("#me", {"system": "urn:mrn", "value": "M-1"}),
}
NOT_OURS = {
    "another patient": reference("Patient/p2"),
    "a patient whose id begins alike": reference("Patient/p10"),
    "a patient whose id ends alike": reference("Patient/xp1"),
    "another patient, absolute": reference("https://ehr.example.org/fhir/Patient/p2"),
    "another patient's version": reference("Patient/p2/_history/1"),
    "a urn that no entry has": reference("urn:uuid:ffff"),
    "another type with the same id": reference("Group/p1"),
    "the id hidden in a query": reference("https://ehr.example.org/fhir/Patient/p2?x=/Patient/p1"),
    "a conditional reference": reference("Patient?identifier=urn:mrn|M-1"),
    "another identifier of the same kind": reference(None, {"system": "urn:mrn", "value": "M-2"}),
    "a contained Patient that could be anybody": reference("#me"),
    "a text": reference("Jane Roe"),
}


@pytest.mark.parametrize("who", OURS.values(), ids=OURS.keys())
def test_the_patient_is_known_however_a_record_refers_to_them(who: Reference | None):
    assert WHO.is_meant_by(who)
    assert WHO.is_meant_by(who)  # and again, from memory


@pytest.mark.parametrize("who", NOT_OURS.values(), ids=NOT_OURS.keys())
def test_anybody_else_is_not_the_patient(who: Reference):
    assert not WHO.is_meant_by(who)
    assert not WHO.is_meant_by(who)


def test_a_contained_patient_is_known_by_id_or_identifier():
    def inside(**patient: object) -> msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode([{"resourceType": "Patient", **patient}]))

    mine = inside(id="me", identifier=[{"system": "urn:mrn", "value": "M-1"}])
    hers = inside(id="me", identifier=[{"system": "urn:mrn", "value": "M-2"}])
    assert WHO.is_meant_by(reference("#me"), mine)
    assert not WHO.is_meant_by(reference("#me"), hers)
    assert not WHO.is_meant_by(reference("#me"), inside(id="me"))
    assert not WHO.is_meant_by(reference("#you"), mine)
    assert WHO.is_meant_by(reference("#p1"), inside(id="p1"))
    assert not WHO.is_meant_by(reference("#me"), msgspec.Raw(b'{"id": 1}'))


def test_a_literal_reference_is_not_believed_again_for_another_identifier():
    who = OnePatient("p1", frozenset(), IDENTIFIERS)
    assert who.is_meant_by(reference("#me", {"system": "urn:mrn", "value": "M-1"}))
    assert not who.is_meant_by(reference("#me", {"system": "urn:mrn", "value": "M-2"}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Condition/12", "Condition/12"),
        ("https://ehr.example.org/fhir/Condition/12/_history/3", "Condition/12"),
        ("/Condition/12", "Condition/12"),
        ("urn:uuid:aa", "urn:uuid:aa"),
        ("#x", "#x"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_reference_is_shown_as_type_and_id(text: str | None, expected: str):
    assert local_reference(text) == expected
