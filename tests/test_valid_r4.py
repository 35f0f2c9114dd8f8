"""Every distinct shape of resource that is sent is valid R4: model, HL7's JSON schema, bindings, invariants."""

from __future__ import annotations

import copy
import inspect
import json
import tarfile
from typing import Any

import pytest

from cds_service.errors import CallFailed, operation_outcome
from cds_service.output_check import resources
from tests.acr_grid import acr_cells
from tests.case_reader import read_cases
from tests.clinic import ask_case
from tests.r4_rules import schema_is_left_out, wrong_with
from tools.r4_schema import OPT_OUT, PLACE, CannotFetch, keep

Json = dict[str, Any]


def _shape(value: Any) -> Any:
    """Members without their texts: two orders that differ in wording only are one shape."""
    if isinstance(value, dict):
        return tuple(sorted((key, _shape(each)) for key, each in value.items()))
    if isinstance(value, list):
        return tuple(_shape(each) for each in value)
    return type(value).__name__


def _distinct() -> dict[Any, Json]:
    found: dict[Any, Json] = {}
    for case in (*read_cases(), *acr_cells()):
        if case.expect.get("status", 200) == 200:
            for _, resource in resources(ask_case(case).body):
                found.setdefault(_shape(resource), resource)
    return found


def test_the_schema_is_there_unless_it_was_left_out_on_purpose():
    assert PLACE.exists() or schema_is_left_out(), f"run `make test`, or say {OPT_OUT}=1"


def test_every_distinct_order_that_is_sent_is_valid():
    shapes = _distinct()
    assert len(shapes) > 20
    for resource in shapes.values():
        assert wrong_with(resource) == []


MADE_OF: dict[str, Any] = {
    "diagnostics": "what was expected, and where",
    "allowed": ("POST",),
    "http_status": 418,
    "check": "signature",
    "seconds": 3,
    "client": "a clinic",
}


def _failures() -> list[CallFailed]:
    """One of each kind, whatever else it is made of."""
    made = []
    for kind in CallFailed.__subclasses__():
        parameters = inspect.signature(kind).parameters.values()
        needed = [each.name for each in parameters if each.default is each.empty]
        made.append(kind(**{name: MADE_OF[name] for name in needed}))
    return made


@pytest.mark.parametrize("failure", _failures(), ids=lambda failure: type(failure).__name__)
def test_every_operation_outcome_is_valid(failure):
    assert wrong_with(json.loads(operation_outcome(failure))) == []


GOOD = {
    "resourceType": "ServiceRequest",
    "id": "a",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/1"},
    "code": {"text": "a study"},
}
SPOILT = [
    ("a status out of its value set", {"status": "drafted"}, "ServiceRequest.status"),
    ("a priority out of its value set", {"priority": "now"}, "ServiceRequest.priority"),
    ("details of no code", {"code": None, "orderDetail": [{"text": "x"}]}, "prr-1"),
    ("an extension without a value", {"extension": [{"url": "http://example.org/x"}]}, "ext-1"),
    ("a local reference to nothing", {"supportingInfo": [{"reference": "#gone"}]}, "ref-1"),
]


@pytest.mark.parametrize(("change", "named"), [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT])
def test_the_check_itself_finds_what_is_wrong(change, named):
    spoilt = {key: value for key, value in {**copy.deepcopy(GOOD), **change}.items() if value is not None}
    assert wrong_with(GOOD) == []
    assert any(named in each for each in wrong_with(spoilt))


def test_an_archive_that_was_not_reviewed_is_refused(tmp_path):
    archive = tmp_path / "package.tgz"
    with tarfile.open(archive, "w:gz") as files:
        files.add(__file__, "package/fhir.schema.json")
    with pytest.raises(CannotFetch, match="digest"):
        keep(archive, tmp_path / "schema.json")
    assert not (tmp_path / "schema.json").exists()
