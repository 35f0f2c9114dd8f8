"""A CDS Hooks request around draft orders and a chart, with every prefetch key that discovery asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cds_service.service_catalogue import TEMPLATES, Template
from tests.builders import ENCOUNTER_ID, PATIENT_ID, REQUESTER_ID, Resource

Request = dict[str, Any]

HOOK_INSTANCE = "5f0c1d34-8a55-4a5e-9e8a-3a3d3f7b7a01"
ALSO_SENT = "alsoSent"  # resources of types for which discovery has no key: read by their type, whatever the key
SOURCE_STATES = ("failed", "absent", "empty", "paged", "broken", "warned", "forbidden", "partly failed")


def a_request(
    drafts: Sequence[Resource],
    *,
    patient: Resource | None,
    chart: Iterable[Resource] = (),
    selected: Sequence[str] | None = None,
    hook: str = "order-select",
    sources: Mapping[str, str] | None = None,
    more_context: Mapping[str, Any] | None = None,
) -> Request:
    """The call an EHR makes. ``sources`` names, per resource type, how reading it went; what is left out was read.

    All draft orders are selected unless ``selected`` names some ("ServiceRequest/order-1").
    """
    resources = _with_ids(chart)
    context: dict[str, Any] = {
        "userId": f"Practitioner/{REQUESTER_ID}",
        "patientId": PATIENT_ID,
        "draftOrders": {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": draft} for draft in drafts],
        },
    }
    if hook == "order-select":
        orders = [f"{draft['resourceType']}/{draft['id']}" for draft in drafts]
        context["selections"] = list(selected) if selected is not None else orders
    if any(resource["resourceType"] == "Encounter" for resource in resources):
        context["encounterId"] = ENCOUNTER_ID
    context.update(more_context or {})
    return {
        "hook": hook,
        "hookInstance": HOOK_INSTANCE,
        "context": context,
        "prefetch": _prefetch(patient, resources, sources or {}),
    }


def _with_ids(chart: Iterable[Resource]) -> list[Resource]:
    numbered: list[Resource] = []
    for resource in chart:
        number = len(numbered) + 1
        numbered.append({"id": f"{resource['resourceType'].lower()}-{number}", **resource})
    return numbered


def _prefetch(patient: Resource | None, resources: list[Resource], sources: Mapping[str, str]) -> dict[str, Any]:
    waiting = list(resources)
    prefetch: dict[str, Any] = {}
    for template in TEMPLATES:
        if template.resource_type == "Patient":
            if patient is not None:
                prefetch[template.key] = patient
            continue
        mine = [resource for resource in waiting if _belongs(resource, template)]
        waiting = [resource for resource in waiting if resource not in mine]
        _put(prefetch, template, mine, sources.get(template.resource_type, ""))
    if waiting:
        prefetch[ALSO_SENT] = _searchset(waiting)
    return prefetch


def _belongs(resource: Resource, template: Template) -> bool:
    if resource["resourceType"] != template.resource_type:
        return False
    if template.resource_type != "Observation":
        return True
    categories = [coding["code"] for concept in resource.get("category", ()) for coding in concept["coding"]]
    return any(f"category={category}" in template.query for category in categories)


def _put(prefetch: dict[str, Any], template: Template, mine: list[Resource], state: str) -> None:
    if "?" not in template.query:  # an instance read, such as the encounter
        if mine:
            prefetch[template.key] = mine[0]
        return
    if state and state not in SOURCE_STATES:
        raise ValueError(f"{template.resource_type}: {state!r} is not one of {SOURCE_STATES}")
    if state == "absent":
        return
    prefetch[template.key] = _in_state(mine, state)


def _in_state(mine: list[Resource], state: str) -> Any:
    if state == "failed":
        return _outcome("error", "transient")
    if state == "forbidden":
        return _outcome("error", "forbidden")
    if state == "empty":
        return None
    if state == "broken":
        return "<html><body>502 Bad Gateway</body></html>"
    bundle = _searchset(mine)
    if state == "paged":
        bundle["link"] = [{"relation": "next", "url": "https://ehr.example.org/fhir/page/2"}]
    if state == "warned":  # how one vendor says "nothing found"
        bundle["entry"] = [*bundle.get("entry", []), {"resource": _outcome("warning", "processing"), **_AS_OUTCOME}]
    if state == "partly failed":
        bundle["entry"] = [*bundle.get("entry", []), {"resource": _outcome("error", "timeout"), **_AS_OUTCOME}]
    return bundle


_AS_OUTCOME = {"search": {"mode": "outcome"}}


def _outcome(severity: str, code: str) -> Resource:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def _searchset(resources: list[Resource]) -> dict[str, Any]:
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    if resources:
        bundle["entry"] = [{"resource": resource} for resource in resources]
    return bundle
