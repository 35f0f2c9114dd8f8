"""Suspected cancer: a malignancy on record, or weight loss with a second cue; age alone never."""

import pytest

from rules.facts import AgeRange
from rules.finding import Answer
from rules.findings.age import older_than
from tests.rules.findings.builders import (
    BACK_PAIN,
    absent,
    ago,
    answers,
    fact,
    month,
    order,
    pain,
    past,
    reason,
    references,
    seen,
)

YES, NO = Answer.YES, Answer.NO


def cancer(*facts, **more):
    return answers(BACK_PAIN, *facts, **more).cancer


def weight(kilograms, began, **more):
    return seen("body-weight", began, value=kilograms, **more)


@pytest.mark.parametrize(
    ("facts", "level", "marks"),
    [
        ([], None, set()),
        ([fact("malignant-neoplasm", 900)], "known", {"active"}),
        ([past("malignant-neoplasm", 9000)], "known", {"history"}),
        ([fact("malignancy-history", 9000)], "known", {"history"}),
        ([fact("malignancy-history")], "known", {"history"}),
        ([fact("malignant-neoplasm", 3, suspected=True)], "suspected", {"active"}),
        ([fact("malignant-neoplasm", 3, present=False)], None, set()),
        ([fact("bone-metastasis", 3)], "known", {"metastasis"}),
        ([fact("bone-metastasis", 3, suspected=True)], "suspected", {"metastasis"}),
        ([fact("multiple-myeloma", 3)], "known", {"active"}),
        ([fact("vertebral-primary-malignancy", 3)], "known", {"active"}),
        ([fact("skin-malignancy-type-unspecified", 900)], "known", {"active"}),
        ([fact("non-melanoma-skin-cancer", 900)], None, set()),
        ([fact("night-pain", 3)], None, set()),
        ([fact("chemotherapy-history", 900)], None, set()),
        ([seen("cancer-features", 3)], "suspected", {"statement"}),
        ([absent("cancer-features", 3)], None, set()),
    ],
)
def test_a_malignancy_on_record(facts, level, marks):
    found = cancer(*facts)
    assert (found.answer, found.level, set(found.marks)) == (NO if level is None else YES, level or "", marks)


def test_what_is_named_and_not_counted():
    assert len(cancer(fact("night-pain", 3)).considered) == 1
    assert cancer(fact("night-pain", 3)).presumed is True
    assert cancer(fact("malignant-neoplasm", 3, present=False)).presumed is False
    assert "skin-cancer-type-not-stated" in cancer(fact("skin-malignancy-type-unspecified", 900)).notes


# --- age -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "years", "older"),
    [
        (AgeRange(50, 50), 50, False),
        (AgeRange(51, 51), 50, True),
        (AgeRange(50, 51), 50, None),
        (AgeRange(49, 50), 50, False),
        (AgeRange(51, 52), 50, True),
        (None, 50, None),
    ],
)
def test_an_age_threshold_inside_a_partial_birth_date_is_uncertain(age, years, older):
    assert older_than(age, years) is older


@pytest.mark.parametrize(("age", "mark"), [(50, False), (51, True), ((50, 51), False), (None, False)])
def test_age_alone_never_raises_suspicion_and_stays_as_a_mark(age, mark):
    found = cancer(age=age)
    assert found.answer is NO
    assert found.presumed is True
    assert ("age-over-50" in found.marks) is mark


# --- weight loss -----------------------------------------------------------------------------------------------------

LOSS = fact("unexplained-weight-loss", 30)


@pytest.mark.parametrize(
    ("age", "marks"),
    [
        (50, None),
        (51, {"weight-loss", "weight-loss-with-age", "age-over-50"}),
        ((50, 51), None),
        (None, None),
    ],
)
def test_weight_loss_needs_age_over_50_or_no_improvement(age, marks):
    found = cancer(LOSS, age=age)
    assert found.answer is (NO if marks is None else YES)
    assert set(found.marks) == ({"weight-loss"} if marks is None else marks)
    if marks is None:
        assert len(found.considered) == 1
    assert ("age-uncertain" in found.notes) is (age == (50, 51))


@pytest.mark.parametrize(
    ("episode", "scores", "answer"),
    [
        (28, [pain(6, 15), pain(6, 1)], YES),
        (27, [pain(6, 15), pain(6, 1)], NO),
        (28, [pain(6, 15), pain(8, 1)], YES),
        (28, [pain(8, 15), pain(6, 1)], NO),  # improving
        (28, [], NO),  # unknown is not "no improvement"
    ],
)
def test_weight_loss_without_improvement_after_four_weeks(episode, scores, answer):
    found = answers(fact("low-back-pain", episode), LOSS, *scores, age=40).cancer
    assert found.answer is answer
    assert ("weight-loss-no-improvement" in found.marks) is (answer is YES)


@pytest.mark.parametrize(
    ("loss", "counts"),
    [
        (fact("unexplained-weight-loss", 365), True),
        (fact("unexplained-weight-loss", 366), False),
        (fact("unexplained-weight-loss"), True),
        (past("unexplained-weight-loss", 500, ended=ago(300)), True),
        (fact("unexplained-weight-loss", 3, suspected=True), True),
        (absent("unexplained-weight-loss", 3), False),
    ],
)
def test_coded_weight_loss_counts_within_a_year(loss, counts):
    assert (cancer(loss, age=60).answer is YES) is counts


@pytest.mark.parametrize(
    ("weights", "lost"),
    [
        ([weight(80.0, 182), weight(76.0, 0)], True),  # 5 % in six months
        ([weight(80.0, 182), weight(76.1, 0)], False),
        ([weight(80.0, 365), weight(76.0, 0)], True),
        ([weight(80.0, 366), weight(76.0, 0)], False),  # over more than twelve months
        ([weight(80.0, 100), weight(76.0, 0)], True),  # faster: it happened within six to twelve months
        ([weight(80.0, 565), weight(76.0, 365)], True),
        ([weight(80.0, 566), weight(76.0, 366)], False),  # says nothing of the last year
        ([weight(80.0, 300), weight(84.0, 60), weight(79.0, 0)], False),  # back to the usual weight
        ([weight(80.0, 182), weight(85.0, 60), weight(80.0, 0)], False),
        ([weight(80.0, 181), weight(85.0, 60), weight(80.0, 0)], True),  # no weight of six months ago to tell
        ([weight(84.0, 300), weight(80.0, 200), weight(79.5, 0)], True),
        ([weight(80.0, 200), weight(76.0, 10), weight(79.0, 0)], False),  # regained
        ([weight(76.0, 200), weight(80.0, 0)], False),
        ([weight(80.0, 0)], False),
        ([weight(80.0, 200), weight(0.0, 0, present=False)], False),
        ([weight(80.0, None), weight(70.0, 0)], False),
        ([weight(80.0, month(2026, 3)), weight(76.0, 0)], True),
        ([weight(0.0, 200), weight(0.0, 0)], False),
    ],
)
def test_serial_weights(weights, lost):
    found = cancer(*weights, age=60)
    assert (found.answer is YES) is lost
    assert found == cancer(*reversed(weights), *weights, age=60)


def test_an_intended_loss_or_a_birth_explains_serial_weights_and_is_shown():
    weights = [weight(80.0, 200), weight(74.0, 0)]
    intended = cancer(*weights, seen("intentional-weight-loss", 30), age=60)
    assert (intended.answer, intended.notes, len(intended.considered)) == (NO, ("weight-loss-intended",), 2)
    assert cancer(*weights, seen("intentional-weight-loss", 400), age=60).answer is YES
    assert cancer(*weights, fact("pregnancy-ended", 30), age=60).answer is NO


def test_a_coded_unexplained_loss_stands_against_a_stated_intention_and_both_are_shown():
    found = cancer(LOSS, seen("intentional-weight-loss", 30, ref="Observation/diet"), age=60)
    assert (found.answer, references(found.against)) == (YES, ["Observation/diet"])


@pytest.mark.parametrize(
    ("name", "value", "facts"),
    [
        ("weight_loss_percent", 6.0, [weight(80.0, 182), weight(76.0, 0)]),
        ("weight_loss_max_days", 300, [weight(80.0, 365), weight(76.0, 0)]),
        ("cancer_age_years", 60, [LOSS]),
    ],
)
def test_thresholds_are_parameters(name, value, facts):
    assert cancer(*facts, age=60).answer is YES
    assert cancer(*facts, age=60, changed={name: value}).answer is NO


def test_the_usual_weight_and_the_four_weeks_are_parameters():
    facts = [weight(80.0, 182), weight(85.0, 60), weight(80.0, 0)]
    assert cancer(*facts, age=60, changed={"weight_loss_min_days": 183}).answer is YES
    stuck = [fact("low-back-pain", 28), LOSS, pain(6, 15), pain(6, 1)]
    assert answers(*stuck, age=40, changed={"no_improvement_days": 29}).cancer.answer is NO


def test_weight_loss_as_the_orders_reason_is_of_today():
    found = answers(order=order([reason("low-back-pain"), reason("unexplained-weight-loss")]), age=60).cancer
    assert found.answer is YES
    assert all("date uncertain" not in each.marks for each in found.because)
    assert found.because[0].reference == "Patient"
