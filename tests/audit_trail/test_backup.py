"""A backup is one state of the store, whole or refused, and can be restored into either database."""

from __future__ import annotations

import io
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import zstandard
from sqlalchemy import select

from audit_trail.backup import BackupError, back_up, restore
from audit_trail.checkpoints import checkpoints_in, make_checkpoint
from audit_trail.database import reading
from audit_trail.retention import Why, prune_before
from audit_trail.store import Store
from audit_trail.tables import DERIVED, RECORD, WRITER
from audit_trail.verification import verify
from tests.audit_trail.stores import (
    DATABASES,
    NOON,
    a_decision,
    a_report,
    a_store,
    an_access,
    fill,
    frames,
    new_address,
    tampered,
)
from tests.audit_trail.test_verification import KEYS, SIGNER


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with reading(store.engine) as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(select(table)))
            for table in (RECORD, WRITER, *DERIVED)
        }


def backed_up(store: Store) -> bytes:
    file = io.BytesIO()
    back_up(store, file)
    return file.getvalue()


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store, "worker-1", 300)
    store.append("worker-2", frames([a_report(3), an_access(), a_decision(1000, at=NOON + timedelta(days=9))]))
    make_checkpoint(store, SIGNER, NOON)
    prune_before(store, NOON + timedelta(seconds=20), Why(writer="machine", by="ada", because="r", now=NOON))
    return store


@pytest.mark.parametrize("database", DATABASES)
def test_a_backup_restored_is_the_same_store_on_either_database(filled: Store, database: str, tmp_path: Path) -> None:
    with a_store(new_address(database, tmp_path)) as other:
        assert restore(other, io.BytesIO(backed_up(filled))) == 305
        assert everything(other) == everything(filled)
        assert verify(other, KEYS, checkpoints_in(filled)).sound
        fill(other, "worker-1", 3, first=301)  # it goes on
        assert verify(other, KEYS).sound


def test_a_backup_while_records_arrive_is_one_state_of_the_store(store: Store, tmp_path: Path) -> None:
    fill(store, "worker-1", 200)
    stop = threading.Event()

    def write() -> None:
        number = 201
        while not stop.is_set():
            store.append("worker-1", frames([a_decision(number), an_access()], number))
            number += 2

    writing = threading.Thread(target=write)
    writing.start()
    try:
        backups = [backed_up(store) for _ in range(3)]
    finally:
        stop.set()
        writing.join()
    for place, backup in enumerate(backups):
        with a_store(new_address("sqlite", tmp_path / str(place))) as other:
            assert restore(other, io.BytesIO(backup)) % 2 == 0  # never half a batch
            assert verify(other, {}).sound
    assert verify(store, {}).sound


def test_a_damaged_backup_is_refused_whole(filled: Store, tmp_path: Path) -> None:
    backup = backed_up(filled)
    middle = len(backup) // 2
    damaged = {
        "empty": b"",
        "another file": b"PK" + backup[2:],
        "cut off": backup[:middle],
        "without its end": backup[:-20],
        "a byte changed": backup[:middle] + bytes([backup[middle] ^ 1]) + backup[middle + 1 :],
    }
    head, _, packed = backup.partition(b"\n")
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    where = plain.index(b"decision-150")
    changed = plain[:where] + b"decision-999" + plain[where + 12 :]
    damaged["a content changed"] = head + b"\n" + zstandard.ZstdCompressor().compress(changed)
    with a_store(new_address("sqlite", tmp_path)) as other:
        for name, content in damaged.items():
            with pytest.raises(BackupError):
                restore(other, io.BytesIO(content))
            assert everything(other) == {table.name: [] for table in (RECORD, WRITER, *DERIVED)}, name
        assert restore(other, io.BytesIO(backup)) == 305


def test_a_backup_of_a_store_that_had_been_changed_names_the_record(filled: Store, tmp_path: Path) -> None:
    tampered(filled, "UPDATE record SET at = at + 1 WHERE writer = 'worker-1' AND number = 77")
    with a_store(new_address("sqlite", tmp_path)) as other, pytest.raises(BackupError, match="worker-1-77"):
        restore(other, io.BytesIO(backed_up(filled)))


def test_a_backup_is_restored_into_an_empty_store_only(filled: Store) -> None:
    before = everything(filled)
    with pytest.raises(BackupError, match="empty"):
        restore(filled, io.BytesIO(backed_up(filled)))
    assert everything(filled) == before


def test_an_empty_store_has_a_backup_too(store: Store, tmp_path: Path) -> None:
    backup = backed_up(store)
    with a_store(new_address("sqlite", tmp_path)) as other:
        assert restore(other, io.BytesIO(backup)) == 0
