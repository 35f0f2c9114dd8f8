"""The pages behind cards' links, out of the audit store; that one was opened is recorded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from audit_trail.draining import StoreDown
from audit_trail.journal import JournalError
from audit_trail.pages import find_page
from audit_trail.record import PageViewRecord, Record
from cards.page import Audience, Page
from cds_service.operator_log import OperatorLog
from cds_service.store_of_process import StoreOfProcess
from leaflets.page_source import PagesUnavailable


class KeptPages:
    """A ``PageSource`` on the store. A store that is down costs a reader the dates, and not the page."""

    def __init__(self, store: StoreOfProcess, keep: Callable[[Record], object], log: OperatorLog, days: int) -> None:
        self._store = store
        self._keep = keep
        self._log = log
        self._days = days

    def opened(self, audience: Audience, handle: str, language: str, now: datetime) -> Page | None:
        """The page of this handle, now opened; ``None``: no such handle for this audience, or the link has expired."""
        try:
            kept = find_page(self._store.queries(), audience, handle, now, self._days)
        except StoreDown as problem:
            self._log.write("error", "audit-store", f"a page was shown without what its link is about: {problem}")
            raise PagesUnavailable(str(problem)) from None
        view = PageViewRecord(
            at=now,
            page=audience,
            handle="" if kept is None else handle,  # what is no handle may be anything that somebody typed
            decision="" if kept is None else kept.decision,
            language=language,
        )
        with suppress(JournalError):  # whoever writes records says so; no reason to refuse a patient the page
            self._keep(view)
        return None if kept is None else kept.page
