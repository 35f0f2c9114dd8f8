"""Puts a request to the service, in process or over HTTP, and reads what comes back as a clinician would see it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import requests
from werkzeug.serving import make_server

from cards.profiles import DEFAULT_PROFILE
from cds_service.app import create_app
from cds_service.collaborators import Collaborators, build_collaborators
from cds_service.consultation import consult
from cds_service.errors import CallFailed, status_of
from cds_service.service_catalogue import SERVICES
from cds_service.settings import Settings
from cds_service.trust import Caller
from tests.answer_reading import Json, Reply
from tests.case_reader import Case

_SERVICE_FOR = {service.hook: service for service in SERVICES}
SANDBOX_ORIGIN = "https://sandbox.cds-hooks.org"


@cache
def usual_tools() -> Collaborators:
    """The service as it starts without any setting, loaded once for all tests."""
    return build_collaborators(Settings())


TABLES = Path(__file__).parent / "tables"


@cache
def _tools_for(settings: frozenset[tuple[str, Any]]) -> Collaborators:
    values = dict(settings)
    if "order_catalogue" in values:
        values["order_catalogue"] = TABLES / values["order_catalogue"]
    if "site_codes" in values:
        values["site_codes"] = (TABLES / values["site_codes"],)
    return build_collaborators(Settings(**values))


def ask_case(case: Case) -> Reply:
    """A case, in process, with the settings that it asks for."""
    tools = tools_of(case)
    profile = "sandbox" if case.settings.get("update_only") else DEFAULT_PROFILE
    return ask(case.request, as_of=case.as_of, tools=tools, profile=profile)


def tools_of(case: Case) -> Collaborators:
    """The service with the settings that a case asks for."""
    settings = {name: value for name, value in case.settings.items() if name != "update_only"}
    return _tools_for(frozenset(settings.items())) if settings else usual_tools()


def ask(
    request: Json | bytes,
    *,
    as_of: date,
    tools: Collaborators | None = None,
    profile: str = DEFAULT_PROFILE,
    hook: str = "",
) -> Reply:
    """One call in process, at noon of ``as_of``."""
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    service = _SERVICE_FOR[hook or json.loads(body)["hook"]]
    caller = Caller(SANDBOX_ORIGIN if profile == "sandbox" else "open", profile)
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
