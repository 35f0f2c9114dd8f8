"""From the journals into the store: in order, each record once, whenever the store can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from audit_trail.journal import (
    Abandoned,
    Frame,
    JournalWriter,
    claim_abandoned,
    read_frames,
    segments_of,
    writers_in,
)

BATCH_RECORDS: Final = 200
BATCH_BYTES: Final = 8 * 1024 * 1024
ROLL_OVER_BYTES: Final = 1024 * 1024  # an all but empty journal file is kept until it holds as much as this


class StoreDown(Exception):
    """The store cannot be reached or does not take records at the moment. They stay in the journal."""


class RecordStore(Protocol):
    """Where records end up."""

    def last_number(self, writer: str) -> int:
        """The number of this writer's last stored record; 0 where there is none. May raise ``StoreDown``."""
        ...

    def append(self, writer: str, frames: Sequence[Frame]) -> None:
        """Stores these records behind the writer's chain, all or none; those that are stored already are passed over.

        May raise ``StoreDown``.
        """
        ...


class Drained(Struct, frozen=True):
    """What one round did. ``lost``: numbers that are missing from a damaged journal."""

    records: int = 0
    lost: int = 0


class Place(Struct):
    """How far one writer's journal has been stored."""

    number: int
    path: Path | None = None
    offset: int = 0


class Drainer:
    """Drains the journal of a living writer, and those of writers that have ended. One thread at a time."""

    def __init__(self, folder: Path, store: RecordStore) -> None:
        self._folder = folder
        self._store = store
        self._own: Place | None = None

    def drain_own(self, journal: JournalWriter) -> Drained:
        """Everything that the living writer has written up to now; its finished files are deleted."""
        written = journal.written
        if self._own is None:
            self._own = Place(self._store.last_number(journal.writer))
        place = self._own
        drained = Drained()
        for path in segments_of(self._folder, journal.writer):
            end = written.size if path == written.path else None
            if path > written.path:  # begun since
                break
            drained = self._segment(journal.writer, path, place, end, drained)
            if path != written.path:
                path.unlink()
        if place.path == written.path and place.offset == written.size > ROLL_OVER_BYTES:
            journal.roll_over()
        return drained

    def drain_abandoned(self, own: str = "") -> Drained:
        """What writers left behind that live no more, whoever they were on this machine."""
        drained = Drained()
        for writer in writers_in(self._folder):
            if writer == own:
                continue
            abandoned = claim_abandoned(self._folder, writer)
            if abandoned is not None:
                drained = self._abandoned(abandoned, drained)
        return drained

    def _abandoned(self, abandoned: Abandoned, drained: Drained) -> Drained:
        try:
            place = Place(self._store.last_number(abandoned.writer))
            for path in abandoned.segments():
                drained = self._segment(abandoned.writer, path, place, None, drained)
                path.unlink()
        except BaseException:
            abandoned.release()
            raise
        abandoned.finish()
        return drained

    def _segment(self, writer: str, path: Path, place: Place, end: int | None, drained: Drained) -> Drained:
        if place.path != path:
            place.path, place.offset = path, 0
        for batch, offset in _batches(read_frames(path, place.offset, end)):
            fresh = [frame for frame in batch if frame.number > place.number]
            if fresh:
                self._store.append(writer, fresh)
                lost = fresh[-1].number - place.number - len(fresh)
                drained = Drained(drained.records + len(fresh), drained.lost + lost)
                place.number = fresh[-1].number
            place.offset = offset
        return drained


def _batches(frames: Iterable[tuple[Frame, int]]) -> Iterator[tuple[list[Frame], int]]:
    batch: list[Frame] = []
    size = offset = 0
    for frame, offset in frames:
        batch.append(frame)
        size += len(frame.content)
        if len(batch) >= BATCH_RECORDS or size >= BATCH_BYTES:
            yield batch, offset
            batch, size = [], 0
    if batch:
        yield batch, offset
