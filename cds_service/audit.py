"""The operational log: one JSON line a call on standard output. Counts, codes and ids of ours; nothing of a patient.

A line and the record of its call share the decision's id. Patient and user stand in it as keyed hashes: the same person
gets the same hash on one installation, and nobody without its key can tell whose it is.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct

STANDARD_OUTPUT: Final = 1
STANDARD_ERROR: Final = 2
LEVELS: Final = ("debug", "info", "warning", "error")
_LINE: Final = b'{"time":%b,"level":"%b","event":"%b",%b\n'
_encode: Final = msgspec.json.Encoder().encode


class CallLine(Struct, frozen=True, omit_defaults=True, gc=False):
    """One hook call. Every field is listed here on purpose: what is not a field cannot be logged."""

    service: str
    status: int
    outcome: str
    milliseconds: float
    body_bytes: int
    decision: str = ""
    record: str = ""
    hook_differs: bool = False
    silent: bool = False
    client: str = ""
    patient: str = ""
    user: str = ""
    judged_orders: int = 0
    situations: tuple[str, ...] = ()
    ratings: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    variants: tuple[int, ...] = ()
    urgencies: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    dropped_entries: int = 0
    foreign_entries: int = 0
    unread_texts: int = 0
    unmapped_codes: int = 0
    reading_milliseconds: float = 0.0
    deciding_milliseconds: float = 0.0
    cards_milliseconds: float = 0.0
    fetch_milliseconds: float = 0.0
    fetch_queries: int = 0
    fetch_troubles: tuple[str, ...] = ()
    failure: str = ""
    check: str = ""
    where: str = ""


# What each field of a line means; the README's table is checked against it.
MEANINGS: Final[dict[str, str]] = {
    "time": "When the line was written, UTC",
    "level": "`info`; `warning`: refused, or the hook differs; `error`: a defect, or not possible just now",
    "event": "`call` or `feedback`",
    "service": "The service that was called",
    "status": "HTTP status of the answer",
    "outcome": "`answered`, `left alone` (no order is lumbar imaging) or `failed`",
    "milliseconds": "From the first header to the record of the call",
    "body_bytes": "Length of the request",
    "decision": "Id of the decision: the same in the record, and for the same call",
    "record": "Id of the record, for `lumbar-cds audit show`; missing where the call was not recorded",
    "hook_differs": "The call named another hook than the endpoint's; it was answered all the same",
    "silent": "Decided and recorded, and the client was shown nothing",
    "client": "The name that the operator gave the client",
    "patient": "Keyed hash of the patient's id",
    "user": "Keyed hash of the user's id",
    "judged_orders": "How many orders were judged",
    "situations": "What kind of card each order got",
    "ratings": "`appropriate`, `not-appropriate`, `no-criteria-apply`, of each rated order",
    "rows": "The row of the guideline that led, of each order",
    "variants": "The number of that variant, where the row has one",
    "urgencies": "How soon, of each order",
    "cards": "Ids of the cards, as feedback names them",
    "indicators": "`info`, `warning`, `critical` of each card",
    "gaps": "Parts of the record that could not be read, and why",
    "dropped_entries": "Malformed entries of the record",
    "foreign_entries": "Entries of another patient, not read",
    "unread_texts": "Texts outside the closed vocabulary",
    "unmapped_codes": "How many codes were not recognised",
    "reading_milliseconds": "Decoding the call and its orders",
    "deciding_milliseconds": "The picture, the findings and the advice",
    "cards_milliseconds": "Writing the cards",
    "fetch_milliseconds": "Waiting for the EHR's own server",
    "fetch_queries": "What was asked of it",
    "fetch_troubles": "What went wrong there: `conditions: timeout`",
    "failure": "The class of the failure",
    "check": "The check of the caller that failed",
    "where": "Of a defect: files, lines and functions, no values",
    "accepted": "Feedback: cards whose suggestion was accepted",
    "overridden": "Feedback: cards that were overridden",
    "with_reason": "Feedback: of these, with a reason",
    "refused": "Feedback: broken items, and those on another client's card",
    "of_another_client": "Feedback: items on another client's card",
    "on_unknown_cards": "Feedback: items on cards that are not known any more",
}


class FeedbackRecord(Struct, frozen=True, kw_only=True):
    """One feedback report, as counts. Whose a card is, is known of registered clients' cards only."""

    service: str
    accepted: int
    overridden: int
    with_reason: int
    refused: int  # broken items, and those on another client's card
    of_another_client: int = 0
    on_unknown_cards: int = 0  # taken: sent too long ago, or the memory of cards failed


class CallLog:
    """Writes the lines. A log that nobody reads any more costs nobody an answer: ``lost`` hears of it."""

    def __init__(self, level: str, key: bytes, lost: Callable[[], None] = lambda: None) -> None:
        self._written = frozenset(LEVELS[LEVELS.index(level) :])
        self._hash = blake2b(key=key, digest_size=8)
        self._lost = lost

    def person(self, client: str, identifier: str) -> str:
        """What stands in a line for a patient or a user of that client."""
        if not identifier:
            return ""
        named = self._hash.copy()
        named.update(f"{client}\n{identifier}".encode("utf-8", "surrogatepass"))
        return named.hexdigest()

    def call(self, line: CallLine) -> None:
        """The line of a hook call, answered or failed."""
        if line.status >= 500:
            self._write("error", "call", line)
        elif line.status >= 400 or line.hook_differs:
            self._write("warning", "call", line)
        else:
            self._write("info", "call", line)

    def feedback(self, line: FeedbackRecord) -> None:
        """The line of a feedback report."""
        self._write("info", "feedback", line)

    def _write(self, level: str, event: str, line: Struct) -> None:
        if level not in self._written:
            return
        now, said = _encode(datetime.now(UTC)), _encode(line)
        try:
            # One object of both, and one write: lines of several threads and workers never run into each other.
            os.write(STANDARD_OUTPUT, _LINE % (now, level.encode(), event.encode(), said[1:]))
        except OSError:
            self._lost()


def places(failure: BaseException) -> str:
    """Where a defect was: files, lines and functions. Messages and values stay out, as they may hold record text."""
    frames = traceback.extract_tb(failure.__traceback__)[-6:]
    return " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in reversed(frames))
