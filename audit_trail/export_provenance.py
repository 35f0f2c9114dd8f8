"""The Provenance of a decision as FHIR R4: who asked, what worked it out, and from which entries and contents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from audit_trail.fhir_parts import NAME, TERMINOLOGY, Here, Resource, absolute, instant, user_reference
from audit_trail.queries import Stored
from audit_trail.record import DecisionRecord
from audit_trail.story import plain_details

_PARTICIPANT: Final = f"{TERMINOLOGY}/provenance-participant-type"
_OF_THE_ORDER: Final = "#"  # in a reference: a part of the draft itself


def provenance_of(call: Stored[DecisionRecord], here: Here) -> Resource:
    """What the decision was made from: entries of the record, and the contents under their hashes."""
    record = call.record
    software = {"display": f"{NAME} {record.versions.software}".strip()}
    agents: list[Resource] = [{"type": _participant("assembler"), "who": software}]
    if record.user:
        agents.append({"type": _participant("informant"), "who": user_reference(record)})
    orders = [{"reference": absolute(record, order.reference)} for order in record.orders if order.reference]
    entities = [*_entries(record), *_contents(record, here)]
    provenance: Resource = {
        "resourceType": "Provenance",
        "id": str(uuid5(NAMESPACE_URL, f"{here.canonical_base}/provenance/{call.place.id}")),
        "target": [{"identifier": here.identifier("decision", record.decision), "display": "Decision"}, *orders],
        "occurredDateTime": instant(record.at),
        "recorded": instant(record.at),
        "activity": {"coding": [{"system": f"{TERMINOLOGY}/v3-DataOperation", "code": "CREATE"}]},
        "agent": agents,
    }
    return {**provenance, "entity": entities} if entities else provenance


def _participant(code: str) -> Resource:
    return {"coding": [{"system": _PARTICIPANT, "code": code}]}


def _entries(record: DecisionRecord) -> Iterator[Resource]:
    """Each entry that an answer rests on or that was weighed against it, once, in the version that was read."""
    seen: set[str] = set()
    for evidence in _evidence(plain_details(record).get("advice") or []):
        reference, version = evidence.get("reference") or "", evidence.get("version") or ""
        if not reference or _OF_THE_ORDER in reference:
            continue
        where = absolute(record, reference) + (f"/_history/{version}" if version else "")
        if where not in seen:
            seen.add(where)
            yield {"role": "source", "what": {"reference": where, "display": evidence.get("says") or reference}}


def _evidence(value: Any) -> Iterator[dict[str, Any]]:
    """Every entry that is named anywhere in the advice."""
    if isinstance(value, list):
        for item in value:
            yield from _evidence(item)
    elif isinstance(value, dict):
        if "says" in value and "reference" in value:
            yield value
        else:
            for item in value.values():
                yield from _evidence(item)


def _contents(record: DecisionRecord, here: Here) -> Iterator[Resource]:
    versions = record.versions
    for name in ("rules", "terminology", "wording", "settings"):
        digest: str = getattr(versions, name)
        if digest:
            what = {"identifier": here.identifier(f"content/{name}", digest), "display": name}
            yield {"role": "source", "what": what}
