"""The pretend EHR's one server: FHIR below /fhir as the R4 server alone answers it, pages everywhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests

from sandbox.ehr.server import EhrServer
from sandbox.stories import load, store_of

STORY = load()[0]


@pytest.fixture
def server() -> Iterator[EhrServer]:
    def pages(environ: dict, start_response) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["PATH_INFO"].encode()]

    ehr = EhrServer(store_of([STORY]), pages)
    thread = threading.Thread(target=ehr.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield ehr
    ehr.kill()
    thread.join(timeout=5)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/metadata", "CapabilityStatement"),
        (f"/Patient/{STORY.patient_id}", "Patient"),
        ("/Patient", "Bundle"),
        (f"/Condition?patient={STORY.patient_id}", "Bundle"),
    ],
)
def test_the_records_are_there_for_a_browser_of_another_site(path: str, kind: str, server: EhrServer) -> None:
    answer = requests.get(f"{server.base}{path}", headers={"Origin": "https://sandbox.cds-hooks.org"}, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json()["resourceType"] == kind


def test_a_search_by_post_finds_what_one_by_get_finds(server: EhrServer) -> None:
    asked = {"patient": STORY.patient_id}
    posted = requests.post(f"{server.base}/Observation/_search", data=asked, timeout=10).json()
    got = requests.get(f"{server.base}/Observation", params=asked, timeout=10).json()
    assert posted["entry"] == got["entry"]


def test_a_launch_context_is_given(server: EhrServer) -> None:
    body = {"launchUrl": "http://127.0.0.1:9999/launch", "parameters": {"patient": STORY.patient_id}}
    answer = requests.post(f"{server.base}/_services/smart/Launch", json=body, timeout=10)
    assert answer.json()["launch_id"]


@pytest.mark.parametrize("path", ["/", "/patients/x", "/fhirs"])
def test_everything_else_is_a_page(path: str, server: EhrServer) -> None:
    assert requests.get(f"{server.address}{path}", timeout=10).text == path


def test_pages_are_closed_to_browsers_of_other_sites(server: EhrServer) -> None:
    answer = requests.get(server.address, headers={"Origin": "https://sandbox.cds-hooks.org"}, timeout=10)
    assert "Access-Control-Allow-Origin" not in answer.headers
