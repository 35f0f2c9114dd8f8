"""Who drains the journals of this machine into the store: one process at a time, whichever holds the duty.

`lumbar-cds serve` has a process of its own for it, so that no answer waits for the store. It drains when the processor
has nothing better to do, so that none waits for its processor either, and as fast as it can once records have waited
for long or too much waits: a burst of calls is taken, and what never ends is stored all the same. Should that process
die, a worker takes the duty over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from audit_trail.draining import HURRIED, UNHURRIED, USUALLY, Drained, Drainer, Manner, RecordStore, StoreDown
from audit_trail.journal import bytes_of, lock_file, release
from cds_service.audit import places
from cds_service.low_priority import LowPriority
from cds_service.operator_log import OperatorLog

SECONDS_BETWEEN_ROUNDS: Final = 0.25
SECONDS_BETWEEN_TRIES: Final = 2.0  # at a store that is down, or at a duty that another has
SECONDS_BETWEEN_KEEPINGS: Final = 5.0
SECONDS_FOR_THE_REST: Final = 10.0  # after the end of the service
# How long and how much may wait while answers take the whole processor. An override is respected, and the page behind a
# card's link is complete, once the record is in the store: seconds, not minutes. A disk has room for so much.
SECONDS_UNHURRIED: Final = 10.0
BYTES_UNHURRIED: Final = 256 * 1024 * 1024
SECONDS_BETWEEN_LOOKS: Final = 0.25  # at how long and how much
SECONDS_DAMAGE_IS_TOLD: Final = 86_400.0
_STATUS: Final = "drainer.json"
_DUTY: Final = "drainer.duty"

Stopping = Callable[[float], bool]  # waits so many seconds, and says whether it is time to stop


class Damage(Struct, frozen=True):
    """Records that did not reach the store as they should, and when that was noticed last."""

    set_aside: int = 0
    lost: int = 0
    at: float = 0.0

    @property
    def is_recent(self) -> bool:
        """Within the last day: long enough for somebody to see it."""
        return time.time() - self.at < SECONDS_DAMAGE_IS_TOLD

    def also(self, drained: Drained) -> Damage:
        """With what one more round met."""
        if not drained.set_aside and not drained.lost:
            return self
        before = self if self.is_recent else Damage()
        return Damage(before.set_aside + drained.set_aside, before.lost + drained.lost, time.time())


class DrainStatus(Struct, frozen=True, kw_only=True):
    """How draining goes, as the one that drains tells the others. Moments in seconds since 1970."""

    down_since: float = 0.0  # 0: the store takes records
    stored: dict[str, int] = {}  # file: bytes of it that are stored
    damage: Damage = Damage()


class DrainDuty:
    """Made in the process that takes it."""

    def __init__(
        self,
        folder: Path,
        open_store: Callable[[], RecordStore],
        operator: OperatorLog,
        stored: Callable[[Drained], None],
        keeping: Callable[[RecordStore], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._open_store = open_store
        self._operator = operator
        self._stored = stored
        self._keeping = keeping  # what else the store needs from time to time
        self._kept = -SECONDS_BETWEEN_KEEPINGS
        self._round_began = 0.0
        self._duty: int | None = None
        self._store: RecordStore | None = None
        self._drainer: Drainer | None = None
        self._down_since = 0.0
        self._damage = Damage()
        self._told = DrainStatus(down_since=-1.0)

    def take(self) -> bool:
        """Takes the duty, unless another process has it. A process that forks from this one has it too."""
        if self._duty is None:
            self._duty = lock_file(self._folder / _DUTY)
            self._damage = drain_status(self._folder).damage  # as whoever had the duty before left it
        return self._duty is not None

    def leave(self) -> None:
        """Gives the duty back; where a process that forked from this one has it, that one keeps it."""
        if self._duty is not None:
            release(self._duty)
            self._duty = None

    def run(self, stopping: Stopping) -> None:
        """Drains for as long as this process has the duty and is not to stop, beside other work."""
        self._rounds(stopping, self.round)
        if self._duty is not None:
            self.round()
            self.leave()

    def run_alone(self, stopping: Stopping) -> None:
        """The same in a process of its own, which yields to answers; and until nothing is left, within reason."""
        low = LowPriority()
        self._round_began = time.monotonic()
        self._rounds(stopping, lambda: self._yielding(low, stopping))
        low.end()
        if self._duty is None:
            return
        end = time.monotonic() + SECONDS_FOR_THE_REST
        while self.round(HURRIED) and bytes_of(self._folder) and time.monotonic() < end:
            time.sleep(SECONDS_BETWEEN_ROUNDS)
        self.leave()

    def _rounds(self, stopping: Stopping, one: Callable[[], bool]) -> None:
        pause = 0.0
        while not stopping(pause):
            goes_on = self.take() and one()
            pause = SECONDS_BETWEEN_ROUNDS if goes_on else SECONDS_BETWEEN_TRIES

    def _yielding(self, low: LowPriority, stopping: Stopping) -> bool:
        """A round at low priority. Where it takes too long or too much waits, another as fast as can be follows it."""
        hurry = threading.Event()
        # What waits has been written since the round before this one began, or later.
        end = self._round_began + SECONDS_UNHURRIED
        self._round_began = time.monotonic()

        def look() -> None:
            if time.monotonic() > end or self._waiting() > BYTES_UNHURRIED or stopping(0.0):
                hurry.set()

        goes_on = low.do(lambda: self.round(UNHURRIED, lambda: not hurry.is_set()), look, SECONDS_BETWEEN_LOOKS)
        if not goes_on or not hurry.is_set():
            return goes_on
        self._round_began = time.monotonic()
        return self.round(HURRIED)

    def round(self, manner: Manner = USUALLY, goes_on: Callable[[], bool] = lambda: True) -> bool:
        """Stores what is there, or a part of it where it is not to go on. False while the store is down."""

        def after_each_batch() -> bool:
            self._tell()
            return goes_on()

        try:
            self._drain(manner, after_each_batch)
        except StoreDown as problem:
            self._is_down(str(problem))
        except Exception as problem:  # noqa: BLE001  a defect must not end it: records would wait for ever
            self._is_down(f"{type(problem).__name__} at {places(problem)}")
        else:
            self._is_up()
        self._tell()
        return not self._down_since

    def _drain(self, manner: Manner, goes_on: Callable[[], bool]) -> None:
        if self._store is None:
            self._store = self._open_store()
        if self._drainer is None:
            self._drainer = Drainer(self._folder, self._store)
        try:
            self._drainer.drain(manner, goes_on)
        finally:  # what was stored, or found to be missing, before the store went down is not met again
            self._count(self._drainer.drained)
        if time.monotonic() - self._kept >= SECONDS_BETWEEN_KEEPINGS:
            self._kept = time.monotonic()
            self._keeping(self._store)

    def _count(self, drained: Drained) -> None:
        self._damage = self._damage.also(drained)
        if drained.records or drained.lost:
            self._stored(drained)
        if drained.set_aside:
            said = f"{drained.set_aside} records were kept without columns: lists and numbers do not know them"
            self._operator.write("error", "audit-store", f"{said}; lumbar-cds audit verify names them")
        if drained.lost:
            self._operator.write("error", "audit-journal", f"{drained.lost} records are missing from a journal")

    def _is_down(self, why: str) -> None:
        self._drainer = None  # where it had come to is asked of the store when it is back
        if not self._down_since:
            self._down_since = time.time()
            self._operator.write("error", "audit-store", f"out of reach, records wait in the journal: {why}")

    def _is_up(self) -> None:
        if self._down_since:
            seconds = round(time.time() - self._down_since)
            self._down_since = 0.0
            self._operator.write("info", "audit-store", f"takes records again, after {seconds} s")

    def _tell(self) -> None:
        """For the workers, whose health page and metrics say it."""
        status = DrainStatus(down_since=self._down_since, stored=self._so_far(), damage=self._damage)
        if status == self._told:
            return
        new = self._folder / f"{_STATUS}.new"
        try:
            new.write_bytes(msgspec.json.encode(status))
            new.replace(self._folder / _STATUS)
        except OSError:
            return  # the disk is full; the next round tries again
        self._told = status

    def _so_far(self) -> dict[str, int]:
        """How much of each file of a living writer is stored."""
        drainer = self._drainer
        found = () if drainer is None else tuple(drainer.places.values())
        return {place.path.name: place.offset for place in found if place.path is not None}

    def _waiting(self) -> int:
        return bytes_not_stored(self._folder, DrainStatus(stored=self._so_far()))


def drain_status(folder: Path) -> DrainStatus:
    """How draining goes at the moment."""
    try:
        return msgspec.json.decode((folder / _STATUS).read_bytes(), type=DrainStatus)
    except (OSError, msgspec.DecodeError):
        return DrainStatus()  # nobody has drained yet


def bytes_not_stored(folder: Path, status: DrainStatus) -> int:
    """How much waits in the journals."""
    return sum(max(0, size - status.stored.get(name, 0)) for name, size in bytes_of(folder).items())
