"""The store: records behind the chains of their writers, with the columns that lists and numbers need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import URL, Connection, Engine, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from audit_trail.chain import Link, beginning, hash_of, hash_of_content
from audit_trail.columns import rows_of
from audit_trail.database import StoreBusy, connect_to, reading, writing
from audit_trail.draining import RecordRefused, StoreDown
from audit_trail.inserting import insert_rows
from audit_trail.journal import Frame
from audit_trail.record import AccessRecord, ChainHead, Record, UnknownRecord, decode, encode
from audit_trail.schema import prepare, require_current
from audit_trail.tables import EPOCH, RECORD, SET_ASIDE, WRITER, microseconds

UNREADABLE: Final = "unreadable"  # kept as it came: written by a later version, or damaged before it came here


class NotRecorded(StoreDown):
    """Somebody's access could not be recorded, so there is none."""


class Understood(Struct, frozen=True):
    """A record as the store files it."""

    kind: str
    at: datetime
    record: Record | None


def understood(content: bytes) -> Understood:
    """Kind and moment of a record, and the record where this version can read it."""
    try:
        record = decode(content)
    except UnknownRecord:
        return Understood(UNREADABLE, EPOCH, None)
    return Understood(str(type(record).__struct_config__.tag), record.at, record)


class Store:
    """The audit store of one process. Safe to share by threads; made after a fork, never before."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._usable = False
        self._heads: dict[str, ChainHead] = {}  # of the chains that this process writes

    @property
    def engine(self) -> Engine:
        """For transactions on a store whose schema is this version's; ``StoreDown`` where it is not, or unreachable."""
        if not self._usable:
            require_current(self._engine)
            self._usable = True
        return self._engine

    @property
    def for_migration(self) -> Engine:
        """For transactions that change the schema, whatever it is."""
        return self._engine

    def prepare(self) -> None:
        """At a start: makes the tables of a new store, or brings them up to date where that is safe."""
        prepare(self._engine)

    def last_number(self, writer: str) -> int:
        """The number of this writer's last stored record; 0 where there is none."""
        with reading(self.engine) as connection:
            number = connection.scalar(select(WRITER.c.number).where(WRITER.c.writer == writer))
        return number or 0

    def heads(self) -> tuple[ChainHead, ...]:
        """How far each chain has come."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(WRITER).order_by(WRITER.c.writer)).all()
        return tuple(ChainHead(row.writer, row.number, row.hash) for row in rows)

    def append(self, writer: str, frames: Sequence[Frame]) -> int:
        """Stores these records behind the writer's chain, all or none; what is stored already is passed over.

        A record whose columns cannot be made or taken holds up nothing: it is set aside. How many were is answered.
        """
        try:
            self._together(writer, frames)
        except RecordRefused:
            return sum(self._alone(writer, frame) for frame in frames)
        return 0

    def _together(self, writer: str, frames: Sequence[Frame], set_aside: bool = False) -> None:
        try:
            with writing(self.engine) as connection:
                head = append_to(connection, self._head(connection, writer), frames, set_aside)
        except StoreDown:
            self._usable = False  # its schema may have been changed, and may be changed back
            raise
        self._heads[writer] = head

    def _alone(self, writer: str, frame: Frame) -> bool:
        try:
            self._together(writer, (frame,))
        except RecordRefused:
            self._together(writer, (frame,), set_aside=True)
            return True
        return False

    def add(self, writer: str, record: Record) -> int:
        """Stores one record at once, as its writer's next, without a journal; returns its number."""
        with writing(self.engine) as connection:
            return add_to(connection, writer, record)

    def accessed(self, writer: str, access: AccessRecord) -> None:
        """Records an access before it happens; where it cannot be recorded it must not happen."""
        try:
            self.add(writer, access)
        except StoreBusy:
            raise  # the same, and soon over
        except StoreDown as problem:
            raise NotRecorded(f"the access could not be recorded: {problem}") from None

    def close(self) -> None:
        """Gives the connections back."""
        self._engine.dispose()

    def _head(self, connection: Connection, writer: str) -> ChainHead:
        """Where the chain goes on: behind what this process itself stored last, whatever the store says by now.

        A tail that somebody cut off meanwhile then shows as a broken link.
        """
        stored = head_for_writing(connection, writer)
        own = self._heads.get(writer)
        return stored if own is None or own.number < stored.number else own


def open_store(url: URL, unhurried: bool = False, patience: float | None = None) -> Store:
    """The store at that address; it connects when it is first used.

    ``unhurried``: statements may take their time; ``patience``: seconds that what others hold is waited for.
    """
    return Store(connect_to(url, statement_ms=0) if unhurried else connect_to(url, patience=patience))


def head_for_writing(connection: Connection, writer: str) -> ChainHead:
    """The end of a writer's chain, locked until this transaction ends."""
    query = select(WRITER).where(WRITER.c.writer == writer).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        values = {"writer": writer, "number": 0, "hash": beginning(writer)}
        connection.execute(insert_once(connection, WRITER), values)
        row = connection.execute(query).one()
    return ChainHead(row.writer, row.number, row.hash)


def insert_once(connection: Connection, table: Table) -> Any:
    """An insert that passes over rows that are there."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def add_to(connection: Connection, writer: str, record: Record) -> int:
    """One record behind a writer's chain, in a transaction that is under way."""
    head = head_for_writing(connection, writer)
    return append_to(connection, head, (Frame(head.number + 1, encode(record)),)).number


def _columns_of(writer: str, number: int, record: Record) -> Mapping[Table, Sequence[dict[str, Any]]]:
    try:
        return rows_of(writer, number, record)
    except Exception as problem:  # noqa: BLE001  a defect in one column must not keep all records out of the store
        raise RecordRefused(f"columns cannot be made: {type(problem).__name__}") from None


def append_to(connection: Connection, head: ChainHead, frames: Iterable[Frame], set_aside: bool = False) -> ChainHead:
    """These records behind that end of a chain, with their columns unless they are set aside; the new end."""
    records: list[dict[str, Any]] = []
    rows: dict[Table, list[dict[str, Any]]] = {}
    writer, number, before = head.writer, head.number, head.hash
    for frame in frames:
        if frame.number <= number:
            continue
        found = Understood(SET_ASIDE, EPOCH, None) if set_aside else understood(frame.content)
        digest = hash_of_content(frame.content)
        link = Link(writer, frame.number, found.kind, microseconds(found.at), digest)
        number, before = frame.number, hash_of(link, before)
        records.append(
            {
                "writer": writer,
                "number": number,
                "kind": found.kind,
                "at": found.at,
                "size": len(frame.content),
                "content": frame.content,
                "content_hash": digest,
                "hash": before,
            }
        )
        if found.record is not None:
            for table, more in _columns_of(writer, number, found.record).items():
                rows.setdefault(table, []).extend(more)
    if not records:
        return head
    insert_rows(connection, RECORD, records)
    for table, more in rows.items():
        insert_rows(connection, table, more)
    connection.execute(update(WRITER).where(WRITER.c.writer == writer).values(number=number, hash=before))
    return ChainHead(writer, number, before)
