"""A service that is killed at random points under load: no answered call is ever missing from the record."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from audit_trail.checkpoints import checkpoints_of, signer_at
from audit_trail.database import sqlite_address
from audit_trail.packing import unpacked
from audit_trail.record import DecisionRecord, decode
from audit_trail.store import open_store
from audit_trail.tables import RECORD
from audit_trail.verification import verify
from tests.cds_service.real_service import RealService, until
from tests.cds_service.service_under_test import a_call

CALLERS = 6
SECONDS = 5.0


class Load:
    """Callers that send one call after another, and remember what they heard."""

    def __init__(self, service: RealService) -> None:
        self._service = service
        self._stopping = threading.Event()
        self.answered: dict[str, bytes] = {}
        self.broken_off = 0
        self._threads = [threading.Thread(target=self._call, args=(each,)) for each in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def _call(self, caller: int) -> None:
        number = 0
        call = a_call()
        while not self._stopping.is_set():
            with requests.Session() as session:
                try:
                    while not self._stopping.is_set():
                        number += 1
                        instance = f"{caller}-{number}"
                        answer = self._service.post({**call, "hookInstance": instance}, session)
                        assert answer.status_code == 200
                        self.answered[instance] = answer.content
                except requests.RequestException:  # killed while it was being asked: nothing was answered
                    self.broken_off += 1
                    time.sleep(0.02)

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("sync", ["none", "each"])
def test_no_answered_call_is_ever_missing(tmp_path: Path, sync: str) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    service = RealService(tmp_path, audit_sync=sync).start()
    load = Load(service)
    killed = 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.05, 0.5))
        workers = service.workers()
        if workers:
            os.kill(chance.choice(workers), signal.SIGKILL)
            killed += 1
    service.kill_everything()
    load.stop()
    assert killed >= 5
    assert load.broken_off
    assert len(load.answered) >= 100

    service.start()
    try:
        until(lambda: not left_behind(service))
    finally:
        service.stop()
    kept = answers_on_record(tmp_path / "state")
    assert load.answered.items() <= kept.items()


def left_behind(service: RealService) -> bool:
    """Do journals of killed workers still wait to be stored?"""
    living = {f"-{pid}-" for pid in service.workers()}
    files = [path.name for path in (service.state / "state" / "audit-journal").glob("*.journal")]
    return any(not any(pid in name for pid in living) for name in files)


def answers_on_record(state: Path) -> dict[str, bytes]:
    signer = signer_at(state / "audit-key.pem")
    store = open_store(sqlite_address(state / "audit.sqlite3"))
    try:
        assert verify(
            store, {signer.fingerprint: signer.public_key}, checkpoints_of(state / "audit-checkpoints.jsonl")
        ).sound
        with store.engine.connect() as connection:
            contents = connection.scalars(select(RECORD.c.content).where(RECORD.c.kind == "decision")).all()
    finally:
        store.close()
    records = [decode(content) for content in contents]
    calls = [record for record in records if isinstance(record, DecisionRecord)]
    assert all(json.loads(unpacked(record.request))["hookInstance"] == record.hook_instance for record in calls)
    return {record.hook_instance: unpacked(record.answer) for record in calls}
