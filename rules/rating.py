"""How the ordered study is rated, or why it is not."""

from rules.case import Case, contrast_choices_alike, hides_red_flags
from rules.decide import PAMA_OF, Assessment, about_the_back, questions_open
from rules.draft_order import Recognition
from rules.recommendation import GuidelineView, PamaRating, Rating
from rules.views import rated_by_view


def rate(case: Case, views: tuple[GuidelineView, ...]) -> tuple[Rating | None, str]:
    """The rating, or why there is none (a key)."""
    why_not = _not_rated(case)
    if why_not in ("not-recognised", "not-among-eleven"):
        return None, why_not
    assessment = case.assessment
    if assessment.pama is PamaRating.NO_CRITERIA_APPLY:
        guideline = "acr" if assessment.leading.variant is not None else assessment.leading.guideline
        return Rating(PamaRating.NO_CRITERIA_APPLY, case.order.procedure, guideline=guideline), why_not
    if why_not:
        return None, why_not
    return _chosenrate(case, views)


def _chosenrate(case: Case, views: tuple[GuidelineView, ...]) -> tuple[Rating | None, str]:
    assessment, study = case.assessment, case.assessment.study
    if study is None or assessment.pama is None:
        return None, "not-recognised"
    rates = case.guidelines.rates
    if rates == "acr" or assessment.rated_by != "acr":
        row = _row_id(case, assessment)
        return Rating(assessment.pama, study.procedure, study.category, study.score, row, assessment.rated_by), ""
    view = next(view for view in views if view.guideline == rates)
    pama = rated_by_view(view, study.procedure, case.findings, case.guidelines)
    if pama is None:
        return None, "setting-not-known"
    row = view.rows[0].id if view.rows else ""
    return Rating(pama, study.procedure, study.category, study.score, row, rates), ""


def _row_id(case: Case, assessment: Assessment) -> str:
    if assessment.rated_by == "acp":
        return "acp_none_prior_imaging_unchanged"
    variant = assessment.leading.variant
    return case.guidelines.acr.variants[variant].id if variant is not None else assessment.leading.id


def _not_rated(case: Case) -> str:
    order, assessment = case.order, case.assessment
    if order.recognition is Recognition.NOT_AMONG_ELEVEN:
        return "not-among-eleven"
    if case.judged is None:
        return "not-recognised"
    if case.patient.is_child:
        return "child"
    if not about_the_back(case.findings, assessment.urgency):
        return "other-indication"
    if assessment.leading.variant is None:
        return "other-topic"
    if "indication" in questions_open(order, assessment, case.findings):
        return "answer-missing"
    if not contrast_choices_alike(case):
        return "contrast-matters"
    if _candidacy_changes_rating(case):
        return "answer-missing"
    if hides_red_flags(case.picture) and not _certain_whatever_is_hidden(case):
        return "source-not-read"
    return ""


def _candidacy_changes_rating(case: Case) -> bool:
    if "candidate" not in questions_open(case.order, case.assessment, case.findings) or case.judged is None:
        return False
    study = case.guidelines.acr.variants[3].studies[case.judged]
    return PAMA_OF[study.category] is not case.assessment.pama


def _certain_whatever_is_hidden(case: Case) -> bool:
    """Would every row that a hidden red flag could bring to the lead rate this study alike?"""
    if case.judged is None:
        return False
    for criterion in case.guidelines.criteria:
        if criterion.row is case.assessment.leading:
            return True
        variant = criterion.row.variant
        if variant is None:
            continue
        category = case.guidelines.acr.variants[variant].studies[case.judged].category
        if PAMA_OF[category] is not case.assessment.pama:
            return False
    return True
