"""What the log, the health page and the metrics say of recorded calls; they name each other and no patient."""

from __future__ import annotations

import json

import pytest

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.builders import a_draft
from tests.cds_service.kept_records import KeptRecords, recorder_to
from tests.cds_service.service_under_test import SELECT, a_call
from tests.cds_service.test_recording import OVERRIDDEN, TrustInOne, count, service
from tests.clinic import usual_tools
from tests.fhir_calls import authorization


def test_the_log_line_and_the_record_name_each_other(capfd: pytest.CaptureFixture[str]) -> None:
    kept = KeptRecords()
    app = create_app(Settings(), usual_tools(), TrustInOne(frozenset()), recorder_to(kept, "info"))
    answer = app.test_client().post(SELECT, json=a_call())
    (line,) = [json.loads(each) for each in capfd.readouterr().out.splitlines() if '"call"' in each]
    (record,) = kept.calls
    assert line["decision"] == record.decision
    assert line["record"] == f"kept-{kept.records.index(record) + 1}"
    assert line["cards"] == [card["uuid"] for card in answer.get_json()["cards"]]
    assert line["indicators"] == [card["indicator"] for card in answer.get_json()["cards"]]
    assert line["rows"] == [record.orders[0].row]
    assert line["client"] == "st-anna"
    text = json.dumps(line)
    assert record.patient not in text
    assert record.user not in text
    assert len(line["patient"]) == len(line["user"]) == 16


def test_health_says_how_recording_goes() -> None:
    assert service(KeptRecords()).get("/health").get_json()["audit"] == {"state": "recording"}
    assert create_app(Settings(), usual_tools()).test_client().get("/health").get_json()["audit"] == {"state": "off"}


def test_metrics_count_calls_cards_gaps_and_feedback_and_name_no_patient() -> None:
    kept = KeptRecords()
    client = service(kept)
    call = a_call(hookInstance="canary-instance")
    call["prefetch"]["patient"]["id"] = call["context"]["patientId"] = "canary-patient"
    draft = a_draft("mri-lumbar-without-contrast", subject={"reference": "Patient/canary-patient"})
    call["context"]["draftOrders"]["entry"][0]["resource"] = draft
    call["fhirAuthorization"] = authorization("canary-token")
    del call["prefetch"]["procedures"]
    assert client.post(SELECT, json=call).status_code == 200
    assert client.post(SELECT, data=b"{", content_type="application/json").status_code == 400
    assert client.post(SELECT + "/feedback", json={"feedback": [OVERRIDDEN]}).status_code == 200
    answer = client.get("/metrics")
    assert answer.content_type.startswith("text/plain")
    assert "canary" not in answer.text
    named = (
        'lumbar_cds_calls_total{client="st-anna",outcome="answered",service="lumbar-imaging-order-select",status="200"}'
    )
    assert f"{named} 1.0" in answer.text
    assert count(client, "lumbar_cds_calls_total") == 2
    assert count(client, "lumbar_cds_cards_total") == len(kept.calls[0].cards)
    assert count(client, "lumbar_cds_gaps_total") == len(kept.calls[0].gaps) > 0
    assert count(client, "lumbar_cds_feedback_total") == 1
    assert count(client, "lumbar_cds_records_kept_total") == len(kept.records)
    assert count(client, "lumbar_cds_call_seconds_count") == 2
