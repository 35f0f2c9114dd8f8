"""Machines that share a store share what they must agree on: used tokens, and whose card is whose."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from audit_trail.database import store_address
from audit_trail.draining import StoreDown
from audit_trail.store import open_store
from cds_service.card_owners import SECONDS_KEPT, CardOwnersError, SentCards
from cds_service.operator_log import OperatorLog
from cds_service.replay_memory import SqliteReplayMemory
from cds_service.settings import Settings
from cds_service.shared_memory import SharedCardOwners, SharedDatabase, SharedReplayMemory
from cds_service.trust_setup import sent_cards, shared_database
from tests import postgres

ONE, TWO, THREE = (f"4e0a3a1e-3283-4575-ab82-028d55fe271{digit}" for digit in "123")
UNTIL, NOW = 2000.0, 1000.0


def prepared(address: URL) -> URL:
    store = open_store(address)
    store.prepare()
    store.close()
    return address


@pytest.fixture
def database() -> URL:
    """Of a store that is there."""
    return prepared(store_address(postgres.new_database()))


class Clock:
    """The time since some moment, as the tests have it pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def a_machine(folder: Path, database: URL, name: str, clock: Clock | None = None):
    shared = SharedDatabase(database, clock or Clock())
    return SharedReplayMemory(shared, SqliteReplayMemory(folder / name), OperatorLog("info"))


def use(folder: Path, database: URL, name: str) -> bool:
    return a_machine(folder, database, name).first_use("c", "everybody's", UNTIL, NOW)


def said(capfd: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    return [(line["level"], line["event"]) for line in lines]


def test_a_token_that_was_used_on_one_machine_counts_on_no_other(tmp_path: Path, database: URL) -> None:
    first, second = a_machine(tmp_path, database, "first"), a_machine(tmp_path, database, "second")
    assert first.first_use("c", "one", UNTIL, NOW)
    assert not second.first_use("c", "one", UNTIL, NOW)
    assert not first.first_use("c", "one", UNTIL, NOW)
    assert second.first_use("d", "one", UNTIL, NOW)  # ids of two clients have nothing to do with each other
    assert not a_machine(tmp_path, database, "started later").first_use("c", "one", UNTIL, NOW)


def test_of_many_machines_and_threads_one_is_first(tmp_path: Path, database: URL) -> None:
    with multiprocessing.get_context("fork").Pool(4) as processes:
        assert sum(processes.starmap(use, [(tmp_path, database, f"machine-{each}") for each in range(12)])) == 1
    memory = a_machine(tmp_path, database, "one")
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: memory.first_use("c", "two", UNTIL, NOW), range(40))) == 1


def test_what_has_expired_is_forgotten(tmp_path: Path, database: URL) -> None:
    memory = a_machine(tmp_path, database, "one")
    for number in range(20):
        memory.first_use("c", str(number), 1500.0, NOW)
    memory.first_use("c", "later", 3000.0, 2000.0)
    store = open_store(database)
    with store.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM used_token")) == 1
    store.close()


def test_the_database_tells_nothing_about_a_token_a_client_or_a_card(tmp_path: Path, database: URL) -> None:
    a_machine(tmp_path, database, "one").first_use("canary-client", "canary-token", UNTIL, NOW)
    SharedCardOwners(SharedDatabase(database)).keep("canary-client", [ONE], NOW)
    store = open_store(database)
    with store.engine.connect() as connection:
        held = b"".join(bytes(row.mark) for row in connection.execute(text("SELECT mark FROM used_token")))
        for row in connection.execute(text("SELECT mark, client FROM card_owner")):
            held += bytes(row.mark) + bytes(row.client)
    store.close()
    assert b"canary" not in held
    assert ONE.encode() not in held


@pytest.fixture
def own_server() -> Iterator[tuple[postgres.Server, URL]]:
    """A database server of one's own, to stop and to freeze."""
    with postgres.a_server() as server:
        yield server, prepared(store_address(server.database()))


def test_while_the_database_is_down_a_token_counts_once_on_each_machine_and_is_made_known_later(
    tmp_path: Path, own_server: tuple[postgres.Server, URL], capfd: pytest.CaptureFixture[str]
) -> None:
    server, database = own_server
    clock = Clock()
    first, second = (a_machine(tmp_path, database, name, clock) for name in ("first", "second"))
    assert first.first_use("c", "before", UNTIL, NOW)
    server.stop()
    assert not first.first_use("c", "before", UNTIL, NOW)  # its own memory knows
    assert first.first_use("c", "meanwhile", UNTIL, NOW)  # the card goes out
    assert not first.first_use("c", "meanwhile", UNTIL, NOW)
    assert first.first_use("c", "too", UNTIL, NOW)
    assert said(capfd) == [("error", "used-tokens")]  # once, not for every call
    server.start()
    assert first.first_use("c", "a moment later", UNTIL, NOW)  # it does not ask at once again
    clock.now += 6
    assert first.first_use("c", "after", UNTIL, NOW)
    assert said(capfd) == [("info", "used-tokens")]
    for token in ("meanwhile", "too", "a moment later", "after"):  # "before" may have gone with the crash
        assert not second.first_use("c", token, UNTIL, NOW)


def test_a_database_that_hangs_holds_up_one_call_and_not_the_next(
    tmp_path: Path, own_server: tuple[postgres.Server, URL]
) -> None:
    _, database = own_server
    shared = SharedDatabase(database)
    shared.execute("SELECT 1", ())
    store = open_store(database)
    with store.engine.connect() as connection:
        processes = list(connection.scalars(text("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")))
    store.close()
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        with pytest.raises(StoreDown):  # gives up by itself: nothing would come for ever
            shared.execute("SELECT 1", ())
        asked = time.monotonic()
        with pytest.raises(StoreDown, match="a moment ago"):
            shared.execute("SELECT 1", ())
        assert time.monotonic() - asked < 1.0  # the clock is real here: it was not asked at all
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def test_a_card_is_its_clients_on_all_machines(database: URL) -> None:
    first, second = SharedCardOwners(SharedDatabase(database)), SharedCardOwners(SharedDatabase(database))
    first.keep("st-anna", [ONE, TWO, ONE.upper()], NOW)
    first.keep("st-bea", [THREE], NOW)
    assert second.sent_to("st-anna", [ONE, f" {TWO.upper()}\n", THREE, "x", "\ud800", "\x00"], NOW) == {
        ONE: True,
        f" {TWO.upper()}\n": True,
        THREE: False,
    }
    first.keep("st-anna", [TWO], NOW + 1000)  # the same answer again
    assert second.sent_to("st-anna", [ONE, TWO], NOW + SECONDS_KEPT + 1) == {TWO: True}


def test_whose_card_is_whose_costs_no_answer_while_the_database_is_down(
    tmp_path: Path, own_server: tuple[postgres.Server, URL], capfd: pytest.CaptureFixture[str]
) -> None:
    server, database = own_server
    server.stop()
    owners = SharedCardOwners(SharedDatabase(database))
    with pytest.raises(CardOwnersError):
        owners.keep("st-anna", [ONE], NOW)
    sent = SentCards(owners, OperatorLog("info"))
    sent.keep("st-anna", [ONE])
    assert sent.sent_to("st-anna", [ONE]) == {}
    assert {event for _, event in said(capfd)} == {"card-owners"}


def test_a_machine_with_a_file_of_its_own_shares_nothing(tmp_path: Path, database: URL) -> None:
    clients = tmp_path / "clients.toml"
    clients.write_text("", encoding="ascii")
    own = Settings(state_dir=tmp_path, clients=clients)
    assert shared_database(own) is None
    assert shared_database(Settings(state_dir=tmp_path, audit_store="off")) is None
    address = database.render_as_string(hide_password=False)
    both = Settings(state_dir=tmp_path, clients=clients, audit_store=address)
    assert shared_database(both) is not None
    sent = sent_cards(both)
    assert sent is not None
    sent.keep("st-anna", [ONE])
    sent.note()
    assert SharedCardOwners(SharedDatabase(database)).sent_to("st-anna", [ONE], time.time()) == {ONE: True}
