"""From the journals into a real store: each record once, in order, whatever happens to the store in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from audit_trail.database import sqlite_address
from audit_trail.draining import HURRIED, UNHURRIED, USUALLY, Drainer, Manner, StoreDown
from audit_trail.journal import Frame, JournalWriter, bytes_of, segments_of, writers_in
from audit_trail.packing import packed, unpacked
from audit_trail.record import DecisionRecord, PageViewRecord, decode, encode
from audit_trail.store import Store, open_store
from audit_trail.tables import RECORD
from audit_trail.verification import verify

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def a_view(number: int) -> bytes:
    return encode(PageViewRecord(at=NOON + timedelta(seconds=number), page="patient", handle=f"h{number}"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(sqlite_address(tmp_path / "audit.sqlite3"))
    opened.prepare()
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


class Failing:
    """A store that takes so many batches and then is down, before or after it has stored the batch."""

    def __init__(self, store: Store, batches: int, stores_first: bool = False) -> None:
        self._store = store
        self._left = batches
        self._stores_first = stores_first

    def last_number(self, writer: str) -> int:
        return self._store.last_number(writer)

    def append(self, writer: str, frames: Sequence[Frame]) -> int:
        self._left -= 1
        if self._left < 0:
            if self._stores_first:
                self._store.append(writer, frames)
            raise StoreDown("the network is gone")
        return self._store.append(writer, frames)


def handles(store: Store) -> list[str]:
    with store.engine.connect() as connection:
        rows = connection.scalars(select(RECORD.c.content).order_by(RECORD.c.writer, RECORD.c.number)).all()
    records = [decode(row) for row in rows]
    return [record.handle for record in records if isinstance(record, PageViewRecord)]


def expected(count: int) -> list[str]:
    return [f"h{number}" for number in range(1, count + 1)]


def fill(journal: JournalWriter, first: int, last: int) -> None:
    for number in range(first, last + 1):
        journal.append(a_view(number))


def test_a_living_writers_records_are_stored_as_they_come(folder: Path, store: Store) -> None:
    journal = JournalWriter(folder, "w")
    drainer = Drainer(folder, store)
    fill(journal, 1, 3)
    assert drainer.drain().records == 3
    assert drainer.drain().records == 0
    fill(journal, 4, 5)
    assert drainer.drain().records == 2
    assert handles(store) == expected(5)
    journal.close()


def test_files_that_are_stored_are_deleted_and_the_one_being_written_stays(folder: Path, store: Store) -> None:
    journal = JournalWriter(folder, "w", segment_bytes=300)
    fill(journal, 1, 30)
    assert len(segments_of(folder, "w")) > 3
    Drainer(folder, store).drain()
    assert len(segments_of(folder, "w")) == 1
    journal.roll_over()
    Drainer(folder, store).drain()
    assert bytes_of(folder) == {}
    fill(journal, 31, 40)
    journal.close()
    Drainer(folder, store).drain()
    assert writers_in(folder) == []
    assert handles(store) == expected(40)
    assert verify(store, {}).sound


@pytest.mark.parametrize("stores_first", [False, True])
def test_a_store_that_fails_in_the_middle_gets_each_record_once(folder: Path, store: Store, stores_first: bool) -> None:
    count = 3 * USUALLY.records + 7
    journal = JournalWriter(folder, "w", segment_bytes=20_000)
    fill(journal, 1, count)
    for batches in range(2):
        with pytest.raises(StoreDown):
            Drainer(folder, Failing(store, batches, stores_first)).drain()
    Drainer(folder, store).drain()
    assert handles(store) == expected(count)
    journal.close()
    Drainer(folder, store).drain()
    assert handles(store) == expected(count)
    assert verify(store, {}).sound


@pytest.mark.parametrize("stores_first", [False, True])
def test_what_a_dead_writer_left_is_stored_once_however_often_the_store_fails(
    folder: Path, store: Store, stores_first: bool
) -> None:
    journal = JournalWriter(folder, "w", segment_bytes=500)
    fill(journal, 1, 50)
    journal.close()
    for batches in (0, 1, 2):
        with pytest.raises(StoreDown):
            Drainer(folder, Failing(store, batches, stores_first)).drain_abandoned()
    assert Drainer(folder, store).drain_abandoned().lost == 0
    assert handles(store) == expected(50)
    assert writers_in(folder) == []


def test_two_writers_have_two_chains(folder: Path, store: Store) -> None:
    one, other = JournalWriter(folder, "a"), JournalWriter(folder, "b")
    fill(one, 1, 2)
    fill(other, 3, 5)
    Drainer(folder, store).drain()
    assert {head.writer: head.number for head in store.heads()} == {"a": 2, "b": 3}
    assert verify(store, {}).sound
    one.close()
    other.close()


def test_records_that_a_damaged_journal_lacks_are_counted_and_the_rest_is_stored(folder: Path, store: Store) -> None:
    journal = JournalWriter(folder, "w")
    fill(journal, 1, 4)
    journal.close()
    (path,) = segments_of(folder, "w")
    content = bytearray(path.read_bytes())
    second = content.index(b"h2")
    content[second] ^= 0xFF
    path.write_bytes(content)
    drained = Drainer(folder, store).drain()
    assert (drained.records, drained.lost) == (3, 1)
    assert handles(store) == ["h1", "h3", "h4"]
    verified = verify(store, {})
    assert verified.sound
    assert [(span.first, span.last) for span in verified.lost] == [(2, 2)]


def a_decision(number: int) -> bytes:
    body = packed(b",".join(b'{"resourceType":"Observation","id":"o-%d"}' % (number + each) for each in range(400)))
    return encode(
        DecisionRecord(decision=f"d{number}", at=NOON, outcome="left alone", status=200, service="s", request=body)
    )


def contents(store: Store) -> list[bytes]:
    with store.engine.connect() as connection:
        return list(connection.scalars(select(RECORD.c.content).order_by(RECORD.c.number)).all())


@pytest.mark.parametrize("manner", [USUALLY, UNHURRIED, HURRIED])
def test_however_it_is_stored_it_is_the_same_record_and_the_chain_is_whole(
    folder: Path, store: Store, manner: Manner
) -> None:
    journal = JournalWriter(folder, "w")
    written = [a_decision(number) for number in range(150)]
    for each in written:
        journal.append(each)
    assert Drainer(folder, store).drain(manner).records == 150
    found = contents(store)
    assert [plain(each) for each in found] == [plain(each) for each in written]
    assert (sum(map(len, found)) < 0.7 * sum(map(len, written))) == manner.tightly
    assert verify(store, {}).sound
    journal.close()


def plain(content: bytes) -> DecisionRecord:
    record = decode(content)
    assert isinstance(record, DecisionRecord)
    return replace(record, request=unpacked(record.request))


def test_it_ends_after_a_batch_where_it_is_not_to_go_on_and_the_next_one_goes_on_there(
    folder: Path, store: Store
) -> None:
    few = Manner(records=10)
    living, dead = JournalWriter(folder, "a", segment_bytes=600), JournalWriter(folder, "b", segment_bytes=600)
    fill(living, 1, 45)
    fill(dead, 46, 90)
    dead.close()
    drainer, stored = Drainer(folder, store), []
    while records := drainer.drain(few, lambda: False).records:
        stored.append(records)
    assert sum(stored) == 90
    assert max(stored) <= 10
    assert handles(store) == expected(90)
    assert writers_in(folder) == ["a"]
    assert verify(store, {}).sound
    living.close()
