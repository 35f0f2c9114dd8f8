"""Finding the resource that a reference points to: contained, in the same answer, or nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from fhir_mappings.fhir_records import READ, AnyRecord, Record
from fhir_mappings.prefetch_values import Entry
from fhir_mappings.references import local_reference

_CONTAINED = msgspec.json.Decoder(list[Raw] | None)
_TYPES = {kind.__name__: kind for kind in READ}
_RECORD = msgspec.json.Decoder(AnyRecord)


class Lookup:
    """Every record of the call, by "Type/id" and by fullUrl; each type is indexed only when one of it is looked up."""

    def __init__(
        self, pages: Sequence[list[Entry]], records: Mapping[type[Record], Sequence[Any]] | None = None
    ) -> None:
        self._records = records
        self._pages = pages
        self._by_type: dict[str, dict[str, Record]] = {}
        self._by_url: dict[str, Record] | None = None

    def find(self, reference: str | None, within: Record | None = None) -> Record | None:
        """The record meant; ``None`` where the call does not hold it."""
        if not reference:
            return None
        if reference.startswith("#"):
            return None if within is None else contained(within, reference[1:])
        if reference.startswith("urn:"):
            if self._by_url is None:
                self._by_url = self._urls()
            return self._by_url.get(reference)
        kind, _, own_id = local_reference(reference).partition("/")
        known = self._by_type.get(kind)
        if known is None:
            known = self._by_type[kind] = self._of_type(kind)
        return known.get(own_id)

    def _of_type(self, name: str) -> dict[str, Record]:
        kind = _TYPES.get(name)
        if kind is None:
            return {}
        if self._records is not None:
            return {record.id: record for record in self._records.get(kind, ()) if record.id}
        found = (entry.resource for entries in self._pages for entry in entries if type(entry.resource) is kind)
        return {record.id: record for record in found if record.id}

    def _urls(self) -> dict[str, Record]:
        return {
            entry.full_url: entry.resource
            for entries in self._pages
            for entry in entries
            if entry.full_url and isinstance(entry.resource, READ)
        }


def contained(record: Record, local_id: str) -> Record | None:
    """A resource inside another one."""
    if not len(record.contained):
        return None
    try:
        several = _CONTAINED.decode(record.contained) or []
    except msgspec.DecodeError:
        return None
    for raw in several:
        try:
            found: Record = _RECORD.decode(raw)
        except (msgspec.DecodeError, RecursionError):
            continue
        if isinstance(found, READ) and found.id == local_id:
            return found
    return None
