"""From the journals into the store: in order, each record once, whenever the store can be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
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
from audit_trail.repacking import repacked


class Manner(Struct, frozen=True):
    """How records are stored: how many at once, and whether they are packed tightly first."""

    records: int = 200
    size: int = 8 * 1024 * 1024
    tightly: bool = True


USUALLY: Final = Manner()
UNHURRIED: Final = Manner(records=64, size=2 * 1024 * 1024)  # whoever waits for the store meanwhile waits for few
HURRIED: Final = Manner(tightly=False)


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


class _Interrupted(Exception):
    """The rest is left for later."""


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
        self._drained = Drained()
        self._manner = USUALLY
        self._goes_on: Callable[[], bool] = lambda: True

    @property
    def places(self) -> Mapping[str, Place]:
        """How far each living writer's journal has been stored."""
        return self._living

    @property
    def drained(self) -> Drained:
        """What the last round did, also one that ended half-way because the store was down."""
        return self._drained

    def drain(self, manner: Manner = USUALLY, goes_on: Callable[[], bool] = lambda: True) -> Drained:
        """Everything that is here by now; after any batch it may end, if it is not to go on."""
        self._manner, self._goes_on = manner, goes_on
        self._drained = Drained()
        with suppress(_Interrupted):
            self._everything()
        return self._drained

    def drain_abandoned(self) -> Drained:
        """What writers left behind that live no more, whoever they were on this machine."""
        self._drained = Drained()
        for writer in writers_in(self._folder):
            abandoned = claim_abandoned(self._folder, writer)
            if abandoned is not None:
                self._abandoned(abandoned)
        return self._drained

    def _everything(self) -> None:
        writers = writers_in(self._folder)
        for writer in writers:
            abandoned = claim_abandoned(self._folder, writer)
            if abandoned is None:
                self._alive(writer)
            else:
                self._living.pop(writer, None)
                self._abandoned(abandoned)
        for gone in self._living.keys() - set(writers):
            del self._living[gone]

    def _alive(self, writer: str) -> None:
        """What a living writer has written up to now; its finished files are deleted."""
        segments = segments_of(self._folder, writer)
        if not segments:
            return
        place = self._living.get(writer)
        if place is None:
            place = self._living[writer] = Place(self._store.last_number(writer))
        for path in segments[:-1]:
            self._segment(writer, path, place, None)
            path.unlink(missing_ok=True)
        self._segment(writer, segments[-1], place, segments[-1].stat().st_size)

    def _abandoned(self, abandoned: Abandoned) -> None:
        try:
            place = Place(self._store.last_number(abandoned.writer))
            for path in abandoned.segments():
                self._segment(abandoned.writer, path, place, None)
                path.unlink(missing_ok=True)
        except BaseException:
            abandoned.release()
            raise
        abandoned.finish()

    def _segment(self, writer: str, path: Path, place: Place, end: int | None) -> None:
        if place.path != path:
            place.path, place.offset = path, 0
        if end == place.offset:
            return
        for batch, offset in _batches(read_frames(path, place.offset, end), self._manner):
            fresh = [frame for frame in batch if frame.number > place.number]
            if fresh:
                self._store_these(writer, fresh, place)
            place.offset = offset
            if fresh and not self._goes_on():
                raise _Interrupted

    def _store_these(self, writer: str, frames: Sequence[Frame], place: Place) -> None:
        if self._manner.tightly:
            frames = [Frame(frame.number, repacked(frame.content)) for frame in frames]
        set_aside = self._store.append(writer, frames)
        lost = frames[-1].number - place.number - len(frames)
        before = self._drained
        self._drained = Drained(before.records + len(frames), before.lost + lost, before.set_aside + set_aside)
        place.number = frames[-1].number


def _batches(frames: Iterable[tuple[Frame, int]], manner: Manner) -> Iterator[tuple[list[Frame], int]]:
    batch: list[Frame] = []
    size = offset = 0
    for frame, offset in frames:
        batch.append(frame)
        size += len(frame.content)
        if len(batch) >= manner.records or size >= manner.size:
            yield batch, offset
            batch, size = [], 0
    if batch:
        yield batch, offset
