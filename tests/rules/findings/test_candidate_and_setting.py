"""Candidate for an operation or injection, and the setting of the order."""

import pytest

from rules.facts import FactKind
from rules.finding import Answer
from tests.rules.findings.builders import absent, answers, done, fact, order, reason, seen

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
PAIN = fact("low-back-pain", 100)


def planned(concept, began=3, **more):
    return fact(concept, began, FactKind.REQUEST, **{"state": "planned", **more})


def drafted(concept):
    return fact(concept, None, FactKind.DRAFT, state="draft")


@pytest.mark.parametrize(
    ("facts", "answer", "level"),
    [
        ([], UNKNOWN, ""),
        ([planned("lumbar-epidural-injection")], YES, "planned"),
        ([planned("lumbar-fusion")], YES, "planned"),
        ([planned("lumbar-fusion", 300)], UNKNOWN, ""),  # of another episode
        ([drafted("lumbar-epidural-injection")], YES, "planned"),
        ([fact("facet-injection-lumbar", 3, FactKind.PROCEDURE, state="planned")], YES, "planned"),
        ([fact("facet-injection-lumbar", 3, FactKind.PROCEDURE, state="not-done")], UNKNOWN, ""),
        ([done("lumbar-epidural-injection", 30)], UNKNOWN, "possible"),
        ([done("lumbar-epidural-injection", 300)], UNKNOWN, ""),
        ([planned("neurosurgery-referral", 30)], YES, "potential"),
        ([planned("spine-surgery-referral", 30)], YES, "potential"),
        ([planned("interventional-pain-referral", 30)], YES, "potential"),
        ([drafted("neurosurgery-referral")], YES, "potential"),
        ([planned("neurosurgery-referral", 300)], UNKNOWN, ""),
        ([planned("neurosurgery-referral", None)], UNKNOWN, ""),
        ([planned("neurosurgery-referral", 30, state="not-done")], UNKNOWN, ""),
        ([planned("neurosurgery-referral", 30, present=False)], UNKNOWN, ""),
        ([planned("orthopaedic-surgery-referral", 30)], UNKNOWN, "possible"),
        ([planned("pain-medicine-referral", 30)], UNKNOWN, "possible"),
        ([planned("si-joint-injection", 30)], UNKNOWN, "possible"),
        ([planned("physical-therapy-referral", 30)], UNKNOWN, ""),
        ([seen("intervention-candidate-yes", 3)], YES, "stated"),
        ([seen("intervention-candidate-yes", 300)], UNKNOWN, ""),
        ([absent("intervention-candidate-yes", 3)], UNKNOWN, ""),
        ([seen("intervention-candidate-no", 3)], NO, ""),
        ([seen("intervention-candidate-no", 3), planned("lumbar-fusion")], NO, ""),  # contradiction: both are shown
    ],
)
def test_candidates(facts, answer, level):
    found = answers(PAIN, *facts).candidate
    assert (found.answer, found.level) == (answer, level)
    assert found.presumed is False


@pytest.mark.parametrize(
    ("concept", "answer", "level"),
    [
        ("intervention-candidate-yes", YES, "stated"),
        ("intervention-candidate-no", NO, ""),
        ("planned-procedure", YES, "planned"),
    ],
)
def test_the_clinicians_answer_on_the_order(concept, answer, level):
    found = answers(order=order([reason("low-back-pain"), reason(concept)])).candidate
    assert (found.answer, found.level) == (answer, level)


def test_a_contradiction_with_the_answer_is_shown():
    found = answers(PAIN, seen("intervention-candidate-no", 3), planned("lumbar-fusion")).candidate
    assert len(found.against) == 1


def test_a_referral_where_no_episode_is_dated_is_of_this_pain_when_it_is_recent():
    assert answers(planned("neurosurgery-referral", 180)).candidate.level == "potential"
    assert answers(planned("neurosurgery-referral", 181)).candidate.level == ""


def test_the_requesters_own_specialty_is_only_possible():
    found = answers(requester_specialties=("specialty-neurosurgery",)).candidate
    assert (found.answer, found.level, found.notes) == (UNKNOWN, "possible", ("specialty-of-requester",))
    assert answers(requester_specialties=("specialty-family-medicine",)).candidate.level == ""


@pytest.mark.parametrize(
    ("specialties", "encounter", "answer", "level"),
    [
        ((), None, UNKNOWN, ""),
        (("specialty-orthopaedic-surgery",), None, YES, "specialist"),
        (("specialty-pain-medicine",), False, YES, "specialist"),
        (("specialty-family-medicine",), None, NO, "non-specialist"),
        (("specialty-family-medicine",), True, YES, "specialist"),
        (("specialty-nurse-practitioner",), None, NO, "non-specialist"),
        ((), True, YES, "specialist"),
        ((), False, NO, "non-specialist"),
        (("specialty-anesthesiology",), None, UNKNOWN, ""),
    ],
)
def test_the_setting(specialties, encounter, answer, level):
    found = answers(requester_specialties=specialties, encounter_specialist=encounter).setting
    assert (found.answer, found.level) == (answer, level)
