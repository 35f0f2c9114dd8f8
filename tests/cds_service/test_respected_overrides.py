"""A running service with two workers: an override that one of them is told is respected by both, and after a restart.

The same advice comes back as one info line. Critical cards are said in full, as is everything once a fact has changed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from sandbox.samples import samples
from tests.cds_service.real_service import RealService, until
from tests.cds_service.service_under_test import SELECT

DEFER = "acute-low-back-pain-three-weeks-mri"
EMERGENCY = "saddle-numbness-and-retention-radiograph"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealService]:
    running = RealService(tmp_path_factory.mktemp("overrides"), workers=2).start()
    yield running
    running.stop()


def call_of(name: str, patient: str) -> Json:
    """The sample, about another patient, as a call of its own."""
    text = samples()[name].filled(datetime.now(UTC).date(), lambda: str(uuid4()))
    own = json.loads(text)["context"]["patientId"]
    call: Json = json.loads(text.replace(own, patient))
    return call


def asked(service: RealService, call: Json) -> Json:
    """The first card of the answer."""
    answer = service.post({**call, "hookInstance": str(uuid4())})
    assert answer.status_code == 200, answer.text
    card: Json = answer.json()["cards"][0]
    return card


def override(service: RealService, card: Json, **more: Any) -> None:
    item = {
        "card": card["uuid"],
        "outcome": "overridden",
        "outcomeTimestamp": datetime.now(UTC).isoformat(),
        "overrideReasons": {"reason": {"code": "planned-procedure"}, "userComment": "injection on Friday"},
        **more,
    }
    answer = requests.post(service.url(SELECT + "/feedback"), json={"feedback": [item, item]}, timeout=20)
    assert answer.status_code == 200, answer.text


def is_noted(card: Json) -> bool:
    return card["indicator"] == "info" and "(overridden at " in card["summary"] and "suggestions" not in card


def on_every_worker(service: RealService, call: Json, noted: bool) -> bool:
    """Eight connections of their own: with two workers, both of them answer."""
    return all(is_noted(asked(service, call)) is noted for _ in range(8))


def test_an_override_is_respected_by_every_worker_and_after_a_restart(service: RealService) -> None:
    call = call_of(DEFER, "patient-a")
    card = asked(service, call)
    assert card["indicator"] == "warning"
    override(service, card)
    until(lambda: on_every_worker(service, call, noted=True))
    line = asked(service, call)
    assert "A procedure is planned" in line["detail"]
    assert "injection on Friday" not in json.dumps(line)

    another = call_of(DEFER, "patient-b")
    assert not is_noted(asked(service, another))
    other_clinician = {**call, "context": {**call["context"], "userId": "Practitioner/somebody-else"}}
    assert not is_noted(asked(service, other_clinician))
    changed = json.loads(json.dumps(call))
    changed["prefetch"]["vitalSigns"] = {"resourceType": "Bundle", "type": "searchset", "entry": [_fever(changed)]}
    assert asked(service, changed)["indicator"] != "info"

    service.stop()
    service.start()
    until(lambda: on_every_worker(service, call, noted=True))


def _fever(call: Json) -> Json:
    """A temperature of 38.6 C today (LOINC 8310-5, body temperature; fhir_mappings/value_sets/loinc.csv)."""
    today = datetime.now(UTC).date().isoformat()
    return {
        "resource": {
            "resourceType": "Observation",
            "id": "fever-today",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]},
            "subject": {"reference": f"Patient/{call['context']['patientId']}"},
            "effectiveDateTime": today,
            "valueQuantity": {"value": 38.6, "unit": "Cel", "system": "http://unitsofmeasure.org", "code": "Cel"},
        }
    }


def test_an_emergency_is_said_in_full_however_often_it_is_overridden(service: RealService) -> None:
    emergency, other = call_of(EMERGENCY, "patient-c"), call_of(DEFER, "patient-c")
    first = asked(service, emergency)
    assert first["indicator"] == "critical"
    override(service, first)
    override(service, asked(service, other))
    until(lambda: on_every_worker(service, other, noted=True))  # by then the first is known as well
    again = asked(service, emergency)
    assert {**again, "uuid": ""}["detail"] == first["detail"]
    assert again["indicator"] == "critical"


def test_what_is_followed_after_all_is_said_in_full_again(service: RealService) -> None:
    call = call_of(DEFER, "patient-d")
    card = asked(service, call)
    override(service, card)
    until(lambda: on_every_worker(service, call, noted=True))
    suggestion = card["suggestions"][0]["uuid"]
    override(service, card, outcome="accepted", acceptedSuggestions=[{"id": suggestion}], overrideReasons=None)
    until(lambda: on_every_worker(service, call, noted=False))


def test_every_answer_is_replayed_to_the_byte_overrides_and_all(service: RealService) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LUMBAR_CDS_")}
    environment["LUMBAR_CDS_STATE_DIR"] = str(Path(service.state) / "state")
    service.stop()
    command = [sys.executable, "-m", "cds_service", "audit", "replay", "--all", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    replayed = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(replayed) > 30
    assert all(each["same"] for each in replayed)
