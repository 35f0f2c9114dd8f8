"""The journal of one worker process, and the thread that drains it into the store whenever that can be reached.

Nothing here waits for the store on behalf of an answer. What a worker left behind, killed or not, is drained by whoever
looks next: another worker of this machine, or the next start.
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

from audit_trail.draining import Drained, Drainer, RecordStore, StoreDown
from audit_trail.journal import JournalError, JournalWriter, bytes_waiting
from audit_trail.record import Record, encode
from cds_service.computing import LEAD
from cds_service.operator_log import OperatorLog

SECONDS_BETWEEN_ROUNDS: Final = 0.25
SECONDS_BETWEEN_TRIES: Final = 2.0  # at a store that is down
SECONDS_BETWEEN_LOOKS: Final = 5.0  # for what others left behind
SECONDS_FOR_THE_REST: Final = 5.0  # at the end of a worker


class JournalOfWorker:
    """Made once, before the workers fork; each process writes a journal of its own from its first record on."""

    def __init__(
        self,
        folder: Path,
        open_store: Callable[[], RecordStore],
        operator: OperatorLog,
        stored: Callable[[Drained], None],
        sync: bool = False,
        patience: float = 3600.0,
        keeping: Callable[[RecordStore], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._open_store = open_store
        self._operator = operator
        self._count = stored
        self._sync = sync
        self._patience = patience
        self._keeping = keeping  # what else the store needs from time to time
        self._starting = threading.Lock()
        self._process = 0
        self._journal: JournalWriter | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._draining = threading.Lock()
        self._stored = 0  # number of the last record that is known to be stored
        self._failing = False
        self._down_since: float | None = None
        self._store: RecordStore | None = None
        self._drainer: Drainer | None = None

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
            self._failing = True
            raise
        self._failing = False
        return number

    def start(self) -> None:
        """Begins this process's journal before the first call arrives."""
        self._here()

    def stop(self, seconds: float = SECONDS_FOR_THE_REST) -> None:
        """Stores what can be stored in that time. The rest is left for whoever drains next."""
        if self._process != os.getpid() or self._journal is None:
            return
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(seconds)
        self._journal.close()
        self._process = 0

    def drain(self) -> bool:
        """One round, now: everything that is here and can be stored. False while the store is down."""
        journal = self._here()
        with self._draining:
            return self._round(journal, everything=True)

    @property
    def given_up(self) -> bool:
        """Has the store been out of reach for longer than the operator would wait?"""
        return self._down_since is not None and time.monotonic() - self._down_since > self._patience

    def numbers(self) -> dict[str, tuple[str, float]]:
        """For the metrics: how it stands at the moment, as this worker sees it."""
        return {
            "audit_store_up": ("1 while the audit store takes records.", self._down_since is None),
            "audit_journal_up": ("1 while records can be written to the journal.", not self._failing),
            "audit_journal_bytes": ("What the journals of this machine hold, stored or not.", self._bytes()),
        }

    def health(self) -> dict[str, object]:
        """What `GET /health` says of the audit record."""
        down = self._down_since
        said: dict[str, object] = {"state": "recording"}
        if self._failing:
            said["state"] = "records cannot be written to the journal, see the log"
        elif down is not None:
            said["state"] = "the store is out of reach; records wait in the journal"
            said["storeOutOfReachSeconds"] = round(time.monotonic() - down)
        if self._journal is not None:
            said["recordsWaiting"] = self._journal.last_number - self._stored
        said["journalBytes"] = self._bytes()
        return said

    def _bytes(self) -> int:
        return bytes_waiting(self._folder) if self._folder.is_dir() else 0

    def _here(self) -> JournalWriter:
        """This process's journal; a forked process begins its own."""
        journal = self._journal
        if journal is not None and self._process == os.getpid():
            return journal
        with self._starting:
            if self._journal is None or self._process != os.getpid():
                self._begin()
            journal = self._journal
        if journal is None:
            raise JournalError("the journal could not be begun")
        return journal

    def _begin(self) -> None:
        now = datetime.now(UTC)
        self._journal = JournalWriter(
            self._folder, f"{now:%Y%m%dT%H%M%S}-{os.getpid()}-{secrets.token_hex(3)}", self._sync
        )
        self._process = os.getpid()
        self._stopping = threading.Event()
        self._draining = threading.Lock()
        self._stored = 0
        self._store = self._drainer = self._down_since = None
        self._thread = threading.Thread(target=self._run, name="audit", args=(self._journal,), daemon=True)
        self._thread.start()

    def _run(self, journal: JournalWriter) -> None:
        looked = -SECONDS_BETWEEN_LOOKS
        pause = 0.0
        while not self._stopping.wait(pause):
            now = time.monotonic()
            everything = now - looked >= SECONDS_BETWEEN_LOOKS
            looked = now if everything else looked
            with self._draining:
                up = self._round(journal, everything)
            pause = SECONDS_BETWEEN_ROUNDS if up else SECONDS_BETWEEN_TRIES
        with self._draining:
            self._round(journal, everything=False)

    def _round(self, journal: JournalWriter, everything: bool) -> bool:
        try:
            self._drain(journal, everything)
        except StoreDown as problem:
            self._is_down(str(problem))
            return False
        except Exception as problem:  # noqa: BLE001  a defect must not end the thread: records would wait for ever
            self._is_down(f"{type(problem).__name__} while draining")
            return False
        self._is_up()
        return True

    def _drain(self, journal: JournalWriter, everything: bool) -> None:
        if self._store is None or self._drainer is None:
            self._store = self._open_store()
            self._drainer = Drainer(self._folder, self._store)
        last = journal.last_number
        if last > self._stored:
            self._count(self._drainer.drain_own(journal))
            self._stored = last
        if everything:
            drained = self._drainer.drain_abandoned(journal.writer)
            if drained.records or drained.lost:
                self._count(drained)
                said = f"stored {drained.records} records that an earlier worker left in its journal"
                self._operator.write("info", "audit-journal", said)
            if drained.lost:
                self._operator.write("error", "audit-journal", f"{drained.lost} records are missing from a journal")
            self._keeping(self._store)

    def _is_down(self, why: str) -> None:
        self._drainer = None  # where it had come to is asked of the store when it is back
        if self._down_since is None:
            self._down_since = time.monotonic()
            self._operator.write("error", "audit-store", f"out of reach, records wait in the journal: {why}")

    def _is_up(self) -> None:
        if self._down_since is not None:
            seconds = round(time.monotonic() - self._down_since)
            self._down_since = None
            self._operator.write("info", "audit-store", f"takes records again, after {seconds} s")
