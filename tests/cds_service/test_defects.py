"""A defect looks like one: an OperationOutcome and a log line, never an empty card list."""

from __future__ import annotations

import json

import pytest

from cds_service.app import create_app
from cds_service.chart_source import NOTHING_FETCHED, FetchRecord, Gathered
from cds_service.collaborators import Collaborators
from cds_service.deadline import Deadline
from cds_service.output_check import InvalidOutput, check_answer, empties
from cds_service.settings import Settings
from cds_service.trust import Caller
from fhir_mappings.decode import HookCall
from tests.cds_service.service_under_test import ORIGIN, SELECT, a_call
from tests.clinic import usual_tools


class BrokenSource:
    """A chart source with a bug in it, whose message holds what no answer and no log may hold."""

    def gather(self, call: HookCall, caller: Caller, deadline: Deadline, reasons: tuple[str, ...] = ()) -> Gathered:
        raise KeyError("Canary, 1950-01-01")

    def with_reasons(
        self, call: HookCall, caller: Caller, deadline: Deadline, reasons: tuple[str, ...]
    ) -> tuple[HookCall, FetchRecord]:
        return call, NOTHING_FETCHED


def test_a_defect_is_a_500_that_says_the_order_was_not_assessed(capfd: pytest.CaptureFixture[str]) -> None:
    usual = usual_tools()
    tools = Collaborators(usual.settings, usual.terminology, usual.guidelines, BrokenSource())
    client = create_app(Settings(), tools).test_client()
    answer = client.post(SELECT, json=a_call(), headers={"Origin": ORIGIN})
    assert answer.status_code == 500
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    body = json.loads(answer.data)
    assert body["resourceType"] == "OperationOutcome"
    assert body["issue"][0]["severity"] == "fatal"
    assert "not assessed" in body["issue"][0]["diagnostics"]
    assert "cards" not in body
    log = capfd.readouterr().out
    assert "Canary" not in log + answer.text
    line = json.loads(log)
    assert (line["level"], line["status"], line["failure"]) == ("error", 500, "KeyError")
    assert "gather" in line["where"]


SOUND = {
    "cards": [
        {
            "uuid": "5f0c1d34-8a55-4a5e-9e8a-3a3d3f7b7a01",
            "summary": "s",
            "indicator": "info",
            "source": {"label": "l"},
            "suggestions": [
                {
                    "label": "Cancel",
                    "uuid": "u",
                    "actions": [{"type": "delete", "description": "d", "resourceId": "ServiceRequest/1"}],
                }
            ],
            "selectionBehavior": "any",
        }
    ],
    "systemActions": [
        {
            "type": "update",
            "resource": {
                "resourceType": "ServiceRequest",
                "status": "draft",
                "intent": "order",
                "subject": {"reference": "Patient/1"},
            },
        }
    ],
}


def test_a_sound_answer_passes_the_output_check() -> None:
    check_answer(SOUND)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("cards", 0, "summary"), "x" * 140),
        (("cards", 0, "indicator"), "hard-stop"),
        (("cards", 0, "detail"), ""),
        (("cards", 0, "links"), []),
        (("cards", 0, "source", "label"), None),
        (("cards", 0, "selectionBehavior"), "all"),
        (("cards", 0, "suggestions", 0, "actions", 0, "resource"), "ServiceRequest/1"),
        (("cards", 0, "suggestions", 0, "actions", 0, "type"), "cancel"),
        (("systemActions",), []),
        (("systemActions", 0, "resource", "intent"), ["order"]),
        (("systemActions", 0, "resource", "subject"), None),
        (("systemActions", 0, "resource", "noSuchField"), "x"),
        (("systemActions", 0, "resource", "reasonCode"), [{"coding": [{}]}]),
    ],
)
def test_the_output_check_finds_what_is_unsound(path: tuple[str | int, ...], value: object) -> None:
    document = json.loads(json.dumps(SOUND))
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(InvalidOutput):
        check_answer(document)


def test_only_card_and_service_lists_may_be_empty() -> None:  # JSON-3, JSON-4
    assert list(empties({"cards": [], "services": []})) == []
    assert list(empties({"cards": [{"links": []}], "a": None, "b": {"c": ""}})) == ["$.cards[0].links", "$.a", "$.b.c"]
