"""The lines of a story's chart, each turned into one R4 resource as an EHR would send it.

A line is an inline table. Its first key says what kind of entry it is, and what; the others say when and how:

    { problem = "sciatica-left", began = "25 days ago" }
    { strength = "left ankle dorsiflexion", grade = 4, on = "3 days ago" }
    { lab = "creatinine", value = 0.9, unit = "mg/dL", normal = "0.6-1.1", on = "60 days ago" }

What is named is a word of the vocabulary, or ``text:...`` for an entry without a code. Days are those of
``sandbox.days``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.days import fhir_date
from sandbox.stories.fhir_parts import TERMINOLOGY, UCUM, Chart, UnreadableLine, coded, quantity
from sandbox.stories.results import RESULTS
from sandbox.stories.story import Resource
from sandbox.stories.vocabulary import concept

_CLINICAL = {"active": "Active", "inactive": "Inactive", "resolved": "Resolved", "remission": "Remission"}
_VERIFICATION = {
    "confirmed": "Confirmed",
    "provisional": "Provisional",
    "differential": "Differential",
    "refuted": "Refuted",
    "entered-in-error": "Entered in Error",
}


def _problem(
    chart: Chart,
    what: str,
    *,
    began: str = "",
    ended: str = "",
    recorded: str = "",
    status: str = "",
    verification: str = "confirmed",
    today: bool = False,
    note: str = "",
) -> Resource:
    """A problem; ``today``: a diagnosis of today's visit."""
    state = status or ("resolved" if ended else "active")
    category = ("encounter-diagnosis", "Encounter Diagnosis") if today else ("problem-list-item", "Problem List Item")
    resource: Resource = {"resourceType": "Condition"}
    if verification != "entered-in-error":
        resource["clinicalStatus"] = coded("condition-clinical", state, _CLINICAL[state])
    resource |= {
        "verificationStatus": coded("condition-ver-status", verification, _VERIFICATION[verification]),
        "category": [coded("condition-category", *category)],
        "code": concept(what),
        "subject": chart.subject,
    }
    if today:
        resource["encounter"] = {"reference": f"Encounter/{chart.encounter_id}"}
    dates = (("onsetDateTime", began), ("abatementDateTime", ended), ("recordedDate", recorded or began or "today"))
    resource |= {name: chart.day(words) for name, words in dates if words}
    return resource | ({"note": [{"text": note}]} if note else {})


def _medicine(
    chart: Chart,
    what: str,
    *,
    begun: str = "",
    ended: str = "",
    reason: str = "",
    dose: str = "",
    days: int = 0,
    status: str = "",
) -> Resource:
    """A prescription."""
    resource: Resource = {
        "resourceType": "MedicationRequest",
        "status": status or ("completed" if ended else "active"),
        "intent": "order",
        "medicationCodeableConcept": concept(what),
        "subject": chart.subject,
        "authoredOn": chart.day(begun),
    }
    if reason:
        resource["reasonCode"] = [concept(reason)]
    if dose:
        resource["dosageInstruction"] = [{"text": dose}]
    supply: dict[str, Any] = {}
    if ended:
        supply["validityPeriod"] = {"start": chart.day(begun), "end": chart.day(ended)}
    if days:
        supply["expectedSupplyDuration"] = quantity(days, "d")
    return resource | ({"dispenseRequest": supply} if supply else {})


def _procedure(
    chart: Chart, what: str, *, on: str, ended: str = "", reason: str = "", status: str = "completed"
) -> Resource:
    """An operation, an injection, an attended session."""
    when: Resource = (
        {"performedPeriod": {"start": chart.day(on), "end": chart.day(ended)}}
        if ended
        else {"performedDateTime": chart.day(on)}
    )
    return {
        "resourceType": "Procedure",
        "status": status,
        "code": concept(what),
        "subject": chart.subject,
        **when,
        **({"reasonCode": [concept(reason)]} if reason else {}),
    }


def _request(chart: Chart, what: str, *, on: str, due: str = "", status: str = "active", reason: str = "") -> Resource:
    """A referral or another order that was placed."""
    return {
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": "order",
        "code": concept(what),
        "subject": chart.subject,
        "authoredOn": chart.day(on),
        **({"occurrenceDateTime": chart.day(due)} if due else {}),
        **({"reasonCode": [concept(reason)]} if reason else {}),
    }


def _report(chart: Chart, what: str, *, on: str, says: str = "") -> Resource:
    """The report of an imaging study; ``says`` is the radiologist's conclusion."""
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "category": [coded("v2-0074", "RAD", "Radiology")],
        "code": concept(what),
        "subject": chart.subject,
        "effectiveDateTime": chart.day(on),
        "issued": f"{chart.day(on)}T16:30:00Z",
        **({"conclusion": says} if says else {}),
    }


def _device(chart: Chart, what: str, *, status: str = "active", name: str = "") -> Resource:
    return {
        "resourceType": "Device",
        "status": status,
        **({"deviceName": [{"name": name, "type": "model-name"}]} if name else {}),
        "type": concept(what),
        "patient": chart.subject,
    }


def _allergy(
    chart: Chart, what: str, *, on: str = "", reaction: str = "", criticality: str = "low", status: str = "active"
) -> Resource:
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": coded("allergyintolerance-clinical", status, status.capitalize()),
        "verificationStatus": coded("allergyintolerance-verification", "confirmed", "Confirmed"),
        "criticality": criticality,
        "code": concept(what),
        "patient": chart.subject,
        **({"recordedDate": chart.day(on)} if on else {}),
        **({"reaction": [{"manifestation": [{"text": reaction}]}]} if reaction else {}),
    }


def _vaccine(chart: Chart, what: str, *, on: str) -> Resource:
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": concept(what),
        "patient": chart.subject,
        "occurrenceDateTime": chart.day(on),
    }


_RELATIVES = {"mother": ("MTH", "mother"), "father": ("FTH", "father"), "sister": ("SIS", "sister")}


def _relative(chart: Chart, what: str, *, has: str, age: int = 0) -> Resource:
    """What a member of the family has or had: never the patient's own history."""
    onset = {"onsetAge": {"value": age, "unit": "years", "system": UCUM, "code": "a"}} if age else {}
    return {
        "resourceType": "FamilyMemberHistory",
        "status": "completed",
        "patient": chart.subject,
        "relationship": coded("v3-RoleCode", *_RELATIVES[what]),
        "condition": [{"code": concept(has), **onset}],
    }


def _visit(chart: Chart, what: str, *, on: str, kind: str = "ambulatory") -> Resource:
    """A visit of the past."""
    return encounter(chart, what, kind, chart.day(on), finished=True)


_VISIT_CLASSES = {"ambulatory": "AMB", "emergency": "EMER", "inpatient": "IMP"}
_VISIT_NAMES = {"AMB": "ambulatory", "EMER": "emergency", "IMP": "inpatient encounter"}


def encounter(chart: Chart, reason: str, kind: str, start: str, *, finished: bool) -> Resource:
    """A visit, over or going on."""
    code = _VISIT_CLASSES[kind]
    return {
        "resourceType": "Encounter",
        "status": "finished" if finished else "in-progress",
        "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": code, "display": _VISIT_NAMES[code]},
        "subject": chart.subject,
        "period": {"start": start, **({"end": start} if finished else {})},
        "reasonCode": [concept(reason)],
    }


KINDS: dict[str, Callable[..., Resource]] = {
    "problem": _problem,
    **RESULTS,
    "medicine": _medicine,
    "procedure": _procedure,
    "request": _request,
    "report": _report,
    "device": _device,
    "allergy": _allergy,
    "vaccine": _vaccine,
    "relative": _relative,
    "visit": _visit,
}


def resource_of(line: Mapping[str, Any], chart: Chart) -> Resource:
    """The resource that a line stands for, without an id."""
    words = dict(line)
    kind = next(iter(words), "")
    if kind not in KINDS:
        raise UnreadableLine(f"a line starts with one of {', '.join(KINDS)}; got {dict(line)!r}")
    what = words.pop(kind)
    try:
        return KINDS[kind](chart, what, **words)
    except TypeError as problem:
        raise UnreadableLine(f"{dict(line)!r}: {problem}") from problem


def chart_for(patient_id: str, encounter_id: str, today: Any) -> Chart:
    """The chart of one patient on one day."""
    return Chart(patient_id, lambda words: fhir_date(words, today), encounter_id)
