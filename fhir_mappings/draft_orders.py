"""Draft orders of the call: the lumbar imaging ones as DraftOrders, the others as context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from fhir_mappings.codes import CodeReader, CodeReading, as_tuples
from fhir_mappings.decode import HookCall, RawResource
from fhir_mappings.elements import CodeableConcept
from fhir_mappings.errors import WrongPatient
from fhir_mappings.fhir_records import Condition, Observation, Patient, Record, Reference, type_name
from fhir_mappings.lookup import Lookup
from fhir_mappings.order_recognition import RecognisedOrder, recognise
from fhir_mappings.page import reader_for
from fhir_mappings.reasons import is_low_back
from fhir_mappings.record_text import shown
from fhir_mappings.references import OnePatient, local_reference
from fhir_mappings.status_codes import OlderFhir, Verified, verified
from fhir_mappings.terminology import Terminology
from rules.draft_order import DraftOrder, Recognition
from rules.evidence import Evidence
from rules.facts import Fact, FactKind

T = TypeVar("T")

_REASON = msgspec.json.Decoder(Condition | Observation)
_PRIORITIES = frozenset({"routine", "urgent", "asap", "stat"})
_NO_ORDER = frozenset({"revoked", "completed", "entered-in-error"})


class ReadDraft(Struct, frozen=True):
    """A lumbar imaging order, or one that may be: as the decision sees it, and verbatim."""

    order: DraftOrder
    raw: RawResource


class _Reasons(Struct):
    """The reasons of one order, read."""

    facts: list[Fact]
    references: list[str]
    unread: list[str]
    stem: bool = False
    stated: bool = False
    low_back: bool = False

    @property
    def low_back_reason(self) -> bool | None:
        """Is the back the reason? ``None``: no reason that could be read."""
        if self.low_back:
            return True
        return False if self.facts and not self.unread else None


def read_drafts(call: HookCall, terminology: Terminology) -> tuple[ReadDraft, ...]:
    """The draft imaging orders that concern us, selected or not; every other draft is left to ``context_facts``.

    A lumbar order for another patient stops the call: it must be neither judged with this chart nor passed over in
    silence.
    """
    codes = reader_for(terminology)
    who = _patient_of(call)
    lookup = Lookup([value.entries for value in call.prefetch.values()])
    found: list[ReadDraft] = []
    for draft, full_url, selected in _requests(call):
        reasons = _reasons(draft, _reference_of(draft, full_url), codes, lookup, call)
        recognised = _recognise(draft, reasons, codes)
        if recognised.recognition is Recognition.NOT_OURS:
            continue
        if not _is_for(who, draft):
            if selected:
                raise WrongPatient("a draft order names another patient than the context of the call")
            continue
        found.append(ReadDraft(_draft_order(draft, full_url, selected, reasons, recognised), draft))
    return tuple(found)


def context_facts(call: HookCall, terminology: Terminology) -> tuple[Fact, ...]:
    """What the other drafts of the session say: an injection, an operation, a referral, a therapy."""
    codes = reader_for(terminology)
    who = _patient_of(call)
    return tuple(
        fact
        for draft, full_url, _ in _requests(call)
        if _is_for(who, draft)
        for fact in _context_facts(draft, _reference_of(draft, full_url), codes)
    )


def draft_ids(call: HookCall) -> frozenset[str]:
    """The ids of all drafts: an order that is being written is not its own predecessor."""
    return frozenset(_id(draft) for draft in call.context.draft_orders if _id(draft))


def _requests(call: HookCall) -> Iterator[tuple[RawResource, str, bool]]:
    """Drafts that are orders for something to be done, with their fullUrl, and whether they were selected."""
    context = call.context
    drafts = [
        (draft, url)
        for draft, url in zip(context.draft_orders, context.full_urls, strict=True)
        if draft.get("resourceType") == "ServiceRequest"
    ]
    everything = call.hook == "order-sign" or context.selections is None
    named = [_selected(draft, url, context.selections or ()) for draft, url in drafts]
    lost = not everything and not any(named) and _names_unknown_request(context.selections or (), call)
    for (draft, url), selected in zip(drafts, named, strict=True):
        if draft.get("doNotPerform") is True or draft.get("status") in _NO_ORDER:
            continue
        yield draft, url, everything or selected or (lost and not _id(draft))


def _selected(draft: RawResource, full_url: str, selections: Sequence[str]) -> bool:
    own = _id(draft)
    names = {f"ServiceRequest/{own}", own, f"urn:uuid:{own}"} if own else set()
    if full_url:
        names |= {full_url, local_reference(full_url)}
    return any(selection in names or local_reference(selection) in names for selection in selections)


def _names_unknown_request(selections: Sequence[str], call: HookCall) -> bool:
    """A selection that no draft answers to can only mean a draft without an id."""
    known = {f"{draft.get('resourceType')}/{_id(draft)}" for draft in call.context.draft_orders if _id(draft)}
    return any(local_reference(selection) not in known for selection in selections)


def _id(draft: RawResource) -> str:
    own = draft.get("id")
    return own if isinstance(own, str) else ""


def _reference_of(draft: RawResource, full_url: str) -> str:
    return f"ServiceRequest/{_id(draft)}" if _id(draft) or not full_url else full_url


def _patient_of(call: HookCall) -> OnePatient:
    return OnePatient(call.context.patient_id, _patient_urls(call), ())


def _patient_urls(call: HookCall) -> frozenset[str]:
    """The urn under which the patient of the call stands in a Bundle; needed only where a draft uses one."""
    subjects = [draft.get("subject") for draft in call.context.draft_orders]
    if not any(isinstance(each, dict) and str(each.get("reference")).startswith("urn:") for each in subjects):
        return frozenset()
    return frozenset(
        entry.full_url
        for value in call.prefetch.values()
        for entry in value.entries
        if entry.full_url and isinstance(entry.resource, Patient) and entry.resource.id == call.context.patient_id
    )


def _is_for(who: OnePatient, draft: RawResource) -> bool:
    subject = _converted(draft.get("subject"), Reference)
    return who.is_meant_by(subject)


def _converted(value: object, wanted: type[T]) -> T | None:
    """A part of a draft, where it has the shape that FHIR gives it."""
    if value is None:
        return None
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        return None


def _concepts(value: object) -> list[CodeableConcept]:
    several = value if isinstance(value, list) else [] if value is None else [value]
    return [found for each in several if (found := _converted(each, CodeableConcept)) is not None]


def _recognise(draft: RawResource, reasons: _Reasons, codes: CodeReader) -> RecognisedOrder:
    code = _converted(draft.get("code"), CodeableConcept) or CodeableConcept()
    sites = tuple(concept for site in _concepts(draft.get("bodySite")) for concept in codes.site_concepts(site))
    return recognise(as_tuples(code), code.text or "", sites, reasons.low_back_reason, codes.terminology)


def _draft_order(
    draft: RawResource, full_url: str, selected: bool, reasons: _Reasons, recognised: RecognisedOrder
) -> DraftOrder:
    priority = draft.get("priority")
    status = draft.get("status")
    return DraftOrder(
        reference=_reference_of(draft, full_url),
        recognition=recognised.recognition,
        procedure=recognised.procedure,
        candidates=recognised.candidates,
        name=shown(recognised.name),
        priority=priority if isinstance(priority, str) and priority in _PRIORITIES else "",
        reasons=tuple(reasons.facts),
        reason_references=tuple(dict.fromkeys(reasons.references)),
        unread_reasons=tuple(dict.fromkeys(reasons.unread)),
        unread_reason_has_red_flag_stem=reasons.stem,
        has_any_reason=reasons.stated,
        status=status if isinstance(status, str) and status else "draft",
        selected=selected,
        level_not_stated=recognised.level_not_stated,
    )


def _reasons(draft: RawResource, reference: str, codes: CodeReader, lookup: Lookup, call: HookCall) -> _Reasons:
    reasons = _Reasons([], [], [])
    value = draft.get("reasonCode")
    for each in value if isinstance(value, list) else [] if value is None else [value]:
        concept = _converted(each, CodeableConcept)
        if concept is None:
            reasons.stated = True
            reasons.unread.append("a reason that is no coded concept")
            continue
        if concept.words:
            _add(reasons, codes.of(concept), f"{reference}#reasonCode")
    links = draft.get("reasonReference")
    for each in links if isinstance(links, list) else [] if links is None else [links]:
        _follow(reasons, each, draft, reference, codes, lookup, call)
    return reasons


def _add(reasons: _Reasons, reading: CodeReading, where: str) -> None:
    reasons.stated = True
    if reading.unread or reading.contradicted:
        reasons.unread.append(reading.says)
        reasons.stem = reasons.stem or reading.red_flag_stem
        return
    reasons.low_back = reasons.low_back or is_low_back(reading)
    known = {(fact.concept, fact.side, fact.present) for fact in reasons.facts}
    for statement in reading.statements:
        side = statement.side
        if (statement.concept, side, statement.present) in known:
            continue
        reasons.facts.append(
            Fact(
                concept=statement.concept,
                kind=FactKind.REASON,
                evidence=Evidence(where, reading.says, "", statement.marks),
                present=statement.present,
                suspected=statement.suspected,
                current=not statement.history,
                side=side,
                site=statement.site,
                course=statement.course,
            )
        )


def _follow(
    reasons: _Reasons,
    link: object,
    draft: RawResource,
    reference: str,
    codes: CodeReader,
    lookup: Lookup,
    call: HookCall,
) -> None:
    """A reason by reference: a contained resource speaks for itself, one of the chart is pointed to."""
    found = _converted(link, Reference)
    if found is None or not found.reference:
        reasons.stated = True
        display = link.get("display") if isinstance(link, dict) else None
        reasons.unread.append(shown(display) if isinstance(display, str) else "a reason by reference")
        return
    reasons.stated = True
    inside = found.reference.startswith("#")
    record = _contained(draft, found.reference[1:]) if inside else lookup.find(found.reference)
    record = record or _among_drafts(call, found.reference)
    if not isinstance(record, Condition | Observation) or _said_in_error(record):
        display = link.get("display") if isinstance(link, dict) else None
        reasons.unread.append(shown(display) if isinstance(display, str) else shown(found.reference))
        return
    reading = codes.memo.of(record.code)
    if inside:
        _add(reasons, reading, f"{reference}#reasonReference")
        return
    reasons.references.append(f"{type_name(record)}/{record.id or ''}")
    if reading.unread or reading.contradicted:
        reasons.unread.append(reading.says)
        reasons.stem = reasons.stem or reading.red_flag_stem
    reasons.low_back = reasons.low_back or is_low_back(reading)


def _said_in_error(record: Condition | Observation) -> bool:
    if isinstance(record, Observation):
        return record.status == "entered-in-error"
    try:
        return verified(record.verification_status) in (Verified.ERROR, Verified.REFUTED)
    except OlderFhir:
        return True


def _contained(draft: RawResource, local_id: str) -> Record | None:
    inside = draft.get("contained")
    for each in inside if isinstance(inside, list) else ():
        if isinstance(each, dict) and each.get("id") == local_id:
            return _as_record(each)
    return None


def _among_drafts(call: HookCall, reference: str) -> Record | None:
    """A reason that is itself part of the session's draft Bundle."""
    for draft, url in zip(call.context.draft_orders, call.context.full_urls, strict=True):
        if reference == url or local_reference(reference) == f"{draft.get('resourceType')}/{_id(draft)}":
            return _as_record(draft)
    return None


def _as_record(resource: dict[str, Any]) -> Record | None:
    if resource.get("resourceType") not in ("Condition", "Observation"):
        return None
    try:
        found: Condition | Observation = _REASON.decode(msgspec.json.encode(resource))
    except msgspec.DecodeError:
        return None
    return found


def _context_facts(draft: RawResource, reference: str, codes: CodeReader) -> Iterator[Fact]:
    code = _converted(draft.get("code"), CodeableConcept)
    reading = codes.of(code)
    statements = reading.statements or tuple(
        statement for each in _concepts(draft.get("performerType")) for statement in codes.of(each).statements
    )
    if reading.contradicted:
        return
    for statement in statements:
        yield Fact(
            concept=statement.concept,
            kind=FactKind.DRAFT,
            evidence=Evidence(reference, reading.says, "", ("draft", *statement.marks)),
            present=statement.present,
            suspected=statement.suspected,
            side=statement.side,
            site=statement.site,
            state="draft",
        )
