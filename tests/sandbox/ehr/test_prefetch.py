"""Prefetch, made from templates as an EHR makes it."""

from __future__ import annotations

from sandbox.ehr.prefetch import SearchFailed, prefetch
from sandbox.fhir_server.store import Store

PATIENT = {"resourceType": "Patient", "id": "p"}
PROBLEMS = [
    {"resourceType": "Condition", "id": f"c{number}", "subject": {"reference": "Patient/p"}} for number in range(3)
]
TOKENS = {"context.patientId": "p", "userPractitionerId": ""}
BASE = "https://ehr.example.org/fhir"


class Broken(Store):
    """A store whose problem list times out."""

    def search(self, resource_type, parameters):
        raise SearchFailed(resource_type)


def _made(templates: dict[str, str], store: Store) -> dict:
    return prefetch(templates, TOKENS, store, BASE)


def test_an_instance_is_read_and_a_search_is_a_searchset() -> None:
    made = _made(
        {"patient": "Patient/{{context.patientId}}", "problems": "Condition?patient={{context.patientId}}&_count=2"},
        Store([PATIENT, *PROBLEMS]),
    )
    assert made["patient"] == PATIENT
    assert made["problems"]["type"] == "searchset"
    assert made["problems"]["total"] == 3
    assert [entry["fullUrl"] for entry in made["problems"]["entry"]] == [f"{BASE}/Condition/c0", f"{BASE}/Condition/c1"]


def test_a_key_whose_token_has_no_value_is_left_out() -> None:
    assert _made({"role": "PractitionerRole?practitioner={{userPractitionerId}}"}, Store([PATIENT])) == {}


def test_a_key_with_an_unknown_token_is_left_out() -> None:
    assert _made({"odd": "Observation?patient={{context.patientId}}&date={{today()}}"}, Store([PATIENT])) == {}


def test_nobody_found_is_an_empty_searchset_and_not_a_missing_key() -> None:
    assert _made({"problems": "Condition?patient={{context.patientId}}"}, Store([PATIENT]))["problems"]["entry"] == []


def test_a_search_that_fails_leaves_its_key_out() -> None:
    assert _made({"problems": "Condition?patient={{context.patientId}}"}, Broken([PATIENT])) == {}
