"""Small records for the tests of the readers, and the facts that come of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from fhir_mappings.decode import HookCall, decode_call
from fhir_mappings.draft_orders import ReadDraft, read_drafts
from fhir_mappings.picture import PatientContext, chart_from_prefetch, draw_picture
from fhir_mappings.terminology import Terminology, load_terminology
from rules.facts import ClinicalPicture, Fact
from tests.concept_codes import coding

DAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
ME = {"reference": "Patient/p1"}
PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1975-03-01", "gender": "female"}
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
OWN = "https://lumbar-imaging-cds.github.io/fhir/CodeSystem/lumbar-cds"

Resource = dict[str, Any]


@cache
def terminology() -> Terminology:
    """The packaged tables, loaded once for all tests."""
    return load_terminology()


def coded(concept: str, text: str = "") -> Resource:
    """A CodeableConcept with a code of this concept."""
    return {"coding": [coding(concept)], **({"text": text} if text else {})}


def own(code: str) -> Resource:
    """A CodeableConcept with one of our own codes."""
    return {"coding": [{"system": OWN, "code": code}]}


def local(text: str) -> Resource:
    """A code of a system that nobody here knows, with its text."""
    return {"coding": [{"system": "urn:oid:1.2.3.4.5", "code": "X-77", "display": text}], "text": text}


def condition(code: Resource | str, **more: Any) -> Resource:
    """An active, confirmed problem, unless said otherwise."""
    return {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "verificationStatus": {"coding": [{"system": VERIFICATION, "code": "confirmed"}]},
        "code": coded(code) if isinstance(code, str) else code,
        "subject": ME,
        **more,
    }


def observation(code: Resource | str, **more: Any) -> Resource:
    """A final observation of yesterday, unless said otherwise."""
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": coded(code) if isinstance(code, str) else code,
        "subject": ME,
        "effectiveDateTime": "2026-11-24",
        **more,
    }


def resource(kind: str, **more: Any) -> Resource:
    """Any other resource of the patient."""
    return {"resourceType": kind, "id": "r1", "subject": ME, **more}


def bundle(*resources: Resource, **more: Any) -> Resource:
    """A page of search results."""
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in resources], **more}


def order(**more: Any) -> Resource:
    """A draft order for MRI of the lumbar spine without contrast."""
    return {
        "resourceType": "ServiceRequest",
        "id": "order-1",
        "status": "draft",
        "intent": "order",
        "subject": ME,
        "code": coded("mri-lumbar-without-contrast"),
        **more,
    }


def request(prefetch: dict[str, Any] | None, drafts: Iterable[Resource] = (), **context: Any) -> Resource:
    """A hook call."""
    return {
        "hook": "order-select",
        "hookInstance": "h-1",
        "context": {
            "userId": "Practitioner/d1",
            "patientId": "p1",
            "selections": ["ServiceRequest/order-1"],
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": each} for each in drafts]},
            **context,
        },
        **({} if prefetch is None else {"prefetch": prefetch}),
    }


def decoded(body: Resource) -> HookCall:
    """The call as the service decodes it."""
    return decode_call(json.dumps(body).encode())


def picture_of(*resources: Resource, patient: Resource = PATIENT, **more: Any) -> ClinicalPicture:
    """The picture that a record with these resources gives."""
    return picture_from({"patient": patient, "chart": bundle(*resources)}, **more)


def picture_from(
    prefetch: dict[str, Any],
    expected: dict[str, str] | None = None,
    drafts: Iterable[Resource] = (),
    context: PatientContext | None = None,
    **more: Any,
) -> ClinicalPicture:
    """The picture that a prefetch gives."""
    call = decoded(request(prefetch, drafts, **more))
    chart = chart_from_prefetch(call, expected or {})
    asked = context or PatientContext("p1", call.context.encounter_id)
    return draw_picture(chart, asked, DAY, terminology())


def facts_of(*resources: Resource, **more: Any) -> tuple[Fact, ...]:
    """The facts that a record with these resources gives."""
    return picture_of(*resources, **more).facts


def only(facts: tuple[Fact, ...]) -> Fact:
    """The single fact that a record gives."""
    assert len(facts) == 1, [fact.concept for fact in facts]
    return facts[0]


def drafts_of(*drafts: Resource, prefetch: dict[str, Any] | None = None, **context: Any) -> tuple[ReadDraft, ...]:
    """The lumbar orders among these drafts."""
    call = decoded(request(prefetch or {}, drafts, **context))
    return read_drafts(call, terminology(), NOW)
