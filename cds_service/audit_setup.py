"""Builds what records calls from the settings, before the workers fork: a mistake stops the start."""

from __future__ import annotations

import os
import secrets
from functools import partial
from pathlib import Path
from typing import Final

from audit_trail.database import StoreAddressError, store_address
from audit_trail.draining import StoreDown
from audit_trail.store import open_store
from cds_service.audit import CallLog
from cds_service.drain_duty import DrainDuty
from cds_service.journal_of_worker import JournalOfWorker
from cds_service.metrics import Metrics
from cds_service.operator_log import OperatorLog
from cds_service.recording import Recorder
from cds_service.settings import Settings, SettingsError
from cds_service.store_keeping import StoreKeeping
from cds_service.tracing import NO_TRACES, Traces, TracesOfWorker, TracesUnavailable
from cds_service.versions import software_version

KEY_BYTES: Final = 32


def log_only(settings: Settings) -> Recorder:
    """Calls are logged and counted, and nothing is kept: for tests and benchmarks of everything else."""
    metrics = Metrics()
    log = CallLog(settings.log_level, secrets.token_bytes(KEY_BYTES), metrics.log_line_lost)
    return Recorder(log, OperatorLog(settings.log_level), metrics)


def recorder_for(settings: Settings, shared_metrics: bool = False) -> Recorder:
    """What the settings ask for: by default every call is on record."""
    operator = OperatorLog(settings.log_level)
    metrics = Metrics(shared_metrics)
    log = CallLog(settings.log_level, _log_key(settings), metrics.log_line_lost)
    journal = _journal(settings, operator, metrics)
    return Recorder(log, operator, metrics, journal, settings.audit_required, _traces(settings))


def _journal(settings: Settings, operator: OperatorLog, metrics: Metrics) -> JournalOfWorker | None:
    if not settings.audit_store_url:
        if settings.audit_required:
            raise SettingsError("LUMBAR_CDS_AUDIT_REQUIRED: calls must be recorded, and LUMBAR_CDS_AUDIT_STORE is off")
        operator.write("warning", "audit", "calls are not recorded: LUMBAR_CDS_AUDIT_STORE=off")
        return None
    try:
        url = store_address(settings.audit_store_url)
    except StoreAddressError as problem:
        raise SettingsError(f"LUMBAR_CDS_AUDIT_STORE: {problem}") from None
    store = open_store(url)
    try:
        store.prepare()
    except StoreDown as problem:
        if settings.audit_required:
            raise SettingsError(f"LUMBAR_CDS_AUDIT_STORE: {problem}") from None
        operator.write("error", "audit-store", f"out of reach at the start, records wait in the journal: {problem}")
    finally:
        store.close()  # each worker has connections of its own
    folder = settings.audit_journal
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        raise SettingsError(f"LUMBAR_CDS_STATE_DIR: {folder}: {problem.strerror}") from None

    def new_duty() -> DrainDuty:
        keeping = StoreKeeping(settings, operator).round
        return DrainDuty(folder, partial(open_store, url), operator, metrics.stored, keeping)

    return JournalOfWorker(folder, new_duty, settings.audit_sync == "each", 60.0 * settings.audit_patience_minutes)


def _traces(settings: Settings) -> Traces:
    if not settings.traces_url:
        return NO_TRACES
    try:
        return TracesOfWorker(settings.traces_url, software_version())
    except TracesUnavailable as problem:
        raise SettingsError(f"LUMBAR_CDS_TRACES_URL: {problem}") from None


def _log_key(settings: Settings) -> bytes:
    """The key of the hashes in the log: made once, kept in the state folder, readable by nobody else."""
    path = settings.state_folder / "log-key"
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as problem:
        raise SettingsError(f"LUMBAR_CDS_STATE_DIR: {path}: {problem.strerror}") from None
    if len(key) != KEY_BYTES:
        raise SettingsError(f"LUMBAR_CDS_STATE_DIR: {path}: expected {KEY_BYTES} bytes; remove it to have one made")
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    file = os.open(new, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as writing:
        writing.write(secrets.token_bytes(KEY_BYTES))
    try:
        os.link(new, path)  # the first of two that start together wins
    except FileExistsError:
        return
    finally:
        new.unlink()
