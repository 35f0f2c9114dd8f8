"""Which pages may call from a browser, and what a preflight hears."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.app import create_app
from cds_service.cors import headers_for, preflight_headers
from cds_service.settings import Settings
from cds_service.trust import OpenTrust
from tests.cds_service.service_under_test import SELECT
from tests.clinic import usual_tools
from tests.hostile.registered import clients_toml

OURS = "https://sandbox.cds-hooks.org"
ALLOWED = frozenset({OURS, "http://localhost:3000"})


def test_an_allowed_origin_is_echoed_and_never_a_wildcard() -> None:
    assert dict(headers_for(OURS, ALLOWED)) == {"Access-Control-Allow-Origin": OURS, "Vary": "Origin"}


def test_other_origins_hear_nothing_and_caches_are_told() -> None:
    for origin in (None, "", "null", "https://evil.example", OURS + ".evil.example", OURS.upper()):
        assert dict(headers_for(origin, ALLOWED)) == {"Vary": "Origin"}
        assert dict(preflight_headers({"Origin": origin or ""}, ALLOWED)) == {"Vary": "Origin"}


def test_a_preflight_names_methods_headers_and_how_long_it_holds() -> None:
    headers = dict(preflight_headers({"Origin": OURS, "Access-Control-Request-Method": "POST"}, ALLOWED))
    assert headers["Access-Control-Allow-Origin"] == OURS
    assert headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    assert {"Authorization", "Content-Type"} <= set(headers["Access-Control-Allow-Headers"].split(", "))
    assert headers["Access-Control-Max-Age"] == "600"
    assert "Access-Control-Allow-Credentials" not in headers
    assert "Access-Control-Allow-Private-Network" not in headers


def test_private_network_access_is_granted_only_when_asked() -> None:
    asked = {"Origin": OURS, "Access-Control-Request-Private-Network": "true"}
    assert dict(preflight_headers(asked, ALLOWED))["Access-Control-Allow-Private-Network"] == "true"
    asked["Origin"] = "https://evil.example"
    assert "Access-Control-Allow-Private-Network" not in dict(preflight_headers(asked, ALLOWED))


@pytest.mark.parametrize("mode", ["open", "closed"])
def test_a_page_may_ask_for_a_profile_where_the_service_heeds_it(mode: str, tmp_path: Path) -> None:
    settings = Settings() if mode == "open" else Settings(clients=clients_toml(tmp_path, 8090), state_dir=tmp_path)
    trust = OpenTrust(frozenset(), frozenset({OURS}))
    answer = create_app(settings, usual_tools(), trust).test_client().options(SELECT, headers={"Origin": OURS})
    assert ("Lumbar-CDS-Profile" in answer.headers["Access-Control-Allow-Headers"].split(", ")) is (mode == "open")
