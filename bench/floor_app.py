"""The floor: the barest service that could answer a hook call. It parses the body and returns one constant card.

The same web framework, server, worker and thread count as the service; orjson, the fastest general JSON parser for
Python; no reading, no decision, no log line. A service cannot do less and still look at the request.

The floor has gunicorn's own threaded worker, and leaves Python's garbage collector as Python has it, as a bare service
would. With ``--tuned`` it has the service's worker (``cds_service.call_loop``), which hands no request from thread to
thread, and the service's collector settings (``cds_service.server``), which make parsing large bodies much faster. Both
are measured.
"""

import argparse
import gc
import sys
from typing import Any

import orjson
from flask import Flask, Response, request
from gunicorn.app.base import BaseApplication

SERVICES_WORKER = "cds_service.call_loop.CallLoopWorker"
CARD = orjson.dumps(
    {
        "cards": [
            {
                "uuid": "00000000-0000-4000-8000-000000000000",
                "summary": "A constant card",
                "indicator": "info",
                "source": {"label": "The floor of the benchmark"},
            }
        ]
    }
)


def create_floor() -> Flask:
    """The floor as a WSGI application."""
    app = Flask("bench_floor", static_folder=None)

    @app.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        orjson.loads(request.get_data(cache=False))
        return Response(CARD, content_type="application/json")

    return app


def server_options(port: int, workers: int, threads: int, tuned: bool) -> dict[str, object]:
    """The gunicorn settings of the service's own server; a test compares the two."""
    options: dict[str, object] = {
        "bind": f"127.0.0.1:{port}",
        "workers": workers,
        "worker_class": SERVICES_WORKER if tuned else "gthread",
        "threads": threads,
        "preload_app": True,
        "keepalive": 75,
        "timeout": 30,
        "graceful_timeout": 20,
        "loglevel": "warning",
        "control_socket_disable": True,
    }
    if tuned:
        options["post_fork"] = _tune_collector
    return options


def _tune_collector(_server: object, _worker: object) -> None:
    gc.set_threshold(*COLLECTOR_THRESHOLD)


COLLECTOR_THRESHOLD = (50_000, 20, 100)  # the service's


class FloorServer(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """Serves the floor exactly as the service is served."""

    def __init__(self, port: int, workers: int, threads: int, tuned: bool) -> None:
        self._options = server_options(port, workers, threads, tuned)
        self._tuned = tuned
        super().__init__()

    def load_config(self) -> None:
        """Gunicorn's hook for settings."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Gunicorn's hook for the application."""
        app = create_floor()
        if self._tuned:
            gc.collect()
            gc.freeze()
        return app


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m bench.floor_app")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--tuned", action="store_true", help="the service's worker and collector settings")
    options = parser.parse_args(arguments)
    FloorServer(options.port, options.workers, options.threads, options.tuned).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
