"""Calls decided and recorded as the running service does it, without the service."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from audit_trail.packing import packed
from audit_trail.record import ContentRecord, DecisionRecord, decode, encode
from cds_service.chart_source import ChartSource
from cds_service.collaborators import Collaborators
from cds_service.consultation import consult, decision_of
from cds_service.errors import CallFailed, operation_outcome
from cds_service.record_of_call import Arrival, Ended, answered, failed
from cds_service.service_catalogue import SERVICES
from cds_service.trust import Caller
from cds_service.versions import InForce, in_force
from tests.clinic import usual_tools

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CALLER = Caller("st-anna", tenant="north", registered=True)


class Contents:
    """What records name by hash."""

    def __init__(self, *all_of: InForce) -> None:
        self.kept: dict[str, ContentRecord] = {}
        for one in all_of:
            self.keep(one)

    def keep(self, one: InForce) -> None:
        for content in one.contents:
            self.kept[content.digest] = ContentRecord(
                at=NOON, name=content.name, digest=content.digest, content=packed(content.json)
            )

    def __call__(self, digest: str) -> ContentRecord | None:
        return self.kept.get(digest)


def made_by(tools: Collaborators) -> InForce:
    """By what these tools decide."""
    return in_force(tools.settings, tools.guidelines.site_values, tools.terminology)


def recorded(
    call: dict[str, Any] | bytes,
    tools: Collaborators | None = None,
    caller: Caller = CALLER,
    now: datetime = NOON,
    source: ChartSource | None = None,
    hook: str = "",
) -> DecisionRecord:
    """The record of one call, through its bytes and back."""
    tools = (tools or usual_tools()).with_pages()  # as where calls are recorded
    body = call if isinstance(call, bytes) else msgspec.json.encode(call)
    wanted = hook or (call["hook"] if isinstance(call, dict) else "order-select")
    service = next((each for each in SERVICES if each.hook == wanted), SERVICES[0])
    arrival = Arrival(service.id, time.perf_counter(), now)
    arrival.caller, arrival.body, arrival.versions = caller, body, made_by(tools).versions
    try:
        consultation = consult(body, service, caller, now, tools, source, arrival.progress)
        record = answered(arrival, consultation, decision_of(consultation) or "made-up")
    except CallFailed as failure:
        record = failed(arrival, Ended(failure, type(failure).__name__), operation_outcome(failure), "made-up")
    kept = decode(encode(record))
    assert isinstance(kept, DecisionRecord)
    return kept
