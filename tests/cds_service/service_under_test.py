"""The service behind a real socket, and a small call to send to it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import requests
from werkzeug.serving import make_server

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.builders import a_draft, a_patient
from tests.clinic import usual_tools
from tests.hook_requests import a_request

SELECT = "/cds-services/lumbar-imaging-order-select"
SIGN = "/cds-services/lumbar-imaging-order-sign"
ORIGIN = "https://sandbox.cds-hooks.org"
STUDY = "mri-lumbar-without-contrast"

Json = dict[str, Any]


def a_call(**more: Any) -> Json:
    """An MRI for low back pain, an adult patient, and an empty chart."""
    today = datetime.now(UTC).date()
    return {**a_request([a_draft(STUDY)], patient=a_patient(as_of=today)), **more}


class Address:
    """Where the service listens."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.base = f"http://127.0.0.1:{port}"

    def get(self, path: str, **more: Any) -> requests.Response:
        return requests.get(self.base + path, timeout=20, **more)

    def post(self, path: str, body: object = None, **headers: str) -> requests.Response:
        """A POST of JSON (bytes are sent as they are); ``headers`` with underscores for hyphens."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(
            self.base + path, data=data, headers={"Content-Type": "application/json", **named}, timeout=20
        )

    def options(self, path: str, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.options(self.base + path, headers=named, timeout=20)

    def raw(self, request: bytes) -> bytes:
        """Bytes as a caller might send them, past any client library that would put them right."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@contextmanager
def running(settings: Settings) -> Iterator[Address]:
    """The application on a free port; stopped at the end."""
    app = create_app(settings, collaborators=usual_tools())
    server = make_server("127.0.0.1", 0, app, threaded=True)
    worker = threading.Thread(target=server.serve_forever, daemon=True)
    worker.start()
    try:
        yield Address(server.server_port)
    finally:
        server.shutdown()
        worker.join(timeout=10)
        server.server_close()
