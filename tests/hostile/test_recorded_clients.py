"""Registered clients on record, over a running closed service: whose call it was, and silence where it was agreed."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import jwt
from sqlalchemy import select

from audit_trail.database import sqlite_address
from audit_trail.packing import unpacked
from audit_trail.record import DecisionRecord, decode
from audit_trail.store import open_store
from audit_trail.tables import RECORD
from cds_service.clients_check import described
from cds_service.settings import Settings
from cds_service.trust_setup import running_clients
from tests.cds_service.service_under_test import SELECT, a_call
from tests.hostile.registered import ISSUER, a_token, clients_toml, free_port, serving

LOUD = "https://loud.example.org"


def records(state: Path) -> list[DecisionRecord]:
    store = open_store(sqlite_address(state / "audit.sqlite3"))
    try:
        with store.engine.connect() as connection:
            query = select(RECORD.c.content).where(RECORD.c.kind == "decision").order_by(RECORD.c.at)
            found = [decode(content) for content in connection.scalars(query)]
    finally:
        store.close()
    return [record for record in found if isinstance(record, DecisionRecord)]


def test_a_silent_client_gets_no_card_another_does_and_both_are_on_record(tmp_path: Path) -> None:
    port = free_port()
    loud = f'[[client]]\nname = "loud"\nissuer = "{LOUD}"\naudiences = ["http://127.0.0.1:{port}"]\n'
    path = clients_toml(tmp_path, port, more="silent = true", others=loud + 'jwks_file = "keys.json"\n')
    call = a_call(hookInstance=str(uuid4()))
    with serving(tmp_path, port) as service:
        quiet_token = a_token(service.base + SELECT, tenant="north")
        silent = service.ask(SELECT, call, token=quiet_token)
        shown = service.ask(SELECT, call, token=a_token(service.base + SELECT, iss=LOUD))
        refused = service.ask(SELECT, call, token=quiet_token)
        lines = [json.loads(line) for line in service.log().splitlines() if line.startswith('{"time"')]
    assert (silent.status_code, silent.content) == (200, b'{"cards":[]}')
    assert shown.json()["cards"]
    assert refused.status_code == 401

    quiet, loud_record, turned_away = records(tmp_path / "state")
    assert (quiet.client, quiet.silent, quiet.outcome) == ("st-anna", True, "answered")
    claims = jwt.decode(quiet_token, options={"verify_signature": False})
    assert (quiet.issuer, quiet.tenant, quiet.token_id) == (ISSUER, "north", claims["jti"])
    assert (loud_record.client, loud_record.silent, loud_record.issuer) == ("loud", False, LOUD)
    assert unpacked(loud_record.answer) == shown.content
    said = json.loads(unpacked(quiet.answer))["cards"][0]
    assert said["summary"] == shown.json()["cards"][0]["summary"]
    assert said["uuid"] != shown.json()["cards"][0]["uuid"]
    assert (turned_away.status, turned_away.check, turned_away.request) == (401, "replay", b"")
    assert quiet_token.encode() not in (tmp_path / "state" / "audit.sqlite3").read_bytes()

    calls = [line for line in lines if line["event"] == "call"]
    assert [(line["status"], line.get("silent", False)) for line in calls] == [(200, True), (200, False), (401, False)]
    assert [line["decision"] for line in calls] == [quiet.decision, loud_record.decision, turned_away.decision]
    assert any("silent" in line for line in described(running_clients(Settings(clients=path)).current()))
