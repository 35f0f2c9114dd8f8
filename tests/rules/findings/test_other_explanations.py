"""Mimics, axial spondyloarthritis, and an aortic emergency."""

import pytest

from rules.finding import Answer
from tests.rules.findings.builders import (
    absent,
    answers,
    fact,
    month,
    order,
    pain,
    past,
    reason,
    recorded,
    references,
    seen,
)

YES, NO = Answer.YES, Answer.NO


@pytest.mark.parametrize(
    ("concept", "mark"),
    [
        ("hip-osteoarthritis", "hip-osteoarthritis"),
        ("sacroiliac-disorder", "sacroiliac"),
        ("peripheral-neuropathy", "peripheral-neuropathy"),
        ("vascular-claudication", "vascular-claudication"),
        ("herpes-zoster", "shingles"),
    ],
)
def test_an_active_mimic_is_named(concept, mark):
    found = answers(fact(concept, 2000)).mimic
    assert (found.answer, set(found.marks)) == (YES, {mark})
    assert answers(fact(concept, 3, suspected=True)).mimic.answer is YES
    assert answers(past(concept, 30)).mimic.answer is NO
    denied = answers(fact(concept, 3, present=False)).mimic
    assert (denied.answer, denied.presumed) == (NO, False)
    assert answers().mimic.presumed is True


@pytest.mark.parametrize(
    ("facts", "answer", "presumed"),
    [
        ([], NO, True),
        ([fact("axial-spondyloarthritis", 900)], YES, False),
        ([fact("axial-spondyloarthritis", 3, suspected=True)], YES, False),
        ([fact("axial-spondyloarthritis", 3, present=False)], NO, False),
    ],
)
def test_axial_spondyloarthritis(facts, answer, presumed):
    found = answers(*facts).axial_spondyloarthritis
    assert (found.answer, found.presumed) == (answer, presumed)


ANEURYSM = fact("abdominal-aortic-aneurysm", 900)


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ([], NO),
        ([ANEURYSM, fact("low-back-pain", 14)], YES),
        ([ANEURYSM, fact("low-back-pain", 15)], NO),
        ([ANEURYSM], YES),  # pain of unknown date
        ([ANEURYSM, fact("low-back-pain", recorded(14))], YES),
        ([ANEURYSM, fact("low-back-pain", recorded(15))], NO),
        ([ANEURYSM, fact("low-back-pain", month(2026, 11))], YES),  # may be of the last fortnight
        ([ANEURYSM, fact("low-back-pain", month(2026, 10))], NO),
        ([ANEURYSM, fact("low-back-pain", 90), seen("course-worsening", 14, course="worsening")], YES),
        (
            [ANEURYSM, fact("low-back-pain", 90), seen("course-worsening", 15, course="worsening")],
            YES,
        ),  # and still the trend
        ([ANEURYSM, fact("low-back-pain", 90), seen("course-worsening", 43, course="worsening")], NO),
        ([ANEURYSM, fact("low-back-pain", 90), pain(4, 20), pain(7, 1)], YES),
        ([fact("aortic-dissection", 3), fact("low-back-pain", 3)], YES),
        ([fact("abdominal-aortic-aneurysm", 3, suspected=True), fact("low-back-pain", 3)], YES),
        ([past("abdominal-aortic-aneurysm", 900), fact("low-back-pain", 3)], NO),  # repaired
        ([fact("abdominal-aortic-aneurysm", 3, present=False), fact("low-back-pain", 3)], NO),
    ],
)
def test_an_aortic_emergency_needs_pain_that_is_new_worse_or_undated(facts, answer):
    assert answers(*facts).aortic.answer is answer


def test_marks_notes_and_what_is_named():
    assert set(answers(ANEURYSM, fact("aortic-dissection", 3)).aortic.marks) == {"aneurysm", "dissection"}
    assert answers(ANEURYSM).aortic.notes == ("pain-date-unknown",)
    assert answers(ANEURYSM, fact("low-back-pain", 3)).aortic.notes == ()
    named = answers(ANEURYSM, fact("low-back-pain", 90)).aortic
    assert (len(named.considered), named.presumed) == (1, True)
    assert answers(absent("abdominal-aortic-aneurysm", 3)).aortic.presumed is False


def test_a_study_for_another_reason_without_back_pain_is_no_aortic_emergency():
    scoliosis = order([reason("scoliosis")])
    assert answers(ANEURYSM, order=scoliosis).aortic.answer is NO
    assert references(answers(ANEURYSM, order=scoliosis).aortic.considered) == [ANEURYSM.evidence.reference]
    assert answers(ANEURYSM, order=order()).aortic.answer is YES  # no reason given: pain of unknown date


def test_a_worse_pain_in_the_orders_reason_is_worse_today():
    worse = order([reason("low-back-pain", course="worsening")])
    assert answers(ANEURYSM, fact("low-back-pain", 90), order=worse).aortic.answer is YES
    assert answers(ANEURYSM, fact("low-back-pain", 14), changed={"aortic_window_days": 13}).aortic.answer is NO
    undated = seen("course-worsening", None, course="worsening")
    assert answers(ANEURYSM, fact("low-back-pain", 90), undated).aortic.answer is YES
    old = fact("low-back-pain", 90, course="worsening")  # the problem is dated, not its worsening
    assert answers(ANEURYSM, old).aortic.answer is NO
