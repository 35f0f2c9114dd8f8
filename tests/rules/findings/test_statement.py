""" "Red flags and strength checked, none" and deferral: answers of the clinician to the order as a whole."""

import pytest

from rules.finding import Answer
from tests.rules.findings.builders import (
    BACK_PAIN,
    TODAY,
    absent,
    answers,
    fact,
    month,
    order,
    reason,
    seen,
    strength,
    temperature,
)

RED_FLAGS = ("cauda_equina", "infection", "immunosuppression", "cancer", "fracture_risk", "major_trauma", "aortic")
CHECKED = order([reason("low-back-pain"), reason("red-flags-checked-none")])


def test_every_silent_red_flag_and_weakness_becomes_a_documented_no():
    silent, checked = answers(BACK_PAIN), answers(BACK_PAIN, order=CHECKED)
    for name in (*RED_FLAGS, "weakness"):
        assert getattr(silent, name).presumed is True, name
        found = getattr(checked, name)
        assert (found.answer, found.presumed, len(found.because)) == (Answer.NO, False, 1), name
    assert checked.weakness.level == "none"
    assert checked.checked_none_on == TODAY
    assert silent.checked_none_on is None


def test_it_answers_nothing_else():
    silent, checked = answers(BACK_PAIN), answers(BACK_PAIN, order=CHECKED)
    for name in ("radiculopathy", "prior_surgery", "conservative_care", "candidate", "trend", "prior_imaging", "mimic",
                 "axial_spondyloarthritis", "setting", "safety", "episode", "indication"):  # fmt: skip
        assert getattr(silent, name) == getattr(checked, name), name


@pytest.mark.parametrize(
    ("statement", "holds"),
    [
        (seen("red-flags-checked-none", 0), True),
        (seen("red-flags-checked-none", 1), False),
        (seen("red-flags-checked-none", month(2026, 11)), False),
        (seen("red-flags-checked-none", None), False),
        (absent("red-flags-checked-none", 0), False),
    ],
)
def test_as_an_observation_it_holds_on_its_day_only(statement, holds):
    assert (answers(BACK_PAIN, statement).checked_none_on == TODAY) is holds


def test_an_entry_that_the_order_names_holds_too():
    named = seen("red-flags-checked-none", 5, ref="Observation/none")
    assert answers(named, order=order(reason_references=("Observation/none",))).checked_none_on == TODAY


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("cauda_equina", fact("saddle-anaesthesia", 3)),
        ("cauda_equina", fact("urinary-retention")),
        ("infection", temperature(39.0, 3)),
        ("immunosuppression", fact("hiv-infection", 300)),
        ("cancer", fact("malignancy-history", 3000)),
        ("fracture_risk", fact("fall", 3)),
        ("major_trauma", fact("major-trauma", 3)),
        ("aortic", fact("abdominal-aortic-aneurysm", 300)),
        ("weakness", strength(4, 3)),
    ],
)
def test_a_positive_entry_still_counts_and_the_contradiction_is_shown(name, flag):
    found = getattr(answers(flag, order=CHECKED), name)
    assert found.answer is not Answer.NO
    assert [each.says for each in found.against] == ["red-flags-checked-none"]


def test_the_age_mark_stays_under_the_statement():
    found = answers(BACK_PAIN, age=68, order=CHECKED)
    assert set(found.cancer.marks) == {"age-over-50"}
    assert set(found.fracture_risk.marks) == {"acp-older-age"}
    assert found.fracture_risk.presumed is False
    assert answers(BACK_PAIN, age=75, order=CHECKED).fracture_risk.level == "age-alone"


def test_deferral_is_an_answer_on_the_order_only():
    assert answers(order=order([reason("deferred-by-clinician")])).deferred is True
    assert answers(seen("deferred-by-clinician", 0)).deferred is False
    assert answers(order=order([reason("deferred-by-clinician", present=False)])).deferred is False
    assert answers(order=order([reason("order-kept-with-reason")])).deferred is False
