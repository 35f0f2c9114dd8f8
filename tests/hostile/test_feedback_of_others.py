"""Feedback on a card is taken from the client that got the card, and from no other: a running service, two clients.

FB-1 authentication · FB-2 batches · FB-4 repeats
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import requests

from cds_service.output_check import check_resource
from tests.cds_service.real_service import until
from tests.cds_service.service_under_test import SELECT, SIGN, a_call
from tests.hostile.registered import FEEDBACK, ISSUER, Closed, a_token, clients_toml, free_port, serving

BEA = "https://bea.example.org"
WORDING = "feedback[{}].card was not sent to this client"


def two_clients(folder: Path, port: int) -> None:
    """St. Anna, and St. Bea with the same keys."""
    bea = f'[[client]]\nname = "st-bea"\nissuer = "{BEA}"\naudiences = ["http://127.0.0.1:{port}"]\n'
    clients_toml(folder, port, others=bea + 'jwks_file = "keys.json"\n')


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    folder, port = tmp_path_factory.mktemp("two"), free_port()
    two_clients(folder, port)
    with serving(folder, port) as running:
        yield running


def card_of(service: Closed, issuer: str, path: str = SELECT) -> str:
    """The id of a card that the client of that issuer has just got."""
    call = a_call(hookInstance=str(uuid4()), hook=path.removeprefix("/cds-services/lumbar-imaging-"))
    answer = service.ask(path, call, token=a_token(service.base + path, iss=issuer))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["cards"][0]["uuid"])


def overridden(card: str) -> dict[str, Any]:
    return {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-25T10:05:31Z"}


def report(service: Closed, issuer: str, *items: object, path: str = FEEDBACK) -> requests.Response:
    return service.ask(path, {"feedback": list(items)}, token=a_token(service.base + path, iss=issuer))


def logged(service: Closed, event: str) -> dict[str, Any]:
    """The last record of that kind."""
    lines = [msgspec.json.decode(line) for line in service.log().splitlines() if line.startswith("{")]
    last: dict[str, Any] = [line for line in lines if line["event"] == event][-1]
    return last


def counts(service: Closed) -> tuple[int, ...]:
    """Taken, refused, of another client, on unknown cards: as the last report was counted."""
    record = logged(service, "feedback")
    taken = record["accepted"] + record["overridden"]
    return taken, record["refused"], record["of_another_client"], record["on_unknown_cards"]


def assert_refused(answer: requests.Response, *positions: int) -> None:
    assert answer.status_code == 403, answer.text
    check_resource(answer.json())
    issue = answer.json()["issue"][0]
    named = "; ".join(WORDING.format(position) for position in positions)
    assert issue["code"] == "forbidden"
    assert issue["diagnostics"] == f"{named}; the other items were taken; report it as the client that got the card"


@pytest.mark.parametrize("path", [SELECT, SIGN])
def test_each_client_reports_on_its_own_cards_and_not_on_the_others(service: Closed, path: str) -> None:
    annas, beas = card_of(service, ISSUER, path), card_of(service, BEA, path)
    for issuer, own, other in ((ISSUER, annas, beas), (BEA, beas, annas)):
        taken = report(service, issuer, overridden(own), path=path + "/feedback")
        assert taken.status_code == 200, taken.text
        assert counts(service) == (1, 0, 0, 0)
        assert_refused(report(service, issuer, overridden(other), path=path + "/feedback"), 0)
        assert counts(service) == (0, 1, 1, 0)


def test_the_log_says_who_reported_and_why_it_was_refused(service: Closed) -> None:
    card = card_of(service, ISSUER)
    assert_refused(report(service, BEA, overridden(card)), 0)
    record = logged(service, "call")
    assert (record["status"], record["client"], record["check"]) == (403, "st-bea", "card-owner")
    lines = [line for line in service.log().splitlines() if '"status":403' in line or '"feedback"' in line]
    assert lines
    assert all(card not in line for line in lines)


def test_the_same_call_of_two_clients_gives_each_a_card_of_its_own(service: Closed) -> None:
    call = a_call(hookInstance=str(uuid4()))
    tokens = [a_token(service.base + SELECT, iss=issuer) for issuer in (ISSUER, BEA)]
    annas, beas = (service.ask(SELECT, call, token=token).json()["cards"][0]["uuid"] for token in tokens)
    assert report(service, ISSUER, overridden(annas)).status_code == 200
    assert report(service, BEA, overridden(beas)).status_code == 200
    assert_refused(report(service, BEA, overridden(annas)), 0)


def test_an_unknown_card_is_taken_and_counted_as_one(service: Closed) -> None:
    for card in (str(uuid4()), "a card of last year", "\ud800"):
        assert report(service, ISSUER, overridden(card)).status_code == 200
        assert counts(service) == (1, 0, 0, 1)


def test_of_a_batch_only_what_is_anothers_or_broken_is_refused(service: Closed) -> None:
    own, other = overridden(card_of(service, ISSUER)), overridden(card_of(service, BEA))
    in_capitals = {**other, "card": other["card"].upper()}
    unknown = overridden(str(uuid4()))
    assert_refused(report(service, ISSUER, own, other, unknown, in_capitals, own), 1, 3)
    assert counts(service) == (3, 2, 2, 1)

    answer = report(service, ISSUER, {"card": own["card"]}, own, other)
    assert answer.status_code == 403
    said = answer.json()["issue"][0]["diagnostics"]
    assert said.startswith(WORDING.format(2) + "; feedback[0] needs ")
    assert counts(service) == (1, 2, 1, 0)


def test_whose_a_card_is_survives_a_restart(tmp_path: Path) -> None:
    port = free_port()
    two_clients(tmp_path, port)
    with serving(tmp_path, port) as before:
        card = card_of(before, ISSUER)
    with serving(tmp_path, port) as after:
        assert_refused(report(after, BEA, overridden(card)), 0)
        assert report(after, ISSUER, overridden(card)).status_code == 200
        assert counts(after) == (1, 0, 0, 0)


def test_a_memory_that_fails_loses_no_answer_and_no_feedback(tmp_path: Path) -> None:
    port = free_port()
    two_clients(tmp_path, port)
    with serving(tmp_path, port) as service:
        with closing(sqlite3.connect(tmp_path / "state" / "used-tokens.sqlite3")) as connection:
            connection.executescript("DROP TABLE IF EXISTS card; CREATE VIEW card AS SELECT 1 AS mark;")
        service.assert_good_call_is_answered()
        card = card_of(service, ISSUER)
        until(lambda: '"card-owners"' in service.log())
        assert logged(service, "card-owners")["level"] == "error"
        assert report(service, BEA, overridden(card)).status_code == 200
        assert counts(service) == (1, 0, 0, 1)


def test_open_mode_does_not_ask_whose_a_card_is(tmp_path: Path) -> None:
    with serving(tmp_path, free_port(), "--open", audit_store="off") as service:
        answer = service.post(SELECT, a_call())
        card = answer.json()["cards"][0]["uuid"]
        assert service.post(FEEDBACK, {"feedback": [overridden(card)]}).status_code == 200
        assert counts(service) == (1, 0, 0, 0)
    assert not list((tmp_path / "state").glob("*.sqlite3"))
