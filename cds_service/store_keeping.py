"""What a running service does for the store besides filling it: signed checkpoints, and pruning where it is asked for.

One worker of a machine does it at a time, whichever comes first.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from audit_trail.checkpoints import KeyProblem, as_line, make_checkpoint, signer_at
from audit_trail.draining import RecordStore
from audit_trail.record import CheckpointRecord
from audit_trail.retention import Why, prune_before
from audit_trail.store import Store
from cds_service.operator_log import OperatorLog
from cds_service.settings import Settings

SECONDS_BETWEEN_PRUNINGS: Final = 86_400.0
SECONDS_AFTER_A_PROBLEM: Final = 300.0
MOST_PRUNED_AT_ONCE: Final = 5000  # records that arrive wait for it; the rest follows within seconds


class StoreKeeping:
    """Made once; each worker asks it every few seconds whether anything is due."""

    def __init__(
        self, settings: Settings, operator: OperatorLog, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._settings = settings
        self._operator = operator
        self._clock = clock
        self._not_before = 0.0
        self._last = settings.state_folder / "audit-keeping"  # its lock; and by its age, when pruning was done last

    def round(self, store: RecordStore) -> None:
        """Does what is due. May raise ``StoreDown``."""
        if time.monotonic() < self._not_before or not isinstance(store, Store):
            return
        try:
            with _alone(self._last) as alone:
                if alone:
                    self._checkpoint(store)
                    self._prune(store)
        except (KeyProblem, OSError) as problem:
            self._not_before = time.monotonic() + SECONDS_AFTER_A_PROBLEM
            said = problem.strerror if isinstance(problem, OSError) else str(problem)
            self._operator.write("error", "audit-checkpoint", f"no checkpoint could be made: {said}")

    def _checkpoint(self, store: Store) -> None:
        minutes = self._settings.audit_checkpoint_minutes
        file = self._settings.audit_checkpoints
        if not minutes or _age(file) < 60.0 * minutes:
            return
        checkpoint = make_checkpoint(store, signer_at(self._settings.audit_key), self._clock())
        if checkpoint is None:
            if file.exists():
                file.touch()  # nothing has been added since the last one
            return
        keep_outside(checkpoint, file)
        # In the log as well: where that is shipped elsewhere, whoever changes the store cannot reach it.
        self._operator.write("info", "audit-checkpoint", as_line(checkpoint))

    def _prune(self, store: Store) -> None:
        days = self._settings.audit_keep_days
        if not days or (self._last.stat().st_size and _age(self._last) < SECONDS_BETWEEN_PRUNINGS):
            return
        now = self._clock()
        signer = signer_at(self._settings.audit_key)
        why = Why(writer=signer.writer, by="service", because=f"retention: {days} days", now=now)
        pruned = prune_before(store, now - timedelta(days=days), why, MOST_PRUNED_AT_ONCE)
        if not pruned.more:
            self._last.write_text(f"{now.isoformat()}\n", encoding="ascii")
        if pruned.records:
            self._operator.write("info", "audit-store", f"pruned {pruned.records} records older than {days} days")


def keep_outside(checkpoint: CheckpointRecord, file: Path) -> None:
    """Adds a checkpoint to the file of checkpoints that is kept outside the store."""
    opened = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(opened, "ab") as lines:
        lines.write(as_line(checkpoint).encode() + b"\n")
        lines.flush()
        os.fsync(lines.fileno())


def _age(file: Path) -> float:
    try:
        return time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(file)
