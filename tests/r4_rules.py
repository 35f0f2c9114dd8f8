"""Valid R4 means three things: the R4B model, HL7's own JSON schema, and the bindings and invariants checked here.

Bindings: FHIR 4.0.1, required value sets of the elements that the service writes. Invariants are named by their keys.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from jsonschema import Draft6Validator

from cds_service.output_check import check_resource
from tools.r4_schema import OPT_OUT, PLACE

Json = dict[str, Any]

REQUIRED = {
    ("ServiceRequest", "status"): "draft active on-hold revoked completed entered-in-error unknown",
    ("ServiceRequest", "intent"): (
        "proposal plan directive order original-order reflex-order filler-order instance-order option"
    ),
    ("ServiceRequest", "priority"): "routine urgent asap stat",
    ("ValueSet", "status"): "draft active retired unknown",
    ("CodeSystem", "status"): "draft active retired unknown",
    ("CodeSystem", "content"): "not-present example fragment complete supplement",
    ("ConceptMap", "status"): "draft active retired unknown",
}
ISSUE = {
    "severity": "fatal error warning information",
    "code": (
        "invalid structure required value invariant security login unknown expired forbidden suppressed processing "
        "not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly "
        "business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational"
    ),
}
EQUIVALENCE = "relatedto equivalent equal wider subsumes narrower specializes inexact unmatched disjoint"
NAME = re.compile(r"[A-Z]([A-Za-z0-9_]){0,254}")  # vsd-0, csd-0, cmd-0


def wrong_with(resource: Json) -> list[str]:
    """Everything that is not valid R4 about a resource that the service sends."""
    check_resource(resource)
    return [*_schema_errors(resource), *_binding_errors(resource), *_invariant_errors(resource)]


def schema_is_left_out() -> bool:
    """The person who runs the tests said that this machine cannot have HL7's schema."""
    return os.environ.get(OPT_OUT) == "1" and not PLACE.exists()


def _schema_errors(resource: Json) -> Iterator[str]:
    if schema_is_left_out():
        return
    for error in _schema_of(resource["resourceType"]).iter_errors(resource):
        yield f"schema: {error.json_path} breaks {error.validator}"


@cache
def _schema() -> Json:
    read: Json = json.loads(PLACE.read_text(encoding="utf-8"))
    return read


@cache
def _schema_of(resource_type: str) -> Draft6Validator:
    definitions = _schema()["definitions"]
    return Draft6Validator({"$ref": f"#/definitions/{resource_type}", "definitions": definitions})


def _binding_errors(resource: Json) -> Iterator[str]:
    kind = resource["resourceType"]
    for (owner, element), codes in REQUIRED.items():
        if kind == owner and element in resource and resource[element] not in codes.split():
            yield f"binding: {kind}.{element}"
    for issue in resource.get("issue", ()) if kind == "OperationOutcome" else ():
        yield from (f"binding: issue.{name}" for name, codes in ISSUE.items() if issue[name] not in codes.split())
    for group in resource.get("group", ()) if kind == "ConceptMap" else ():
        for target in (target for element in group["element"] for target in element.get("target", ())):
            if target["equivalence"] not in EQUIVALENCE.split():
                yield "binding: ConceptMap.group.element.target.equivalence"


def _invariant_errors(resource: Json) -> Iterator[str]:
    yield from (f"invariant: {key}" for key, holds in INVARIANTS.items() if not holds(resource))


def _has_code_with_detail(resource: Json) -> bool:
    return resource["resourceType"] != "ServiceRequest" or "orderDetail" not in resource or "code" in resource


def _contained_is_flat(resource: Json) -> bool:
    return not any("contained" in inner for inner in resource.get("contained", ()))


def _contained_carries_no_version(resource: Json) -> bool:
    meta = [inner.get("meta", {}) for inner in resource.get("contained", ())]
    return not any("versionId" in each or "lastUpdated" in each for each in meta)


def _extension_has_value_or_extensions(resource: Json) -> bool:
    return all(("extension" in each) != any(key.startswith("value") for key in each) for each in _extensions(resource))


def _local_references_resolve(resource: Json) -> bool:
    names = {f"#{inner.get('id')}" for inner in resource.get("contained", ())} | {"#"}
    return all(reference in names for reference in _references(resource) if reference.startswith("#"))


def _name_is_for_machines(resource: Json) -> bool:
    named = resource["resourceType"] in ("ValueSet", "CodeSystem", "ConceptMap")
    return not named or NAME.fullmatch(resource.get("name", "")) is not None


def _codes_are_unique(resource: Json) -> bool:
    if resource["resourceType"] != "CodeSystem":
        return True
    codes = [concept["code"] for concept in resource.get("concept", ())]
    return len(codes) == len(set(codes))


def _include_has_system_or_value_set(resource: Json) -> bool:
    if resource["resourceType"] != "ValueSet":
        return True
    return all("system" in each or "valueSet" in each for each in resource.get("compose", {}).get("include", ()))


INVARIANTS: dict[str, Callable[[Json], bool]] = {
    "prr-1": _has_code_with_detail,
    "dom-2": _contained_is_flat,
    "dom-4": _contained_carries_no_version,
    "ext-1": _extension_has_value_or_extensions,
    "ref-1": _local_references_resolve,
    "vsd-0, csd-0, cmd-0": _name_is_for_machines,
    "csd-1": _codes_are_unique,
    "vsd-1": _include_has_system_or_value_set,
}


def _walk(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each)


def _extensions(resource: Json) -> Iterator[Json]:
    for element in _walk(resource):
        yield from element.get("extension", ())


def _references(resource: Json) -> Iterator[str]:
    for element in _walk(resource):
        if isinstance(element.get("reference"), str):
            yield element["reference"]
