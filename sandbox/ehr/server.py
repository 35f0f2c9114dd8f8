"""One server for both faces of the pretend EHR: pages for people, and FHIR below /fhir."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote_to_bytes

from sandbox.fhir_server.behaviour import Behaviour
from sandbox.fhir_server.server import PATH, FhirServer, Request
from sandbox.fhir_server.store import Store

Pages = Callable[[dict[str, Any], Any], Iterable[bytes]]  # a WSGI application
MOST_BYTES = 1024 * 1024
REQUESTS_KEPT = 200


class _Latest(list[Request]):
    """The latest requests: a sandbox may run for weeks."""

    def append(self, request: Request) -> None:
        super().append(request)
        del self[:-REQUESTS_KEPT]


class EhrServer(FhirServer):
    """The R4 server, and pages everywhere else. ``pages`` is a WSGI application."""

    pages: Pages

    def __init__(self, store: Store, pages: Pages, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(store, Behaviour(), host, port)
        self.requests = _Latest()
        self.pages = pages
        self.RequestHandlerClass = type("Handler", (_PagesFirst, _as_class(self.RequestHandlerClass)), {})

    @property
    def address(self) -> str:
        """Where a browser finds the pages."""
        return self.base.removesuffix(PATH)


def _as_class(handler: Any) -> type[Any]:
    found: type[Any] = handler
    return found


class _PagesFirst(BaseHTTPRequestHandler):
    server: EhrServer

    def do_GET(self) -> None:
        self._routed("GET")

    def do_HEAD(self) -> None:
        self._routed("HEAD")

    def do_POST(self) -> None:
        self._routed("POST")

    def _routed(self, method: str) -> None:
        path = self.path.partition("?")[0]
        if path == PATH or path.startswith(f"{PATH}/"):
            handler = getattr(super(), f"do_{method}", None)
            if handler is None:
                self.send_error(405)
            else:
                handler()
            return
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > MOST_BYTES:
            self.close_connection = True
            self.send_error(413)
            return
        self._page(_environ(self, method, self.rfile.read(int(length))))

    def _page(self, environ: dict[str, Any]) -> None:
        """Runs the application, and writes what it answers."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _failure: Any = None) -> Callable[[bytes], Any]:
            started[:] = [(status, headers)]
            return io.BytesIO().write

        parts = self.server.pages(environ, start_response)
        try:
            body = b"".join(parts)
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()
        ((status, headers),) = started
        self.send_response_only(int(status.partition(" ")[0]))
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if environ["REQUEST_METHOD"] != "HEAD":
            self.wfile.write(body)


def _environ(handler: _PagesFirst, method: str, body: bytes) -> dict[str, Any]:
    """The request as PEP 3333 has it."""
    path, _, query = handler.path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": handler.headers.get("Host", "").rpartition(":")[0] or "localhost",
        "SERVER_PORT": str(handler.server.server_port),
        "SERVER_PROTOCOL": handler.request_version,
        "REMOTE_ADDR": handler.client_address[0],
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in handler.headers.items():
        key = f"HTTP_{name.upper().replace('-', '_')}"
        if key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ
