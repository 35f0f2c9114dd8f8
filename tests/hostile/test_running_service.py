"""The closed service while it runs: restarts, changed and broken clients files, keys fetched by URL, calls too fast."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cds_service.service_under_test import SELECT
from tests.hostile.registered import (
    FEEDBACK,
    ISSUER,
    Closed,
    a_token,
    clients_toml,
    free_port,
    key_set,
    keys,
    public_jwk,
    serving,
)


def wait_until(true: Callable[[], bool], seconds: float = 15.0) -> None:
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.1)


@contextmanager
def published(document: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """An issuer that publishes its keys on this machine; the list holds the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


def test_a_used_token_stays_used_after_a_restart(tmp_path: Path) -> None:  # SEC-9
    port = free_port()
    clients_toml(tmp_path, port)
    token = a_token(f"http://127.0.0.1:{port}{SELECT}")
    with serving(tmp_path, port, workers=1) as service:
        assert service.ask(token=token).status_code == 200
    with serving(tmp_path, port, workers=2) as service:
        for _ in range(6):
            assert service.ask(token=token).status_code == 401
        service.assert_good_call_is_answered()


def test_a_changed_file_is_noticed_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    port = free_port()
    path = clients_toml(tmp_path, port)
    with serving(tmp_path, port, workers=1) as service:
        other = "https://second.example.org"
        assert service.ask(token=a_token(service.base + SELECT, iss=other)).status_code == 401
        second = f'[[client]]\nname = "second"\nissuer = "{other}"\naudiences = ["{service.base}"]\n'
        second += 'jwks_file = "keys.json"\n'
        clients_toml(tmp_path, port, others=second)
        wait_until(lambda: service.ask(token=a_token(service.base + SELECT, iss=other)).status_code == 200)

        path.write_text(path.read_text(encoding="utf-8") + "\nrate_per_minute = 'often'\n", encoding="utf-8")
        wait_until(lambda: "not usable" in service.get("/health").json().get("clients", {}).get("file", ""))
        service.assert_good_call_is_answered()
        assert service.ask(token=a_token(service.base + SELECT, iss=other)).status_code == 200
        assert "rate_per_minute" in service.log()

        clients_toml(tmp_path, port)  # mended, and without the second client
        wait_until(lambda: service.ask(token=a_token(service.base + SELECT, iss=other)).status_code == 401)
        service.assert_good_call_is_answered()
        assert service.get("/health").json()["clients"]["file"] == "in force"

        (tmp_path / "keys.json").write_text(json.dumps({"keys": [key_set()["keys"][1]]}), encoding="utf-8")
        wait_until(lambda: service.ask().status_code == 401)  # the key was withdrawn


def test_a_hangup_reads_the_file_at_once_and_answers_go_on(tmp_path: Path) -> None:
    port = free_port()
    clients_toml(tmp_path, port)
    with serving(tmp_path, port, workers=2) as service:
        clients_toml(tmp_path, port, more='tenants = ["north"]')
        os.kill(service.pid, signal.SIGHUP)
        wait_until(lambda: service.ask().status_code == 401)
        for _ in range(10):
            assert service.ask(token=a_token(service.base + SELECT, tenant="north")).status_code == 200


def test_keys_are_fetched_from_the_registered_address_only(tmp_path: Path) -> None:  # SEC-3
    port = free_port()
    document = {"keys": [public_jwk(keys()["ES384"], kid="first")]}
    with published(document) as (address, asked), published(document) as (elsewhere, canary):
        path = clients_toml(tmp_path, port)
        text = path.read_text(encoding="utf-8").replace('jwks_file = "keys.json"', f'jwks_url = "{address}/jwks"')
        path.write_text(text, encoding="utf-8")
        with serving(tmp_path, port, workers=1) as service:

            def ask(kid: str, **header: object) -> int:
                return service.ask(token=a_token(service.base + SELECT, kid=kid, headers=header)).status_code

            assert ask("first", jku=f"{elsewhere}/jwks") == 401
            assert asked == []  # a token with a wrong jku makes nobody fetch anything
            assert ask("first") == 200
            assert ask("first", jku=f"{address}/jwks") == 200
            for _ in range(5):
                assert ask("unknown") == 401
            assert asked == ["/jwks"]
            assert canary == []


def test_keys_that_cannot_be_had_are_no_reason_to_trust_anybody(tmp_path: Path) -> None:
    port = free_port()
    path = clients_toml(tmp_path, port)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('jwks_file = "keys.json"', f'jwks_url = "http://127.0.0.1:{free_port()}/jwks"'))
    with serving(tmp_path, port, workers=1) as service:
        assert service.ask().status_code == 401
        assert service.last_check() == "keys-unavailable"
        assert '"event":"key-set"' in service.log()


@pytest.mark.parametrize("way", [{}, {"Content_Encoding": "identity"}], ids=["short", "long"])
def test_a_client_that_calls_too_often_is_told_when_to_come_back(tmp_path: Path, way: dict[str, str]) -> None:
    port = free_port()
    path = clients_toml(tmp_path, port)
    text = path.read_text(encoding="utf-8").replace("burst = 10000", "burst = 5").replace("= 60000", "= 60")
    second = text.replace('"st-anna"', '"st-bea"').replace(ISSUER, "https://bea.example.org")
    path.write_text(text + second, encoding="utf-8")
    with serving(tmp_path, port, workers=2) as service:
        answers = [service.ask(**way) for _ in range(8)]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:5] == [200] * 5  # whichever worker it was
        assert 429 in statuses
        late = answers[statuses.index(429)]
        assert late.json()["issue"][0]["code"] == "throttled"
        assert late.headers["Retry-After"] == "1"
        assert service.ask(FEEDBACK, {}, **way).status_code == 429
        other = service.ask(token=a_token(service.base + SELECT, iss="https://bea.example.org"), **way)
        assert other.status_code == 200
        time.sleep(1.1)
        service.assert_good_call_is_answered()


def test_without_a_memory_of_used_tokens_no_token_counts(tmp_path: Path) -> None:
    port = free_port()
    clients_toml(tmp_path, port)
    with serving(tmp_path, port, workers=1) as service:
        for path in (tmp_path / "state").glob("used-tokens.sqlite3*"):
            path.unlink()
        (tmp_path / "state" / "used-tokens.sqlite3").mkdir()
        answer = service.ask()
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert "not assessed" in answer.text or "nothing was assessed" in answer.text


def test_each_client_has_its_own_code_lists(tmp_path: Path) -> None:
    from tests.cds_service.service_under_test import a_call

    local = "urn:oid:1.2.840.114350.1.13.0.1.7.2.696580"
    (tmp_path / "orders.csv").write_text(
        f"system,code,display,concept,emit\n{local},MR1,MR lumbar wo,mri-lumbar-without-contrast,yes\n",
        encoding="utf-8",
    )
    port = free_port()
    path = clients_toml(tmp_path, port, more='order_catalogue = "orders.csv"')
    plain = '[[client]]\nname = "plain"\nissuer = "https://plain.example.org"\njwks_file = "keys.json"\n'
    path.write_text(path.read_text() + plain + f'audiences = ["http://127.0.0.1:{port}"]\n', encoding="utf-8")
    call = a_call()
    order = call["context"]["draftOrders"]["entry"][0]["resource"]
    order["code"] = {"coding": [{"system": local, "code": "MR1"}]}
    with serving(tmp_path, port, workers=1) as service:
        assert service.ask(body=call).json()["cards"]
        plainly = a_token(service.base + SELECT, iss="https://plain.example.org")
        assert service.ask(body=call, token=plainly).json() == {"cards": []}


def test_a_start_with_a_file_that_cannot_be_used_is_stopped_with_all_its_mistakes(tmp_path: Path) -> None:
    port = free_port()
    clients_toml(tmp_path, port, more='colour = "red"', others='[[client]]\nname = "x"')
    with pytest.raises(AssertionError, match="unknown key `colour`") as stopped, serving(tmp_path, port):
        pass
    assert "`issuer` is missing" in str(stopped.value)


def test_open_mode_answers_without_a_token_and_refuses_any_but_the_sandboxs(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port, "--open", workers=1) as service:
        from tests.cds_service.service_under_test import a_call

        assert service.post(SELECT, a_call()).status_code == 200
        assert requests.get(service.base + "/cds-services", timeout=20).status_code == 200
        for way in ({}, {"Content_Encoding": "identity"}):
            assert service.ask(**way).status_code == 401
        assert "OPEN MODE" in service.log()
        assert service.get("/health").json()["mode"] == "open"


def test_log_lines_of_calls_name_the_client_and_nothing_of_the_token(closed: Closed) -> None:  # SEC-11
    token = a_token(closed.base + SELECT, jti="canary-jti-4711", sub="canary-subject")
    assert closed.ask(token=token).status_code == 200
    log = closed.log()
    assert json.loads(log.splitlines()[-1])["client"] == "st-anna"
    assert "canary" not in log
    assert token.rpartition(".")[2] not in log
