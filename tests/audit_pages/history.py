"""A service with a past: real calls sent to it over weeks by clinicians of several clients, and what became of them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from unittest.mock import patch

from flask import Flask
from flask.testing import FlaskClient

from cds_service import routes
from cds_service.app import create_app
from cds_service.audit_setup import recorder_for
from cds_service.recording import Recorder
from cds_service.settings import Settings
from cds_service.trust import Caller, RequestHeaders
from tests.case_reader import Case, read_cases
from tests.clinic import usual_tools

CLIENTS = {"st-anna": False, "north-clinic": False, "pilot": True}  # whether silent
CLINICIANS = 14
FAMILY, GIVEN, NUMBER, PHONE = "Featherstonehaugh", "Wilhelmina", "MRN-7755331", "+1-555-0143"
CLINICIAN_NAME = "Quackenbush"
COMMENT = "Mrs Featherstonehaugh insists, see letter of Dr Quackenbush"
REASONS = (
    ("patient-preference", "Patient preference"),
    ("already-discussed", "Already discussed"),
    ("", ""),
)


class TrustsHeaders:
    """Takes the client from a header: who may call is tested elsewhere."""

    def __init__(self, registered: bool) -> None:
        self.registered = registered

    def identify(self, headers: RequestHeaders, path: str) -> Caller:
        client = headers.get("X-Client") or "st-anna"
        return Caller(
            client,
            registered=self.registered,
            silent=CLIENTS.get(client, False),
            issuer=f"https://{client}.example.org",
        )

    def origins(self) -> frozenset[str]:
        return frozenset()

    def health(self) -> dict[str, object]:
        return {"mode": "test"}


class Past:
    """A service, and the clock that it believes."""

    def __init__(self, folder: Path, demo: bool = False, **settings: Any) -> None:
        clients = None if demo else _any_file(folder)
        self.settings = Settings(state_dir=folder, clients=clients, log_level="error", **settings)
        self.recorder: Recorder = recorder_for(self.settings)
        self.recorder.prepare(usual_tools())
        self.recorder.start()
        self.app: Flask = create_app(self.settings, usual_tools(), TrustsHeaders(registered=not demo), self.recorder)
        self.calls: FlaskClient = self.app.test_client()
        self.seed = random.Random(7)

    def call(self, request: dict[str, Any], at: datetime, client: str = "st-anna") -> dict[str, Any]:
        """One hook call at that moment."""
        with patch.object(routes, "datetime", _clock(at)):
            answer = self.calls.post(
                f"/cds-services/lumbar-imaging-{request['hook']}", json=request, headers={"X-Client": client}
            )
        return dict(answer.get_json())

    def feedback(self, card: dict[str, Any], at: datetime, client: str, outcome: str, **more: Any) -> None:
        """What became of one card."""
        item: dict[str, Any] = {"card": card["uuid"], "outcome": outcome, "outcomeTimestamp": at.isoformat(), **more}
        with patch.object(routes, "datetime", _clock(at)):
            self.calls.post(
                "/cds-services/lumbar-imaging-order-select/feedback",
                json={"feedback": [item]},
                headers={"X-Client": client},
            )

    def store(self) -> None:
        """Waits until everything is in the store, where a thread of this very service drains it into."""
        end = monotonic() + 30
        while self.recorder.health()["bytesWaiting"]:
            assert monotonic() < end, "records wait in the journal"
            sleep(0.02)

    def close(self) -> None:
        self.recorder.stop()


def _any_file(folder: Path) -> Path:
    path = folder / "clients.toml"
    path.write_text("", encoding="utf-8")
    return path


def _clock(at: datetime) -> type[datetime]:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return at.astimezone(tz)

    return Clock


def named(request: dict[str, Any], user: str, instance: str, patient: str = "pat-1") -> dict[str, Any]:
    """The same call by somebody, about a patient who has a name."""
    text = json.dumps(request).replace("Practitioner/doc-1", f"Practitioner/{user}").replace("pat-1", patient)
    call: dict[str, Any] = json.loads(text)
    call["hookInstance"] = instance
    person = (call.get("prefetch") or {}).get("patient")
    if isinstance(person, dict) and person.get("resourceType") == "Patient":
        person["name"] = [{"family": FAMILY, "given": [GIVEN]}]
        person["identifier"] = [{"system": "urn:oid:1.2.3", "value": NUMBER}]
        person["telecom"] = [{"system": "phone", "value": PHONE}]
        person["generalPractitioner"] = [{"reference": "Practitioner/gp-77", "display": f"Dr {CLINICIAN_NAME}"}]
    return call


def weeks_of_calls(past: Past, last: datetime, days: int, a_day: int, reported: float = 0.7) -> int:
    """So many calls on each day up to that moment, the same whichever day it is; returns how many."""
    seed, count = past.seed, 0
    for back in range(days - 1, -1, -1):
        day = (last - timedelta(days=back)).date()
        for case in _cases_on(day, seed, a_day):
            at = datetime.combine(day, time(8), UTC) + timedelta(seconds=seed.randrange(9 * 3600))
            at = min(at, last - timedelta(seconds=seed.randrange(600)))
            _one(past, case, at, count, reported)
            count += 1
    past.store()
    return count


def _one(past: Past, case: Case, at: datetime, number: int, reported: float) -> None:
    seed = past.seed
    client = seed.choices(list(CLIENTS), (6, 3, 1))[0]
    user = f"dr-{seed.randrange(CLINICIANS):02}"
    call = named(case.request, user, f"00000000-0000-4000-8000-{number:012}", f"pat-{seed.randrange(400)}")
    if seed.random() < 0.15:
        call["hook"] = "order-sign"
        call["context"].pop("selections", None)
    answer = past.call(call, at, client)
    if CLIENTS[client]:
        return
    for card in answer.get("cards", ()):
        if seed.random() > reported:
            continue
        later = at + timedelta(minutes=seed.randrange(1, 30))
        if card.get("suggestions") and seed.random() < 0.55:
            taken = [{"id": card["suggestions"][0]["uuid"]}]
            past.feedback(card, later, client, "accepted", acceptedSuggestions=taken)
        else:
            past.feedback(card, later, client, "overridden", **_why(seed))


def _why(seed: random.Random) -> dict[str, Any]:
    code, display = seed.choice(REASONS)
    if not code:
        return {}
    coding = {"code": code, "system": "https://example.org/reasons", "display": display}
    return {"overrideReason": {"reason": coding, "userComment": COMMENT}}


def _cases_on(day: date, seed: random.Random, count: int) -> list[Case]:
    day -= timedelta(days=day.toordinal() % 5)  # a chart may be some days old
    if day not in _CASES:
        _CASES[day] = [each for each in read_cases(as_of=day) if each.relative and not each.settings]
    return seed.sample(_CASES[day], min(count, len(_CASES[day])))


_CASES: dict[date, list[Case]] = {}


@contextmanager
def past_in(folder: Path, demo: bool = False, **settings: Any) -> Iterator[Past]:
    """A service with a store in that folder; ended afterwards."""
    past = Past(folder, demo, **settings)
    try:
        yield past
    finally:
        past.close()
