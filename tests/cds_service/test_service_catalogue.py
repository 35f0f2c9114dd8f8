"""Discovery: the attribute table of CDS Hooks, and prefetch templates that every client understands."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

import pytest

from cds_service.schemas import validator
from cds_service.service_catalogue import SERVICES, TEMPLATES, discovery_document, expected_sources

DOCUMENT: dict[str, Any] = json.loads(discovery_document())
CONTEXT_TOKENS = {"context.patientId", "context.encounterId"}
USER_TOKENS = {"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"}
REFERENCE_PARAMETERS = {"patient", "practitioner"}
TOKEN_PARAMETERS = {"category"}
RESULT_PARAMETERS = {"_count", "_sort"}
# "SHALL" search parameters of US Core 6.1, by resource type.
WIDELY_SUPPORTED = {
    "Observation": {"patient", "category"},
    "Condition": {"patient"},
    "Procedure": {"patient"},
    "MedicationRequest": {"patient"},
    "ServiceRequest": {"patient"},
    "DiagnosticReport": {"patient", "category"},
    "Device": {"patient"},
    "AllergyIntolerance": {"patient"},
    "PractitionerRole": {"practitioner"},
}
QUERIES = [pytest.param(template.query, id=template.key) for template in TEMPLATES]


def test_the_document_fits_its_schema() -> None:  # DISC-2, DISC-4 (hook), DISC-6, DISC-7 (title), DISC-8
    assert [error.json_path for error in validator("discovery").iter_errors(DOCUMENT)] == []


def test_with_no_services_the_list_is_empty_and_still_there() -> None:  # DISC-3
    assert json.loads(discovery_document(())) == {"services": []}


def test_there_is_one_service_per_hook() -> None:  # STALE-1: a client may keep one entry per id
    assert {(each["id"], each["hook"]) for each in DOCUMENT["services"]} == {
        ("lumbar-imaging-order-select", "order-select"),
        ("lumbar-imaging-order-sign", "order-sign"),
    }
    assert len({service.id for service in SERVICES}) == len(SERVICES)


def test_texts_hold_no_markup() -> None:  # DISC-5; a client puts the description into its page as HTML
    for each in DOCUMENT["services"]:
        for member in ("title", "description", "usageRequirements"):
            assert each[member].strip()
            assert not set(each[member]) & set("<>&")


def test_the_version_is_that_of_the_specification() -> None:  # DISC-9, DISC-10
    for each in DOCUMENT["services"]:
        assert each["version"] == "2.0.0"
        assert "hookVersion" not in each


def test_prefetch_keys_are_stable() -> None:  # DISC-8: analysts type them into EHR records by hand
    assert [template.key for template in TEMPLATES] == [
        "patient",
        "conditions",
        "examination",
        "vitalSigns",
        "laboratory",
        "surveys",
        "socialHistory",
        "procedures",
        "medications",
        "serviceRequests",
        "imagingReports",
        "devices",
        "allergies",
        "encounter",
        "userRole",
    ]
    for each in DOCUMENT["services"]:
        assert each["prefetch"] == {template.key: template.query for template in TEMPLATES}


@pytest.mark.parametrize("query", QUERIES)
def test_tokens_are_those_that_every_client_fills_in(query: str) -> None:  # DISC-12, DISC-13, DISC-14
    tokens = re.findall(r"\{\{(.*?)\}\}", query)
    assert tokens
    assert set(tokens) <= CONTEXT_TOKENS | USER_TOKENS
    assert not re.search(r"[{}]", re.sub(r"\{\{.*?\}\}", "", query))


@pytest.mark.parametrize("query", QUERIES)
def test_queries_stay_within_the_restrictions(query: str) -> None:  # DISC-15, DISC-16, DISC-17, DISC-18
    path, _, parameters = query.partition("?")
    if not parameters:
        assert re.fullmatch(r"(Patient|Encounter)/\{\{context\.(patientId|encounterId)\}\}", path)
        return
    pairs = parse_qsl(parameters, strict_parsing=True)
    names = [name for name, _ in pairs]
    assert re.fullmatch(r"[A-Z][A-Za-z]+", path)
    assert len(names) == len(set(names)), "a client joins a repeated parameter with a comma"
    assert set(names) <= REFERENCE_PARAMETERS | TOKEN_PARAMETERS | RESULT_PARAMETERS
    assert set(names) - RESULT_PARAMETERS <= WIDELY_SUPPORTED[path]
    assert 0 < int(dict(pairs)["_count"]) <= 250, "bounded: a busy EHR has to fill it"


def test_a_key_without_a_token_to_fill_in_is_not_expected() -> None:
    everything = {template.key for template in TEMPLATES}
    assert set(expected_sources(encounter_named=True, user_is_practitioner=True)) == everything
    assert set(expected_sources(encounter_named=False, user_is_practitioner=False)) == everything - {
        "encounter",
        "userRole",
    }
