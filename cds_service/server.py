"""The production server: gunicorn, a few workers with threads, each ready before the first call arrives."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from gunicorn.app.base import BaseApplication

from cds_service.app import create_app
from cds_service.audit_setup import recorder_for
from cds_service.bounded_worker import BoundedThreadWorker
from cds_service.closed_trust import ClosedTrust
from cds_service.collaborators import build_collaborators
from cds_service.counts_in_memory import folder_for_counts
from cds_service.drainer_process import end_drainer, fork_drainer
from cds_service.huge_pages import use_huge_pages
from cds_service.metrics import FOLDER_VARIABLE, shared_folder
from cds_service.operator_log import OperatorLog
from cds_service.override_watch import OverrideWatch, overrides_of
from cds_service.pages_setup import watch_of
from cds_service.recording import Recorder
from cds_service.rehearsal import rehearse
from cds_service.sentinel_watch import SECONDS_BEFORE_THE_FIRST, SECONDS_BETWEEN_LOOKS, SentinelWatch
from cds_service.settings import Settings, SettingsError
from cds_service.trust import Trust
from cds_service.trust_setup import closed_trust, open_trust


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Serves the application; everything is loaded once, before the workers fork, so that they share it."""

    def __init__(self, settings: Settings, when_ready: Callable[[], None]) -> None:
        self._settings = settings
        self._when_ready = when_ready
        self._closed: ClosedTrust | None = None
        self._recorder: Recorder | None = None
        self._drainer = 0  # its process
        self._watch: SentinelWatch | None = None
        self._overrides: OverrideWatch | None = None
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        limits = {"seconds": float(settings.request_seconds), "log_level": settings.log_level}
        worker = type("BoundedThreadWorker", (BoundedThreadWorker,), limits)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        options: dict[str, object] = {
            "bind": f"{host}:{settings.port}",
            "workers": settings.workers,
            "worker_class": worker,
            "threads": settings.threads,
            "preload_app": True,
            "keepalive": 75,
            "timeout": 30,
            "graceful_timeout": 20,
            "loglevel": "error",  # its warnings repeat what a broken request said
            "control_socket_disable": True,
            "proc_name": "lumbar-cds",
            # Only the application's own list of proxies is believed (see forwarded.py).
            "forwarded_allow_ips": "",
            "limit_request_line": 4094,
            "limit_request_fields": 64,
            "limit_request_field_size": 8190,
            "on_reload": lambda _server: self._look_at_clients(),
            "when_ready": self._ready,
            "on_exit": lambda _server: self._end(),
            "post_fork": lambda arbiter, _worker: self._after_fork(arbiter),
            "worker_exit": lambda _server, _worker: self._before_exit(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        tools = build_collaborators(self._settings)
        rehearse(tools, datetime.now(UTC))
        if self._settings.clients is None:
            trust: Trust = open_trust(self._settings)
        else:
            trust = self._closed = closed_trust(self._settings)
        self._recorder = recorder_for(self._settings, shared_metrics=True)
        self._recorder.prepare(tools)
        self._overrides = overrides_of(self._settings, tools, OperatorLog(self._settings.log_level))
        app = create_app(self._settings, tools, trust, self._recorder)
        self._watch = watch_of(app)
        gc.collect()
        gc.freeze()  # tables that live as long as the process: neither scanned again nor copied after the fork
        return app

    def _ready(self, server: Any) -> None:
        """Before the first worker."""
        if self._recorder is not None:
            duty = self._recorder.new_duty()
            if duty is not None and duty.take():
                watch = self._watch
                beside = (lambda: None) if watch is None else (lambda: watch.start(SECONDS_BEFORE_THE_FIRST))
                self._drainer = fork_drainer(duty, server.LISTENERS, beside)
        self._when_ready()

    def _end(self) -> None:
        """After the last worker."""
        if self._drainer:
            end_drainer(self._drainer)

    def _look_at_clients(self) -> None:
        """On SIGHUP, before new workers start."""
        if self._closed is not None:
            self._closed.look_again()

    def _after_fork(self, arbiter: Any) -> None:
        stop_if_told(arbiter)
        # A call makes many objects and no cycles worth hunting: collect rarely, as a collection in mid-call is felt.
        gc.set_threshold(50_000, 20, 100)
        use_huge_pages()
        if self._recorder is not None:
            self._recorder.start()
        if self._watch is not None:
            self._watch.start(SECONDS_BETWEEN_LOOKS)  # should the process that drains have ended
        if self._overrides is not None:
            self._overrides.start()

    def _before_exit(self) -> None:
        if self._recorder is not None:
            self._recorder.stop()


def stop_if_told(arbiter: Any) -> None:
    """A worker that is told to stop while it starts must hear it.

    Until it has handlers of its own it has the arbiter's, which put the signal into a queue that nobody here reads: the
    worker would go on taking calls for as long as the arbiter waits for it.
    """
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
    for each in signals:
        signal.signal(each, signal.SIG_DFL)  # it has answered nothing yet
    while not arbiter.SIG_QUEUE.empty():
        if arbiter.SIG_QUEUE.get_nowait() in signals:
            sys.exit(0)


def _require_free(host: str, port: int) -> None:
    """One line that says what to do, where gunicorn would try for seconds and then give up."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as problem:
        raise SettingsError(
            f"cannot listen on {host}, port {port} ({problem.strerror}); another: --port N, or make run PORT=N"
        ) from problem


def serve(settings: Settings, when_ready: Callable[[], None]) -> None:
    """Runs until stopped."""
    _require_free(settings.host, settings.port)
    first = os.getpid()
    try:
        settings.state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = shared_folder(folder_for_counts(settings.state_folder), first)
    except OSError as problem:
        raise SettingsError(f"LUMBAR_CDS_STATE_DIR: {problem.filename}: {problem.strerror}") from problem
    os.environ[FOLDER_VARIABLE] = str(folder)
    try:
        Server(settings, when_ready).run()
    finally:
        if os.getpid() == first:  # a worker ends here too
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # another service's are there too
                folder.parent.rmdir()
