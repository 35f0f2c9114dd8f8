"""Why was the study ordered?"""

import pytest

from rules.facts import FactKind
from rules.finding import Answer
from rules.procedures import Procedure
from tests.rules.findings.builders import absent, answers, fact, order, past, reason, references, seen

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


@pytest.mark.parametrize(
    ("reasons", "facts", "answer", "marks"),
    [
        (["low-back-pain"], [], YES, set()),
        (["sciatica"], [], YES, set()),
        (["back-pain-unspecified"], [], YES, set()),
        (["saddle-anaesthesia"], [], YES, {"red-flag-reason"}),
        (["malignancy-history"], [], YES, {"red-flag-reason"}),
        (["scoliosis"], [], NO, {"other-reason"}),
        (["scoliosis"], [fact("low-back-pain", 10)], NO, {"other-reason"}),  # the order's own reason goes first
        (["scoliosis", "low-back-pain"], [], YES, set()),
        (["lower-limb-pain"], [], UNKNOWN, set()),
        (["lower-limb-pain"], [fact("low-back-pain", 10)], YES, set()),
        ([], [], UNKNOWN, set()),
        ([], [fact("low-back-pain", 10)], YES, set()),
        ([], [fact("low-back-pain")], YES, set()),
        ([], [fact("low-back-pain", 10, suspected=True)], YES, set()),
        ([], [past("low-back-pain", 10)], UNKNOWN, set()),
        ([], [fact("low-back-pain", 10, present=False)], UNKNOWN, set()),
        ([], [seen("low-back-pain", 400)], UNKNOWN, set()),
        (["low-back-indication-yes"], [], YES, set()),
        (["low-back-indication-no"], [fact("low-back-pain", 10)], NO, set()),
        ([], [seen("low-back-indication-yes", 0)], YES, set()),
        ([], [seen("low-back-indication-yes", 300)], UNKNOWN, set()),  # an answer of another day and order
    ],
)
def test_the_reason_of_the_order_else_an_active_problem_answers(reasons, facts, answer, marks):
    found = answers(*facts, order=order([reason(each) for each in reasons])).indication
    assert (found.answer, set(found.marks)) == (answer, marks)


@pytest.mark.parametrize("procedure", [Procedure.BONE_SCAN, Procedure.FDG_PET_CT])
def test_a_whole_body_study_for_cancer_alone_is_not_for_back_pain(procedure):
    found = answers(order=order([reason("malignant-neoplasm")], procedure)).indication
    assert (found.answer, set(found.marks)) == (NO, {"other-reason"})
    assert answers(order=order([reason("low-back-pain")], procedure)).indication.answer is YES


def test_the_entry_that_the_reason_points_to_is_the_reason():
    pointed = fact("lumbar-radiculopathy", 30, ref="Condition/12")
    found = answers(pointed, fact("scoliosis", 30), order=order(reason_references=("Condition/12",))).indication
    assert (found.answer, references(found.because)) == (YES, ["Condition/12"])


def test_an_unread_reason_leaves_the_chart_to_answer_and_says_so():
    unread = order(unread_reasons=("something local",))
    assert answers(order=unread).indication.notes == ("reason-not-read",)
    found = answers(fact("low-back-pain", 10), order=unread).indication
    assert (found.answer, set(found.notes)) == (YES, {"reason-not-read", "reason-from-chart"})


def test_another_reason_beside_an_unread_one_decides_nothing():
    mixed = order([reason("scoliosis")], unread_reasons=("something local",))
    assert answers(order=mixed).indication.answer is UNKNOWN


def test_yes_outweighs_no_where_both_are_stated_and_both_are_shown():
    both = order([reason("low-back-indication-yes"), reason("low-back-indication-no")])
    found = answers(order=both).indication
    assert found.answer is YES
    assert len(found.against) == 1


def test_a_stated_absence_of_back_pain_is_shown_and_the_question_stays_open():
    found = answers(absent("low-back-pain", 2), order=order()).indication
    assert found.answer is UNKNOWN
    assert len(found.considered) == 1
    assert found.because == ()


def test_a_reason_kind_is_never_read_as_a_chart_entry():
    assert answers(fact("low-back-pain", 10, FactKind.REPORT), order=order()).indication.answer is UNKNOWN
