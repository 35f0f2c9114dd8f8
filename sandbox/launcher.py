"""Starts the service and the pretend EHR together, and ends them together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import requests
from msgspec import Struct

from sandbox.ehr.app import LOOPBACK, create_ehr
from sandbox.ehr.clinic import Clinic
from sandbox.ehr.server import EhrServer
from sandbox.ehr.service_client import ServiceClient
from sandbox.ehr.what_if import code_lists
from sandbox.fhir_server.store import Store

START_SECONDS = 40
STOP_SECONDS = 15
LOG_LINES_SHOWN = 12


class CannotStart(RuntimeError):
    """What is wrong, and what to do about it."""


class Places(Struct, frozen=True):
    """Where everything listens, and where it keeps what it keeps."""

    host: str
    service_port: int
    ehr_port: int
    state: Path

    @property
    def service(self) -> str:
        """The service's base address."""
        return f"http://{_in_url(self.host)}:{self.service_port}"

    @property
    def log(self) -> Path:
        """What the service writes while it runs."""
        return self.state / "service.log"


class Running(Struct):
    """Both, while they run."""

    places: Places
    ehr: EhrServer
    clinic: Clinic
    service: subprocess.Popen[bytes]


def usual_state() -> Path:
    """A folder of the sandbox's own among the user's state."""
    home = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
    return Path(home) / "lumbar-cds-sandbox"


@contextmanager
def running(places: Places) -> Iterator[Running]:
    """The service and the pretend EHR, ready to be used; both ended on the way out."""
    _require_free(places.host, places.service_port, "--port")
    _require_free(places.host, places.ehr_port, "--ehr-port")
    places.state.mkdir(parents=True, exist_ok=True)
    client = ServiceClient(places.service)
    ehr, clinic = _ehr(places, client)
    thread = threading.Thread(target=ehr.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    service = _service(places, ehr.base)
    try:
        threading.Thread(target=code_lists, daemon=True).start()  # the "what if" page is quick the first time, too
        _wait_until_ready(places, service)
        yield Running(places, ehr, clinic, service)
    finally:
        ehr.kill()
        client.close()  # a connection that is kept would be waited for
        _end(service)
        thread.join(timeout=5)


def _ehr(places: Places, client: ServiceClient) -> tuple[EhrServer, Clinic]:
    server = EhrServer(Store(), lambda _environ, _start: (), places.host, places.ehr_port)
    clinic = Clinic(server.base, lambda store: server.serve(store))
    clinic.today()
    hosts = LOOPBACK | {places.host}
    server.pages = create_ehr(clinic, client, hosts)
    return server, clinic


def _service(places: Places, fhir_base: str) -> subprocess.Popen[bytes]:
    arguments = ["serve", "--open", "--fhir-server", fhir_base]
    arguments += ["--host", places.host, "--port", str(places.service_port)]
    environment = {"LUMBAR_CDS_STATE_DIR": str(places.state), **os.environ}
    with places.log.open("wb") as log:
        return subprocess.Popen(  # noqa: S603  our own program, with our own arguments
            [sys.executable, "-m", "cds_service", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the service in an orderly way
        )


def _wait_until_ready(places: Places, service: subprocess.Popen[bytes]) -> None:
    by = time.monotonic() + START_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < by:
            if service.poll() is not None:
                raise CannotStart(f"the service did not start:\n{last_lines(places.log)}")
            try:
                if session.get(f"{places.service}/health", timeout=2).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
    raise CannotStart(f"the service did not answer within {START_SECONDS} seconds:\n{last_lines(places.log)}")


def last_lines(log: Path) -> str:
    """The end of the service's log."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:])


def _end(service: subprocess.Popen[bytes]) -> None:
    if service.poll() is not None:
        return
    service.send_signal(signal.SIGTERM)
    try:
        service.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        service.kill()
        service.wait()


def _require_free(host: str, port: int, option: str) -> None:
    if host != "localhost" and not ip_address(host).is_loopback:
        raise CannotStart(
            f"{host} is no loopback address: the sandbox authenticates nobody, so it stays on this machine"
        )
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as problem:
            raise CannotStart(
                f"cannot listen on {host}, port {port} ({problem.strerror}): something else is there, perhaps an "
                f"earlier run. Another port: {option} N, or make run PORT=N EHR_PORT=M"
            ) from problem


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
