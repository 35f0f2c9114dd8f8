"""Who drains, what the others hear of it, and when a worker gives the store up."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit_trail.draining import Drained, StoreDown
from audit_trail.journal import Frame, JournalError, JournalWriter
from audit_trail.record import PageViewRecord, decode, encode
from cds_service.audit import CallLog
from cds_service.drain_duty import DrainDuty, bytes_not_stored, drain_status
from cds_service.journal_of_worker import JournalOfWorker
from cds_service.metrics import Metrics, shared_folder
from cds_service.operator_log import OperatorLog
from cds_service.recording import Recorder
from tests.cds_service.real_service import until

VIEW = PageViewRecord(at=datetime(2026, 11, 25, tzinfo=UTC), page="patient", handle="h")


class Memory:
    """A store that can be switched off."""

    def __init__(self) -> None:
        self.frames: dict[str, list[Frame]] = {}
        self.down = False

    def last_number(self, writer: str) -> int:
        if self.down:
            raise StoreDown("switched off")
        return len(self.frames.get(writer, ()))

    def append(self, writer: str, frames: Sequence[Frame]) -> int:
        if self.down:
            raise StoreDown("switched off")
        self.frames.setdefault(writer, []).extend(frames)
        return 0


class Counted:
    def __init__(self) -> None:
        self.records = 0

    def __call__(self, drained: Drained) -> None:
        self.records += drained.records


def a_duty(folder: Path, store: Memory, counted: Counted | None = None) -> DrainDuty:
    return DrainDuty(folder, lambda: store, OperatorLog("error"), counted or Counted())


def written(folder: Path, records: int) -> JournalWriter:
    journal = JournalWriter(folder, "w")
    for _ in range(records):
        journal.append(encode(VIEW))
    return journal


def test_one_process_has_the_duty_and_another_gets_it_when_it_is_left(tmp_path: Path) -> None:
    one, other = a_duty(tmp_path, Memory()), a_duty(tmp_path, Memory())
    assert one.take()
    assert one.take()
    assert not other.take()
    one.leave()
    assert other.take()
    other.leave()


def test_a_duty_taken_before_a_fork_stays_with_the_child(tmp_path: Path) -> None:
    duty = a_duty(tmp_path, Memory())
    assert duty.take()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        os.read(reading, 1)  # lives until the parent has looked
        os._exit(0)
    duty.leave()
    assert not a_duty(tmp_path, Memory()).take()
    os.close(writing)
    os.waitpid(child, 0)
    assert a_duty(tmp_path, Memory()).take()


def test_what_waits_is_told_and_gone_once_it_is_stored(tmp_path: Path) -> None:
    store, counted = Memory(), Counted()
    duty = a_duty(tmp_path, store, counted)
    journal = written(tmp_path, 3)
    assert bytes_not_stored(tmp_path, drain_status(tmp_path)) > 0
    assert duty.round()
    assert bytes_not_stored(tmp_path, drain_status(tmp_path)) == 0
    assert counted.records == 3
    assert [decode(frame.content) for frame in store.frames["w"]] == [VIEW] * 3
    journal.append(encode(VIEW))
    assert bytes_not_stored(tmp_path, drain_status(tmp_path)) > 0
    journal.close()


def test_what_a_round_met_before_the_store_went_down_is_counted_and_told(tmp_path: Path) -> None:
    class TakesOne(Memory):
        def append(self, writer: str, frames: Sequence[Frame]) -> int:
            if self.frames:
                raise StoreDown("switched off")
            super().append(writer, frames)
            return len(frames)  # all of them set aside

    store, counted = TakesOne(), Counted()
    duty = a_duty(tmp_path, store, counted)
    for writer in ("one", "other"):
        journal = JournalWriter(tmp_path, writer)
        journal.append(encode(VIEW))
        journal.close()
    assert not duty.round()
    assert counted.records == 1
    assert drain_status(tmp_path).damage.set_aside == 1
    assert not duty.round()
    assert counted.records == 1
    assert drain_status(tmp_path).damage.set_aside == 1


def test_a_store_that_is_down_is_told_and_said_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store = Memory()
    duty = a_duty(tmp_path, store)
    journal = written(tmp_path, 2)
    store.down = True
    assert not duty.round()
    since = drain_status(tmp_path).down_since
    assert since > 0
    assert not duty.round()
    assert drain_status(tmp_path).down_since == since
    assert capfd.readouterr().err.count("out of reach") == 1
    store.down = False
    assert duty.round()
    assert drain_status(tmp_path).down_since == 0
    assert len(store.frames["w"]) == 2
    journal.close()


def test_a_defect_of_the_store_does_not_end_the_draining(tmp_path: Path) -> None:
    store = Memory()
    journal = written(tmp_path, 1)
    duty = a_duty(tmp_path, store)
    store.frames["w"] = None  # type: ignore[assignment]
    assert not duty.round()
    store.frames.clear()
    assert duty.round()
    assert len(store.frames["w"]) == 1
    journal.close()


def test_a_worker_drains_where_nobody_else_does_and_gives_the_store_up_after_a_while(tmp_path: Path) -> None:
    store = Memory()
    worker = JournalOfWorker(tmp_path, lambda: a_duty(tmp_path, store), patience=0.3)
    try:
        worker.append(VIEW)
        until(lambda: len(store.frames.get(worker.writer, ())) == 1)
        assert not worker.given_up
        until(lambda: worker.health() == {"state": "recording", "bytesWaiting": 0})
        store.down = True
        worker.append(VIEW)
        until(lambda: worker.given_up)
        assert "out of reach" in str(worker.health()["state"])
        assert worker.numbers()["audit_store_up"][1] == 0
        store.down = False
        until(lambda: not worker.given_up)
    finally:
        worker.stop()
    assert [frame.number for frame in store.frames[next(iter(store.frames))]] == [1, 2]


def test_a_journal_that_fails_is_told_until_it_works_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = JournalOfWorker(tmp_path, lambda: a_duty(tmp_path, Memory()))
    try:
        worker.append(VIEW)
        with monkeypatch.context() as broken:
            broken.setattr("os.writev", no_space)
            with pytest.raises(OSError, match="No space left"):
                worker.append(VIEW)
        assert "cannot be written" in str(worker.health()["state"])
        assert worker.numbers()["audit_journal_up"][1] == 0
        assert worker.append(VIEW) == 2
        assert worker.health()["state"] == "recording"
    finally:
        worker.stop()


def test_a_worker_that_can_begin_no_journal_says_so_and_begins_one_as_soon_as_it_can(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "journal"
    folder.write_text("in the way")
    worker = JournalOfWorker(folder, lambda: a_duty(folder, Memory()))
    recorder = Recorder(CallLog("error", b"key"), OperatorLog("error"), Metrics(), worker)
    recorder.start()
    assert "no journal can be begun" in capfd.readouterr().err
    with pytest.raises(JournalError):
        recorder.keep(VIEW)
    assert "cannot be written" in str(worker.health()["state"])
    folder.unlink()
    assert recorder.keep(VIEW).endswith("-1")
    recorder.stop()


def no_space(*_: object) -> int:
    raise OSError(28, "No space left on device")


def test_a_process_that_forks_gets_a_journal_of_its_own(tmp_path: Path) -> None:
    store = Memory()
    worker = JournalOfWorker(tmp_path, lambda: a_duty(tmp_path, store))
    worker.append(VIEW)
    child = os.fork()
    if not child:
        code = 0 if worker.append(VIEW) == 1 else 1
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert worker.append(VIEW) == 2
    until(lambda: sorted(len(frames) for frames in store.frames.values()) == [1, 2])
    worker.stop()


def test_the_counts_of_processes_that_died_are_cleared_away(tmp_path: Path) -> None:
    parent = tmp_path / "metrics"
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    for name in (str(child), str(os.getppid())):
        (parent / name).mkdir(parents=True)
    folder = shared_folder(parent, os.getpid())
    assert {path.name for path in parent.iterdir()} == {str(os.getppid()), str(os.getpid())}
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "counter_1.db").write_text("")
    assert list(shared_folder(parent, os.getpid()).iterdir()) == []
