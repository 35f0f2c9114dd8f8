"""`GET /health` names every part that is not as it should be; its HTTP status says whether calls are refused."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import cds_service.health as health
import cds_service.metrics as metrics
import cds_service.recording as recording
from audit_trail.draining import Drained
from audit_trail.record import PageViewRecord
from cds_service.app import create_app
from cds_service.audit_setup import recorder_for
from cds_service.drain_duty import Damage, DrainStatus
from cds_service.health import Overall
from cds_service.journal_of_worker import CANNOT_BE_WRITTEN, OUT_OF_REACH, JournalOfWorker
from cds_service.key_sets import RemoteKeys
from cds_service.room_to_write import has_room
from cds_service.settings import Settings, SettingsError
from tests.cds_service.kept_records import KeptRecords, recorder_to
from tests.cds_service.service_under_test import SELECT, a_call
from tests.cds_service.test_drain_duty import Memory, a_duty
from tests.clinic import usual_tools
from tests.hostile.registered import clients_toml, key_set

RECORDING = {"state": "recording"}
FULL = {"state": CANNOT_BE_WRITTEN}
REQUIRED = Settings(audit_required=True)


def away(seconds: int) -> dict[str, object]:
    return {"state": OUT_OF_REACH, "storeOutOfReachSeconds": seconds}


AS_THEY_ARE: dict[str, tuple[Settings, dict[str, Any], int, str, tuple[str, ...]]] = {
    "recording": (Settings(), {"audit": RECORDING}, 200, "ok", ()),
    "off, as the settings have it": (Settings(audit_store="off"), {"audit": {"state": "off"}}, 200, "ok", ()),
    "code lists left out, as the settings have it": (
        Settings(without_cpt=True), {"audit": RECORDING, "notRecognised": [{"system": "s", "codes": 1}]}, 200, "ok", (),
    ),
    "nothing is recorded": (Settings(), {"audit": FULL}, 200, "degraded", ("answered unrecorded",)),
    "nothing is recorded, and it must be": (REQUIRED, {"audit": FULL}, 503, "refusing", ("calls are refused",)),
    "the store restarts": (Settings(), {"audit": away(30)}, 200, "ok", ()),
    "the store is away": (Settings(), {"audit": away(90)}, 200, "degraded", ("out of reach for 90 s: records wait",)),
    "the store is away for a day": (Settings(), {"audit": away(86_400)}, 200, "degraded", ("records wait",)),
    "it must record, and is patient": (REQUIRED, {"audit": away(3_590)}, 200, "degraded", ("records wait",)),
    "it must record, and has given up": (REQUIRED, {"audit": away(3_601)}, 503, "refusing", ("calls are refused",)),
    "the journal is full and the store away": (
        Settings(), {"audit": {**away(90), "state": CANNOT_BE_WRITTEN}},
        200, "degraded", ("unrecorded", "out of reach"),
    ),
    "records were set aside": (
        Settings(), {"audit": {**RECORDING, "recordsSetAside": 2, "recordsLost": 0}},
        200, "degraded", ("2 of the last day",),
    ),
    "a journal was damaged": (
        Settings(), {"audit": {**RECORDING, "recordsSetAside": 0, "recordsLost": 3}}, 200, "degraded", ("3 records",),
    ),
    "records could not be kept, and now they can": (
        Settings(), {"audit": {**RECORDING, "recordsNotKept": 4}}, 200, "degraded", ("4 of today and yesterday",),
    ),
    "records could not be kept, each of which was required, and now they can": (
        REQUIRED, {"audit": {**RECORDING, "recordsNotKept": 4}}, 200, "degraded", ("4 of today and yesterday",),
    ),
    "the clients file cannot be used": (
        Settings(), {"audit": RECORDING, "clients": {"file": "not usable; the clients before it stay in force"}},
        200, "degraded", ("the clients before it stay",),
    ),
    "an issuer's keys cannot be had": (
        Settings(), {"audit": RECORDING, "clients": {"file": "in force", "keySetsOutOfOrder": 1}},
        200, "degraded", ("1 could not be fetched",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", AS_THEY_ARE)
def test_the_status_goes_by_every_part_and_its_reasons_are_named(name: str) -> None:
    settings, parts, http_status, status, said = AS_THEY_ARE[name]
    heard, answer = Overall(settings).judge(parts)
    assert (heard, answer["status"]) == (http_status, status)
    reasons = answer.get("reasons", [])
    assert len(reasons) == len(said)
    assert all(words in reason["says"] for words, reason in zip(said, reasons, strict=True))
    assert ("reasons" in answer) is bool(said)  # nothing is empty
    assert {key: answer[key] for key in parts} == parts


class FullDisk(KeptRecords):
    """A journal that cannot be written."""

    broken = True

    def __init__(self) -> None:
        super().__init__()
        self.broken = True

    def health(self) -> dict[str, object]:
        return dict(FULL)


@pytest.mark.parametrize(("required", "status"), [(False, 200), (True, 503)])
def test_a_balancer_hears_what_a_call_would_hear(required: bool, status: int) -> None:
    settings = Settings(audit_required=required)
    browser = create_app(settings, usual_tools(), recorder=recorder_to(FullDisk(), required=required)).test_client()
    answer = browser.get("/health")
    assert browser.post(SELECT, json=a_call()).status_code == answer.status_code == status
    assert answer.get_json()["status"] == ("refusing" if required else "degraded")
    assert answer.get_json()["reasons"][0]["part"] == "audit journal"
    assert ("Retry-After" in answer.headers) is required
    assert answer.get_json()["mode"] == "open"


def test_calls_that_went_unrecorded_are_told_after_it_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = KeptRecords()
    browser = create_app(Settings(), usual_tools(), recorder=recorder_to(kept)).test_client()
    assert browser.get("/health").get_json()["status"] == "ok"
    kept.broken = True
    assert browser.post(SELECT, json=a_call()).status_code == 200
    kept.broken = False
    assert browser.post(SELECT, json=a_call()).status_code == 200
    said = browser.get("/health").get_json()
    assert said["status"] == "degraded"
    assert said["audit"]["recordsNotKept"] == 2  # that of the call, and that of the contents in force
    today = metrics._today()
    for days, status in ((1, "degraded"), (2, "ok")):
        monkeypatch.setattr(metrics, "_today", lambda days=days: today + timedelta(days=days))
        assert browser.get("/health").get_json()["status"] == status


def test_a_defect_that_costs_records_and_no_card_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: object, **__: object) -> object:
        raise TypeError("a defect")

    monkeypatch.setattr(recording, "answered", defect)
    browser = create_app(Settings(), usual_tools(), recorder=recorder_to(KeptRecords())).test_client()
    assert browser.post(SELECT, json=a_call()).get_json()["cards"]
    said = browser.get("/health").get_json()
    assert (said["status"], said["reasons"][0]["part"]) == ("degraded", "audit record")


def test_a_service_that_must_record_and_may_not_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LUMBAR_CDS_AUDIT_REQUIRED"):
        recorder_for(Settings(audit_required=True, audit_store="off", state_dir=tmp_path))


def test_without_room_on_the_disk_it_is_said_before_anybody_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert has_room(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not has_room(tmp_path / "gone")
    worker = JournalOfWorker(tmp_path, lambda: a_duty(tmp_path, Memory()))
    assert worker.health()["state"] == "recording"

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", no_space)
    assert worker.health()["state"] == CANNOT_BE_WRITTEN
    assert worker.numbers()["audit_journal_up"][1] == 0


def test_a_record_that_failed_is_told_for_a_minute_so_that_a_machine_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = PageViewRecord(at=datetime(2026, 11, 25, tzinfo=UTC), page="patient", handle="h")
    folder = tmp_path / "journal"
    folder.write_text("in the way")
    worker = JournalOfWorker(folder, lambda: a_duty(folder, Memory()))
    with pytest.raises(OSError, match="journal"):
        worker.append(view)
    folder.unlink()
    folder.mkdir()
    assert worker.health()["state"] == CANNOT_BE_WRITTEN
    later = time.monotonic() + 61
    with monkeypatch.context() as clock:
        clock.setattr(time, "monotonic", lambda: later)
        assert worker.health()["state"] == "recording"


def test_damage_is_told_for_a_day_and_counts_up() -> None:
    damage = Damage().also(Drained(5, lost=1)).also(Drained(5)).also(Drained(5, set_aside=2))
    assert (damage.set_aside, damage.lost, damage.is_recent) == (2, 1, True)
    old = Damage(4, 4, time.time() - 86_401)
    assert not old.is_recent
    assert old.also(Drained(1, lost=1)).lost == 1


def test_whoever_takes_over_the_draining_knows_of_the_damage(tmp_path: Path) -> None:
    class SetsAside(Memory):
        def append(self, writer: str, frames: Any) -> int:
            super().append(writer, frames)
            return len(frames)

    worker = JournalOfWorker(tmp_path, lambda: a_duty(tmp_path, SetsAside()))
    first = a_duty(tmp_path, SetsAside())
    assert first.take()
    try:
        worker.append(PageViewRecord(at=datetime(2026, 11, 25, tzinfo=UTC), page="patient", handle="h"))
        assert first.round()
        assert worker.health()["recordsSetAside"] == 1
        first.leave()
        second = a_duty(tmp_path, Memory())
        assert second.take()
        assert second.round()
        second.leave()
        assert worker.health()["recordsSetAside"] == 1
    finally:
        worker.stop()
    assert DrainStatus().damage == Damage()


def test_a_checkpoint_that_is_not_made_is_told_once_it_is_long_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(state_dir=tmp_path, audit_checkpoint_minutes=60)
    overall = Overall(settings)
    monkeypatch.setattr(health, "_SECONDS_TO_SETTLE", 0.0)
    assert overall.judge({"audit": RECORDING})[1]["status"] == "ok"  # none has been due yet
    settings.audit_checkpoints.write_text("{}\n")
    for hours, status in ((1.5, "ok"), (2.5, "degraded")):
        moment = time.time() - 3600 * hours
        os.utime(settings.audit_checkpoints, (moment, moment))
        assert overall.judge({"audit": RECORDING})[1]["status"] == status
    assert overall.judge({"audit": {"state": "off"}})[1]["status"] == "ok"
    assert Overall(Settings(state_dir=tmp_path, audit_checkpoint_minutes=0)).judge({"audit": RECORDING})[0] == 200


def test_records_that_nobody_stores_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(state_dir=tmp_path)
    stored = [DrainStatus()]
    monkeypatch.setattr(health, "drain_status", lambda _: stored[0])
    moment = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    overall = Overall(settings)

    def after(seconds: float, waiting: int) -> str:
        moment[0] += seconds
        return str(overall.judge({"audit": {**RECORDING, "bytesWaiting": waiting}})[1]["status"])

    assert [after(60, 10), after(100, 10), after(21, 10)] == ["ok", "ok", "degraded"]
    stored[0] = DrainStatus(stored={"w.journal": 5})
    assert [after(1, 10), after(100, 10)] == ["ok", "ok"]
    assert [after(1, 0), after(500, 10), after(500, 0)] == ["ok", "degraded", "ok"]  # idle, then stuck, then drained
    away_for = {**away(90), "bytesWaiting": 10}
    assert [each["says"][:12] for each in overall.judge({"audit": away_for})[1]["reasons"]] == ["out of reach"]


@contextmanager
def broken(path: Path) -> Iterator[None]:
    content = path.read_bytes()
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    path.mkdir()
    yield
    path.rmdir()
    path.write_bytes(content)


def test_closed_mode_without_a_memory_for_tokens_refuses_calls_and_says_so(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, clients=clients_toml(tmp_path, 8090))
    assert Overall(settings).judge({"audit": RECORDING})[0] == 200
    with broken(settings.used_tokens):
        heard, said = Overall(settings).judge({"audit": RECORDING})
        assert (heard, said["status"], said["reasons"][0]["part"]) == (503, "refusing", "used tokens")
    assert Overall(settings).judge({"audit": RECORDING})[0] == 200


def test_an_issuer_whose_keys_cannot_be_had_is_out_of_order_until_they_can() -> None:
    moment, answers = [0.0], [b"", json.dumps(key_set()).encode(), b""]
    keys = RemoteKeys(lambda: answers.pop(0), clock=lambda: moment[0])
    assert not keys.out_of_order
    said = []
    for moment[0] in (0.0, 700.0, 1400.0):
        keys.key_set("any")
        said.append(keys.out_of_order)
    assert said == [True, False, True]
