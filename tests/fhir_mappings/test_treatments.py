"""Procedures, medicines and earlier orders: done, ongoing, planned or not done, and for what."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rules.dates import DateInterval
from rules.facts import Fact
from tests.fhir_mappings.records import Resource, coded, condition, facts_of, local, only, picture_of, resource

RXNORM_TEXT = {"coding": [{"system": "urn:oid:1.2.3", "code": "9", "display": "Ibuprofen 400 MG Oral Tablet"}]}


def day(text: str) -> DateInterval:
    return DateInterval(date.fromisoformat(text), date.fromisoformat(text))


def procedure(code: str | Resource, **more: Any) -> Resource:
    return resource(
        "Procedure",
        **{"status": "completed", "code": coded(code) if isinstance(code, str) else code, **more},
    )


def medicine(**more: Any) -> Resource:
    return resource(
        "MedicationRequest",
        **{
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": RXNORM_TEXT,
            "authoredOn": "2026-10-01",
            **more,
        },
    )


def of_kind(facts: tuple[Fact, ...], kind: str) -> tuple[Fact, ...]:
    return tuple(fact for fact in facts if fact.kind.value == kind)


# --- procedures ----------

PROCEDURES = {  # status: state, present, current, suspected
    "completed": ("done", True, True, False),
    "in-progress": ("ongoing", True, True, False),
    "preparation": ("planned", True, True, False),
    "on-hold": ("planned", True, False, False),
    "stopped": ("done", True, True, False),
    "not-done": ("not-done", False, False, False),
    "unknown": ("done", True, True, True),
}


@pytest.mark.parametrize(("status", "expected"), PROCEDURES.items(), ids=PROCEDURES.keys())
def test_a_procedure_has_the_state_of_its_status(status: str, expected: tuple[str, bool, bool, bool]):
    fact = only(facts_of(procedure("lumbar-fusion", status=status, performedDateTime="2020-05-01")))
    assert (fact.state, fact.present, fact.current, fact.suspected) == expected


def test_a_procedure_entered_in_error_is_never_read():
    assert facts_of(procedure("lumbar-fusion", status="entered-in-error")) == ()


def test_a_course_of_therapy_has_a_beginning_and_an_end():
    record = procedure("physical-therapy", performedPeriod={"start": "2026-09-01", "end": "2026-10-15"})
    fact = only(facts_of(record))
    assert (fact.began, fact.ended) == (day("2026-09-01"), day("2026-10-15"))


def test_a_planned_procedure_may_lie_in_the_future_and_a_done_one_may_not():
    planned = only(facts_of(procedure("lumbar-fusion", status="preparation", performedDateTime="2027-01-05")))
    assert planned.began == day("2027-01-05")
    done = only(facts_of(procedure("lumbar-fusion", performedDateTime="2027-01-05")))
    assert done.began is None


@pytest.mark.parametrize("more", [{"status": "aborted"}, {"notDone": True}, {"notPerformed": False}])
def test_an_old_version_of_fhir_is_a_gap(more: Resource):
    for code in ("lumbar-fusion", "chiropractic-referral"):
        picture = picture_of(procedure(code, **more))
        assert picture.facts == ()
        assert [(gap.source, gap.why) for gap in picture.gaps] == [("Procedure", "unsupported version")]


REASONS: dict[str, tuple[Resource, bool]] = {
    "none stated": ({}, False),
    "the back": ({"reasonCode": [coded("low-back-pain")]}, False),
    "another problem": ({"reasonCode": [coded("hip-osteoarthritis")]}, True),
    "another problem, and the back": ({"reasonCode": [coded("hip-osteoarthritis"), coded("sciatica")]}, False),
    "another problem with a code that nobody knows": ({"reasonCode": [local("Osteoarthritis of knee")]}, True),
    "words that may be the back": ({"reasonCode": [{"text": "LBP zzz"}]}, False),
    "the back, by reference": ({"reasonReference": [{"reference": "Condition/back"}]}, False),
    "another problem, by reference": ({"reasonReference": [{"reference": "Condition/hip"}]}, True),
    "an entry that the call does not hold": ({"reasonReference": [{"reference": "Condition/elsewhere"}]}, False),
}


@pytest.mark.parametrize(("more", "other"), REASONS.values(), ids=REASONS.keys())
def test_a_treatment_for_something_else_says_so(more: Resource, other: bool):
    chart = [
        condition("low-back-pain", id="back"),
        condition("hip-osteoarthritis", id="hip"),
        procedure("physical-therapy", id="pt", **more),
        medicine(id="m", **more),
    ]
    facts = facts_of(*chart)
    assert only(of_kind(facts, "procedure")).stated_other_indication is other
    assert only(of_kind(facts, "medication")).stated_other_indication is other


# --- medicines ----------

MEDICINES: dict[str, tuple[Resource, tuple[str, bool, bool]]] = {  # state, present, current
    "active": ({}, ("ongoing", True, True)),
    "on hold": ({"status": "on-hold"}, ("ongoing", True, False)),
    "completed": ({"status": "completed"}, ("done", True, False)),
    "stopped": ({"status": "stopped"}, ("done", True, False)),
    "cancelled before it was taken": ({"status": "cancelled"}, ("not-done", False, False)),
    "a draft on the server": ({"status": "draft"}, ("draft", True, False)),
    "a proposal": ({"intent": "proposal"}, ("planned", True, False)),
    "not to be given": ({"doNotPerform": True}, ("ongoing", False, False)),
}


@pytest.mark.parametrize(("more", "expected"), MEDICINES.values(), ids=MEDICINES.keys())
def test_a_prescription_has_the_state_of_its_status(more: Resource, expected: tuple[str, bool, bool]):
    fact = only(facts_of(medicine(**more)))
    assert fact.concept == "nsaid"
    assert (fact.state, fact.present, fact.current) == expected


def test_a_prescription_in_error_is_never_read():
    assert facts_of(medicine(status="entered-in-error")) == ()


SUPPLIES: dict[str, tuple[Resource, int | None]] = {
    "nothing said": ({}, None),
    "days": ({"dispenseRequest": {"expectedSupplyDuration": {"value": 30, "unit": "days", "code": "d"}}}, 30),
    "weeks": ({"dispenseRequest": {"expectedSupplyDuration": {"value": 4, "code": "wk"}}}, 28),
    "with refills": (
        {"dispenseRequest": {"expectedSupplyDuration": {"value": 30, "code": "d"}, "numberOfRepeatsAllowed": 2}},
        90,
    ),
    "by the dosage": (
        {"dosageInstruction": [{"timing": {"repeat": {"boundsDuration": {"value": 10, "code": "d"}}}}]},
        10,
    ),
    "in an unknown unit": ({"dispenseRequest": {"expectedSupplyDuration": {"value": 30, "code": "box"}}}, None),
}


@pytest.mark.parametrize(("more", "days"), SUPPLIES.values(), ids=SUPPLIES.keys())
def test_a_prescription_lasts_as_long_as_its_supply(more: Resource, days: int | None):
    assert only(facts_of(medicine(**more))).days_supplied == days


def test_a_dosage_with_dates_says_when_it_is_taken():
    record = medicine(
        dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": {"start": "2026-09-05", "end": "2026-12-05"}}}}]
    )
    fact = only(facts_of(record))
    assert (fact.began, fact.ended) == (day("2026-09-05"), day("2026-12-05"))


def test_the_time_within_which_it_may_be_dispensed_is_not_how_long_it_is_taken():
    record = medicine(dispenseRequest={"validityPeriod": {"start": "2026-10-01", "end": "2027-10-01"}})
    fact = only(facts_of(record))
    assert (fact.ended, fact.days_supplied) == (None, None)


def test_a_medicine_by_reference_is_found_contained_or_beside_it():
    apart = {"resourceType": "Medication", "id": "m9", "code": RXNORM_TEXT}
    beside = medicine(
        medicationCodeableConcept=None, medicationReference={"reference": "https://ehr.example.org/Medication/m9"}
    )
    assert only(facts_of(beside, apart)).concept == "nsaid"
    within = medicine(
        medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[{**apart, "id": "m"}]
    )
    assert only(facts_of(within)).concept == "nsaid"
    assert facts_of(beside) == ()


def test_a_route_in_the_dosage_takes_a_local_steroid_out():
    steroid = {"text": "Budesonide"}
    inhaled = medicine(medicationCodeableConcept=steroid, dosageInstruction=[{"route": {"text": "Inhalation"}}])
    assert facts_of(inhaled) == ()
    systemic = medicine(medicationCodeableConcept={"text": "Prednisone 10 mg tablet"})
    assert only(facts_of(systemic)).concept == "systemic-corticosteroid"


STATEMENTS: dict[str, tuple[str, Resource, tuple[str, bool, bool]]] = {
    "taken": (
        "MedicationStatement",
        {"status": "active", "effectivePeriod": {"start": "2026-10-01"}},
        ("ongoing", True, True),
    ),
    "intended": ("MedicationStatement", {"status": "intended"}, ("planned", True, False)),
    "not taken": ("MedicationStatement", {"status": "not-taken"}, ("not-done", False, False)),
    "dispensed": (
        "MedicationDispense",
        {"status": "completed", "whenHandedOver": "2026-10-30", "daysSupply": {"value": 30}},
        ("done", True, True),
    ),
    "declined at the counter": ("MedicationDispense", {"status": "declined"}, ("not-done", False, False)),
    "given": (
        "MedicationAdministration",
        {"status": "completed", "effectiveDateTime": "2026-10-01"},
        ("done", True, False),
    ),
    "not given": ("MedicationAdministration", {"status": "not-done"}, ("not-done", False, False)),
}


@pytest.mark.parametrize(("kind", "more", "expected"), STATEMENTS.values(), ids=STATEMENTS.keys())
def test_statements_dispenses_and_administrations_are_read_too(
    kind: str, more: Resource, expected: tuple[str, bool, bool]
):
    record = resource(kind, medicationCodeableConcept=RXNORM_TEXT, **more)
    fact = only(facts_of(record))
    assert (fact.state, fact.present, fact.current) == expected
    assert ("patient-reported" in fact.evidence.marks) is (kind == "MedicationStatement")


@pytest.mark.parametrize(
    ("more", "current"),
    [
        ({"whenHandedOver": "2026-10-26", "daysSupply": {"value": 30}}, True),
        ({"whenHandedOver": "2026-10-25", "daysSupply": {"value": 30}}, False),
        ({"whenHandedOver": "2026-09-01"}, True),
        ({"whenHandedOver": "2019-09-01"}, False),
        ({}, True),
    ],
)
def test_what_was_dispensed_is_in_use_until_it_is_used_up(more: Resource, current: bool):
    record = resource("MedicationDispense", status="completed", medicationCodeableConcept=RXNORM_TEXT, **more)
    assert only(facts_of(record)).current is current


@pytest.mark.parametrize("more", [{"taken": "n"}, {"wasNotTaken": True}], ids=["STU3", "DSTU2"])
def test_a_statement_of_an_older_version_is_a_gap(more: Resource):
    record = resource("MedicationStatement", status="active", medicationCodeableConcept=RXNORM_TEXT, **more)
    picture = picture_of(record)
    assert picture.facts == ()
    assert [(gap.source, gap.why) for gap in picture.gaps] == [("MedicationStatement", "unsupported version")]


# --- earlier orders ----------

REQUESTS: dict[str, tuple[Resource, tuple[str, bool, bool, bool]]] = {  # state, present, current, suspected
    "active": ({}, ("planned", True, True, False)),
    "completed": ({"status": "completed"}, ("done", True, True, False)),
    "on hold": ({"status": "on-hold"}, ("planned", True, False, False)),
    "revoked": ({"status": "revoked"}, ("not-done", False, False, False)),
    "a draft on the server": ({"status": "draft"}, ("draft", True, True, False)),
    "not to be done": ({"doNotPerform": True}, ("not-done", False, False, False)),
    "a proposal": ({"intent": "proposal"}, ("planned", True, True, True)),
    "a plan": ({"intent": "plan"}, ("planned", True, True, False)),
}


@pytest.mark.parametrize(("more", "expected"), REQUESTS.values(), ids=REQUESTS.keys())
def test_an_earlier_order_has_the_state_of_its_status(more: Resource, expected: tuple[str, bool, bool, bool]):
    record = resource(
        "ServiceRequest",
        **{
            "status": "active",
            "intent": "order",
            "code": coded("lumbar-epidural-injection"),
            "authoredOn": "2026-11-01",
            **more,
        },
    )
    fact = only(facts_of(record))
    assert (fact.state, fact.present, fact.current, fact.suspected) == expected
    assert (fact.kind.value, fact.began) == ("request", day("2026-11-01"))


def test_an_order_in_error_is_never_read():
    record = resource(
        "ServiceRequest", status="entered-in-error", intent="order", code=coded("lumbar-epidural-injection")
    )
    assert facts_of(record) == ()


def test_an_order_without_a_date_of_writing_is_dated_by_when_it_is_to_happen():
    record = resource(
        "ServiceRequest", status="active", intent="order", code=coded("lumbar-fusion"), occurrenceDateTime="2027-01-10"
    )
    assert only(facts_of(record)).began == day("2027-01-10")


@pytest.mark.parametrize("older", ["MedicationOrder", "ProcedureRequest", "ReferralRequest", "DiagnosticOrder"])
def test_request_types_of_older_versions_are_a_gap(older: str):
    (gap,) = picture_of(resource(older, status="active")).gaps
    assert gap.why == "unsupported version"
    assert gap.source in ("MedicationRequest", "ServiceRequest")
