"""Resources by type and id, and the searches that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Resource = dict[str, Any]


class UnknownParameter(ValueError):
    """A search parameter that this server does not have for this type."""


class TwoPatients(ValueError):
    """Two resources of one id that belong to different patients: one would take the other's place unseen."""


class NotReadable(LookupError):
    """This part of this patient's record cannot be had at the moment, as happens in real record systems."""


class Store:
    """All resources of the server. Later versions of a resource replace earlier ones of the same patient."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._by_type: dict[str, dict[str, Resource]] = {}
        self._failing: dict[str, frozenset[str]] = {}
        for resource in resources:
            self.put(resource)

    def put(self, resource: Resource) -> None:
        """Keep a resource, or every resource of a Bundle. One without an id gets one."""
        if resource.get("resourceType") == "Bundle":
            for entry in resource.get("entry", ()):
                self.put(entry["resource"])
            return
        kind = self._by_type.setdefault(resource["resourceType"], {})
        own = resource.get("id") or f"{resource['resourceType'].lower()}-{len(kind) + 1}"
        if own in kind and _patient_of(kind[own]) != _patient_of(resource):
            raise TwoPatients(f"{resource['resourceType']}/{own} is there for two patients")
        kind[own] = {**resource, "id": own}

    def parameters(self) -> dict[str, tuple[str, ...]]:
        """The resource types that are held, and the search parameters of each."""
        return {
            name: tuple(each for each in _MATCHERS if each not in _ONLY_FOR or name in _ONLY_FOR[each])
            for name in sorted(self._by_type)
        }

    def fail_for(self, patient_id: str, resource_types: Iterable[str]) -> None:
        """From now on searches for these parts of this patient's record fail, as when a problem list times out."""
        self._failing[patient_id] = frozenset(resource_types)

    def read(self, resource_type: str, own_id: str) -> Resource | None:
        """One resource."""
        return self._by_type.get(resource_type, {}).get(own_id)

    def search(self, resource_type: str, parameters: Iterable[tuple[str, str]]) -> list[Resource]:
        """Those that match all parameters, in the order asked for."""
        found = list(self._by_type.get(resource_type, {}).values())
        for name, value in parameters:
            if name == "patient" and resource_type in self._failing.get(value.rpartition("/")[2], ()):
                raise NotReadable(resource_type)
            if name == "_sort":
                found = _sorted(found, value)
            elif name not in ("_count", "_format", "_total"):
                matches = _MATCHERS.get(name)
                if matches is None:
                    raise UnknownParameter(name)
                found = [resource for resource in found if matches(resource, value)]
        return found


def _patient_of(resource: Resource) -> str:
    link = resource.get("subject") or resource.get("patient") or {}
    return str(link.get("reference", "")).rstrip("/").rpartition("/")[2]


def _reference(*members: str) -> Callable[[Resource, str], bool]:
    def matches(resource: Resource, value: str) -> bool:
        wanted = value.rpartition("/")[2]
        return any(
            str((resource.get(member) or {}).get("reference", "")).rstrip("/").rpartition("/")[2] == wanted
            for member in members
        )

    return matches


def _token(member: str) -> Callable[[Resource, str], bool]:
    def matches(resource: Resource, value: str) -> bool:
        wanted = {each.rpartition("|")[2] for each in value.split(",")}
        several = resource.get(member) or []
        concepts = several if isinstance(several, list) else [several]
        return any(coding.get("code") in wanted for concept in concepts for coding in concept.get("coding", ()))

    return matches


def _own_id(resource: Resource, value: str) -> bool:
    return resource["id"] in value.split(",")


_MATCHERS: Mapping[str, Callable[[Resource, str], bool]] = {
    "_id": _own_id,
    "patient": _reference("subject", "patient"),
    "practitioner": _reference("practitioner"),
    "category": _token("category"),
}

_ONLY_FOR = {
    "patient": frozenset(
        {
            "AllergyIntolerance", "Condition", "Device", "DiagnosticReport", "Encounter", "FamilyMemberHistory",
            "ImagingStudy", "Immunization", "MedicationRequest", "MedicationStatement", "Observation", "Procedure",
            "ServiceRequest",
        }
    ),
    "practitioner": frozenset({"PractitionerRole"}),
    "category": frozenset({"Condition", "DiagnosticReport", "Observation", "ServiceRequest"}),
}  # fmt: skip

# What a search sorts by, under the names of the R4 search parameters.
_SORT_MEMBERS = {
    "date": ("effectiveDateTime", "effectivePeriod", "performedDateTime", "performedPeriod", "started"),
    "authored": ("authoredOn",),
    "authoredon": ("authoredOn",),
}


def _sorted(resources: list[Resource], order: str) -> list[Resource]:
    members = _SORT_MEMBERS.get(order.removeprefix("-"))
    if members is None:
        raise UnknownParameter("_sort")

    def moment(resource: Resource) -> str:
        for member in members:
            value = resource.get(member)
            if value:
                return value if isinstance(value, str) else str(value.get("start", ""))
        return ""

    return sorted(resources, key=moment, reverse=order.startswith("-"))
