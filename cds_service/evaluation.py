"""The same decision without HTTP: a hook request, or a whole patient's record with one order made up for it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from cards.profiles import DEFAULT_PROFILE
from cds_service.chart_source import NOTHING_FETCHED, ChartSource, FetchRecord, Gathered
from cds_service.collaborators import Collaborators
from cds_service.consultation import Consultation, consult
from cds_service.deadline import Deadline
from cds_service.json_bodies import read_json
from cds_service.service_catalogue import ORDER_SELECT, SERVICES, Service
from cds_service.trust import Caller
from fhir_mappings.decode import HookCall
from fhir_mappings.picture import chart_from_bundle
from fhir_mappings.terminology import Coding, Terminology

DRAFT_ID = "draft-order"
ORDER_SYSTEMS = ("http://www.ama-assn.org/go/cpt", "http://loinc.org", "http://snomed.info/sct")


class CannotEvaluate(ValueError):
    """The file is neither a hook request nor a patient's record that an order can be made up for."""


class WholeRecord(Struct, frozen=True):
    """The chart of a patient whose whole record is at hand: nothing in it is missing."""

    bundle: bytes

    def gather(self, call: HookCall, caller: Caller, deadline: Deadline, reasons: tuple[str, ...] = ()) -> Gathered:
        return Gathered(chart_from_bundle(self.bundle, call.context.patient_id), call)

    def with_reasons(
        self, call: HookCall, caller: Caller, deadline: Deadline, reasons: tuple[str, ...]
    ) -> tuple[HookCall, FetchRecord]:
        return call, NOTHING_FETCHED


def evaluate_file(
    body: bytes,
    order: str,
    reasons: Sequence[str],
    hook: str,
    now: datetime,
    tools: Collaborators,
    profile: str = DEFAULT_PROFILE,
) -> Consultation:
    """The decision on the file's own draft orders, or on ``order`` for the patient whose record the file is."""
    document = read_json(body)
    caller = Caller("command-line", profile)
    if isinstance(document, dict) and "hook" in document:
        if order or reasons:
            raise CannotEvaluate("--order and --reason are for a patient's record: a request brings its own orders")
        return consult(body, _service_for(hook or document["hook"]), caller, now, tools)
    resources = record_resources(document)
    request = request_for(resources, order, reasons, tools.terminology)
    source: ChartSource = WholeRecord(
        msgspec.json.encode(
            {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}
        )
    )
    service = _service_for(hook or ORDER_SELECT.hook)
    return consult(msgspec.json.encode(request), service, caller, now, tools, source)


def evaluate(request: dict[str, Any], now: datetime, tools: Collaborators) -> dict[str, Any]:
    """One hook request, decided on a given day: for tests and for replaying a record."""
    consultation = consult(
        msgspec.json.encode(request), _service_for(request["hook"]), Caller("command-line"), now, tools
    )
    answer: dict[str, Any] = msgspec.json.decode(consultation.answer)
    return answer


def record_resources(document: object) -> list[dict[str, Any]]:
    """The resources of a record: a Bundle of any type, or a plain list."""
    entries: object = document
    if isinstance(document, dict):
        if document.get("resourceType") != "Bundle":
            raise CannotEvaluate("expected a CDS Hooks request, a FHIR Bundle, or a list of FHIR resources")
        entries = [entry.get("resource") for entry in document.get("entry", []) if isinstance(entry, dict)]
    if not isinstance(entries, list):
        raise CannotEvaluate("expected a CDS Hooks request, a FHIR Bundle, or a list of FHIR resources")
    return [each for each in entries if isinstance(each, dict) and isinstance(each.get("resourceType"), str)]


def request_for(
    resources: Sequence[dict[str, Any]], order: str, reasons: Sequence[str], terminology: Terminology
) -> dict[str, Any]:
    """A hook request with one draft order for the patient of this record."""
    patients = [each for each in resources if each["resourceType"] == "Patient"]
    if len(patients) != 1 or not isinstance(patients[0].get("id"), str):
        raise CannotEvaluate(f"expected the record of one patient with an id, found {len(patients)} Patient resources")
    patient_id: str = patients[0]["id"]
    draft: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "id": DRAFT_ID,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient_id}"},
        "code": {"coding": [_as_json(coding) for coding in order_codings(order, terminology)]},
    }
    if reasons:
        draft["reasonCode"] = [_reason(text) for text in reasons]
    return {
        "hook": ORDER_SELECT.hook,
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_URL, f"lumbar-cds evaluate {patient_id} {order}")),
        "context": {
            "patientId": patient_id,
            "userId": "",
            "selections": [f"ServiceRequest/{DRAFT_ID}"],
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft}]},
        },
    }


def order_codings(order: str, terminology: Terminology) -> list[Coding]:
    """One standard code for an order concept such as `mri-lumbar-without-contrast`."""
    if not order:
        raise CannotEvaluate("a record holds no draft order: name one with --order, e.g. mri-lumbar-without-contrast")
    for system in ORDER_SYSTEMS:
        codes = terminology.codes_for(order, system)
        if codes:
            return [codes[0]]
    raise CannotEvaluate(f"--order {order}: no such order concept; `lumbar-cds codes --orders` lists them")


def _reason(text: str) -> dict[str, Any]:
    """`system|code` or free text."""
    system, bar, code = text.partition("|")
    if bar:
        return {"coding": [{"system": system, "code": code}]}
    return {"text": text}


def _as_json(coding: Coding) -> dict[str, str]:
    return {"system": coding.system, "code": coding.code, "display": coding.display}


def _service_for(hook: object) -> Service:
    """The service of a hook; a request that names another hook is judged as order-select."""
    return next((service for service in SERVICES if service.hook == hook), ORDER_SELECT)
