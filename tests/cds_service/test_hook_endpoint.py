"""The short way of a usual hook call and the way through the web framework say the same, to the byte."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from flask import Flask

from audit_trail.record import DecisionRecord, Timings
from cds_service.app import create_app
from cds_service.chart_source import NOTHING_FETCHED
from cds_service.collaborators import Collaborators
from cds_service.settings import Settings
from tests.cds_service.kept_records import KeptRecords, recorder_to
from tests.cds_service.service_under_test import ORIGIN, SELECT, SIGN, a_call
from tests.clinic import usual_tools


class NoSource:
    """A chart source with a bug in it."""

    def gather(self, call: object, caller: object, deadline: object, reasons: object = ()) -> Any:
        raise ZeroDivisionError

    def with_reasons(self, call: Any, caller: object, deadline: object, reasons: object) -> Any:
        return call, NOTHING_FETCHED


def _environ(path: str, body: bytes, **more: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8090",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8090",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **more,
    }


def _answer(app: Flask, environ: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    heard: dict[str, Any] = {}
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], problem: object = None, /
    ) -> Callable[[bytes], object]:
        heard.update(status=status, headers=dict(headers))
        return written.append

    body = b"".join(app.wsgi_app(environ, start_response))
    return heard["status"], heard["headers"], body


NOW = datetime.now(UTC)


def _record(record: DecisionRecord) -> DecisionRecord:
    """But for what is another each time."""
    made_up = {} if record.outcome == "answered" else {"decision": ""}
    return msgspec.structs.replace(record, at=NOW, timings=Timings(), **made_up)


WRONG_PATIENT = {**a_call(), "prefetch": {"patient": {"resourceType": "Patient", "id": "somebody-else"}}}
CALLS = {
    "a call": (SELECT, a_call(), {}),
    "at signing": (SIGN, a_call(hook="order-sign"), {}),
    "another hook": (SELECT, a_call(hook="patient-view"), {}),
    "from a browser": (SELECT, a_call(), {"HTTP_ORIGIN": ORIGIN}),
    "from an unknown page": (SELECT, a_call(), {"HTTP_ORIGIN": "https://elsewhere.example.org"}),
    "no patient": (SELECT, a_call(prefetch={}), {}),
    "another patient": (SELECT, WRONG_PATIENT, {"HTTP_ORIGIN": ORIGIN}),
    "no draft orders": (SELECT, a_call(context={"patientId": "p", "userId": "Practitioner/1"}), {}),
    "no JSON": (SELECT, b'{"hook": ', {}),
    "no body": (SELECT, b"", {}),
    "a list": (SELECT, [], {}),
    "too large": (SELECT, b" " * (1024 * 1024 + 1), {}),
}


@pytest.mark.parametrize("name", CALLS)
def test_both_ways_give_the_same_answer_and_the_same_record(name: str) -> None:
    path, call, headers = CALLS[name]
    body = call if isinstance(call, bytes) else json.dumps(call).encode()
    kept = KeptRecords()
    app = create_app(Settings(max_body_mb=1), usual_tools(), recorder=recorder_to(kept))
    short = _answer(app, _environ(path, body, **headers))
    # A header that changes nothing and that the short way does not know.
    long = _answer(app, _environ(path, body, HTTP_CONTENT_ENCODING="identity", **headers))
    assert short[0].lower() == long[0].lower()
    assert short[2] == long[2]
    assert short[1] == long[1]
    one, other = kept.calls
    assert _record(one) == _record(other)


@pytest.mark.parametrize("headers", [{}, {"HTTP_CONTENT_ENCODING": "identity"}])
def test_a_defect_is_answered_and_recorded_as_one_on_both_ways(headers: dict[str, str]) -> None:
    usual, kept = usual_tools(), KeptRecords()
    tools = Collaborators(usual.settings, usual.terminology, usual.guidelines, NoSource())
    app = create_app(Settings(), tools, recorder=recorder_to(kept))
    status, _, body = _answer(app, _environ(SELECT, json.dumps(a_call()).encode(), **headers))
    assert status.startswith("500 ")
    assert b"not assessed" in body
    assert [(record.status, record.failure, "gather" in record.where) for record in kept.calls] == [
        (500, "ZeroDivisionError", True)
    ]


@pytest.mark.parametrize(
    "unusual",
    [
        {"REQUEST_METHOD": "GET"},
        {"REQUEST_METHOD": "OPTIONS"},
        {"CONTENT_TYPE": "text/plain"},
        {"CONTENT_TYPE": "application/json; charset=latin-1"},
        {"HTTP_CONTENT_ENCODING": "gzip"},
        {"HTTP_ACCEPT": "text/html"},
        {"PATH_INFO": "/cds-services/no-such-service"},
    ],
)
def test_what_is_unusual_goes_to_the_web_framework(unusual: dict[str, str]) -> None:
    app = create_app(Settings(), usual_tools(), recorder=recorder_to(KeptRecords()))
    status, _, _ = _answer(app, {**_environ(SELECT, b"{}"), **unusual})
    assert not status.startswith(("200", "422"))
