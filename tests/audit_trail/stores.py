"""Stores of both kinds for the tests, and records to put in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from audit_trail.database import sqlite_address, store_address
from audit_trail.journal import Frame
from audit_trail.record import (
    AccessRecord,
    CardSummary,
    ContentRecord,
    DecisionRecord,
    FeedbackItem,
    FeedbackRecord,
    OrderSummary,
    PageViewRecord,
    Record,
    encode,
)
from audit_trail.store import Store, open_store
from tests import postgres

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DATABASES = ("sqlite", "postgresql")
MadeStore = Callable[[], Store]


def new_address(database: str, folder: Path) -> URL:
    """The address of a store that does not exist yet."""
    if database == "postgresql":
        return store_address(postgres.new_database())
    return sqlite_address(folder / f"store-{len(list(folder.glob('store-*')))}" / "audit.sqlite3")


@contextmanager
def a_store(address: URL) -> Iterator[Store]:
    """The store at that address, made if it is new."""
    store = open_store(address)
    try:
        store.prepare()
        yield store
    finally:
        store.close()


@pytest.fixture(params=DATABASES)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """Of a new store, on each database."""
    return new_address(request.param, tmp_path)


@pytest.fixture
def store(address: URL) -> Iterator[Store]:
    """A new store, on each database."""
    with a_store(address) as made:
        yield made


def a_decision(number: int, at: datetime = NOON, **more: object) -> DecisionRecord:
    """A call about one order, with a card."""
    order = OrderSummary(
        reference=f"ServiceRequest/{number}",
        procedure="mri-lumbar-without-contrast",
        situation="defer",
        rating="not-appropriate",
        category="usually-not-appropriate",
        score=2,
        row="acr-variant-1",
        variant=1,
        asked=("fever",),
        presumed=("saddle-anaesthesia", "cancer"),
    )
    usual: dict[str, object] = {
        "decision": f"decision-{number}",
        "at": at + timedelta(seconds=number),
        "outcome": "answered",
        "status": 200,
        "service": "lumbar-imaging-order-select",
        "client": "st-anna",
        "registered": True,
        "user": f"Practitioner/{number % 3}",
        "patient": f"patient-{number % 4}",
        "hook_instance": f"instance-{number}",
        "body_digest": f"{number:08x}-1",
        "orders": (order,),
        "cards": (CardSummary(uuid=card_of(number), indicator="warning", topic="defer"),),
        "gaps": ("Condition: failed",),
        "unmapped_codes": (("urn:example", f"local-{number}"),),
        "details": b"details " * 40,
        "answer": b"answer " * 10,
    }
    return DecisionRecord(**{**usual, **more})  # type: ignore[arg-type]


def card_of(number: int) -> str:
    """The id of that call's card."""
    return f"00000000-0000-5000-8000-{number:012}"


def a_report(number: int, at: datetime = NOON, outcome: str = "overridden", **more: object) -> FeedbackRecord:
    """A report on that call's card."""
    item = FeedbackItem(card=card_of(number), outcome=outcome, reason_code="patient-preference", comment="they insist")
    usual: dict[str, object] = {"at": at, "service": "lumbar-imaging-order-select", "client": "st-anna"}
    return FeedbackRecord(**{**usual, "items": (item,), **more})  # type: ignore[arg-type]


def a_view(number: int, at: datetime = NOON) -> PageViewRecord:
    """Somebody opened that call's page."""
    return PageViewRecord(at=at, page="patient", handle="a-handle", decision=f"decision-{number}", language="es")


def an_access(at: datetime = NOON, decision: str = "") -> AccessRecord:
    """Somebody looked."""
    return AccessRecord(at=at, who="ada", role="auditor", through="web", action="show", decision=decision, records=1)


def a_content(text: str, at: datetime = NOON) -> ContentRecord:
    """What answers were made by."""
    return ContentRecord(at=at, name="wording", digest=f"digest of {text}", content=text.encode())


def frames(records: Sequence[Record], first: int = 1) -> list[Frame]:
    """Records as they come out of a journal."""
    return [Frame(first + place, encode(record)) for place, record in enumerate(records)]


def fill(store: Store, writer: str = "worker-1", count: int = 12, first: int = 1) -> None:
    """That many calls of one writer."""
    store.append(writer, frames([a_decision(each) for each in range(first, first + count)], first))


def tampered(store: Store, *statements: str) -> None:
    """What somebody does who may write to the database."""
    with store.for_migration.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
