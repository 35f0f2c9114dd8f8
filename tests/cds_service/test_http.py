"""The HTTP face of the service, over a real socket: addresses, methods, bodies, errors, CORS."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import requests

from cds_service.output_check import check_resource, empties
from cds_service.schemas import validator
from tests.cds_service.service_under_test import ORIGIN, SELECT, SIGN, Address, a_call

Json = dict[str, Any]


def assert_outcome(answer: requests.Response, status: int, code: str = "") -> Json:
    """A non-2xx answer is a valid OperationOutcome that a caller can act on: RESP-3, JSON-1, JSON-2."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("application/json")
    body: Json = answer.json()
    check_resource(body)
    assert body["resourceType"] == "OperationOutcome"
    assert not list(empties(body))
    for issue in body["issue"]:
        assert issue["severity"] in ("error", "fatal")
        assert issue["diagnostics"]
    if code:
        assert body["issue"][0]["code"] == code
    return body


def assert_answer(answer: requests.Response) -> Json:
    """Success: RESP-1, JSON-1, JSON-3 (no null), JSON-4 (nothing empty), JSON-5 (left out instead)."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    body: Json = json.loads(answer.content)  # JSON-6: no comments, no trailing commas
    assert [error.json_path for error in validator("response").iter_errors(body)] == []
    assert list(empties(body)) == []
    return body


# --- discovery ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/", "//cds-services", "/cds-services//"])
def test_discovery_answers_at_its_one_address(service: Address, path: str) -> None:  # DISC-1, DISC-2, DISC-11
    answer = requests.get(service.base + path, timeout=20, allow_redirects=False)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert [error.json_path for error in validator("discovery").iter_errors(answer.json())] == []
    assert list(empties(answer.json())) == []


def test_discovery_answers_head(service: Address) -> None:  # DISC-1
    answer = requests.head(service.base + "/cds-services", timeout=20)
    assert (answer.status_code, answer.content) == (200, b"")


def test_every_service_on_offer_answers_a_call(service: Address) -> None:  # DISC-6
    offered = service.get("/cds-services").json()["services"]
    assert len(offered) == 2
    for each in offered:
        assert_answer(service.post(f"/cds-services/{each['id']}", a_call(hook=each["hook"])))


def test_health_says_what_is_loaded(service: Address) -> None:
    body = service.get("/health").json()
    assert body["status"] == "ok"
    assert body["mode"] == "open"
    assert body["terminology"]
    assert list(empties(body)) == []


# --- addresses, methods, media types --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        SELECT + "/",
        SELECT.replace("/cds-services/", "/cds-services//"),
        "/" + SELECT,
        SELECT.replace("/cds-services/", "/cds-services//") + "//",
    ],
)
def test_slashes_too_many_are_forgiven(service: Address, path: str) -> None:  # CALL-1
    assert assert_answer(service.post(path, a_call()))["cards"]


@pytest.mark.parametrize("path", ["/", "/cds-services/another", "/cds-services/another/feedback", "/favicon.ico"])
def test_an_unknown_address_is_a_404(service: Address, path: str) -> None:  # RESP-3, RESP-6, FB-1
    assert_outcome(service.post(path, a_call()), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("POST", "/cds-services", "GET"), ("GET", SELECT, "POST"), ("PUT", SELECT, "POST"), ("DELETE", SELECT, "POST")],
)
def test_another_method_is_a_405_that_names_the_right_one(
    service: Address, method: str, path: str, allowed: str
) -> None:  # DISC-1, RESP-6
    answer = requests.request(method, service.base + path, json=a_call(), timeout=20)
    assert_outcome(answer, 405, "not-supported")
    assert allowed in answer.headers["Allow"].split(", ")


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/*", "text/html, application/json;q=0.5"])
def test_callers_that_accept_json_get_it(service: Address, accept: str) -> None:
    assert_answer(service.post(SELECT, a_call(), Accept=accept))


def test_a_caller_that_accepts_no_json_gets_a_406(service: Address) -> None:  # RESP-6
    assert_outcome(service.post(SELECT, a_call(), Accept="text/html"), 406, "not-supported")


@pytest.mark.parametrize(
    "sent_as",
    ["application/json", "application/json; charset=utf-8", 'application/json;charset="UTF-8"', "APPLICATION/JSON",
     "application/fhir+json"],
)  # fmt: skip
def test_json_is_read_with_and_without_charset(service: Address, sent_as: str) -> None:  # CALL-1
    assert_answer(service.post(SELECT, a_call(), Content_Type=sent_as))


@pytest.mark.parametrize(
    "sent_as", ["text/plain", "text/html", "application/xml", "application/json; charset=iso-8859-1", ""]
)
def test_what_is_not_sent_as_json_is_a_415(service: Address, sent_as: str) -> None:  # RESP-3
    assert_outcome(service.post(SELECT, a_call(), Content_Type=sent_as), 415, "not-supported")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_compressed_body_is_refused_unread(service: Address, encoding: str) -> None:
    bomb = gzip.compress(b"[" * 50_000_000)
    assert_outcome(service.post(SELECT, bomb, Content_Encoding=encoding), 415, "not-supported")


def test_a_body_over_the_limit_is_a_413(service: Address) -> None:  # RESP-3
    padding = {"padding": "x" * (1024 * 1024)}
    assert_outcome(service.post(SELECT, a_call(extension=padding)), 413, "too-long")


def test_a_chunked_body_over_the_limit_is_a_413(service: Address) -> None:
    def chunks() -> Any:
        yield b'{"hook":"order-select","x":"'
        for _ in range(40):
            yield b"x" * 65536
        yield b'"}'

    answer = requests.post(
        service.base + SELECT, data=chunks(), headers={"Content-Type": "application/json"}, timeout=20
    )
    assert answer.status_code in (400, 413)
    assert answer.json()["resourceType"] == "OperationOutcome"


# --- bodies that cannot be read --------------------------------------------------------------------------------------

MALFORMED = {
    "empty": b"",
    "not-json": b"hook=order-select",
    "cut-off": b'{"hook": "order-select", "context": {',
    "trailing-comma": b'{"hook": "order-select",}',
    "trailing-text": b"{} {}",
    "comment": b'{"hook": "order-select" /* x */}',
    "nan": b'{"hook": "order-select", "x": NaN}',
    "infinity": b'{"hook": "order-select", "x": [Infinity]}',
    "not-utf-8": b'{"hook": "order-select", "x": "\xff\xfe"}',
    "not-utf-8-key": b'{"hook": "order-select", "\xff": 1}',
    "utf-16": '{"hook": "order-select"}'.encode("utf-16"),
    "control-character": b'{"hook": "order\x01select"}',
    "too-deep": b'{"hook": "order-select", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "too-deep-prefetch": b'{"hook":"order-select","prefetch":{"x":'
    + b'{"a":' * 100_000
    + b"1"
    + b"}" * 100_000
    + b"}}",
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in MALFORMED.items()])
def test_what_is_not_json_is_a_400(service: Address, body: bytes) -> None:  # PX-4, RESP-3
    assert_outcome(service.post(SELECT, body), 400, "structure")


def doubled(call: Json, *path: str) -> bytes:
    """The call with one member written twice, the second time as a copy."""
    text = json.dumps(call)
    member = call
    for step in path[:-1]:
        member = member[step]
    written = f"{json.dumps(path[-1])}: {json.dumps(member[path[-1]])}"
    assert written in text
    return text.replace(written, f"{written}, {written}", 1).encode()


@pytest.mark.parametrize(
    "path",
    [
        ("hook",),
        ("hookInstance",),
        ("context",),
        ("prefetch",),
        ("context", "patientId"),
        ("context", "userId"),
        ("context", "selections"),
        ("context", "draftOrders"),
        ("prefetch", "patient"),
        ("prefetch", "conditions"),
    ],
    ids=".".join,
)
def test_a_key_written_twice_is_a_400(service: Address, path: tuple[str, ...]) -> None:  # PX-4
    assert_outcome(service.post(SELECT, doubled(a_call(), *path)), 400, "structure")


def test_two_meanings_of_one_key_are_a_400_whichever_comes_last(service: Address) -> None:
    text = json.dumps(a_call())
    for twice in (
        text.replace('"patientId": "', '"patientId": "other", "patientId": "', 1),
        text[:-1] + ', "hookInstance": "another"}',
        text[:-1] + ', "prefetch": {"conditions": {"resourceType": "Bundle", "type": "searchset"}}}',
        text[:-1] + ', "context": {}}',
    ):
        assert_outcome(service.post(SELECT, twice.encode()), 400, "structure")


# --- envelopes that cannot be used ------------------------------------------------------------------------------------


def without(call: Json, *path: str) -> Json:
    """A copy of the call without one member."""
    copy: Json = json.loads(json.dumps(call))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return copy


def with_member(value: object, *path: str) -> Json:
    """A call with one member set to something else."""
    copy: Json = json.loads(json.dumps(a_call()))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copy


UNUSABLE: dict[str, object] = {
    "array": [],
    "null": None,
    "text": "order-select",
    "empty-object": {},
    "no-hook": without(a_call(), "hook"),
    "no-hook-instance": without(a_call(), "hookInstance"),
    "no-context": without(a_call(), "context"),
    "no-patient-id": without(a_call(), "context", "patientId"),
    "no-draft-orders": without(a_call(), "context", "draftOrders"),
    "hook-number": with_member(1, "hook"),
    "hook-instance-null": with_member(None, "hookInstance"),
    "hook-instance-empty": with_member("", "hookInstance"),
    "context-array": with_member([], "context"),
    "patient-id-number": with_member(7, "context", "patientId"),
    "patient-id-empty": with_member("", "context", "patientId"),
    "patient-id-object": with_member({"id": "1"}, "context", "patientId"),
    "draft-orders-array": with_member([], "context", "draftOrders"),
    "draft-orders-text": with_member("Bundle", "context", "draftOrders"),
    "draft-orders-null": with_member(None, "context", "draftOrders"),
    "selections-text": with_member("ServiceRequest/1", "context", "selections"),
    "selections-numbers": with_member([1], "context", "selections"),
    "user-id-number": with_member(1, "context", "userId"),
    "prefetch-array": with_member([], "prefetch"),
    "prefetch-text": with_member("none", "prefetch"),
}


@pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in UNUSABLE.items()])
def test_an_envelope_that_cannot_be_used_is_a_422_that_names_the_place(
    service: Address, call: object
) -> None:  # PX-4, RESP-3
    assert_outcome(service.post(SELECT, call), 422, "invalid")


def test_an_error_repeats_nothing_of_the_call(service: Address) -> None:  # RESP-3
    secret = "Zoë Canary 1950-01-01 MRN-4711"
    for body, path in [
        (with_member({"x": secret}, "context", "patientId"), SELECT),
        (with_member([secret], "prefetch"), SELECT),
        (with_member(secret, "context", "draftOrders"), SELECT),
        (a_call(), f"/cds-services/{secret}"),
        ({"feedback": [{"card": secret, "outcome": secret}]}, SELECT + "/feedback"),
        (b'{"' + secret.encode() + b'": ', SELECT),
    ]:
        answer = service.post(path, body)
        assert answer.status_code >= 400
        assert "Canary" not in answer.text
        assert "4711" not in answer.text


# --- CORS -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/cds-services",
        "/cds-services/",
        SELECT,
        SIGN,
        SELECT + "/feedback",
        "/cds-services//x",
        "/cds-services/no-such",
    ],
)
def test_every_cds_address_answers_a_preflight_without_a_caller_check(
    service: Address, path: str
) -> None:  # SEC-12, DISC-1
    answer = service.options(
        path,
        Origin=ORIGIN,
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="authorization,content-type",
    )
    assert 200 <= answer.status_code < 300
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"GET", "POST", "OPTIONS"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert {"Authorization", "Content-Type"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert answer.headers["Access-Control-Max-Age"] == "600"
    assert "Origin" in answer.headers["Vary"]


def test_a_preflight_from_elsewhere_gets_no_permission(service: Address) -> None:  # SEC-12
    answer = service.options(SELECT, Origin="https://elsewhere.example", Access_Control_Request_Method="POST")
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_answers_and_errors_alike_can_be_read_by_an_allowed_page(service: Address) -> None:  # SEC-12
    for answer, status in [
        (service.get("/cds-services", headers={"Origin": ORIGIN}), 200),
        (service.post(SELECT, a_call(), Origin=ORIGIN), 200),
        (service.post(SELECT, b"{", Origin=ORIGIN), 400),
        (service.post("/cds-services/no-such", a_call(), Origin=ORIGIN), 404),
        (service.get(SELECT, headers={"Origin": ORIGIN}), 405),
        (service.post(SELECT, a_call(), Origin=ORIGIN, Content_Type="text/plain"), 415),
        (service.post(SELECT, {}, Origin=ORIGIN), 422),
    ]:
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers


# --- feedback ---------------------------------------------------------------------------------------------------------

ACCEPTED = {
    "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}],
    "outcomeTimestamp": "2026-11-25T10:05:31Z",
}


def test_feedback_is_taken_once_and_again(service: Address) -> None:  # FB-1, FB-4
    for _ in range(2):
        answer = service.post(SELECT + "/feedback", {"feedback": [ACCEPTED, ACCEPTED]}, Origin=ORIGIN)
        assert answer.status_code == 200
        check_resource(answer.json())
        assert answer.json()["issue"][0]["diagnostics"] == "counted: 2 accepted, 0 overridden"
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_broken_feedback_is_a_400_that_names_the_item(service: Address) -> None:  # FB-2, FB-3
    broken = {**ACCEPTED, "acceptedSuggestions": []}
    body = assert_outcome(service.post(SELECT + "/feedback", {"feedback": [ACCEPTED, broken]}), 400, "invalid")
    assert "feedback[1].acceptedSuggestions" in body["issue"][0]["diagnostics"]
