"""What is recorded of a call: counts and codes of ours, never a name, an identifier of the patient or record text."""

from __future__ import annotations

import sys
import traceback
from typing import Protocol

import msgspec
import structlog
from msgspec import Struct


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
    failure: str = ""  # the class of the failure
    where: str = ""  # for a defect: files and lines, no values


class FeedbackRecord(Struct, frozen=True, kw_only=True):
    """One feedback report, as counts."""

    service: str
    accepted: int
    overridden: int
    with_reason: int
    refused: int


class AuditSink(Protocol):
    """Where records go: today the log; an audit store can take their place without touching a caller."""

    def call(self, record: CallRecord) -> None:
        """Keeps the record of a hook call, answered or failed."""
        ...

    def feedback(self, record: FeedbackRecord) -> None:
        """Keeps the record of a feedback report."""
        ...


class LogAudit:
    """One structured log line per record."""

    def __init__(self, level: str) -> None:
        self._log = _logger(level)

    def call(self, record: CallRecord) -> None:
        fields = msgspec.to_builtins(record)
        if record.status >= 500:
            self._log.error("call", **fields)
        elif record.status >= 400 or record.hook_differs:
            self._log.warning("call", **fields)
        else:
            self._log.info("call", **fields)

    def feedback(self, record: FeedbackRecord) -> None:
        self._log.info("feedback", **msgspec.to_builtins(record))


def places(failure: BaseException) -> str:
    """Where a defect was: files, lines and functions. Messages and values stay out, as they may hold record text."""
    frames = traceback.extract_tb(failure.__traceback__)[-6:]
    return " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def _serialise(event: object, default: object = None, **_: object) -> bytes:
    return msgspec.json.encode(event)


def _logger(level: str) -> structlog.typing.FilteringBoundLogger:
    number = {"debug": 10, "info": 20, "warning": 30, "error": 40}[level]
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        structlog.BytesLogger(sys.stderr.buffer),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=_serialise),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
    return logger
