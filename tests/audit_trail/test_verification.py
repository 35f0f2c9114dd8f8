"""Whatever is changed in the store behind the service's back, verify names the place; an untouched store is whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Column, select, update
from sqlalchemy.exc import DBAPIError

from audit_trail.chain import Link, hash_of, hash_of_content
from audit_trail.checkpoints import (
    CheckpointLineError,
    KeyProblem,
    Signer,
    as_line,
    checkpoints_in,
    fingerprint_of,
    from_line,
    make_checkpoint,
    public_key_at,
    public_pem,
    signer_at,
)
from audit_trail.database import reading, writing
from audit_trail.record import ChainHead, CheckpointRecord, RecordSpan, TombstoneRecord, decode, encode
from audit_trail.store import Store, add_to
from audit_trail.tables import DERIVED, RECORD, WRITER, microseconds
from audit_trail.verification import Verified, verify
from tests.audit_trail.stores import NOON, a_content, a_decision, a_report, a_view, an_access, fill, frames, tampered

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(b"a key of the tests, 32 bytes lon"))
KEYS = {SIGNER.fingerprint: SIGNER.public_key}


@pytest.fixture
def filled(store: Store) -> Store:
    """Two writers, every kind of record, and a checkpoint in the middle."""
    fill(store, "worker-1", 12)
    store.append("worker-2", frames([a_decision(21), a_report(3), a_view(4), an_access(), a_content("text")]))
    make_checkpoint(store, SIGNER, NOON)
    fill(store, "worker-1", 3, first=13)
    return store


def places(found: Verified) -> list[tuple[str, int]]:
    return [(each.writer, each.number) for each in found.broken]


def test_an_untouched_store_is_whole(filled: Store) -> None:
    found = verify(filled, KEYS)
    assert found == Verified(writers=3, records=21, checkpoints=1)
    assert found.sound


def test_an_empty_store_is_whole(store: Store) -> None:
    assert verify(store, {}) == Verified()


HASH = "(SELECT hash FROM record WHERE writer = 'worker-1' AND number = {})"
ALL = ("record", *(table.name for table in DERIVED))


@dataclass
class Tampering:
    """What somebody did, and what of it verify must name first."""

    name: str
    statements: tuple[str, ...]
    writer: str
    number: int
    said: str


ONE = "WHERE writer = 'worker-1' AND number ="
TAMPERINGS = [
    Tampering(
        "a content is edited",
        (f"UPDATE record SET content = (SELECT content FROM record {ONE} 6) {ONE} 5",),
        "worker-1", 5, "content was changed",
    ),
    Tampering(
        "a content is edited, and its own hash with it",
        (
            f"UPDATE record SET (content, content_hash) = (SELECT content, content_hash FROM record {ONE} 6) {ONE} 5",
        ),
        "worker-1", 5, "not linked",
    ),
    Tampering("a hash is edited", (f"UPDATE record SET hash = content_hash {ONE} 5",), "worker-1", 5, "not linked"),
    Tampering("a moment is edited", (f"UPDATE record SET at = at + 1 {ONE} 5",), "worker-1", 5, "not linked"),
    Tampering("a kind is edited", (f"UPDATE record SET kind = 'access' {ONE} 5",), "worker-1", 5, "not linked"),
    Tampering(
        "a record is deleted with all its columns",
        tuple(f"DELETE FROM {table} {ONE} 5" for table in ALL),
        "worker-1", 6, "not linked",
    ),
    Tampering("a content is deleted", (f"UPDATE record SET content = NULL {ONE} 5",), "worker-1", 5, "no tombstone"),
    Tampering(
        "the first record is deleted",
        tuple(f"DELETE FROM {table} {ONE} 1" for table in ALL),
        "worker-1", 2, "not linked",
    ),
    Tampering(
        "a record is put in where a number is free",
        (
            "UPDATE record SET number = number + 100 WHERE writer = 'worker-1' AND number > 5",
            f"INSERT INTO record SELECT writer, 6, kind, at, size, content, content_hash, hash FROM record {ONE} 5",
        ),
        "worker-1", 6, "not linked",
    ),
    Tampering(
        "two records change places",
        (
            f"UPDATE record SET number = 1000 {ONE} 5",
            f"UPDATE record SET number = 5 {ONE} 6",
            f"UPDATE record SET number = 6 {ONE} 1000",
        ),
        "worker-1", 5, "not linked",
    ),
    Tampering(
        "two writers are swapped",
        (
            "UPDATE record SET writer = 'x' WHERE writer = 'worker-1'",
            "UPDATE record SET writer = 'worker-1' WHERE writer = 'worker-2'",
            "UPDATE record SET writer = 'worker-2' WHERE writer = 'x'",
        ),
        "worker-1", 1, "not linked",
    ),
    Tampering(
        "records are copied to a writer of their own",
        (("INSERT INTO record SELECT 'worker-9', number, kind, at, size, content, content_hash, hash FROM record "
         "WHERE writer = 'worker-1'"),),
        "worker-9", 1, "not linked",
    ),
    Tampering(
        "the tail is cut off",
        tuple(f"DELETE FROM {table} WHERE writer = 'worker-1' AND number > 13" for table in ALL),
        "worker-1", 13, "should end with record 15",
    ),
    Tampering(
        "a whole chain is deleted, and its end with it",
        tuple(f"DELETE FROM {table} WHERE writer = 'worker-2'" for table in (*ALL, "writer")),
        "worker-2", 1, "cut off: it went on to record 5",
    ),
    Tampering(
        "the tail is cut off, and the end of the chain made to fit",
        (
            *(f"DELETE FROM {table} WHERE writer = 'worker-1' AND number > 11" for table in ALL),
            f"UPDATE writer SET number = 11, hash = {HASH.format(11)} WHERE writer = 'worker-1'",
        ),
        "worker-1", 12, "cut off: it went on to record 12",
    ),
    Tampering(
        "a rating is edited in the columns alone",
        (f"UPDATE judged_order SET rating = 'appropriate' {ONE} 5",),
        "worker-1", 5, "(judged_order)",
    ),
    Tampering("a card is deleted in the columns alone", (f"DELETE FROM card {ONE} 5",), "worker-1", 5, "(card)"),
    Tampering(
        "an override is edited in the columns alone",
        ("UPDATE feedback SET outcome = 'accepted'",),
        "worker-2", 2, "(feedback)",
    ),
    Tampering(
        "a gap is put into the columns of a call",
        (("INSERT INTO noted SELECT writer, number, 77, at, decision, service, client, tenant, user_id, silent, topic, "
         f"lines FROM noted {ONE} 5 AND part = 0"),),
        "worker-1", 5, "(noted)",
    ),
    Tampering(
        "an access is put into the columns without a record",
        (("INSERT INTO access SELECT 'worker-9', number, at, decision, service, client, tenant, user_id, silent, role, "
         "through, action, filter, records FROM access"),),
        "", 0, "(access) belong to no record",
    ),
    Tampering(
        "the end of a chain is deleted",
        ("DELETE FROM writer WHERE writer = 'worker-2'",),
        "worker-2", 5, "does not know of this chain",
    ),
]  # fmt: skip


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda each: each.name)
def test_tampering_is_named(filled: Store, tampering: Tampering) -> None:
    tampered(filled, *tampering.statements)
    found = verify(filled, KEYS)
    first = found.broken[0]
    assert (first.writer, first.number) == (tampering.writer, tampering.number)
    assert tampering.said in first.what
    assert not found.sound


OTHER_KINDS = {
    "a text for a content": ("record", "content = 'text'"),
    "a text that is no UTF-8 for a content": ("record", "content = CAST(x'ff00' AS TEXT)"),
    "a text for a moment": ("record", "at = '2020-01-01 00:00:00'"),
    "a moment beyond the calendar": ("record", "at = 9000000000000000000"),
    "a number for a hash": ("record", "hash = 7"),
    "a text for a size": ("record", "size = 'big'"),
    "a moment of a list beyond the calendar": ("decision", "at = -9000000000000000000"),
    "a text for a time that was taken": ("decision", "ms = 'long'"),
    "bytes for a text": ("judged_order", "rating = x'ff'"),
}


@pytest.mark.parametrize(("table", "change"), OTHER_KINDS.values(), ids=list(OTHER_KINDS))
def test_a_value_of_a_kind_that_was_never_written_is_named_and_stops_nothing(
    filled: Store, table: str, change: str
) -> None:
    """SQLite takes any value in any column: none may end verify in an error that names no record."""
    sqlite = filled.engine.dialect.name == "sqlite"
    try:
        tampered(filled, f"UPDATE {table} SET {change} {ONE} 5")
    except DBAPIError:
        assert not sqlite, "it refuses nothing of the kind"
        return
    first = verify(filled, KEYS).broken[0]
    assert (first.writer, first.number) == ("worker-1", 5)
    assert "another kind" in first.what or not sqlite


def test_a_text_that_is_no_utf_8_is_a_changed_text(filled: Store) -> None:
    if filled.engine.dialect.name != "sqlite":
        return  # no other database stores one
    tampered(filled, f"UPDATE record SET kind = CAST(x'ff' AS TEXT) {ONE} 5")
    first = verify(filled, KEYS).broken[0]
    assert (first.writer, first.number) == ("worker-1", 5)
    assert "not linked" in first.what


def another(value: Any) -> Any:
    """A value that is not this one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    return f"{value}x" if isinstance(value, str) else (value or 0) + 5000


def test_no_value_in_any_column_of_any_table_can_be_changed_unnoticed(filled: Store) -> None:
    """One cell of each column, one after the other; each is put back before the next."""
    unnoticed = []
    for table in (RECORD, WRITER, *DERIVED):
        with reading(filled.engine) as connection:
            row = connection.execute(select(table).order_by(*table.primary_key)).mappings().first()
        assert row is not None, table.name
        for column in table.columns:
            was, key = row[column.name], {each.name: row[each.name] for each in table.primary_key}
            now = another(was)
            assert set_cell(filled, column, key, now) == 1
            if verify(filled, KEYS).sound:
                unnoticed.append(f"{table.name}.{column.name}")
            changed = {**key, column.name: now} if column.name in key else key
            assert set_cell(filled, column, changed, was) == 1
    assert unnoticed == []
    assert verify(filled, KEYS).sound


def set_cell(store: Store, column: Column[Any], key: dict[str, Any], value: Any) -> int:
    table = column.table
    wanted = [table.c[name] == each for name, each in key.items()]
    with writing(store.engine) as connection:
        return connection.execute(update(table).where(*wanted).values({column: value})).rowcount


def test_of_each_chain_the_first_broken_link_is_named(filled: Store) -> None:
    tampered(
        filled,
        "UPDATE record SET content_hash = hash WHERE writer = 'worker-1' AND number IN (4, 9)",
        "UPDATE record SET content_hash = hash WHERE writer = 'worker-2' AND number = 2",
    )
    assert places(verify(filled, KEYS)) == [("worker-1", 4), ("worker-2", 2)]


def rechained(store: Store, writer: str, before: bytes, first: int) -> None:
    """Every hash of a chain made anew from there on, and its end: what whoever knows the algorithm can do."""
    with writing(store.engine) as connection:
        query = select(RECORD).where(RECORD.c.writer == writer, RECORD.c.number >= first).order_by(RECORD.c.number)
        for row in connection.execute(query).all():
            digest = hash_of_content(row.content)
            before = hash_of(Link(writer, row.number, row.kind, microseconds(row.at), digest), before)
            mine = (RECORD.c.writer == writer) & (RECORD.c.number == row.number)
            connection.execute(RECORD.update().where(mine).values(content_hash=digest, hash=before))
        connection.execute(WRITER.update().where(WRITER.c.writer == writer).values(hash=before))


def test_a_chain_that_was_written_anew_is_missed_by_the_checkpoint(filled: Store) -> None:
    kept = checkpoints_in(filled)
    with reading(filled.engine) as connection:
        before = connection.scalar(select(RECORD.c.hash).where(RECORD.c.writer == "worker-1", RECORD.c.number == 4))
    tampered(filled, f"UPDATE record SET content = (SELECT content FROM record {ONE} 6) {ONE} 5")
    tampered(filled, *(f"DELETE FROM {table.name} {ONE} 5" for table in DERIVED if "writer" in table.c))
    rechained(filled, "worker-1", before or b"", 5)
    found = verify(filled, KEYS)
    assert ("worker-1", 12) in places(found)
    assert any("written anew" in each.what for each in found.broken)
    # Without the checkpoint in the store, the one that was kept outside says so all the same.
    tampered(filled, *(f"DELETE FROM {table} WHERE writer = '{SIGNER.writer}'" for table in ("record", "writer")))
    assert ("worker-1", 12) in places(verify(filled, KEYS, kept))


def test_a_cut_off_chain_of_checkpoints_is_missed_by_the_newest_one_outside(filled: Store) -> None:
    newest = make_checkpoint(filled, SIGNER, NOON + timedelta(hours=1))
    assert newest is not None
    tampered(
        filled,
        f"DELETE FROM record WHERE writer = '{SIGNER.writer}'",
        f"DELETE FROM writer WHERE writer = '{SIGNER.writer}'",
    )
    assert verify(filled, KEYS).sound  # nothing in the store tells
    assert (SIGNER.writer, 1) in places(verify(filled, KEYS, [newest]))


def forged(checkpoint: CheckpointRecord, **changes: object) -> CheckpointRecord:
    return msgspec.structs.replace(checkpoint, **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"heads": (ChainHead("worker-1", 5, b"\x00" * 32),)}, "forged"),
        ({"at": NOON + timedelta(days=1)}, "forged"),
        ({"signature": b"\x00" * 64}, "forged"),
        ({"signature": b""}, "forged"),
        ({"key": "0" * 32}, "not among those given"),
    ],
    ids=["heads", "moment", "signature", "no-signature", "key"],
)
def test_a_forged_checkpoint_is_named(filled: Store, changes: dict[str, object], said: str) -> None:
    wrong = forged(checkpoints_in(filled)[0], **changes)
    assert said in verify(filled, KEYS, [wrong]).broken[0].what
    with writing(filled.engine) as connection:
        add_to(connection, "worker-3", wrong)
    assert said in verify(filled, KEYS).broken[0].what


def test_a_checkpoint_of_somebody_elses_key_is_named(filled: Store) -> None:
    other = Signer(Ed25519PrivateKey.generate())
    assert make_checkpoint(filled, other, NOON) is not None
    found = verify(filled, KEYS)
    assert [each.what for each in found.broken if "not among those given" in each.what]
    assert verify(filled, {**KEYS, other.fingerprint: other.public_key}).sound


def test_numbers_that_never_reached_the_store_are_told_and_break_no_chain(store: Store) -> None:
    store.append("worker-1", frames([a_decision(1), a_decision(2)]))
    store.append("worker-1", frames([a_decision(6)], first=6))
    found = verify(store, {})
    assert found.sound
    assert found.lost == (RecordSpan("worker-1", 3, 5),)


def test_a_tombstone_that_was_never_written_by_the_service_buries_what_it_names_and_stays_in_sight(
    filled: Store,
) -> None:
    """The chain cannot tell whose a tombstone is: it is kept for good, with who and why, and counted as pruned."""
    tampered(filled, *(f"DELETE FROM {table.name} {ONE} 5" for table in DERIVED))
    tampered(filled, f"UPDATE record SET content = NULL {ONE} 5")
    assert not verify(filled, KEYS).sound
    buried = TombstoneRecord(at=NOON, by="x", because="y", spans=(RecordSpan("worker-1", 5, 5),), records=1)
    filled.add("worker-3", buried)
    found = verify(filled, KEYS)
    assert (found.sound, found.pruned) == (True, 1)


# --- checkpoints themselves -------------------------------------------------------------------------------------------


def test_a_checkpoint_names_the_chains_that_went_on_since_the_last_one(filled: Store) -> None:
    first = checkpoints_in(filled)[0]
    assert [(head.writer, head.number) for head in first.heads] == [("worker-1", 12), ("worker-2", 5)]
    second = make_checkpoint(filled, SIGNER, NOON + timedelta(hours=1))
    assert second is not None
    assert [(head.writer, head.number) for head in second.heads] == [(SIGNER.writer, 1), ("worker-1", 15)]
    assert make_checkpoint(filled, SIGNER, NOON + timedelta(hours=2)) is None  # nothing has been added
    filled.append("worker-2", frames([an_access()], first=6))
    third = make_checkpoint(filled, SIGNER, NOON + timedelta(hours=3))
    assert third is not None
    assert [(head.writer, head.number) for head in third.heads] == [(SIGNER.writer, 2), ("worker-2", 6)]
    assert verify(filled, KEYS, [first, second, third]) == Verified(writers=3, records=24, checkpoints=3)


def test_a_checkpoint_is_the_same_as_a_line(filled: Store) -> None:
    checkpoint = checkpoints_in(filled)[0]
    line = as_line(checkpoint)
    assert "\n" not in line
    assert from_line(line) == checkpoint
    assert decode(encode(checkpoint)) == checkpoint
    assert verify(filled, KEYS, [from_line(line.replace(" ", ""))]).sound


@pytest.mark.parametrize("line", ["", "{}", "x", '{"at":"2026-11-25T12:00:00Z","key":"k","heads":[],"signature":"?"}'])
def test_a_line_that_is_no_checkpoint_is_refused(line: str) -> None:
    with pytest.raises(CheckpointLineError):
        from_line(line)


def test_the_key_is_made_once_and_readable_by_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "state" / "audit-key.pem"
    first = signer_at(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert signer_at(path).fingerprint == first.fingerprint
    assert [each.name for each in path.parent.iterdir()] == ["audit-key.pem"]
    (tmp_path / "public.pem").write_text(public_pem(first.public_key), encoding="ascii")
    assert fingerprint_of(public_key_at(tmp_path / "public.pem")) == first.fingerprint


def test_a_key_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "no-key").write_text("no key", encoding="ascii")
    for path in (tmp_path / "no-key", tmp_path):
        with pytest.raises(KeyProblem, match=str(path)):
            signer_at(path)
        with pytest.raises(KeyProblem, match=str(path)):
            public_key_at(path)


def test_every_member_of_a_place_counts_in_its_hash() -> None:
    link = Link("worker-1", 5, "decision", microseconds(NOON), b"c" * 32)
    before = b"b" * 32
    usual = hash_of(link, before)
    others = [
        hash_of(msgspec.structs.replace(link, **{name: value}), before)
        for name, value in (
            ("writer", "worker-2"), ("number", 6), ("kind", "access"), ("at", 0), ("content_hash", b"d" * 32),
        )
    ]  # fmt: skip
    assert len({usual, *others, hash_of(link, b"x" * 32)}) == 7
    shifted = hash_of(msgspec.structs.replace(link, writer="worker-1d", kind="ecision"), before)
    assert shifted != usual  # a letter that moves from one member to the next
