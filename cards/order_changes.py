"""The updated and new orders behind the buttons."""

from functools import lru_cache

from msgspec import structs

from cards.because import presumed_words
from cards.card import Resource
from cards.detail import care_outlook
from cards.phrases import red_flags
from cards.speaking import Speaking
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
# The answer that the advice is worked out with while the question is open: it changes no rating.
_ASSUMED = {"candidate": "no", "indication": "yes", "cauda_equina": "no", "prior_imaging": "no"}
# What is sent of a new order where its details would be replaced by the client's own.
PLACES_AN_ORDER = ("resourceType", "status", "intent", "category", "code", "subject", "encounter", "requester")
_PROVIDED = ("id", "identifier", "meta", "text", "requisition", "authoredOn")


def updated(speaking: Speaking, change: OrderChange) -> Resource:
    """The order with a change, in the form that this client can apply."""
    if not speaking.call.rendering.profile.first_coding_only:
        return revised(speaking.order, change)
    return with_first_codings(revised(speaking.order, _with_priority_in_words(speaking, change)), change.own_system)


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
    call, wording = speaking.call, speaking.wording
    codings = study_codes(call.terminology).codings(procedure, speaking.order.get("code"))
    if not codings:
        return None
    name = wording.study[procedure.value].name
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
    note = speaking.wording.note["raise"].format(
        priority=speaking.priority, day=speaking.call.day, cause=speaking.cause_words
    )
    return _plain(speaking, note=note, priority=priority, references=supporting(speaking))


def answered(speaking: Speaking, options: tuple[AnswerOption, ...]) -> OrderChange:
    """The order with the clinician's answers as coded reasons."""
    return OrderChange(
        own_system=speaking.call.terminology.own.url,
        reasons=tuple(own_reason(option.code, speaking.call.terminology) for option in options),
        day=speaking.call.day,
        extensions=_extensions(speaking, _rating_after(speaking, options)),
    )


def kept(speaking: Speaking) -> OrderChange:
    """The same order, with the statement that it was kept for a reason."""
    note = speaking.wording.note["keep"].format(day=speaking.call.day, is_category=speaking.is_category)
    return _plain(speaking, codes=(KEPT,), note=note)


def justified(speaking: Speaking) -> OrderChange:
    """The same order, with the basis of its rating."""
    rating, leading = speaking.advice.rating, speaking.advice.leading
    note = speaking.wording.note["justify"].format(
        day=speaking.call.day,
        study=speaking.name,
        is_category=speaking.is_category,
        score=rating.score if rating is not None else "",
        row=leading.cites[0] if leading is not None else "",
    )
    return _plain(speaking, note=note, references=supporting(speaking))


def deferred(speaking: Speaking) -> OrderChange:
    """The deferral written on the order, for clients that cannot remove it."""
    # An earlier study is a reason of its own: it states nothing about red flags.
    stated = speaking.statement_needed and speaking.advice.situation is not Situation.PRIOR_IMAGING
    codes = (CHECKED_NONE, DEFERRED) if stated else (DEFERRED,)
    return _plain(speaking, codes=codes, note=_defer_note(speaking))


def reopened(speaking: Speaking) -> OrderChange:
    """The order without its deferral."""
    return OrderChange(
        own_system=speaking.call.terminology.own.url,
        drop_reasons=frozenset({DEFERRED, CHECKED_NONE}),
        day=speaking.call.day,
        extensions=_extensions(speaking, speaking.advice.rating),
    )


def referral(speaking: Speaking) -> Resource | None:
    """The therapy referral in place of the study, with the clinician's statement; None: no code that places it here."""
    reasons = list(speaking.order.get("reasonCode") or ())
    terminology = speaking.call.terminology
    if speaking.statement_needed:
        reasons.append(own_reason(CHECKED_NONE, terminology))
    note = speaking.wording.note["referral"].format(
        day=speaking.call.day, recheck=recheck_words(speaking), care=care_outlook(speaking)
    )
    return _placed(speaking, physiotherapy_referral(speaking.order, reasons, note, speaking.call.day, terminology))


def parallel_order(speaking: Speaking, study: Study) -> Resource | None:
    """A second order beside the one that a device may hold up: same patient, visit and reasons."""
    change = change_of_study(speaking, study.procedure, study, speaking.advice.urgency_priority)
    return added(speaking, change) if change is not None else None


def added(speaking: Speaking, change: OrderChange) -> Resource | None:
    """The changed order as a new one; None: no code of it places an order in this client."""
    order = revised(speaking.order, change)
    return _placed(speaking, {name: value for name, value in order.items() if name not in _PROVIDED})


def _placed(speaking: Speaking, order: Resource) -> Resource | None:
    """The order with the codings first by which this client places orders."""
    profile = speaking.call.rendering.profile
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
    evidence: list[Evidence] = [each for finding in red_flags(findings) for each in finding.because]
    if not evidence or findings.candidate.answer is Answer.YES:
        for finding in (findings.candidate, findings.conservative_care, findings.trend, findings.radiculopathy):
            if finding.answer is Answer.YES:
                evidence += finding.because
        evidence += findings.episode.because
    return tuple(dict.fromkeys(each.reference for each in evidence))[:MOST_REFERENCES]


@lru_cache(maxsize=128)
def own_reason(code: str, terminology: Terminology) -> Resource:
    """One of our codes as a reason; shared between answers and never changed."""
    display = terminology.own.codes[code].display
    return {"coding": [{"system": terminology.own.url, "code": code, "display": display}], "text": display}


def _plain(
    speaking: Speaking,
    note: str = "",
    codes: tuple[str, ...] = (),
    priority: str = "",
    references: tuple[str, ...] = (),
) -> OrderChange:
    terminology = speaking.call.terminology
    return OrderChange(
        own_system=terminology.own.url,
        priority=priority,
        reasons=tuple(own_reason(code, terminology) for code in codes),
        references=references,
        note=note.strip(),
        day=speaking.call.day,
        extensions=_extensions(speaking, speaking.advice.rating),
    )


def _extensions(speaking: Speaking, rating: Rating | None) -> tuple[Resource, ...]:
    if rating is not None:
        return tuple(rating_extensions(rating, speaking.consult))
    if speaking.call.rendering.profile.first_coding_only:
        return tuple(pending_extensions(speaking.consult))
    return ()


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


def _rating_after(speaking: Speaking, options: tuple[AnswerOption, ...]) -> Rating | None:
    """The rating that the next call will give for these answers, where this one worked it out."""
    advice = speaking.advice
    ordered = advice.ordered
    if speaking.call.guidelines.rates != "acr":
        return None
    if all(_ASSUMED.get(option.finding) == option.answer for option in options):
        return rating_of(ordered) if ordered is not None else None
    names = tuple(option.finding for option in options)
    for change in advice.would_change:
        if change.findings == names and change.pama is not None:
            if all((to == "no") == (option.answer == "no") for to, option in zip(change.to, options, strict=True)):
                return Rating(change.pama, advice.order.procedure, change.category)
    return None


def _change_note(speaking: Speaking, procedure: Procedure, study: Study | None, priority: str) -> str:
    advice, words = speaking.advice, speaking.wording
    fields = {
        "old": speaking.name,
        "new": words.study[procedure.value].name,
        "at": words.note["at"].format(priority=words.priority.get(priority, priority)) if priority else "",
        "day": speaking.call.day,
        "cause": speaking.cause_words,
    }
    if study is None or advice.leading is None:
        text = words.note["change-unrated"].format_map(fields)
    else:
        old_rating = ""
        if advice.ordered is not None:
            old_rating = words.note["old-rating"].format(
                old=speaking.name, score=advice.ordered.score, category=words.category[advice.ordered.category.value]
            )
        presumed = (
            presumed_words(speaking) if advice.situation not in (Situation.EMERGENCY, Situation.IMMEDIATE) else ""
        )
        fields |= {
            "row": advice.leading.cites[0],
            "score": str(study.score),
            "category": words.category[study.category.value],
            "old_rating": old_rating,
            "presumed": presumed,
        }
        text = words.note["change" if presumed else "change-no-presumed"].format_map(fields)
    dropped = words.note["details-dropped"] if says_technique(speaking.order) else ""
    return f"{text} {dropped}".strip()


def _defer_note(speaking: Speaking) -> str:
    words = speaking.wording.note
    if speaking.advice.situation is Situation.PRIOR_IMAGING:
        return words["prior-imaging"].format(day=speaking.call.day)
    key = "defer-stated" if speaking.statement_needed else "defer"
    return words[key].format(
        day=speaking.call.day, study=speaking.name, is_category=speaking.is_category, recheck=recheck_words(speaking)
    )
