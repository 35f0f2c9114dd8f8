"""The advice on one order for given answers: rating, better test, safety, questions, and what would change it."""

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from rules.better_test import better_test, preferred_study, raised_priority
from rules.case import Case, contrast_choices, contrast_choices_alike, hides_red_flags, judged_procedure
from rules.clarify import questions_for
from rules.decide import AT_ONCE, Assessment, assess, matched_rows, patient_on, questions_open
from rules.draft_order import DraftOrder, Recognition
from rules.edition import RANK
from rules.facts import ClinicalPicture
from rules.finding import Answer, Findings
from rules.guideline_tables import Guidelines
from rules.kind_of_case import KindOfCase, kind_of, unread_alone
from rules.procedures import ONLY_FOR_BACK_PAIN, Procedure
from rules.rating import rate
from rules.recheck import recheck_interval, recheck_plan
from rules.recommendation import BetterTest, PamaRating, Question, Rating, Recommendation, SafetyNote, Situation, Study
from rules.safety_rules import device_on_record, evidence_in, hazards, row_rests_on, safety_notes
from rules.sensitivity import MOST_SHOWN, is_robust, presumed_names, what_would_change
from rules.situation import Circumstances, situations_of
from rules.views import guideline_views


def recommend_on(
    order: DraftOrder,
    findings: Findings,
    picture: ClinicalPicture,
    guidelines: Guidelines,
    others: Sequence[DraftOrder] = (),
) -> Recommendation:
    """The advice for answers that are given: pure, so that a decision can be worked out again from its record.

    It is worked out once for each kind of case, which holds nothing of a patient's; then this patient's evidence and
    dates are put in.
    """
    known = _advice_on(kind_of(order, findings, picture, guidelines), guidelines)
    advice = known.advice
    return replace(
        advice,
        order=order,
        findings=findings,
        safety=_with_evidence(known, findings) if advice.safety else (),
        questions=_with_their_evidence(advice.questions, findings) if advice.questions else (),
        recheck=recheck_plan(known.recheck, findings, picture.as_of, guidelines.parameters) if known.recheck else None,
        unread=_unread(order, picture) if order.unread_reasons or picture.unread_current_problems else (),
        duplicates=_duplicates(order, others) if others else (),
    )


class _KnownAdvice(Struct, frozen=True):
    """The advice for a kind of case, what each of its safety notes rests on, and when to look again if it may wait."""

    advice: Recommendation
    rests_on: tuple[tuple[str, ...], ...]
    recheck: tuple[int, str] | None


@lru_cache(maxsize=1024)
def _advice_on(kind: KindOfCase, guidelines: Guidelines) -> _KnownAdvice:
    findings = kind.findings(guidelines.parameters)
    advice = work_out(kind.order(), findings, kind.picture(), guidelines)
    rests_on = tuple(row_rests_on(note.row, guidelines) for note in advice.safety)
    recheck = recheck_interval(findings, guidelines.parameters) if advice.may_defer else None
    return _KnownAdvice(advice, rests_on, recheck)


def _with_their_evidence(questions: tuple[Question, ...], findings: Findings) -> tuple[Question, ...]:
    return tuple([replace(each, evidence=getattr(findings, each.finding).because) for each in questions])


def _with_evidence(known: _KnownAdvice, findings: Findings) -> tuple[SafetyNote, ...]:
    safety = findings.safety
    notes: list[SafetyNote] = []
    for note, names in zip(known.advice.safety, known.rests_on, strict=True):
        evidence = evidence_in(safety, names)
        notes.append(replace(note, evidence=evidence) if evidence else note)
    return tuple(notes)


def work_out(order: DraftOrder, findings: Findings, picture: ClinicalPicture, guidelines: Guidelines) -> Recommendation:
    """The advice, worked out afresh."""
    patient = patient_on(picture.as_of, picture.age, guidelines)
    judged = judged_procedure(order)
    assessment = assess(judged, findings, patient, guidelines)
    case = Case(order, findings, picture, patient, guidelines, judged, assessment)
    better = _better(case)
    notes = _notes(case, better)
    views = guideline_views(assessment, _preferred(case, better), findings, patient, picture.age, guidelines)
    rating, why_not = rate(case, views)
    asked = questions_open(order, assessment, findings)
    situations = situations_of(
        Circumstances(
            order=order,
            findings=findings,
            assessment=assessment,
            better=better,
            asked=asked,
            hidden=hides_red_flags(picture),
            contraindicated=any(note.severity == "contraindicated" for note in _for_ordered(notes, judged)),
            hazard=any(note.severity in ("high", "warning") for note in _for_ordered(notes, judged)),
            not_rated_because=why_not,
            rating=rating,
            silent=_is_silent(case),
        )
    )
    may_defer = _may_defer(case, situations, rating)
    changes = what_would_change(assessment, judged, findings, patient, guidelines) if _worth_asking(case) else ()
    return Recommendation(
        order=order,
        situation=situations[0],
        urgency=assessment.urgency.urgency,
        urgency_priority=assessment.urgency.priority,
        rating=rating,
        leading=assessment.leading,
        matched=matched_rows(findings, guidelines),
        findings=findings,
        views=views,
        ordered=assessment.study if order.procedure is not None else None,
        better=better,
        alternatives=_alternatives(case),
        safety=notes,
        questions=questions_for(asked, situations, findings, assessment),
        would_change=changes[:MOST_SHOWN],
        robust=_worth_asking(case) and not asked and not picture.gaps and is_robust(changes, findings),
        presumed=presumed_names(findings, guidelines),
        may_defer=may_defer,
        gaps=picture.gaps,
        interpretations=_interpretations(case),
        not_rated_because=why_not,
        age_not_known=patient.age_not_known,
        parallel=_parallel(case),
        secondary=situations[1:],
    )


def _is_silent(case: Case) -> bool:
    """A bone scan or PET for anything but back pain or sciatica is none of our business."""
    if case.order.recognition is Recognition.NOT_OURS:
        return True
    if case.judged not in ONLY_FOR_BACK_PAIN:
        return False
    indication = case.findings.indication
    return indication.answer is not Answer.YES and "red-flag-reason" not in indication.marks


def _better(case: Case) -> BetterTest | None:
    if not _indication_settled(case):
        return None
    order, assessment = case.order, case.assessment
    if order.recognition in (Recognition.NOT_RECOGNISED, Recognition.NOT_AMONG_ELEVEN):
        if assessment.urgency.urgency not in AT_ONCE:
            return None
    if order.recognition is Recognition.CONTRAST_NOT_STATED and assessment.urgency.urgency in AT_ONCE:
        # The study is not fixed yet: the suggestion also settles the contrast.
        assessment = Assessment(assessment.leading, assessment.urgency, assessment.pama, assessment.category, None)
    elif order.recognition is Recognition.CONTRAST_NOT_STATED and not contrast_choices_alike(case):
        return _priority_only(case)
    return better_test(order, assessment, case.findings, case.guidelines)


def _priority_only(case: Case) -> BetterTest | None:
    priority = raised_priority(case.order, case.assessment)
    return BetterTest(None, priority, None, "raise-priority") if priority else None


def _indication_settled(case: Case) -> bool:
    if case.assessment.urgency.urgency in AT_ONCE:
        return True
    indication = case.findings.indication
    return indication.answer is Answer.YES or "red-flag-reason" in indication.marks


def _alternatives(case: Case) -> tuple[Study, ...]:
    """Contrast choices, best first; or ACR's alternatives while an MRI waits for a device to be cleared."""
    choices = contrast_choices(case)
    if choices and not contrast_choices_alike(case):
        worth = [study for study in choices if RANK[study.category] > 1]
        first = _preferred(case, None)
        return tuple(sorted(worth, key=lambda study: (study.procedure is not first, *_preference(study, case))))
    variant = case.assessment.leading.variant
    if variant is not None and device_on_record(case.findings) and variant in case.guidelines.no_mri:
        studies = case.guidelines.acr.variants[variant].studies
        return tuple(studies[procedure] for procedure in case.guidelines.no_mri[variant])
    return ()


def _preference(study: Study, case: Case) -> tuple[int, int, int, int]:
    return -RANK[study.category], hazards(study.procedure, case.findings), -study.score, study.radiation


def _parallel(case: Case) -> Study | None:
    """Variant 4 with a device on record: CT without contrast beside the call to the MR facility."""
    if case.assessment.leading.variant != 4 or not device_on_record(case.findings):
        return None
    parallel = case.guidelines.acr.variants[4].studies[case.guidelines.no_mri[4][0]]
    return None if case.order.procedure is parallel.procedure else parallel


def _preferred(case: Case, better: BetterTest | None) -> Procedure | None:
    if better is not None and better.procedure is not None:
        return better.procedure
    variant = case.assessment.leading.variant
    if variant in (None, 1, 2):
        return None
    return preferred_study(variant, case.findings, case.guidelines)[0].procedure


def _notes(case: Case, better: BetterTest | None) -> tuple[SafetyNote, ...]:
    notes: list[SafetyNote] = []
    seen: set[str] = set()
    for procedure in (case.judged, better.procedure if better is not None else None):
        if procedure is None:
            continue
        for note in safety_notes(procedure, case.findings, case.guidelines):
            if note.row not in seen:
                seen.add(note.row)
                notes.append(note)
    return tuple(notes)


def _for_ordered(notes: tuple[SafetyNote, ...], judged: Procedure | None) -> tuple[SafetyNote, ...]:
    return tuple(note for note in notes if note.applies_to is judged and not note.ask)


def _may_defer(case: Case, situations: tuple[Situation, ...], rating: Rating | None) -> bool:
    """A deferral may be offered: rated not appropriate, nothing urgent, nothing hidden, nothing unread that matters."""
    if not {Situation.NOT_APPROPRIATE, Situation.PRIOR_IMAGING} & set(situations):
        return False
    if situations[0] in (Situation.EMERGENCY, Situation.IMMEDIATE, Situation.POSSIBLE_CAUDA_EQUINA):
        return False
    if rating is None or rating.pama is not PamaRating.NOT_APPROPRIATE or hides_red_flags(case.picture):
        return False
    return not _unread_blocks(case)


def _unread_blocks(case: Case) -> bool:
    order, picture = case.order, case.picture
    return order.unread_reason_has_red_flag_stem or picture.unread_red_flag_stem or unread_alone(order)


def _worth_asking(case: Case) -> bool:
    """At once means at once: nothing would lower it, and nothing more is asked."""
    return case.judged is not None and case.assessment.urgency.urgency not in AT_ONCE


def _interpretations(case: Case) -> tuple[str, ...]:
    sentences = [case.assessment.leading.interpretation]
    sentences += [remark.says for remark in case.guidelines.remarks if remark.condition.holds(case.findings)]
    return tuple(sentence for sentence in sentences if sentence)


def _unread(order: DraftOrder, picture: ClinicalPicture) -> tuple[str, ...]:
    texts = [*order.unread_reasons, *(evidence.says for evidence in picture.unread_current_problems)]
    return tuple(dict.fromkeys(texts))


def _duplicates(order: DraftOrder, others: Sequence[DraftOrder]) -> tuple[str, ...]:
    return tuple(
        other.name
        for other in others
        if other.reference != order.reference
        and other.recognition is not Recognition.NOT_OURS
        and not {other.procedure} & ONLY_FOR_BACK_PAIN
    )
