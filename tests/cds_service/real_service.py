"""The service as an operator starts it: a process of its own with workers, and a state folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from tests.cds_service.service_under_test import SELECT

PATIENCE = 60.0  # seconds, on a busy machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RealService:
    """Started with `start`; the same state folder is found again by the next start."""

    def __init__(self, state: Path, workers: int = 2, **settings: str) -> None:
        self.state = state
        self.port = free_port()
        self._workers = workers
        self._settings: Mapping[str, str] = {f"LUMBAR_CDS_{name.upper()}": value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self.log = state / "log.jsonl"
        self.operator_log = state / "operator.log"

    def start(self) -> RealService:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LUMBAR_CDS_")}
        environment |= {"LUMBAR_CDS_STATE_DIR": str(self.state / "state"), **self._settings}
        command = [sys.executable, "-m", "cds_service", "serve", "--open", "--port", str(self.port)]
        with self.log.open("ab") as out, self.operator_log.open("ab") as err:
            self._process = subprocess.Popen(
                [*command, "--workers", str(self._workers), "--threads", "4"],
                env=environment,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        until(self._is_up)
        return self

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.operator_log.read_text()[-3000:]
        try:
            return requests.get(self.url("/health"), timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def post(self, call: Any, session: requests.Session | None = None) -> requests.Response:
        return (session or requests).post(self.url(SELECT), json=call, timeout=20)

    def health(self) -> dict[str, Any]:
        said: dict[str, Any] = requests.get(self.url("/health"), timeout=5).json()["audit"]
        return said

    def workers(self) -> list[int]:
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children]

    def kill_everything(self) -> None:
        """As the kernel does when memory runs out: nobody gets to say goodbye."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)

    def stop(self) -> None:
        """As an operator stops it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(PATIENCE)


def until(condition: Any, seconds: float = PATIENCE) -> None:
    """Waits for what must become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not become true"
        time.sleep(0.05)
