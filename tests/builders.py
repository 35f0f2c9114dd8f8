"""FHIR R4 records for tests: sensible patients and orders, override one thing.

Every builder takes what a clinician would say and returns a resource as decoded JSON. Dates are FHIR dates, already
resolved (see case_dates); codes are looked up by concept (see concept_codes).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from tests.case_dates import birth_date
from tests.concept_codes import Coding, coding
from tests.own_code_records import own_concept

Resource = dict[str, Any]

PATIENT_ID = "pat-1"
SUBJECT = {"reference": f"Patient/{PATIENT_ID}"}
REQUESTER_ID = "doc-1"
ENCOUNTER_ID = "enc-1"

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CONDITION_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
ALLERGY_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ALLERGY_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
REPORT_CATEGORY = "http://terminology.hl7.org/CodeSystem/v2-0074"
ENCOUNTER_CLASS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
UCUM = "http://unitsofmeasure.org"


def concept(code: Coding | str, text: str = "") -> dict[str, Any]:
    """A CodeableConcept from one coding, or from text alone."""
    if isinstance(code, str):
        return {"text": code}
    return {"coding": [code], **({"text": text} if text else {})}


def named(what: str) -> dict[str, Any]:
    """The CodeableConcept for what a case names.

    A concept of the value sets; ``text:`` words without a code; ``own:`` one of the service's own codes; or, for a code
    that no value set has, ``system|code|display``.
    """
    if what.startswith("own:"):
        return own_concept(what.removeprefix("own:"))
    if what.startswith("text:"):
        return {"text": what.removeprefix("text:").strip()}
    if "|" in what:
        system, code, display = [*what.split("|"), "", ""][:3]
        return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}
    return {"coding": [coding(what)]}


def a_patient(*, as_of: date, age: int | None = 45, sex: str = "male", born: str = "", **more: Any) -> Resource:
    """An adult of 45, unless said otherwise."""
    birth = born or (birth_date(age, as_of) if age is not None else "")
    return {
        "resourceType": "Patient",
        "id": PATIENT_ID,
        **({"gender": sex} if sex else {}),
        **({"birthDate": birth} if birth else {}),
        **more,
    }


def a_condition(
    what: str,
    *,
    status: str = "active",
    verification: str = "confirmed",
    category: str = "problem-list-item",
    side: str = "",
    encounter: bool = False,
    **dated: Any,
) -> Resource:
    """A problem, diagnosis or health concern; ``dated`` holds onset…, abatement… and recordedDate members."""
    resource: Resource = {
        "resourceType": "Condition",
        "category": [{"coding": [{"system": CONDITION_CATEGORY, "code": category}]}],
        "code": named(what),
        "subject": SUBJECT,
        **{name: value for name, value in dated.items() if value},
    }
    if status:
        resource["clinicalStatus"] = {"coding": [{"system": CLINICAL, "code": status}]}
    if verification:
        resource["verificationStatus"] = {"coding": [{"system": VERIFICATION, "code": verification}]}
    if side:
        resource["bodySite"] = [{"coding": [coding(f"laterality-{side}")]}]
    if encounter:
        resource["encounter"] = {"reference": f"Encounter/{ENCOUNTER_ID}"}
    return resource


def an_observation(
    what: str | Mapping[str, Any],
    value: Any = None,
    *,
    on: str = "",
    unit: str = "",
    status: str = "final",
    category: str = "exam",
    interpretation: str = "",
    side: str = "",
    no_data: str = "",
    components: Sequence[tuple[str, Any]] = (),
    encounter: bool = False,
) -> Resource:
    """An examination finding, vital sign, laboratory result or score."""
    resource: Resource = {
        "resourceType": "Observation",
        "status": status,
        "category": [{"coding": [{"system": OBSERVATION_CATEGORY, "code": category}]}],
        "code": dict(what) if isinstance(what, Mapping) else named(what),
        "subject": SUBJECT,
        **({"effectiveDateTime": on} if on else {}),
        **_value(value, unit),
    }
    if interpretation:
        resource["interpretation"] = [{"coding": [{"system": INTERPRETATION, "code": interpretation}]}]
    if side:
        resource["bodySite"] = {"coding": [coding(f"laterality-{side}")]}
    if no_data:
        resource["dataAbsentReason"] = {"coding": [{"system": ABSENT_REASON, "code": no_data}]}
    if components:
        resource["component"] = [{"code": named(name), **_part(given)} for name, given in components]
    if encounter:
        resource["encounter"] = {"reference": f"Encounter/{ENCOUNTER_ID}"}
    return resource


def _part(given: Any) -> dict[str, Any]:
    """The value of a component: as it is, or a table with value and unit."""
    return _value(given["value"], given["unit"]) if isinstance(given, Mapping) else _value(given, "")


def _value(value: Any, unit: str) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, str) and value.startswith("concept:"):
        return {"valueCodeableConcept": named(value.removeprefix("concept:").strip())}
    if unit:
        number = str(value)
        comparator = number[0] if number[0] in "<>" else ""
        quantity: dict[str, Any] = {"value": float(number.lstrip("<>")), "unit": unit}
        if unit != "unit that nobody knows":
            quantity.update({"system": UCUM, "code": unit})
        return {"valueQuantity": {**quantity, **({"comparator": comparator} if comparator else {})}}
    if isinstance(value, int):
        return {"valueInteger": value}
    if isinstance(value, float):
        return {"valueQuantity": {"value": value}}
    return {"valueString": str(value)}


def a_procedure(
    what: str, *, on: str = "", ended: str = "", status: str = "completed", reason: str = "", outcome: str = ""
) -> Resource:
    """An operation, injection or course of therapy that was done, is going on, or was not done."""
    performed: Resource = {"performedPeriod": {"start": on, "end": ended}} if ended else {"performedDateTime": on}
    return {
        "resourceType": "Procedure",
        "status": status,
        "code": named(what),
        "subject": SUBJECT,
        **(performed if on else {}),
        **({"reasonCode": [named(reason)]} if reason else {}),
        **({"outcome": named(outcome)} if outcome else {}),
    }


def a_medicine(
    what: str,
    *,
    begun: str = "",
    ended: str = "",
    status: str = "active",
    reason: str = "",
    days: int = 0,
    statement: bool = False,
    intent: str = "order",
) -> Resource:
    """A prescription (or, as a statement, what the patient is taking)."""
    reasons = {"reasonCode": [named(reason)]} if reason else {}
    if statement:
        period = {name: day for name, day in (("start", begun), ("end", ended)) if day}
        return {
            "resourceType": "MedicationStatement",
            "status": status,
            "medicationCodeableConcept": named(what),
            "subject": SUBJECT,
            **({"effectivePeriod": period} if period else {}),
            **reasons,
        }
    validity = {name: day for name, day in (("start", begun), ("end", ended)) if day}
    supply: dict[str, Any] = {}
    if ended:
        supply["validityPeriod"] = validity
    if days:
        supply["expectedSupplyDuration"] = {"value": days, "unit": "days", "system": UCUM, "code": "d"}
    return {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": intent,
        "medicationCodeableConcept": named(what),
        "subject": SUBJECT,
        **({"authoredOn": begun} if begun else {}),
        **({"dispenseRequest": supply} if supply else {}),
        **reasons,
    }


def a_referral(
    what: str, *, on: str = "", status: str = "active", intent: str = "order", due: str = "", reason: str = ""
) -> Resource:
    """A request that was placed: referral, therapy, planned injection or operation, earlier imaging order."""
    return {
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": intent,
        "code": named(what),
        "subject": SUBJECT,
        **({"authoredOn": on} if on else {}),
        **({"occurrenceDateTime": due} if due else {}),
        **({"reasonCode": [named(reason)]} if reason else {}),
    }


def a_report(study: str, *, on: str = "", status: str = "final") -> Resource:
    """The report of an imaging study."""
    return {
        "resourceType": "DiagnosticReport",
        "status": status,
        "category": [{"coding": [{"system": REPORT_CATEGORY, "code": "RAD"}]}],
        "code": named(study),
        "subject": SUBJECT,
        **({"effectiveDateTime": on} if on else {}),
    }


def an_imaging_study(study: str, *, on: str = "", status: str = "available") -> Resource:
    """An imaging study as the archive lists it."""
    return {
        "resourceType": "ImagingStudy",
        "status": status,
        "procedureCode": [named(study)],
        "subject": SUBJECT,
        **({"started": on} if on else {}),
    }


def a_device(what: str, *, status: str = "active") -> Resource:
    """An implant."""
    return {"resourceType": "Device", "status": status, "type": named(what), "patient": SUBJECT}


def an_allergy(
    what: str, *, status: str = "active", verification: str = "confirmed", on: str = "", criticality: str = ""
) -> Resource:
    """An allergy or a past reaction."""
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": {"coding": [{"system": ALLERGY_CLINICAL, "code": status}]},
        "verificationStatus": {"coding": [{"system": ALLERGY_VERIFICATION, "code": verification}]},
        "code": named(what),
        "patient": SUBJECT,
        **({"recordedDate": on} if on else {}),
        **({"criticality": criticality} if criticality else {}),
    }


def a_user(specialty: str) -> Resource:
    """The requester's role, with a specialty."""
    return {
        "resourceType": "PractitionerRole",
        "id": "role-1",
        "active": True,
        "practitioner": {"reference": f"Practitioner/{REQUESTER_ID}"},
        "specialty": [{"coding": [coding(specialty)]}],
    }


def an_encounter(visit_class: str = "AMB", *, started: str = "") -> Resource:
    """Today's visit."""
    return {
        "resourceType": "Encounter",
        "id": ENCOUNTER_ID,
        "status": "in-progress",
        "class": {"system": ENCOUNTER_CLASS, "code": visit_class},
        "subject": SUBJECT,
        **({"period": {"start": started}} if started else {}),
    }


def a_draft(
    study: str | Mapping[str, Any],
    reasons: Iterable[str] = ("low-back-pain",),
    *,
    order_id: str = "order-1",
    priority: str = "",
    status: str = "draft",
    body_site: str = "",
    refers_to: Sequence[str] = (),
    **more: Any,
) -> Resource:
    """A draft imaging order (or another draft request), for low back pain unless said otherwise."""
    reason_codes = [named(reason) for reason in reasons]
    return {
        "resourceType": "ServiceRequest",
        "id": order_id,
        "status": status,
        "intent": "order",
        "code": dict(study) if isinstance(study, Mapping) else named(study),
        "subject": SUBJECT,
        "requester": {"reference": f"Practitioner/{REQUESTER_ID}"},
        **({"priority": priority} if priority else {}),
        **({"reasonCode": reason_codes} if reason_codes else {}),
        **({"reasonReference": [{"reference": each} for each in refers_to]} if refers_to else {}),
        **({"bodySite": [named(body_site)]} if body_site else {}),
        **more,
    }
