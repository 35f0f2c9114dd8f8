"""Looks at the record every few minutes and warns: in the log, in the metrics, and on the page of sentinels."""

from __future__ import annotations

import fcntl
import os
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import msgspec

from audit_pages.sentinels import Watch
from audit_trail.database import SECONDS_A_READER_WAITS, StoreBusy
from audit_trail.draining import StoreDown
from audit_trail.facts import Facts
from audit_trail.queries import Queries
from audit_trail.sentinels import Warned, warnings_of
from audit_trail.watching import facts_before, watched_at
from cds_service.operator_log import OperatorLog
from cds_service.service_catalogue import TEMPLATES

SECONDS_BETWEEN_LOOKS: Final = 300.0
SECONDS_BEFORE_THE_FIRST: Final = 20.0
_FRESH: Final = timedelta(seconds=60)  # what a page may show without looking again
_BEFORE_IS_FRESH: Final = timedelta(hours=1)  # four weeks change little in an hour
KINDS: Final = (
    "silence", "rule stopped", "source stopped", "failures", "unread sources", "unmapped codes", "overrides", "latency",
)  # fmt: skip


_KEYS: Final = frozenset(template.key for template in TEMPLATES)


class WarningCounts(Protocol):
    """Hears how many warnings of each kind there are."""

    def set_warnings(self, kind: str, count: int) -> None:
        """So many now."""
        ...


class SentinelWatch:
    """One for each process. One of a machine tells log, metrics and the others: the one that drains, if it lives."""

    def __init__(
        self, queries: Callable[[], Queries], operator: OperatorLog, counts: WarningCounts, lock_file: Path
    ) -> None:
        self._queries = queries
        self._operator = operator
        self._counts = counts
        self._lock_file = lock_file
        self._file = lock_file.with_suffix(".json")
        self._looking = threading.Lock()
        self._last: Watch | None = None
        self._before: tuple[datetime, Facts] | None = None
        self._known: dict[tuple[str, str], Warned] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def last(self) -> Watch | None:
        """What was seen last, by whichever process, without looking."""
        try:
            told = msgspec.json.decode(self._file.read_bytes(), type=Watch)
        except (OSError, msgspec.DecodeError):
            return self._last
        return told if self._last is None or told.at > self._last.at else self._last

    def look(self, now: datetime) -> Watch:
        """What is unusual now, or was a minute ago; may raise ``StoreDown``.

        While another thread is looking, what was seen before: a page is not kept waiting for four weeks of records.
        """
        if not self._looking.acquire(timeout=SECONDS_A_READER_WAITS):
            if self._last is None:
                raise StoreBusy("it is being looked at for the first time")
            return self._last
        try:
            return self._look(now)
        finally:
            self._looking.release()

    def _look(self, now: datetime) -> Watch:
        if self._last is not None and timedelta() <= now - self._last.at < _FRESH:
            return self._last
        with self._queries().connection() as connection:
            if self._before is None or now - self._before[0] > _BEFORE_IS_FRESH:
                self._before = (now, facts_before(connection, now))
            watched = watched_at(connection, now, self._before[1])
        self._last = Watch(now, warnings_of(watched))
        return self._last

    def tell(self, watch: Watch) -> None:
        """Writes down what is new and what is over, and counts what there is."""
        now = {(each.kind, each.about): each for each in watch.warnings}
        for key, each in now.items():
            if key not in self._known:
                said = f"{each.kind}: {_told(each)} (now {each.recent}; usual {each.usual})"
                self._operator.write("warning", "sentinel", said)
        for key, each in self._known.items():
            if key not in now:
                self._operator.write("info", "sentinel", f"over: {each.kind}: {_told(each)}")
        self._known = now
        self._pass_on(watch)
        counted = Counter(each.kind for each in watch.warnings)
        for kind in KINDS:
            self._counts.set_warnings(kind, counted[kind])

    def _pass_on(self, watch: Watch) -> None:
        """For the head of each page, which any process may make."""
        new = self._file.with_suffix(".new")
        try:
            new.write_bytes(msgspec.json.encode(watch))
            new.replace(self._file)
        except OSError as problem:
            self._operator.write("error", "sentinel", f"{self._file}: {problem.strerror}")

    def start(self, first: float) -> None:
        """Begins to watch after so many seconds, in the process that has been forked."""
        self._thread = threading.Thread(target=self._run, args=(first,), name="sentinels", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends watching."""
        self._stopping.set()

    def _run(self, pause: float) -> None:
        lock: int | None = None
        while not self._stopping.wait(pause):
            pause = SECONDS_BETWEEN_LOOKS
            if lock is None:
                lock = self._alone()
            if lock is None:
                continue
            try:
                self.tell(self.look(datetime.now(UTC)))
            except StoreDown:
                continue  # the journal's thread has said that the store is out of reach
            except Exception as problem:  # noqa: BLE001  a defect must not end the watch: its end would look like peace
                self._operator.write("error", "sentinel", f"could not look: {type(problem).__name__}")

    def _alone(self) -> int | None:
        """Held by one process of the machine as long as it lives."""
        try:
            file = os.open(self._lock_file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return None
        return file


def _told(warned: Warned) -> str:
    """In words fit for the log: a key that a client made up itself is not repeated there."""
    if warned.kind == "source stopped" and warned.about.rpartition(": ")[2] not in _KEYS:
        return f"Nothing comes under a prefetch key of its own from {warned.client or 'open calls'} any more"
    return warned.says
