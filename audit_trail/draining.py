"""From the journals into the store: in order, each record once, whenever the store can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from audit_trail.journal import (
    Abandoned,
    Frame,
    claim_abandoned,
    read_frames,
    segments_of,
    writers_in,
)

BATCH_RECORDS: Final = 200
BATCH_BYTES: Final = 8 * 1024 * 1024


class StoreDown(Exception):
    """The store cannot be reached or does not take records at the moment. They stay in the journal."""


class RecordRefused(StoreDown):
    """The store can be reached, and cannot take these records as they are."""


class RecordStore(Protocol):
    """Where records end up."""

    def last_number(self, writer: str) -> int:
        """The number of this writer's last stored record; 0 where there is none. May raise ``StoreDown``."""
        ...

    def append(self, writer: str, frames: Sequence[Frame]) -> int:
        """Stores these records behind the writer's chain; those that are stored already are passed over.

        How many were set aside, since their columns could not be made or taken. May raise ``StoreDown``.
        """
        ...


class Drained(Struct, frozen=True):
    """What one round did. ``lost``: numbers that are missing from a damaged journal.

    ``set_aside``: records that are kept as they came, and that lists and numbers do not know.
    """

    records: int = 0
    lost: int = 0
    set_aside: int = 0


class Place(Struct):
    """How far one writer's journal has been stored."""

    number: int
    path: Path | None = None
    offset: int = 0


class Drainer:
    """Drains the journals of a folder: of living writers, and of those that have ended. One thread at a time."""

    def __init__(self, folder: Path, store: RecordStore) -> None:
        self._folder = folder
        self._store = store
        self._living: dict[str, Place] = {}

    @property
    def places(self) -> Mapping[str, Place]:
        """How far each living writer's journal has been stored."""
        return self._living

    def drain(self) -> Drained:
        """Everything that is here by now."""
        drained = Drained()
        writers = writers_in(self._folder)
        for writer in writers:
            abandoned = claim_abandoned(self._folder, writer)
            if abandoned is None:
                drained = self._alive(writer, drained)
            else:
                self._living.pop(writer, None)
                drained = self._abandoned(abandoned, drained)
        for gone in self._living.keys() - set(writers):
            del self._living[gone]
        return drained

    def drain_abandoned(self) -> Drained:
        """What writers left behind that live no more, whoever they were on this machine."""
        drained = Drained()
        for writer in writers_in(self._folder):
            abandoned = claim_abandoned(self._folder, writer)
            if abandoned is not None:
                drained = self._abandoned(abandoned, drained)
        return drained

    def _alive(self, writer: str, drained: Drained) -> Drained:
        """What a living writer has written up to now; its finished files are deleted."""
        segments = segments_of(self._folder, writer)
        if not segments:
            return drained
        place = self._living.get(writer)
        if place is None:
            place = self._living[writer] = Place(self._store.last_number(writer))
        for path in segments[:-1]:
            drained = self._segment(writer, path, place, None, drained)
            path.unlink(missing_ok=True)
        return self._segment(writer, segments[-1], place, segments[-1].stat().st_size, drained)

    def _abandoned(self, abandoned: Abandoned, drained: Drained) -> Drained:
        try:
            place = Place(self._store.last_number(abandoned.writer))
            for path in abandoned.segments():
                drained = self._segment(abandoned.writer, path, place, None, drained)
                path.unlink(missing_ok=True)
        except BaseException:
            abandoned.release()
            raise
        abandoned.finish()
        return drained

    def _segment(self, writer: str, path: Path, place: Place, end: int | None, drained: Drained) -> Drained:
        if place.path != path:
            place.path, place.offset = path, 0
        if end == place.offset:
            return drained
        for batch, offset in _batches(read_frames(path, place.offset, end)):
            fresh = [frame for frame in batch if frame.number > place.number]
            if fresh:
                set_aside = self._store.append(writer, fresh)
                lost = fresh[-1].number - place.number - len(fresh)
                drained = Drained(drained.records + len(fresh), drained.lost + lost, drained.set_aside + set_aside)
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
