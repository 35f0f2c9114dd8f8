"""The journal of one worker process. Nothing here waits for the store on behalf of an answer.

What a worker leaves behind, killed or not, is drained by whoever has the duty: see ``drain_duty``.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from audit_trail.journal import JournalError, JournalWriter
from audit_trail.record import Record, encode
from cds_service.computing import LEAD
from cds_service.drain_duty import DrainDuty, DrainStatus, bytes_not_stored, drain_status
from cds_service.room_to_write import has_room

SECONDS_IDLE: Final = 30.0  # then a new file is begun, so that the one before can be deleted once it is stored
SECONDS_STATUS_HOLDS: Final = 1.0
SECONDS_FAILURE_HOLDS: Final = 60.0  # of the last record, should none come after it that can be kept
CANNOT_BE_WRITTEN: Final = "records cannot be written to the journal, see the log"
OUT_OF_REACH: Final = "the store is out of reach; records wait in the journal"


class JournalOfWorker:
    """Made once, before the workers fork; each process writes a journal of its own from its first record on."""

    def __init__(
        self, folder: Path, duty: Callable[[], DrainDuty], sync: bool = False, patience: float = 3600.0
    ) -> None:
        self._folder = folder
        self._duty = duty
        self._sync = sync
        self._patience = patience
        self._starting = threading.Lock()
        self._process = 0
        self._journal: JournalWriter | None = None
        self._threads: tuple[threading.Thread, ...] = ()
        self._stopping = threading.Event()
        self._failed_at = -SECONDS_FAILURE_HOLDS
        self._status: tuple[float, DrainStatus] = (-SECONDS_STATUS_HOLDS, DrainStatus())

    @property
    def writer(self) -> str:
        """The name of this process's chain."""
        return self._here().writer

    def append(self, record: Record) -> int:
        """Keeps the record, and returns its number; ``JournalError`` where it could not be kept."""
        if self._sync:
            LEAD.leave()  # the disk has to be waited for
        try:
            number = self._here().append(encode(record))
        except JournalError:
            self._failed_at = time.monotonic()
            raise
        self._failed_at = -SECONDS_FAILURE_HOLDS
        return number

    def start(self) -> None:
        """Begins this process's journal before the first call arrives."""
        self._here()

    def stop(self) -> None:
        """Ends the journal. What has not been stored is left for whoever has the duty."""
        if self._process != os.getpid() or self._journal is None:
            return
        self._journal.close()
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._process = 0

    def new_duty(self) -> DrainDuty:
        """The draining of this folder, for a process of its own."""
        return self._duty()

    @property
    def given_up(self) -> bool:
        """Has the store been out of reach for longer than the operator would wait?"""
        down = self._draining().down_since
        return bool(down) and time.time() - down > self._patience

    def numbers(self) -> dict[str, tuple[str, float]]:
        """For the metrics: how it stands at the moment."""
        status = drain_status(self._folder)
        waiting = bytes_not_stored(self._folder, status)
        return {
            "audit_store_up": ("1 while the audit store takes records.", not status.down_since),
            "audit_journal_up": ("1 while this worker can write records to its journal.", not self._failing()),
            "audit_journal_bytes_waiting": ("What waits in the journals of this machine to be stored.", waiting),
        }

    def health(self) -> dict[str, object]:
        """What `GET /health` says of the audit record."""
        status = drain_status(self._folder)
        said: dict[str, object] = {"state": "recording"}
        if self._failing():
            said["state"] = CANNOT_BE_WRITTEN
        elif status.down_since:
            said["state"] = OUT_OF_REACH
        if status.down_since:
            said["storeOutOfReachSeconds"] = round(time.time() - status.down_since)
        if status.damage.is_recent:
            said["recordsSetAside"], said["recordsLost"] = status.damage.set_aside, status.damage.lost
        said["bytesWaiting"] = bytes_not_stored(self._folder, status)
        return said

    def _failing(self) -> bool:
        """Was the last record refused, or would the next one be? Nobody may have called for a while."""
        return time.monotonic() - self._failed_at < SECONDS_FAILURE_HOLDS or not has_room(self._folder)

    def _draining(self) -> DrainStatus:
        now = time.monotonic()
        at, status = self._status
        if now - at >= SECONDS_STATUS_HOLDS:
            status = drain_status(self._folder)
            self._status = (now, status)
        return status

    def _here(self) -> JournalWriter:
        """This process's journal; a forked process begins its own."""
        journal = self._journal
        if journal is not None and self._process == os.getpid():
            return journal
        with self._starting:
            journal = self._journal
            if journal is None or self._process != os.getpid():
                journal = self._begin()
        return journal

    def _begin(self) -> JournalWriter:
        now, process = datetime.now(UTC), os.getpid()
        journal = JournalWriter(self._folder, f"{now:%Y%m%dT%H%M%S}-{process}-{secrets.token_hex(3)}", self._sync)
        self._journal, self._process, self._stopping = journal, process, threading.Event()
        self._threads = (
            threading.Thread(target=self._duty().run, name="drain", args=(self._stopping.wait,), daemon=True),
            threading.Thread(target=_tidy, name="journal", args=(journal, self._stopping), daemon=True),
        )
        for thread in self._threads:
            thread.start()
        return journal


def _tidy(journal: JournalWriter, stopping: threading.Event) -> None:
    """Where nothing has been written for a while, begins a new file."""
    last = 0
    while not stopping.wait(SECONDS_IDLE):
        if journal.last_number == last:
            journal.roll_over()
        last = journal.last_number
