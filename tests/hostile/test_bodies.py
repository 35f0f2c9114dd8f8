"""Bodies that must not be judged: each gets its status, an outcome that repeats nothing, and harms no later call."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from cds_service.output_check import check_resource
from cds_service.service_catalogue import SERVICES
from tests.cds_service.service_under_test import SELECT, a_call
from tests.cds_service.test_http import MALFORMED, UNUSABLE, doubled
from tests.hostile.registered import FEEDBACK, Closed, a_token

CANARY = "Zoe-Canary-MRN-4711"
WAYS = pytest.mark.parametrize("way", [{}, {"Content_Encoding": "identity"}], ids=["short", "long"])


def assert_refused(closed: Closed, answer: requests.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    check_resource(body)
    assert len(body["issue"][0]["diagnostics"]) > 15  # it says what is wrong and what was expected
    assert "Canary" not in answer.text
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    assert "Canary" not in closed.log()
    closed.assert_good_call_is_answered()


def put(place: str, value: str) -> bytes:
    """A call with raw JSON text at a place of the envelope or the context."""
    call = a_call(extension={"note": CANARY})
    if place == "context":
        call["context"]["here"] = "@@"
    elif place == "draft":
        call["context"]["draftOrders"]["entry"][0]["resource"]["here"] = "@@"
    else:
        call["here"] = "@@"
    return json.dumps(call).replace('"@@"', value).encode()


NOT_JSON = {
    **MALFORMED,
    "negative infinity": put("context", "-Infinity"),
    "NaN in a draft order": put("draft", "NaN"),
    "a float without end": put("draft", "1e999"),
    "a whole number without end": put("context", "9" * 5000),
    "a key twice in a draft order": put("draft", '{"a": 1, "a": 2}'),
    "too deep in the context": put("context", "[" * 100 + "]" * 100),
    "too deep in a draft order": put("draft", '{"a":' * 100 + "1" + "}" * 100),
    "half a character": json.dumps(a_call(hookInstance="\ud800")).encode(),
    "a key twice, written in two ways": json.dumps(a_call())
    .replace('"hook":', '"\\u0068ook": "x", "hook":', 1)
    .encode(),
    "a key twice in the context": doubled(a_call(), "context", "patientId"),
    "a byte order mark and nothing": b"\xef\xbb\xbf",
}


@WAYS
@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_no_json_or_means_two_things_is_a_400(closed: Closed, name: str, way: Any) -> None:
    assert_refused(closed, closed.ask(body=NOT_JSON[name], **way), 400)


def someone_else() -> dict[str, Any]:
    return {**a_call()["prefetch"]["patient"], "id": "somebody-else", "name": [{"family": CANARY}]}


NOT_USABLE = {
    **UNUSABLE,
    "another patient": a_call(prefetch={**a_call()["prefetch"], "patient": someone_else()}),
    "a hook without end": a_call(hook=CANARY * 100),
    "an instance without end": a_call(hookInstance="x" * 5000),
}


@WAYS
@pytest.mark.parametrize("name", NOT_USABLE)
def test_a_call_that_cannot_be_used_is_a_422(closed: Closed, name: str, way: Any) -> None:
    assert_refused(closed, closed.ask(body=json.dumps(NOT_USABLE[name]).encode(), **way), 422)


def many(count: int) -> dict[str, Any]:
    call = a_call()
    entry = {"resource": {"resourceType": "Condition", "code": {"text": CANARY}}}
    call["prefetch"]["conditions"] = {"resourceType": "Bundle", "type": "searchset", "entry": [entry] * count}
    return call


def with_codings(count: int) -> dict[str, Any]:
    call = a_call()
    order = call["context"]["draftOrders"]["entry"][0]["resource"]
    order["reasonCode"] = [{"coding": [{"system": "urn:x", "code": f"{CANARY}{number}"} for number in range(count)]}]
    return call


def with_drafts(count: int) -> dict[str, Any]:
    call = a_call()
    bundle = call["context"]["draftOrders"]
    bundle["entry"] = [{"resource": {"resourceType": "Task", "id": str(number)}} for number in range(count)]
    return call


TOO_MUCH = {
    "too large": b'{"x": "' + b" " * (1024 * 1024) + b'"}',
    "too many resources": many(400),
    "too many codings in a reason": with_codings(200),
    "too many draft orders": with_drafts(301),
    "far too many draft orders": with_drafts(2000),
}


@WAYS
@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_call_that_holds_too_much_is_a_413_and_never_cut(closed: Closed, name: str, way: Any) -> None:
    body = TOO_MUCH[name]
    assert_refused(closed, closed.ask(body=body if isinstance(body, bytes) else json.dumps(body).encode(), **way), 413)


def test_as_much_as_is_allowed_is_read(closed: Closed) -> None:
    for call in (many(250), with_codings(100)):
        assert closed.ask(body=call).json()["cards"]


def test_a_chunked_body_is_held_to_the_same_limit(closed: Closed) -> None:
    def chunks() -> Any:
        yield json.dumps(a_call()).encode()  # a whole call, if the rest were left unread
        for _ in range(40):
            yield b" " * 65536

    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {a_token(closed.base + SELECT)}"}
    answer = requests.post(closed.base + SELECT, data=chunks(), headers=headers, timeout=20)
    assert_refused(closed, answer, 413)


@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (415, "POST", SELECT, {"Content-Type": "text/plain"}),
        (415, "POST", SELECT, {"Content-Type": "application/x-www-form-urlencoded"}),
        (415, "POST", SELECT, {"Content-Type": f"multipart/form-data; boundary={CANARY}"}),
        (415, "POST", SELECT, {"Content-Type": "application/json; charset=utf-7"}),
        (415, "POST", FEEDBACK, {"Content-Type": "text/xml"}),
        (405, "GET", SELECT, {}),
        (405, "PUT", SELECT, {}),
        (405, "TRACE", SELECT, {}),
        (405, "POST", "/cds-services", {}),
        (405, "DELETE", "/health", {}),
        (406, "POST", SELECT, {"Accept": "text/html"}),
        (406, "GET", "/cds-services", {"Accept": "application/xml"}),
        (404, "POST", "/cds-services/" + CANARY, {}),
        (404, "POST", "/cds-services/../../etc/passwd", {}),
        (404, "POST", "/cds-services/%2e%2e/health", {}),
        (404, "GET", "/" + CANARY, {}),
        (404, "POST", SELECT + "/feedback/" + CANARY, {}),
        (404, "GET", "/fhir/ValueSet/" + CANARY, {}),
    ],
)
def test_the_wrong_type_method_or_path(
    closed: Closed, status: int, method: str, path: str, headers: dict[str, str]
) -> None:
    named = {"Content-Type": "application/json", "Authorization": f"Bearer {a_token(closed.base + path)}", **headers}
    answer = requests.request(method, closed.base + path, data=b"{}", headers=named, timeout=20)
    assert_refused(closed, answer, status)


BROKEN_FEEDBACK: dict[str, object] = {
    "no JSON": b"{",
    "a key twice": b'{"feedback": [], "feedback": []}',
    "NaN": b'{"feedback": [NaN]}',
    "a number without end": b'{"feedback": [' + b"9" * 6000 + b"]}",
    "a float without end": b'{"feedback": [1e999]}',
    "too deep": b"[" * 200_000,
    "no list": {"feedback": {"card": CANARY}},
    "an empty list": {"feedback": []},
    "an item that is none": {"feedback": [CANARY]},
    "an outcome unheard of": {"feedback": [{"card": CANARY, "outcome": CANARY, "outcomeTimestamp": CANARY}]},
    "accepted without what": {"feedback": [{"card": "x", "outcome": "accepted", "outcomeTimestamp": "2026-11-25"}]},
    "half a character": b'{"feedback": [{"card": "\\ud800", "outcome": "overridden"}]}',
}


@pytest.mark.parametrize("name", BROKEN_FEEDBACK)
def test_feedback_that_breaks_the_specification_is_a_400(closed: Closed, name: str) -> None:  # FB-2, FB-3
    body = BROKEN_FEEDBACK[name]
    token = a_token(closed.base + FEEDBACK)
    assert_refused(closed, closed.ask(FEEDBACK, body, token), 400)


@pytest.mark.parametrize("service", [service.id for service in SERVICES])
def test_log_lines_cannot_be_forged(closed: Closed, service: str) -> None:
    forged = '\n{"level":"error","event":"forged"}\r\n\x1b[31m'
    path = f"/cds-services/{service}"
    call = a_call(hook=forged, hookInstance=forged)
    call["prefetch"]["conditions"] = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": forged}],
    }
    for answer in (
        closed.ask(path, call),
        closed.ask(path, call, User_Agent="x forged", X_Request_Id="forged", Referer="http://forged.example"),
        closed.ask(path, token=a_token(closed.base + path, iss=forged, jti=forged)),
        closed.ask(path, token=a_token(closed.base + path, jti=forged)),
        closed.get("/%0a%7b%22event%22:%22forged%22%7d"),
        closed.get("/cds-services?forged=%0aforged"),
    ):
        assert answer.status_code in (200, 401, 404)
    assert "forged" not in closed.log()
    for line in closed.log().splitlines():
        if line.startswith("{"):
            json.loads(line)
