"""Fracture risk (ACR variant 6) and major trauma."""

import pytest

from rules.finding import Answer
from tests.rules.findings.builders import (
    BACK_PAIN,
    absent,
    ago,
    answers,
    fact,
    month,
    order,
    past,
    reason,
    references,
    seen,
    taken,
)

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


def risk(*facts, age=40, **more):
    return answers(BACK_PAIN, *facts, age=age, **more).fracture_risk


@pytest.mark.parametrize(
    ("facts", "marks"),
    [
        ([], None),
        ([fact("fall", 90)], {"low-velocity-trauma"}),
        ([fact("fall", 91)], None),
        ([fact("fall")], {"low-velocity-trauma"}),
        ([fact("low-velocity-trauma", 3)], {"low-velocity-trauma"}),
        ([past("fall", 90)], {"low-velocity-trauma"}),  # resolved, inside the look-back
        ([past("fall", 91)], None),
        ([fact("fall", month(2026, 8))], {"low-velocity-trauma"}),  # 27 August is 90 days ago: may be inside
        ([fact("fall", month(2026, 7))], None),
        ([absent("fall", 3)], None),
        ([fact("osteoporosis", 3000)], {"osteoporosis"}),
        ([past("osteoporosis", 3000)], {"osteoporosis"}),
        ([fact("osteoporosis", 3, suspected=True)], {"osteoporosis"}),
        ([fact("osteoporosis", 3, present=False)], None),
        ([fact("steroid-induced-osteoporosis", 3000)], {"osteoporosis"}),
        ([fact("osteopenia", 3000)], None),
        ([taken("osteoporosis-treatment", 300)], {"osteoporosis-treatment"}),
        ([taken("osteoporosis-treatment", 300, stated_other_indication=True)], None),
        ([taken("osteoporosis-treatment", 300, state="not-done")], None),
        ([fact("vertebral-fracture", 3000)], {"vertebral-fracture"}),
        ([past("vertebral-fracture", 3000)], {"vertebral-fracture"}),
        ([fact("fragility-fracture", 3000)], {"fragility-fracture"}),
        ([fact("vertebral-fracture-aftercare", 30)], None),
        ([fact("traumatic-vertebral-fracture", 30)], None),  # major trauma's row, not this one
        ([fact("midline-tenderness", 3)], None),  # alone it is no risk
        ([fact("fall", 3), seen("midline-tenderness", 3)], {"low-velocity-trauma", "midline-tenderness"}),
        ([fact("osteoporosis", 3), seen("midline-tenderness", 3)], {"osteoporosis"}),
        ([fact("fall", 3), seen("midline-tenderness", 300)], {"low-velocity-trauma"}),
        ([fact("fall", 3), absent("midline-tenderness", 3)], {"low-velocity-trauma"}),
        ([seen("fracture-features", 3)], {"statement"}),
        ([absent("fracture-features", 3)], None),
    ],
)
def test_entries_that_stand_for_a_risk(facts, marks):
    found = risk(*facts)
    assert (found.answer, set(found.marks)) == ((NO, set()) if marks is None else (YES, marks))
    assert found.level == ""


@pytest.mark.parametrize(
    ("age", "answer", "level", "marks"),
    [
        (65, NO, "", set()),
        (66, NO, "", {"acp-older-age"}),
        (70, NO, "", {"acp-older-age"}),
        (71, YES, "age-alone", {"acp-older-age", "older-age"}),
        ((70, 71), UNKNOWN, "", {"acp-older-age"}),  # never guessed
        ((65, 66), NO, "", set()),
        ((71, 72), YES, "age-alone", {"acp-older-age", "older-age"}),
        (None, NO, "", set()),
    ],
)
def test_age_alone_is_a_weak_reason_with_a_level_of_its_own(age, answer, level, marks):
    found = risk(age=age)
    assert (found.answer, found.level, set(found.marks)) == (answer, level, marks)
    assert ("age-uncertain" in found.notes) is (age == (70, 71))


def test_an_open_age_does_not_undo_a_documented_no():
    found = risk(absent("fracture-features", 3), age=(70, 71))
    assert (found.answer, found.presumed, found.notes) == (NO, False, ("age-uncertain",))


def test_aftercare_of_an_older_fracture_is_named_under_both_questions():
    found = answers(BACK_PAIN, fact("vertebral-fracture-aftercare", 30), fact("major-trauma", 200))
    assert len(found.fracture_risk.considered) == 1
    assert len(found.major_trauma.considered) == 2


def test_age_with_another_risk_is_not_age_alone():
    assert risk(fact("osteoporosis", 9), age=75).level == ""
    assert references(risk(age=75).because) == ["Patient"]


@pytest.mark.parametrize(("age", "mark"), [(60, False), (61, True), ((60, 61), False)])
def test_trauma_over_60(age, mark):
    assert ("trauma-over-60" in risk(fact("fall", 3), age=age).marks) is mark
    assert "trauma-over-60" not in risk(fact("osteoporosis", 3), age=age).marks


def test_what_was_named_and_what_was_denied():
    assert len(risk(fact("fall", 200)).considered) == 1
    assert risk(fact("fall", 200)).presumed is True
    assert risk(absent("fracture-features", 3)).presumed is False
    found = risk(fact("fall", 10), absent("fall", 1, ref="Observation/no"))
    assert (found.answer, references(found.against)) == (YES, ["Observation/no"])


@pytest.mark.parametrize(
    ("name", "value", "facts", "age"),
    [
        ("trauma_lookback_days", 89, [fact("fall", 90)], 40),
        ("older_age_years", 75, [], 71),
    ],
)
def test_thresholds_are_parameters(name, value, facts, age):
    assert risk(*facts, age=age).answer is YES
    assert risk(*facts, age=age, changed={name: value}).answer is NO


def test_the_other_ages_are_parameters():
    assert "acp-older-age" not in risk(age=66, changed={"acp_older_age_years": 66}).marks
    assert "trauma-over-60" not in risk(fact("fall", 3), age=61, changed={"trauma_age_years": 61}).marks


# --- major trauma ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "marks"),
    [
        ([], None),
        ([fact("major-trauma", 90)], {"mechanism"}),
        ([fact("major-trauma", 91)], None),
        ([fact("major-trauma")], {"mechanism"}),
        ([past("major-trauma", 60)], {"mechanism"}),
        ([fact("major-trauma", 3, suspected=True)], {"mechanism"}),
        ([fact("major-trauma", 3, present=False)], None),
        ([fact("traumatic-vertebral-fracture", 90)], {"traumatic-fracture"}),
        ([fact("traumatic-vertebral-fracture", 91)], None),
        ([fact("spinal-cord-injury", 90)], {"cord-injury"}),
        ([fact("spinal-cord-injury", 91)], None),
        ([fact("vertebral-fracture", 3)], None),  # cause not stated: fracture risk
        ([fact("fragility-fracture", 3)], None),
        ([fact("fall", 3)], None),
        ([fact("vertebral-fracture-aftercare", 3)], None),
        ([seen("major-trauma-features", 1)], {"statement"}),
        ([absent("major-trauma-features", 1)], None),
    ],
)
def test_major_trauma(facts, marks):
    found = answers(BACK_PAIN, *facts).major_trauma
    assert (found.answer, set(found.marks)) == ((NO, set()) if marks is None else (YES, marks))


def test_trauma_as_the_reason_of_the_order_is_of_today():
    found = answers(order=order([reason("major-trauma")])).major_trauma
    assert (found.answer, found.because[0].marks) == (YES, ())


def test_a_crash_beyond_the_look_back_is_named_and_a_denied_one_is_documented():
    assert len(answers(fact("major-trauma", 200)).major_trauma.considered) == 1
    assert answers(fact("major-trauma", 3, present=False)).major_trauma.presumed is False
    assert answers(fact("major-trauma", ago(90)), changed={"trauma_lookback_days": 89}).major_trauma.answer is NO
