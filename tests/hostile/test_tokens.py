"""Tokens that must not count, at every address and on both ways of a call: one wording for all, and a code in the log.

SEC-2 authentication · SEC-3 allow-lists · SEC-4 none · SEC-5 symmetric · SEC-6 algorithms · SEC-7 keys · SEC-8 aud ·
SEC-9 times and jti · SEC-10 one wording
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization

from cds_service.output_check import check_resource
from tests.cds_service.service_under_test import SELECT, SIGN, a_call
from tests.hostile.registered import ED_KID, FEEDBACK, PAGE, RSA_KID, Closed, a_token, keys, public_jwk, raw_token

LONG_WAY = {"Content_Encoding": "identity"}  # a header that changes nothing, and that only the long way knows
JKU = "https://keys.example.org/jwks.json"


def now() -> int:
    return int(time.time())


def hs(audience: str, algorithm: str, secret: bytes) -> str:
    header = {"alg": algorithm, "typ": "JWT", "kid": RSA_KID}
    claims = jwt.decode(a_token(audience), options={"verify_signature": False})
    signing = jwt.utils.base64url_encode
    head, body = signing(json.dumps(header).encode()), signing(json.dumps(claims).encode())
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
    return (head + b"." + body + b"." + signing(hmac.new(secret, head + b"." + body, digest).digest())).decode()


def public_pem() -> bytes:
    pem: bytes = (
        keys()["RS384"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return pem


def unsigned(audience: str, algorithm: str) -> str:
    head, payload, _ = a_token(audience, headers={"alg": algorithm}).split(".")
    return f"{head}.{payload}."


def spoiled(audience: str, part: int) -> str:
    parts = a_token(audience).split(".")
    middle = len(parts[part]) // 2
    swap = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + swap + parts[part][middle + 1 :]
    return ".".join(parts)


def twice(audience: str) -> str:
    """A claim that stands twice: the good one last."""
    good = jwt.decode(a_token(audience), options={"verify_signature": False})
    payload = b'{"aud": "https://elsewhere.example.org", ' + json.dumps(good).encode()[1:]
    return raw_token(payload, {"alg": "ES384", "typ": "JWT", "kid": "ab+c/d=="}, keys()["ES384"])


# Name: (the check that fails, how the token for an audience is made)
BAD: dict[str, tuple[str, Callable[[str], str]]] = {
    "not a token": ("form", lambda aud: "garbage"),
    "two parts": ("form", lambda aud: a_token(aud).rpartition(".")[0]),
    "five parts": ("form", lambda aud: a_token(aud) + ".a.b"),
    "no base64": ("form", lambda aud: "a!b." + a_token(aud).partition(".")[2]),
    "endless": ("too-long", lambda aud: a_token(aud, padding="x" * 4600)),
    "header no JSON": ("header", lambda aud: "bm90" + "." + a_token(aud).partition(".")[2]),
    "a claim twice": ("payload", twice),
    "none": ("signature-form", lambda aud: unsigned(aud, "none")),
    "None": ("signature-form", lambda aud: unsigned(aud, "None")),
    "NONE with a signature": ("algorithm", lambda aud: a_token(aud, headers={"alg": "NONE"})),
    "empty algorithm": ("algorithm", lambda aud: a_token(aud, headers={"alg": ""})),
    "algorithm no text": ("algorithm", lambda aud: a_token(aud, headers={"alg": None})),
    "HS256 with the public key": ("algorithm", lambda aud: hs(aud, "HS256", public_pem())),
    "HS384 with the public key": ("algorithm", lambda aud: hs(aud, "HS384", public_pem())),
    "HS512 with the public key": ("algorithm", lambda aud: hs(aud, "HS512", public_pem())),
    "RS256, not agreed": ("algorithm", lambda aud: a_token(aud, algorithm="RS256", kid=RSA_KID)),
    "EdDSA, not agreed": ("algorithm", lambda aud: a_token(aud, algorithm="EdDSA", kid=ED_KID)),
    "another key of that kind": ("signature", lambda aud: a_token(aud, key=keys()["other ES384"])),
    "another RSA key": (
        "signature",
        lambda aud: a_token(aud, algorithm="RS384", kid=RSA_KID, key=keys()["other RS384"]),
    ),
    "keys swapped": ("key-does-not-fit", lambda aud: a_token(aud, algorithm="RS384")),
    "the wrong curve": ("key-does-not-fit", lambda aud: a_token(aud, kid="p256")),
    "unknown key": ("unknown-key", lambda aud: a_token(aud, kid="nobody")),
    "no key named": ("key-id", lambda aud: a_token(aud, kid=None)),
    "key id no text": ("key-id", lambda aud: a_token(aud, headers={"kid": ["ab+c/d=="]})),
    "a key of its own": (
        "header-key",
        lambda aud: a_token(aud, key=keys()["other ES384"], headers={"jwk": public_jwk(keys()["other ES384"])}),
    ),
    "x5u": ("header-key", lambda aud: a_token(aud, headers={"x5u": "https://evil.example/c.pem"})),
    "x5c": ("header-key", lambda aud: a_token(aud, headers={"x5c": ["MIIB"]})),
    "crit": ("header-key", lambda aud: a_token(aud, headers={"crit": ["exp"]})),
    "jku, none agreed": ("key-set-address", lambda aud: a_token(aud, headers={"jku": JKU})),
    "another type": ("type", lambda aud: a_token(aud, headers={"typ": "at+jwt"})),
    "signature spoiled": ("signature", lambda aud: spoiled(aud, 2)),
    "unknown issuer": ("issuer", lambda aud: a_token(aud, iss="https://elsewhere.example.org")),
    "issuer with a slash more": ("issuer", lambda aud: a_token(aud, iss="https://ehr.example.org/fhir/")),
    "no issuer": ("issuer", lambda aud: a_token(aud, without=("iss",))),
    "issuer a list": ("issuer", lambda aud: a_token(aud, iss=["https://ehr.example.org/fhir"])),
    "for discovery or a call": ("audience", lambda aud: a_token(aud + "/x")),
    "for the base": ("audience", lambda aud: a_token(aud.partition("/cds-services")[0])),
    "for another host": ("audience", lambda aud: a_token("https://cds.example.com/cds-services")),
    "for nobody": ("audience-form", lambda aud: a_token(aud, without=("aud",))),
    "for an empty list": ("audience-form", lambda aud: a_token([])),
    "for numbers": ("audience-form", lambda aud: a_token([aud, 7])),
    "expired": ("expired", lambda aud: a_token(aud, iat=now() - 600, exp=now() - 61)),
    "never expires": ("expiry", lambda aud: a_token(aud, without=("exp",))),
    "expires in a word": ("expiry", lambda aud: a_token(aud, exp="tomorrow")),
    "expires at infinity": ("expiry", lambda aud: a_token(aud, exp=10**15)),
    "lasts a year": ("lifetime", lambda aud: a_token(aud, exp=now() + 365 * 86400)),
    "issued in the far future": ("issued-in-the-future", lambda aud: a_token(aud, iat=now() + 9000, exp=now() + 9300)),
    "not issued": ("issued-at", lambda aud: a_token(aud, without=("iat",))),
    "issued true": ("issued-at", lambda aud: a_token(aud, iat=True)),
    "expires before it begins": ("lifetime", lambda aud: a_token(aud, iat=now() + 50, exp=now() + 40)),
    "not yet valid": ("not-yet-valid", lambda aud: a_token(aud, nbf=now() + 120)),
    "no id": ("token-id", lambda aud: a_token(aud, without=("jti",))),
    "id a number": ("token-id", lambda aud: a_token(aud, jti=4711)),
    "id empty": ("token-id", lambda aud: a_token(aud, jti="")),
    "tenant a list": ("tenant", lambda aud: a_token(aud, tenant=["main"])),
}


def the_one_wording(closed: Closed) -> bytes:
    return requests.get(closed.base + "/cds-services", timeout=20).content


def assert_refused(closed: Closed, answer: requests.Response, check: str) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.content == the_one_wording_cached(closed)
    check_resource(answer.json())
    assert check in checks_of(closed)


_WORDING: dict[int, bytes] = {}


def the_one_wording_cached(closed: Closed) -> bytes:
    if closed.port not in _WORDING:
        _WORDING[closed.port] = the_one_wording(closed)
    return _WORDING[closed.port]


def checks_of(closed: Closed) -> list[str]:
    lines = [json.loads(line) for line in closed.log().splitlines()[-4:] if line.startswith("{")]
    return [line.get("check", "") for line in lines]


@pytest.mark.parametrize("name", BAD)
def test_a_token_that_must_not_count_is_refused_everywhere_in_one_wording(closed: Closed, name: str) -> None:
    check, make = BAD[name]
    assert_refused(closed, closed.ask(token=make(closed.base + SELECT)), check)
    assert_refused(closed, closed.ask(token=make(closed.base + SELECT), **LONG_WAY), check)
    assert_refused(closed, closed.ask(FEEDBACK, token=make(closed.base + FEEDBACK)), check)
    bearer = {"Authorization": f"Bearer {make(closed.base + '/cds-services')}"}
    assert_refused(closed, closed.get("/cds-services", headers=bearer), check)


@pytest.mark.parametrize(
    ("authorization", "check"),
    [(None, "no-token"), ("", "no-token"), ("Bearer", "form"), ("Basic dXNlcjpwdw==", "scheme"), ("Bearer ", "form")],
)
def test_without_a_token_nobody_is_answered(closed: Closed, authorization: str | None, check: str) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for way in ({}, LONG_WAY):
        assert_refused(closed, closed.post(SELECT, a_call(), **headers, **way), check)
    assert_refused(closed, closed.post(FEEDBACK, {}, **headers), check)
    assert_refused(closed, closed.get("/cds-services", headers=headers), check)
    closed.assert_good_call_is_answered()


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(lambda aud: a_token(aud), id="ES384, a key id with + / ="),
        pytest.param(lambda aud: a_token(aud, algorithm="RS384", kid=RSA_KID), id="RS384"),
        pytest.param(lambda aud: a_token(["https://elsewhere.example.org", aud]), id="one of several audiences"),
        pytest.param(lambda _: a_token("https://cds.example.org" + SELECT), id="the address before the proxy"),
        pytest.param(lambda aud: a_token("sand_man"), id="an audience agreed on"),
        pytest.param(lambda aud: a_token(aud + "/"), id="a slash at the end"),
        pytest.param(lambda aud: a_token(aud.replace("/cds-services/", "/cds-services//")), id="two slashes"),
        pytest.param(lambda aud: a_token(aud, headers={"typ": "jwt"}), id="type in small letters"),
        pytest.param(lambda aud: a_token(aud, nbf=now() - 300, exp=now() + 900), id="fifteen minutes, from five ago"),
        pytest.param(lambda aud: a_token(aud, iat=now() + 50, nbf=now() + 50), id="a clock that is fast"),
        pytest.param(lambda aud: a_token(aud, iat=now() - 350, exp=now() - 50), id="a clock that is slow"),
        pytest.param(lambda aud: a_token(aud, exp=now() + 300.5), id="parts of a second"),
        pytest.param(lambda aud: a_token(aud, sub="x", scope="y", unknown={"a": [1]}), id="claims of other standards"),
        pytest.param(lambda aud: a_token(aud, tenant="any"), id="a tenant, none listed"),
    ],
)
def test_a_good_token_counts_on_both_ways(closed: Closed, token: Callable[[str], str]) -> None:
    for way in ({}, LONG_WAY):
        answer = closed.ask(token=token(closed.base + SELECT), **way)
        assert answer.status_code == 200, (answer.text, checks_of(closed))
        assert answer.json()["cards"]


def test_a_token_for_one_service_does_not_open_another(closed: Closed) -> None:
    for path, audience in [(SELECT, SIGN), (SELECT, "/cds-services"), (FEEDBACK, SELECT), (SELECT, FEEDBACK)]:
        assert_refused(closed, closed.ask(path, token=a_token(closed.base + audience)), "audience")


def test_a_token_counts_once_whichever_address_worker_or_way(closed: Closed) -> None:
    token = a_token("sand_man")
    assert closed.ask(token=token).status_code == 200
    for _ in range(6):
        for way in ({}, LONG_WAY):
            assert_refused(closed, closed.ask(token=token, **way), "replay")
        assert_refused(closed, closed.ask(FEEDBACK, token=token), "replay")
        bearer = {"Authorization": f"Bearer {token}"}
        assert_refused(closed, closed.get("/cds-services", headers=bearer), "replay")


def test_discovery_and_feedback_are_answered_with_a_good_token(closed: Closed) -> None:
    bearer = {"Authorization": f"Bearer {a_token(closed.base + '/cds-services')}"}
    assert len(closed.get("/cds-services", headers=bearer).json()["services"]) == 2
    item = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-11-25T10:05:31Z"}
    assert closed.ask(FEEDBACK, {"feedback": [item]}).status_code == 200


def test_a_preflight_needs_no_token_and_names_registered_pages_only(closed: Closed) -> None:  # SEC-12
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Private_Network": "true"}
    allowed = closed.options(SELECT, Origin=PAGE, **asked)
    assert allowed.status_code == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == PAGE
    assert allowed.headers["Access-Control-Allow-Private-Network"] == "true"
    for origin in ("https://sandbox.cds-hooks.org", "null", PAGE + ".evil.example", PAGE + ":444"):
        refused = closed.options(SELECT, Origin=origin, **asked)
        assert not [name for name in refused.headers if name.lower().startswith("access-control-")]
        assert refused.headers["Vary"] == "Origin"


@pytest.mark.parametrize("way", [{}, LONG_WAY], ids=["short", "long"])
def test_errors_can_be_read_by_a_registered_page_and_another_page_is_forbidden(closed: Closed, way: Any) -> None:
    refused = closed.post(SELECT, a_call(), Origin=PAGE, **way)
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, PAGE)
    assert refused.headers["Vary"] == "Origin"
    stranger = closed.ask(Origin="https://elsewhere.example.org", **way)
    assert stranger.status_code == 403
    assert stranger.json()["issue"][0]["code"] == "forbidden"
    assert "Access-Control-Allow-Origin" not in stranger.headers
    assert closed.ask(Origin=PAGE, **way).headers["Access-Control-Allow-Origin"] == PAGE


def test_every_answer_tells_a_browser_to_show_frame_guess_and_keep_nothing(closed: Closed) -> None:
    answers = [
        closed.ask(),
        closed.ask(**LONG_WAY),
        closed.get("/health"),
        closed.get("/cds-services"),
        closed.get("/fhir/ValueSet?_summary=true"),
        closed.get("/openapi.json"),
        closed.get("/<script>"),
        closed.options(SELECT, Origin=PAGE),
    ]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in answer.headers  # nothing here came over https
