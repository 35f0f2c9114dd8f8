"""Two closed machines behind one address, on one PostgreSQL: what one knows of a token or a card, the other knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest

from tests import postgres
from tests.cds_service.service_under_test import SELECT, a_call
from tests.hostile.registered import FEEDBACK, ISSUER, Closed, a_token, free_port, serving
from tests.hostile.test_feedback_of_others import BEA, overridden, two_clients

# However a machine is reached, tokens are made for the address that clients know.
PUBLIC = "https://cds.example.org"


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with postgres.a_server() as running:
        yield running


@pytest.fixture(scope="module")
def machines(server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Closed, Closed]]:
    store = server.database()
    with ExitStack() as stack:
        running = []
        for name in ("first", "second"):
            folder, port = tmp_path_factory.mktemp(name), free_port()
            two_clients(folder, port)
            text = (folder / "clients.toml").read_text(encoding="utf-8")
            both = text.replace(f'audiences = ["http://127.0.0.1:{port}"]', f'audiences = ["{PUBLIC}"]')
            (folder / "clients.toml").write_text(both, encoding="utf-8")
            running.append(stack.enter_context(serving(folder, port, workers=1, audit_store=store)))
        yield running[0], running[1]


def test_a_token_that_one_machine_took_is_refused_by_the_other(machines: tuple[Closed, Closed]) -> None:
    first, second = machines
    token = a_token(PUBLIC + SELECT)
    assert first.ask(token=token).status_code == 200
    assert second.ask(token=token).status_code == 401
    assert second.last_check() == "replay"
    assert second.ask(token=a_token(PUBLIC + SELECT)).status_code == 200


def test_a_card_that_one_machine_gave_is_its_clients_on_the_other(machines: tuple[Closed, Closed]) -> None:
    first, second = machines
    call = a_call(hookInstance=str(uuid4()))
    card = first.ask(body=call, token=a_token(PUBLIC + SELECT)).json()["cards"][0]["uuid"]
    body = {"feedback": [overridden(card)]}
    others = second.ask(FEEDBACK, body, token=a_token(PUBLIC + FEEDBACK, iss=BEA))
    assert (others.status_code, "was not sent to this client" in others.text) == (403, True)
    assert second.ask(FEEDBACK, body, token=a_token(PUBLIC + FEEDBACK, iss=ISSUER)).status_code == 200


def test_without_the_database_cards_go_out_and_each_machine_takes_a_token_once(
    machines: tuple[Closed, Closed], server: postgres.Server
) -> None:
    first, second = machines
    server.stop()
    try:
        token = a_token(PUBLIC + SELECT)
        answer = first.ask(token=token)
        assert answer.status_code == 200
        assert answer.json()["cards"]
        assert first.ask(token=token).status_code == 401
        assert second.ask(token=token).status_code == 200  # it cannot know
        assert second.ask(token=token).status_code == 401
    finally:
        server.start()
