"""The page behind a card's link, found again in the record of the decision until the link expires."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import and_, select

from audit_trail.packing import NotPacked
from audit_trail.queries import Queries
from audit_trail.record import DecisionRecord, UnknownRecord, decode, details_of
from audit_trail.tables import PAGE, RECORD
from cards.ids import ids_of_call
from cards.page import Audience, Page, PageError, page_handle, page_of

_HANDLE: Final = re.compile(r"[0-9a-fA-F-]{36}")


class KeptPage(Struct, frozen=True):
    """A page, and the decision that it is about."""

    page: Page
    decision: str


def find_page(queries: Queries, audience: Audience, handle: str, now: datetime, days: int) -> KeptPage | None:
    """The page of this handle; ``None``: there is none, it was pruned, or the link is older than ``days``.

    Where a call was repeated, the link counts from the last time that it was given.
    """
    if not _HANDLE.fullmatch(handle):
        return None
    place = and_(RECORD.c.writer == PAGE.c.writer, RECORD.c.number == PAGE.c.number)
    query = (
        select(RECORD.c.content)
        .join(PAGE, place)
        .where(PAGE.c.handle == handle.lower(), PAGE.c.audience == audience)
        .where(PAGE.c.at > now - timedelta(days=days), PAGE.c.at <= now, RECORD.c.content.is_not(None))
        .order_by(PAGE.c.at.desc())
        .limit(1)
    )
    with queries.connection() as connection:
        content: bytes | None = connection.scalar(query)
    if content is None:
        return None
    try:
        record = decode(content)
        return _page(record, audience, handle.lower()) if isinstance(record, DecisionRecord) else None
    except (UnknownRecord, NotPacked, PageError, ValueError):
        return None  # written by another version, in terms that this one cannot show


def _page(record: DecisionRecord, audience: Audience, handle: str) -> KeptPage | None:
    ids = ids_of_call(record.client, record.service, record.hook_instance, record.body_digest)
    advice: list[dict[str, Any]] = details_of(record).get("advice", [])
    for each in advice:
        reference = each.get("order", {}).get("reference", "")
        if page_handle(ids, audience, reference) == handle:
            page = page_of(audience, date.fromisoformat(record.decided_on), each)
            return KeptPage(page, record.decision)
    return None
