"""Puts a request to the service, in process or over HTTP, and reads what comes back as a clinician would see it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from functools import cache

import requests
from werkzeug.serving import make_server

from cds_service.app import create_app
from cds_service.collaborators import Collaborators, build_collaborators
from cds_service.consultation import consult
from cds_service.errors import CallFailed, status_of
from cds_service.service_catalogue import SERVICES
from cds_service.settings import Settings
from cds_service.trust import Caller
from tests.answer_reading import Json, Reply

_SERVICE_FOR = {service.hook: service for service in SERVICES}
SANDBOX_ORIGIN = "https://sandbox.cds-hooks.org"


@cache
def usual_tools() -> Collaborators:
    """The service as it starts without any setting, loaded once for all tests."""
    return build_collaborators(Settings())


def ask(
    request: Json | bytes,
    *,
    as_of: date,
    tools: Collaborators | None = None,
    update_only: bool = False,
    hook: str = "",
) -> Reply:
    """One call in process, at noon of ``as_of``."""
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    service = _SERVICE_FOR[hook or json.loads(body)["hook"]]
    caller = Caller(SANDBOX_ORIGIN if update_only else "open", update_only=update_only)
    now = datetime.combine(as_of, time(12), UTC)
    try:
        consultation = consult(body, service, caller, now, tools or usual_tools())
    except CallFailed as failure:
        return Reply(status_of(failure), {})
    return Reply(200, json.loads(consultation.answer), consultation.advice, consultation.answer)


class HttpClinic:
    """The same service behind a real socket."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def ask(self, request: Json, *, update_only: bool = False) -> Reply:
        """One call over HTTP."""
        service = _SERVICE_FOR[request["hook"]]
        headers = {"Origin": SANDBOX_ORIGIN} if update_only else {}
        answer = requests.post(f"{self.base_url}/cds-services/{service.id}", json=request, headers=headers, timeout=30)
        return Reply(answer.status_code, answer.json(), None, answer.content)


@contextmanager
def http_clinic() -> Iterator[HttpClinic]:
    """A server on a free port of this machine, stopped at the end."""
    app = create_app(Settings(log_level="error"), collaborators=usual_tools())
    server = make_server("127.0.0.1", 0, app, threaded=True)
    worker = threading.Thread(target=server.serve_forever, daemon=True)
    worker.start()
    try:
        yield HttpClinic(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        worker.join(timeout=10)
        server.server_close()
