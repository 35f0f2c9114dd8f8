"""How what was fetched joins what was prefetched: nothing that came is lost, and nothing is made worse by asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from cds_service.fhir_client import Found
from cds_service.prefetch_queries import Query
from fhir_mappings.decode import HookCall
from fhir_mappings.fhir_records import OperationOutcome, Patient, type_name
from fhir_mappings.prefetch_values import OLDER, PrefetchValue, State

REFERRED: Final = "referred to: "  # keys of entries that no template asks for


def with_fetched(
    prefetch: Mapping[str, PrefetchValue],
    found: Mapping[str, Found],
    expected: Mapping[str, str],
    elsewhere: frozenset[str],
) -> dict[str, PrefetchValue]:
    """The prefetch values of the call, completed. ``elsewhere``: types that came under a key of the client's own."""
    completed = dict(prefetch)
    for key, each in found.items():
        before = prefetch.get(key)
        if each.value.state in (State.READ, State.EMPTY):
            if key in expected or each.value.state is State.READ:
                completed[key] = _with_entries_of(before, each.value)
        elif key in expected and _says_more(each.value, before, expected[key] in elsewhere):
            completed[key] = each.value
    return completed


def _says_more(failure: PrefetchValue, before: PrefetchValue | None, came_elsewhere: bool) -> bool:
    """Is it worth knowing that asking failed? Not where the client sent that part of the record, whole or in part."""
    if failure.state is State.OLDER:
        return before is None or not before.entries
    return before is None and not came_elsewhere


def _with_entries_of(before: PrefetchValue | None, fetched: PrefetchValue) -> PrefetchValue:
    """Client and service may see different parts of a record: entries of both count, each id once (see versions)."""
    if before is None or before.state is not State.READ:
        return fetched
    here = {id(entry) for entry in fetched.entries}
    kept = [
        entry for entry in before.entries if id(entry) not in here and not isinstance(entry.resource, OperationOutcome)
    ]
    if not kept:
        return fetched
    return msgspec.structs.replace(
        fetched,
        state=State.READ,
        entries=[*kept, *fetched.entries],
        dropped=max(before.dropped, fetched.dropped),
        alone=False,
    )


def came_elsewhere(call: HookCall, expected: Mapping[str, str]) -> frozenset[str]:
    """Resource types that the client sent under keys of its own."""
    return frozenset(
        type_name(entry.resource)
        for key, value in call.prefetch.items()
        if key not in expected and not key.startswith(REFERRED)
        for entry in value.entries
        if entry.resource is not None
    )


def of_older_server(found: Found, query: Query) -> Found:
    """From a server of another FHIR version only who the patient is counts: birth date and sex are the same in all."""
    entries = found.value.entries
    if query.resource_type == "Patient" and entries and isinstance(entries[0].resource, Patient):
        return Found(msgspec.structs.replace(found.value, state=State.OLDER), "older FHIR")
    return Found(OLDER, "older FHIR")
