"""Whatever a caller sends, the readers answer or refuse; and neither order nor repetition changes what they read."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mappings.decode import MalformedCall, decode_call
from fhir_mappings.draft_orders import context_facts, read_drafts
from fhir_mappings.errors import PatientMissing, WrongPatient
from fhir_mappings.picture import PatientContext, chart_from_prefetch, draw_picture
from rules.facts import ClinicalPicture, Fact
from tests.fhir_mappings.records import (
    DAY,
    ME,
    NOW,
    PATIENT,
    Resource,
    bundle,
    coded,
    condition,
    decoded,
    local,
    observation,
    order,
    own,
    picture_of,
    request,
    resource,
    terminology,
)

EXPECTED = {"patient": "Patient", "chart": "Condition", "other": "Observation"}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["2026-02-30", "2026-11", "active", "final", "Patient/p1", "urn:uuid:1", "4/5", "<15"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "code", "system", "text", "value", "unit", "reference", "start"])
            | st.text(max_size=6),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
RECORDS: list[Resource] = [
    PATIENT,
    condition(
        "urinary-retention",
        onsetPeriod={"start": "2026-11"},
        bodySite=[coded("laterality-left")],
        stage=[{"summary": {"text": "4"}}],
    ),
    condition({"text": "no saddle numbness"}, id="c2", onsetAge={"value": 40, "code": "a"}),
    observation(
        own("mrc-ankle-dorsiflexion"), valueString="4/5", bodySite={"text": "left"}, interpretation=[{"text": "Normal"}]
    ),
    observation("crp", id="o2", valueQuantity={"value": 48, "unit": "mg/L"}, referenceRange=[{"high": {"value": 5}}]),
    observation(
        local("Panel"), id="o3", component=[{"code": own("ankle-reflex"), "valueCodeableConcept": own("absent")}]
    ),
    resource("Procedure", id="p", status="completed", code=coded("lumbar-fusion"), performedPeriod={"start": "2020"}),
    resource(
        "MedicationRequest",
        id="m",
        status="active",
        medicationCodeableConcept={"text": "Prednisone"},
        dispenseRequest={"expectedSupplyDuration": {"value": 30, "code": "d"}},
        dosageInstruction=[{"route": {"text": "oral"}}],
    ),
    resource(
        "MedicationStatement",
        id="ms",
        status="active",
        medicationReference={"reference": "#x"},
        contained=[{"resourceType": "Medication", "id": "x", "code": {"text": "Ibuprofen"}}],
    ),
    resource(
        "ServiceRequest",
        id="s",
        status="active",
        intent="order",
        code=coded("neurosurgery-referral"),
        authoredOn="2026-11-01",
    ),
    resource(
        "DiagnosticReport",
        id="d",
        status="final",
        code=coded("mri-lumbar-without-contrast"),
        issued="2026-08-01T10:00:00Z",
    ),
    resource(
        "ImagingStudy",
        id="i",
        status="available",
        procedureCode=[coded("xr-lumbar")],
        series=[{"bodySite": {"code": "1"}}],
    ),
    {
        "resourceType": "Device",
        "id": "dev",
        "patient": ME,
        "type": coded("pacemaker"),
        "deviceName": [{"name": "Pacemaker"}],
    },
    resource("DeviceUseStatement", id="use", status="completed", device={"reference": "Device/dev"}),
    {
        "resourceType": "AllergyIntolerance",
        "id": "a",
        "patient": ME,
        "code": coded("gadolinium-contrast-substance"),
        "reaction": [{"substance": coded("iodinated-contrast-substance")}],
    },
    resource(
        "Encounter",
        id="e1",
        status="in-progress",
        serviceType=coded("specialty-neurosurgery"),
        reasonCode=[coded("sciatica")],
    ),
    {
        "resourceType": "PractitionerRole",
        "id": "r",
        "practitioner": {"reference": "Practitioner/d1"},
        "specialty": [coded("specialty-pmr")],
    },
    {"resourceType": "Practitioner", "id": "d1", "qualification": [{"code": coded("specialty-rheumatology")}]},
    {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]},
]
DRAFT = order(
    reasonCode=[coded("low-back-pain")], reasonReference=[{"reference": "Condition/c2"}], bodySite=[{"text": "lumbar"}]
)


def read_everything(body: bytes) -> ClinicalPicture | None:
    """The way of a call from its bytes to the picture; only the refusals that callers are told of may end it."""
    try:
        call = decode_call(body)
        drafts = context_facts(call, terminology())
        read_drafts(call, terminology(), NOW)
        chart = chart_from_prefetch(call, EXPECTED)
    except (MalformedCall, PatientMissing, WrongPatient):
        return None
    return draw_picture(chart, PatientContext("p1", "e1"), DAY, terminology(), drafts)


@st.composite
def damaged(draw: st.DrawFn, sound: Resource) -> Resource:
    """A sound resource with up to three of its parts replaced by anything, taken away, or given another name."""
    record = copy.deepcopy(sound)
    for _ in range(draw(st.integers(1, 3))):
        place: Any = record
        while True:
            keys = (
                list(place) if isinstance(place, dict) else list(range(len(place))) if isinstance(place, list) else []
            )
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
                place = place[key]
                continue
            how = draw(st.sampled_from(["replace", "replace", "drop", "wrap"]))
            if how == "replace":
                place[key] = draw(JSON)
            elif how == "wrap":
                place[key] = [place[key]]
            elif isinstance(place, dict):
                del place[key]
            break
    return record


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_a_call_or_refused(body: bytes):
    read_everything(body)


@given(JSON, JSON, JSON)
def test_any_json_in_any_place_of_a_call_is_read_or_refused(context: Any, prefetch: Any, value: Any):
    call = request({"patient": PATIENT, "chart": value}, [DRAFT])
    read_everything(json.dumps({**call, "context": context}).encode())
    read_everything(json.dumps({**call, "prefetch": prefetch}).encode())
    read_everything(json.dumps({**call, "hookInstance": value}).encode())
    assert read_everything(json.dumps(call).encode()) is not None


@settings(max_examples=400)
@given(st.data())
def test_a_damaged_entry_breaks_nothing_and_costs_no_other(data: st.DataObject):
    sound = data.draw(st.sampled_from(RECORDS[1:]))
    body = request(
        {"patient": PATIENT, "chart": bundle(data.draw(damaged(sound)), condition("cauda-equina-syndrome", id="ces"))},
        [DRAFT],
    )
    picture = read_everything(json.dumps(body).encode())
    assert picture is not None
    assert "cauda-equina-syndrome" in {fact.concept for fact in picture.facts}


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_draft_breaks_nothing(data: st.DataObject):
    read_everything(
        json.dumps(request({"patient": PATIENT, "chart": bundle(*RECORDS[1:])}, [data.draw(damaged(DRAFT))])).encode()
    )


@given(st.data())
def test_a_damaged_patient_is_read_or_refused(data: st.DataObject):
    read_everything(json.dumps(request({"patient": data.draw(damaged(PATIENT))}, [DRAFT])).encode())


def as_set(facts: tuple[Fact, ...]) -> set[str]:
    return {repr(fact) for fact in facts}


@given(st.permutations(RECORDS[1:]), st.lists(st.sampled_from(RECORDS[1:]), max_size=4))
def test_neither_order_nor_repetition_changes_what_is_read(shuffled: list[Resource], again: list[Resource]):
    plain = picture_of(*RECORDS[1:])
    other = picture_of(*shuffled, *again)
    assert as_set(other.facts) == as_set(plain.facts)
    assert len(other.facts) == len(plain.facts)
    assert (other.gaps, other.unmapped_codes, other.unread_current_problems) == (
        plain.gaps,
        plain.unmapped_codes,
        plain.unread_current_problems,
    )


def test_every_sound_record_of_these_says_something():
    said = {fact.evidence.reference.split("/")[0] for fact in picture_of(*RECORDS[1:], encounterId="e1").facts}
    silent = {"Patient", "DeviceUseStatement", "PractitionerRole", "Practitioner", "OperationOutcome"}
    assert said == {record["resourceType"] for record in RECORDS} - silent


def test_unrelated_resources_change_nothing():
    plain = picture_of(*RECORDS[1:])
    clutter = [
        observation(local("Haemoglobin"), id="hb", valueQuantity={"value": 13, "unit": "g/dL"}),
        resource("Immunization", id="im", status="completed", vaccineCode={"text": "Influenza"}),
        resource("CarePlan", id="cp", status="active", intent="plan"),
        {"resourceType": "QuestionnaireResponse", "id": "q", "status": "completed", "item": [{"text": "cancer?"}]},
    ]
    assert as_set(picture_of(*RECORDS[1:], *clutter).facts) == as_set(plain.facts)
    assert decoded(request({"q": bundle(*clutter)})).prefetch["q"].dropped == 0
