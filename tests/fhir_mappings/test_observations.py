"""Examination, vital signs, laboratory and surveys: values of every type, units, and what says nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_mappings.units import unit_in_words
from rules.dates import DateInterval
from rules.facts import Fact
from tests.fhir_mappings.records import (
    INTERPRETATION,
    Resource,
    coded,
    facts_of,
    local,
    observation,
    only,
    own,
    picture_of,
)


def quantity(value: float, unit: str | None = None, code: str | None = None, comparator: str | None = None) -> Resource:
    found: Resource = {"value": value, "unit": unit, "code": code, "comparator": comparator}
    return {"valueQuantity": {key: part for key, part in found.items() if part is not None}}


def text(value: str) -> Resource:
    return {"valueString": value}


def words(value: str) -> Resource:
    return {"valueCodeableConcept": {"text": value}}


def interpretation(code: str) -> Resource:
    return {"interpretation": [{"coding": [{"system": INTERPRETATION, "code": code}]}]}


YES_NO = "http://terminology.hl7.org/CodeSystem/v2-0136"

# A finding that is there or not; None: the observation says nothing about it.
FINDING: dict[str, tuple[Resource, bool | None]] = {
    "true": ({"valueBoolean": True}, True),
    "false": ({"valueBoolean": False}, False),
    "coded yes": ({"valueCodeableConcept": coded("value-yes")}, True),
    "coded no": ({"valueCodeableConcept": coded("value-no")}, False),
    "coded present": ({"valueCodeableConcept": coded("value-present")}, True),
    "coded absent": ({"valueCodeableConcept": coded("value-absent")}, False),
    "v2 yes": ({"valueCodeableConcept": {"coding": [{"system": YES_NO, "code": "Y"}]}}, True),
    "v2 no": ({"valueCodeableConcept": {"coding": [{"system": YES_NO, "code": "N"}]}}, False),
    "own code yes": ({"valueCodeableConcept": own("yes")}, True),
    "own code absent": ({"valueCodeableConcept": own("absent")}, False),
    "a local code that is displayed as no": ({"valueCodeableConcept": local("No")}, False),
    "text yes": (text("Yes"), True),
    "text positive": (text("positive"), True),
    "text no": (text("no"), False),
    "text negative": (text("NEGATIVE"), False),
    "text absent": (text(" absent "), False),
    "text normal": (text("normal"), False),
    "text denies": (words("denies"), False),
    "a normal interpretation": (interpretation("N"), False),
    "a negative interpretation": (interpretation("NEG"), False),
    "a positive interpretation": (interpretation("POS"), True),
    "an abnormal interpretation": (interpretation("A"), True),
    "a positive value beside a normal interpretation": ({"valueBoolean": True, **interpretation("N")}, True),
    "no value: the finding itself": ({}, True),
    "a value that is not understood": (text("see letter"), None),
    "an unknown value": ({"valueCodeableConcept": {"text": "unknown"}}, None),
    "a stated absence of data": ({"dataAbsentReason": {"text": "not asked"}}, None),
    "a value and a stated absence of data": (
        {"valueBoolean": True, "dataAbsentReason": {"text": "error"}},
        None,
    ),
    "a number": (quantity(3, "1"), None),
}


@pytest.mark.parametrize(("value", "present"), FINDING.values(), ids=FINDING.keys())
def test_a_finding_is_present_absent_or_unsaid(value: Resource, present: bool | None):
    found = facts_of(observation("urinary-retention", **value))
    assert [fact.present for fact in found] == ([] if present is None else [present])


@pytest.mark.parametrize(
    ("status", "read"),
    [
        ("final", True),
        ("amended", True),
        ("corrected", True),
        ("preliminary", True),
        ("registered", False),
        ("cancelled", False),
        ("entered-in-error", False),
        ("unknown", False),
    ],
)
def test_only_a_result_that_stands_is_read(status: str, read: bool):
    found = facts_of(observation("urinary-retention", status=status, valueBoolean=True))
    assert bool(found) is read
    assert all(("preliminary" in fact.evidence.marks) is (status == "preliminary") for fact in found)


def grade(code: Resource | str, value: Resource, **more: Any) -> tuple[int | None, str, str] | None:
    found = facts_of(observation(code, **value, **more))
    if not found:
        return None
    fact = only(found)
    assert fact.concept == "muscle-strength"
    return fact.grade, fact.site, fact.side


GRADES: dict[str, tuple[Resource, int | None]] = {
    "an integer": ({"valueInteger": 4}, 4),
    "a quantity": (quantity(3), 3),
    "a quantity of five": (quantity(3, "/5"), 3),
    "a half grade": (quantity(4.5, "{score}"), 4),
    "text": (text("4"), 4),
    "text of five": (text("4/5"), 4),
    "text with minus": (text("4-"), 4),
    "text with plus": (text("4+/5"), 4),
    "full strength": (text("5/5"), 5),
    "none": (text("0/5"), 0),
    "with its scale": (text("MRC grade 3"), 3),
    "coded, displayed": ({"valueCodeableConcept": local("2/5")}, 2),
    "normal, in words": (text("normal"), 5),
    "normal, coded": ({"valueCodeableConcept": own("normal")}, 5),
    "out of range": ({"valueInteger": 8}, None),
    "below range": ({"valueInteger": -1}, None),
    "of ten": (text("4/10"), None),
    "a dynamometer": (quantity(4, "kg"), None),
    "words": (text("not tested"), None),
}


@pytest.mark.parametrize(("value", "expected"), GRADES.values(), ids=GRADES.keys())
def test_strength_is_a_grade_from_0_to_5_however_it_is_written(value: Resource, expected: int | None):
    found = grade(own("mrc-ankle-dorsiflexion"), value, bodySite=coded("laterality-left"))
    assert found == (None if expected is None else (expected, "ankle-dorsiflexion", "left"))


NAMES: dict[
    str, tuple[str, Resource, tuple[str, bool, str, str] | None]
] = {  # name, value: concept, present, site, side
    "leg raise": ("Straight leg raise, right", text("positive"), ("straight-leg-raise", True, "", "right")),
    "leg raise, negative": ("SLR left", text("negative"), ("straight-leg-raise", False, "", "left")),
    "a leg raise without a result says nothing": ("Straight leg raise, right", {}, None),
    "an absent reflex is a finding": ("Ankle jerk, left", text("absent"), ("ankle-reflex-reduced", True, "", "left")),
    "a present reflex is none": ("Ankle jerk, left", text("present"), ("ankle-reflex-reduced", False, "", "left")),
    "absent sensation is a finding": ("Perianal sensation", text("absent"), ("saddle-anaesthesia", True, "", "")),
    "normal sensation is none": ("Perianal sensation", text("intact"), ("saddle-anaesthesia", False, "", "")),
    "absent numbness is none": ("Saddle numbness", text("absent"), ("saddle-anaesthesia", False, "", "")),
    "numbness": ("Saddle numbness", {"valueBoolean": True}, ("saddle-anaesthesia", True, "", "")),
    "tone": ("Anal tone", text("reduced"), ("reduced-anal-tone", True, "", "")),
    "a dermatome": ("Sensation L5 dermatome, right", text("reduced"), ("dermatomal-sensory-loss", True, "l5", "right")),
    "heel walk": ("Heel walk", text("unable"), ("heel-walk-unable", True, "", "")),
    "a value that is no answer": ("Straight leg raise, right", text("60 degrees"), None),
    "a name with a word that nobody knows": ("Straight leg zzz, right", text("positive"), None),
}


@pytest.mark.parametrize(("name", "value", "expected"), NAMES.values(), ids=NAMES.keys())
def test_the_name_of_an_examination_is_answered_by_its_value(
    name: str, value: Resource, expected: tuple[str, bool, str, str] | None
):
    for code in ({"text": name}, local(name)):
        found = facts_of(observation(code, **value))
        got = [(fact.concept, fact.present, fact.site, fact.side) for fact in found]
        assert got == ([] if expected is None else [expected])


def test_strength_by_name_and_side():
    name = {"text": "Muscle power (MRC 0-5), left ankle dorsiflexion"}
    assert grade(name, text("4-/5")) == (4, "ankle-dorsiflexion", "left")
    assert grade(name, {"valueInteger": 3}) == (3, "ankle-dorsiflexion", "left")


def test_a_movement_that_is_not_said_to_be_graded_needs_a_fraction():
    name = {"text": "Knee extension, left"}
    assert grade(name, text("3/5")) == (3, "knee-extension", "left")
    assert grade(name, {"valueInteger": 3}) is None  # could be degrees
    assert grade(name, text("3")) is None


def test_a_statement_as_the_name_counts_only_without_a_value():
    assert only(facts_of(observation({"text": "No saddle numbness"}))).present is False
    assert facts_of(observation({"text": "No saddle numbness"}, valueBoolean=True)) == ()


def number(code: Resource | str, value: Resource) -> tuple[str, float | None, str, str] | None:
    found = facts_of(observation(code, **value))
    if not found:
        return None
    fact = only(found)
    return fact.concept, fact.value, fact.comparator, fact.site


NUMBERS: dict[str, tuple[str | Resource, Resource, tuple[str, float, str, str] | None]] = {
    "Celsius": ("body-temperature", quantity(38.5, "C", "Cel"), ("body-temperature", 38.5, "", "")),
    "Fahrenheit": ("body-temperature", quantity(101.3, "degF", "[degF]"), ("body-temperature", 38.5, "", "")),
    "Fahrenheit, as people write it": ("body-temperature", quantity(100.4, "°F"), ("body-temperature", 38.0, "", "")),
    "a temperature as text": ("body-temperature", text("38.5 C"), ("body-temperature", 38.5, "", "")),
    "a temperature without a unit": ("body-temperature", quantity(38.5), None),
    "a temperature in an unknown unit": ("body-temperature", quantity(38.5, "mmHg"), None),
    "a temperature that cannot be": ("body-temperature", quantity(102, "Cel", "Cel"), None),
    "a temperature as text, without a unit": ("body-temperature", text("38.5"), None),
    "kilograms": ("body-weight", quantity(80, "kg", "kg"), ("body-weight", 80, "", "")),
    "pounds": ("body-weight", quantity(200, "lbs", "[lb_av]"), ("body-weight", 90.7185, "", "")),
    "grams": ("body-weight", quantity(80500, "g"), ("body-weight", 80.5, "", "")),
    "a weight in an unknown unit": ("body-weight", quantity(80, "points"), None),
    "eGFR": ("egfr", quantity(28, "mL/min/{1.73_m2}", "mL/min/{1.73_m2}"), ("egfr", 28, "", "")),
    "eGFR, another spelling": ("egfr", quantity(28, "ml/min/1.73m²"), ("egfr", 28, "", "")),
    "eGFR, a third spelling": ("egfr", quantity(28, "mL/min/1.73 m^2"), ("egfr", 28, "", "")),
    "eGFR below": ("egfr", quantity(15, "mL/min/1.73m2", None, "<"), ("egfr", 15, "<", "")),
    "eGFR above, as text": ("egfr", text(">60"), ("egfr", 60, ">", "")),
    "eGFR below, as text": ("egfr", text("<15 mL/min/1.73m2"), ("egfr", 15, "<", "")),
    "eGFR at least, as text": ("egfr", text(">= 90"), ("egfr", 90, ">", "")),
    "eGFR in an unknown unit": ("egfr", quantity(28, "mg/dL"), None),
    "CRP": ("crp", quantity(48, "mg/L", "mg/L"), ("crp", 48, "", "")),
    "CRP in mg/dL": ("crp", quantity(4.8, "mg/dL", "mg/dL"), ("crp", 48, "", "")),
    "CRP without a unit": ("crp", quantity(4.8), None),
    "ESR": ("esr", quantity(60, "mm/h", "mm/h"), ("esr", 60, "", "")),
    "ESR, another spelling": ("esr", quantity(60, "mm/hr"), ("esr", 60, "", "")),
    "residual urine": (
        own("post-void-residual-volume"),
        quantity(450, "mL", "mL"),
        ("post-void-residual", 450, "", ""),
    ),
    "residual urine in cc": (
        own("post-void-residual-volume"),
        quantity(450, "cc"),
        ("post-void-residual", 450, "", ""),
    ),
    "duration in weeks": (own("symptom-duration-weeks"), quantity(3, "wk", "wk"), ("symptom-duration", 21, "", "")),
    "duration as an integer of weeks": (
        own("symptom-duration-weeks"),
        {"valueInteger": 3},
        ("symptom-duration", 21, "", ""),
    ),
    "duration in months": (own("symptom-duration-weeks"), quantity(2, "months"), ("symptom-duration", 60.875, "", "")),
    "a pain score": ("pain-severity-nrs", quantity(7, "{score}", "{score}"), ("pain-score", 7, "", "nrs")),
    "a pain score as an integer": ("pain-severity-nrs", {"valueInteger": 7}, ("pain-score", 7, "", "nrs")),
    "a pain score as text": ("pain-severity-nrs", text("7/10"), ("pain-score", 7, "", "nrs")),
    "a pain score beyond its scale": ("pain-severity-nrs", {"valueInteger": 70}, None),
    "a visual scale in millimetres": ("pain-severity-vas", quantity(62, "mm", "mm"), ("pain-score", 62, "", "vas")),
    "a visual scale in centimetres": ("pain-severity-vas", quantity(6.2, "cm", "cm"), ("pain-score", 62, "", "vas")),
    "a visual scale of which nobody says": ("pain-severity-vas", quantity(6, "{score}"), None),
    "Oswestry": ("oswestry-disability-index", quantity(44, "%", "%"), ("oswestry-disability-index", 44, "", "")),
    "Oswestry, raw": ("oswestry-disability-index", text("22/50"), ("oswestry-disability-index", 44, "", "")),
    "PEG": ("peg-score", quantity(6.3, "{score}"), ("function-score", 6.3, "", "peg")),
    "PROMIS": (
        "promis-physical-function",
        quantity(38.1, "{Tscore}"),
        ("function-score", 38.1, "", "promis-physical-function"),
    ),
    "a temperature by its name": ({"text": "Temp"}, quantity(101.3, "F"), ("body-temperature", 38.5, "", "")),
}


@pytest.mark.parametrize(("code", "value", "expected"), NUMBERS.values(), ids=NUMBERS.keys())
def test_a_number_is_read_in_the_unit_of_its_concept_or_not_at_all(
    code: str | Resource, value: Resource, expected: tuple[str, float, str, str] | None
):
    found = number(code, value)
    if found is None or expected is None:
        assert found == expected
    else:
        assert (found[0], found[2], found[3]) == (expected[0], expected[2], expected[3])
        assert found[1] == pytest.approx(expected[1], abs=0.01)


MARKERS: dict[str, tuple[Resource, tuple[bool, bool]]] = {  # present, flagged high
    "flagged high": ({**quantity(48, "mg/L"), **interpretation("H")}, (True, True)),
    "flagged normal": ({**quantity(4, "mg/L"), **interpretation("N")}, (False, False)),
    "above its range": (
        {**quantity(48, "mg/L"), "referenceRange": [{"high": {"value": 5, "unit": "mg/L"}}]},
        (True, True),
    ),
    "within its range": ({**quantity(4, "mg/L"), "referenceRange": [{"high": {"value": 5}}]}, (False, False)),
    "range in another unit": (
        {**quantity(48, "mg/L"), "referenceRange": [{"high": {"value": 0.5, "unit": "mg/dL"}}]},
        (True, True),
    ),
    "neither flag nor range: the number is left to the rules": (quantity(48, "mg/L"), (True, False)),
    "flagged, without a number": (interpretation("HH"), (True, True)),
    "negative in words": (text("negative"), (False, False)),
}


@pytest.mark.parametrize(("value", "expected"), MARKERS.values(), ids=MARKERS.keys())
def test_an_inflammatory_marker_is_raised_as_the_laboratory_says(value: Resource, expected: tuple[bool, bool]):
    fact = only(facts_of(observation("crp", **value)))
    assert (fact.present, "high" in fact.evidence.marks) == expected


def test_pregnancy_status_is_answered_by_its_value():
    def said(value: Resource) -> list[tuple[str, bool]]:
        found = facts_of(observation("pregnancy-status", valueCodeableConcept=value))
        return [(fact.concept, fact.present) for fact in found]

    assert said({"text": "Pregnant"}) == [("pregnancy", True)]
    assert said({"text": "Not pregnant"}) == [("pregnancy", False)]
    assert said(coded("pregnancy-status-unknown")) == []


@pytest.mark.parametrize(
    "name", ["Blood culture", "Pregnancy test", "Straight leg raise", "Muscle power, left ankle dorsiflexion"]
)
def test_a_test_that_was_ordered_has_no_result_yet(name: str):
    assert facts_of(observation({"text": name}, status="preliminary")) == ()


def test_a_pregnancy_test_is_positive_or_negative():
    assert only(facts_of(observation("pregnancy-test", valueString="Positive"))).present is True
    assert only(facts_of(observation("pregnancy-test", valueCodeableConcept={"text": "negative"}))).present is False
    assert facts_of(observation("pregnancy-test")) == ()  # ordered, no result


def test_an_onset_as_a_date_is_when_it_began():
    fact = only(facts_of(observation("symptom-onset", valueDateTime="2026-10")))
    assert fact.began == DateInterval(date(2026, 10, 1), date(2026, 10, 31))


def test_an_interpretation_of_worse_or_better_is_a_course():
    fact = only(facts_of(observation(own("mrc-ankle-dorsiflexion"), valueInteger=4, **interpretation("W"))))
    assert fact.course == "worsening"
    better = only(facts_of(observation("pain-severity-nrs", valueInteger=4, **interpretation("B"))))
    assert better.course == "improving"


def test_the_components_of_a_panel_are_read_like_observations_of_their_own():
    def component(code: Resource, **value: Any) -> Resource:
        return {"code": code, **value}

    panel = observation(
        {"text": "Neurological examination of the left leg"},
        bodySite=coded("laterality-left"),
        component=[
            component(own("mrc-ankle-dorsiflexion"), valueInteger=4),
            component(own("ankle-reflex"), valueString="absent"),
            component(own("straight-leg-raise"), dataAbsentReason={"text": "not done"}),
            component(own("sensation-l5"), valueString="zzz"),
            component(coded("body-temperature"), **quantity(36.8, "Cel")),
        ],
        status="preliminary",
    )
    found: dict[str, Fact] = {fact.concept: fact for fact in facts_of(panel)}
    assert set(found) == {"muscle-strength", "ankle-reflex-reduced", "body-temperature"}
    assert {fact.side for fact in found.values()} == {"left"}
    assert all(
        fact.evidence.reference == "Observation/o1" and "preliminary" in fact.evidence.marks for fact in found.values()
    )
    assert picture_of(panel).unread_texts >= 1


def test_a_panel_that_holds_a_known_code_and_only_components_says_nothing_itself():
    panel = observation("urinary-retention", component=[{"code": own("urinary-incontinence"), "valueBoolean": False}])
    assert [(fact.concept, fact.present) for fact in facts_of(panel)] == [("urinary-incontinence", False)]


DATES: dict[str, tuple[Resource, DateInterval | None]] = {
    "a day": ({"effectiveDateTime": "2026-11-20"}, DateInterval(date(2026, 11, 20), date(2026, 11, 20))),
    "an instant": ({"effectiveInstant": "2026-11-20T10:00:00Z"}, DateInterval(date(2026, 11, 20), date(2026, 11, 20))),
    "a period": (
        {"effectivePeriod": {"start": "2026-11-20", "end": "2026-11-22"}},
        DateInterval(date(2026, 11, 20), date(2026, 11, 20)),
    ),
    "issued only: by then": ({"issued": "2026-11-20T10:00:00Z"}, DateInterval(None, date(2026, 11, 20))),
    "in the future: a mistake": ({"effectiveDateTime": "2031-11-20"}, None),
    "nothing": ({}, None),
}


@pytest.mark.parametrize(("more", "expected"), DATES.values(), ids=DATES.keys())
def test_an_observation_is_dated_by_when_it_was_made(more: Resource, expected: DateInterval | None):
    record = observation("urinary-retention", valueBoolean=True)
    del record["effectiveDateTime"]
    assert only(facts_of({**record, **more})).began == expected


def test_every_dated_value_is_kept():
    values = [
        observation(
            "body-weight", id=f"w{month}", effectiveDateTime=f"2026-{month:02d}-01", **quantity(80 - month, "kg")
        )
        for month in range(1, 8)
    ]
    assert sorted(fact.value or 0 for fact in facts_of(*values)) == [73, 74, 75, 76, 77, 78, 79]


@pytest.mark.parametrize(
    ("unit", "written"),
    [
        ("Cel", "°C"),
        ("[degF]", "°F"),
        ("mL/min/{1.73_m2}", "mL/min/1.73 m²"),
        ("{score}", ""),
        ("kg", "kg"),
        ("mg/dL", "mg/dL"),
        ("[foo]", "[foo]"),
        ("{", "{"),
    ],
)
def test_a_unit_is_quoted_as_clinicians_write_it_and_never_taken_for_another(unit: str, written: str):
    assert unit_in_words(unit) == written


def test_a_card_can_quote_the_name_and_the_value():
    fact = only(facts_of(observation("body-temperature", **quantity(39.2, "Cel", "Cel"))))
    assert fact.evidence.says == "Body temperature: 39.2 °C"
    graded = only(facts_of(observation({"text": "Muscle power, left ankle dorsiflexion"}, valueString="4-/5")))
    assert graded.evidence.says == "Muscle power, left ankle dorsiflexion: 4-/5"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (quantity(39.4), True),
        (quantity(102.9), True),
        (quantity(38.0), True),
        (quantity(37.9), False),
        (quantity(100.3), False),
        (quantity(98.6), False),
        (quantity(39.4, "widgets"), True),
        (text("39.4"), True),
        (text("36.8"), False),
        ({"valueInteger": 39}, True),
        (text("see chart"), False),
    ],
)
def test_a_temperature_without_a_unit_is_not_taken_for_a_fever_and_is_shown_where_it_may_be_one(
    value: Resource, shown: bool
):
    picture = picture_of(observation("body-temperature", **value))
    assert not picture.facts
    assert bool(picture.unread_current_problems) == picture.unread_red_flag_stem == shown


WRITTEN_AS_USUAL: dict[str, Resource] = {
    "in the code of the unit": quantity(38.2, "Cel", "Cel"),
    "in another unit": quantity(101.3, "degF", "[degF]"),
    "in words only": quantity(37.1, "degrees C"),
    "with a comparator": quantity(36.0, "Cel", "Cel", "<="),
    "without a unit": quantity(38.4),
    "beyond what a living patient has": quantity(380, "Cel", "Cel"),
    "without a number": {"valueQuantity": {"unit": "Cel", "code": "Cel"}},
    "null": {"valueQuantity": None},
    "preliminary": {**quantity(38.2, "Cel", "Cel"), "status": "preliminary"},
    "with a side": {**quantity(38.2, "Cel", "Cel"), "bodySite": {"text": "left ear"}},
    "with an interpretation": {**quantity(38.2, "Cel", "Cel"), **interpretation("H")},
    "with a stated absence": {**quantity(38.2, "Cel", "Cel"), "dataAbsentReason": {"text": "error"}},
    "with a component": {
        **quantity(38.2, "Cel", "Cel"),
        "component": [{"code": coded("body-weight"), **quantity(70, "kg", "kg")}],
    },
    "a whole number": {"valueInteger": 6},
    "a large whole number": {"valueInteger": 1234567},
    "a whole number beyond all measure": {"valueInteger": 10**400},
    "a whole number and a word": {"valueInteger": 6, "valueCodeableConcept": {"text": "severe"}},
    "a whole number and an answer": {"valueInteger": 6, "valueBoolean": True},
    "a word": {"valueCodeableConcept": {"text": "severe"}},
    "of no readable day": {**quantity(38.2, "Cel", "Cel"), "effectiveDateTime": "soon"},
}


@pytest.mark.parametrize("name", ["body-temperature", "body-weight", "egfr", "pain-severity-nrs", "peg-score"])
@pytest.mark.parametrize("written", WRITTEN_AS_USUAL.values(), ids=WRITTEN_AS_USUAL.keys())
def test_the_short_way_of_reading_a_number_says_what_the_long_way_says(
    name: str, written: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = observation(coded(name, "As it is called"), **written)
    short = picture_of(entry)
    monkeypatch.setattr("fhir_mappings.observations.NUMBERS", {})
    assert short == picture_of(entry)


def test_a_number_as_nearly_all_are_written_is_read_in_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhir_mappings.observations.result_of", None)
    assert only(facts_of(observation(coded("body-weight"), **quantity(70, "kg", "kg")))).value == 70
