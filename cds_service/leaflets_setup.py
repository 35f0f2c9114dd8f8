"""The pages that cards link to, found again in the record of calls."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from flask import Flask

from audit_trail.draining import StoreDown
from audit_trail.journal import JournalError
from audit_trail.pages import find_page
from audit_trail.record import PageViewRecord
from cards.page import Audience, Page
from cds_service.collaborators import Collaborators
from cds_service.recording import Recorder
from cds_service.settings import Settings
from cds_service.store_of_process import StoreOfProcess, store_of
from leaflets.page_source import NoPages, PageSource, PagesUnavailable
from leaflets.views import leaflet_pages


class PagesOfStore:
    """The pages of recorded decisions, for as many days as their links are good."""

    def __init__(self, store: StoreOfProcess, recorder: Recorder, days: int) -> None:
        self._store = store
        self._recorder = recorder
        self._days = days

    def opened(self, audience: Audience, handle: str, language: str, now: datetime) -> Page | None:
        try:
            kept = find_page(self._store.queries(), audience, handle, now, self._days)
        except StoreDown as problem:
            raise PagesUnavailable(str(problem)) from None
        # What was typed is kept only where it is a link of ours: it might be anything.
        known = handle if kept is not None else ""
        decision = kept.decision if kept is not None else ""
        view = PageViewRecord(at=now, page=audience, handle=known, decision=decision, language=language)
        with suppress(JournalError):  # the recorder itself complains; a page is not kept from a patient for it
            self._recorder.keep(view)
        return kept.page if kept is not None else None


def add_leaflets(app: Flask, settings: Settings, tools: Collaborators, recorder: Recorder) -> None:
    """The patient's and the clinician's page."""
    store = store_of(settings) if recorder.keeps else None
    source: PageSource = NoPages() if store is None else PagesOfStore(store, recorder, settings.page_days)
    app.register_blueprint(leaflet_pages(source, tools.guidelines.on, lambda: datetime.now(UTC)))
