"""What is recorded of a call: counts and codes of ours, never a name, an identifier of the patient or record text."""

from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from msgspec import Struct

STANDARD_ERROR = 2
LEVELS = ("debug", "info", "warning", "error")


class CallRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One hook call. Every field is listed here on purpose: what is not a field cannot be logged."""

    service: str
    status: int
    milliseconds: float
    body_bytes: int
    decision: str = ""  # id of the decision, derived from client, service, hook instance and a digest of the body
    hook_differs: bool = False  # the call named another hook than the endpoint's; answered all the same
    judged_orders: int = 0
    situations: tuple[str, ...] = ()
    ratings: tuple[str, ...] = ()
    cards: int = 0
    gaps: tuple[str, ...] = ()  # "Condition: failed"
    dropped_entries: int = 0
    foreign_entries: int = 0
    unread_texts: int = 0
    unmapped_codes: int = 0
    client: str = ""  # the name that the operator gave the client
    fetch_queries: int = 0  # what was asked of the EHR's own server
    fetch_milliseconds: float = 0.0
    fetch_troubles: tuple[str, ...] = ()  # "conditions: timeout"
    failure: str = ""  # the class of the failure
    check: str = ""  # the check of the caller that failed, in a word of ours
    where: str = ""  # for a defect: files and lines, no values


class FeedbackRecord(Struct, frozen=True, kw_only=True):
    """One feedback report, as counts. Whose a card is, is known of registered clients' cards only."""

    service: str
    accepted: int
    overridden: int
    with_reason: int
    refused: int  # broken items, and those on another client's card
    of_another_client: int = 0
    on_unknown_cards: int = 0  # taken: sent too long ago, or the memory of cards failed


class AuditSink(Protocol):
    """Where records go: today the log; an audit store can take their place without touching a caller."""

    def call(self, record: CallRecord) -> None:
        """Keeps the record of a hook call, answered or failed."""
        ...

    def feedback(self, record: FeedbackRecord) -> None:
        """Keeps the record of a feedback report."""
        ...


class LogAudit:
    """One JSON line per record, on standard error."""

    def __init__(self, level: str) -> None:
        self._lowest = LEVELS.index(level)

    def call(self, record: CallRecord) -> None:
        if record.status >= 500:
            self._write("error", "call", record)
        elif record.status >= 400 or record.hook_differs:
            self._write("warning", "call", record)
        else:
            self._write("info", "call", record)

    def feedback(self, record: FeedbackRecord) -> None:
        self._write("info", "feedback", record)

    def _write(self, level: str, event: str, record: Struct) -> None:
        if LEVELS.index(level) < self._lowest:
            return
        head = msgspec.json.encode({"time": datetime.now(UTC), "level": level, "event": event})
        # One object of both, and one write: lines of several threads and workers never run into each other.
        os.write(STANDARD_ERROR, b"%b,%b\n" % (head[:-1], msgspec.json.encode(record)[1:]))


def places(failure: BaseException) -> str:
    """Where a defect was: files, lines and functions. Messages and values stay out, as they may hold record text."""
    frames = traceback.extract_tb(failure.__traceback__)[-6:]
    return " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in reversed(frames))
