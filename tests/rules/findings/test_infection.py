"""Suspected infection and immunosuppression: each cue inside and outside its look-back."""

import pytest

from rules.facts import FactKind
from rules.finding import Answer
from tests.rules.findings.builders import (
    BACK_PAIN,
    absent,
    ago,
    answers,
    done,
    fact,
    month,
    order,
    past,
    reason,
    recorded,
    references,
    seen,
    taken,
    temperature,
    year,
)

YES, NO = Answer.YES, Answer.NO


def infection(*facts, **more):
    return answers(BACK_PAIN, *facts, **more).infection


@pytest.mark.parametrize(
    ("facts", "answer", "marks"),
    [
        ([], NO, set()),
        # fever: 38.0 C, 14 days
        ([temperature(38.0, 14)], YES, {"fever"}),
        ([temperature(37.9, 1)], NO, set()),
        ([temperature(38.0, 13)], YES, {"fever"}),
        ([temperature(38.0, 15)], NO, set()),
        ([temperature(38.5, None)], YES, {"fever"}),
        ([temperature(38.5, month(2026, 11))], YES, {"fever"}),
        ([temperature(38.5, month(2026, 10))], NO, set()),
        ([fact("fever", 14)], YES, {"fever"}),
        ([fact("fever", 15)], NO, set()),
        ([past("fever", 20, ended=ago(14))], YES, {"fever"}),
        ([past("fever", 20, ended=ago(15))], NO, set()),
        ([fact("fever", 3, suspected=True)], YES, {"fever"}),
        ([fact("fever", 3, present=False)], NO, set()),
        # injecting drug use: 365 days
        ([seen("injecting-drug-use", 365)], YES, {"iv-drug-use"}),
        ([seen("injecting-drug-use", 366)], NO, set()),
        ([seen("injecting-drug-use", year(2025))], YES, {"iv-drug-use"}),
        ([past("injecting-drug-use", 3000, ended=ago(365))], YES, {"iv-drug-use"}),
        ([past("injecting-drug-use", 3000, ended=ago(366))], NO, set()),
        ([past("injecting-drug-use", 3000)], YES, {"iv-drug-use"}),  # its end is not known
        ([fact("injecting-drug-use", 3000)], YES, {"iv-drug-use"}),  # current on the problem list
        ([absent("injecting-drug-use", 3)], NO, set()),
        # bloodstream infection: 90 days
        ([fact("bacteraemia", 90)], YES, {"bloodstream-infection"}),
        ([fact("bacteraemia", 91)], NO, set()),
        ([past("bacteraemia", 120, ended=ago(90))], YES, {"bloodstream-infection"}),
        ([seen("blood-culture", 90)], YES, {"bloodstream-infection"}),
        ([seen("blood-culture", 91)], NO, set()),
        ([absent("blood-culture", 3)], NO, set()),
        # raised markers: 30 days
        ([seen("crp", 30, value=10.1)], YES, {"raised-markers"}),
        ([seen("crp", 31, value=80.0)], NO, set()),
        ([seen("crp", 3, value=10.0)], NO, set()),
        ([seen("crp", 3, value=10.0, comparator=">")], YES, {"raised-markers"}),
        ([seen("esr", 3, value=20.1)], YES, {"raised-markers"}),
        ([seen("esr", 3, value=20.0)], NO, set()),
        ([seen("esr", 3, value=18.0, marks=("high",))], YES, {"raised-markers"}),  # as the laboratory flags it
        ([seen("esr", 3, value=28.0, present=False)], NO, set()),  # normal for this laboratory
        ([seen("crp", 3)], YES, {"raised-markers"}),
        # spinal infection
        ([fact("discitis", 3)], YES, {"spinal-infection-coded"}),
        ([fact("discitis", 900)], YES, {"spinal-infection-coded"}),
        ([fact("spinal-infection", 3, suspected=True)], YES, {"spinal-infection-suspected"}),
        ([past("vertebral-osteomyelitis", 200, ended=ago(90))], YES, {"spinal-infection-coded"}),
        ([past("vertebral-osteomyelitis", 200, ended=ago(91))], NO, set()),
        ([fact("spinal-epidural-abscess", 3, present=False)], NO, set()),
        # strengtheners and infections elsewhere, alone
        ([fact("diabetes", 3000)], NO, {"diabetes"}),
        ([fact("dialysis", 3000)], NO, {"dialysis"}),
        ([past("dialysis", 3000)], NO, set()),
        ([done("dialysis", 90)], NO, {"dialysis"}),
        ([done("dialysis", 91)], NO, set()),
        ([fact("recent-infection", 90)], NO, {"recent-infection"}),
        ([fact("recent-infection", 91)], NO, set()),
        ([fact("diabetes", 3000), temperature(38.2, 3)], YES, {"fever", "diabetes"}),
        ([fact("recent-infection", 60), temperature(38.2, 3)], YES, {"fever", "recent-infection"}),
        # statements
        ([seen("infection-features", 3)], YES, {"statement"}),
        ([seen("infection-features", 300)], NO, set()),
        ([absent("infection-features", 3)], NO, set()),
        # not a cue
        ([fact("opioid-use-disorder", 3)], NO, set()),
        ([fact("night-pain", 3)], NO, set()),
    ],
)  # fmt: skip
def test_cues_of_infection(facts, answer, marks):
    found = infection(*facts)
    assert (found.answer, set(found.marks)) == (answer, marks)


PAIN_BEFORE, PAIN_SINCE = fact("low-back-pain", 170), fact("low-back-pain", 60)


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ([done("lumbar-epidural-injection", 90), PAIN_SINCE], YES),
        ([done("lumbar-epidural-injection", 91), PAIN_SINCE], NO),
        ([done("lumbar-epidural-injection", 60), PAIN_BEFORE], NO),  # the pain is the old one
        ([done("lumbar-epidural-injection", 60), PAIN_BEFORE, seen("course-worsening", 3, course="worsening")], YES),
        ([done("lumbar-epidural-injection", 60), PAIN_BEFORE, seen("course-worsening", 70, course="worsening")], NO),
        ([done("lumbar-epidural-injection", 60), PAIN_BEFORE, fact("sciatica", 20)], YES),
        ([done("lumbar-decompression", 60), PAIN_BEFORE, seen("pain-score", 20, value=4.0, site="nrs"),
          seen("pain-score", 1, value=7.0, site="nrs")], YES),
        ([done("lumbar-puncture", 30), fact("low-back-pain", 10)], YES),
        ([done("lumbar-puncture", None), PAIN_BEFORE], YES),  # undated: perhaps since
        ([done("lumbar-puncture", None), PAIN_BEFORE, seen("course-worsening", 3, course="worsening")], YES),
        ([done("lumbar-epidural-injection", 60)], YES),  # pain of unknown date: perhaps since
        ([done("lumbar-epidural-injection", 60, present=False), fact("low-back-pain", 5)], NO),
        ([fact("lumbar-epidural-injection", 10, FactKind.REQUEST, state="planned"), fact("low-back-pain", 5)], NO),
        ([fact("lumbar-epidural-injection", 10, FactKind.PROCEDURE, state="not-done"), fact("low-back-pain", 5)], NO),
    ],
)  # fmt: skip
def test_a_spinal_intervention_counts_when_the_pain_is_new_or_worse_since(facts, answer):
    found = answers(*facts).infection
    assert found.answer is answer
    assert ("spinal-intervention" in found.marks) is (answer is YES)


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ([fact("low-back-pain", 30)], YES),  # new inside the look-back, though before the blood was taken
        ([fact("low-back-pain", 31)], NO),
        ([fact("low-back-pain", 31), seen("course-worsening", 20, course="worsening")], YES),
        ([fact("low-back-pain", 31), seen("course-worsening", 31, course="worsening")], YES),  # and still the trend
        ([fact("low-back-pain", 100), seen("course-worsening", 43, course="worsening")], NO),
        ([fact("low-back-pain", 100), seen("pain-score", 20, value=4.0, site="nrs"),
          seen("pain-score", 1, value=6.0, site="nrs")], YES),
        ([], YES),  # pain of unknown date: perhaps new
        ([fact("low-back-pain", recorded(30))], YES),
        ([fact("low-back-pain", recorded(31))], NO),
        ([fact("low-back-pain", 100), fact("sciatica", 10)], YES),
    ],
)  # fmt: skip
def test_a_raised_marker_counts_with_pain_that_is_new_or_worse(facts, answer):
    found = answers(seen("crp", 2, value=40.0), *facts).infection
    assert found.answer is answer
    if answer is NO:
        assert len(found.considered) == 1


def test_perhaps_new_says_so():
    assert "date uncertain" in answers(seen("crp", 2, value=40.0)).infection.because[0].marks


def test_a_newer_normal_temperature_never_undoes_a_high_one_and_both_are_shown():
    found = infection(temperature(39.2, 2), temperature(36.8, 0))
    assert found.answer is YES
    assert references(found.because) == ["Observation/body-temperature-39.2-2026-11-23"]
    assert references(found.against) == ["Observation/body-temperature-36.8-2026-11-25"]


def test_a_strengthener_is_shown_with_a_cue_and_named_without():
    alone, with_fever = infection(fact("diabetes", 900)), infection(fact("diabetes", 900), temperature(38.5, 2))
    assert (len(alone.because), len(alone.considered), alone.presumed) == (0, 1, True)
    assert (len(with_fever.because), len(with_fever.considered)) == (2, 0)


def test_a_fever_before_the_look_back_is_named():
    found = infection(temperature(39.2, 40))
    assert (found.answer, len(found.considered), found.presumed) == (NO, 1, True)


def test_only_an_answer_to_the_whole_question_takes_the_presumption_away():
    assert infection(temperature(36.8, 0)).presumed is True
    assert infection(absent("fever", 0)).presumed is True
    assert infection(absent("infection-features", 0)).presumed is False
    assert infection(fact("discitis", 3, present=False)).presumed is False


def test_unknown_dates_inside_a_look_back_count_and_say_so():
    assert "date uncertain" in infection(temperature(38.5, None)).because[0].marks
    assert "date uncertain" in infection(fact("bacteraemia")).because[0].marks
    assert "date uncertain" not in infection(temperature(38.5, 3)).because[0].marks
    named = order([reason("low-back-pain"), reason("fever")])
    assert "date uncertain" not in infection(order=named).because[0].marks


def test_a_suspected_infection_says_that_it_is_suspected():
    assert "suspected" in infection(fact("discitis", 3, suspected=True)).because[0].marks


@pytest.mark.parametrize(
    ("name", "facts", "value"),
    [
        ("fever_celsius", [temperature(38.0, 1)], 38.1),
        ("fever_lookback_days", [temperature(38.0, 14)], 13),
        ("iv_drug_lookback_days", [seen("injecting-drug-use", 365)], 364),
        ("bloodstream_lookback_days", [fact("bacteraemia", 90)], 89),
        ("inflammatory_marker_lookback_days", [seen("crp", 30, value=50.0)], 29),
        ("esr_raised_mm_h", [seen("esr", 3, value=20.1)], 21.0),
        ("crp_raised_mg_l", [seen("crp", 3, value=10.1)], 11.0),
        ("recent_infection_lookback_days", [past("discitis", 200, ended=ago(90))], 89),
    ],
)
def test_each_threshold_is_a_parameter(name, facts, value):
    assert infection(*facts).answer is YES
    assert infection(*facts, changed={name: value}).answer is NO


def test_the_window_of_an_intervention_is_a_parameter():
    facts = [done("lumbar-epidural-injection", 90), fact("low-back-pain", 60)]
    assert answers(*facts).infection.answer is YES
    assert answers(*facts, changed={"spinal_intervention_lookback_days": 89}).infection.answer is NO


# --- immunosuppression -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "marks"),
    [
        ([], None),
        ([fact("hiv-infection", 3000)], {"hiv"}),
        ([past("hiv-infection", 3000)], {"hiv"}),
        ([fact("hiv-infection", 3, suspected=True)], {"hiv"}),
        ([fact("transplant", 3000)], {"transplant"}),
        ([done("transplant", 3000)], {"transplant"}),
        ([taken("immunosuppressant-drug", 100)], {"medicine"}),
        ([taken("immunosuppressant-drug", 100, current=False)], None),
        ([taken("immunosuppressant-drug", 100, state="not-done")], None),
        ([fact("long-term-immunosuppressant-use", 100)], {"medicine"}),
        ([fact("chemotherapy-current", 10)], {"medicine"}),
        ([fact("immunosuppression", 100)], {"state"}),
        ([past("immunosuppression", 100)], None),
        ([fact("immunosuppression", 100, present=False)], None),
        ([fact("corticosteroid-long-term", 100)], {"corticosteroids"}),
        ([taken("systemic-corticosteroid", 100, days_supplied=90)], {"corticosteroids"}),
        ([taken("systemic-corticosteroid", 100, days_supplied=89)], None),
    ],
)
def test_immunosuppression(facts, marks):
    found = answers(BACK_PAIN, *facts).immunosuppression
    assert (found.answer, set(found.marks)) == ((NO, set()) if marks is None else (YES, marks))


def test_a_refuted_immunodeficiency_is_a_documented_no():
    assert answers(fact("immunosuppression", 3, present=False)).immunosuppression.presumed is False
    assert answers(fact("hiv-infection", recorded(3))).immunosuppression.answer is YES
