"""Records as FHIR R4: AuditEvents in the shapes of IHE BALP, and a Provenance of each decision.

IHE Basic Audit Log Patterns (https://profiles.ihe.net/ITI/BALP; source: IHE/ITI.BasicAudit, input/fsh): a call that was
answered is a PatientCreate (the client's user has a decision made about a patient), what was asked of the EHR's own
server a PatientQuery or PatientRead (seen from the client of that server, which is this service), feedback on a card a
PatientCreate, and whoever looked at a record a PatientRead. BALP is for what succeeded: a failed call has the same
form, the outcome that it had, and claims no profile. The codes are those of the profiles' own definitions.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from audit_trail.export_provenance import provenance_of
from audit_trail.feedback import outcome_moment
from audit_trail.fhir_parts import NAME, TERMINOLOGY, Here, Resource, absolute, instant, user_reference
from audit_trail.queries import Stored
from audit_trail.record import AccessRecord, DecisionRecord, FetchedAnswer
from audit_trail.story import Happened

BALP: Final = "https://profiles.ihe.net/ITI/BALP"
_PROFILE: Final = f"{BALP}/StructureDefinition/IHE.BasicAudit."
_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_SOURCE_ROLE: Final = {"system": _DCM, "code": "110153", "display": "Source Role ID"}
_DESTINATION_ROLE: Final = {"system": _DCM, "code": "110152", "display": "Destination Role ID"}
_AUTHOR: Final = {"system": f"{TERMINOLOGY}/v3-ParticipationType", "code": "AUT", "display": "author (originator)"}
_RECIPIENT: Final = {
    "system": f"{TERMINOLOGY}/v3-ParticipationType",
    "code": "IRCP",
    "display": "information recipient",
}
_REST: Final = {"system": f"{TERMINOLOGY}/audit-event-type", "code": "rest", "display": "Restful Operation"}
_PERSON: Final = {"system": f"{TERMINOLOGY}/audit-entity-type", "code": "1", "display": "Person"}
_OBJECT: Final = {"system": f"{TERMINOLOGY}/audit-entity-type", "code": "2", "display": "System Object"}
_ROLES: Final = {"patient": ("1", "Patient"), "report": ("3", "Report"), "domain": ("4", "Domain Resource"),
                 "query": ("24", "Query")}  # fmt: skip
_REQUEST_ID: Final = {"system": f"{BALP}/CodeSystem/BasicAuditEntityType", "code": "XrequestId"}
_SERVER: Final = {"system": f"{TERMINOLOGY}/security-source-type", "code": "4", "display": "Application Server"}
_ACTIONS: Final = {"create": "C", "read": "R", "search-type": "E"}


class _Event(Struct, frozen=True):
    """One event before it is written as FHIR."""

    name: str
    profile: str
    interaction: str
    recorded: datetime
    client: Resource
    server: Resource
    user: Resource | None
    entities: list[Resource]
    outcome: str = "0"
    said: str = ""


def decision_as_fhir(
    call: Stored[DecisionRecord], happened: Iterable[Happened], accesses: Iterable[Stored[AccessRecord]], here: Here
) -> Iterator[Resource]:
    """Everything about one call: the events, and the Provenance of what was decided."""
    record = call.record
    yield _written(_answered(call, here), here)
    for number, answer in enumerate(answer for wave in record.fetched for answer in wave.answers):
        yield _written(_fetched(call, number, answer, here), here)
    for told in happened:
        yield _written(_feedback(call, told, here), here)
    for access in accesses:
        yield _written(_accessed(call, access, here), here)
    if record.outcome == "answered":
        yield provenance_of(call, here)


def _written(event: _Event, here: Here) -> Resource:
    event_id = str(uuid5(NAMESPACE_URL, f"{here.canonical_base}/audit-event/{event.name}"))
    resource: Resource = {"resourceType": "AuditEvent", "id": event_id}
    if event.outcome == "0" and event.profile:
        resource["meta"] = {"profile": [f"{_PROFILE}{event.profile}"]}
    resource |= {
        "type": _REST,
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": event.interaction}],
        "action": _ACTIONS[event.interaction],
        "recorded": instant(event.recorded),
        "outcome": event.outcome,
    }
    if event.said:
        resource["outcomeDesc"] = event.said
    resource["agent"] = [agent for agent in (event.client, event.server, event.user) if agent]
    resource["source"] = {"site": here.address, "observer": {"display": NAME}, "type": [_SERVER]}
    resource["entity"] = event.entities
    return resource


def _answered(call: Stored[DecisionRecord], here: Here) -> _Event:
    record = call.record
    outcome, said = "0", ""
    if record.outcome == "failed":  # R4 audit-event-outcome: 4 minor (the call's), 8 serious (ours)
        outcome, said = ("8" if record.status >= 500 else "4"), f"{record.status} {record.failure}".strip()
    return _Event(
        name=call.place.id,
        profile="PatientCreate" if record.patient else "Create",
        interaction="create",
        recorded=record.at,
        client=_client(record, _SOURCE_ROLE),
        server=_service(here, _DESTINATION_ROLE),
        user=_user(record, _AUTHOR),
        entities=[_about_decision(record, here), *_patient(record), *_request(record)],
        outcome=outcome,
        said=said,
    )


def _fetched(call: Stored[DecisionRecord], number: int, answer: FetchedAnswer, here: Here) -> _Event:
    """What the EHR's server was asked: a read of one entry, or a search under a prefetch key."""
    record = call.record
    asked = _asked(record, answer.key, here)
    reference = "" if "?" in asked else asked
    failed = answer.state not in ("read", "known empty")
    entity = _read_entity(record, reference) if reference else _query_entity(answer.key, asked)
    return _Event(
        name=f"{call.place.id}/fetched/{number}",
        profile="PatientRead" if reference else "PatientQuery",
        interaction="read" if reference else "search-type",
        recorded=record.at,
        # In a query the client is the source of the question; in a read the server is the source of what is read.
        client=_service(here, _DESTINATION_ROLE if reference else _SOURCE_ROLE),
        server=_ehr(record, _SOURCE_ROLE if reference else _DESTINATION_ROLE),
        user=_user(record, _RECIPIENT),
        entities=[entity, *_patient(record), *_request(record)],
        outcome="4" if failed else "0",
        said=f"{answer.state} {answer.trouble}".strip() if failed else "",
    )


def _feedback(call: Stored[DecisionRecord], told: Happened, here: Here) -> _Event:
    record, item = call.record, told.item
    details = {"card": item.card, "outcome": item.outcome, "at": instant(outcome_moment(item, told.received))}
    details |= {"reason": item.reason_display or item.reason_code, "comment": item.comment}
    entity = {
        "what": {"identifier": here.identifier("feedback", f"{item.card}#{details['at']}#{item.outcome}")},
        "type": _OBJECT,
        "role": _role("report"),
        "name": f"Feedback on a card: {item.outcome}",
        "detail": [{"type": name, "valueString": value} for name, value in details.items() if value],
    }
    return _Event(
        name=f"{call.place.id}/feedback/{item.card}/{details['at']}/{item.outcome}/{instant(told.received)}",
        profile="PatientCreate" if record.patient else "Create",
        interaction="create",
        recorded=told.received,
        client=_client(record, _SOURCE_ROLE),
        server=_service(here, _DESTINATION_ROLE),
        user=_user(record, _AUTHOR),
        entities=[entity, *_patient(record)],
    )


def _accessed(call: Stored[DecisionRecord], access: Stored[AccessRecord], here: Here) -> _Event:
    """Somebody looked at the record."""
    record, seen = call.record, access.record
    who = {"identifier": here.identifier("user", seen.who), "display": seen.who}
    network = {"address": here.address, "type": "5"}
    through = {"display": seen.through or "command line"}
    reader = {"type": _coding(_DESTINATION_ROLE), "who": through, "requestor": False, "network": network}
    user = {"type": _coding(_RECIPIENT), "who": who, "name": seen.who, "requestor": True}
    if seen.role:
        user["role"] = [{"text": seen.role}]
    return _Event(
        name=access.place.id,
        profile="PatientRead" if record.patient else "Read",
        interaction="read",
        recorded=seen.at,
        client=reader,
        server=_service(here, _SOURCE_ROLE),
        user=user,
        entities=[{**_about_decision(record, here), "description": f"audit {seen.action}"}, *_patient(record)],
    )


def _client(record: DecisionRecord, role: Resource) -> Resource:
    """Who called: the client by its name, where it sits by its own address; open mode answers this machine only."""
    address = record.issuer or record.fhir_server
    network = {"address": address, "type": "5"} if address else {"address": "127.0.0.1", "type": "2"}
    who = {"display": record.client or "unknown client"}
    return {"type": _coding(role), "who": who, "requestor": False, "network": network}


def _service(here: Here, role: Resource) -> Resource:
    network = {"address": here.address, "type": "5"}
    return {"type": _coding(role), "who": {"display": NAME}, "requestor": False, "network": network}


def _ehr(record: DecisionRecord, role: Resource) -> Resource:
    network = {"address": record.fhir_server or "unknown", "type": "5"}
    return {"type": _coding(role), "who": {"display": "FHIR server"}, "requestor": False, "network": network}


def _user(record: DecisionRecord, participation: Resource) -> Resource | None:
    if not record.user:
        return None
    return {"type": _coding(participation), "who": user_reference(record), "name": record.user, "requestor": True}


def _patient(record: DecisionRecord) -> list[Resource]:
    if not record.patient:
        return []
    reference = absolute(record, f"Patient/{record.patient.removeprefix('Patient/')}")
    return [{"what": {"reference": reference}, "type": _PERSON, "role": _role("patient")}]


def _request(record: DecisionRecord) -> list[Resource]:
    """The call by the id that its client gave it."""
    if not record.hook_instance:
        return []
    return [{"what": {"identifier": {"value": record.hook_instance}}, "type": _REQUEST_ID}]


def _about_decision(record: DecisionRecord, here: Here) -> Resource:
    orders = [
        {"type": order.reference or "order", "valueString": " ".join(filter(None, (order.situation, order.rating)))}
        for order in record.orders
    ]
    entity: Resource = {
        "what": {"identifier": here.identifier("decision", record.decision)},
        "type": _OBJECT,
        "role": _role("report"),
        "name": f"{record.service or 'call'}: {record.outcome}",
    }
    return {**entity, "detail": orders} if orders else entity


def _read_entity(record: DecisionRecord, reference: str) -> Resource:
    return {"what": {"reference": absolute(record, reference)}, "type": _OBJECT, "role": _role("domain")}


def _asked(record: DecisionRecord, key: str, here: Here) -> str:
    """What the server was asked for: an entry that the call refers to, or the template of a prefetch key, filled in."""
    asked = here.queries.get(key, key.rpartition(": ")[2])
    context = {
        "context.patientId": record.patient,
        "context.encounterId": record.encounter,
        "userPractitionerId": record.user.rpartition("/")[2],
    }
    for name, value in context.items():
        asked = asked.replace("{{" + name + "}}", value)
    return asked


def _query_entity(key: str, asked: str) -> Resource:
    """R4 takes a query or a name, so the prefetch key stands in the description."""
    query = b64encode(asked.encode()).decode()
    return {"type": _OBJECT, "role": _role("query"), "description": key, "query": query}


def _role(name: str) -> Resource:
    code, display = _ROLES[name]
    return {"system": f"{TERMINOLOGY}/object-role", "code": code, "display": display}


def _coding(coding: Resource) -> Resource:
    return {"coding": [coding]}
