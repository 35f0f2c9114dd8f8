"""The updated and new orders behind the buttons."""

from functools import lru_cache

from msgspec import structs

from cards.because import presumed_words
from cards.card import Resource
from cards.detail import care_outlook
from cards.kind import Kind, around, once_for_each_kind
from cards.speaking import AT_ONCE, Speaking
from fhir_mappings.draft_parts import listed
from fhir_mappings.order_annotations import pending_extensions, rating_extensions, rating_of
from fhir_mappings.reason_markers import priority_code, priority_codes
from fhir_mappings.revised_order import OrderChange, revised, says_technique, with_first_codings
from fhir_mappings.study_codes import study_codes
from fhir_mappings.terminology import Terminology
from fhir_mappings.therapy_referral import physiotherapy_referral
from rules.evidence import Evidence
from rules.finding import Answer
from rules.procedures import Procedure
from rules.recommendation import AnswerOption, PamaRating, Rating, Situation, Study
from rules.views import rated_by_view

CHECKED_NONE = "red-flags-checked-none"
DEFERRED = "deferred-by-clinician"
KEPT = "order-kept-with-reason"
MOST_REFERENCES = 8
_YES = Answer.YES  # a member of an enumeration is slow to reach
_NONE: frozenset[str] = frozenset()
# The answer that the advice is worked out with while the question is open: it changes no rating.
_ASSUMED = {"candidate": "no", "indication": "yes", "cauda_equina": "no", "prior_imaging": "no"}
# What is sent of a new order where its details would be replaced by the client's own.
PLACES_AN_ORDER = ("resourceType", "status", "intent", "category", "code", "subject", "encounter", "requester")
_PROVIDED = ("id", "identifier", "meta", "text", "requisition", "authoredOn")


def updated(speaking: Speaking, change: OrderChange) -> Resource:
    """The order with a change, in the form that this client can apply."""
    if not speaking.kind.profile.first_coding_only:
        return revised(speaking.rated, change)
    return with_first_codings(revised(speaking.rated, _with_priority_in_words(speaking, change)), change.own_system)


def _with_priority_in_words(speaking: Speaking, change: OrderChange) -> OrderChange:
    """A client that keeps only study and reasons would lose a new priority: it stands among the reasons too."""
    code = priority_code(change.priority)
    if not code:
        return change
    return structs.replace(
        change,
        reasons=(*change.reasons, own_reason(code, speaking.call.terminology)),
        drop_reasons=change.drop_reasons | (priority_codes() - {code}),
    )


def change_of_study(speaking: Speaking, procedure: Procedure, study: Study | None, priority: str) -> OrderChange | None:
    """Another study in the order's own code systems, with its rating and the reason for the change; None: no code."""
    call = speaking.call
    codings = study_codes(call.terminology).codings(procedure, speaking.order.get("code"))
    if not codings:
        return None
    name = speaking.wording.study[procedure.value].name
    return OrderChange(
        own_system=call.terminology.own.url,
        codings=tuple(codings),
        name=name[0].upper() + name[1:],
        priority=priority,
        references=supporting(speaking),
        note=_change_note(speaking, procedure, study, priority),
        day=call.day,
        extensions=_extensions(speaking, _promised(speaking, procedure, study)),
    )


def raised_priority(speaking: Speaking, priority: str) -> OrderChange:
    """The same study, sooner."""
    note = speaking.call.day.join(_raising_note(speaking.kind))
    return _plain(speaking, note, priority=priority, references=supporting(speaking))


@once_for_each_kind
def _raising_note(kind: Kind) -> tuple[str, ...]:
    return around("day", kind.wording.note["raise"], {"priority": kind.priority, "cause": kind.cause_words})


def answered(speaking: Speaking, options: tuple[AnswerOption, ...]) -> OrderChange:
    """The order with the clinician's answers as coded reasons."""
    return OrderChange(
        own_system=speaking.call.terminology.own.url,
        reasons=tuple([own_reason(option.code, speaking.call.terminology) for option in options]),
        day=speaking.call.day,
        extensions=_extensions(speaking, _rating_after(speaking.kind, options)),
    )


def kept(speaking: Speaking) -> OrderChange:
    """The same order, with the statement that it was kept for a reason."""
    return _plain(speaking, speaking.call.day.join(_keeping_note(speaking.kind)), codes=(KEPT,))


@once_for_each_kind
def _keeping_note(kind: Kind) -> tuple[str, ...]:
    return around("day", kind.wording.note["keep"], {"is_category": kind.is_category})


def justified(speaking: Speaking) -> OrderChange:
    """The same order, with the basis of its rating."""
    note = speaking.call.day.join(_justifying_note(speaking.kind))
    return _plain(speaking, note, references=supporting(speaking))


@once_for_each_kind
def _justifying_note(kind: Kind) -> tuple[str, ...]:
    fields = {
        "study": kind.name,
        "is_category": kind.is_category,
        "score": kind.rating.score if kind.rating is not None else "",
        "row": kind.leading.cites[0] if kind.leading is not None else "",
    }
    return around("day", kind.wording.note["justify"], fields)


def deferred(speaking: Speaking) -> OrderChange:
    """The deferral written on the order, for clients that cannot remove it."""
    # An earlier study is a reason of its own: it states nothing about red flags.
    stated = speaking.statement_needed and speaking.advice.situation is not Situation.PRIOR_IMAGING
    codes = (CHECKED_NONE, DEFERRED) if stated else (DEFERRED,)
    return _plain(speaking, _defer_note(speaking), codes=codes)


def reopened(speaking: Speaking) -> OrderChange:
    """The order without its deferral."""
    return OrderChange(
        own_system=speaking.call.terminology.own.url,
        drop_reasons=frozenset({DEFERRED, CHECKED_NONE}),
        day=speaking.call.day,
        extensions=_extensions(speaking, speaking.advice.rating),
    )


def referral(speaking: Speaking, recheck: str) -> Resource | None:
    """The therapy referral in place of the study, with the clinician's statement; None: no code that places it here."""
    reasons = [reason for reason in listed(speaking.order.get("reasonCode")) if isinstance(reason, dict)]
    terminology = speaking.call.terminology
    if speaking.statement_needed:
        reasons.append(own_reason(CHECKED_NONE, terminology))
    note = speaking.wording.note["referral"].format(day=speaking.call.day, recheck=recheck, care=care_outlook(speaking))
    return _placed(speaking, physiotherapy_referral(speaking.order, reasons, note, speaking.call.day, terminology))


def parallel_order(speaking: Speaking, study: Study) -> Resource | None:
    """A second order beside the one that a device may hold up: same patient, visit and reasons."""
    change = change_of_study(speaking, study.procedure, study, speaking.advice.urgency_priority)
    return added(speaking, change) if change is not None else None


def added(speaking: Speaking, change: OrderChange) -> Resource | None:
    """The changed order as a new one; None: no code of it places an order in this client."""
    order = revised(speaking.rated, change)
    return _placed(speaking, {name: value for name, value in order.items() if name not in _PROVIDED})


def _placed(speaking: Speaking, order: Resource) -> Resource | None:
    """The order with the codings first by which this client places orders."""
    profile = speaking.kind.profile
    if profile.created_by:
        codings = order["code"].get("coding", [])
        placing = [coding for coding in codings if coding["system"] in profile.created_by]
        if not placing:
            return None
        others = [coding for coding in codings if coding["system"] not in profile.created_by]
        order = {**order, "code": {**order["code"], "coding": [*placing, *others]}}
    if not profile.keeps_details:
        return {name: value for name, value in order.items() if name in PLACES_AN_ORDER}
    return order


def recheck_words(speaking: Speaking) -> str:
    """ "Recheck by 2026-12-23.", or nothing."""
    day = speaking.recheck_day
    return speaking.wording.action["recheck"].format(date=day) if day else ""


def supporting(speaking: Speaking) -> tuple[str, ...]:
    """The entries of the record that decided."""
    findings = speaking.advice.findings
    evidence: list[Evidence] = []
    for flag in speaking.flags:
        evidence += flag.because
    if not evidence or findings.candidate.answer is _YES:
        for finding in (findings.candidate, findings.conservative_care, findings.trend, findings.radiculopathy):
            if finding.answer is _YES:
                evidence += finding.because
        evidence += findings.episode.because
    return tuple(dict.fromkeys([each.reference for each in evidence]))[:MOST_REFERENCES]


@lru_cache(maxsize=128)
def own_reason(code: str, terminology: Terminology) -> Resource:
    """One of our codes as a reason; shared between answers and never changed."""
    display = terminology.own.codes[code].display
    return {"coding": [{"system": terminology.own.url, "code": code, "display": display}], "text": display}


def _plain(
    speaking: Speaking,
    note: str,
    codes: tuple[str, ...] = (),
    priority: str = "",
    references: tuple[str, ...] = (),
) -> OrderChange:
    terminology = speaking.call.terminology
    reasons = tuple([own_reason(code, terminology) for code in codes]) if codes else ()
    extensions = _extensions(speaking, speaking.advice.rating)
    return OrderChange(
        terminology.own.url, (), "", priority, reasons, _NONE, references, note.strip(), speaking.call.day, extensions
    )


def _extensions(speaking: Speaking, rating: Rating | None) -> tuple[Resource, ...] | None:
    """The rating that the changed order carries; ``None``: that of the draft, which stands there already."""
    if rating is not None:
        return None if rating is speaking.advice.rating else rating_extensions(rating, speaking.consult)
    return pending_extensions(speaking.consult) if speaking.kind.profile.first_coding_only else ()


def _promised(speaking: Speaking, procedure: Procedure, study: Study | None) -> Rating | None:
    """The rating that the changed order will get: by the guideline that rates, and none of it outside the criteria."""
    advice, guidelines = speaking.advice, speaking.call.guidelines
    by_guideline = {view.guideline: view for view in advice.views}
    if study is None or by_guideline["acr"].verdict == "no-criteria":
        return Rating(PamaRating.NO_CRITERIA_APPLY, procedure)
    if guidelines.rates == "acr":
        return rating_of(study)
    pama = rated_by_view(by_guideline[guidelines.rates], procedure, advice.findings, guidelines)
    return Rating(pama, procedure, guideline=guidelines.rates) if pama is not None else None


def _rating_after(kind: Kind, options: tuple[AnswerOption, ...]) -> Rating | None:
    """The rating that the next call will give for these answers, where this one worked it out."""
    if kind.guidelines.rates != "acr":
        return None
    if all(_ASSUMED.get(option.finding) == option.answer for option in options):
        return rating_of(kind.ordered) if kind.ordered is not None else None
    names = tuple(option.finding for option in options)
    for change in kind.would_change:
        if change.findings == names and change.pama is not None:
            if all((to == "no") == (option.answer == "no") for to, option in zip(change.to, options, strict=True)):
                return Rating(change.pama, kind.procedure, change.category)
    return None


def _change_note(speaking: Speaking, procedure: Procedure, study: Study | None, priority: str) -> str:
    presumed = "" if speaking.advice.situation in AT_ONCE else presumed_words(speaking)
    text = speaking.call.day.join(_changing_note(speaking.kind, procedure, study, priority, presumed))
    dropped = speaking.wording.note["details-dropped"] if says_technique(speaking.order) else ""
    return f"{text} {dropped}".strip()


@once_for_each_kind
def _changing_note(
    kind: Kind, procedure: Procedure, study: Study | None, priority: str, presumed: str
) -> tuple[str, ...]:
    words, note = kind.wording, kind.wording.note
    fields = {
        "old": kind.name,
        "new": words.study[procedure.value].name,
        "at": note["at"].format(priority=words.priority.get(priority, priority)) if priority else "",
        "cause": kind.cause_words,
    }
    if study is None or kind.leading is None:
        return around("day", note["change-unrated"], fields)
    old_rating = ""
    if kind.ordered is not None:
        old_rating = note["old-rating"].format(
            old=kind.name, score=kind.ordered.score, category=words.category[kind.ordered.category.value]
        )
    fields |= {
        "row": kind.leading.cites[0],
        "score": str(study.score),
        "category": words.category[study.category.value],
        "old_rating": old_rating,
        "presumed": presumed,
    }
    return around("day", note["change" if presumed else "change-no-presumed"], fields)


def _defer_note(speaking: Speaking) -> str:
    words, kind = speaking.wording.note, speaking.kind
    if kind.situation is Situation.PRIOR_IMAGING:
        return words["prior-imaging"].format(day=speaking.call.day)
    key = "defer-stated" if speaking.statement_needed else "defer"
    return words[key].format(
        day=speaking.call.day, study=kind.name, is_category=kind.is_category, recheck=recheck_words(speaking)
    )
