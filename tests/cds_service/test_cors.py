"""Which pages may call from a browser, and what a preflight hears."""

from __future__ import annotations

from cds_service.cors import headers_for, preflight_headers

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
