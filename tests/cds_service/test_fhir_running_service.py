"""The service as it is started, with a FHIR server beside it: real processes, several workers, real faults."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.fhir_server import Fault, FhirServer, running
from tests.cds_service.service_under_test import SELECT
from tests.cds_service.test_egress import Canary
from tests.cds_service.test_fhir_bad_days import but_the_patient, on_a_bad_day
from tests.cds_service.test_fhir_fetching import OPEN, whole_call
from tests.fhir_calls import everything, says, store_of, without

ROOT = Path(__file__).parents[2]
BUDGET = 2.0  # the default
SLACK = 1.5  # for a machine that is busy with something else


@pytest.fixture(scope="module")
def ehr() -> Iterator[FhirServer]:
    with running(store_of(whole_call()), OPEN) as server:
        yield server


@pytest.fixture(scope="module")
def service(ehr: FhirServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("service") / "log"
    options = ["--port", str(port), "--workers", "2", "--threads", "8", "--fhir-server", ehr.base]
    environment = {**os.environ, "LUMBAR_CDS_STATE_DIR": str(log.parent)}
    command = [sys.executable, "-m", "cds_service", "serve", "--open", *options]
    with log.open("wb") as out, subprocess.Popen(command, stderr=out, cwd=ROOT, env=environment) as process:
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}{SELECT}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            requests.get(f"http://127.0.0.1:{port}/health", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the service did not start")


def ask(url: str, call: Any) -> tuple[int, str, float]:
    started = time.perf_counter()
    answer = requests.post(url, json=call, timeout=30)
    return answer.status_code, answer.text, time.perf_counter() - started


def test_a_call_without_prefetch_is_completed(service: str, ehr: FhirServer) -> None:
    status, text, _ = ask(service, without(whole_call(), ehr.base, everything))
    assert status == 200
    assert "Low back pain" in json.loads(text)["cards"][0]["detail"]


@pytest.mark.parametrize("kind", ["hang", "drip", "drip-headers", "half", "reset", "html", "broken"])
def test_eight_calls_at_once_to_a_sick_server_are_answered_in_time(kind: str, service: str, ehr: FhirServer) -> None:
    call = without(whole_call(), ehr.base, but_the_patient)
    ehr.serve(behaviour=OPEN)
    sound = ask(service, call)[1]
    ehr.serve(behaviour=on_a_bad_day(Fault(kind, seconds=0.05)))
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: ask(service, call), range(8)))
    for status, text, took in answers:
        assert status == 200
        assert took < BUDGET + SLACK
        assert says(text, "failed", "unreadable")
    ehr.serve(behaviour=OPEN)
    assert ask(service, call)[:2] == (200, sound)


def test_without_the_patient_a_sick_server_means_412_in_time(service: str, ehr: FhirServer) -> None:
    ehr.serve(behaviour=on_a_bad_day(Fault("hang")))
    status, text, took = ask(service, without(whole_call(), ehr.base, everything))
    ehr.serve(behaviour=OPEN)
    assert status == 412
    assert json.loads(text)["resourceType"] == "OperationOutcome"
    assert took < BUDGET + SLACK


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{port}/fhir",
        "http://localhost:{port}/fhir",
        "http://2130706433:{port}/fhir",
        "http://0x7f000001:{port}/fhir",
        "http://0177.0.0.1:{port}/fhir",
        "http://[::ffff:127.0.0.1]:{port}/fhir",
        "{base}@127.0.0.1:{port}/fhir",
        "{base}/../../127.0.0.1:{port}",
        "https://127.0.0.1:{port}/fhir",
    ],
)
def test_no_call_makes_the_service_contact_a_server_that_was_not_named_at_the_start(
    address: str, service: str, ehr: FhirServer
) -> None:
    listener = Canary()
    try:
        named = address.format(port=listener.port, base=ehr.base)
        status, text, _ = ask(service, without(whole_call(), named, but_the_patient))
        assert status == 200
        assert says(text, "not provided")
        assert not listener.heard_something()
    finally:
        listener.close()
