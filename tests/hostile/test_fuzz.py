"""Calls made up by the thousand: from the published description of the interface, from damaged calls, from any bytes.

Whatever comes, the answer has one of the documented statuses and shapes, and a good call after it is answered.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cds_service.openapi import openapi_document
from cds_service.schemas import validator
from cds_service.settings import Settings
from tests.cds_service.service_under_test import SELECT, SIGN, Address, a_call, running
from tests.hostile.registered import FEEDBACK

SEEN: dict[tuple[str, str], set[int]] = defaultdict(set)
DESCRIPTION = schemathesis.openapi.from_dict(json.loads(openapi_document()))
LIMITS = Settings(log_level="error", validate_output=True, max_body_mb=1, max_resources=300)


@pytest.fixture(scope="module")
def service() -> Iterator[Address]:
    """Open, so that what is made up gets past the door; every answer is checked before it is sent."""
    with running(LIMITS) as address:
        yield address


def assert_a_good_call_is_answered(service: Address) -> None:
    answer = service.post(SELECT, a_call())
    assert answer.status_code == 200
    assert answer.json()["cards"][0]["indicator"] == "warning"


def assert_documented(answer: requests.Response) -> None:
    assert answer.status_code in (200, 400, 404, 405, 406, 412, 413, 415, 422), answer.text
    body = answer.json()
    if answer.status_code == 200 and "cards" in body:
        assert [error.json_path for error in validator("response").iter_errors(body)] == []
    else:
        assert body["resourceType"] == "OperationOutcome"
        assert body["issue"][0]["diagnostics"]


def test_the_description_is_published_and_holds_the_schemas_in_use(service: Address) -> None:
    published = service.get("/openapi.json").json()
    assert published == json.loads(openapi_document())
    assert set(published["paths"]) >= {"/cds-services", SELECT, FEEDBACK, "/health"}
    for name, component in published["components"]["schemas"].items():
        Draft202012Validator.check_schema(component)
        assert component, name


@DESCRIPTION.parametrize()
@settings(max_examples=40, deadline=None)
def test_calls_made_up_from_the_description_get_described_answers(case: schemathesis.Case, service: Address) -> None:
    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    case.headers.pop("Authorization", None)  # open mode wants none, and takes no made-up ones
    answer = case.call_and_validate(base_url=service.base, checks=checks, timeout=20)
    SEEN[case.method, case.path].add(answer.status_code)


def test_the_calls_made_up_got_past_the_door() -> None:
    assert not any(401 in statuses for statuses in SEEN.values()), SEEN
    for key in (("GET", "/cds-services"), ("GET", "/health"), ("POST", FEEDBACK)):
        assert 200 in SEEN[key], SEEN
    for path in (SELECT, SIGN):
        assert SEEN["POST", path] & {200, 412, 422}, SEEN  # read, and answered or refused for what it says


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every part of a JSON value."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from places(inner, (*path, place))


PLACES = [path for path in places(a_call()) if path]


def changed(path: tuple[Any, ...], value: object) -> dict[str, Any]:
    call: Any = json.loads(json.dumps(a_call()))
    inner = call
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    changed_call: dict[str, Any] = call
    return changed_call


@settings(max_examples=150)
@given(path=st.sampled_from(PLACES), value=JSON)
def test_any_value_in_any_place_of_a_call_gets_a_documented_answer(service: Address, path: Any, value: Any) -> None:
    assert_documented(service.post(SELECT, json.dumps(changed(path, value)).encode()))


@settings(max_examples=60)
@given(body=st.binary(max_size=300), path=st.sampled_from([SELECT, FEEDBACK]))
def test_any_bytes_get_a_documented_answer(service: Address, body: bytes, path: str) -> None:
    assert_documented(service.post(path, body))
    assert_documented(service.post(path, body, Content_Encoding="identity"))


@settings(max_examples=60)
@given(start=st.integers(0, 4000), length=st.integers(0, 20), noise=st.binary(max_size=20))
def test_a_call_with_some_bytes_changed_gets_a_documented_answer(
    service: Address, start: int, length: int, noise: bytes
) -> None:
    body = json.dumps(a_call()).encode()
    place = start % len(body)
    assert_documented(service.post(SELECT, body[:place] + noise + body[place + length :]))


@settings(max_examples=60)
@given(report=JSON, item=JSON)
def test_any_feedback_gets_a_documented_answer(service: Address, report: Any, item: Any) -> None:
    for body in (report, {"feedback": report}, {"feedback": [item, item]}):
        assert_documented(service.post(FEEDBACK, json.dumps(body).encode()))


def test_after_all_that_a_good_call_is_answered(service: Address) -> None:
    assert_a_good_call_is_answered(service)
