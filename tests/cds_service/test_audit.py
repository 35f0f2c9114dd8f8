"""What is recorded of a call: enough to follow it up, and nothing of the patient's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.audit import CallRecord, FeedbackRecord, LogAudit, places
from cds_service.settings import Settings
from tests.cds_service.service_under_test import SELECT, a_call, running

# Everything that a line about a call may say; a new field is a decision, not an accident.
ALLOWED = {
    "time",
    "level",
    "event",
    "service",
    "status",
    "milliseconds",
    "body_bytes",
    "decision",
    "hook_differs",
    "judged_orders",
    "situations",
    "ratings",
    "cards",
    "gaps",
    "dropped_entries",
    "foreign_entries",
    "unread_texts",
    "unmapped_codes",
    "fetch_queries",
    "fetch_milliseconds",
    "fetch_troubles",
    "failure",
    "where",
    "accepted",
    "overridden",
    "with_reason",
    "refused",
    "of_another_client",
    "on_unknown_cards",
}


def lines(capture: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capture.readouterr().err.splitlines() if line.startswith("{")]


def canary_call() -> dict[str, Any]:
    """A call full of things that must not reach a log."""
    call = a_call(
        fhirServer="https://canary-server.example/fhir",
        fhirAuthorization={"access_token": "canary-token"},
        hookInstance="canary-instance",
    )
    patient = call["prefetch"]["patient"]
    patient.update(name=[{"family": "Canary"}], identifier=[{"value": "canary-mrn"}])
    order = call["context"]["draftOrders"]["entry"][0]["resource"]
    order["note"] = [{"text": "canary-note"}]
    order["reasonCode"].append({"text": "canary-reason"})
    return call


def test_no_line_holds_anything_of_the_patient_or_the_callers_secrets(capfd: pytest.CaptureFixture[str]) -> None:
    with running(Settings(log_level="debug")) as service:
        call = canary_call()
        assert service.post(SELECT, call).status_code == 200
        assert service.post(SELECT, {**call, "hook": "patient-view"}).status_code == 200
        call["prefetch"]["patient"]["id"] = "canary-patient"
        assert service.post(SELECT, call).status_code == 422
        assert service.post("/cds-services/canary-service", call).status_code == 404
        assert service.post(SELECT, b'{"canary').status_code == 400
        assert service.post(SELECT + "/feedback", {"feedback": [{"card": "canary-card"}]}).status_code == 400
    written = lines(capfd)
    assert len(written) >= 6
    assert "canary" not in json.dumps(written).lower()
    for line in written:
        assert set(line) <= ALLOWED


def test_a_hook_that_differs_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    with running(Settings(log_level="info")) as service:
        assert service.post(SELECT, a_call(hook="patient-view")).status_code == 200
    (line,) = lines(capfd)
    assert (line["level"], line["hook_differs"], line["status"]) == ("warning", True, 200)
    assert line["decision"]
    assert line["cards"] >= 1


@pytest.mark.parametrize(("level", "written"), [("info", 4), ("warning", 3), ("error", 1)])
def test_the_level_decides_what_is_written(capfd: pytest.CaptureFixture[str], level: str, written: int) -> None:
    sink = LogAudit(level)
    for status in (200, 404, 500):
        sink.call(CallRecord(service="s", status=status, milliseconds=1.0, body_bytes=2))
    sink.call(CallRecord(service="s", status=200, milliseconds=1.0, body_bytes=2, hook_differs=True))
    assert len(lines(capfd)) == written


def test_feedback_is_recorded_as_counts(capfd: pytest.CaptureFixture[str]) -> None:
    LogAudit("info").feedback(FeedbackRecord(service="s", accepted=1, overridden=2, with_reason=1, refused=0))
    (line,) = lines(capfd)
    assert (line["event"], line["accepted"], line["overridden"], line["with_reason"]) == ("feedback", 1, 2, 1)


def test_where_a_defect_was_says_nothing_of_the_values() -> None:
    def broken(value: str) -> int:
        return int(value)

    try:
        broken("Canary 1950")
    except ValueError as problem:
        where = places(problem)
    assert "Canary" not in where
    assert "test_audit.py" in where
    assert "broken" in where
