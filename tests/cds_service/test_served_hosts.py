"""Open mode answers under names of this machine: a page elsewhere whose name was made to lead here reads no card."""

from __future__ import annotations

import json

import pytest

from cds_service.app import create_app
from cds_service.settings import Settings, settings_from
from cds_service.trust import OpenTrust
from tests.cds_service.kept_records import KeptRecords, recorder_to
from tests.cds_service.service_under_test import ORIGIN, SELECT, a_call, running
from tests.clinic import usual_tools

OURS = (
    "127.0.0.1:8090", "localhost:8090", "[::1]:8090",
    "127.0.0.1", "localhost", "LOCALHOST:8090", "[::1]",
    "127.0.0.1:49153", "localhost:9000", "127.0.0.53:8090",  # a mapped port, another loopback address
    "cds.example.org", "cds.example.org:8443", "CDS.example.org",  # where clinicians' browsers reach it
)  # fmt: skip
NOT_OURS = (
    "evil.example.org:8090", "evil.example.org", "127.0.0.1.evil.example.org:8090", "localhost.evil.example.org",
    "evil.example.org:8090@localhost", "192.0.2.7:8090", "0.0.0.0:8090", "[fe80::1]:8090", "example.org",
    "", "[", ":8090",
)  # fmt: skip
SETTINGS = Settings(public_url="https://cds.example.org/advice")


@pytest.mark.parametrize("host", OURS)
@pytest.mark.parametrize("more", [{}, {"Content-Encoding": "identity"}], ids=["short way", "web framework"])
def test_a_call_to_a_host_of_this_machine_or_of_the_settings_is_answered(host: str, more: dict[str, str]) -> None:
    browser = create_app(SETTINGS, usual_tools()).test_client()
    assert browser.post(SELECT, json=a_call(), headers={"Host": host, **more}).get_json()["cards"]


@pytest.mark.parametrize("host", NOT_OURS)
@pytest.mark.parametrize("more", [{}, {"Content-Encoding": "identity"}], ids=["short way", "web framework"])
def test_a_call_to_any_other_host_gets_no_card_and_is_recorded(host: str, more: dict[str, str]) -> None:
    kept = KeptRecords()
    browser = create_app(SETTINGS, usual_tools(), recorder=recorder_to(kept)).test_client()
    answer = browser.post(SELECT, json=a_call(), headers={"Host": host, **more})
    assert answer.status_code == 421
    outcome = answer.get_json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert "LUMBAR_CDS_PUBLIC_URL" in outcome["issue"][0]["diagnostics"]
    assert "evil" not in json.dumps(outcome)
    assert [(record.status, record.check, record.request_bytes) for record in kept.calls] == [(421, "host", 0)]


@pytest.mark.parametrize("path", ["/cds-services", SELECT + "/feedback"])
def test_discovery_and_feedback_are_not_given_to_other_hosts_either(path: str) -> None:
    browser = create_app(SETTINGS, usual_tools()).test_client()
    method = "GET" if path == "/cds-services" else "POST"
    assert browser.open(path, method=method, json={}, headers={"Host": "evil.example.org"}).status_code == 421
    assert browser.open(path, method=method, json={}, headers={"Host": "localhost:1"}).status_code != 421


def test_a_page_of_the_public_sandbox_may_call_as_before() -> None:
    with running(Settings()) as service:
        answer = service.post(SELECT, a_call(), Origin=ORIGIN)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)
        assert (
            service.post(SELECT, a_call(), Host="evil.example.org", Origin="http://evil.example.org").status_code == 421
        )


def test_what_the_trusted_proxy_was_asked_for_counts() -> None:
    settings = settings_from(
        {"LUMBAR_CDS_TRUSTED_PROXIES": "127.0.0.1", "LUMBAR_CDS_PUBLIC_URL": "https://cds.example.org"}
    )
    browser = create_app(settings, usual_tools()).test_client()

    def status(forwarded: str, host: str) -> int:
        return browser.post(SELECT, json=a_call(), headers={"Host": host, "X-Forwarded-Host": forwarded}).status_code

    assert status("cds.example.org", "backend:8090") == 200
    assert status("evil.example.org", "127.0.0.1:8090") == 421


def test_a_caller_that_names_no_host_is_no_web_page() -> None:
    assert OpenTrust(frozenset()).identify({}, SELECT).client == "open"
