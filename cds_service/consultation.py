"""The story of one hook call, from the bytes that arrived to the cards that leave."""

from __future__ import annotations

import zlib
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256
from typing import Final, TypedDict

import msgspec
from msgspec import Struct

from cards import Advised, CallIds, Rendering, cards_for
from cards.answer_json import answer_as_dict
from cds_service.chart_source import ChartSource
from cds_service.collaborators import Collaborators
from cds_service.hook_request import read_call
from cds_service.output_check import check_answer
from cds_service.service_catalogue import Service
from cds_service.trust import Caller
from fhir_mappings.decode import HookCall
from fhir_mappings.draft_orders import ReadDraft, context_facts, read_drafts
from fhir_mappings.picture import PatientContext, draw_picture
from rules.draft_order import Recognition
from rules.facts import ClinicalPicture
from rules.recommend import recommend
from rules.recommendation import Recommendation

NOTHING_TO_SAY: Final = b'{"cards":[]}'


class Counts(TypedDict, total=False):
    """The counts and codes of a consultation that may be recorded; see audit.CallRecord."""

    decision: str
    hook_differs: bool
    judged_orders: int
    situations: tuple[str, ...]
    ratings: tuple[str, ...]
    cards: int
    gaps: tuple[str, ...]
    dropped_entries: int
    foreign_entries: int
    unread_texts: int
    unmapped_codes: int


class Consultation(Struct, frozen=True):
    """What was decided about one call, and the answer as it is sent. Without judged orders no chart was opened."""

    answer: bytes
    hook_differs: bool
    ids: CallIds | None = None
    picture: ClinicalPicture | None = None
    advice: tuple[Recommendation, ...] = ()
    cards: int = 0

    def counts(self) -> Counts:
        """For the record: counts and codes of ours, nothing of the patient's."""
        if self.ids is None or self.picture is None:
            return Counts(hook_differs=self.hook_differs)
        return Counts(
            decision=decision_id(self.ids),
            hook_differs=self.hook_differs,
            judged_orders=len(self.advice),
            situations=tuple(each.situation.value for each in self.advice),
            ratings=tuple(each.rating.pama.value for each in self.advice if each.rating is not None),
            cards=self.cards,
            gaps=tuple(f"{gap.source}: {gap.why}" for gap in self.picture.gaps),
            dropped_entries=self.picture.dropped_entries,
            foreign_entries=self.picture.foreign_entries,
            unread_texts=self.picture.unread_texts,
            unmapped_codes=len(self.picture.unmapped_codes),
        )


def consult(
    body: bytes,
    service: Service,
    caller: Caller,
    now: datetime,
    tools: Collaborators,
    chart_source: ChartSource | None = None,
) -> Consultation:
    """One hook call: from the orders a clinician has drafted to the cards they will see."""
    call = read_call(body)
    hook_differs = call.hook != service.hook
    drafts = read_drafts(call, tools.terminology)
    judged = [draft for draft in drafts if _is_judged(draft, service)]
    if not judged:
        return Consultation(NOTHING_TO_SAY, hook_differs)  # no chart is opened for an order we do not rate

    as_of = _patients_day(judged, now)
    chart = (chart_source or tools.chart_source).gather(call)
    context = PatientContext(call.context.patient_id, call.context.encounter_id)
    picture = draw_picture(chart, context, as_of, tools.terminology, context_facts(call, tools.terminology))
    guidelines = tools.guidelines.on(as_of)
    orders = tuple(draft.order for draft in drafts)
    advised = tuple(
        Advised(
            recommend(draft.order, picture, guidelines, tuple(order for order in orders if order is not draft.order)),
            draft.raw,
        )
        for draft in judged
    )
    ids = _ids(call, service, caller, body, as_of)
    answer = cards_for(advised, ids, _rendering(service, caller, tools), tools.terminology, guidelines)
    document = answer_as_dict(answer)
    if tools.settings.validate_output:
        check_answer(document)
    return Consultation(
        answer=msgspec.json.encode(document),
        hook_differs=hook_differs,
        ids=ids,
        picture=picture,
        advice=tuple(each.recommendation for each in advised),
        cards=len(answer.cards),
    )


def _is_judged(draft: ReadDraft, service: Service) -> bool:
    """At order-select the orders just chosen; at order-sign every draft. Orders that are not ours stay silent."""
    if draft.order.recognition is Recognition.NOT_OURS:
        return False
    return draft.order.selected or service.hook == "order-sign"


def _patients_day(judged: list[ReadDraft], now: datetime) -> date:
    """The calendar day where the order is written, from the offset of its own time stamp; else the day in UTC."""
    for draft in judged:
        offset = _offset(draft.raw.get("authoredOn"))
        if offset is not None:
            return now.astimezone(offset).date()
    return now.astimezone(UTC).date()


def _offset(stamp: object) -> timezone | None:
    if not isinstance(stamp, str):
        return None
    try:
        offset = datetime.fromisoformat(stamp).utcoffset()
    except ValueError:
        return None
    return timezone(offset) if offset is not None and abs(offset) <= timedelta(hours=14) else None


def _ids(call: HookCall, service: Service, caller: Caller, body: bytes, as_of: date) -> CallIds:
    return CallIds(
        client=caller.client,
        service=service.id,
        hook=service.hook,
        hook_instance=call.hook_instance,
        # Tells apart the bodies of a client that reuses a hook instance; a cryptographic hash of 3 MB would cost as
        # much as reading them.
        body_digest=f"{zlib.crc32(body):08x}-{len(body):x}",
        patient_id=call.context.patient_id,
        decided_on=as_of,
    )


def decision_id(ids: CallIds) -> str:
    """The id under which this decision is recorded; says nothing about the patient."""
    parts = (ids.client, ids.service, ids.hook_instance, ids.body_digest)
    return sha256("\x00".join(parts).encode()).hexdigest()[:32]


def _rendering(service: Service, caller: Caller, tools: Collaborators) -> Rendering:
    return Rendering(
        update_only=caller.update_only,
        show_appropriate=service.hook in tools.settings.show_appropriate,
        base_url=tools.settings.base_url,
    )
