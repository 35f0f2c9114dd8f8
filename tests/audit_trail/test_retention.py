"""What is pruned is gone, its place in the chain stays, and a tombstone says what, when, by whom and why."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from audit_trail.backup import back_up
from audit_trail.database import reading, sqlite_address
from audit_trail.queries import Queries
from audit_trail.record import Record, RecordSpan, TombstoneRecord, decode
from audit_trail.retention import Pruned, Why, prune_before, prune_patient
from audit_trail.selection import Selection
from audit_trail.store import Store
from audit_trail.tables import DERIVED, RECORD
from audit_trail.verification import verify
from tests.audit_trail.stores import (
    NOON,
    a_content,
    a_decision,
    a_report,
    a_store,
    a_view,
    an_access,
    fill,
    frames,
)

LATER = NOON + timedelta(days=400)
WHY = Why(writer="machine", by="ada", because="retention: 365 days", now=LATER)
EVERYTHING = Selection(since=NOON - timedelta(days=1), until=LATER + timedelta(days=1))


def tombstones(store: Store) -> list[TombstoneRecord]:
    with reading(store.engine) as connection:
        query = select(RECORD.c.content).where(RECORD.c.kind == "tombstone").order_by(RECORD.c.number)
        return [decode(content) for content in connection.scalars(query)]  # type: ignore[misc]


def kept(store: Store) -> list[tuple[str, int, str]]:
    with reading(store.engine) as connection:
        query = select(RECORD.c.writer, RECORD.c.number, RECORD.c.kind).where(RECORD.c.content.is_not(None))
        return [tuple(row) for row in connection.execute(query.order_by(RECORD.c.writer, RECORD.c.number))]


def test_what_is_older_is_pruned_and_the_chain_holds(store: Store) -> None:
    fill(store, "worker-1", 4)
    store.append("worker-2", frames([a_report(1), a_view(1), an_access(), a_decision(9, at=LATER)]))
    assert prune_before(store, NOON + timedelta(days=1), WHY) == Pruned(records=7, tombstones=1)
    assert kept(store) == [("machine", 1, "tombstone"), ("worker-2", 4, "decision")]
    assert tombstones(store) == [
        TombstoneRecord(
            at=LATER,
            by="ada",
            because="retention: 365 days",
            before=NOON + timedelta(days=1),
            spans=(RecordSpan("worker-1", 1, 4), RecordSpan("worker-2", 1, 3)),
            records=7,
        )
    ]
    found = verify(store, {})
    assert (found.sound, found.pruned) == (True, 7)
    with reading(store.engine) as connection:
        for table in DERIVED:
            assert connection.scalar(select(func.count()).select_from(table).where(table.c.writer == "worker-1")) == 0
    assert [each.decision for each in Queries(store).decisions(EVERYTHING)] == ["decision-9"]


def test_pruning_again_prunes_nothing(store: Store) -> None:
    fill(store)
    prune_before(store, LATER, WHY)
    assert prune_before(store, LATER, WHY) == Pruned()
    assert len(tombstones(store)) == 1


def test_records_go_on_behind_pruned_ones(store: Store) -> None:
    fill(store, "worker-1", 3)
    prune_before(store, LATER, WHY)
    fill(store, "worker-1", 3, first=4)
    assert store.last_number("worker-1") == 6
    assert verify(store, {}).sound


def test_much_is_pruned_in_portions_each_under_a_tombstone_of_its_own(store: Store) -> None:
    fill(store, "worker-1", 1200)
    assert prune_before(store, LATER, WHY) == Pruned(records=1200, tombstones=3)
    assert sum(each.records for each in tombstones(store)) == 1200
    assert verify(store, {}).sound


def test_a_running_service_prunes_much_in_several_goes(store: Store) -> None:
    fill(store, "worker-1", 1200)
    assert prune_before(store, LATER, WHY, most=600) == Pruned(records=1000, tombstones=2, more=True)
    assert prune_before(store, LATER, WHY, most=600) == Pruned(records=200, tombstones=1)
    assert verify(store, {}).sound


def test_of_what_answers_were_made_by_repetitions_go_and_the_newest_stays(store: Store) -> None:
    contents = [a_content("old", NOON), a_content("old", NOON + timedelta(hours=1)), a_content("only", NOON)]
    store.append("worker-1", frames(contents))
    assert prune_before(store, LATER, WHY).records == 1
    assert Queries(store).has_content("digest of old")
    assert Queries(store).has_content("digest of only")
    assert [number for _, number, kind in kept(store) if kind == "content"] == [2, 3]


def test_tombstones_and_checkpoints_are_kept_for_good(store: Store) -> None:
    fill(store, "worker-1", 2)
    prune_before(store, LATER, WHY)
    assert prune_before(store, LATER + timedelta(days=9999), WHY) == Pruned()


def test_one_patients_calls_go_with_their_reports_and_page_views_and_nobody_elses(store: Store) -> None:
    calls = [
        a_decision(1, patient="p"),
        a_decision(2, patient="p"),
        a_decision(3, patient="q"),
        a_decision(4, patient="p", client="st-bea"),
    ]
    store.append("worker-1", frames(calls))
    reports: list[Record] = [a_report(1), a_report(3), a_report(4, client="st-bea"), a_view(2), a_view(3)]
    store.append("worker-2", frames(reports))
    why = Why(writer="machine", by="ada", because="asked for by the patient", now=NOON)
    assert prune_patient(store, "p", "st-anna", why).records == 4
    gone = {("worker-1", 1), ("worker-1", 2), ("worker-2", 1), ("worker-2", 4)}
    left = {(writer, number) for writer, number, kind in kept(store) if kind != "tombstone"}
    assert left == {("worker-1", 3), ("worker-1", 4), ("worker-2", 2), ("worker-2", 3), ("worker-2", 5)}
    assert {
        (span.writer, n) for each in tombstones(store) for span in each.spans for n in range(span.first, span.last + 1)
    } == gone
    assert all(each.because == "asked for by the patient" for each in tombstones(store))
    assert verify(store, {}).sound


@pytest.mark.parametrize("way", ["retention", "patient"])
def test_what_is_pruned_is_gone_from_the_files_too(tmp_path: Path, way: str) -> None:
    address = sqlite_address(tmp_path / "audit.sqlite3")
    with a_store(address) as store:
        records = [a_decision(each, patient="p", answer=b"canary in an answer", details=b"") for each in range(1, 40)]
        store.append("worker-1", frames(records))
        assert b"canary in an answer" in b"".join(each.read_bytes() for each in tmp_path.iterdir())
        if way == "retention":
            prune_before(store, LATER, WHY)
        else:
            prune_patient(store, "p", "st-anna", WHY)
        assert b"canary in an answer" not in b"".join(each.read_bytes() for each in tmp_path.iterdir())


def test_what_is_pruned_is_in_no_later_backup(store: Store, tmp_path: Path) -> None:
    fill(store)
    prune_before(store, LATER, WHY)
    with (tmp_path / "backup").open("wb") as file:
        back_up(store, file)
    assert (tmp_path / "backup").stat().st_size < 3000
