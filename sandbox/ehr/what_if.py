"""The decision on changed facts, by the very code that the service decides with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from cards import Advised, Answer, CallIds, Rendering, cards_for
from cards.wording import wording
from fhir_mappings.chart import chart_from_prefetch, gap
from fhir_mappings.decode import HookCall, decode_call
from fhir_mappings.draft_orders import context_facts, draft_ids, read_drafts
from fhir_mappings.picture import PatientContext, draw_picture
from fhir_mappings.study_codes import study_codes
from fhir_mappings.terminology import Terminology, load_terminology
from rules.draft_order import DraftOrder, Recognition
from rules.evidence import Evidence
from rules.facts import ClinicalPicture, Fact, FactKind
from rules.guideline_tables import Guidelines
from rules.guidelines import load_guidelines
from rules.procedures import Procedure
from rules.recommend import recommend
from rules.recommendation import PamaRating, Recommendation, Situation, Urgency
from sandbox.ehr.desk import Desk, Visit, hook_request
from sandbox.ehr.hypothetical import changed, nobody

Json = dict[str, Any]
AS_DRAFTED = "as-drafted"


class Base(Struct, frozen=True):
    """What is changed: a patient's picture, an order, and the session's other orders."""

    picture: ClinicalPicture
    order: DraftOrder
    raw: Json
    others: tuple[DraftOrder, ...] = ()


class Outcome(Struct, frozen=True):
    """An advice in a few words; two outcomes that are equal are the same advice."""

    words: str
    level: str  # critical, warning, good, info
    rated: str
    situation: str
    urgency: str
    rating: str
    category: str


@lru_cache(maxsize=1)
def code_lists() -> Terminology:
    """The service's own code lists."""
    return load_terminology()


@lru_cache(maxsize=2)
def guidelines_on(day: date) -> Guidelines:
    """The guidelines in force, with the parameters as they come: a site's own are not known here."""
    return load_guidelines(day)


def base_of(visit: Visit, desk: Desk, record: Json, unreadable: tuple[str, ...], day: date) -> Base | None:
    """A patient and the selected draft as the service would read them; none where no draft is a lumbar study."""
    terminology = code_lists()
    call = decode_call(msgspec.json.encode(hook_request(visit, desk, "order-select", {"record": record})))
    drafts = read_drafts(call, terminology, datetime.combine(day, time(12), UTC))
    chosen = next((each for each in drafts if each.order.selected), drafts[0] if drafts else None)
    if chosen is None:
        return None
    return Base(
        _picture(call, unreadable, day),
        chosen.order,
        chosen.raw,
        tuple(each.order for each in drafts if each is not chosen),
    )


def _picture(call: HookCall, unreadable: tuple[str, ...], day: date) -> ClinicalPicture:
    context = PatientContext(call.context.patient_id, call.context.encounter_id, UTC, draft_ids(call))
    drawn = draw_picture(chart_from_prefetch(call, {}), context, day, code_lists(), context_facts(call, code_lists()))
    return msgspec.structs.replace(drawn, gaps=(*drawn.gaps, *(gap(each, "failed") for each in unreadable)))


def nobody_in_particular(day: date) -> Base:
    """A patient with nothing but back pain, and an MRI for it."""
    pain = Fact("low-back-pain", FactKind.REASON, Evidence("ServiceRequest/what-if#reasonCode", "Low back pain"))
    order = DraftOrder(
        "ServiceRequest/what-if",
        Recognition.CODED,
        Procedure.MRI_WITHOUT,
        name=_name(Procedure.MRI_WITHOUT),
        priority="routine",
        reasons=(pain,),
        has_any_reason=True,
    )
    raw = {"resourceType": "ServiceRequest", "id": "what-if", "status": "draft", "intent": "order"}
    return Base(nobody(day), order, _with_study(raw, Procedure.MRI_WITHOUT))


def with_order(base: Base, procedure: str, priority: str) -> Base:
    """Another study or priority for the same patient."""
    order, raw = base.order, base.raw
    if procedure != AS_DRAFTED:
        study = Procedure(procedure)
        order = msgspec.structs.replace(
            order, recognition=Recognition.CODED, procedure=study, candidates=(), name=_name(study)
        )
        raw = _with_study(raw, study)
    if priority != AS_DRAFTED:
        order = msgspec.structs.replace(order, priority=priority)
        raw = {**raw, "priority": priority}
    return Base(base.picture, order, raw, base.others)


def _with_study(raw: Json, study: Procedure) -> Json:
    code: Json = {"text": _name(study)}
    if codings := study_codes(code_lists()).codings(study, raw.get("code")):
        code["coding"] = codings
    return {**raw, "code": code}


def _name(study: Procedure) -> str:
    return wording().study[study.value].name


def decided(base: Base, choices: Mapping[str, str]) -> Recommendation:
    """The advice with these facts."""
    case = changed(base.picture, base.order, choices)
    return recommend(case.order, case.picture, guidelines_on(base.picture.as_of), base.others)


def outcome(advice: Recommendation) -> Outcome:
    """The advice in a few words."""
    words, level = _in_words(advice)
    rating = advice.rating.pama.value if advice.rating is not None else ""
    category = advice.rating.category if advice.rating is not None else None
    return Outcome(
        words,
        level,
        _rated(advice)[0],
        advice.situation.value,
        advice.urgency.value,
        rating,
        category.value if category else "",
    )


_SOON = {Urgency.WITHIN_24_HOURS: "within 24 hours", Urgency.DAYS: "within days", Urgency.URGENT_REVIEW: "review soon"}
_FIRST = {
    Situation.EMERGENCY: ("Emergency", "critical"),
    Situation.IMMEDIATE: ("At once", "critical"),
    Situation.POSSIBLE_CAUDA_EQUINA: ("Possible cauda equina", "warning"),
    Situation.SAFETY: ("Safety first", "warning"),
    Situation.SOURCE_NOT_READ: ("Cannot be sure", "warning"),
    Situation.ANSWER_MISSING: ("Asks first", "info"),
    Situation.PRIOR_IMAGING: ("See the last report", "warning"),
    Situation.DEFERRED: ("Deferred", "info"),
}
_RATED = {
    PamaRating.APPROPRIATE: ("Appropriate", "good"),
    PamaRating.NOT_APPROPRIATE: ("Not appropriate", "warning"),
    PamaRating.NO_CRITERIA_APPLY: ("No criteria apply", "info"),
}


def _in_words(advice: Recommendation) -> tuple[str, str]:
    if advice.situation is Situation.NOT_OURS:
        return "Silent", "info"
    other = advice.better is not None and advice.better.procedure is not None
    if advice.situation in _FIRST:
        first, level = _FIRST[advice.situation]
        return (f"{first}, by another study" if other else first), level
    rated, level = _rated(advice)
    if advice.situation is Situation.WRONG_TEST:
        change = "another study" if other else "sooner"
        rated, level = f"{rated}, but {change}" if level == "good" else f"{rated}: {change}", "warning"
    soon = _SOON.get(advice.urgency, "")
    return (f"{rated}, {soon}" if soon else rated), level


def _rated(advice: Recommendation) -> tuple[str, str]:
    return _RATED[advice.rating.pama] if advice.rating is not None else ("Not rated", "info")


def cards(advice: Recommendation, base: Base) -> Answer:
    """The cards as the service would word them."""
    day = base.picture.as_of
    ids = CallIds("what-if", "what-if", "order-select", "what-if", "what-if", "what-if", day)
    return cards_for((Advised(advice, base.raw),), ids, Rendering(), code_lists(), guidelines_on(day))
