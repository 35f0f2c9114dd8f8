"""Days on systemic corticosteroids: 90 or more in the last 365, from prescriptions."""

from datetime import date

import pytest

from rules.dates import DateInterval
from rules.finding import Answer
from tests.rules.findings.builders import ago, answers, done, fact, month, recorded, taken

NEVER = DateInterval(date.max, date.max)  # 9999-12-31


def steroid(began, **more):
    return taken("systemic-corticosteroid", began, **more)


def counts(*facts, **more):
    found = answers(*facts, age=40, **more).fracture_risk
    assert ("corticosteroids" in found.marks) is (found.answer is Answer.YES)
    return found.answer is Answer.YES


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], False),
        ([steroid(120, days_supplied=89)], False),
        ([steroid(120, days_supplied=90)], True),
        ([steroid(89, days_supplied=200)], True),  # 90 days up to today; the rest of the supply lies ahead
        ([steroid(88, days_supplied=200)], False),
        ([steroid(200, ended=ago(111))], True),  # a period, both ends included: 90 days
        ([steroid(200, ended=ago(112))], False),
        # separate courses add up
        ([steroid(300, days_supplied=45), steroid(100, days_supplied=45)], True),
        ([steroid(300, days_supplied=45), steroid(100, days_supplied=44)], False),
        # a refill fetched early is taken after the earlier supply
        ([steroid(200, days_supplied=60), steroid(150, days_supplied=30)], True),
        # two strengths fetched on one day are taken together
        ([steroid(200, days_supplied=60), steroid(200, days_supplied=60, ref="MedicationRequest/other")], False),
        # overlapping periods count once
        ([steroid(200, ended=ago(141)), steroid(170, ended=ago(121))], False),  # 80 days
        ([steroid(200, ended=ago(141)), steroid(170, ended=ago(111))], True),  # 90 days
        # an end that stands for none, as some records write it
        ([steroid(89, ended=NEVER), steroid(20, days_supplied=10), steroid(10, ended=NEVER)], True),
        ([steroid(88, ended=NEVER), steroid(20, days_supplied=10), steroid(10, ended=NEVER)], False),
        # a supply that stands for "for ever"
        ([steroid(89, days_supplied=10**7), steroid(20, days_supplied=10**7)], True),
        ([steroid(88, days_supplied=10**7), steroid(20, days_supplied=10**7)], False),
        ([steroid(None, days_supplied=10**7)], True),
        ([steroid(DateInterval(date.min, date.min), days_supplied=10**7), steroid(20, days_supplied=10**7)], True),
        ([steroid(each, days_supplied=36_500) for each in range(80, 0, -1)], False),
        # only the window counts
        ([steroid(454, days_supplied=180)], True),  # 90 of these 180 days lie in the window
        ([steroid(455, days_supplied=179)], False),
        ([steroid(700, days_supplied=300)], False),
        # without an end: current, as uncertain
        ([steroid(89)], True),
        ([steroid(88)], False),
        ([steroid(200, current=False)], False),
        # without a date
        ([steroid(None, days_supplied=90)], True),
        ([steroid(None, days_supplied=89)], False),
        ([steroid(None)], False),
        ([steroid(month(2026, 8), days_supplied=90)], True),
        ([steroid(month(2026, 9), days_supplied=86)], False),
        # not taken
        ([steroid(200, days_supplied=100, state="not-done")], False),
        ([steroid(200, days_supplied=100, present=False)], False),
        ([steroid(ago(-10), days_supplied=100)], False),
        # status
        ([fact("corticosteroid-long-term", 20)], True),
        ([fact("corticosteroid-long-term", recorded(900))], True),
        ([fact("corticosteroid-long-term", 900, current=False, ended=ago(365))], True),  # over, inside the window
        ([fact("corticosteroid-long-term", 900, current=False, ended=ago(366))], False),
        ([fact("corticosteroid-long-term", recorded(366), current=False)], False),
        ([fact("corticosteroid-long-term", recorded(365), current=False)], True),  # its end is not known
        ([fact("corticosteroid-long-term", 20, present=False)], False),
        ([done("corticosteroid-long-term", 20)], False),  # one treatment, of unstated duration
    ],
)
def test_days_of_corticosteroids(facts, expected):
    assert counts(*facts) is expected
    assert counts(*reversed(facts), *facts) is expected  # order and duplicates do not matter


def test_a_short_course_is_named_and_an_uncertain_one_says_so():
    named = answers(steroid(100, days_supplied=7), age=40).fracture_risk
    assert (named.answer, len(named.considered), named.presumed) == (Answer.NO, 1, True)
    assert "date uncertain" in answers(steroid(200), age=40).fracture_risk.because[0].marks
    assert answers(steroid(200, days_supplied=90), age=40).fracture_risk.because[0].marks == ()


def test_both_numbers_are_parameters():
    assert counts(steroid(120, days_supplied=89), changed={"corticosteroid_days": 89})
    assert not counts(steroid(300, days_supplied=90), changed={"corticosteroid_window_days": 200})
