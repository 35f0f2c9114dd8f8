"""A service that is told to stop while its workers still start: all of them hear it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.registered import ROOT, Closed, free_port, wait_for
from tests.hostile.test_feedback_of_others import two_clients

GRACE = 20  # seconds that the arbiter gives its workers; one that never heard of it takes all of them


@pytest.mark.parametrize("attempt", range(4))
def test_a_worker_that_is_told_to_stop_while_it_starts_stops(attempt: int, tmp_path: Path) -> None:
    """The first worker answers while others are still being made ready."""
    port = free_port()
    two_clients(tmp_path, port)
    command = [sys.executable, "-m", "cds_service", "serve", "--clients", str(tmp_path / "clients.toml")]
    environment = {**os.environ, "LUMBAR_CDS_STATE_DIR": str(tmp_path / "state")}
    with (tmp_path / "log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--workers", "4"],
            stdout=log, stderr=log, cwd=ROOT, env=environment, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(Closed(port, tmp_path), process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=GRACE / 2) == 0
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)  # nobody is left of them
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
