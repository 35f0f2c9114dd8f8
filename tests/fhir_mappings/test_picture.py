"""The whole record: whose entries, which version, what is missing, and that order and repetition change nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_mappings.errors import PatientMissing, WrongPatient
from fhir_mappings.picture import PatientContext, chart_from_bundle, draw_picture
from rules.facts import ClinicalPicture, SourceGap
from tests.fhir_mappings.records import (
    DAY,
    PATIENT,
    Resource,
    bundle,
    coded,
    condition,
    facts_of,
    local,
    observation,
    only,
    order,
    picture_from,
    picture_of,
    resource,
    terminology,
)

FEVER = {"valueQuantity": {"value": 39.2, "unit": "Cel"}}
OUTCOME = {"resourceType": "OperationOutcome"}
ERROR = {**OUTCOME, "issue": [{"severity": "error", "code": "exception"}]}
NO_RESULTS = {**OUTCOME, "issue": [{"severity": "warning", "code": "processing", "details": {"text": "no results"}}]}
WITHHELD = {**OUTCOME, "issue": [{"severity": "warning", "code": "suppressed"}]}
EXPECTED = {
    "patient": "Patient",
    "conditions": "Condition",
    "labs": "Observation",
    "vitals": "Observation",
    "devices": "Device",
}


def gaps(picture: ClinicalPicture) -> list[tuple[str, str, bool]]:
    return [(gap.source, gap.why, gap.hides_red_flags) for gap in picture.gaps]


# --- sources ----------

FULL: dict[str, Any] = {
    "patient": PATIENT,
    "conditions": bundle(),
    "labs": bundle(),
    "vitals": None,
    "devices": bundle(),
}

SOURCES: dict[str, tuple[dict[str, Any], list[tuple[str, str, bool]]]] = {
    "everything is there": ({}, []),
    "an absent key": ({"conditions": ...}, [("Condition", "not provided", True)]),
    "an absent key that hides no red flag": ({"devices": ...}, [("Device", "not provided", False)]),
    "null is known to be empty": ({"conditions": None}, []),
    "an absent key whose type came under another one": (
        {"conditions": ..., "problems": bundle(condition("sciatica"))},
        [],
    ),
    "an absent key whose type came under another key that was asked for": (
        {"labs": ..., "vitals": bundle(observation("body-temperature", **FEVER))},
        [("Observation", "not provided", True)],
    ),
    "a failure as the value": ({"labs": ERROR}, [("Observation", "failed", True)]),
    "a failure as the only entry": ({"labs": bundle(ERROR, total=0)}, [("Observation", "failed", True)]),
    "a failure among real entries": (
        {"labs": bundle(observation("body-temperature", **FEVER), ERROR)},
        [("Observation", "failed", True)],
    ),
    "no results, as an entry": ({"labs": bundle(NO_RESULTS, total=0)}, []),
    "no results, as the value": ({"labs": NO_RESULTS}, []),
    "a warning among real entries": ({"labs": bundle(observation("body-temperature", **FEVER), NO_RESULTS)}, []),
    "something withheld": ({"labs": bundle(WITHHELD)}, [("Observation", "incomplete", True)]),
    "a broken body": ({"conditions": '{"resourceType":'}, [("Condition", "unreadable", True)]),
    "a further page": (
        {"conditions": bundle(condition("sciatica"), link=[{"relation": "next", "url": "https://x/2"}])},
        [("Condition", "incomplete", True)],
    ),
    "a further page under a key that nobody asked for": (
        {"more": bundle(condition("sciatica"), link=[{"relation": "next"}])},
        [("Condition", "incomplete", True)],
    ),
    "an answer of a batch that failed": (
        {
            "labs": {
                "resourceType": "Bundle",
                "type": "batch-response",
                "entry": [{"response": {"status": "403 Forbidden"}}],
            }
        },
        [("Observation", "failed", True)],
    ),
    "a single resource in place of a Bundle": ({"conditions": condition("sciatica")}, []),
    "a failure under a key that nobody asked for": ({"extra": ERROR}, []),
}


@pytest.mark.parametrize(("changed", "expected"), SOURCES.values(), ids=SOURCES.keys())
def test_a_source_that_was_not_read_is_a_gap(changed: dict[str, Any], expected: list[tuple[str, str, bool]]):
    prefetch = {key: value for key, value in {**FULL, **changed}.items() if value is not ...}
    assert gaps(picture_from(prefetch, EXPECTED)) == expected


def test_real_entries_beside_a_failure_are_read():
    picture = picture_from({**FULL, "labs": bundle(observation("body-temperature", **FEVER), ERROR)}, EXPECTED)
    assert only(picture.facts).value == 39.2


def test_resources_are_read_by_their_type_from_whichever_key():
    picture = picture_from(
        {"zzz": bundle(PATIENT, condition("sciatica")), "qqq": observation("body-temperature", **FEVER)}
    )
    assert {fact.concept for fact in picture.facts} == {"sciatica", "body-temperature"}


# --- the patient ----------

MISSING = {
    "no prefetch at all": {},
    "null": {"patient": None},
    "a failure": {"patient": ERROR},
    "a broken body": {"patient": "{"},
    "a Patient without an id": {"patient": {"resourceType": "Patient"}},
    "a malformed Patient": {"patient": {**PATIENT, "birthDate": 1975}},
}


@pytest.mark.parametrize("prefetch", MISSING.values(), ids=MISSING.keys())
def test_without_the_patient_nothing_can_be_decided(prefetch: dict[str, Any]):
    with pytest.raises(PatientMissing):
        picture_from(prefetch)


OTHER = {**PATIENT, "id": "p2"}
WRONG = {
    "another Patient": {"patient": OTHER},
    "another Patient in a Bundle": {"patient": bundle(OTHER)},
    "another Patient beside the right one": {"patient": PATIENT, "again": OTHER},
}


@pytest.mark.parametrize("prefetch", WRONG.values(), ids=WRONG.keys())
def test_another_patient_stops_everything(prefetch: dict[str, Any]):
    with pytest.raises(WrongPatient):
        picture_from(prefetch)


def test_entries_of_other_patients_are_dropped_and_counted():
    picture = picture_of(
        condition("urinary-retention", subject={"reference": "Patient/p2"}),
        observation("body-temperature", subject={"reference": "https://x/fhir/Patient/p10"}, **FEVER),
        resource("Procedure", status="completed", code=local("Something"), subject={"reference": "Group/p1"}),
        OTHER,
        condition("sciatica"),
    )
    assert (only(picture.facts).concept, picture.foreign_entries) == ("sciatica", 4)


@pytest.mark.parametrize("place", [0, 1])
def test_an_entry_that_names_another_patient_by_identifier_alone_is_dropped_wherever_it_stands(place: int):
    records = [condition("sciatica")]
    records.insert(place, condition("urinary-retention", subject={"identifier": {"system": "urn:mrn", "value": "M-2"}}))
    me = {**PATIENT, "identifier": [{"system": "urn:mrn", "value": "M-1"}]}
    picture = picture_from({"patient": me, "conditions": bundle(*records)})
    assert (only(picture.facts).concept, picture.foreign_entries) == ("sciatica", 1)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("identifier", [[{"system": "urn:mrn", "value": "M-1"}], {"value": True}, "M-1"], ids=repr)
def test_an_entry_of_which_nobody_can_say_whose_it_is_is_left_out_and_makes_a_gap(identifier: Any, place: int):
    records = [condition("sciatica")]
    records.insert(place, condition("urinary-retention", subject={"identifier": identifier}))
    me = {**PATIENT, "identifier": [{"system": "urn:mrn", "value": "M-1"}]}
    picture = picture_from({"patient": me, "conditions": bundle(*records)})
    assert (only(picture.facts).concept, picture.foreign_entries) == ("sciatica", 1)
    assert SourceGap("Condition", "incomplete", True) in picture.gaps


def test_the_patient_may_be_named_by_the_urn_of_their_entry():
    page = {
        "resourceType": "Bundle",
        "entry": [
            {"fullUrl": "urn:uuid:aa", "resource": PATIENT},
            {"fullUrl": "urn:uuid:bb", "resource": condition("sciatica", subject={"reference": "urn:uuid:aa"})},
            {
                "fullUrl": "urn:uuid:cc",
                "resource": condition("hip-osteoarthritis", subject={"reference": "urn:uuid:dd"}),
            },
        ],
    }
    picture = picture_from({"everything": page})
    assert (only(picture.facts).concept, picture.foreign_entries) == ("sciatica", 1)


# --- versions and repetitions ----------


def version(number: str, **more: Any) -> Resource:
    return observation("body-temperature", meta={"versionId": number}, **more)


VERSIONS: dict[str, tuple[list[Resource], list[float]]] = {
    "the same entry twice": ([version("1", **FEVER), version("1", **FEVER)], [39.2]),
    "a correction": (
        [version("1", **FEVER), version("2", status="corrected", valueQuantity={"value": 36.9, "unit": "Cel"})],
        [36.9],
    ),
    "an entry that was then entered in error": (
        [version("1", **FEVER), version("2", status="entered-in-error", **FEVER)],
        [],
    ),
    "an entry in error that was then put right": (
        [version("9", status="entered-in-error"), version("10", status="corrected", **FEVER)],
        [39.2],
    ),
    "by the time of the last change": (
        [
            observation("body-temperature", meta={"lastUpdated": "2026-11-24T10:00:00Z"}, **FEVER),
            observation(
                "body-temperature",
                meta={"lastUpdated": "2026-11-24T11:00:00+02:00"},
                valueQuantity={"value": 36.9, "unit": "Cel"},
            ),
        ],
        [39.2],
    ),
    "no version at all: what takes back counts": (
        [observation("body-temperature", **FEVER), observation("body-temperature", status="entered-in-error", **FEVER)],
        [],
    ),
    "a new value is not a new version": (
        [version("1", **FEVER), observation("body-temperature", id="o2", valueQuantity={"value": 36.9, "unit": "Cel"})],
        [36.9, 39.2],
    ),
    "a correction that no longer has a code that we know": (
        [version("1", **FEVER), {**version("2"), "code": local("Zzz")}],
        [],
    ),
}


@pytest.mark.parametrize("turn", [1, -1], ids=["in order", "turned round"])
@pytest.mark.parametrize(("entries", "values"), VERSIONS.values(), ids=VERSIONS.keys())
def test_the_latest_version_of_an_entry_is_the_entry(entries: list[Resource], values: list[float], turn: int):
    assert sorted(fact.value or 0 for fact in facts_of(*entries[::turn])) == values


def test_an_entry_under_two_keys_is_one_entry():
    page = bundle(observation("body-temperature", **FEVER))
    assert len(picture_from({"patient": PATIENT, "vitals": page, "exam": page}).facts) == 1


def test_an_order_that_is_being_written_is_not_its_own_predecessor():
    saved = {**order(), "code": coded("lumbar-epidural-injection")}
    context = PatientContext("p1", draft_ids=frozenset({"order-1"}))
    assert picture_from({"patient": PATIENT, "orders": bundle(saved)}, context=context).facts == ()
    assert len(picture_from({"patient": PATIENT, "orders": bundle(saved)}).facts) == 1


# --- what it costs when a part cannot be read ----------


def test_a_part_of_the_wrong_type_costs_its_entry_and_is_counted():
    picture = picture_of(
        condition("urinary-retention", id="c1", onsetPeriod="yesterday"),
        observation("body-temperature", valueQuantity=[39.2]),
        observation("urinary-retention", id="o2", valueBoolean="true"),
        resource(
            "MedicationRequest", status="active", medicationCodeableConcept={"text": "Ibuprofen"}, dosageInstruction="x"
        ),
        condition("sciatica", id="c2"),
    )
    assert (only(picture.facts).concept, picture.dropped_entries) == ("sciatica", 4)


def test_codes_in_no_table_are_kept_for_coverage_once_each():
    several = [observation(local("Zzz"), id=f"o{n}") for n in range(5)]
    assert picture_of(*several).unmapped_codes == {("urn:oid:1.2.3.4.5", "X-77")}


def test_a_known_coding_is_found_behind_thousands_of_unknown_ones():
    unknown = [{"system": "urn:x", "code": f"{n}", "display": f"thing {n}"} for n in range(5000)]
    many = {"coding": [*unknown, *coded("urinary-retention")["coding"]]}
    assert only(facts_of(condition(many))).concept == "urinary-retention"
    assert only(facts_of(observation(many, valueBoolean=False))).present is False


def test_record_text_is_short_and_holds_nothing_invisible():
    sneaky = "Urinary\u202e retention\u200b \x07with\u2028" + "a" * 400
    fact = only(facts_of(condition(coded("urinary-retention", sneaky))))
    assert len(fact.evidence.says) <= 120
    assert fact.evidence.says.startswith("Urinary retention with a")
    assert fact.evidence.says.isprintable()


def test_markup_in_a_record_stays_text():
    fact = only(facts_of(condition(coded("urinary-retention", "<b>Retention</b> [x](http://e)"))))
    assert fact.evidence.says == "<b>Retention</b> [x](http://e)"


def test_what_the_entry_was_when_it_was_read_is_kept():
    fact = only(
        facts_of(condition("urinary-retention", meta={"versionId": "3", "lastUpdated": "2026-11-20T10:00:00Z"}))
    )
    assert fact.evidence.version == "3"


# --- a whole record ----------

RECORD = [PATIENT, condition("sciatica"), observation("body-temperature", **FEVER)]


@pytest.mark.parametrize("form", ["bundle", "list", "bytes"])
def test_a_whole_record_may_be_a_bundle_or_a_list(form: str):
    record: Any = {"bundle": bundle(*RECORD), "list": RECORD, "bytes": json.dumps(RECORD).encode()}[form]
    chart = chart_from_bundle(record, "p1")
    picture = draw_picture(chart, PatientContext("p1"), DAY, terminology())
    assert {fact.concept for fact in picture.facts} == {"sciatica", "body-temperature"}
    assert picture.gaps == ()


def test_a_whole_record_of_somebody_else_is_refused():
    with pytest.raises(WrongPatient):
        chart_from_bundle(RECORD, "p2")
