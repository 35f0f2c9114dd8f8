"""SMART App Launch on the small FHIR server: an app opened from a card learns which patient it is about, no more."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.fhir_server import FhirServer, running

APP = "http://127.0.0.1:9999"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-by-the-specification"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with running() as ehr:
        yield ehr


def launch(server: FhirServer, **body: object) -> requests.Response:
    asked = {"launchUrl": f"{APP}/launch", "parameters": {"patient": "p1", "appContext": "draft-1"}, **body}
    return requests.post(f"{server.base}/_services/smart/Launch", json=asked, timeout=10)


def authorize(server: FhirServer, launch_id: str, redirect: str = f"{APP}/back", **more: str) -> requests.Response:
    asked = {
        "response_type": "code",
        "launch": launch_id,
        "redirect_uri": redirect,
        "state": "s & t",
        "scope": "launch patient/*.rs",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **more,
    }
    return requests.get(f"{server.base}/auth/authorize", params=asked, allow_redirects=False, timeout=10)


def token(server: FhirServer, code: str, **more: str) -> requests.Response:
    asked = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": f"{APP}/back",
        "code_verifier": VERIFIER,
        **more,
    }
    return requests.post(f"{server.base}/auth/token", data=asked, timeout=10)


def code_of(answer: requests.Response) -> str:
    assert answer.status_code == 302
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["state"] == ["s & t"]
    return query["code"][0]


def test_an_app_learns_its_patient_and_what_the_card_said(server: FhirServer) -> None:
    own = launch(server).json()["launch_id"]
    answer = token(server, code_of(authorize(server, own)))
    assert answer.status_code == 200
    assert answer.json()["patient"] == "p1"
    assert answer.json()["appContext"] == "draft-1"
    assert answer.json()["token_type"] == "Bearer"


def test_an_app_finds_the_addresses_by_itself(server: FhirServer) -> None:
    found = requests.get(f"{server.base}/.well-known/smart-configuration", timeout=10).json()
    assert found["authorization_endpoint"] == f"{server.base}/auth/authorize"
    assert found["token_endpoint"] == f"{server.base}/auth/token"
    (rest,) = requests.get(f"{server.base}/metadata", timeout=10).json()["rest"]
    said = {each["url"]: each["valueUri"] for each in rest["security"]["extension"][0]["extension"]}
    assert said == {"authorize": found["authorization_endpoint"], "token": found["token_endpoint"]}


@pytest.mark.parametrize(
    "redirect", ["http://127.0.0.1:9998/back", "https://127.0.0.1:9999/back", "//evil.example.org"]
)
def test_an_app_is_sent_back_only_to_where_it_was_launched(redirect: str, server: FhirServer) -> None:
    own = launch(server).json()["launch_id"]
    answer = authorize(server, own, redirect)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_a_launch_that_was_never_made_opens_nothing(server: FhirServer) -> None:
    assert authorize(server, "guessed").status_code == 400


@pytest.mark.parametrize("change", [{"response_type": "token"}, {"code_challenge_method": "plain"}])
def test_only_codes_with_s256_are_given(change: dict[str, str], server: FhirServer) -> None:
    own = launch(server).json()["launch_id"]
    assert authorize(server, own, **change).status_code == 400


def test_a_code_works_once(server: FhirServer) -> None:
    code = code_of(authorize(server, launch(server).json()["launch_id"]))
    assert token(server, code).status_code == 200
    assert token(server, code).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("change", [{"code_verifier": "another"}, {"redirect_uri": f"{APP}/elsewhere"}])
def test_a_code_is_worth_nothing_to_somebody_else(change: dict[str, str], server: FhirServer) -> None:
    code = code_of(authorize(server, launch(server).json()["launch_id"]))
    assert token(server, code, **change).status_code == 400


@pytest.mark.parametrize(
    "body",
    [{"launchUrl": "javascript:alert(1)"}, {"launchUrl": ""}, {"parameters": {}}, {"parameters": "text"}],
)
def test_a_launch_that_makes_no_sense_is_refused(body: dict[str, object], server: FhirServer) -> None:
    assert launch(server, **body).status_code == 400


def test_a_body_that_is_no_json_is_refused(server: FhirServer) -> None:
    answer = requests.post(f"{server.base}/_services/smart/Launch", data="{", timeout=10)
    assert answer.status_code == 400
