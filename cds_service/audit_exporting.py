"""Exports, piece by piece, so that a store of any size can be taken out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from audit_trail.export_csv import decision_as_rows, heading
from audit_trail.export_fhir import decision_as_fhir
from audit_trail.export_ndjson import decision_as_json
from audit_trail.fhir_parts import Here, Resource
from audit_trail.queries import Stored
from audit_trail.record import DecisionRecord
from audit_trail.selection import Selection
from audit_trail.tables import EPOCH
from cds_service.audit_desk import Desk
from cds_service.service_catalogue import TEMPLATES
from cds_service.settings import Settings

_ALWAYS: Final = datetime(9999, 1, 1, tzinfo=UTC)


def exported(
    desk: Desk, settings: Settings, period: Selection, patient: str, form: str, bundle: bool
) -> Iterator[tuple[bytes, int]]:
    """Pieces of the export, each with the number of calls that it completes."""
    calls = desk.queries.records(period, patient=patient)
    if form == "csv":
        yield heading().encode(), 0
        for call in calls:
            rows = decision_as_rows(call.record, call.place.id, desk.happened(call.record))
            yield "".join(rows).encode(), 1
    elif form == "ndjson":
        for call in calls:
            yield decision_as_json(call.record, call.place.id, desk.happened(call.record)) + b"\n", 1
    else:
        yield from _fhir(desk, settings, calls, bundle)


def _fhir(
    desk: Desk, settings: Settings, calls: Iterator[Stored[DecisionRecord]], bundle: bool
) -> Iterator[tuple[bytes, int]]:
    here = Here(settings.base_url, settings.canonical_base, {each.key: each.query for each in TEMPLATES})
    if bundle:
        yield b'{"resourceType":"Bundle","type":"collection","entry":[', 0
    first = True
    for call in calls:
        for resource in _resources(desk, call, here):
            if not bundle:
                yield msgspec.json.encode(resource) + b"\n", 0
                continue
            entry = {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
            yield (b"" if first else b",") + msgspec.json.encode(entry), 0
            first = False
        yield b"", 1
    if bundle:
        yield b"]}\n", 0


def _resources(desk: Desk, call: Stored[DecisionRecord], here: Here) -> Iterator[Resource]:
    accesses = desk.queries.accesses(EPOCH, _ALWAYS, call.record.decision)
    yield from decision_as_fhir(call, desk.happened(call.record), accesses, here)
