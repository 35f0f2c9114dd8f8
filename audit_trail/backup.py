"""Backup while the service runs, and restore into an empty store: the records with their chains, from any database.

A backup is one compressed file of one state of the store. It holds its own digest and can be restored into SQLite or
PostgreSQL; every hash is worked out again on the way in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import BinaryIO, Final

import msgspec
import zstandard
from msgspec import Struct
from sqlalchemy import func, insert, select

from audit_trail.chain import Link, beginning, hash_of, hash_of_content
from audit_trail.database import reading, writing
from audit_trail.inserting import insert_rows
from audit_trail.record import record_id
from audit_trail.schema import derive_again
from audit_trail.store import Store
from audit_trail.tables import RECORD, WRITER, microseconds, moment

_MAGIC: Final = b"lumbar-cds audit backup 1\n"
_LEVEL: Final = 3
_LENGTH_BYTES: Final = 4
_LARGEST: Final = 512 * 1024 * 1024
_BATCH: Final = 200


class BackupError(Exception):
    """A file that is no whole backup, or a store that it cannot be restored into."""


class _Record(Struct, frozen=True, array_like=True, gc=False):
    writer: str
    number: int
    kind: str
    at: int
    size: int
    content: bytes | None
    content_hash: bytes
    hash: bytes


class _End(Struct, frozen=True, array_like=True, tag="end"):
    records: int
    digest: bytes


_encode = msgspec.msgpack.Encoder().encode


def back_up(store: Store, file: BinaryIO) -> int:
    """Writes every record to the file; how many there were."""
    digest = sha256()
    records = 0
    file.write(_MAGIC)
    with (
        reading(store.engine) as connection,
        zstandard.ZstdCompressor(level=_LEVEL).stream_writer(file, closefd=False) as packed,
    ):

        def write(content: bytes) -> None:
            packed.write(len(content).to_bytes(_LENGTH_BYTES, "big") + content)

        query = select(RECORD).order_by(RECORD.c.writer, RECORD.c.number)
        for row in connection.execution_options(yield_per=_BATCH).execute(query):
            content = _encode(
                _Record(
                    row.writer, row.number, row.kind, microseconds(row.at), row.size, row.content, row.content_hash,
                    row.hash,
                )
            )  # fmt: skip
            digest.update(content)
            records += 1
            write(content)
        write(_encode(_End(records, digest.digest())))
    return records


def restore(store: Store, file: BinaryIO) -> int:
    """Puts a backup into an empty store, all or nothing; how many records there were."""
    with writing(store.engine) as connection:
        if connection.scalar(select(func.count()).select_from(RECORD)):
            raise BackupError("the store holds records already; a backup is restored into an empty one")
        ends: dict[str, tuple[int, bytes]] = {}
        batch: list[dict[str, object]] = []
        records = 0
        for record in _records_in(file):
            _check(record, ends)
            ends[record.writer] = (record.number, record.hash)
            batch.append({**msgspec.structs.asdict(record), "at": moment(record.at)})
            records += 1
            if len(batch) == _BATCH:
                insert_rows(connection, RECORD, batch)
                batch = []
        if batch:
            insert_rows(connection, RECORD, batch)
        if ends:
            rows = [{"writer": writer, "number": end[0], "hash": end[1]} for writer, end in ends.items()]
            connection.execute(insert(WRITER), rows)
        derive_again(connection)
    return records


def _check(record: _Record, ends: dict[str, tuple[int, bytes]]) -> None:
    number, before = ends.get(record.writer, (0, beginning(record.writer)))
    link = Link(record.writer, record.number, record.kind, record.at, record.content_hash)
    changed = record.content is not None and hash_of_content(record.content) != record.content_hash
    if changed or record.number <= number or hash_of(link, before) != record.hash:
        name = record_id(record.writer, record.number)
        raise BackupError(f"{name} is not what was written; what was backed up had been changed before")


def _records_in(file: BinaryIO) -> Iterator[_Record]:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise BackupError("not a backup of the audit store")
    digest = sha256()
    records = 0
    try:
        with zstandard.ZstdDecompressor().stream_reader(file, closefd=False) as packed:
            for content in _frames(packed.read):
                try:
                    record = msgspec.msgpack.decode(content, type=_Record)
                except msgspec.ValidationError:
                    end = msgspec.msgpack.decode(content, type=_End)
                    if (end.records, end.digest) == (records, digest.digest()):
                        return
                    raise BackupError("the backup was changed: its digest is another") from None
                digest.update(content)
                records += 1
                yield record
    except (zstandard.ZstdError, msgspec.DecodeError):
        raise BackupError("the backup is damaged") from None
    raise BackupError("the backup is cut off")


def _frames(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while True:
        head = read(_LENGTH_BYTES)
        length = int.from_bytes(head, "big")
        if len(head) < _LENGTH_BYTES or length > _LARGEST:
            return
        content = read(length)
        if len(content) < length:
            return
        yield content
