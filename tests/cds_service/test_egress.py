"""The guarded HTTP client against real sockets: nothing but registered hosts, and never longer than its time."""

from __future__ import annotations

import errno
import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from cds_service.deadline import Deadline
from cds_service.egress import Egress, EgressFailed, EgressPolicy, EgressRefused, rule_for
from sandbox.fhir_server import Behaviour, Fault, FhirServer, Store, running
from sandbox.fhir_server.failing import bomb

PATIENT = {"resourceType": "Patient", "id": "canary-patient", "gender": "male"}
SECRET = {"Authorization": "Bearer canary-token"}
LIMIT = 0.4  # seconds
SLACK = 1.0  # for a machine that is busy with something else


class Canary:
    """A listener that must hear nothing."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.bind((host, 0))
        self._socket.listen(8)
        self._socket.settimeout(0.05)
        self.port: int = self._socket.getsockname()[1]

    def heard_something(self) -> bool:
        try:
            connection, _ = self._socket.accept()
        except TimeoutError:
            return False
        connection.close()
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    listener = Canary()
    yield listener
    listener.close()


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with running(Store([PATIENT])) as ehr:
        yield ehr


def egress_to(*urls: str) -> Egress:
    return Egress(EgressPolicy(frozenset(rule_for(url) for url in urls)))


def get(egress: Egress, url: str, seconds: float = LIMIT, max_bytes: int = 1_000_000) -> bytes:
    return egress.fetch("GET", url, headers=SECRET, deadline=Deadline(seconds), max_bytes=max_bytes).body


def test_a_registered_server_answers(server: FhirServer) -> None:
    egress = egress_to(server.base)
    for _ in range(3):
        assert b"canary-patient" in get(egress, f"{server.base}/Patient/canary-patient", 5)
    assert {request.authorization for request in server.requests} == {"Bearer canary-token"}
    assert len(server.open_sockets) == 1  # kept and used again


@pytest.mark.parametrize(
    "form",
    [
        "http://127.0.0.1:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://127.0.0.1.:{port}/",
        "http://0.0.0.0:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::ffff:7f00:1]:{port}/",
        "http://[::1]:{port}/",
        "http://fhir.example.org@127.0.0.1:{port}/",
        "https://127.0.0.1:{port}/",
        "https://fhir.example.org@127.0.0.1:{port}/r4",
        "https://fhir.example.org:{port}\\@127.0.0.1/r4",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
    ],
)
def test_no_form_of_an_unregistered_address_reaches_anything(form: str, canary: Canary) -> None:
    egress = egress_to("https://fhir.example.org/r4")
    with pytest.raises(EgressRefused) as refused:
        get(egress, form.format(port=canary.port))
    assert not canary.heard_something()
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["10.0.0.5"],
        ["169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["93.184.215.14", "127.0.0.1"],
        [],
    ],
)
def test_a_name_that_points_inside_gets_no_connection(answers: list[str], canary: Canary) -> None:
    url = f"https://fhir.example.org:{canary.port}/r4"
    egress = Egress(EgressPolicy(frozenset({rule_for(url)})), resolver=lambda _host, _port: answers)
    with pytest.raises(EgressRefused):
        get(egress, f"{url}/Patient/1")
    assert not canary.heard_something()


def test_a_name_is_looked_up_once_and_the_address_that_was_judged_is_the_one_connected_to(canary: Canary) -> None:
    url = f"https://fhir.example.org:{canary.port}/r4"
    answers = iter([["192.0.2.1"], ["127.0.0.1"]])
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    egress = Egress(EgressPolicy(frozenset({rule_for(url)})), resolver=rebinding)
    with pytest.raises(EgressRefused):  # 192.0.2.0/24 is for documentation: not public
        get(egress, f"{url}/Patient/1")
    with pytest.raises(EgressRefused):
        get(egress, f"{url}/Patient/1")
    assert asked == ["fhir.example.org", "fhir.example.org"]
    assert not canary.heard_something()


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:{port}/", "http://169.254.169.254/latest/meta-data/", "//127.0.0.1:{port}/", "/fhir"]
)
def test_redirects_are_not_followed(location: str, canary: Canary) -> None:
    fault = Fault("answer", status=302, location=location.format(port=canary.port))
    with running(Store([PATIENT]), Behaviour(faults=(fault,))) as ehr:
        egress = egress_to(ehr.base)
        answer = egress.fetch("GET", f"{ehr.base}/Patient/1", headers=SECRET, deadline=Deadline(5), max_bytes=1000)
        assert answer.status == 302
        assert len(ehr.requests) == 1
    assert not canary.heard_something()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("hang"), "timeout"),
        (Fault("drip", seconds=0.02), "timeout"),
        (Fault("drip-headers", seconds=0.02), "timeout"),
        (Fault("delay", seconds=5), "timeout"),
        (Fault("endless"), "too large"),
        (Fault("packed"), "too large"),
        (Fault("reset"), "broken"),
        (Fault("half"), "broken"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_every_way_to_hold_a_call_up_ends_in_time_and_the_next_call_is_sound(fault: Fault, kind: str) -> None:
    with running(Store([PATIENT]), Behaviour(faults=(fault,))) as ehr:
        egress = egress_to(ehr.base)
        bomb()  # made before time is taken
        started = time.perf_counter()
        with pytest.raises(EgressFailed) as failed:
            get(egress, f"{ehr.base}/Patient/canary-patient")
        took = time.perf_counter() - started
        assert failed.value.kind == kind
        assert took < LIMIT + SLACK
        assert failed.value.__context__ is None  # a library's exception would hold the address
        ehr.serve(behaviour=Behaviour())
        assert b"canary-patient" in get(egress, f"{ehr.base}/Patient/canary-patient", 5)


def test_a_name_look_up_that_stalls_ends_in_time() -> None:
    release = threading.Event()

    def stalled(_host: str, _port: int) -> list[str]:
        release.wait(10)
        return ["93.184.215.14"]

    egress = Egress(EgressPolicy(frozenset({rule_for("https://fhir.example.org/r4")})), resolver=stalled)
    before = threading.active_count()
    started = time.perf_counter()
    for _ in range(3):
        with pytest.raises(EgressFailed, match="timeout"):
            get(egress, "https://fhir.example.org/r4/Patient/1", 0.2)
    assert time.perf_counter() - started < 3 * 0.2 + SLACK
    assert threading.active_count() <= before + 1  # all wait for the same look-up
    release.set()


def test_nobody_listening_is_said_at_once() -> None:
    listener = Canary()
    listener.close()
    egress = egress_to(f"http://127.0.0.1:{listener.port}")
    with pytest.raises(EgressFailed, match="connection refused"):
        get(egress, f"http://127.0.0.1:{listener.port}/", 5)


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (ConnectionResetError(errno.ECONNRESET, "reset"), "broken"),  # the server died in the middle of the handshake
        (BrokenPipeError(errno.EPIPE, "pipe"), "broken"),
        (OSError(errno.EPROTOTYPE, "wrong type"), "broken"),
        (OSError(errno.ENETUNREACH, "unreachable"), "broken"),
        (OSError(errno.EMFILE, "no more files"), "broken"),
        (TimeoutError(errno.ETIMEDOUT, "timed out"), "timeout"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "connection refused"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, OSError) else value,
)
def test_every_way_not_to_get_a_connection_is_a_failure_of_the_exchange(
    problem: OSError, kind: str, server: FhirServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """urllib3 forgives some of these, as if they had come after the request was sent."""

    class Unconnectable(socket.socket):
        def connect(self, _address: object) -> None:
            raise problem

    egress = egress_to(server.base)
    monkeypatch.setattr("cds_service.egress_sockets.socket.socket", Unconnectable)
    with pytest.raises(EgressFailed, match=kind):
        get(egress, f"{server.base}/Patient/1", 5)


def test_a_server_without_a_certificate_that_is_known_is_not_spoken_to(server: FhirServer) -> None:
    url = server.base.replace("http:", "https:")
    egress = Egress(EgressPolicy(frozenset({rule_for(url)})))
    with pytest.raises(EgressFailed):
        get(egress, f"{url}/Patient/1", 2)
    assert not server.requests


def test_proxies_and_credentials_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, server: FhirServer, canary: Canary
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    assert b"canary-patient" in get(egress_to(server.base), f"{server.base}/Patient/canary-patient", 5)
    assert not canary.heard_something()


def test_the_libraries_write_nothing_down(
    server: FhirServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "urllib3.connectionpool", "requests"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        egress = egress_to(server.base)
        get(egress, f"{server.base}/Patient/canary-patient", 5)
        server.serve(behaviour=Behaviour(faults=(Fault("reset"),)))
        with pytest.raises(EgressFailed) as failed:
            get(egress, f"{server.base}/Patient/canary-patient", 5)
    finally:
        for name in ("urllib3", "urllib3.connectionpool", "requests"):
            logging.getLogger(name).setLevel(logging.NOTSET)
    out, err = capfd.readouterr()
    assert "canary" not in caplog.text + out + err + repr(failed.value) + str(failed.value)


def test_a_header_that_could_end_its_line_is_not_sent(server: FhirServer) -> None:
    with pytest.raises(EgressRefused):
        egress_to(server.base).fetch(
            "GET",
            f"{server.base}/Patient/1",
            headers={"Authorization": "Bearer x\r\nX-Evil: y"},
            deadline=Deadline(1),
            max_bytes=10,
        )
    assert not server.requests
