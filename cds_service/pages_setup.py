"""Puts the audit pages into the application: who gets in, the store that they read, and what the public pages say."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select

from audit_pages.dsi import DsiSources
from audit_pages.oidc_terms import OidcTerms
from audit_pages.seams import Entrance, IdentityProvider, View
from audit_pages.site import Record, Site, register_pages
from audit_trail.database import SECONDS_A_READER_WAITS
from audit_trail.queries import Queries
from audit_trail.record import AccessRecord
from audit_trail.tables import DECISION
from cds_service.collaborators import Collaborators
from cds_service.egress import Egress, EgressPolicy, HostRule
from cds_service.local_users import FILE, LocalUsers, UsersError, session_key
from cds_service.operator_log import OperatorLog
from cds_service.recording import Recorder
from cds_service.sentinel_watch import SentinelWatch
from cds_service.service_catalogue import SERVICES, TEMPLATES
from cds_service.settings import Settings, SettingsError
from cds_service.sign_in_attempts import SignInAttempts
from cds_service.sign_in_file import read_sign_in
from cds_service.store_of_process import StoreOfProcess, store_of
from cds_service.versions import software_version

WRITER: Final = "pages"  # the chain of the accesses through the pages, one for all processes that share a store
_SECONDS_LOOK_HOLDS: Final = 10.0
_ANY_OF_CLIENTS: Final = select(DECISION.c.number).where(DECISION.c.registered.is_(True)).limit(1)
_EXTENSION: Final = "lumbar_cds_sentinels"


class RecordsOfPages:
    """The store as the pages read it: every view is recorded in it first."""

    def __init__(self, store: StoreOfProcess) -> None:
        self._store = store
        self._looked = -_SECONDS_LOOK_HOLDS
        self._of_clients = False

    def queries(self) -> Queries:
        """Questions to it."""
        return self._store.queries()

    def hold_calls_of_clients(self) -> bool:
        """Are there calls of registered clients on record, so of real patients?"""
        now = time.monotonic()
        if not self._of_clients and now - self._looked >= _SECONDS_LOOK_HOLDS:
            with self.queries().connection() as connection:
                self._of_clients = connection.scalar(_ANY_OF_CLIENTS) is not None
            self._looked = now
        return self._of_clients

    def record(self, view: View, now: datetime) -> None:
        """Keeps a view before the page is shown, or raises ``StoreDown``."""
        access = AccessRecord(
            at=now,
            who=view.who,
            role=view.role,
            through="web",
            action=view.action,
            decision=view.decision,
            filter=view.filter,
            records=view.records,
        )
        self._store.store().accessed(WRITER, access)


def add_pages(app: Flask, settings: Settings, tools: Collaborators, recorder: Recorder) -> None:
    """The public pages; and those of the record, where calls are recorded."""
    operator = OperatorLog(settings.log_level)
    store = store_of(settings, patience=SECONDS_A_READER_WAITS) if recorder.keeps else None
    site = Site(
        clock=_now,
        log=operator,
        terminology=tools.terminology,
        dsi_sources=_dsi_sources(tools),
        record=None if store is None else _record(app, settings, store, recorder, operator),
    )
    register_pages(app, site)


def watch_of(app: Flask) -> SentinelWatch | None:
    """The sentinels of an application that records; they watch once they are started."""
    found: SentinelWatch | None = app.extensions.get(_EXTENSION)
    return found


def _record(app: Flask, settings: Settings, store: StoreOfProcess, recorder: Recorder, operator: OperatorLog) -> Record:
    watch = SentinelWatch(store.queries, operator, recorder.metrics, settings.state_folder / "sentinels.lock")
    app.extensions[_EXTENSION] = watch
    try:
        key = session_key(settings.state_folder)
    except UsersError as problem:
        raise SettingsError(f"LUMBAR_CDS_STATE_DIR: {problem}") from None
    return Record(
        entrance=_entrance(app, settings),
        records=RecordsOfPages(store),
        sentinels=watch,
        pseudonym=recorder.person,
        session_key=key,
    )


def _entrance(app: Flask, settings: Settings) -> Entrance:
    users = LocalUsers(settings.state_folder / FILE)
    attempts = SignInAttempts()
    if settings.clients is None:
        public = urlsplit(settings.public_url).hostname
        hosts = frozenset({public} if public else ())
        return Entrance(attempts=attempts, ended=users, demo=True, demo_hosts=hosts)
    sign_in = read_sign_in(settings.sign_in)
    provider = None if sign_in.terms is None else _provider(app, settings, sign_in.terms, sign_in.servers)
    return Entrance(attempts=attempts, ended=users, accounts=users if sign_in.local_users else None, provider=provider)


def _provider(app: Flask, settings: Settings, terms: OidcTerms, servers: frozenset[HostRule]) -> IdentityProvider:
    from audit_pages.oidc import OidcProvider  # its library takes longer to load than all the rest of the pages
    from cds_service.guarded_session import guarded_sessions

    ca_file = None if settings.ca_file is None else str(settings.ca_file)
    return OidcProvider(app, terms, guarded_sessions(Egress(EgressPolicy(servers), ca_file=ca_file)))


def _dsi_sources(tools: Collaborators) -> Callable[[], DsiSources]:
    def sources() -> DsiSources:
        today = _now().date()
        return DsiSources(
            version=software_version(),
            services=tuple((each.id, each.hook, each.title) for each in SERVICES),
            prefetch=tuple((each.key, each.query, each.resource_type) for each in TEMPLATES),
            guidelines=tools.guidelines.on(today),
            terminology=tools.terminology.version,
            not_recognised=tuple(f"{each.codes} codes of {each.system}" for each in tools.terminology.unavailable),
            on=today,
        )

    return sources


def _now() -> datetime:
    return datetime.now(UTC)
