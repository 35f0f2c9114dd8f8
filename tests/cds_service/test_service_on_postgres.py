"""The service as several machines run it, on one PostgreSQL: calls are answered and on record, come what may of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import URL

from audit_trail.checkpoints import checkpoints_of, signer_at
from audit_trail.database import reading, store_address
from audit_trail.queries import Queries
from audit_trail.record import AccessRecord
from audit_trail.store import Store, open_store
from audit_trail.tables import DECISION
from audit_trail.verification import verify
from tests import postgres
from tests.cds_service.real_service import RealService, until
from tests.cds_service.service_under_test import a_call


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    with postgres.a_server() as running:
        yield running


def recorded(store: Store) -> list[str]:
    with reading(store.engine) as connection:
        return list(connection.scalars(DECISION.select().with_only_columns(DECISION.c.hook_instance)))


def call(service: RealService, instance: str) -> None:
    answer = service.post({**a_call(), "hookInstance": instance})
    assert answer.status_code == 200
    assert answer.json()["cards"]


def is_recording(service: RealService) -> bool:
    return service.health()["state"] == "recording"


def test_two_machines_record_on_one_database_through_its_absence(server: postgres.Server, tmp_path: Path) -> None:
    plain = server.database()
    address: URL = store_address(plain)
    services = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        services.append(
            RealService(tmp_path / name, workers=2, audit_store=plain, audit_checkpoint_minutes="1").start()
        )
    store = open_store(address)
    try:
        for number in range(8):
            call(services[number % 2], f"before-{number}")
        until(lambda: len(recorded(store)) == 8)
        store.close()
        server.stop()
        for number in range(8):
            call(services[number % 2], f"meanwhile-{number}")
        for service in services:
            until(lambda service=service: "out of reach" in service.health()["state"])
            assert requests.get(service.url("/health"), timeout=5).status_code == 200
        server.start()
        for service in services:
            until(lambda service=service: is_recording(service))
        store = open_store(address)
        until(lambda: len(recorded(store)) == 16)
        for service in services:
            until(lambda service=service: (service.state / "state" / "audit-checkpoints.jsonl").exists())
    finally:
        for service in services:
            service.stop()
    assert len(set(recorded(store))) == 16  # each once
    states = [service.state / "state" for service in services]
    signers = [signer_at(state / "audit-key.pem") for state in states]
    keys = {signer.fingerprint: signer.public_key for signer in signers}
    outside = [each for state in states for each in checkpoints_of(state / "audit-checkpoints.jsonl")]
    found = verify(store, keys, outside)
    assert found.sound, found.broken
    assert not found.lost
    assert found.checkpoints >= 2
    access = AccessRecord(at=outside[0].at, who="ada", action="verify")
    store.accessed(signers[0].writer, access)
    assert [each.record for each in Queries(store).accesses(access.at, access.at.replace(year=2100))] == [access]
    store.close()
