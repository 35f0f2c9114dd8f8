"""The benchmark itself: its shortest run works end to end, and the two servers it compares are set up alike."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jwt
import msgspec
import pytest
from gunicorn.util import load_class
from gunicorn.workers.gthread import ThreadWorker

from bench import backlog, machine
from bench.backlog import NotStored, stored
from bench.closed import register
from bench.compare import TARGETS, Cell
from bench.floor_app import COLLECTOR_THRESHOLD, SERVICES_WORKER, create_floor, server_options
from bench.generate import request_body
from bench.load import Measured, request_bytes
from bench.plan import QUICK, Plan, read_options
from bench.report import table
from bench.run import main
from cds_service.server import Server
from cds_service.settings import Settings
from cds_service.trust_setup import closed_trust
from tests.bench.test_generate import DAY
from tests.cds_service.real_service import until

SHORTEST = ["--quick", "--rounds", "1", "--seconds", "0.05", "--starts", "1", "--sizes", "small", "--connections", "2"]
SHORTEST += ["--resources", "60", "--codings", "4", "--micro-seconds", "0.01"]


def test_the_shortest_run_measures_both_servers_and_writes_its_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main([*SHORTEST, "--results", str(tmp_path)]) == 0
    (file,) = tmp_path.iterdir()
    written = file.read_text(encoding="utf-8")
    for part in (
        "Requests per second",
        "Closed mode",
        "ES384",
        "Stored within",
        "Latency",
        "Start and memory",
        "Growth",
        "step by step",
        "small",
    ):
        assert part in written
    assert f"written to {file}" in capsys.readouterr().out


@pytest.mark.parametrize("tuned", [False, True])
def test_the_floor_is_served_as_the_service_is(tuned: bool):
    service = Server(Settings(port=1234, workers=2, threads=3), lambda: None).cfg
    floor = server_options(1234, 2, 3, tuned)
    for same in ("workers", "threads", "preload_app", "keepalive", "timeout", "graceful_timeout"):
        assert floor[same] == service.settings[same].get(), same
    worker = service.settings["worker_class"].get()
    assert issubclass(worker, ThreadWorker)  # gthread, with limits and a loop of the service's
    assert floor["worker_class"] == (SERVICES_WORKER if tuned else "gthread")
    assert load_class(SERVICES_WORKER) in worker.mro()


def test_the_tuned_floor_has_the_services_collector_settings(monkeypatch: pytest.MonkeyPatch):
    import gc

    heard: list[tuple[int, ...]] = []
    monkeypatch.setattr(gc, "set_threshold", lambda *threshold: heard.append(threshold))
    monkeypatch.setattr("cds_service.server.stop_if_told", lambda _arbiter: None)  # it is for a process of its own
    Server(Settings(), lambda: None).cfg.post_fork(None, None)
    assert heard == [COLLECTOR_THRESHOLD]


def test_the_floor_parses_the_body_and_always_answers_the_same_card():
    client = create_floor().test_client()
    body = request_body("small", DAY)
    answers = {client.post("/cds-services/any", data=body).data for _ in range(2)}
    assert [len(msgspec.json.decode(answer)["cards"]) for answer in answers] == [1]
    assert client.post("/cds-services/any", data=b"no json").status_code == 500


def _measured(per_second: float, p99: float) -> Measured:
    return Measured(int(per_second), 1.0, p99 / 2, p99, p99, 0, 100, 0.1)


def test_ratios_are_medians_of_the_ratios_within_a_round():
    rounds = {
        "floor": tuple(_measured(each, 10) for each in (100, 200, 1000)),
        "service": tuple(_measured(each, 5) for each in (50, 150, 100)),
        "closed service": tuple(_measured(each, 8) for each in (25, 75, 50)),
        "closed service, ES384": tuple(_measured(each, 8) for each in (20, 60, 40)),
        "tuned floor": tuple(_measured(each, 10) for each in (100, 100, 100)),
        "floor again": tuple(_measured(each, 10) for each in (100, 200, 1000)),
    }
    cell = Cell("small", 16, rounds)
    assert set(rounds) == set(TARGETS)
    assert cell.ratio() == 0.5
    assert cell.ratio("closed service") == 0.25
    assert cell.ratio("closed service", to="service") == 0.5
    assert cell.ratio("floor again") == 1.0
    assert cell.p99_ratio() == 0.5


def test_the_rate_that_can_go_on_for_ever_counts_the_time_that_storing_takes():
    calls = Measured(900, 3.0, 5, 9, 9, 0, 100, 0.1, in_all=1000, in_all_seconds=3.5, storing_seconds=2.0)
    calls = msgspec.structs.replace(calls, storing_processor_seconds=0.5)
    assert (calls.per_second, calls.stored_per_second) == (300, 250)
    rounds = {"floor": (_measured(1000, 10),), "closed service": (calls,)}
    assert Cell("small", 16, rounds).stored_ratio("closed service") == 0.25


def test_tokens_of_both_algorithms_that_cds_hooks_recommends_open_the_closed_service(tmp_path: Path):
    path = "/cds-services/lumbar-imaging-order-select"
    clients, signers = register(tmp_path, "http://127.0.0.1:1", path)
    trust = closed_trust(Settings(state_dir=tmp_path / "state", clients=clients))
    assert set(signers) == {"RS384", "ES384"}
    for algorithm, signer in signers.items():
        token = signer.tokens()()
        assert jwt.get_unverified_header(token)["alg"] == algorithm
        assert trust.identify({"Authorization": f"Bearer {token}"}, path).client == "bench"


@pytest.mark.parametrize("said", ["the store is out of reach; records wait in the journal", "off"])
def test_a_service_that_stores_nothing_ends_the_benchmark(said: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(backlog, "_health", lambda _port: {"state": said, "bytesWaiting": 1})
    with pytest.raises(NotStored, match=said):
        stored(1, 1)


def test_what_waits_is_let_be_stored_before_anything_else_is_measured(monkeypatch: pytest.MonkeyPatch):
    left = iter((3_000_000, 1_000_000, 0))
    monkeypatch.setattr(backlog, "_health", lambda _port: {"state": "recording", "bytesWaiting": next(left)})
    found = stored(1, os.getpid())
    assert found.megabytes == 3.0
    assert found.seconds >= 0.2
    assert found.processor_seconds <= found.seconds
    assert list(left) == []


def test_the_command_line_changes_the_plan_and_nothing_else():
    assert read_options([]).plan == Plan()
    assert read_options(["--quick"]).plan == QUICK
    assert read_options(["--rounds", "2", "--connections", "1", "4"]).plan == msgspec.structs.replace(
        Plan(), rounds=2, connections=(1, 4)
    )


def test_a_call_goes_over_the_wire_as_http_has_it():
    head, _, body = request_bytes("/cds-services/x", b"{}").partition(b"\r\n\r\n")
    assert head.startswith(b"POST /cds-services/x HTTP/1.1\r\n")
    assert b"Content-Length: 2" in head
    assert body == b"{}"


def test_numbers_stand_right_and_words_left_in_a_table():
    drawn = table(("Size", "ms"), [("small", "1.5"), ("large", "12.5")])
    assert drawn.splitlines()[2:] == ["| small |  1.5 |", "| large | 12.5 |"]


def test_what_a_servers_processes_use_of_the_processor_is_counted():
    program = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\ninput()"
    before = machine.processor_seconds(os.getpid()) or 0.0
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as busy:
        until(lambda: (machine.processor_seconds(os.getpid()) or 0.0) - before >= 0.2)
        busy.communicate(b"\n")
    assert machine.processor_seconds(1 << 30) is None
