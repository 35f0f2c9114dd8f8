"""The tables of the audit store: the chained records, and beside them columns for lists, filters and numbers.

``record`` and ``writer`` are the store; every other table of records is derived from them (see ``columns.py``), can be
made again at any time, and is checked against them by ``verify``. Columns that lists filter by are repeated in each
derived table, so that no number needs a join. ``used_token`` and ``card_owner`` are memory of the service, not record.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
)

SET_ASIDE: Final = "set-aside"  # kind of a record without columns: they could not be made, or the database refused them
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """A moment as the store counts it; one without a zone is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // _MICROSECOND


def moment(count: int) -> datetime:
    """The moment of that count."""
    return EPOCH + count * _MICROSECOND


class Moment(TypeDecorator[datetime]):
    """A moment as microseconds since 1970: the same on every database, and easy to count by day."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else moment(value)


METADATA: Final = MetaData()
_Number = BigInteger


def _text(name: str) -> Column[str]:
    return Column(name, String, nullable=False, server_default="")


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _place() -> list[Column[Any]]:
    """Which record a row is derived from."""
    return [Column("writer", String, nullable=False), Column("number", _Number, nullable=False)]


def _whose() -> list[Column[Any]]:
    """What every list and number can be filtered by."""
    return [
        Column("at", Moment, nullable=False),
        _text("decision"),
        _text("service"),
        _text("client"),
        _text("tenant"),
        _text("user_id"),
        _flag("silent"),
    ]


def _derived(name: str, *more: Column[Any] | Index, parts: bool = True) -> Table:
    """A table derived from records: one row for each record, or one for each part of it."""
    part = [Column("part", Integer, nullable=False)] if parts else []
    key = ("writer", "number", "part") if parts else ("writer", "number")
    return Table(name, METADATA, *_place(), *part, *_whose(), *more, PrimaryKeyConstraint(*key))


# --- the record -----------------------------------------------------------------------------------------------------

RECORD: Final = Table(
    "record",
    METADATA,
    *_place(),
    Column("kind", String, nullable=False),
    Column("at", Moment, nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary),  # NULL: pruned
    Column("content_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),  # of this record's place and content, and of the hash before it
    PrimaryKeyConstraint("writer", "number"),
    Index("record_by_kind", "kind", "at"),
    Index("record_by_time", "at"),
)

WRITER: Final = Table(
    "writer",
    METADATA,
    Column("writer", String, primary_key=True),
    Column("number", _Number, nullable=False),  # of its last record
    Column("hash", LargeBinary, nullable=False),
)

# --- derived from decisions -----------------------------------------------------------------------------------------

DECISION: Final = _derived(
    "decision",
    _text("outcome"),
    Column("status", SmallInteger, nullable=False),
    _text("hook"),
    _text("hook_instance"),
    _flag("registered"),
    _text("profile"),
    _text("issuer"),
    _text("patient_id"),
    _text("encounter_id"),
    _count("orders"),
    _count("cards"),
    _text("indicator"),  # the gravest of its cards
    _count("gaps"),
    _count("unmapped"),
    _count("fetch_queries"),
    _count("fetch_troubles"),
    _text("failure"),
    _text("failed_check"),
    _text("software"),
    _text("rules"),
    _text("terminology"),
    _text("wording"),
    _text("settings"),
    _count("request_bytes"),
    Column("ms", Float, nullable=False),  # the whole call
    Column("ms_trust", Float, nullable=False),
    Column("ms_waiting", Float, nullable=False),
    Column("ms_reading", Float, nullable=False),
    Column("ms_fetching", Float, nullable=False),
    Column("ms_deciding", Float, nullable=False),
    Column("ms_cards", Float, nullable=False),
    Index("decision_by_id", "decision"),
    Index("decision_by_time", "at"),
    Index("decision_by_patient", "patient_id", "at"),
    Index("decision_by_user", "user_id", "at"),
    parts=False,
)

JUDGED_ORDER: Final = _derived(
    "judged_order",
    _text("reference"),
    _text("recognition"),
    _text("procedure"),
    _text("situation"),
    _text("urgency"),
    _text("rating"),
    _text("category"),
    Column("score", SmallInteger),
    _text("guideline"),
    _text("rule_row"),
    Column("variant", SmallInteger),
    _flag("robust"),
    _flag("may_defer"),
    _text("better"),
    _text("priority"),
    _text("not_rated_because"),
    Index("judged_order_by_time", "at"),
    Index("judged_order_by_decision", "decision"),
)

CARD: Final = _derived(
    "card",
    _text("uuid"),
    _text("indicator"),
    _text("topic"),
    _count("suggestions"),
    # Of the order that the card is about; of the first order, where the card is about several.
    _text("procedure"),
    _text("situation"),
    _text("rating"),
    _text("rule_row"),
    Index("card_by_uuid", "uuid"),
    Index("card_by_time", "at"),
    Index("card_by_decision", "decision"),
)

# Of one call under one topic, one row, as a usual record holds a hundred unmapped codes: "gap" (what was not read),
# "unmapped code" (SYSTEM|CODE), "fetch trouble", "asked" and "presumed" (findings), "filled" (which parts of the record
# brought something). ``lines``: each value on a line of its own, with a line's end before the first as well.
NOTED: Final = _derived("noted", _text("topic"), _text("lines"), Index("noted_by_time", "at"))

PAGE: Final = Table(
    "page",
    METADATA,
    Column("handle", String, nullable=False),
    *_place(),
    Column("at", Moment, nullable=False),
    _text("audience"),
    _text("order_reference"),
    PrimaryKeyConstraint("handle", "writer", "number"),
    Index("page_by_record", "writer", "number"),
)

# --- derived from the other records -----------------------------------------------------------------------------------

FEEDBACK: Final = _derived(
    "feedback",
    _text("card"),
    _text("outcome"),
    _count("accepted_suggestions"),
    _text("reason_code"),
    _text("reason_system"),
    _text("reason_display"),
    _flag("commented"),
    _text("outcome_timestamp"),
    Index("feedback_by_card", "card"),
    Index("feedback_by_decision", "decision"),
    Index("feedback_by_time", "at"),
)

PAGE_VIEW: Final = _derived(
    "page_view", _text("page"), _text("handle"), _text("language"), Index("page_view_by_time", "at"), parts=False
)

ACCESS: Final = _derived(
    "access",
    _text("role"),
    _text("through"),
    _text("action"),
    _text("filter"),
    _count("records"),
    Index("access_by_time", "at"),
    Index("access_by_decision", "decision"),
    parts=False,
)

CONTENT: Final = Table(
    "content",
    METADATA,
    *_place(),
    Column("at", Moment, nullable=False),
    _text("name"),
    _text("digest"),
    PrimaryKeyConstraint("writer", "number"),
    Index("content_by_digest", "digest"),
)

DERIVED: Final = (DECISION, JUDGED_ORDER, CARD, NOTED, PAGE, FEEDBACK, PAGE_VIEW, ACCESS, CONTENT)

# --- memory of the service ------------------------------------------------------------------------------------------

USED_TOKEN: Final = Table(
    "used_token",
    METADATA,
    Column("mark", LargeBinary, primary_key=True),
    Column("until", Float, nullable=False),
    Index("used_token_until", "until"),
)

CARD_OWNER: Final = Table(
    "card_owner",
    METADATA,
    Column("mark", LargeBinary, primary_key=True),
    Column("client", LargeBinary, nullable=False),
    Column("until", Float, nullable=False),
    Index("card_owner_until", "until"),
)

# How the derived tables were made: rows of an older way are made again.
STORE_FACT: Final = Table(
    "store_fact", METADATA, Column("name", String, primary_key=True), Column("value", String, nullable=False)
)
