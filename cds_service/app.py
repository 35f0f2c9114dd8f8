"""The web application: builds what a call needs once, and wires it to the routes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from cds_service import cors
from cds_service.audit import places
from cds_service.audit_setup import log_only
from cds_service.collaborators import Collaborators, build_collaborators
from cds_service.errors import (
    CallFailed,
    Unexpected,
    operation_outcome,
    status_of,
)
from cds_service.forwarded import TrustedProxies
from cds_service.hook_endpoint import HookEndpoint
from cds_service.leaflets_setup import add_leaflets
from cds_service.pages_setup import add_pages
from cds_service.recording import Recorder
from cds_service.routes import CDS_PATH, JSON, CdsRoutes, own_failure
from cds_service.security_headers import security_headers
from cds_service.settings import Settings
from cds_service.terminology_pages import register_terminology_pages
from cds_service.trust import PROFILE_HEADER, Trust
from cds_service.trust_setup import open_trust, sent_cards


def create_app(
    settings: Settings,
    collaborators: Collaborators | None = None,
    trust: Trust | None = None,
    recorder: Recorder | None = None,
) -> Flask:
    """The service as a WSGI application. Without a recorder calls are logged and counted, and not recorded."""
    app = Flask("cds_service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.url_map.strict_slashes = False
    tools = collaborators or build_collaborators(settings)
    recorder = recorder or log_only(settings)
    if recorder.keeps:
        tools = tools.with_pages()
    routes = CdsRoutes(settings, tools, trust or open_trust(settings), recorder, sent_cards(settings))
    app.add_url_rule(CDS_PATH, view_func=routes.discovery, methods=["GET"])
    app.add_url_rule(f"{CDS_PATH}/<service_id>", view_func=routes.call, methods=["POST"])
    app.add_url_rule(f"{CDS_PATH}/<service_id>/feedback", view_func=routes.feedback, methods=["POST"])
    app.add_url_rule("/openapi.json", view_func=routes.openapi, methods=["GET"])
    app.add_url_rule("/health", view_func=routes.health, methods=["GET"])
    app.add_url_rule("/metrics", view_func=routes.metrics, methods=["GET"])
    register_terminology_pages(app, tools)
    add_pages(app, settings, tools, recorder)
    add_leaflets(app, settings, tools, recorder)
    _register_headers(app, routes, PROFILE_HEADER if settings.clients is None else "")
    _register_errors(app, routes)
    endpoint = HookEndpoint(app.wsgi_app, CDS_PATH, routes, settings.max_body_bytes)
    outermost = _one_slash(endpoint)
    if settings.trusted_proxies:
        closed = settings.clients is not None
        outermost = TrustedProxies(outermost, settings.trusted_proxies, https_only=closed, origins=routes.origins)
    app.wsgi_app = outermost  # type: ignore[method-assign]
    return app


def _one_slash(wsgi_app: Callable[..., Any]) -> Callable[..., Any]:
    """Reads `//` as `/` and forgives a final slash: a discovery address typed with one gives calls to `//{id}`."""

    def tolerant(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if "//" in path or (path.endswith("/") and path != "/"):
            environ["PATH_INFO"] = "/" + "/".join(part for part in path.split("/") if part)
        answer: Iterable[bytes] = wsgi_app(environ, start_response)
        return answer

    return tolerant


def _register_headers(app: Flask, routes: CdsRoutes, of_open_mode: str) -> None:
    @app.before_request
    def preflight() -> Response | None:
        """Answered before routing and before any caller check: a 401 or 404 here blocks the real call."""
        if request.method != "OPTIONS" or not request.path.startswith(CDS_PATH):
            return None
        answer = Response(status=204)
        answer.headers.extend(cors.preflight_headers(request.headers, routes.origins(), of_open_mode))
        answer.headers["Allow"] = cors.ALLOWED_METHODS
        return answer

    @app.after_request
    def add_headers(answer: Response) -> Response:
        """On every answer of a CDS path, errors too: without them a browser client cannot read what went wrong."""
        if request.method != "OPTIONS" and request.path.startswith(CDS_PATH):
            answer.headers.extend(cors.headers_for(request.headers.get("Origin"), routes.origins()))
        for name, value in security_headers(request.scheme):
            answer.headers.setdefault(name, value)  # a page states what it may load itself
        return answer


def _register_errors(app: Flask, routes: CdsRoutes) -> None:
    def answer(failure: CallFailed) -> Response:
        response = Response(operation_outcome(failure), status=status_of(failure), content_type=JSON)
        response.headers.extend(failure.headers())
        return response

    @app.errorhandler(CallFailed)
    def failed(failure: CallFailed) -> Response:
        routes.request_failed(failure, type(failure).__name__)
        return answer(failure)

    @app.errorhandler(HTTPException)
    def refused(problem: HTTPException) -> Response:
        failure = own_failure(problem)
        routes.request_failed(failure, type(failure).__name__)
        return answer(failure)

    @app.errorhandler(Exception)
    def defect(problem: Exception) -> Response:
        """A defect must look like one: never an empty card list, which a clinician would read as all clear."""
        failure = Unexpected.defect()
        routes.request_failed(failure, type(problem).__name__, places(problem))
        return answer(failure)
