"""A hook call as it is recorded: what came, what was understood, what was decided and said, and how long it took."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Final, TypedDict

from msgspec import Struct, field

from audit_trail.packing import packed
from audit_trail.record import (
    CardSummary,
    DecisionRecord,
    Details,
    FetchedAnswer,
    FetchedWave,
    OrderSummary,
    RequestKept,
    SourceRead,
    SuggestionSummary,
    Timings,
    Versions,
    encode_details,
)
from cards.card import Card
from cds_service.chart_source import Wave
from cds_service.consultation import Consultation, digest_of
from cds_service.errors import CallFailed, status_of
from cds_service.fhir_client import Found
from cds_service.progress import Progress
from cds_service.trust import Caller
from cds_service.without_token import without_its_text, without_token
from fhir_mappings.access import NO_TOKEN, Access
from fhir_mappings.decode import HookCall
from rules.facts import ClinicalPicture
from rules.recommendation import Recommendation

NOBODY: Final = Caller("")
_NO_REQUEST: Final[tuple[bytes, RequestKept]] = (b"", "not kept")


class Arrival(Struct, gc=False):
    """One call from its first byte on; whatever becomes of it, it is recorded from here."""

    service: str
    started: float  # of time.perf_counter
    now: datetime
    caller: Caller = NOBODY
    body: bytes = b""
    trace_parent: str = ""  # its `traceparent` header
    trusted: float = 0.0  # it is known who calls, and the body is here
    ended: float = 0.0  # it is put on record
    versions: Versions = Versions()
    progress: Progress = field(default_factory=Progress)


class Ended(Struct, frozen=True):
    """How a call that got no cards ended."""

    failure: CallFailed
    name: str  # the class of what went wrong
    where: str = ""


class _Known(TypedDict):
    """What is on record of every call, however it ended."""

    at: datetime
    service: str
    hook: str
    hook_instance: str
    client: str
    registered: bool
    profile: str
    issuer: str
    token_id: str
    tenant: str
    user: str
    patient: str
    encounter: str
    fhir_server: str
    silent: bool
    request: bytes
    request_kept: RequestKept
    request_bytes: int
    sources: tuple[SourceRead, ...]
    fetched: tuple[FetchedWave, ...]
    versions: Versions
    fetch_queries: int
    fetch_troubles: tuple[str, ...]
    timings: Timings


def answered(arrival: Arrival, consultation: Consultation, decision: str, whole: bool = True) -> DecisionRecord:
    """The record of a call that was judged, or left alone because no order is ours.

    ``whole``: with what it takes to decide again. Where nothing is kept, traces need a tenth of that.
    """
    known = _known(arrival, whole)
    ids, picture, advice = consultation.ids, consultation.picture, consultation.advice
    if ids is None or picture is None:
        return DecisionRecord(
            decision=decision,
            outcome="left alone",
            status=200,
            hook_differs=consultation.hook_differs,
            body_digest=digest_of(arrival.body),
            answer=packed(consultation.answer) if whole else b"",
            **known,
        )
    offset = arrival.progress.offset.utcoffset(None)
    return DecisionRecord(
        decision=decision,
        outcome="answered",
        status=200,
        hook_differs=consultation.hook_differs,
        body_digest=ids.body_digest,
        decided_on=ids.decided_on.isoformat(),
        offset_minutes=int(offset.total_seconds()) // 60,
        orders=tuple(map(_order, advice)),
        gaps=gaps_of(picture),
        unmapped_codes=tuple(sorted(picture.unmapped_codes)),
        unread_texts=picture.unread_texts,
        dropped_entries=picture.dropped_entries,
        foreign_entries=picture.foreign_entries,
        details=packed(encode_details(Details(picture=picture, advice=advice))) if whole else b"",
        overrides=consultation.overrides,
        editions=consultation.editions,
        answer=packed(consultation.answer) if whole else b"",
        cards=tuple(map(_card, consultation.shown.cards)),
        **known,
    )


def failed(arrival: Arrival, ended: Ended, answer: bytes, made_up_id: str, whole: bool = True) -> DecisionRecord:
    """The record of a call that got an OperationOutcome."""
    known = _known(arrival, whole)
    if ended.failure.client:  # known, and turned away all the same
        known["client"], known["registered"] = ended.failure.client, True
    return DecisionRecord(
        decision=made_up_id,
        outcome="failed",
        status=status_of(ended.failure),
        body_digest=digest_of(arrival.body) if arrival.body else "",
        answer=packed(answer) if whole else b"",
        failure=ended.name,
        check=ended.failure.check,
        where=ended.where,
        **known,
    )


def _known(arrival: Arrival, whole: bool) -> _Known:
    caller, progress = arrival.caller, arrival.progress
    call = progress.call
    request, kept = _request(arrival, call) if whole else _NO_REQUEST
    access = NO_TOKEN if call is None else call.access
    fetched = tuple(_wave(each, access) for each in progress.fetched.waves) if whole else ()
    return _Known(
        at=arrival.now,
        service=arrival.service,
        hook="" if call is None else call.hook,
        hook_instance="" if call is None else call.hook_instance,
        client=caller.client,
        registered=caller.registered,
        profile=caller.profile,
        issuer=caller.issuer,
        token_id=caller.token_id,
        tenant=caller.tenant,
        user="" if call is None else call.context.user_id,
        patient="" if call is None else call.context.patient_id,
        encounter="" if call is None else call.context.encounter_id,
        fhir_server="" if call is None else call.fhir_server,
        silent=caller.silent,
        request=request,
        request_kept=kept,
        request_bytes=len(arrival.body),
        sources=_sources(call, fetched) if whole and call is not None else (),
        fetched=fetched,
        versions=arrival.versions,
        fetch_queries=progress.fetched.queries,
        fetch_troubles=progress.fetched.troubles,
        timings=timings_of(arrival),
    )


def _request(arrival: Arrival, call: HookCall | None) -> tuple[bytes, RequestKept]:
    body, kept = without_token(arrival.body, None if call is None else call.access)
    return packed(body), kept


def _sources(call: HookCall, fetched: tuple[FetchedWave, ...]) -> tuple[SourceRead, ...]:
    """What was searched, whether or not anything was there."""
    asked = {answer.key for wave in fetched for answer in wave.answers}
    return tuple(
        SourceRead(key, value.state.value, len(value.entries), value.incomplete, value.dropped, key in asked)
        for key, value in call.prefetch.items()
    )


def _wave(wave: Wave, access: Access) -> FetchedWave:
    answers = tuple(_fetched(key, found, access) for key, found in wave.found.items())
    return FetchedWave(answers=answers, unsupported=wave.unsupported, for_reasons=wave.for_reasons)


def _fetched(key: str, found: Found, access: Access) -> FetchedAnswer:
    value = found.value
    return FetchedAnswer(
        key=key,
        state=value.state.value,
        pages=tuple(packed(without_its_text(page, access)) for page in found.pages),
        continues=found.continues,
        incomplete=value.incomplete,
        next_link=without_its_text(value.next_link.encode(), access).decode(),
        issue_codes=value.issue_codes,
        dropped=value.dropped,
        alone=value.alone,
        total=value.total,
        trouble=found.trouble,
        gone=found.gone,
    )


def _order(advice: Recommendation) -> OrderSummary:
    order, rating, leading, better = advice.order, advice.rating, advice.leading, advice.better
    return OrderSummary(
        reference=order.reference,
        recognition=order.recognition.value,
        procedure="" if order.procedure is None else order.procedure.value,
        situation=advice.situation.value,
        urgency=advice.urgency.value,
        rating="" if rating is None else rating.pama.value,
        category="" if rating is None or rating.category is None else rating.category.value,
        score=None if rating is None else rating.score,
        guideline="" if leading is None else leading.guideline,
        row="" if leading is None else leading.id,
        variant=None if leading is None else leading.variant,
        robust=advice.robust,
        may_defer=advice.may_defer,
        better="" if better is None or better.procedure is None else better.procedure.value,
        priority="" if better is None else better.priority,
        not_rated_because=advice.not_rated_because,
        asked=tuple(question.finding for question in advice.questions),
        presumed=advice.presumed,
        alternatives=tuple(study.procedure.value for study in advice.alternatives),
    )


def _card(card: Card) -> CardSummary:
    topic = card.source.topic if card.source is not None else None
    return CardSummary(
        uuid=card.uuid,
        indicator=card.indicator,
        topic="" if topic is None else topic.code,
        suggestions=tuple(SuggestionSummary(each.uuid, each.label, each.is_recommended) for each in card.suggestions),
        links=tuple(link.url for link in card.links),
    )


def gaps_of(picture: ClinicalPicture) -> tuple[str, ...]:
    """Which parts of the record could not be read, and why."""
    return tuple([f"{gap.source}: {gap.why}" for gap in picture.gaps]) if picture.gaps else ()


def timings_of(arrival: Arrival) -> Timings:
    """Where the time of a call went."""
    progress = arrival.progress
    return Timings(
        whole=milliseconds(arrival.started, arrival.ended or time.perf_counter()),
        trust=milliseconds(arrival.started, arrival.trusted),
        waiting=milliseconds(arrival.trusted, progress.began),
        reading=milliseconds(progress.began, progress.read),
        fetching=progress.fetched.milliseconds,
        deciding=time_to_decide(progress),
        cards=milliseconds(progress.decided, progress.answered),
    )


def time_to_decide(progress: Progress) -> float:
    """Milliseconds without what was waited for."""
    spent, waited = milliseconds(progress.read, progress.decided), progress.fetched.milliseconds
    return max(0.0, round(spent - waited, 3)) if waited else spent


def milliseconds(earlier: float, later: float) -> float:
    """From one moment of a call to another, to the microsecond; 0 where it did not come so far."""
    return int((later - earlier) * 1_000_000 + 0.5) / 1000 if earlier and later else 0.0
