"""The decision proper: answered questions select the leading row, which gives category and urgency.

Pure on findings, and cheap, so that "what would change it" can simply ask again with one answer flipped.
"""

from datetime import date

from msgspec import Struct

from rules.draft_order import DraftOrder, Recognition
from rules.facts import AgeRange
from rules.finding import Answer, Findings
from rules.guideline_tables import Guidelines, UrgencyLevel
from rules.procedures import Procedure
from rules.recommendation import Category, PamaRating, Row, Study, Urgency

PAMA_OF = {
    Category.USUALLY: PamaRating.APPROPRIATE,
    Category.MAY_BE: PamaRating.APPROPRIATE,
    Category.MAY_BE_DISAGREEMENT: PamaRating.APPROPRIATE,
    Category.USUALLY_NOT: PamaRating.NOT_APPROPRIATE,
}
AT_ONCE = frozenset({Urgency.EMERGENCY, Urgency.IMMEDIATE})


class Patient(Struct, frozen=True, gc=False):
    """What the decision needs to know of the patient beside the findings."""

    as_of: date
    is_child: bool = False
    age_not_known: bool = False


class Assessment(Struct, frozen=True):
    """The bare outcome for one set of answers: what leads, how urgent, and how the study is rated."""

    leading: Row
    urgency: UrgencyLevel
    pama: PamaRating | None
    category: Category | None
    study: Study | None
    rated_by: str = "acr"


def patient_on(as_of: date, age: AgeRange | None, guidelines: Guidelines) -> Patient:
    """Adult or child; an age that is not known, or that straddles 18, is treated as adult and said so."""
    adult_age = guidelines.parameters.adult_age_years
    if age is None:
        return Patient(as_of, age_not_known=True)
    return Patient(as_of, is_child=age.oldest < adult_age, age_not_known=age.youngest < adult_age <= age.oldest)


def assess(procedure: Procedure | None, findings: Findings, patient: Patient, guidelines: Guidelines) -> Assessment:
    """Lead, urgency and rating of ``procedure`` for these answers, before anything is asked or held back."""
    leading = matched_rows(findings, guidelines)[0]
    return assess_row(leading, urgency_of(findings, guidelines), procedure, findings, patient, guidelines)


def assess_row(
    leading: Row,
    urgency: UrgencyLevel,
    procedure: Procedure | None,
    findings: Findings,
    patient: Patient,
    guidelines: Guidelines,
) -> Assessment:
    """The rating of ``procedure`` once lead and urgency are known."""
    study = None
    if procedure is not None and leading.variant is not None:
        study = guidelines.acr.variants[leading.variant].studies[procedure]
    if patient.is_child or leading.variant is None or not about_the_back(findings, urgency):
        return Assessment(leading, urgency, PamaRating.NO_CRITERIA_APPLY, None, study)
    if study is None:
        return Assessment(leading, urgency, None, None, None)
    if findings.prior_imaging.answer is Answer.YES and leading.variant in (1, 2, 3):
        # ACP's row, not ACR's: imaging repeats only on new or changed symptoms (acp_none_prior_imaging_unchanged).
        return Assessment(leading, urgency, PamaRating.NOT_APPROPRIATE, study.category, study, "acp")
    return Assessment(leading, urgency, PAMA_OF[study.category], study.category, study)


def matched_rows(findings: Findings, guidelines: Guidelines) -> tuple[Row, ...]:
    """Every row that fits, in order of evaluation: the first leads. The ground row alone when none does."""
    rows = tuple(criterion.row for criterion in guidelines.criteria if criterion.condition.holds(findings))
    return rows or (ground_row(findings, guidelines),)


def ground_row(findings: Findings, guidelines: Guidelines) -> Row:
    """The row of the episode's length, which leads when no criterion holds."""
    return guidelines.ground[duration_of(findings, guidelines)].row


def urgency_of(findings: Findings, guidelines: Guidelines) -> UrgencyLevel:
    """The most urgent level that any rule reaches: a further red flag can only raise it."""
    for level in guidelines.urgencies:
        for condition in level.conditions:
            if condition.holds(findings):
                return level
    return guidelines.urgencies[-1]


def duration_of(findings: Findings, guidelines: Guidelines) -> str:
    """acute, longer, or unknown when the interval straddles four weeks (ACR narrative: acute is under 4 weeks)."""
    days = findings.episode.days
    if days is None:
        return "unknown"
    if days.shortest >= guidelines.parameters.acute_days:
        return "longer"
    if days.longest is not None and days.longest < guidelines.parameters.acute_days:
        return "acute"
    return "unknown"


def about_the_back(findings: Findings, urgency: UrgencyLevel) -> bool:
    """Does the low back pain topic apply? Emergencies and red-flag reasons never wait for the indication."""
    indication = findings.indication
    if indication.answer is not Answer.NO or urgency.urgency in AT_ONCE:
        return True
    return "red-flag-reason" in indication.marks


def questions_open(order: DraftOrder, assessment: Assessment, findings: Findings) -> tuple[str, ...]:
    """Findings whose silence means "ask" and whose answer would change the advice now."""
    if assessment.urgency.urgency in AT_ONCE or order.recognition in (
        Recognition.NOT_RECOGNISED,
        Recognition.NOT_AMONG_ELEVEN,
        Recognition.NOT_OURS,
    ):
        return ()
    if findings.indication.answer is Answer.UNKNOWN and "red-flag-reason" not in findings.indication.marks:
        return ("indication",)
    if _candidacy_decides(assessment, findings):
        return ("candidate",)
    return ()


def _candidacy_decides(assessment: Assessment, findings: Findings) -> bool:
    """Six weeks of care are done, nothing else applies, and only candidacy stands between variants 2 and 3."""
    return (
        assessment.leading.variant in (1, 2)
        and assessment.pama is not PamaRating.NO_CRITERIA_APPLY
        and findings.candidate.answer is Answer.UNKNOWN
        and findings.conservative_care.level == "adequate"
        and findings.trend.level != "improving"
        and findings.prior_imaging.answer is not Answer.YES
    )
