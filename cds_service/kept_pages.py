"""The pages behind cards' links, out of the audit store; that one was opened is recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from audit_trail.draining import StoreDown
from audit_trail.journal import JournalError
from audit_trail.pages import KeptPage, find_page
from audit_trail.record import PageViewRecord, Record
from cards.page import Audience, Page
from cds_service.operator_log import OperatorLog
from cds_service.store_of_process import StoreOfProcess


class KeptPages:
    """A ``PageSource`` on the store. A store that is down costs a reader the dates, and not the page."""

    def __init__(self, store: StoreOfProcess, keep: Callable[[Record], object], log: OperatorLog, days: int) -> None:
        self._store = store
        self._keep = keep
        self._log = log
        self._days = days

    def find(self, audience: Audience, handle: str, now: datetime) -> Page | None:
        """The page of this handle; ``None``: no such handle for this audience, or the link has expired."""
        kept = self._find(audience, handle, now)
        return None if kept is None else kept.page

    def viewed(self, audience: Audience, handle: str, found: bool, language: str, now: datetime) -> None:
        """Keeps that the page was opened. Nobody is named: who opens a link is not known."""
        kept = self._find(audience, handle, now) if found else None
        view = PageViewRecord(
            at=now,
            page=audience,
            handle=handle if found else "",  # what is no handle may be anything that somebody typed
            decision="" if kept is None else kept.decision,
            language=language,
        )
        try:
            self._keep(view)
        except JournalError:
            return  # said in the log and the counts by whoever writes records; no reason to refuse a patient the page

    def _find(self, audience: Audience, handle: str, now: datetime) -> KeptPage | None:
        try:
            return find_page(self._store.queries(), audience, handle, now, self._days)
        except StoreDown as problem:
            self._log.write("error", "audit-store", f"a page was shown without what its link is about: {problem}")
            return None
