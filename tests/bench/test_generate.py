"""The benchmark's requests are what they claim to be: repeatable, of the stated size, and valid FHIR R4."""

from __future__ import annotations

import importlib
from datetime import date

import msgspec
import pytest

from bench.generate import SIZES, count_resources, request_body, scaled_body

DAY = date(2026, 3, 2)

STATED = {  # size: resources, bytes
    "small": (10, 16_000),
    "typical": (120, 160_000),
    "large": (2_000, 2_700_000),
}


def _resources(body: bytes) -> list[dict]:
    call = msgspec.json.decode(body)
    found = [entry["resource"] for entry in call["context"]["draftOrders"]["entry"]]
    for part in call["prefetch"].values():
        found += [entry["resource"] for entry in part.get("entry", ())] if part["resourceType"] == "Bundle" else [part]
    return found


def _validate(resource: dict) -> None:
    name = resource["resourceType"]
    getattr(importlib.import_module(f"fhir.resources.R4B.{name.lower()}"), name).model_validate(resource)


@pytest.mark.parametrize("size", sorted(SIZES))
def test_the_same_size_seed_and_day_give_the_same_bytes_and_another_seed_gives_others(size: str):
    assert request_body(size, DAY) == request_body(size, DAY)
    assert request_body(size, DAY, seed=1) != request_body(size, DAY, seed=2)


@pytest.mark.parametrize("size", sorted(SIZES))
def test_a_request_has_the_stated_number_of_resources_and_bytes_within_a_tenth(size: str):
    body = request_body(size, DAY)
    resources, length = STATED[size]
    assert count_resources(body) == pytest.approx(resources, rel=0.1)
    assert len(body) == pytest.approx(length, rel=0.1)


@pytest.mark.parametrize("size", sorted(SIZES))
def test_every_kind_of_resource_in_a_request_is_valid_r4(size: str):
    seen: set[tuple[str, frozenset[str], str]] = set()
    for resource in _resources(request_body(size, DAY)):
        shape = (resource["resourceType"], frozenset(resource), str(sorted(resource.get("code", {}).get("text", ""))))
        if shape not in seen:
            seen.add(shape)
            _validate(resource)
    assert len({kind for kind, _, _ in seen}) >= 7


def test_bundles_of_a_request_are_valid_r4():
    call = msgspec.json.decode(request_body("typical", DAY))
    bundles = [call["context"]["draftOrders"], *call["prefetch"].values()]
    for bundle in bundles:
        _validate(bundle)


@pytest.mark.parametrize("size", sorted(SIZES))
def test_every_resource_is_about_the_patient_of_the_call(size: str):
    body = request_body(size, DAY)
    patient = msgspec.json.decode(body)["context"]["patientId"]
    for resource in _resources(body):
        about = resource.get("subject") or resource.get("patient")
        if about is not None:
            assert about["reference"] == f"Patient/{patient}"


def test_no_entry_is_dated_after_the_day_of_the_call():
    for resource in _resources(request_body("large", DAY)):
        for name in ("effectiveDateTime", "recordedDate", "onsetDateTime", "authoredOn", "performedDateTime"):
            assert resource.get(name, "")[:10] <= DAY.isoformat()


@pytest.mark.parametrize("resources", [200, 1_000])
def test_the_scale_series_has_about_as_many_resources_as_asked_for(resources: int):
    assert count_resources(scaled_body(resources, DAY)) == pytest.approx(resources, rel=0.12)


def test_the_scale_series_gives_every_everyday_code_in_as_many_codings_as_asked_for():
    observations = [
        resource
        for resource in _resources(scaled_body(200, DAY, codings=8))
        if resource["resourceType"] == "Observation" and resource["category"][0]["text"] == "Vital Signs"
    ]
    assert observations
    assert {len(observation["code"]["coding"]) for observation in observations} == {8}
