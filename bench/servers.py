"""Starts and stops the two servers that are compared: the service as an operator starts it, and the floor."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from bench import machine
from bench.closed import ES384, RS384, Signer, register
from bench.load import HOST, request_bytes

START_PATIENCE = 30.0  # seconds


class Served(Struct, frozen=True):
    """A running server."""

    name: str
    port: int
    pid: int
    first_answer: float  # seconds from the start of the process to the first answered call
    signers: dict[str, Signer] = {}  # closed mode: whose tokens it takes, by their algorithms


class Target(Struct, frozen=True):
    """A server as it is measured: with these tokens, where it takes any."""

    server: Served
    signer: Signer | None = None

    @property
    def records(self) -> bool:
        """Does it keep its calls on record?"""
        return bool(self.server.signers)


class CannotServe(RuntimeError):
    """A server that did not come up; holds what it wrote."""


def service_command(port: int, workers: int, threads: int) -> list[str]:
    """The service, started the way the README says."""
    command = Path(sys.executable).with_name("lumbar-cds")
    counts = ["--workers", str(workers), "--threads", str(threads)]
    return [str(command), "serve", "--open", "--port", str(port), *counts]


def floor_command(port: int, workers: int, threads: int) -> list[str]:
    """The floor, in the same server."""
    counts = ["--workers", str(workers), "--threads", str(threads)]
    return [sys.executable, "-m", "bench.floor_app", "--port", str(port), *counts]


def tuned_floor_command(port: int, workers: int, threads: int) -> list[str]:
    """The floor with the service's worker and collector settings."""
    return [*floor_command(port, workers, threads), "--tuned"]


CLOSED = "closed service"
CLOSED_ES384 = "closed service, ES384"  # the same server, and tokens that cost more to check
COMMANDS = {
    "floor": floor_command,
    "service": service_command,
    "tuned floor": tuned_floor_command,
    CLOSED: service_command,
}


def target(servers: dict[str, Served], name: str) -> Target:
    """The server of that name in a table. A name may stand for a server once more, or for other tokens."""
    if name == CLOSED_ES384:
        return Target(servers[CLOSED], servers[CLOSED].signers[ES384])
    server = servers[name.removesuffix(" again")]
    return Target(server, server.signers.get(RS384))


@contextmanager
def running(name: str, command: list[str], port: int, path: str, body: bytes, cpu: int | None) -> Iterator[Served]:
    """Runs a server until the block ends; ready when it has answered one call. Its log lines are thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        signers: dict[str, Signer] = {}
        more = {"LUMBAR_CDS_AUDIT_STORE": "off"}
        if name == CLOSED:  # registered clients only, and every call on record
            clients, signers = register(scratch, f"http://{HOST}:{port}", path)
            command = [each for each in command if each != "--open"] + ["--clients", str(clients)]
            more = {}
        with _process(command, cpu, {**more, "LUMBAR_CDS_STATE_DIR": str(scratch / "state")}) as (process, began):
            request = request_bytes(path, body, signers[RS384].tokens()() if signers else "")
            _await_answer(process, port, request, began + START_PATIENCE)
            yield Served(name, port, process.pid, time.perf_counter() - began, signers)


@contextmanager
def _process(
    command: list[str], cpu: int | None, settings: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    environment = {
        **os.environ,
        **settings,
        "LUMBAR_CDS_MAX_BODY_MB": "100",
        "LUMBAR_CDS_MAX_RESOURCES": "100000",
        "LUMBAR_CDS_LOG_LEVEL": "info",
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        preexec_fn=None if cpu is None else lambda: machine.pin(cpu),
    )
    try:
        yield process, began
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_answer(process: subprocess.Popen[bytes], port: int, request: bytes, deadline: float) -> None:
    while True:
        if process.poll() is not None:
            raise CannotServe(f"{' '.join(process.args)} ended with status {process.returncode}")  # type: ignore[arg-type]
        try:
            with socket.create_connection((HOST, port), timeout=5) as connection:
                connection.sendall(request)
                if connection.recv(64).startswith(b"HTTP/1.1 200"):
                    return
                raise CannotServe("the first call was refused; run the same call by hand to see why")
        except ConnectionError:
            if time.perf_counter() > deadline:
                raise CannotServe(f"no answer within {START_PATIENCE:.0f} s") from None
            time.sleep(0.005)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
