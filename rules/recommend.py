"""From a draft order and a patient's picture to the advice: answer the questions, then let the first row lead."""

from collections.abc import Sequence

from rules.advice import recommend_on
from rules.draft_order import DraftOrder
from rules.facts import ClinicalPicture
from rules.findings import answer_questions
from rules.guideline_tables import Guidelines
from rules.recommendation import Recommendation


def recommend(
    order: DraftOrder, picture: ClinicalPicture, guidelines: Guidelines, others: Sequence[DraftOrder] = ()
) -> Recommendation:
    """The advice on ``order``. ``others`` are the session's other draft orders, named where they duplicate it."""
    findings = answer_questions(picture, order, guidelines.parameters)
    return recommend_on(order, findings, picture, guidelines, others)
