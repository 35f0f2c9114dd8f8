"""The server itself: HTTP/1.1 on real sockets, a thread for each connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from msgspec import Struct

from sandbox.fhir_server.behaviour import Behaviour, Fault, Faults
from sandbox.fhir_server.failing import fail
from sandbox.fhir_server.shapes import (
    CONTENT_TYPES,
    USUAL_CONTENT_TYPE,
    as_older,
    is_unknown_in,
    outcome,
    searchset,
    statement,
)
from sandbox.fhir_server.smart import Smart
from sandbox.fhir_server.store import NotReadable, Resource, Store, UnknownParameter

PATH = "/fhir"
_REQUESTS_KEPT = 20_000
_USUAL_COUNT = 100  # entries of a page when nothing was asked: a list of patients has room on one
Answer = tuple[int, Resource]


class Request(Struct, frozen=True):
    """A request that arrived, as a test wants to see it."""

    method: str
    path: str  # below the base, without the query
    query: str
    body: str
    authorization: str

    @property
    def parameters(self) -> dict[str, str]:
        """Of the query and of a form in the body."""
        return dict(parse_qsl(self.query) + parse_qsl(self.body))

    @property
    def resource_type(self) -> str:
        """The type asked for; empty for metadata and pages."""
        first = self.path.strip("/").partition("/")[0]
        return "" if first == "metadata" else first


class FhirServer(ThreadingHTTPServer):
    """A server whose resources and behaviour can be changed while it runs."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    store: Store
    behaviour: Behaviour
    faults: Faults

    def __init__(self, store: Store, behaviour: Behaviour, host: str = "127.0.0.1", port: int = 0) -> None:
        self.requests: list[Request] = []
        self.ending = threading.Event()
        self.open_sockets: set[socket.socket] = set()
        self.serve(store, behaviour)
        super().__init__((host, port), _Handler)
        self.base = f"http://{host}:{self.server_port}{PATH}"
        self.smart = Smart(self.base)

    def serve(self, store: Store | None = None, behaviour: Behaviour | None = None) -> None:
        """From now on serve these resources, and behave like this."""
        if store is not None:
            self.store = store
        if behaviour is not None:
            self.behaviour = behaviour
            self.faults = Faults(behaviour.faults)
        self.requests.clear()

    def noted(self, request: Request) -> None:
        """Keeps a request to be looked at; of a server that runs for days, the latest."""
        self.requests.append(request)
        if len(self.requests) > _REQUESTS_KEPT:
            del self.requests[: _REQUESTS_KEPT // 2]

    def kill(self) -> None:
        """As a power cut would: nobody listens, and open connections are cut."""
        self.ending.set()
        self.shutdown()
        self.server_close()
        for each in list(self.open_sockets):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


@contextmanager
def running(
    store: Store | None = None, behaviour: Behaviour | None = None, host: str = "127.0.0.1", port: int = 0
) -> Iterator[FhirServer]:
    """A server on a free port of this machine, stopped at the end."""
    server = FhirServer(store or Store(), behaviour or Behaviour(), host, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.kill()
        thread.join(timeout=10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: FhirServer

    def setup(self) -> None:
        super().setup()
        self.server.open_sockets.add(self.connection)

    def finish(self) -> None:
        self.server.open_sockets.discard(self.connection)
        super().finish()

    def log_message(self, *_: Any) -> None:
        """Addresses hold ids: nothing is logged."""

    def do_OPTIONS(self) -> None:
        headers = {**_PREFLIGHT}
        if self.headers.get("Access-Control-Request-Private-Network") == "true":
            headers["Access-Control-Allow-Private-Network"] = "true"
        self._send(204, b"", headers)

    def do_GET(self) -> None:
        self._take("GET")

    def do_POST(self) -> None:
        self._take("POST")

    def do_PUT(self) -> None:
        self._take("PUT")

    def _take(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode() if length else ""
        address = urlsplit(self.path)
        path = address.path.removeprefix(PATH)
        request = Request(method, path, address.query, body, self.headers.get("Authorization", ""))
        self.server.noted(request)
        behaviour = self.server.behaviour
        fault = self.server.faults.next(request.resource_type or path.strip("/"), method)
        pause = behaviour.delay + (fault.seconds if fault is not None and fault.kind == "delay" else 0.0)
        if pause:
            self.server.ending.wait(pause)
        smart = self.server.smart.answer(method, path, address.query, body) if fault is None else None
        if smart is not None:
            status, resource, headers = smart
            self._send(status, msgspec.json.encode(resource), {"Content-Type": "application/json", **headers})
            return
        status, resource = self._answer(request) if address.path.startswith(PATH) else _no_such_page()
        content = msgspec.json.encode(resource)
        if fault is None or fault.kind == "delay":
            self._send(status, content, {})
        else:
            self._fail(fault, content)

    def _fail(self, fault: Fault, content: bytes) -> None:
        if not fail(fault, content, self.connection, self.wfile, self.server.ending.wait):
            self.close_connection = True

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        behaviour = self.server.behaviour
        self.send_response(status)
        kind = behaviour.content_type or CONTENT_TYPES.get(behaviour.fhir, USUAL_CONTENT_TYPE)
        more = {"Content-Type": kind, "Content-Length": str(len(content)), **_CORS, **headers}
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, request: Request) -> Answer:
        behaviour = self.server.behaviour
        parts = request.path.strip("/").split("/")
        if parts == ["metadata"]:
            return 200, statement(behaviour.fhir, self.server.base, self.server.store.parameters())
        token = request.authorization.removeprefix("Bearer ")
        if behaviour.tokens and token not in behaviour.tokens:
            return 401, outcome("error", "login", "a token is needed")
        if request.method not in ("GET", "POST"):
            return 405, outcome("error", "not-supported")
        if parts == [""] or (len(parts) == 1 and "_getpages" in request.parameters):
            return self._page(request)
        if is_unknown_in(behaviour.fhir, parts[0]) or parts[0] in behaviour.unknown_types:
            return 404, outcome("error", "not-supported", "unknown resource type")
        return self._resource(request, parts)

    def _resource(self, request: Request, parts: list[str]) -> Answer:
        behaviour = self.server.behaviour
        if request.method == "POST" and parts[1:] == ["_search"]:
            if behaviour.post_search:
                return behaviour.post_search, outcome("error", "not-supported")
            return self._search(parts[0], parse_qsl(request.query) + parse_qsl(request.body))
        if request.method != "GET" or len(parts) > 2:
            return 405, outcome("error", "not-supported")
        if len(parts) == 1:
            if behaviour.get_search:
                return behaviour.get_search, outcome("error", "not-supported")
            return self._search(parts[0], parse_qsl(request.query))
        found = self.server.store.read(parts[0], parts[1])
        if found is None:
            return 404, outcome("error", "not-found")
        return 200, as_older(found, behaviour.fhir)

    def _page(self, request: Request) -> Answer:
        asked = request.parameters
        resource_type = asked.pop("_getpages", "")
        offset = int(asked.pop("_getpagesoffset", "0"))
        if not resource_type:
            return 400, outcome("error", "invalid")
        return self._search(resource_type, list(asked.items()), offset)

    def _search(self, resource_type: str, parameters: list[tuple[str, str]], offset: int = 0) -> Answer:
        behaviour = self.server.behaviour
        asked = [(name, value) for name, value in parameters if name != "_offset"]
        offset += sum(int(value) for name, value in parameters if name == "_offset")
        try:
            found = self.server.store.search(resource_type, asked)
        except UnknownParameter as problem:
            return 400, outcome("error", "invalid", f"unknown parameter {problem}")
        except NotReadable:
            return 503, outcome("error", "transient", "this part of the record cannot be had at the moment")
        count = min(int(dict(asked).get("_count", _USUAL_COUNT)), behaviour.page_size)
        page = [as_older(each, behaviour.fhir) for each in found[offset : offset + count]]
        following = offset + count
        base = self.server.base
        next_link = self._next(resource_type, asked, following) if following < len(found) else ""
        own_link = f"{base}/{resource_type}?{urlencode(asked)}"
        return 200, searchset(base, page, len(found), own_link, next_link, behaviour.nothing_found)

    def _next(self, resource_type: str, asked: list[tuple[str, str]], offset: int) -> str:
        base, style = self.server.base, self.server.behaviour.next_links
        if style == "hapi":
            pages = [("_getpages", resource_type), ("_getpagesoffset", str(offset)), *asked]
            return f"{base}?{urlencode(pages)}"
        search = f"{resource_type}?{urlencode([*asked, ('_offset', str(offset))])}"
        if style == "relative":
            return search
        return f"{base if style == 'search' else style}/{search}"


# Any web page may read what is here: it is made up, and meant for the public CDS Hooks sandbox. No cookies.
_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Location"}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept, Prefer, Cache-Control",
    "Access-Control-Max-Age": "600",
}


def _no_such_page() -> Answer:
    return 404, outcome("error", "not-found")


def wait_for_ever(server: FhirServer) -> None:
    """Serves until it is interrupted."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            time.sleep(0.5)
    except KeyboardInterrupt:
        server.kill()
