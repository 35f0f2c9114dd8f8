"""What is recorded of a call: enough to follow it up, and nothing of the patient's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cds_service.audit import MEANINGS, STANDARD_OUTPUT, CallLine, CallLog, FeedbackRecord, places
from cds_service.settings import Settings
from tests.cds_service.service_under_test import SELECT, a_call, running

README = Path(__file__).parents[2] / "README.md"


def lines(capture: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capture.readouterr().out.splitlines() if line.startswith("{")]


def a_line(status: int, **more: Any) -> CallLine:
    return CallLine(service="s", status=status, outcome="answered", milliseconds=1.0, body_bytes=2, **more)


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
        assert set(line) <= set(MEANINGS)


def test_a_hook_that_differs_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    with running(Settings(log_level="info")) as service:
        assert service.post(SELECT, a_call(hook="patient-view")).status_code == 200
    (line,) = lines(capfd)
    assert (line["level"], line["hook_differs"], line["status"]) == ("warning", True, 200)
    assert line["decision"]
    assert len(line["cards"]) == len(line["indicators"]) >= 1


@pytest.mark.parametrize(("level", "written"), [("info", 4), ("warning", 3), ("error", 1)])
def test_the_level_decides_what_is_written(capfd: pytest.CaptureFixture[str], level: str, written: int) -> None:
    log = CallLog(level, b"key")
    for status in (200, 404, 500):
        log.call(a_line(status))
    log.call(a_line(200, hook_differs=True))
    assert len(lines(capfd)) == written


def test_feedback_is_recorded_as_counts(capfd: pytest.CaptureFixture[str]) -> None:
    CallLog("info", b"key").feedback(FeedbackRecord(service="s", accepted=1, overridden=2, with_reason=1, refused=0))
    (line,) = lines(capfd)
    assert (line["event"], line["accepted"], line["overridden"], line["with_reason"]) == ("feedback", 1, 2, 1)


def test_a_person_has_one_hash_on_one_installation_and_none_that_others_could_make() -> None:
    log, elsewhere = CallLog("info", b"one key"), CallLog("info", b"another key")
    assert log.person("st-anna", "p1") == log.person("st-anna", "p1")
    hashes = {log.person("st-anna", "p1"), log.person("st-anna", "p2"), log.person("st-bob", "p1")}
    assert len(hashes | {elsewhere.person("st-anna", "p1")}) == 4
    assert log.person("st-anna", "") == ""


def test_a_log_that_nobody_reads_any_more_costs_nobody_an_answer() -> None:
    lost: list[int] = []
    log = CallLog("info", b"key", lambda: lost.append(1))
    kept = os.dup(STANDARD_OUTPUT)
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, STANDARD_OUTPUT)
    try:
        log.call(a_line(200))
    finally:
        os.dup2(kept, STANDARD_OUTPUT)
        os.close(kept)
        os.close(writing)
    assert lost == [1]


def test_every_field_of_a_line_is_explained_in_the_readme() -> None:
    fields = {"time", "level", "event", *CallLine.__struct_fields__, *FeedbackRecord.__struct_fields__}
    assert fields == set(MEANINGS)
    readme = README.read_text(encoding="utf-8")
    for field, meaning in MEANINGS.items():
        assert f"| `{field}` | {meaning} |" in readme


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
