"""The pages behind cards' links, out of the audit store; that one was opened is recorded."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from threading import BoundedSemaphore
from typing import Final

from audit_trail.draining import StoreDown
from audit_trail.journal import JournalError
from audit_trail.pages import KeptPage, find_page
from audit_trail.record import PageViewRecord, Record
from cards.page import Audience, Page
from cds_service.operator_log import OperatorLog
from cds_service.store_of_process import StoreOfProcess
from leaflets.page_source import PagesUnavailable

LOOKS: Final = 10
SECONDS_BETWEEN_LOOKS: Final = 0.2
MOST_READERS_WAITING: Final = 4  # of one process: made-up handles hold up nobody else
_HANDLE: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class KeptPages:
    """A ``PageSource`` on the store. A store that is down costs a reader the dates, and not the page."""

    def __init__(
        self,
        store: StoreOfProcess,
        keep: Callable[[Record], object],
        log: OperatorLog,
        days: int,
        records_wait: Callable[[], bool] = lambda: False,
    ) -> None:
        """``records_wait``: are there records that are written, and not yet in the store?"""
        self._store = store
        self._keep = keep
        self._log = log
        self._days = days
        self._records_wait = records_wait
        self._readers = BoundedSemaphore(MOST_READERS_WAITING)

    def opened(self, audience: Audience, handle: str, language: str, now: datetime) -> Page | None:
        """The page of this handle, now opened; ``None``: no such handle for this audience, or the link has expired."""
        try:
            kept = self._found(audience, handle, now)
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

    def _found(self, audience: Audience, handle: str, now: datetime) -> KeptPage | None:
        """A link may be opened before its decision is in the store: it is looked up again while records wait."""
        kept = find_page(self._store.queries(), audience, handle, now, self._days)
        if kept is not None or not _HANDLE.fullmatch(handle) or not self._readers.acquire(blocking=False):
            return kept
        try:
            for _ in range(LOOKS):
                if kept is not None or not self._records_wait():
                    break
                time.sleep(SECONDS_BETWEEN_LOOKS)
                kept = find_page(self._store.queries(), audience, handle, now, self._days)
        finally:
            self._readers.release()
        return kept
