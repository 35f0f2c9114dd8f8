"""Records are stored when the processor has nothing better to do, and as fast as can be once they have waited long."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit_trail.draining import HURRIED, UNHURRIED
from audit_trail.journal import Frame, JournalWriter
from audit_trail.record import PageViewRecord, encode
from cds_service import drain_duty
from cds_service.drain_duty import DrainDuty, bytes_not_stored, drain_status
from cds_service.low_priority import NICENESS, LowPriority, lower_this_thread
from cds_service.operator_log import OperatorLog

VIEW = encode(PageViewRecord(at=datetime(2026, 11, 25, tzinfo=UTC), page="patient", handle="h"))
NICENESS_HERE = os.getpriority(os.PRIO_PROCESS, 0)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


class Slow:
    """A store that takes its time, and notes who stored how many at once."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.batches: list[tuple[int, int]] = []  # niceness, records
        self._seconds = seconds

    def last_number(self, _writer: str) -> int:
        return self.records

    @property
    def records(self) -> int:
        return sum(records for _, records in self.batches)

    def append(self, _writer: str, frames: Sequence[Frame]) -> int:
        time.sleep(self._seconds)
        self.batches.append((niceness(), len(frames)))
        return 0


def drained(folder: Path, store: Slow, until: Callable[[], bool]) -> None:
    """Drains as the process does that has nothing else to do, until it is told to stop."""

    def stopping(seconds: float) -> bool:
        time.sleep(min(seconds, 0.01))
        return until()

    DrainDuty(folder, lambda: store, OperatorLog("error"), lambda _: None).run_alone(stopping)


def written(folder: Path, records: int) -> JournalWriter:
    journal = JournalWriter(folder, "w")
    for _ in range(records):
        journal.append(VIEW)
    return journal


def test_what_is_stored_in_time_is_stored_at_low_priority(tmp_path: Path) -> None:
    store, journal = Slow(), written(tmp_path, 150)
    drained(tmp_path, store, lambda: store.records == 150)
    assert {nice for nice, _ in store.batches} == {NICENESS}
    assert max(records for _, records in store.batches) <= UNHURRIED.records
    assert niceness() == NICENESS_HERE
    journal.close()


def test_what_has_waited_for_long_is_stored_as_fast_as_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain_duty, "SECONDS_UNHURRIED", 0.2)
    monkeypatch.setattr(drain_duty, "SECONDS_BETWEEN_LOOKS", 0.02)
    store, journal = Slow(0.06), written(tmp_path, 1000)
    drained(tmp_path, store, lambda: store.records == 1000)
    (first, records), (last, _) = store.batches[0], store.batches[-1]
    assert (first, records) == (NICENESS, UNHURRIED.records)
    assert last == NICENESS_HERE
    assert max(records for nice, records in store.batches if nice == NICENESS_HERE) == HURRIED.records
    assert [nice for nice, _ in store.batches] == sorted((nice for nice, _ in store.batches), reverse=True)
    journal.close()


def test_where_too_much_waits_it_is_stored_as_fast_as_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, journal = Slow(0.05), written(tmp_path, 1000)
    monkeypatch.setattr(drain_duty, "BYTES_UNHURRIED", 500 * len(VIEW))
    monkeypatch.setattr(drain_duty, "SECONDS_BETWEEN_LOOKS", 0.01)
    drained(tmp_path, store, lambda: store.records == 1000)
    assert store.batches[0][0] == NICENESS
    assert store.batches[-1][0] == NICENESS_HERE
    journal.close()


def test_it_is_told_how_far_it_is_while_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain_duty, "SECONDS_BETWEEN_LOOKS", 0.01)
    store, journal = Slow(0.02), written(tmp_path, 640)
    whole = bytes_not_stored(tmp_path, drain_status(tmp_path))
    told: list[int] = []

    def until() -> bool:
        told.append(bytes_not_stored(tmp_path, drain_status(tmp_path)))
        return store.records == 640

    drained(tmp_path, store, until)
    assert any(0 < waiting < whole for waiting in told)
    assert told == sorted(told, reverse=True)
    assert bytes_not_stored(tmp_path, drain_status(tmp_path)) == 0
    journal.close()


def test_whoever_is_told_to_stop_stores_the_rest_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain_duty, "SECONDS_BETWEEN_LOOKS", 0.01)
    store, journal = Slow(0.05), written(tmp_path, 1000)
    journal.close()
    drained(tmp_path, store, lambda: bool(store.batches))
    assert store.records == 1000
    assert len([nice for nice, _ in store.batches if nice == NICENESS]) < 5


def test_a_thread_of_low_priority_lowers_no_other() -> None:
    low, seen = LowPriority(), []
    assert low.do(niceness, lambda: None, 0.1) == NICENESS
    low.do(lambda: time.sleep(0.05), lambda: seen.append(niceness()), 0.01)
    low.end()
    assert set(seen) == {NICENESS_HERE}


def test_what_a_thread_starts_has_its_priority() -> None:
    found: list[int] = []

    def lowered() -> None:
        lower_this_thread(NICENESS)
        started = threading.Thread(target=lambda: found.append(niceness()))
        started.start()
        started.join()

    thread = threading.Thread(target=lowered)
    thread.start()
    thread.join()
    assert found == [NICENESS]


def test_nothing_waits_for_two_rounds_because_each_of_them_was_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain_duty, "SECONDS_UNHURRIED", 1.0)
    monkeypatch.setattr(drain_duty, "SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr(drain_duty, "SECONDS_BETWEEN_ROUNDS", 0.0)
    store, journal = Slow(0.1), written(tmp_path, 8 * UNHURRIED.records)

    def until() -> bool:
        if journal.last_number < 20 * UNHURRIED.records and store.records:  # written while the first round goes on
            for _ in range(12 * UNHURRIED.records):
                journal.append(VIEW)
        return store.records == journal.last_number

    drained(tmp_path, store, until)
    at_low_priority = sum(records for nice, records in store.batches if nice == NICENESS)
    assert 0 < at_low_priority < 14 * UNHURRIED.records
    journal.close()
