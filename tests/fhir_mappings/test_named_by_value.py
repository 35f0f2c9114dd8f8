"""Results whose name says nothing and whose value says it all, and names that turn the value round."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir_mappings.records import INTERPRETATION, Resource, coded, facts_of, local, observation, picture_of

ACT_CODES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def called(name: str) -> Resource:
    return {"text": name}


def saddle() -> Resource:
    return {"valueCodeableConcept": coded("saddle-anaesthesia")}


NEUTRAL: dict[str, Resource] = {
    "an assertion, by its code alone": {"coding": [{"system": ACT_CODES, "code": "ASSERTION"}]},
    "presenting symptom": called("Presenting symptom"),
    "chief complaint": called("Chief complaint Narrative - Reported"),
    "chief complaint and reason for visit": called("Chief complaint+Reason for visit"),
    "clinical finding": called("Clinical finding"),
    "symptom, in a local code": local("Symptom"),
    "red flags": called("RED FLAGS"),
    "diagnosis": called("Diagnosis"),
}


@pytest.mark.parametrize("name", NEUTRAL)
def test_a_name_that_only_announces_leaves_the_coded_value_to_speak(name: str) -> None:
    (fact,) = facts_of(observation(NEUTRAL[name], **saddle()))
    assert (fact.concept, fact.present) == ("saddle-anaesthesia", True)


@pytest.mark.parametrize(
    ("said", "concept", "present"),
    [
        ("urinary incontinence", "urinary-incontinence", True),
        ("saddle numbness", "saddle-anaesthesia", True),
        ("no urinary incontinence", "urinary-incontinence", False),
        ("low back pain", "low-back-pain", True),
    ],
)
def test_words_under_such_a_name_are_read_as_a_problem_would_be(said: str, concept: str, present: bool) -> None:
    for value in ({"valueString": said}, {"valueCodeableConcept": {"text": said}}):
        facts = facts_of(observation(called("Presenting complaint"), **value))
        assert [(fact.concept, fact.present) for fact in facts] == [(concept, present)]


QUOTED: dict[str, tuple[Resource, Resource]] = {
    "words that are not understood and hold a red flag's": (
        called("Presenting complaint"),
        {"valueString": "wet himself twice lately, numb bottom?!"},
    ),
    "a red flag under a name that no table knows": (called("Triage item 7"), saddle()),
    "a red flag under a code without a name": ({"coding": [{"system": "urn:oid:1.2.3", "code": "4711"}]}, saddle()),
    "a red flag that its interpretation denies": (
        called("Finding"),
        saddle() | {"interpretation": [{"coding": [{"system": INTERPRETATION, "code": "N"}]}]},
    ),
}


@pytest.mark.parametrize("case", QUOTED)
def test_what_may_be_a_red_flag_and_is_not_understood_is_shown_as_not_read(case: str) -> None:
    name, value = QUOTED[case]
    picture = picture_of(observation(name, **value))
    assert not picture.facts
    assert picture.unread_current_problems
    assert picture.unread_red_flag_stem


SILENT: dict[str, tuple[Resource, Resource]] = {
    "somebody else's": (called("Family history finding"), saddle()),
    "the mother's": (called("Mother's diagnosis"), saddle()),
    "denied": (called("Symptom denied"), saddle()),
    "none of these": (called("Pertinent negative"), saddle()),
    "an old one that nobody understood": (called("Triage item 7"), saddle() | {"effectiveDateTime": "2019-03-01"}),
    "a value that no rule reads": (called("Presenting symptom"), {"valueCodeableConcept": local("Sneezing")}),
    "a red flag's name beside data that is absent": (
        called("Presenting symptom"),
        saddle() | {"dataAbsentReason": {"text": "unknown"}},
    ),
    "words under a name that no table knows": (called("Nursing note"), {"valueString": "bowel sounds normal"}),
}


@pytest.mark.parametrize("case", SILENT)
def test_what_is_not_this_patients_finding_is_neither_taken_nor_shown(case: str) -> None:
    name, value = SILENT[case]
    picture = picture_of(observation(name, **value))
    assert not picture.facts
    assert not picture.unread_current_problems


def test_components_of_a_panel_that_no_table_knows_are_heard_too() -> None:
    part: dict[str, Any] = {"code": called("Symptom"), **saddle()}
    panel = observation(called("Triage panel"), component=[{"code": called("Pulse"), "valueInteger": 60}, part])
    assert [fact.concept for fact in facts_of(panel)] == ["saddle-anaesthesia"]
