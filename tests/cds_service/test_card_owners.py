"""Whose card a card is: remembered for all threads, processes and runs of a machine, for a month."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from cds_service import card_owners
from cds_service.card_owners import MOST_HELD, CardOwnersError, SentCards, SqliteCardOwners
from cds_service.operator_log import OperatorLog
from cds_service.replay_memory import SqliteReplayMemory
from tests.cds_service.real_service import until

ONE, TWO, THREE = (f"4e0a3a1e-3283-4575-ab82-028d55fe271{digit}" for digit in "123")
MONTH = 30 * 86_400.0


def keep(path: Path, client: str, card: str) -> None:
    SqliteCardOwners(path).keep(client, [card], 1000.0)


def test_a_card_is_its_clients_and_nobody_elses(tmp_path: Path) -> None:
    owners = SqliteCardOwners(tmp_path / "state")
    owners.keep("st-anna", [ONE, TWO], 1000.0)
    owners.keep("st-bea", [THREE], 1000.0)
    assert owners.sent_to("st-anna", [ONE, TWO, THREE, "x"], 1000.0) == {ONE: True, TWO: True, THREE: False}
    assert owners.sent_to("st-bea", [ONE, TWO, THREE, "x"], 1000.0) == {ONE: False, TWO: False, THREE: True}


@pytest.mark.parametrize("written", [ONE.upper(), f" {ONE}\n"])
def test_a_uuid_is_the_same_however_it_is_written(tmp_path: Path, written: str) -> None:
    owners = SqliteCardOwners(tmp_path / "state")
    owners.keep("st-anna", [ONE], 1000.0)
    assert owners.sent_to("st-anna", [written], 1000.0) == {written: True}


def test_text_that_is_no_unicode_is_an_unknown_card(tmp_path: Path) -> None:
    assert SqliteCardOwners(tmp_path / "state").sent_to("st-anna", ["\ud800", "\x00", ""], 1000.0) == {}


def test_it_is_shared_by_processes_and_survives_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteCardOwners, "SECONDS_WAITED_FOR_OTHERS", 30.0)  # on a busy machine
    path = tmp_path / "state"
    with multiprocessing.get_context("fork").Pool(4) as processes:
        processes.starmap(keep, [(path, f"client-{number}", f"card-{number}") for number in range(16)])
    for number in range(16):
        assert SqliteCardOwners(path).sent_to(f"client-{number}", ["card-0"], 1000.0) == {"card-0": number == 0}


def test_after_a_month_a_card_is_forgotten_and_a_repeated_answer_begins_it_anew(tmp_path: Path) -> None:
    owners = SqliteCardOwners(tmp_path / "state")
    owners.keep("st-anna", [ONE, TWO], 1000.0)
    owners.keep("st-anna", [TWO], 2000.0)
    assert owners.sent_to("st-anna", [ONE, TWO], 1000.0 + MONTH) == {ONE: True, TWO: True}
    assert owners.sent_to("st-anna", [ONE, TWO], 1001.0 + MONTH) == {TWO: True}
    owners.keep("st-anna", [THREE], 1001.0 + MONTH)
    with sqlite3.connect(tmp_path / "state") as connection:
        assert connection.execute("SELECT count(*) FROM card").fetchone() == (2,)


def test_the_file_is_that_of_the_used_tokens_and_tells_neither_client_nor_card(tmp_path: Path) -> None:
    path = tmp_path / "state"
    SqliteCardOwners(path).keep("st-anna", [ONE], 1000.0)
    assert SqliteReplayMemory(path).first_use("st-anna", ONE, 2000.0, 1000.0)
    assert SqliteCardOwners(path).sent_to("st-anna", [ONE], 1000.0) == {ONE: True}
    held = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert b"st-anna" not in held
    assert ONE.encode() not in held


def test_a_memory_that_fails_is_logged_and_makes_cards_unknown(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").write_bytes(b"no database " * 1000)
    owners = SqliteCardOwners(tmp_path / "state")
    with pytest.raises(CardOwnersError):
        owners.keep("st-anna", [ONE], 1000.0)
    with pytest.raises(CardOwnersError):
        owners.sent_to("st-anna", [ONE], 1000.0)
    sent = SentCards(owners, OperatorLog("info"))
    sent.keep("st-anna", [ONE])
    assert sent.sent_to("st-anna", [ONE]) == {}
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["level"], line["event"]) for line in lines] == [("error", "card-owners")] * 2
    assert ONE not in str(lines)


def test_a_file_that_others_hold_delays_an_answer_by_little(tmp_path: Path) -> None:
    owners = SqliteCardOwners(tmp_path / "state")
    owners.keep("st-anna", [ONE], 1000.0)
    other = sqlite3.connect(tmp_path / "state", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(CardOwnersError, match="locked"):
        owners.keep("st-anna", [TWO], 1000.0)
    other.execute("COMMIT")
    other.close()
    owners.keep("st-anna", [THREE], 1000.0)
    assert owners.sent_to("st-anna", [ONE, TWO, THREE], 1000.0) == {ONE: True, THREE: True}


class Noted:
    """A memory that notes how often it was asked to."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, tuple[str, ...]]] = []

    def keep(self, client: str, cards: Iterable[str], _now: float) -> None:
        self.kept.append((client, tuple(cards)))

    def sent_to(self, _client: str, _cards: Iterable[str], _now: float) -> Mapping[str, bool]:
        return {}


def test_what_was_sent_is_noted_a_moment_later_many_cards_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_owners, "SECONDS_HELD", 0.3)
    noted = Noted()
    sent = SentCards(noted, OperatorLog("error"))
    for client, card in (("st-anna", ONE), ("st-bruno", TWO), ("st-anna", THREE)):
        sent.keep(client, [card])
    assert noted.kept == []
    until(lambda: bool(noted.kept))
    assert noted.kept == [("st-anna", (ONE, THREE)), ("st-bruno", (TWO,))]


def test_who_asks_hears_of_what_was_sent_just_now(tmp_path: Path) -> None:
    sent = SentCards(SqliteCardOwners(tmp_path / "state"), OperatorLog("error"))
    sent.keep("st-anna", [ONE])
    assert sent.sent_to("st-anna", [ONE, TWO]) == {ONE: True}
    assert sent.sent_to("st-bruno", [ONE]) == {ONE: False}


def test_no_more_is_held_than_a_moments_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_owners, "SECONDS_HELD", 3600.0)
    noted = Noted()
    sent = SentCards(noted, OperatorLog("error"))
    for number in range(MOST_HELD + 1):
        sent.keep("st-anna", [f"card-{number}"])
    assert [len(cards) for _, cards in noted.kept] == [MOST_HELD + 1]


def test_a_process_that_ends_notes_what_it_sent(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from cds_service.card_owners import SentCards, SqliteCardOwners
from cds_service.operator_log import OperatorLog
SentCards(SqliteCardOwners(Path(sys.argv[1])), OperatorLog("error")).keep("st-anna", [sys.argv[2]])
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "state"), ONE], check=True)
    assert SqliteCardOwners(tmp_path / "state").sent_to("st-anna", [ONE], time.time()) == {ONE: True}


def test_a_process_that_forks_notes_its_own(tmp_path: Path) -> None:
    sent = SentCards(SqliteCardOwners(tmp_path / "state"), OperatorLog("error"))
    sent.keep("st-anna", [ONE])
    sent.note()
    child = os.fork()
    if not child:
        sent.keep("st-anna", [TWO])
        time.sleep(5 * card_owners.SECONDS_HELD)
        os._exit(0)
    os.waitpid(child, 0)
    assert sent.sent_to("st-anna", [ONE, TWO]) == {ONE: True, TWO: True}


def test_a_card_that_another_worker_has_sent_just_now_is_known(tmp_path: Path) -> None:
    one, other = (SentCards(SqliteCardOwners(tmp_path / "state"), OperatorLog("error")) for _ in range(2))
    one.keep("st-anna", [ONE])
    assert other.sent_to("st-bea", [ONE, TWO]) == {ONE: False}
