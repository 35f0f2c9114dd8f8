"""The sandbox ends whole: the service that it started never outlives it."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    "endings",
    [
        (signal.SIGTERM,),
        (signal.SIGTERM, signal.SIGTERM),  # as `make` passes on what it was sent itself
        (signal.SIGINT, signal.SIGINT, signal.SIGINT),  # an impatient Ctrl-C
    ],
    ids=lambda endings: " ".join(ending.name for ending in endings),
)
def test_the_service_ends_with_the_sandbox_however_often_it_is_told_to(endings, tmp_path: Path):
    port, ehr_port = _free_port(), _free_port()
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--ehr-port", str(ehr_port)]
    sandbox = subprocess.Popen(
        [*command, "--state-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert sandbox.stdout is not None
        by = time.monotonic() + PATIENCE
        while "Ctrl-C" not in (sandbox.stdout.readline() or "Ctrl-C"):
            assert time.monotonic() < by
        assert _listens(port), "it said that it is there"
        for ending in endings:
            sandbox.send_signal(ending)
            time.sleep(0.05)
        assert sandbox.wait(timeout=PATIENCE) == 0
        assert not _listens(port), "the service was left behind"
    finally:
        sandbox.kill()
        sandbox.wait()
