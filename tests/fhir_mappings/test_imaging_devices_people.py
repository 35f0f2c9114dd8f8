"""Prior imaging, devices, allergies, the encounter, the user and the patient."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rules.dates import DateInterval
from rules.facts import AgeRange
from tests.fhir_mappings.records import (
    CLINICAL,
    ME,
    PATIENT,
    VERIFICATION,
    Resource,
    bundle,
    coded,
    facts_of,
    local,
    only,
    picture_from,
    picture_of,
    resource,
)


def report(code: Resource, **more: Any) -> Resource:
    return resource("DiagnosticReport", **{"status": "final", "code": code, "effectiveDateTime": "2026-08-01", **more})


# --- imaging ----------

REPORTS = {
    "final": "final",
    "amended": "final",
    "corrected": "final",
    "appended": "final",
    "preliminary": "preliminary",
    "partial": "preliminary",
    "registered": None,
    "cancelled": None,
    "entered-in-error": None,
    "unknown": None,
}


@pytest.mark.parametrize(("status", "state"), REPORTS.items(), ids=REPORTS.keys())
def test_a_report_is_final_preliminary_or_nothing(status: str, state: str | None):
    found = facts_of(report(coded("mri-lumbar-without-contrast"), status=status))
    assert [fact.state for fact in found] == ([] if state is None else [state])


STUDIES: dict[str, tuple[Resource, str | None]] = {
    "coded": (coded("mri-lumbar-without-contrast"), "mri-lumbar-without-contrast"),
    "in words": ({"text": "MRI lumbar spine without contrast"}, "mri-lumbar-without-contrast"),
    "in words, with a code that nobody knows": (local("XR lumbar spine 2 views"), "xr-lumbar"),
    "in words, contrast not stated": ({"text": "MRI lumbar spine"}, "mri-lumbar-unspecified-contrast"),
    "of the head": ({"text": "MRI brain"}, None),
    "a laboratory report": ({"text": "Complete blood count"}, None),
}


@pytest.mark.parametrize(("code", "concept"), STUDIES.values(), ids=STUDIES.keys())
def test_a_lumbar_study_is_recognised_by_code_or_words(code: Resource, concept: str | None):
    assert [fact.concept for fact in facts_of(report(code))] == ([] if concept is None else [concept])


def test_a_report_that_is_only_issued_was_done_by_then():
    record = report(coded("mri-lumbar-without-contrast"), effectiveDateTime=None, issued="2026-08-03T10:00:00Z")
    assert only(facts_of(record)).began == DateInterval(None, date(2026, 8, 3))


def test_an_imaging_study_is_pictures_and_no_report():
    study = resource(
        "ImagingStudy", status="available", started="2026-08-01", procedureCode=[coded("mri-lumbar-without-contrast")]
    )
    fact = only(facts_of(study))
    assert (fact.concept, fact.state) == ("mri-lumbar-without-contrast", "preliminary")
    assert "pictures, no report" in fact.evidence.marks
    described = resource("ImagingStudy", status="available", description="XR lumbar spine 2 views")
    assert only(facts_of(described)).concept == "xr-lumbar"
    assert facts_of({**study, "status": "cancelled"}) == ()


# --- devices ----------


def device(**more: Any) -> Resource:
    return {
        "resourceType": "Device",
        "id": "d1",
        "status": "active",
        "patient": ME,
        "type": coded("implantable-defibrillator"),
        **more,
    }


def use(status: str) -> Resource:
    return resource("DeviceUseStatement", id=f"u-{status}", status=status, device={"reference": "Device/d1"})


DEVICES: dict[str, tuple[list[Resource], bool | None]] = {
    "active": ([device()], True),
    "without a status": ([device(status=None)], True),
    "inactive": ([device(status="inactive")], False),
    "in error": ([device(status="entered-in-error")], None),
    "removed": ([device(), use("completed")], False),
    "one use over, another going on": ([device(), use("completed"), use("active")], True),
    "a use in error": ([device(), use("entered-in-error")], True),
    "another patient's": ([device(patient={"reference": "Patient/p2"})], None),
}


@pytest.mark.parametrize(("records", "current"), DEVICES.values(), ids=DEVICES.keys())
def test_a_device_is_there_until_it_was_removed(records: list[Resource], current: bool | None):
    assert [fact.current for fact in facts_of(*records)] == ([] if current is None else [current])


def test_a_device_may_be_known_by_its_name_only():
    named = device(type=local("Zzz"), deviceName=[{"name": "Pacemaker", "type": "user-friendly-name"}])
    assert only(facts_of(named)).concept == "pacemaker"


# --- allergies ----------


def allergy(**more: Any) -> Resource:
    return {
        "resourceType": "AllergyIntolerance",
        "id": "a1",
        "patient": ME,
        "code": coded("gadolinium-contrast-substance"),
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        **more,
    }


ALLERGIES: dict[str, tuple[Resource, tuple[bool, bool, bool] | None]] = {  # present, current, suspected
    "active": ({}, (True, True, False)),
    "without a status": ({"clinicalStatus": None}, (True, True, False)),
    "resolved": ({"clinicalStatus": {"coding": [{"code": "resolved"}]}}, (True, False, False)),
    "inactive": ({"clinicalStatus": {"text": "Inactive"}}, (True, False, False)),
    "refuted": (
        {"verificationStatus": {"coding": [{"system": VERIFICATION, "code": "refuted"}]}},
        (False, True, False),
    ),
    "unconfirmed": ({"verificationStatus": {"coding": [{"code": "unconfirmed"}]}}, (True, True, True)),
    "in error": ({"verificationStatus": {"coding": [{"code": "entered-in-error"}]}}, None),
}


@pytest.mark.parametrize(("more", "expected"), ALLERGIES.values(), ids=ALLERGIES.keys())
def test_a_reaction_counts_as_its_status_says(more: Resource, expected: tuple[bool, bool, bool] | None):
    found = [(fact.present, fact.current, fact.suspected) for fact in facts_of(allergy(**more))]
    assert found == ([] if expected is None else [expected])


def test_the_substance_may_stand_in_the_reaction():
    record = allergy(
        code=local("Zzz"), reaction=[{"substance": coded("iodinated-contrast-substance")}], criticality="high"
    )
    fact = only(facts_of(record))
    assert fact.concept == "iodinated-contrast-substance"
    assert "criticality high" in fact.evidence.marks


ALLERGENS = {
    "gadolinium by its name": ({"text": "Gadobutrol"}, "gadolinium-contrast-substance"),
    "iodinated by its name": ({"text": "iohexol (Omnipaque)"}, "iodinated-contrast-substance"),
    "contrast without an agent": ({"text": "IV contrast"}, "contrast-substance-unspecified"),
    "a medicine is no contrast agent": ({"text": "Ibuprofen"}, None),
    "a medicine, coded": (coded("nsaid"), None),
}


@pytest.mark.parametrize(("code", "concept"), ALLERGENS.values(), ids=ALLERGENS.keys())
def test_only_contrast_agents_are_read_from_allergies(code: Resource, concept: str | None):
    assert [fact.concept for fact in facts_of(allergy(code=code))] == ([] if concept is None else [concept])


def test_contrast_that_was_given_is_no_reaction_to_it():
    given = resource("MedicationAdministration", status="completed", medicationCodeableConcept={"text": "Gadobutrol"})
    assert facts_of(given) == ()


@pytest.mark.parametrize(
    "more", [{"clinicalStatus": "active"}, {"status": "confirmed"}, {"substance": {"text": "Iodine"}}]
)
def test_an_older_version_of_an_allergy_is_a_gap(more: Resource):
    (gap,) = picture_of(allergy(**more)).gaps
    assert (gap.source, gap.why, gap.hides_red_flags) == ("AllergyIntolerance", "unsupported version", False)


# --- encounter and user ----------

ENCOUNTERS: dict[str, tuple[Resource, bool | None]] = {
    "a spine service": ({"serviceType": coded("specialty-neurosurgery")}, True),
    "a type of visit that names it": ({"type": [coded("specialty-rheumatology")]}, True),
    "general practice": ({"serviceType": coded("specialty-family-medicine")}, False),
    "an inpatient": ({"class": {"code": "IMP"}}, True),
    "an inpatient of a general service": (
        {"class": {"code": "IMP"}, "serviceType": coded("specialty-internal-medicine")},
        False,
    ),
    "an outpatient": ({"class": {"code": "AMB"}}, None),
    "an emergency": ({"class": {"code": "EMER"}}, None),
    "a bare class of an older version": ({"class": "inpatient"}, None),
    "cancelled": ({"status": "cancelled", "serviceType": coded("specialty-neurosurgery")}, None),
    "another encounter": ({"id": "e2", "serviceType": coded("specialty-neurosurgery")}, None),
    "nothing said": ({}, None),
}


@pytest.mark.parametrize(("more", "specialist"), ENCOUNTERS.values(), ids=ENCOUNTERS.keys())
def test_an_encounter_may_say_what_setting_it_is(more: Resource, specialist: bool | None):
    encounter = resource("Encounter", **{"id": "e1", "status": "in-progress", **more})
    picture = picture_of(encounter, encounterId="e1")
    assert picture.encounter_specialist is specialist
    assert picture.encounter == "Encounter/e1"


def test_the_reason_of_todays_visit_is_a_problem_of_this_encounter():
    encounter = resource("Encounter", id="e1", status="in-progress", reasonCode=[coded("urinary-retention")])
    fact = only(facts_of(encounter, encounterId="e1"))
    assert (fact.concept, fact.encounter, fact.kind.value) == ("urinary-retention", "Encounter/e1", "condition")
    assert facts_of(encounter, encounterId="e2") == ()


def role(**more: Any) -> Resource:
    return {
        "resourceType": "PractitionerRole",
        "id": "r1",
        "practitioner": {"reference": "Practitioner/d1"},
        "specialty": [coded("specialty-neurosurgery")],
        **more,
    }


USERS: dict[str, tuple[list[Resource], str, tuple[str, ...]]] = {
    "by a role of the user": ([role()], "Practitioner/d1", ("specialty-neurosurgery",)),
    "by the role itself": ([role()], "PractitionerRole/r1", ("specialty-neurosurgery",)),
    "by a qualification": (
        [{"resourceType": "Practitioner", "id": "d1", "qualification": [{"code": coded("specialty-rheumatology")}]}],
        "Practitioner/d1",
        ("specialty-rheumatology",),
    ),
    "another person's role": ([role(practitioner={"reference": "Practitioner/d2"})], "Practitioner/d1", ()),
    "a role that is over": ([role(active=False)], "Practitioner/d1", ()),
    "nobody is named": ([role()], "", ()),
}


@pytest.mark.parametrize(("people", "user", "expected"), USERS.values(), ids=USERS.keys())
def test_only_the_users_own_specialties_count(people: list[Resource], user: str, expected: tuple[str, ...]):
    picture = picture_from({"patient": PATIENT, "people": bundle(*people)}, userId=user)
    assert picture.requester_specialties == expected


# --- the patient ----------

AGES: dict[str, tuple[str | None, AgeRange | None]] = {
    "on the birthday": ("1976-11-25", AgeRange(50, 50)),
    "the day before": ("1976-11-26", AgeRange(49, 49)),
    "born on 29 February": ("2004-02-29", AgeRange(22, 22)),
    "a month only, across the birthday": ("1976-11", AgeRange(49, 50)),
    "a year only": ("1976", AgeRange(49, 50)),
    "today": ("2026-11-25", AgeRange(0, 0)),
    "in the future": ("2027-01-01", None),
    "impossible": ("1976-02-30", None),
    "older than anybody": ("1850-01-01", None),
    "missing": (None, None),
}


@pytest.mark.parametrize(("born", "age"), AGES.values(), ids=AGES.keys())
def test_age_is_completed_years_with_what_the_birth_date_leaves_open(born: str | None, age: AgeRange | None):
    assert picture_of(patient={**PATIENT, "birthDate": born}).age == age


@pytest.mark.parametrize(("gender", "sex"), [("female", "female"), ("Male", "male"), ("M", ""), (None, "")])
def test_sex_is_a_fhir_gender_or_not_known(gender: str | None, sex: str):
    assert picture_of(patient={**PATIENT, "gender": gender}).sex == sex


def test_a_family_name_that_is_a_list_tells_an_older_version_of_fhir():
    (gap,) = picture_of(patient={**PATIENT, "name": [{"family": ["Roe"], "given": ["A"]}]}).gaps
    assert (gap.source, gap.why, gap.hides_red_flags) == ("Patient", "unsupported version", True)
    assert picture_of(patient={**PATIENT, "name": [{"family": "Roe"}]}).gaps == ()
