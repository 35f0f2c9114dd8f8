"""No access token is ever kept, however it stands in a request; everything else is, where that can be told apart."""

from __future__ import annotations

import json

import pytest

from cds_service.without_token import without_token
from fhir_mappings.access import NO_TOKEN, read_access

TOKEN = "canary-token-0123456789"
AUTHORIZATION = {"access_token": TOKEN, "token_type": "Bearer", "scope": 'a "quoted" } scope ', "expires_in": 300}
ACCESS = read_access(AUTHORIZATION)
CALL = {"hook": "order-select", "context": {"patientId": "é☃𝄞"}, "fhirAuthorization": AUTHORIZATION, "prefetch": {}}


def body(call: object, **how: object) -> bytes:
    return json.dumps(call, ensure_ascii=False, **how).encode()  # type: ignore[arg-type]


@pytest.mark.parametrize("how", [{}, {"indent": 2}, {"separators": (",", ":")}, {"sort_keys": True}])
def test_the_value_is_cut_out_and_every_other_byte_stays(how: dict[str, object]) -> None:
    kept, said = without_token(body(CALL, **how), ACCESS)
    assert said == "without token"
    assert kept == body({**CALL, "fhirAuthorization": None}, **how)


def test_a_call_without_a_token_is_kept_as_it_came() -> None:
    call = body({**CALL, "fhirAuthorization": None})
    assert without_token(call, NO_TOKEN) == (call, "as it came")


SPELT = {
    "escaped key": body(CALL).replace(b'"fhirAuthorization"', b'"fhirAuthorizatio\\u006e"'),
    "capital escapes": body(CALL).replace(b'"fhirAuthorization"', b'"\\u0066hirAuthorization"'),
    "the token again in an extension": body({**CALL, "extension": {"copy": TOKEN, "in text": f"Bearer {TOKEN}."}}),
    "the member again inside": body({**CALL, "extension": {"fhirAuthorization": AUTHORIZATION}}),
    "the token as another's value": body({**CALL, "prefetch": {"fhirAuthorization": {"x": AUTHORIZATION}}}),
    "a second, plain key beside an escaped one": body({"extension": {"fhirAuthorization": None}, **CALL})
    .replace(b'"fhirAuthorization": {', b'"fhirAuthorizatio\\u006e": {')
    .replace(b"canary", b"c\\u0061nary"),
    "the token again, escaped": body({**CALL, "extension": {"copy": TOKEN}}).replace(b'"canary-', b'"\\u0063anary-'),
    "alone under a key of its own": body({**CALL, "extension": {"access_token": "canary-of-another-server"}}),
}


@pytest.mark.parametrize("call", SPELT.values(), ids=SPELT)
def test_no_spelling_keeps_it(call: bytes) -> None:
    kept, said = without_token(call, ACCESS)
    assert said == "without token"
    assert b"canary" not in kept
    assert json.loads(kept)["context"] == CALL["context"]


ELSEWHERE = {
    "in the context": {"context": {**CALL["context"], "fhirAuthorization": AUTHORIZATION}},  # type: ignore[dict-item]
    "in an extension": {"extension": {"fhirAuthorization": AUTHORIZATION}},
    "with a capital": {"FhirAuthorization": AUTHORIZATION},
    "alone": {"extension": [{"access_token": TOKEN}]},
}


@pytest.mark.parametrize("more", ELSEWHERE.values(), ids=ELSEWHERE)
def test_one_that_stands_where_it_does_not_count_is_not_kept_either(more: dict[str, object]) -> None:
    kept, said = without_token(body({**CALL, "fhirAuthorization": None, **more}), NO_TOKEN)
    assert said == "without token"
    assert b"canary" not in kept
    assert json.loads(kept)["hook"] == CALL["hook"]


@pytest.mark.parametrize(
    "more", [{"note": "prior authorization, \\u0041 and access tokens"}, {"authorizationRequired": True}]
)
def test_a_call_that_only_speaks_of_authorization_is_kept_as_it_came(more: dict[str, object]) -> None:
    call = body({**CALL, "fhirAuthorization": None, **more})
    assert without_token(call, NO_TOKEN) == (call, "as it came")


def test_one_of_a_kind_that_is_not_used_is_taken_out_everywhere_too() -> None:
    other = {**AUTHORIZATION, "token_type": "MAC"}
    kept, _ = without_token(body({**CALL, "fhirAuthorization": other, "copy": TOKEN}), read_access(other))
    assert b"canary" not in kept


@pytest.mark.parametrize(
    "written", [rb"ca\/na+ry==", rb"ca/na\u002Bry==", rb"ca/na\u002bry==", rb"ca/na+ry\u003d\u003d"]
)
def test_one_is_found_again_as_encoders_write_it(written: bytes) -> None:
    authorization = {"access_token": "ca/na+ry=="}
    call = body({**CALL, "fhirAuthorization": authorization, "copy": "here"}).replace(b"here", written)
    kept, _ = without_token(call, read_access(authorization))
    assert json.loads(kept)["copy"] == "removed"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be", "utf-8-sig"])
def test_no_encoding_keeps_it(encoding: str) -> None:
    kept, said = without_token(body(CALL).decode().encode(encoding), None)
    assert said == "without token"
    assert b"canary" not in kept.replace(b"\0", b"")


BROKEN = {
    "in another encoding, cut off": body(CALL).decode().encode("utf-16-be")[:-5],
    "cut off": body(CALL)[:-3],
    "cut off in the token": body(CALL)[: body(CALL).index(TOKEN.encode()) + 6],
    "with an escaped key, cut off": SPELT["escaped key"][:-3],
    "text behind it": body(CALL) + b"x",
    "nested beyond reading": b'{"fhirAuthorization":{"access_token":"canary"},"x":' + b"[" * 100_000,
}


@pytest.mark.parametrize("call", BROKEN.values(), ids=BROKEN)
def test_what_is_no_json_and_may_hold_one_is_not_kept(call: bytes) -> None:
    assert without_token(call, None) == (b"", "not kept")


TWICE = {
    "the authorization": b'"fhirAuthorization": {"access_token": "canary-one"}, "fhirAuthorization": {"a": 1}',
    "the token": b'"fhirAuthorization": {"access_token": "canary-one", "access_token": "another-token"}',
    "a list of tokens": b'"fhirAuthorization": {"access_token": ["canary-one"]}',
}


@pytest.mark.parametrize("named", TWICE.values(), ids=TWICE)
@pytest.mark.parametrize("access", [None, ACCESS], ids=["refused", "taken"])
def test_of_two_under_one_key_neither_is_kept_elsewhere(named: bytes, access: object) -> None:
    call = b'{"hook": "order-select", "extension": {"copy": "Bearer canary-one"}, ' + named + b"}"
    kept, said = without_token(call, access)  # type: ignore[arg-type]
    assert said == "without token"
    assert b"canary" not in kept
    assert json.loads(kept)["hook"] == "order-select"


@pytest.mark.parametrize("call", [b"", b"{", b'{"hook": ', b"\xff", b"[]"])
def test_what_is_no_call_and_holds_none_is_kept_if_there_is_anything(call: bytes) -> None:
    assert without_token(call, None) == (call, "as it came" if call else "not kept")


def test_an_unusable_call_that_is_json_is_kept_without_it() -> None:
    kept, said = without_token(body({"hook": "order-select", "fhirAuthorization": AUTHORIZATION}), None)
    assert (json.loads(kept), said) == ({"hook": "order-select", "fhirAuthorization": None}, "without token")


@pytest.mark.parametrize("authorization", [TOKEN, {"access_token": ["canary"]}, ["canary-in-a-list"], 7])
def test_an_authorization_of_another_form_is_cut_out_too(authorization: object) -> None:
    kept, said = without_token(body({**CALL, "fhirAuthorization": authorization}), read_access(authorization))
    assert (json.loads(kept)["fhirAuthorization"], said) == (None, "without token")
    assert b"canary" not in kept


@pytest.mark.parametrize("length", [16_360, 16_384, 16_385, 40_000])
@pytest.mark.parametrize("value", ['{{"access_token":"{0}"}}', '"{0}"', "1.{1}"])
def test_a_value_is_cut_out_whole_however_long(value: str, length: int) -> None:
    authorization = value.format("canary-" + "a" * length, "0" * (length - 1)).encode()
    kept, said = without_token(b'{"fhirAuthorization":' + authorization + b',"hook":"order-select"}', ACCESS)
    assert (kept, said) == (b'{"fhirAuthorization":null,"hook":"order-select"}', "without token")
