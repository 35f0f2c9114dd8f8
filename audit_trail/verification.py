"""Is the store still what was written? Every chain from first to last record, every column, every checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct
from sqlalchemy import Connection, Row, Table, func, select

from audit_trail.chain import Link, beginning, hash_of, hash_of_content
from audit_trail.checkpoints import is_signed_by
from audit_trail.columns import rows_of
from audit_trail.database import reading
from audit_trail.kinds_of_values import any_text_is_read, first_of_another_kind
from audit_trail.record import CheckpointRecord, Record, RecordSpan, TombstoneRecord, UnknownRecord, decode, record_id
from audit_trail.store import Store, understood
from audit_trail.tables import DERIVED, RECORD, SET_ASIDE, WRITER, microseconds

_BATCH: Final = 500


class Broken(Struct, frozen=True):
    """One place where the store is not what was written: a record, or the end of a chain."""

    writer: str
    number: int
    what: str

    def __str__(self) -> str:
        return f"{record_id(self.writer, self.number)}: {self.what}" if self.writer else self.what


class Verified(Struct, frozen=True, kw_only=True):
    """What was found. ``broken``: the first broken link of each chain, then what checkpoints and columns miss.

    ``lost``: numbers that never reached the store, as a journal was damaged; the chain itself holds there.
    ``set_aside``: records that are whole, and that lists and numbers do not know.
    """

    writers: int = 0
    records: int = 0
    pruned: int = 0
    checkpoints: int = 0  # in the store and outside, all found true
    broken: tuple[Broken, ...] = ()
    lost: tuple[RecordSpan, ...] = ()
    set_aside: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Is everything as it was written?"""
        return not self.broken


def verify(store: Store, keys: Mapping[str, Ed25519PublicKey], anchored: Iterable[CheckpointRecord] = ()) -> Verified:
    """Checks the whole store as it stands at one moment; ``anchored``: checkpoints that were kept outside it."""
    with reading(store.engine) as connection, any_text_is_read(connection):
        unreadable = first_of_another_kind(connection)
        if unreadable is not None:  # what follows would end in an error, and name nothing
            return Verified(broken=(Broken(*unreadable),))
        return _Verification(connection, keys).of(tuple(anchored))


class _Verification:
    def __init__(self, connection: Connection, keys: Mapping[str, Ed25519PublicKey]) -> None:
        self._connection = connection
        self._keys = keys
        self._broken: list[Broken] = []
        self._missed: list[Broken] = []  # by checkpoints
        self._lost: list[RecordSpan] = []
        self._set_aside: list[str] = []
        self._records = self._pruned = 0
        self._true: set[bytes] = set()  # signatures of checkpoints that hold
        self._rows = dict.fromkeys(DERIVED, 0)
        self._columns_differ = False
        self._tombstones = _spans(connection)

    def of(self, anchored: tuple[CheckpointRecord, ...]) -> Verified:
        ends = {row.writer: row for row in self._connection.execute(select(WRITER))}
        found = self._connection.scalars(select(RECORD.c.writer).distinct())
        writers = sorted({*ends, *found})
        for writer in writers:
            self._chain(writer, ends.get(writer))
        self._count_columns()
        for each in anchored:
            self._checkpoint(each, "a checkpoint kept outside the store")
        return Verified(
            writers=len(writers),
            records=self._records,
            pruned=self._pruned,
            checkpoints=len(self._true),
            broken=(*self._broken, *self._missed),
            lost=tuple(self._lost),
            set_aside=tuple(self._set_aside),
        )

    def _chain(self, writer: str, end: Row[Any] | None) -> None:
        before, number = beginning(writer), 0
        whole = True  # of each chain the first break is named; what follows from it is not
        for batch in self._batches(writer):
            rows = self._columns(writer, batch[0].number, batch[-1].number)
            for record in batch:
                problem = self._record(record, before, rows) if whole else ""
                if problem:
                    self._broken.append(Broken(writer, record.number, problem))
                    whole = False
                if whole and record.number > number + 1:
                    self._lost.append(RecordSpan(writer, number + 1, record.number - 1))
                self._records += 1
                before, number = record.hash, record.number
        if not whole:
            return
        if end is None:
            self._broken.append(Broken(writer, number, "the store does not know of this chain: it was put in"))
        elif (end.number, end.hash) != (number, before):
            said = f"the chain ends here, and should end with record {end.number}"
            self._broken.append(Broken(writer, number, said))

    def _batches(self, writer: str) -> Iterator[list[Row[Any]]]:
        query = select(RECORD).where(RECORD.c.writer == writer).order_by(RECORD.c.number).limit(_BATCH)
        batch = list(self._connection.execute(query))
        while batch:
            yield batch
            batch = list(self._connection.execute(query.where(RECORD.c.number > batch[-1].number)))

    def _record(self, row: Row[Any], before: bytes, rows: _Rows) -> str:
        """What is wrong with a record; nothing where it is what was written."""
        link = Link(row.writer, row.number, row.kind, microseconds(row.at), row.content_hash)
        if hash_of(link, before) != row.hash:
            return "not linked to the record before it: one was changed, deleted, put in or moved here"
        if row.content is None:
            self._pruned += 1
            return (
                "" if self._is_buried(row.writer, row.number) else "its content was deleted, and no tombstone says so"
            )
        if hash_of_content(row.content) != row.content_hash:
            return "its content was changed"
        if row.kind == SET_ASIDE:
            self._set_aside.append(record_id(row.writer, row.number))
            return self._columns_of(row, None, rows)
        found = understood(row.content)
        if (found.kind, microseconds(found.at), len(row.content)) != (row.kind, link.at, row.size):
            return "its kind, moment or size are not those of its content"
        if isinstance(found.record, CheckpointRecord):
            self._checkpoint(found.record, f"the checkpoint in {record_id(row.writer, row.number)}")
        return self._columns_of(row, found.record, rows)

    def _columns_of(self, row: Row[Any], record: Record | None, rows: _Rows) -> str:
        wanted = {} if record is None else rows_of(row.writer, row.number, record)
        for table in DERIVED:
            there = rows[table].get(row.number, [])
            self._rows[table] += len(there)
            names = [column.name for column in table.columns]
            made = sorted(tuple(each[name] for name in names) for each in wanted.get(table, ()))
            if made != sorted(there):
                self._columns_differ = True
                return f"the columns that lists and numbers read ({table.name}) are not those of the record"
        return ""

    def _columns(self, writer: str, first: int, last: int) -> _Rows:
        found: _Rows = {}
        for table in DERIVED:
            mine = found[table] = {}
            column = table.c
            query = select(table).where(column.writer == writer, column.number.between(first, last))
            for row in self._connection.execute(query):
                mine.setdefault(row.number, []).append(tuple(row))
        return found

    def _count_columns(self) -> None:
        """Rows that belong to no record: put in, so that numbers lie."""
        if self._broken:
            return  # chains were not read to their ends
        for table, seen in self._rows.items():
            there = self._connection.scalar(select(func.count()).select_from(table)) or 0
            if there != seen:
                said = f"{there - seen} rows that lists and numbers read ({table.name}) belong to no record"
                self._broken.append(Broken("", 0, said))

    def _checkpoint(self, checkpoint: CheckpointRecord, name: str) -> None:
        name = f"{name} ({checkpoint.at:%Y-%m-%d %H:%M:%S} UTC)"
        key = self._keys.get(checkpoint.key)
        if key is None:
            said = f"{name} is signed with key {checkpoint.key or 'unknown'}, which is not among those given"
            self._missed.append(Broken("", 0, said))
            return
        if not is_signed_by(checkpoint, key):
            self._missed.append(Broken("", 0, f"{name} is forged or was changed: its signature is wrong"))
            return
        missed = [found for head in checkpoint.heads if (found := self._head(head.writer, head.number, head.hash))]
        for writer, number, what in missed:
            self._missed.append(Broken(writer, number, f"{what}, says {name}"))
        if not missed:
            self._true.add(checkpoint.signature)

    def _head(self, writer: str, number: int, seen: bytes) -> tuple[str, int, str] | None:
        query = select(RECORD.c.hash).where(RECORD.c.writer == writer, RECORD.c.number == number)
        there = self._connection.scalar(query)
        if there == seen:
            return None
        if there is not None:
            return writer, number, "this chain was written anew: its hash was another"
        earlier = select(func.max(RECORD.c.number)).where(RECORD.c.writer == writer, RECORD.c.number < number)
        last = self._connection.scalar(earlier) or 0
        return writer, last + 1, f"the chain was cut off: it went on to record {number}"

    def _is_buried(self, writer: str, number: int) -> bool:
        return any(span.first <= number <= span.last for span in self._tombstones.get(writer, ()))


_Rows = dict[Table, dict[int, list[tuple[Any, ...]]]]


def _spans(connection: Connection) -> dict[str, list[RecordSpan]]:
    """What tombstones say was pruned, by writer."""
    found: dict[str, list[RecordSpan]] = {}
    for content in connection.scalars(select(RECORD.c.content).where(RECORD.c.kind == "tombstone")):
        try:
            record = decode(content or b"")
        except UnknownRecord:
            continue  # its own chain is broken there
        if isinstance(record, TombstoneRecord):
            for span in record.spans:
                found.setdefault(span.writer, []).append(span)
    return found
