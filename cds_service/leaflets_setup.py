"""The pages that cards link to, wired to the record of calls."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask

from audit_trail.database import SECONDS_A_READER_WAITS
from cds_service.collaborators import Collaborators
from cds_service.kept_pages import KeptPages
from cds_service.operator_log import OperatorLog
from cds_service.recording import Recorder
from cds_service.settings import Settings
from cds_service.store_of_process import store_of
from leaflets.page_source import NoPages, PageSource
from leaflets.views import leaflet_pages


def add_leaflets(app: Flask, settings: Settings, tools: Collaborators, recorder: Recorder) -> None:
    """The patient's and the clinician's page; about decisions only where these are kept."""
    store = store_of(settings, patience=SECONDS_A_READER_WAITS) if recorder.keeps else None
    log = OperatorLog(settings.log_level)
    source: PageSource = NoPages()
    if store is not None:
        source = KeptPages(store, recorder.keep, log, settings.page_days, recorder.records_wait)
    app.register_blueprint(leaflet_pages(source, tools.guidelines.on, lambda: datetime.now(UTC)))
