"""A small application behind the service's own worker: `python -m tests.cds_service.waiting_app PORT THREADS`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.app.base import BaseApplication

from cds_service.body_reading import read_body
from cds_service.bounded_worker import BoundedThreadWorker
from cds_service.computing import LEAD, TURN

LARGE = 30_000_000  # bytes; more than any socket takes in at once
SECONDS = 3.0  # that a request may take to arrive


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Says how long the body was; or waits, leaves the body unread, answers at length, breaks its head."""
    path = environ["PATH_INFO"]
    if path == "/aside":
        LEAD.leave()  # before the body is read, as where callers have to be known first
    body = b"" if path == "/unread" else read_body(environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0))
    if path == "/wait":
        with TURN:
            TURN.while_waiting(lambda: time.sleep(1.5))
    elif path == "/aside":
        sum(body)  # long enough for others to come in between
    elif path == "/slowly":
        LEAD.leave()
        time.sleep(1.0)
    said = b"x" * LARGE if path == "/large" else b"%s %d" % (path.encode(), len(body))
    more = [("X-Broken", "a\r\nX-Added: b")] if path == "/broken" else []
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(said))), *more])
    return [said]


class Application(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn with the service's worker."""

    def load_config(self) -> None:
        """One worker on the port and with the threads of the command line."""
        worker = type("BoundedThreadWorker", (BoundedThreadWorker,), {"seconds": SECONDS})
        options = {"bind": f"127.0.0.1:{sys.argv[1]}", "threads": int(sys.argv[2]), "worker_class": worker}
        for name, value in {**options, "keepalive": 2, "graceful_timeout": 10, "control_socket_disable": True}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application."""
        return app


if __name__ == "__main__":
    Application().run()
