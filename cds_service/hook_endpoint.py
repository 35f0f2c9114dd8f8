"""The usual hook call, straight from the server: the web framework's own work costs as much as the whole decision.

It answers a POST to a known service whose headers say exactly what nearly every caller says. Whatever is unusual in any
way goes on to the Flask application, untouched, and means the same there; both end in ``CdsRoutes.consultation``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

from cds_service import cors
from cds_service.body_reading import read_body
from cds_service.computing import LEAD
from cds_service.errors import CallFailed, operation_outcome, status_of
from cds_service.routes import JSON, CdsRoutes, cut_off
from cds_service.security_headers import security_headers
from cds_service.service_catalogue import SERVICES, Service
from cds_service.trust import PROFILE_HEADER

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_CONTENT_TYPES: Final = frozenset(
    {JSON, f"{JSON}; charset=utf-8", f"{JSON};charset=utf-8", f"{JSON}; charset=UTF-8", f"{JSON};charset=UTF-8"}
)
_LONGEST_LENGTH: Final = 12  # digits of a Content-Length
_OK: Final = "200 OK"
_AS_JSON: Final = ("Content-Type", JSON)
# Asked for in every call.
_KEYS: Final = {
    name: "HTTP_" + name.upper().replace("-", "_")
    for name in ("Host", "Authorization", "Origin", "Traceparent", PROFILE_HEADER)
}


class HookEndpoint:
    """WSGI middleware in front of the Flask application."""

    def __init__(self, wsgi_app: Wsgi, path: str, routes: CdsRoutes, max_body: int) -> None:
        self._wsgi_app = wsgi_app
        self._services = {f"{path}/{service.id}": service for service in SERVICES}
        self._routes = routes
        self._max_body = max_body

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        service = self._services.get(environ["PATH_INFO"])
        length = _content_length(environ)
        if service is None or length < 0 or length > self._max_body or not _is_usual(environ):
            LEAD.leave()  # what the web framework answers may wait for a file or a database
            return self._wsgi_app(environ, start_response)
        status, body, more = self._answer(service, environ, length)
        headers = [
            _AS_JSON,
            ("Content-Length", str(len(body))),
            *more,
            *security_headers(environ["wsgi.url_scheme"]),
            *cors.headers_for(environ.get("HTTP_ORIGIN"), self._routes.origins()),
        ]
        start_response(status, headers)
        return (body,)

    def _answer(
        self, service: Service, environ: dict[str, Any], length: int
    ) -> tuple[str, bytes, Iterable[tuple[str, str]]]:
        started = time.perf_counter()
        try:
            headers, stream = _Headers(environ), environ["wsgi.input"]
            return _OK, self._routes.consultation(service, headers, lambda: _whole(stream, length), started), ()
        except CallFailed as failure:
            status = HTTPStatus(status_of(failure))
            return f"{status.value} {status.phrase}", operation_outcome(failure), failure.headers().items()


class _Headers:
    """The headers of a WSGI environment, by the names that HTTP gives them."""

    __slots__ = ("_environ",)

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ

    def get(self, name: str, /) -> str | None:
        value: str | None = self._environ.get(_KEYS.get(name) or "HTTP_" + name.upper().replace("-", "_"))
        return value


def _whole(stream: Any, length: int) -> bytes:
    try:
        body = read_body(stream, length)
    except OSError:  # the caller has gone in the middle of it
        raise cut_off() from None
    if len(body) < length:
        raise cut_off()
    return body


def _content_length(environ: dict[str, Any]) -> int:
    """The stated length of the body, or -1: not stated, or not so that everyone reads it alike."""
    text: str = environ.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_LENGTH else -1


def _is_usual(environ: dict[str, Any]) -> bool:
    """A POST of plain JSON, sent as it is, by a caller who takes JSON."""
    accept = environ.get("HTTP_ACCEPT")
    return (
        environ["REQUEST_METHOD"] == "POST"
        and environ.get("CONTENT_TYPE") in _CONTENT_TYPES
        and (accept is None or JSON in accept or "*/*" in accept)
        and "HTTP_CONTENT_ENCODING" not in environ
        and "HTTP_TRANSFER_ENCODING" not in environ
    )
