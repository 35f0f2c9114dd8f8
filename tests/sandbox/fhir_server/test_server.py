"""The small FHIR server answers as real ones do: valid R4, page by page, and failing the way that real ones fail."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from cds_service.service_catalogue import TEMPLATES
from sandbox.fhir_server import Behaviour, Fault, FhirServer, Request, Store, running
from sandbox.stories import load, store_of
from tests.builders import PATIENT_ID, REQUESTER_ID, a_condition, a_patient, a_user, an_encounter, an_observation
from tests.cds_service.test_fhir_fetching import TODAY
from tests.r4_rules import wrong_with

Json = dict[str, Any]


def a_record(conditions: int = 3) -> Store:
    others = {**a_condition("low-back-pain", id="of-another"), "subject": {"reference": "Patient/another"}}
    return Store(
        [
            a_patient(as_of=TODAY),
            *(a_condition("low-back-pain", id=f"c{number}") for number in range(conditions)),
            others,
            {
                **an_observation("body-temperature", 36.8, unit="Cel", on="2026-01-02", category="vital-signs"),
                "id": "o1",
            },
            {
                **an_observation("body-temperature", 38.8, unit="Cel", on="2026-03-02", category="vital-signs"),
                "id": "o2",
            },
            {**an_observation({"text": "Straight leg raise"}, True, on="2026-03-02"), "id": "o3"},
            an_encounter(),
            a_user("specialty-family-medicine"),
        ]
    )


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with running(a_record()) as ehr:
        yield ehr


def get(server: FhirServer, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{server.base}{path}", headers=headers, timeout=10)


def search(server: FhirServer, path: str, query: str) -> Json:
    answer = requests.post(
        f"{server.base}{path}/_search",
        data=query,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=10,
    )
    assert answer.status_code == 200
    found: Json = answer.json()
    return found


def ids(bundle: Json) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", ())]


@pytest.mark.parametrize("key", [template.key for template in TEMPLATES])
def test_every_template_is_answered_by_get_and_post_alike(key: str, server: FhirServer) -> None:
    template = next(each for each in TEMPLATES if each.key == key)
    query = template.query.replace("{{context.patientId}}", PATIENT_ID)
    query = query.replace("{{context.encounterId}}", an_encounter()["id"]).replace(
        "{{userPractitionerId}}", REQUESTER_ID
    )
    answer = get(server, f"/{query}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    if "?" in query:
        path, _, parameters = query.partition("?")
        posted = search(server, f"/{path}", parameters)
        assert ids(posted) == ids(answer.json())
        assert "of-another" not in ids(posted)


def test_searches_filter_and_sort(server: FhirServer) -> None:
    by_category = search(server, "/Observation", f"patient={PATIENT_ID}&category=vital-signs&_sort=-date")
    assert ids(by_category) == ["o2", "o1"]
    assert ids(search(server, "/Observation", f"patient={PATIENT_ID}&category=exam,survey")) == ["o3"]
    assert get(server, f"/Observation?patient={PATIENT_ID}&colour=red").status_code == 400


@pytest.mark.parametrize("style", ["hapi", "search", "relative"])
def test_pages_link_to_the_next_until_all_is_told(style: str) -> None:
    with running(a_record(7), Behaviour(page_size=3, next_links=style)) as ehr:
        seen: list[str] = []
        url = f"{ehr.base}/Condition?patient={PATIENT_ID}&_count=50"
        while url:
            bundle = requests.get(url, timeout=10).json()
            assert bundle["total"] == 7
            seen += ids(bundle)
            links = {link["relation"]: link["url"] for link in bundle["link"]}
            url = links.get("next", "")
            if url and style == "relative":
                url = f"{ehr.base}/{url}"
        assert seen == [f"c{number}" for number in range(7)]


@pytest.mark.parametrize(
    "path",
    ["/metadata", "/Patient/nobody", "/Nothing?x=1", f"/Condition?patient={PATIENT_ID}", "/Condition?patient=nobody"],
)
@pytest.mark.parametrize("found", ["plain", "outcome"])
def test_what_it_sends_is_valid_r4(path: str, found: str) -> None:
    with running(a_record(), Behaviour(page_size=2, nothing_found=found)) as ehr:
        wrong = wrong_with(get(ehr, path).json())
        # HL7's JSON schema of 4.0.1 ends its list of versions with 4.0.0; every server of 4.0.1 says 4.0.1.
        assert [each for each in wrong if each != "schema: $.fhirVersion breaks enum"] == []


def test_a_page_of_results_has_the_members_of_the_specifications_example(server: FhirServer) -> None:
    """HL7's bundle-example: type, total, links self and next; entries with fullUrl, resource and search.mode."""
    server.serve(behaviour=Behaviour(page_size=1))
    bundle = get(server, f"/Condition?patient={PATIENT_ID}").json()
    assert set(bundle) == {"resourceType", "type", "total", "link", "entry"}
    assert [link["relation"] for link in bundle["link"]] == ["self", "next"]
    (entry,) = bundle["entry"]
    assert set(entry) == {"fullUrl", "resource", "search"}
    assert entry["fullUrl"] == f"{server.base}/Condition/c0"
    assert entry["search"] == {"mode": "match"}


def test_a_token_is_needed_where_some_are_accepted(server: FhirServer) -> None:
    server.serve(behaviour=Behaviour(tokens=frozenset({"right"})))
    assert get(server, f"/Patient/{PATIENT_ID}").status_code == 401
    assert get(server, f"/Patient/{PATIENT_ID}", Authorization="Bearer wrong").status_code == 401
    assert get(server, f"/Patient/{PATIENT_ID}", Authorization="Bearer right").status_code == 200
    assert get(server, "/metadata").status_code == 200


def test_a_browser_may_ask(server: FhirServer) -> None:
    asked = {
        "Origin": "https://sandbox.cds-hooks.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,prefer",
    }
    answer = requests.options(f"{server.base}/Patient/_search", headers=asked, timeout=10)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    allowed = answer.headers["Access-Control-Allow-Headers"].casefold()
    assert all(name in allowed for name in ("authorization", "content-type", "accept", "prefer"))
    assert {"GET", "POST"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert "Access-Control-Allow-Private-Network" not in answer.headers
    assert get(server, f"/Patient/{PATIENT_ID}").headers["Access-Control-Allow-Origin"] == "*"
    assert get(server, "/Patient/nobody").headers["Access-Control-Allow-Origin"] == "*"


def test_a_browser_that_asks_for_the_local_network_is_let_in(server: FhirServer) -> None:
    asked = {"Origin": "https://sandbox.cds-hooks.org", "Access-Control-Request-Private-Network": "true"}
    answer = requests.options(f"{server.base}/metadata", headers=asked, timeout=10)
    assert answer.headers["Access-Control-Allow-Private-Network"] == "true"


def test_the_statement_names_every_type_that_is_held_and_only_searches_that_work(server: FhirServer) -> None:
    (rest,) = get(server, "/metadata").json()["rest"]
    held = {each["type"]: [by["name"] for by in each["searchParam"]] for each in rest["resource"]}
    assert set(held) == {"Condition", "Encounter", "Observation", "Patient", "PractitionerRole"}
    for resource_type, parameters in held.items():
        for name in parameters:
            assert get(server, f"/{resource_type}?{name}=anything").status_code == 200
    assert rest["security"]["cors"] is True


def test_the_list_of_patients_is_there_without_any_parameter(server: FhirServer) -> None:
    assert ids(get(server, "/Patient").json()) == [PATIENT_ID]


def test_every_patient_of_the_stories_is_on_the_first_page() -> None:
    stories = load()
    with running(store_of(stories)) as ehr:
        assert ids(requests.get(f"{ehr.base}/Patient", timeout=10).json()) == [story.patient_id for story in stories]


def test_a_part_of_a_record_that_cannot_be_read_is_a_failed_search(server: FhirServer) -> None:
    server.store.fail_for(PATIENT_ID, ["Condition"])
    assert get(server, f"/Condition?patient={PATIENT_ID}").status_code == 503
    assert get(server, f"/Condition?patient=Patient/{PATIENT_ID}").status_code == 503
    assert ids(get(server, "/Condition?patient=another").json()) == ["of-another"]
    assert get(server, f"/Observation?patient={PATIENT_ID}").status_code == 200


@pytest.mark.parametrize(
    ("version", "number", "kind"),
    [
        ("r4", "4.0.1", "CapabilityStatement"),
        ("stu3", "3.0.2", "CapabilityStatement"),
        ("dstu2", "1.0.2", "Conformance"),
    ],
)
def test_older_servers_say_so_and_have_other_shapes(version: str, number: str, kind: str) -> None:
    with running(a_record(), Behaviour(fhir=version)) as ehr:
        statement = get(ehr, "/metadata").json()
        assert (statement["fhirVersion"], statement["resourceType"]) == (number, kind)
        condition = get(ehr, "/Condition/c0").json()
        assert isinstance(condition["clinicalStatus"], str) is (version != "r4")
        assert ("patient" in condition) is (version == "dstu2")
        assert (get(ehr, f"/ServiceRequest?patient={PATIENT_ID}").status_code == 404) is (version != "r4")


def test_faults_happen_as_often_as_they_should_and_to_whom_they_should(server: FhirServer) -> None:
    fault = Fault("answer", frozenset({"Condition"}), times=2, status=429, retry_after="7")
    server.serve(behaviour=Behaviour(faults=(fault,)))
    answers = [get(server, "/Condition?patient=1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert get(server, f"/Patient/{PATIENT_ID}").status_code == 200


@pytest.mark.parametrize("kind", ["half", "reset"])
def test_broken_connections_are_really_broken(kind: str, server: FhirServer) -> None:
    server.serve(behaviour=Behaviour(faults=(Fault(kind),)))
    with pytest.raises(requests.RequestException):
        get(server, f"/Patient/{PATIENT_ID}")


def test_a_server_that_runs_for_days_forgets_its_oldest_requests(server: FhirServer) -> None:
    for number in range(30_000):
        server.noted(Request("GET", f"/Patient/{number}", "", "", ""))
    assert len(server.requests) <= 20_000
    assert server.requests[-1].path == "/Patient/29999"


def test_it_runs_as_a_program_with_the_stories_patients() -> None:
    command = [sys.executable, "-m", "sandbox.fhir_server", "--port", "0", "--token", "t"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            base = program.stdout.readline().split()[3].rstrip(";")
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                answer = requests.get(
                    f"{base}/Patient/left-foot-getting-weaker", headers={"Authorization": "Bearer t"}, timeout=10
                )
                if answer.status_code == 200:
                    break
            assert answer.json()["id"] == "left-foot-getting-weaker"
        finally:
            program.terminate()
