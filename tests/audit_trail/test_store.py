"""Records go behind their writer's chain, once each, in order, all or none, whatever is in them and whoever writes."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import URL, Table, func, select, text

from audit_trail.columns import LONGEST, as_lines, column_text, line_of, rows_of
from audit_trail.database import StoreAddressError, StoreBusy, reading, sqlite_address, store_address, writing
from audit_trail.draining import StoreDown
from audit_trail.journal import Frame
from audit_trail.record import CardSummary, FeedbackRecord, OrderSummary, Record, UnknownRecord, decode, encode
from audit_trail.schema import derive_again
from audit_trail.store import UNREADABLE, NotRecorded, Store, open_store
from audit_trail.tables import CARD, DECISION, DERIVED, NOTED, RECORD
from audit_trail.verification import verify
from cards.ids import ids_of_call
from tests import postgres
from tests.audit_trail.stores import NOON, a_decision, a_report, a_store, an_access, fill, frames, tampered


def count(store: Store, table=RECORD) -> int:
    with reading(store.engine) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_records_are_there_again_to_the_byte(store: Store) -> None:
    written = frames([a_decision(1), an_access(), a_decision(2)])
    store.append("worker-1", written)
    with reading(store.engine) as connection:
        kept = connection.execute(select(RECORD.c.number, RECORD.c.content).order_by(RECORD.c.number)).all()
    assert [Frame(*row) for row in kept] == written
    assert store.last_number("worker-1") == 3
    assert store.last_number("worker-2") == 0


def test_what_is_stored_already_is_passed_over(store: Store) -> None:
    written = frames([a_decision(each) for each in range(1, 11)])
    store.append("worker-1", written[:6])
    store.append("worker-1", written[3:])
    store.append("worker-1", written)
    assert count(store) == 10
    assert verify(store, {}).sound


def test_a_batch_is_stored_whole_or_not_at_all(store: Store) -> None:
    fill(store, count=2)
    tampered(
        store,
        "INSERT INTO card SELECT writer, 4, part, at, decision, service, client, tenant, user_id, silent, "
        "uuid, indicator, topic, suggestions, procedure, situation, rating, rule_row FROM card WHERE number = 2",
    )
    with pytest.raises(StoreDown):
        store.append("worker-1", frames([a_decision(3), a_decision(4)], first=3))
    assert (count(store), count(store, DECISION), store.last_number("worker-1")) == (2, 2, 2)
    tampered(store, "DELETE FROM card WHERE number = 4")
    store.append("worker-1", frames([a_decision(3), a_decision(4)], first=3))
    assert verify(store, {}).sound


@pytest.mark.parametrize(
    "hostile",
    ["\x00", "a\x00b", "'; DROP TABLE record; --", "%s %(x)s ? :at", "\U0001f9b4" * 400, "x" * 1_000_000, "é" * 3000],
    ids=["nul", "nul-inside", "sql", "placeholders", "bones", "a-million", "accents"],
)
def test_whatever_a_caller_writes_is_stored_and_found(store: Store, hostile: str) -> None:
    record = a_decision(1, patient=hostile, user=hostile, hook_instance=hostile, tenant=hostile)
    store.append("worker-1", frames([record]))
    with reading(store.engine) as connection:
        wanted = select(DECISION.c.number).where(DECISION.c.patient_id == column_text(hostile))
        assert connection.scalar(wanted) == 1
        assert decode(connection.scalar(select(RECORD.c.content)) or b"") == record
    assert verify(store, {}).sound


def test_two_long_texts_that_begin_alike_stay_two() -> None:
    first, second = (column_text("x" * LONGEST + end) for end in "ab")
    assert first != second
    assert len(first) < LONGEST + 20
    assert column_text("\ud800") == "?"  # half a character, which no database takes


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ([], ""),
        (["a", "b", "a"], "\na\nb\n"),
        (["a\nb", "a b"], "\na b\n"),
        (["", "é"], "\n\né\n"),
        (["a\x00"], "\na\ufffd\n"),
        (["x" * (LONGEST + 1)], f"\n{column_text('x' * (LONGEST + 1))}\n"),
    ],
)
def test_values_of_a_topic_are_lines_each_once(values: list[str], lines: str) -> None:
    assert as_lines(values) == lines
    assert all(f"\n{line_of(value)}" in lines for value in values)


def test_bytes_that_no_version_can_read_are_kept_as_they_came(store: Store) -> None:
    store.append("worker-1", [Frame(1, b"\xc1 not a record"), *frames([a_decision(2)], first=2)])
    with reading(store.engine) as connection:
        row = connection.execute(select(RECORD).where(RECORD.c.number == 1)).one()
    assert (row.kind, row.content) == (UNREADABLE, b"\xc1 not a record")
    with pytest.raises(UnknownRecord):
        decode(row.content)
    assert verify(store, {}).sound


def test_columns_say_what_the_record_says(store: Store) -> None:
    store.append("worker-1", frames([a_decision(7)]))
    with reading(store.engine) as connection:
        call = connection.execute(select(DECISION)).one()
        card = connection.execute(select(CARD)).one()
        noted = connection.execute(select(NOTED.c.topic, NOTED.c.lines).order_by(NOTED.c.part)).all()
    assert (call.at, call.patient_id, call.indicator) == (NOON + timedelta(seconds=7), "patient-3", "warning")
    assert (card.rule_row, card.procedure) == ("acr-variant-1", "mri-lumbar-without-contrast")
    assert [tuple(row) for row in noted] == [
        ("gap", "\nCondition: failed\n"),
        ("unmapped code", "\nurn:example|local-7\n"),
        ("asked", "\nfever\n"),
        ("presumed", "\nsaddle-anaesthesia\ncancer\n"),
    ]


def test_each_card_is_filed_under_the_order_that_it_is_about() -> None:
    """Also the card of a deferral that a red flag has overtaken: it speaks of the red flag."""
    ids = ids_of_call("st-anna", "a-service", "an-instance", "a-digest")
    orders = (
        OrderSummary(reference="ServiceRequest/1", situation="not-appropriate", procedure="ct", row="row-1"),
        OrderSummary(reference="ServiceRequest/2", situation="deferred", procedure="mri", row="row-2"),
    )
    names = [("ServiceRequest/2", "emergency"), ("ServiceRequest/1", "not-appropriate"), ("both", "not-rated")]
    cards = tuple(CardSummary(uuid=ids.of("card", *name), indicator="info") for name in names)
    call = a_decision(1, service="a-service", hook_instance="an-instance", body_digest="a-digest", orders=orders)
    rows = rows_of("w", 1, msgspec.structs.replace(call, cards=cards))[CARD]
    assert [(row["procedure"], row["situation"], row["rule_row"]) for row in rows] == [
        ("mri", "emergency", "row-2"),
        ("ct", "not-appropriate", "row-1"),
        ("ct", "not-appropriate", "row-1"),  # about several: the first
    ]


def write_as(address: URL, writer: str) -> None:
    with a_store(address) as store:
        for number in range(1, 31, 3):
            store.append(writer, frames([a_decision(each) for each in range(number, number + 3)], number))


def test_many_processes_write_at_once_each_behind_its_own_chain(address: URL) -> None:
    writers = [f"worker-{each}" for each in range(6)]
    with multiprocessing.get_context("fork").Pool(3) as processes:
        processes.starmap(write_as, [(address, writer) for writer in writers])
    with a_store(address) as store:
        assert [(head.writer, head.number) for head in store.heads()] == [(writer, 30) for writer in writers]
        assert verify(store, {}).sound


def test_many_threads_share_one_chain(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(lambda _: store.add("machine", an_access()), range(40)))
    assert sorted(numbers) == list(range(1, 41))
    assert verify(store, {}).sound


def test_of_many_that_make_a_new_store_at_once_one_makes_it(address: URL) -> None:
    with multiprocessing.get_context("fork").Pool(4) as processes:
        processes.starmap(write_as, [(address, f"worker-{each}") for each in range(4)])
    with a_store(address) as store:
        assert count(store) == 120


def test_a_tail_that_is_cut_off_under_a_living_writer_shows_as_a_broken_link(store: Store) -> None:
    fill(store, count=10)
    with reading(store.engine) as connection:
        kept = connection.scalar(select(RECORD.c.hash).where(RECORD.c.number == 6)) or b""
    literal = f"x'{kept.hex()}'" if store.engine.dialect.name == "sqlite" else f"'\\x{kept.hex()}'"
    tampered(
        store,
        *(f"DELETE FROM {table.name} WHERE number > 6" for table in (RECORD, *DERIVED)),
        f"UPDATE writer SET number = 6, hash = {literal}",
    )
    assert verify(store, {}).sound  # no checkpoint was made, and nothing came since
    fill(store, count=2, first=11)
    broken = verify(store, {}).broken
    assert (broken[0].number, "not linked" in broken[0].what) == (11, True)


def test_an_access_that_cannot_be_recorded_does_not_happen(store: Store) -> None:
    tampered(store, "DROP TABLE access")
    with pytest.raises(NotRecorded):
        store.accessed("machine", an_access())
    assert count(store) == 0


@pytest.mark.parametrize("how", ["somebody writes", "nobody else can open it"])
def test_what_others_hold_is_waited_for_no_longer_than_is_bearable(tmp_path: Path, how: str) -> None:
    file = tmp_path / "audit.sqlite3"
    with a_store(sqlite_address(file)) as store:
        fill(store)
    store = open_store(sqlite_address(file), patience=0.3)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        if how == "nobody else can open it":
            other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(StoreBusy):
            store.accessed("machine", an_access())
        assert time.monotonic() - began < 2.5
        other.execute("ROLLBACK")
    store.accessed("machine", an_access())
    store.close()


def test_a_table_that_others_hold_is_waited_for_no_longer_than_is_bearable() -> None:
    address = store_address(postgres.new_database())
    with a_store(address) as store, closing(open_store(address, patience=0.3)) as hasty:
        assert hasty.last_number("machine") == 0
        with writing(store.engine) as connection:
            connection.exec_driver_sql("LOCK TABLE record, writer IN ACCESS EXCLUSIVE MODE")
            began = time.monotonic()
            with pytest.raises(StoreBusy):
                hasty.last_number("machine")
            with pytest.raises(StoreBusy):
                hasty.accessed("machine", an_access())
            assert time.monotonic() - began < 5
        hasty.accessed("machine", an_access())


def test_a_file_is_readable_by_nobody_else(tmp_path: Path) -> None:
    file = tmp_path / "new" / "audit.sqlite3"
    with a_store(sqlite_address(file)) as store:
        fill(store)
        for each in file.parent.iterdir():  # the log written ahead as well
            assert stat.S_IMODE(each.stat().st_mode) == 0o600
        with reading(store.engine) as connection:
            assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
            assert connection.scalar(text("PRAGMA synchronous")) == 2  # full: the journal is deleted afterwards
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_store_that_cannot_be_used_says_so_without_a_value(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.sqlite3"
    damaged.write_bytes(b"no database " * 1000)
    nobody = "postgresql://audit:secret@/none?host=" + str(tmp_path)
    for address in (sqlite_address(damaged), sqlite_address(tmp_path), store_address(nobody)):
        store = open_store(address)
        for use in (store.prepare, lambda store=store: store.append("worker-1", frames([a_decision(1)]))):
            with pytest.raises(StoreDown) as said:
                use()
            assert str(said.value)
            assert "secret" not in str(said.value)
            assert "patient-1" not in str(said.value)


def test_a_problem_of_the_database_repeats_no_value(store: Store) -> None:
    tampered(store, "DROP TABLE noted", "CREATE TABLE noted (writer INTEGER NOT NULL)")
    with pytest.raises(StoreDown) as said:
        store.append("worker-1", frames([a_decision(1, patient="canary")]))
    assert "canary" not in str(said.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://u:secret@h/d",
        "postgresql://u:secret@h",
        "/var/lib/x",
        "postgres",
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(StoreAddressError) as said:
        store_address(address)
    assert "secret" not in str(said.value)


def test_a_record_of_any_version_keeps_its_bytes() -> None:
    record = a_decision(1)
    assert encode(decode(encode(record))) == encode(record)


@pytest.mark.parametrize("record", [a_report(1, items=()), a_report(1, items=(), refused=3)], ids=["empty", "refused"])
def test_a_report_of_which_nothing_was_taken_is_stored_too_also_alone(store: Store, record: FeedbackRecord) -> None:
    store.append("worker-1", frames([record]))
    store.append("worker-1", frames([a_decision(1)], 2))
    assert store.last_number("worker-1") == 2
    assert verify(store, {}).sound
    with writing(store.engine) as connection:
        assert derive_again(connection) == 2
    assert verify(store, {}).sound


@pytest.mark.parametrize("poison", ["its columns cannot be made", "the driver cannot pass a number on"])
def test_one_record_that_cannot_be_filed_is_set_aside_and_holds_up_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, poison: str
) -> None:
    def poisoned(writer: str, number: int, record: Record) -> Mapping[Table, Sequence[dict[str, Any]]]:
        if number != 2:
            return rows_of(writer, number, record)
        if poison.startswith("its"):
            raise KeyError("canary")
        rows = rows_of(writer, number, record)
        return {
            table: [{**row, "cards": 10**30} if table is DECISION else row for row in more]
            for table, more in rows.items()
        }

    monkeypatch.setattr("audit_trail.store.rows_of", poisoned)
    written = frames([a_decision(1), a_decision(2), a_decision(3)])
    assert store.append("worker-1", written) == 1
    assert store.append("worker-1", written) == 0  # all of it is there
    monkeypatch.undo()
    assert (count(store), count(store, DECISION)) == (3, 2)
    with reading(store.engine) as connection:
        kept = connection.scalars(select(RECORD.c.content).order_by(RECORD.c.number)).all()
    assert list(kept) == [frame.content for frame in written]
    found = verify(store, {})
    assert found.sound
    assert found.set_aside == ("worker-1-2",)
    with writing(store.engine) as connection:
        derive_again(connection)
    assert verify(store, {}).sound


def test_a_record_that_was_filed_cannot_be_passed_off_as_set_aside(store: Store) -> None:
    fill(store, count=3)
    tampered(store, "UPDATE record SET kind = 'set-aside' WHERE number = 2")
    assert not verify(store, {}).sound
