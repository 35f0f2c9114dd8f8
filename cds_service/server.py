"""The production server: gunicorn, a few workers with threads, each ready before the first call arrives."""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from gunicorn.app.base import BaseApplication

from cds_service.app import create_app
from cds_service.collaborators import build_collaborators
from cds_service.rehearsal import rehearse
from cds_service.settings import Settings


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Serves the application; everything is loaded once, before the workers fork, so that they share it."""

    def __init__(self, settings: Settings, when_ready: Callable[[], None]) -> None:
        self._settings = settings
        self._when_ready = when_ready
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        options: dict[str, object] = {
            "bind": f"{host}:{settings.port}",
            "workers": settings.workers,
            "worker_class": "gthread",
            "threads": settings.threads,
            "preload_app": True,
            "keepalive": 75,
            "timeout": 30,
            "graceful_timeout": 20,
            "loglevel": "error",  # its warnings repeat what a broken request said
            "control_socket_disable": True,
            "proc_name": "lumbar-cds",
            "when_ready": lambda _server: self._when_ready(),
            "post_fork": _after_fork,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        tools = build_collaborators(self._settings)
        rehearse(tools, datetime.now(UTC))
        app = create_app(self._settings, tools)
        gc.collect()
        gc.freeze()  # tables that live as long as the process: neither scanned again nor copied after the fork
        return app


def _after_fork(_server: object, _worker: object) -> None:
    # A call makes many objects and no cycles worth hunting: collect rarely, as a collection in mid-call is felt.
    gc.set_threshold(50_000, 20, 100)


def serve(settings: Settings, when_ready: Callable[[], None]) -> None:
    """Runs until stopped."""
    Server(settings, when_ready).run()
