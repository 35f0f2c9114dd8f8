"""Draft orders of the call: the lumbar imaging ones as DraftOrders, the others as context."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from msgspec import Struct

from fhir_mappings.codes import CodeReader, as_tuples
from fhir_mappings.decode import HookCall, RawResource
from fhir_mappings.draft_parts import as_part, concepts_of, id_of
from fhir_mappings.elements import CodeableConcept
from fhir_mappings.errors import WrongPatient
from fhir_mappings.order_reasons import ReasonReader, Reasons
from fhir_mappings.order_recognition import RecognisedOrder, recognise
from fhir_mappings.page import reader_for
from fhir_mappings.reason_markers import priority_of
from fhir_mappings.record_text import shown
from fhir_mappings.references import local_reference
from fhir_mappings.terminology import Terminology
from rules.draft_order import DraftOrder, Recognition
from rules.evidence import Evidence
from rules.facts import Fact, FactKind

_NO_ORDER = frozenset({"revoked", "completed", "entered-in-error"})


class ReadDraft(Struct, frozen=True):
    """A lumbar imaging order, or one that may be: as the decision sees it, and verbatim."""

    order: DraftOrder
    raw: RawResource


def read_drafts(call: HookCall, terminology: Terminology, now: datetime | None = None) -> tuple[ReadDraft, ...]:
    """The draft imaging orders that concern us, selected or not; every other draft is left to ``context_facts``.

    ``now`` is the moment of the call: "since yesterday" in a reason counts from the day the order was written, else
    from then. A lumbar order for another patient stops the call: it must be neither judged with this chart nor passed
    over in silence.
    """
    codes = reader_for(terminology)
    reader = ReasonReader(call, codes)
    found: list[ReadDraft] = []
    for draft, full_url, selected in _requests(call):
        reasons = reader.read(draft, _reference_of(draft, full_url), now)
        recognised = _recognise(draft, reasons.low_back_reason, codes)
        if recognised.recognition is Recognition.NOT_OURS:
            continue
        if not reader.is_for_the_patient(draft):
            if selected:
                raise WrongPatient("a draft order names another patient than the context of the call")
            continue
        found.append(ReadDraft(_draft_order(draft, full_url, selected, reasons, recognised), draft))
    return tuple(found)


def reasons_not_at_hand(call: HookCall, terminology: Terminology) -> tuple[str, ...]:
    """Entries of the chart that a selected order names as its reason and that the call does not hold.

    Only of orders that are lumbar imaging, or would be if that reason were the back.
    """
    if not any(draft.get("reasonReference") for draft in call.context.draft_orders):
        return ()
    drafts = [draft for draft, _, selected in _requests(call) if selected and draft.get("reasonReference")]
    if not drafts:
        return ()
    codes = reader_for(terminology)
    reader = ReasonReader(call, codes)
    return tuple(
        dict.fromkeys(
            target
            for draft in drafts
            if _recognise(draft, True, codes).recognition is not Recognition.NOT_OURS
            for target in reader.not_at_hand(draft)
        )
    )


def context_facts(call: HookCall, terminology: Terminology) -> tuple[Fact, ...]:
    """What the other drafts of the session say: an injection, an operation, a referral, a therapy."""
    context, codes = call.context, reader_for(terminology)
    reader = ReasonReader(call, codes)
    facts: list[Fact] = []
    for draft, full_url in zip(context.draft_orders, context.full_urls, strict=True):
        if draft.get("resourceType") == "ServiceRequest" and _stands(draft) and reader.is_for_the_patient(draft):
            facts += _context_facts(draft, _reference_of(draft, full_url), codes)
    return tuple(facts)


def draft_ids(call: HookCall) -> frozenset[str]:
    """The ids of all drafts: an order that is being written is not its own predecessor."""
    return frozenset([own for draft in call.context.draft_orders if (own := id_of(draft))])


def _stands(draft: RawResource) -> bool:
    """Is it an order for something to be done, and not taken back?"""
    status = draft.get("status")
    return draft.get("doNotPerform") is not True and not (isinstance(status, str) and status in _NO_ORDER)


def _requests(call: HookCall) -> list[tuple[RawResource, str, bool]]:
    """Drafts that are orders for something to be done, with their fullUrl, and whether they were selected."""
    context, selections = call.context, call.context.selections
    whatever_is_chosen = call.hook == "order-sign" or selections is None
    found: list[tuple[RawResource, str, bool]] = []
    any_named = False
    for draft, url in zip(context.draft_orders, context.full_urls, strict=True):
        if draft.get("resourceType") == "ServiceRequest":
            selected = whatever_is_chosen or _selected(draft, url, selections or ())
            any_named = any_named or selected
            if _stands(draft):
                found.append((draft, url, selected))
    if any_named or not _names_unknown_request(selections or (), call):
        return found
    return [(draft, url, not id_of(draft)) for draft, url, _ in found]


def _selected(draft: RawResource, full_url: str, selections: Sequence[str]) -> bool:
    own = id_of(draft)
    if own and f"ServiceRequest/{own}" in selections:
        return True  # as nearly every client writes it
    names = {f"ServiceRequest/{own}", own, f"urn:uuid:{own}"} if own else set()
    if full_url:
        names |= {full_url, local_reference(full_url)}
    return any(selection in names or local_reference(selection) in names for selection in selections)


def _names_unknown_request(selections: Sequence[str], call: HookCall) -> bool:
    """A selection that no draft answers to can only mean a draft without an id."""
    known = {f"{draft.get('resourceType')}/{id_of(draft)}" for draft in call.context.draft_orders if id_of(draft)}
    return any(local_reference(selection) not in known for selection in selections)


def _reference_of(draft: RawResource, full_url: str) -> str:
    own = id_of(draft)
    return f"ServiceRequest/{own}" if own or not full_url else full_url


def _recognise(draft: RawResource, low_back_reason: bool | None, codes: CodeReader) -> RecognisedOrder:
    code = as_part(draft.get("code"), CodeableConcept) or CodeableConcept()
    body_site = draft.get("bodySite")
    sites: tuple[str, ...] = ()
    if body_site is not None:
        sites = tuple(concept for site in concepts_of(body_site) for concept in codes.site_concepts(site))
    return _recognised(tuple(as_tuples(code)), code.text or "", sites, low_back_reason, codes.terminology)


@lru_cache(maxsize=2048)
def _recognised(
    codings: tuple[tuple[str, str, str], ...],
    text: str,
    sites: tuple[str, ...],
    low_back_reason: bool | None,
    terminology: Terminology,
) -> RecognisedOrder:
    """Which study this is: a site orders the same few, written alike, every day."""
    return recognise(codings, text, sites, low_back_reason, terminology)


def _draft_order(
    draft: RawResource, full_url: str, selected: bool, reasons: Reasons, recognised: RecognisedOrder
) -> DraftOrder:
    status = draft.get("status")
    return DraftOrder(
        reference=_reference_of(draft, full_url),
        recognition=recognised.recognition,
        procedure=recognised.procedure,
        candidates=recognised.candidates,
        name=shown(recognised.name),
        priority=priority_of(draft.get("priority"), reasons.priority),
        reasons=tuple(reasons.facts),
        reason_references=tuple(dict.fromkeys(reasons.references)) if reasons.references else (),
        unread_reasons=tuple(dict.fromkeys(reasons.unread)) if reasons.unread else (),
        unread_reason_has_red_flag_stem=reasons.stem,
        has_any_reason=reasons.stated,
        status=status if isinstance(status, str) and status else "draft",
        selected=selected,
        level_not_stated=recognised.level_not_stated,
    )


def _context_facts(draft: RawResource, reference: str, codes: CodeReader) -> list[Fact]:
    code = as_part(draft.get("code"), CodeableConcept)
    reading = codes.of(code)
    if reading.contradicted:
        return []
    statements = reading.statements or tuple(
        statement for each in concepts_of(draft.get("performerType")) for statement in codes.of(each).statements
    )
    return [
        Fact(
            concept=statement.concept,
            kind=FactKind.DRAFT,
            evidence=Evidence(reference, reading.says, "", ("draft", *statement.marks)),
            present=statement.present,
            suspected=statement.suspected,
            side=statement.side,
            site=statement.site,
            state="draft",
        )
        for statement in statements
    ]
