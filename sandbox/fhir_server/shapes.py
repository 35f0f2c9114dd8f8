"""The shapes that servers answer in: searchsets, outcomes, statements, and those of older FHIR versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.fhir_server.store import Resource

VERSIONS = {"r4": "4.0.1", "r4b": "4.3.0", "r5": "5.0.0", "stu3": "3.0.2", "dstu2": "1.0.2"}
CONTENT_TYPES = {"dstu2": "application/json+fhir;charset=UTF-8"}
USUAL_CONTENT_TYPE = "application/fhir+json;charset=utf-8"
_NOT_IN_OLDER = {
    "stu3": frozenset({"ServiceRequest"}),
    "dstu2": frozenset({"ServiceRequest", "MedicationRequest", "PractitionerRole"}),
}


def outcome(severity: str, code: str, text: str = "") -> Resource:
    """An OperationOutcome with one issue (http://hl7.org/fhir/issue-type)."""
    issue = {"severity": severity, "code": code, **({"diagnostics": text} if text else {})}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def searchset(
    base: str, resources: list[Resource], total: int, self_link: str, next_link: str, nothing_found: str
) -> Resource:
    """A page of search results."""
    links = [{"relation": "self", "url": self_link}]
    if next_link:
        links.append({"relation": "next", "url": next_link})
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
    entries: list[dict[str, Any]] = [
        {
            "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in resources
    ]
    if not entries and nothing_found == "outcome":
        entries = [
            {"resource": outcome("warning", "processing", "nothing found"), "search": {"mode": "outcome"}},
        ]
    if entries:
        bundle["entry"] = entries
    return bundle


def statement(fhir: str, base: str, parameters: Mapping[str, tuple[str, ...]]) -> Resource:
    """What `GET /metadata` says: the types that are held, and by what each can be searched."""
    older = fhir == "dstu2"
    return {
        "resourceType": "Conformance" if older else "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "fhirVersion": VERSIONS[fhir],
        "format": ["json"],
        "implementation": {"description": "a small server for tries and tests", "url": base},
        "rest": [
            {
                "mode": "server",
                "security": {"cors": True, "extension": [_oauth(base)]},
                "resource": [_held(name, by) for name, by in parameters.items() if not is_unknown_in(fhir, name)],
            }
            if not older
            else {"mode": "server"}
        ],
    }


def _held(resource_type: str, parameters: tuple[str, ...]) -> Resource:
    return {
        "type": resource_type,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [{"name": name, "type": _PARAMETER_TYPES[name]} for name in parameters],
    }


_PARAMETER_TYPES = {"_id": "token", "patient": "reference", "practitioner": "reference", "category": "token"}


def _oauth(base: str) -> Resource:
    """Where SMART apps sign in (the extension that SMART App Launch 1.0 defined, and that older apps read)."""
    return {
        "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
        "extension": [
            {"url": "authorize", "valueUri": f"{base}/auth/authorize"},
            {"url": "token", "valueUri": f"{base}/auth/token"},
        ],
    }


def is_unknown_in(fhir: str, resource_type: str) -> bool:
    """Does that version lack this resource type?"""
    return resource_type in _NOT_IN_OLDER.get(fhir, frozenset())


def as_older(resource: Resource, fhir: str) -> Resource:
    """An R4 resource in the shape of an older version, as far as those are told apart by."""
    if fhir in ("r4", "r4b", "r5"):
        return resource
    older = dict(resource)
    for member in ("clinicalStatus", "verificationStatus"):
        concept = older.get(member)
        if isinstance(concept, dict):
            older[member] = concept.get("coding", [{}])[0].get("code")
    if fhir == "dstu2":
        if older["resourceType"] == "Condition" and "subject" in older:
            older["patient"] = older.pop("subject")
        if older["resourceType"] == "Patient":
            older["name"] = [{"family": ["Example"], "given": ["Patient"]}]
        if isinstance(older.get("category"), list):
            older["category"] = older["category"][0]
    if "encounter" in older and fhir == "stu3":
        older["context"] = older.pop("encounter")
    return older
