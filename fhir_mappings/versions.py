"""One version of each resource: the latest. A correction replaces what it corrects; an error removes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from fhir_mappings.elements import version_in
from fhir_mappings.fhir_records import AboutPatient

R = TypeVar("R", bound=AboutPatient)

# Where two versions of a resource do not say which is later, the one that takes back or corrects is.
_LATER = {"entered-in-error": 3, "corrected": 2, "amended": 1}
_START = datetime(1, 1, 1, tzinfo=UTC)


def latest_versions(records: list[R]) -> list[R]:
    """The records, each id once; records without an id are all kept."""
    if len({record.id for record in records}) == len(records):
        return records
    kept: dict[str, R] = {}
    nameless: list[R] = []
    for record in records:
        if record.id is None:
            nameless.append(record)
            continue
        other = kept.get(record.id)
        if other is None or (other is not record and _order(record) > _order(other)):
            kept[record.id] = record
    return [*kept.values(), *nameless]


def _order(record: AboutPatient) -> tuple[datetime, int, int, bytes]:
    meta = version_in(record.meta)
    return _instant(meta.last_updated), _number(meta.version_id), _rank(record), msgspec.json.encode(record)


def _rank(record: AboutPatient) -> int:
    return _LATER.get(record.status or "", 0)


def _instant(text: str | None) -> datetime:
    try:
        found = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return _START
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else 0
