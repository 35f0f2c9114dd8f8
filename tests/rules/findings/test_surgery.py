"""Lumbar surgery counts with symptoms or findings dated after it."""

import pytest

from rules.facts import FactKind
from rules.finding import Answer
from tests.rules.findings.builders import answers, done, fact, order, past, reason, recorded, seen, strength

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
OPERATED = done("lumbar-decompression", 1000)


def surgery(*facts, **more):
    return answers(*facts, **more).prior_surgery


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ([], NO),
        ([fact("low-back-pain", 30)], NO),
        ([OPERATED, fact("low-back-pain", 30)], YES),
        ([OPERATED, fact("low-back-pain", 999)], YES),
        ([OPERATED, fact("low-back-pain", 1000)], NO),
        ([OPERATED, fact("low-back-pain", 2000)], NO),  # the pain that was operated on
        ([OPERATED, past("low-back-pain", 500)], UNKNOWN),  # that one is over; the pain of today has no date
        ([OPERATED, fact("low-back-pain", 2000), seen("course-worsening", 20, course="worsening")], YES),
        ([OPERATED, fact("low-back-pain", 2000), seen("straight-leg-raise", 20)], YES),
        ([OPERATED, fact("low-back-pain", 2000), strength(4, 20)], YES),
        ([OPERATED, fact("low-back-pain", 2000), fact("sciatica", 20, suspected=True)], YES),
        ([OPERATED, fact("low-back-pain", recorded(30))], YES),  # dated, if only by its record
        ([OPERATED], UNKNOWN),  # the order's own reason has no date: new or not is not known
        ([OPERATED, fact("low-back-pain")], UNKNOWN),
        ([OPERATED, seen("symptom-duration", 0, value=21.0)], YES),  # the onset as stated is after it
        ([OPERATED, seen("symptom-duration", 0, value=1500.0)], UNKNOWN),
        ([OPERATED, strength(4, None)], UNKNOWN),
        ([fact("post-laminectomy-syndrome", 300)], YES),  # itself a symptom after surgery
        ([fact("pseudarthrosis-after-fusion", 300)], YES),
        ([past("post-laminectomy-syndrome", 300), fact("low-back-pain", 30)], YES),
        ([done("lumbar-decompression", None), fact("low-back-pain", 30)], YES),
        (
            [fact("lumbar-fusion", recorded(10)), fact("low-back-pain", 30)],
            YES,
        ),  # a status code: before it was recorded
        ([past("lumbar-fusion", 1000), fact("low-back-pain", 30)], YES),  # history counts
        ([fact("lumbar-fusion", 1000, present=False), fact("low-back-pain", 30)], NO),
        ([fact("lumbar-fusion", 10, FactKind.REQUEST, state="planned"), fact("low-back-pain", 3)], NO),
        ([fact("lumbar-fusion", 10, FactKind.PROCEDURE, state="not-done"), fact("low-back-pain", 3)], NO),
    ],
)
def test_surgery_with_new_or_progressing_symptoms(facts, answer):
    assert surgery(*facts).answer is answer


def test_an_operation_without_new_symptoms_is_named():
    found = surgery(OPERATED, fact("low-back-pain", 2000))
    assert (len(found.considered), found.presumed, found.notes) == (1, True, ("symptoms-older-than-operation",))


def test_marks_and_dates():
    hardware = surgery(done("lumbar-fusion", 1000), fact("low-back-pain", 30))
    assert set(hardware.marks) == {"hardware"}
    assert hardware.since == done("lumbar-fusion", 1000).began
    implant = surgery(OPERATED, fact("spinal-implant", 1000, FactKind.DEVICE), fact("low-back-pain", 30))
    assert set(implant.marks) == {"hardware"}
    undated = surgery(done("lumbar-decompression", None), fact("low-back-pain", 30))
    assert set(undated.marks) == {"undated"}
    assert any("date uncertain" in each.marks for each in undated.because)


def test_the_last_operation_decides():
    again = done("lumbar-decompression", 100, ref="Procedure/again")
    assert surgery(OPERATED, again, fact("low-back-pain", 500)).answer is NO
    assert surgery(OPERATED, again, fact("low-back-pain", 50)).answer is YES


def test_a_refuted_operation_is_a_documented_no():
    assert surgery(fact("lumbar-fusion", 1000, present=False)).presumed is False
    assert surgery().presumed is True


def test_a_worse_pain_as_the_reason_of_the_order_is_dated_today():
    worse = order([reason("low-back-pain", course="worsening")])
    assert surgery(OPERATED, order=worse).answer is YES
