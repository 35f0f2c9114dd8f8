"""The story of one hook call, from the bytes that arrived to the cards that leave."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from time import perf_counter
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from audit_trail.record import RememberedOverride
from cards import Advised, Answer, CallIds, Rendering, cards_for
from cards.answer_json import answer_as_dict, answer_as_json
from cards.ids import ids_of_call
from cards.profiles import PROFILES
from cds_service.chart_source import NOTHING_FETCHED, ChartRefused, ChartSource, FetchRecord
from cds_service.collaborators import Collaborators
from cds_service.computing import TURN
from cds_service.deadline import Deadline
from cds_service.errors import AnotherPatient, PatientUnavailable
from cds_service.hook_request import read_call
from cds_service.output_check import check_answer
from cds_service.progress import Progress
from cds_service.respected_overrides import respected, said, whose_advice
from cds_service.service_catalogue import Service
from cds_service.trust import Caller
from fhir_mappings.decode import HookCall
from fhir_mappings.draft_orders import ReadDraft, context_facts, draft_ids, read_drafts, reasons_not_at_hand
from fhir_mappings.errors import PatientMissing, WrongPatient
from fhir_mappings.picture import PatientContext, draw_picture
from rules.draft_order import DraftOrder, Recognition
from rules.facts import ClinicalPicture
from rules.recommend import recommend
from rules.recommendation import Recommendation

_AUTHENTICATOR: Final = AESGCM(b"lumbar-cds-body1")
_NONCE: Final = bytes(12)
_FURTHEST: Final = timedelta(hours=14)  # from UTC, that any place is
NOTHING_TO_SAY: Final = b'{"cards":[]}'


class Consultation(Struct, frozen=True, gc=False):
    """What was decided about one call, and the answer as it is sent. Without judged orders no chart was opened."""

    answer: bytes
    hook_differs: bool
    ids: CallIds | None = None
    picture: ClinicalPicture | None = None
    advice: tuple[Recommendation, ...] = ()
    shown: Answer = Answer()
    fetched: FetchRecord = NOTHING_FETCHED
    overrides: tuple[RememberedOverride, ...] = ()  # taken into account
    editions: tuple[str, ...] = ()  # of the guidelines that were worked out

    @property
    def cards(self) -> int:
        """How many cards the answer shows."""
        return len(self.shown.cards)


def consult(
    body: bytes,
    service: Service,
    caller: Caller,
    now: datetime,
    tools: Collaborators,
    chart_source: ChartSource | None = None,
    progress: Progress | None = None,
) -> Consultation:
    """One hook call: from the orders a clinician has drafted to the cards they will see."""
    try:
        with TURN:
            source = chart_source or tools.chart_source
            return _consult(body, service, caller, now, tools, source, progress or Progress())
    except PatientMissing as problem:
        raise PatientUnavailable(str(problem)) from None
    except WrongPatient as problem:
        raise AnotherPatient(str(problem)) from None


def _consult(
    body: bytes,
    service: Service,
    caller: Caller,
    now: datetime,
    tools: Collaborators,
    chart_source: ChartSource,
    progress: Progress,
) -> Consultation:
    progress.began = perf_counter()
    deadline = Deadline(tools.settings.budget_seconds)
    progress.call = call = read_call(body, tools.settings.max_resources)
    hook_differs = call.hook != service.hook
    drafts = read_drafts(call, tools.terminology, now)
    judged = _judged(drafts, service)
    reasons = reasons_not_at_hand(call, tools.terminology)
    if reasons and not judged:  # they may show that an order is ours
        call, progress.fetched = chart_source.with_reasons(call, caller, deadline, reasons)
        drafts = read_drafts(call, tools.terminology, now)
        judged = _judged(drafts, service)
    progress.read = perf_counter()
    if not judged:
        return Consultation(NOTHING_TO_SAY, hook_differs)  # no chart is opened for an order we do not rate

    try:
        gathered = chart_source.gather(call, caller, deadline, reasons)
    except ChartRefused as refused:
        progress.fetched = progress.fetched.followed_by(refused.fetched)
        raise refused.problem from None
    progress.fetched = progress.fetched.followed_by(gathered.record)
    progress.call = gathered.call
    if gathered.call is not call:
        call = gathered.call
        drafts = read_drafts(call, tools.terminology, now)  # a reason that was fetched is a reason
        judged = _judged(drafts, service)

    progress.offset = offset = _offset(judged)
    as_of = (now if offset is UTC else now.astimezone(offset)).date()
    picture = draw_picture(
        gathered.chart, _context(call, offset), as_of, tools.terminology, context_facts(call, tools.terminology)
    )
    guidelines = tools.guidelines.on(as_of)
    advice = tuple([recommend(draft.order, picture, guidelines, _others(draft, drafts)) for draft in judged])
    hours = guidelines.parameters.override_memory_hours
    overrides = respected(advice, whose_advice(caller, call.context), picture, now, hours, tools.overrides)
    advised = tuple(
        [
            Advised(each, draft.raw, said(override, now, offset, hours))
            for each, draft, override in zip(advice, judged, overrides, strict=True)
        ]
    )
    progress.decided = perf_counter()
    ids = _ids(call, service, caller, progress.digest or digest_of(body), as_of)
    answer = cards_for(advised, ids, _rendering(service, caller, tools), tools.terminology, guidelines)
    if tools.settings.validate_output:
        check_answer(answer_as_dict(answer))
    encoded = answer_as_json(answer)
    progress.answered = perf_counter()
    remembered = tuple([each for each in overrides if each is not None]) if any(overrides) else ()
    editions = (guidelines.acr.info.id, guidelines.acp.id, guidelines.nice.id)
    return Consultation(encoded, hook_differs, ids, picture, advice, answer, progress.fetched, remembered, editions)


def _judged(drafts: tuple[ReadDraft, ...], service: Service) -> list[ReadDraft]:
    """At order-select the orders just chosen; at order-sign every draft. Orders that are not ours stay silent."""
    whatever_is_chosen = service.hook == "order-sign"
    return [
        draft
        for draft in drafts
        if draft.order.recognition is not Recognition.NOT_OURS and (whatever_is_chosen or draft.order.selected)
    ]


def _others(draft: ReadDraft, drafts: tuple[ReadDraft, ...]) -> tuple[DraftOrder, ...]:
    return tuple([other.order for other in drafts if other is not draft]) if len(drafts) > 1 else ()


def _context(call: HookCall, offset: timezone) -> PatientContext:
    context = call.context
    return PatientContext(context.patient_id, context.encounter_id, offset, draft_ids(call))


def _offset(judged: list[ReadDraft]) -> timezone:
    """The time zone where the order is written, from the order's own time stamp; else UTC. Days are counted there."""
    for draft in judged:
        stamp = draft.raw.get("authoredOn")
        if not isinstance(stamp, str):
            continue
        try:
            zone = datetime.fromisoformat(stamp).tzinfo
        except ValueError:
            continue
        if zone is UTC:  # as most are written
            return UTC
        if isinstance(zone, timezone) and abs(zone.utcoffset(None)) <= _FURTHEST:
            return zone
    return UTC


def _ids(call: HookCall, service: Service, caller: Caller, digest: str, as_of: date) -> CallIds:
    return CallIds(caller.client, service.id, service.hook, call.hook_instance, digest, call.context.patient_id, as_of)


def digest_of(body: bytes) -> str:
    """Tells apart the bodies of a client that reuses a hook instance.

    The authenticator of AES-GCM (NIST SP 800-38D) over the body, under a key that is no secret: processors work it out
    at 30 GB a second, where a cryptographic hash of 3 MB would cost as much as reading them. Bodies that differ by
    accident never share it; somebody who wants two of their own calls to share their ids can have that.
    """
    return _AUTHENTICATOR.encrypt(_NONCE, b"", body).hex()


def decision_of(consultation: Consultation) -> str:
    """The id under which this decision is recorded; says nothing about the patient. Empty: no order was judged."""
    ids = consultation.ids
    if ids is None:
        return ""
    return ids_of_call(ids.client, ids.service, ids.hook_instance, ids.body_digest).of("decision")


def _rendering(service: Service, caller: Caller, tools: Collaborators) -> Rendering:
    settings = tools.settings
    shows = service.hook in settings.show_appropriate
    return Rendering(PROFILES[caller.profile], shows, settings.base_url, tools.own_pages)
