"""A running service whose store goes away and comes back: cards go out, records wait, and everyone is told."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import requests
from sqlalchemy import func, select

from audit_trail.database import sqlite_address, store_address
from audit_trail.store import open_store
from audit_trail.tables import RECORD
from audit_trail.verification import verify
from cds_service.low_priority import NICENESS
from tests.cds_service.real_service import RealService, until
from tests.cds_service.service_under_test import a_call
from tests.postgres import a_server


def calls_in(address: str) -> int:
    store = open_store(store_address(address))
    try:
        with store.engine.connect() as connection:
            query = select(func.count()).select_from(RECORD).where(RECORD.c.kind == "decision")
            return connection.scalar(query) or 0
    finally:
        store.close()


def sound(address: str) -> bool:
    store = open_store(store_address(address))
    try:
        return verify(store, {}).sound
    finally:
        store.close()


def number(service: RealService, name: str) -> float:
    text = requests.get(service.url("/metrics"), timeout=10).text
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.split("{")[0].split()[0] == name)


def ask(service: RealService, *instances: int) -> None:
    for instance in instances:
        answer = service.post({**a_call(), "hookInstance": f"i-{instance}"})
        assert answer.status_code == 200
        assert answer.json()["cards"]


def test_cards_go_out_while_the_store_is_down_and_their_records_follow_when_it_is_back(tmp_path: Path) -> None:
    with a_server() as database:
        address = database.database()
        service = RealService(tmp_path, audit_store=address, audit_checkpoint_minutes="0").start()
        try:
            ask(service, *range(5))
            until(lambda: calls_in(address) == 5)
            assert service.health()["state"] == "recording"
            assert number(service, "lumbar_cds_audit_store_up") == 1

            database.stop()
            ask(service, *range(5, 25))
            until(lambda: "out of reach" in service.health()["state"])
            assert service.health()["bytesWaiting"] > 0
            assert number(service, "lumbar_cds_audit_store_up") == 0
            assert number(service, "lumbar_cds_audit_journal_bytes_waiting") > 0
            ask(service, *range(25, 30))

            database.start()
            until(lambda: service.health()["state"] == "recording")
            until(lambda: calls_in(address) == 30)
            assert number(service, "lumbar_cds_audit_store_up") == 1
            said = service.operator_log.read_text(encoding="utf-8")
            assert '"audit-store"' in said
            assert "takes records again" in said
        finally:
            service.stop()
        assert calls_in(address) == 30
        assert sound(address)


def test_a_service_starts_without_its_store_and_keeps_every_call_for_it(tmp_path: Path) -> None:
    with a_server() as database:
        address = database.database()
        database.stop()
        service = RealService(tmp_path, audit_store=address, audit_checkpoint_minutes="0").start()
        ask(service, *range(3))
        service.kill_everything()
        database.start()
        service.start()
        try:
            until(lambda: calls_in(address) == 3)
        finally:
            service.stop()


def test_where_the_process_that_drains_dies_a_worker_takes_over(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'state' / 'audit.sqlite3'}"
    service = RealService(tmp_path, audit_checkpoint_minutes="0").start()
    try:
        ask(service, 1)
        until(lambda: calls_in(address) == 1)
        os.kill(the_drainer(service), signal.SIGKILL)
        ask(service, *range(2, 6))
        until(lambda: calls_in(address) == 5)
    finally:
        service.stop()


def the_drainer(service: RealService) -> int:
    """It has a thread of the lowest priority, as no worker has."""
    (found,) = [pid for pid in service.workers() if NICENESS in priorities(pid)]
    return found


def priorities(pid: int) -> set[int]:
    """Of all threads of a process."""
    return {os.getpriority(os.PRIO_PROCESS, int(task.name)) for task in Path(f"/proc/{pid}/task").iterdir()}


def test_a_service_that_is_stopped_leaves_nothing_in_its_journals(tmp_path: Path) -> None:
    service = RealService(tmp_path, audit_checkpoint_minutes="0").start()
    ask(service, *range(20))
    service.stop()
    assert list((tmp_path / "state" / "audit-journal").glob("*.journal")) == []
    store = open_store(sqlite_address(tmp_path / "state" / "audit.sqlite3"))
    try:
        assert verify(store, {}).sound
    finally:
        store.close()
    assert calls_in(f"sqlite:///{tmp_path / 'state' / 'audit.sqlite3'}") == 20


def test_metrics_are_those_of_all_workers_and_outlive_one_that_is_killed(tmp_path: Path) -> None:
    service = RealService(tmp_path, workers=2, audit_store="off").start()
    try:
        ask(service, *range(20))
        assert {number(service, "lumbar_cds_calls_total") for _ in range(6)} == {20.0}
        os.kill(service.workers()[0], signal.SIGKILL)
        until(lambda: len(service.workers()) == 2)
        ask(service, *range(20, 25))
        assert number(service, "lumbar_cds_calls_total") == 25
    finally:
        service.stop()
