"""What `GET /health` says of the whole: is everything as it should be, and does this machine answer calls?

A load balancer goes by the HTTP status, which is 503 only while calls would be refused here; people, and what watches
for them, go by `status` and its reasons.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from cds_service.drain_duty import DrainStatus, drain_status
from cds_service.journal_of_worker import CANNOT_BE_WRITTEN
from cds_service.replay_memory import ReplayMemory, ReplayMemoryError, SqliteReplayMemory
from cds_service.settings import Settings

OK: Final = "ok"
DEGRADED: Final = "degraded"  # calls are answered, and somebody has something to mend
REFUSING: Final = "refusing"  # calls get a 503
SECONDS_STORE_MAY_BE_AWAY: Final = 60.0  # a restart of a database is no news: records wait for it
_SECONDS_STORED_WITHIN: Final = 120.0  # a moment, or some seconds on a busy machine
_SECONDS_TOKENS_HOLD: Final = 2.0
_CHECKPOINTS_MISSED: Final = 2
_SECONDS_TO_SETTLE: Final = 600.0  # after the start, and after a checkpoint was due

Json = dict[str, Any]


class Reason(Struct, frozen=True):
    """One part that is not as it should be. ``refuses``: calls are refused for it."""

    part: str
    says: str
    refuses: bool = False


class Overall:
    """Puts what the parts say together. Parts left out by the settings are as they should be."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        closed = settings.clients is not None
        self._tokens: ReplayMemory | None = SqliteReplayMemory(settings.used_tokens) if closed else None
        self._tokens_seen = (-_SECONDS_TOKENS_HOLD, True)
        self._drained: tuple[DrainStatus | None, float] = (None, 0.0)  # how far, and since when it is no further
        self._since = time.monotonic()

    def judge(self, parts: Json) -> tuple[int, Json]:
        """The HTTP status and the whole answer, of what the parts say of themselves."""
        reasons = tuple(self._reasons(parts))
        refusing = any(each.refuses for each in reasons)
        said: Json = {"status": REFUSING if refusing else DEGRADED if reasons else OK}
        if reasons:
            said["reasons"] = [{"part": each.part, "says": each.says} for each in reasons]
        return (HTTPStatus.SERVICE_UNAVAILABLE if refusing else HTTPStatus.OK), {**said, **parts}

    def _reasons(self, parts: Json) -> Iterator[Reason]:
        yield from self._of_record(parts.get("audit", {}))
        clients = parts.get("clients", {})
        if clients.get("file", "in force") != "in force":
            yield Reason("clients file", clients["file"])
        if without := clients.get("keySetsOutOfOrder"):
            yield Reason("key sets", f"{without} could not be fetched when last asked for, see the log")
        if not self._tokens_can_be_remembered():
            yield Reason("used tokens", "cannot be remembered, so that no token counts and no call is answered", True)

    def _of_record(self, audit: Json) -> Iterator[Reason]:
        required = self._settings.audit_required
        if audit.get("state") == CANNOT_BE_WRITTEN:
            what = "calls are refused" if required else "calls are answered unrecorded"
            yield Reason("audit journal", f"it cannot be written: {what}", required)
        away = audit.get("storeOutOfReachSeconds", 0)
        if away > SECONDS_STORE_MAY_BE_AWAY:
            given_up = required and away > 60 * self._settings.audit_patience_minutes
            what = "calls are refused" if given_up else "records wait in the journal"
            yield Reason("audit store", f"out of reach for {away} s: {what}", given_up)
        elif not away and (waited := self._not_drained(audit)) > _SECONDS_STORED_WITHIN:
            yield Reason("audit store", f"records have waited for {round(waited)} s, and none has been stored since")
        elif audit.get("state") not in ("off", CANNOT_BE_WRITTEN) and self._checkpoint_is_missing():
            yield Reason("audit checkpoints", "none was signed when one was due, see the log")
        if failed := audit.get("recordsNotKept"):
            yield Reason("audit record", f"{failed} of today and yesterday could not be kept, see the log")
        if aside := audit.get("recordsSetAside"):
            yield Reason("audit store", f"{aside} of the last day without columns: lumbar-cds audit verify names them")
        if lost := audit.get("recordsLost"):
            yield Reason(
                "audit journal", f"damaged, {lost} records of the last day are missing: lumbar-cds audit verify"
            )

    def _not_drained(self, audit: Json) -> float:
        """For how many seconds records have waited without one of them being stored, as far as we were asked."""
        now, status = time.monotonic(), drain_status(self._settings.audit_journal)
        if not audit.get("bytesWaiting") or status != self._drained[0]:
            self._drained = (status, now)
        return now - self._drained[1]

    def _checkpoint_is_missing(self) -> bool:
        seconds = 60.0 * self._settings.audit_checkpoint_minutes
        if not seconds or time.monotonic() - self._since < _SECONDS_TO_SETTLE:
            return False
        made = _written(self._settings.audit_checkpoints)
        return made is not None and time.time() - made > _CHECKPOINTS_MISSED * seconds + _SECONDS_TO_SETTLE

    def _tokens_can_be_remembered(self) -> bool:
        """Tried with a token of our own, which nobody can send; not for each of many that ask."""
        if self._tokens is None:
            return True
        tried, works = self._tokens_seen
        if time.monotonic() - tried >= _SECONDS_TOKENS_HOLD:
            now = time.time()
            try:
                self._tokens.first_use("", f"health {now}", now, now)
                works = True
            except ReplayMemoryError:
                works = False
            self._tokens_seen = (time.monotonic(), works)
        return works


def _written(file: Path) -> float | None:
    """When it was written last."""
    try:
        return file.stat().st_mtime
    except OSError:
        return None  # it has not been made yet
