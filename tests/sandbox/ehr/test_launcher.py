"""One command: the service process and the pretend EHR, started together and ended together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox.ehr.server import MOST_BYTES
from sandbox.launcher import CannotStart, Places, Running, running
from sandbox.stories import load
from sandbox.welcome import welcome


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _places(folder: Path, **more: int) -> Places:
    ports = {"service_port": _free_port(), "ehr_port": _free_port(), **more}
    return Places("127.0.0.1", state=folder, **ports)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(_places(tmp_path_factory.mktemp("sandbox"))) as started:
        yield started


def test_pages_records_and_service_answer(both: Running) -> None:
    page = requests.get(both.ehr.address, timeout=10)
    assert "Three weeks of low back pain" in page.text
    patient = requests.get(f"{both.ehr.base}/Patient/three-weeks-of-low-back-pain", timeout=10)
    assert patient.json()["resourceType"] == "Patient"
    assert requests.get(f"{both.places.service}/cds-services", timeout=10).ok


def test_a_card_goes_the_whole_way(both: Running) -> None:
    story = load()[0]
    with requests.Session() as browser:
        page = browser.post(
            f"{both.ehr.address}/patients/{story.id}/place", data={"order": story.orders[0].id}, timeout=20
        )
    assert '<article class="card warning"' in page.text
    assert "200" in page.text


def test_a_record_that_the_ehr_cannot_read_cannot_be_had_by_the_service_either(both: Running) -> None:
    story = next(each for each in load() if each.unreadable)
    with requests.Session() as browser:
        page = browser.post(
            f"{both.ehr.address}/patients/{story.id}/place", data={"order": story.orders[0].id}, timeout=20
        )
    assert "could not be read" in page.text


def test_the_service_keeps_its_records_in_the_sandboxs_own_folder(both: Running) -> None:
    assert both.places.log.is_file()
    assert [path.name for path in both.places.state.iterdir() if path.name.startswith("audit")]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("HEAD", "/", 200), ("GET", "/fhir/metadata", 200), ("GET", "/fhirnot", 404)],
)
def test_pages_and_records_share_one_address(method: str, path: str, status: int, both: Running) -> None:
    assert requests.request(method, both.ehr.address + path, timeout=10).status_code == status


def test_a_form_that_is_too_large_is_refused(both: Running) -> None:
    answer = requests.post(f"{both.ehr.address}/patients/x/sign", data=b"x" * (MOST_BYTES + 1), timeout=10)
    assert answer.status_code == 413


def test_a_port_that_is_taken_is_named_with_what_to_do(both: Running, tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="--ehr-port"), running(_places(tmp_path, ehr_port=both.places.ehr_port)):
        pass
    with pytest.raises(CannotStart, match="--port"), running(_places(tmp_path, service_port=both.places.service_port)):
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])  # all addresses; one of the documentation's
def test_it_stays_on_this_machine(host: str, tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="loopback"), running(Places(host, 1, 2, tmp_path)):
        pass


def test_a_service_that_does_not_start_is_said_with_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMBAR_CDS_NO_SUCH_SETTING", "1")
    with pytest.raises(CannotStart, match="LUMBAR_CDS_NO_SUCH_SETTING"), running(_places(tmp_path)):
        pass


def test_the_address_to_open_comes_first_and_the_public_sandbox_is_a_link_away(both: Running) -> None:
    lines = list(welcome(both.places, both.ehr.address, both.ehr.base, load()))
    addresses = [line for line in lines if "http" in line]
    assert both.ehr.address in addresses[0]
    deep = [line for line in lines if "sandbox.cds-hooks.org/?" in line]
    assert len(deep) == 3
    assert all("screen=pama" in line and "hook=order-select" in line for line in deep)


def test_ctrl_c_ends_all_of_it(tmp_path: Path) -> None:
    places = _places(tmp_path)
    ports = ["--port", str(places.service_port), "--ehr-port", str(places.ehr_port)]
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", *ports, "--state-dir", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as command:
        assert command.stdout is not None
        said = []
        for line in command.stdout:
            said.append(line)
            if line.startswith("Stop with"):
                break
        assert requests.get(f"{places.service}/health", timeout=10).ok, "".join(said)
        command.send_signal(signal.SIGINT)
        assert command.wait(timeout=30) == 0
    for port in (places.service_port, places.ehr_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
