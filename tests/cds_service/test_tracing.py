"""Traces for an OpenTelemetry collector: a span a call and one for each phase, and nothing of any patient."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from audit_trail.record import DecisionRecord
from cds_service.app import create_app
from cds_service.audit import CallLog
from cds_service.metrics import Metrics
from cds_service.operator_log import OperatorLog
from cds_service.recording import Recorder
from cds_service.settings import Settings, SettingsError
from cds_service.tracing import TracesOfWorker, attributes_of
from tests.builders import a_draft
from tests.cds_service.kept_records import KeptRecords
from tests.cds_service.service_under_test import SELECT, a_call
from tests.clinic import usual_tools
from tests.fhir_calls import authorization

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Collector(HTTPServer):
    """Takes what a real exporter sends over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        super().__init__(("127.0.0.1", 0), Takes)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"

    @property
    def spans(self) -> list[Any]:
        found = []
        for body in self.bodies:
            request = ExportTraceServiceRequest.FromString(body)
            found += [span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]
        return found


class Takes(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def traced(collector: Collector, call: Any, **headers: str) -> tuple[list[Any], list[DecisionRecord]]:
    kept, traces = KeptRecords(), TracesOfWorker(collector.url, "1.2.3")
    recorder = Recorder(CallLog("error", b"key"), OperatorLog("error"), Metrics(), kept, traces=traces)
    client = create_app(Settings(), usual_tools(), recorder=recorder).test_client()
    body = call if isinstance(call, bytes) else json.dumps(call).encode()
    client.post(SELECT, data=body, content_type="application/json", headers=headers)
    recorder.stop()
    return collector.spans, kept.calls


def attribute(span: Any, key: str) -> Any:
    (value,) = [each.value for each in span.attributes if each.key == key]
    return getattr(value, value.WhichOneof("value"))


def test_a_call_is_a_span_with_its_phases_inside(collector: Collector) -> None:
    spans, (record,) = traced(collector, a_call())
    (whole,) = [span for span in spans if not span.parent_span_id]
    assert whole.name == "POST /cds-services/lumbar-imaging-order-select"
    assert attribute(whole, "cds.decision") == record.decision
    assert attribute(whole, "http.response.status_code") == 200
    inside = {span.name: span for span in spans if span.parent_span_id == whole.span_id}
    assert {"read the call", "decide", "write the cards"} <= set(inside)
    for span in inside.values():
        assert span.trace_id == whole.trace_id
        assert whole.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= whole.end_time_unix_nano + 1_000_000


def test_a_callers_trace_is_taken_up(collector: Collector) -> None:
    spans, _ = traced(collector, a_call(), traceparent=TRACEPARENT)
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    assert [span.parent_span_id.hex() for span in spans if span.name.startswith("POST")] == [PARENT]


@pytest.mark.parametrize("broken", ["", "x", "00-00-00-00", TRACEPARENT * 40])
def test_a_broken_header_begins_a_trace_of_its_own(collector: Collector, broken: str) -> None:
    spans, _ = traced(collector, a_call(), traceparent=broken)
    assert TRACE not in {span.trace_id.hex() for span in spans}
    assert spans


def test_a_failure_is_named_by_its_class(collector: Collector) -> None:
    spans, _ = traced(collector, b"{")
    (whole,) = [span for span in spans if not span.parent_span_id]
    assert (attribute(whole, "error.type"), attribute(whole, "cds.outcome")) == ("MalformedBody", "failed")


def test_nothing_of_the_patient_is_sent(collector: Collector) -> None:
    call = a_call(hookInstance="canary-instance", fhirServer="https://canary.example.org")
    call["prefetch"]["patient"] |= {"id": "canary-patient", "name": [{"family": "Canary"}]}
    call["context"] |= {"patientId": "canary-patient", "userId": "Practitioner/canary-user"}
    subject = {"reference": "Patient/canary-patient"}
    draft = a_draft("mri-lumbar-without-contrast", order_id="canary-order", subject=subject)
    call["context"]["draftOrders"]["entry"][0]["resource"] = {
        **draft,
        "subject": {"reference": "Patient/canary-patient"},
    }
    call["context"]["selections"] = ["ServiceRequest/canary-order"]
    call["fhirAuthorization"] = authorization("canary-token")
    spans, (record,) = traced(collector, call)
    assert spans
    assert record.patient == "canary-patient"
    assert all(b"canary" not in body.lower() for body in collector.bodies)
    assert "canary" not in json.dumps(attributes_of(record)).lower()


def test_a_collector_that_cannot_be_reached_costs_no_answer() -> None:
    traces = TracesOfWorker("http://127.0.0.1:9/v1/traces", "1.2.3")
    recorder = Recorder(CallLog("error", b"key"), OperatorLog("error"), Metrics(), KeptRecords(), traces=traces)
    client = create_app(Settings(), usual_tools(), recorder=recorder).test_client()
    assert client.post(SELECT, json=a_call()).get_json()["cards"]
    recorder.stop()


def test_without_the_library_a_start_that_asks_for_traces_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from cds_service.audit_setup import recorder_for

    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsError, match="otel"):
        recorder_for(Settings(state_dir=tmp_path, traces_url="http://127.0.0.1:9"))
