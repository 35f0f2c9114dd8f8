"""How what was fetched joins what was prefetched: nothing that came is lost, and nothing is made worse by asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from cds_service.chart_source import Wave
from cds_service.fhir_client import Found
from fhir_mappings.decode import HookCall
from fhir_mappings.fhir_records import OperationOutcome, Patient, type_name
from fhir_mappings.prefetch_values import OLDER, PrefetchValue, State

REFERRED: Final = "referred to: "  # keys of entries that no template asks for
_PEOPLE: Final = frozenset({"Practitioner", "PractitionerRole"})


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


def usable(wave: Wave, expected: Mapping[str, str]) -> dict[str, Found]:
    """What counts of a wave. From a server of another FHIR version that is who the patient is, and nothing else."""
    if not wave.unsupported:
        return wave.found
    return {key: _of_older_server(each, _type_of(key, expected)) for key, each in wave.found.items()}


def user_not_read(found: Mapping[str, Found], expected: Mapping[str, str]) -> bool:
    """Was the user's own entry asked for in vain? Which setting it is may hang on it."""
    return any(
        each.value.state is not State.READ and not each.gone
        for key, each in found.items()
        if key not in expected and _type_of(key, expected) in _PEOPLE
    )


def completed(call: HookCall, found: Mapping[str, Found], expected: Mapping[str, str]) -> HookCall:
    """The call as if it had brought along what was found."""
    prefetch = with_fetched(call.prefetch, found, expected, came_elsewhere(call, expected))
    return msgspec.structs.replace(call, prefetch=prefetch)


def _type_of(key: str, expected: Mapping[str, str]) -> str:
    return expected.get(key) or key.removeprefix(REFERRED).partition("/")[0]


def _of_older_server(found: Found, resource_type: str) -> Found:
    """Birth date and sex are the same in all versions."""
    entries = found.value.entries
    if resource_type == "Patient" and entries and isinstance(entries[0].resource, Patient):
        return msgspec.structs.replace(
            found, value=msgspec.structs.replace(found.value, state=State.OLDER), trouble="older FHIR"
        )
    return msgspec.structs.replace(found, value=OLDER, trouble="older FHIR", gone=False)
