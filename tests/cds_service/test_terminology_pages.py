"""The terminology as FHIR, over HTTP: every page is valid R4 and can be reached from its list."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.output_check import check_resource, empties
from tests.cds_service.service_under_test import Address
from tests.cds_service.test_http import assert_outcome
from tests.clinic import usual_tools

KINDS = ("CodeSystem", "ValueSet", "ConceptMap")


def listed(service: Address, path: str) -> dict[str, Any]:
    answer = service.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/fhir+json"
    body: dict[str, Any] = answer.json()
    assert list(empties(body)) == []
    assert (body["resourceType"], body["type"]) == ("Bundle", "searchset")
    assert body["total"] == len(body.get("entry", []))
    return body


@pytest.mark.parametrize("kind", KINDS)
def test_every_resource_of_a_list_is_valid_and_has_its_own_page(service: Address, kind: str) -> None:
    entries = listed(service, f"/fhir/{kind}")["entry"]
    assert entries
    for entry in entries[:: max(1, len(entries) // 12)]:
        resource = entry["resource"]
        check_resource(resource, entry["fullUrl"])
        page = service.get(f"/fhir/{kind}/{resource['id']}")
        assert page.headers["Content-Type"] == "application/fhir+json"
        assert page.json() == resource


@pytest.mark.parametrize("kind", KINDS)
def test_a_summary_names_the_same_resources_in_fewer_bytes(service: Address, kind: str) -> None:
    full = listed(service, f"/fhir/{kind}")
    short = listed(service, f"/fhir/{kind}?_summary=true")
    assert [entry["fullUrl"] for entry in short["entry"]] == [entry["fullUrl"] for entry in full["entry"]]
    assert len(str(short)) < len(str(full))
    check_resource(short["entry"][0]["resource"])


def test_a_resource_is_found_by_its_canonical_address(service: Address) -> None:
    url = usual_tools().terminology.own.url
    (entry,) = listed(service, f"/fhir/CodeSystem?url={url}")["entry"]
    assert entry["resource"]["url"] == url
    assert all(concept["property"] for concept in entry["resource"]["concept"])
    assert listed(service, "/fhir/CodeSystem?url=http://example.org/none")["total"] == 0


@pytest.mark.parametrize("path", ["/fhir", "/fhir/Patient", "/fhir/ValueSet/none", "/fhir/ValueSet/a/b"])
def test_what_is_not_served_is_a_404(service: Address, path: str) -> None:
    assert_outcome(service.get(path), 404, "not-found")
