"""Suspected cauda equina syndrome: its windows, its possible, and what never cancels it."""

import pytest

from rules.finding import Answer
from tests.rules.findings.builders import (
    absent,
    ago,
    answers,
    fact,
    month,
    order,
    past,
    reason,
    recorded,
    references,
    seen,
    strength,
)

SHORT = fact("low-back-pain", 84)  # an episode of exactly twelve weeks
LONG = fact("low-back-pain", 85)
SUSPECTED, POSSIBLE, NONE = "suspected", "possible", ""
ANSWERS = {SUSPECTED: Answer.YES, POSSIBLE: Answer.UNKNOWN, NONE: Answer.NO}


def check(level, *facts, **more):
    found = answers(*facts, **more).cauda_equina
    assert (found.answer, found.level) == (ANSWERS[level], level)
    return found


@pytest.mark.parametrize(
    ("concept", "mark"),
    [
        ("cauda-equina-syndrome", "syndrome"),
        ("conus-medullaris-syndrome", "syndrome"),
        ("urinary-retention", "retention"),
        ("voiding-difficulty", "retention"),
        ("neurogenic-bladder", "retention"),
        ("urinary-incontinence", "incontinence"),
        ("bladder-sensation-loss", "sensation"),
        ("rectal-sensation-loss", "sensation"),
        ("faecal-incontinence", "bowel"),
        ("saddle-anaesthesia", "saddle"),
        ("reduced-anal-tone", "anal-tone"),
        ("sexual-dysfunction", "sexual"),
        ("cauda-equina-features", "statement"),
        ("bilateral-sciatica", "bilateral"),
    ],
)
def test_each_feature_that_began_in_the_last_days_counts(concept, mark):
    found = check(SUSPECTED, LONG, fact(concept, 3))
    assert mark in found.marks
    check(SUSPECTED, LONG, fact(concept, 3, suspected=True))
    check(NONE, LONG, absent(concept, 3))


@pytest.mark.parametrize(
    ("when", "level"),
    [
        (13, SUSPECTED),
        (14, SUSPECTED),
        (15, POSSIBLE),
        (None, POSSIBLE),
        (month(2026, 11), SUSPECTED),  # may be of the last fortnight: counts, said uncertain
        (month(2026, 10), POSSIBLE),
        (recorded(14), SUSPECTED),
        (recorded(15), POSSIBLE),
        (85, POSSIBLE),
        (86, NONE),  # stable for longer than the episode
    ],
)
def test_a_lone_urinary_feature_in_a_longer_episode(when, level):
    check(level, LONG, fact("urinary-retention", when))


@pytest.mark.parametrize(("when", "level"), [(84, SUSPECTED), (50, SUSPECTED), (85, NONE)])
def test_a_feature_that_began_within_an_episode_of_up_to_twelve_weeks_counts(when, level):
    check(level, SHORT, fact("urinary-retention", when))


def test_an_uncertain_date_says_so():
    found = check(SUSPECTED, LONG, fact("urinary-retention", month(2026, 11)))
    assert "date uncertain" in found.because[0].marks


@pytest.mark.parametrize("concept", ["saddle-anaesthesia", "reduced-anal-tone", "cauda-equina-syndrome"])
def test_saddle_change_anal_tone_and_the_syndrome_count_undated_and_in_a_longer_episode(concept):
    check(SUSPECTED, LONG, fact(concept))
    check(SUSPECTED, LONG, fact(concept, 60))
    check(SUSPECTED, fact(concept))


@pytest.mark.parametrize(("when", "level"), [(100, SUSPECTED), (180, SUSPECTED), (181, NONE)])
def test_a_saddle_change_before_the_pain_is_long_standing_only_when_clearly_older(when, level):
    check(level, fact("low-back-pain", 30), fact("saddle-anaesthesia", when))


@pytest.mark.parametrize("concept", ["urinary-incontinence", "sexual-dysfunction", "faecal-incontinence"])
def test_a_lone_undated_feature_is_a_possible_that_asks(concept):
    found = check(POSSIBLE, LONG, fact(concept))
    assert "new-or-worse-not-stated" in found.notes
    assert len(found.because) == 1


def test_two_doubtful_features_of_different_kinds_are_no_longer_lone():
    check(SUSPECTED, LONG, fact("urinary-incontinence", 40), fact("sexual-dysfunction", 40))
    check(POSSIBLE, LONG, fact("urinary-incontinence", 40), fact("urinary-retention", 40))


def test_a_feature_named_by_this_order_or_encounter_counts_whatever_its_date():
    check(SUSPECTED, LONG, order=order([reason("low-back-pain"), reason("urinary-retention")]))
    old = fact("urinary-retention", 400, ref="Condition/r")
    check(SUSPECTED, LONG, old, order=order(reason_references=("Condition/r",)))
    here = fact("urinary-retention", 400, encounter="Encounter/7")
    check(SUSPECTED, LONG, here, encounter="Encounter/7")
    check(NONE, LONG, here, encounter="Encounter/8")
    check(NONE, LONG, fact("urinary-retention", 400))


def test_retention_for_two_years_and_worse_for_three_days_is_suspected_and_its_harmless_twin_is_not():
    stable = fact("urinary-retention", 730)
    found = check(NONE, LONG, stable)
    assert (len(found.considered), found.notes) == (1, ("stable-longer-than-episode",))
    check(SUSPECTED, LONG, stable, seen("urinary-retention", 3, course="worsening"))
    check(SUSPECTED, LONG, fact("urinary-retention", 730, course="worsening"))  # worse, on an unknown day
    check(NONE, LONG, stable, seen("urinary-retention", 100, course="worsening"))


def test_resolved_features_are_no_current_symptoms():
    check(NONE, LONG, past("urinary-retention", 60, ended=ago(40)))
    check(NONE, LONG, past("cauda-equina-syndrome", 2000))
    check(NONE, LONG, past("urinary-retention"))
    check(SUSPECTED, LONG, past("urinary-retention", 5, ended=ago(2)))


def test_sexual_dysfunction_counts_only_with_back_or_leg_pain():
    found = check(NONE, fact("sexual-dysfunction", 3), order=order())
    assert len(found.considered) == 1
    check(SUSPECTED, fact("sexual-dysfunction", 3), order=order([reason("sciatica")]))
    check(SUSPECTED, fact("sexual-dysfunction", 3), fact("lower-limb-pain", 30), order=order())


def test_where_the_episode_is_unknown_an_older_lone_feature_is_possible_until_it_is_clearly_old():
    check(POSSIBLE, fact("urinary-retention", 180))
    check(NONE, fact("urinary-retention", 181))


# --- both legs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        ([fact("sciatica", 30, side="left")], NONE),
        ([fact("sciatica", 30, side="left"), fact("sciatica", 3, side="right")], SUSPECTED),
        ([fact("sciatica", 700, side="left"), fact("sciatica", 14, side="right")], SUSPECTED),  # newly bilateral
        ([fact("sciatica", 700, side="left"), fact("sciatica", 600, side="right")], NONE),
        (
            [fact("sciatica", 60, side="left"), fact("sciatica", 60, side="right")],
            NONE,
        ),  # long-standing, longer episode
        ([fact("sciatica", None, side="left"), fact("sciatica", None, side="right")], POSSIBLE),
        ([fact("sciatica", 3, side="bilateral")], SUSPECTED),
        ([past("sciatica", 60, side="left"), fact("sciatica", 3, side="right")], NONE),
        ([seen("straight-leg-raise", 3, side="left"), seen("straight-leg-raise", 3, side="right")], SUSPECTED),
        ([strength(4, 3, side="left"), strength(4, 3, side="right")], SUSPECTED),
        ([strength(4, 3, side="left"), strength(5, 3, side="right")], NONE),
        ([fact("sciatica", 3, side="left"), strength(4, 3, side="right")], SUSPECTED),
        ([fact("paraparesis", 3)], SUSPECTED),
        ([fact("paraparesis", 3000)], NONE),
    ],
)
def test_radiculopathy_or_weakness_of_both_legs_counts_from_the_second_leg_on(facts, level):
    found = check(level, LONG, *facts)
    assert ("bilateral" in found.marks) is (level != NONE)


def test_a_sign_of_another_kind_does_not_make_the_second_leg_older():
    legs = [fact("sciatica", 700, side="left"), fact("sciatica", 5, side="right")]
    check(SUSPECTED, LONG, *legs)
    check(SUSPECTED, LONG, *legs, strength(4, 60, side="right"))
    check(NONE, LONG, *legs, fact("sciatica", 60, side="right", ref="Condition/earlier"))  # the same problem, earlier


def test_an_entry_that_names_both_legs_weighs_by_itself():
    old = [fact("sciatica", 700, side="left"), fact("sciatica", 600, side="right")]
    check(NONE, LONG, *old)
    check(SUSPECTED, LONG, *old, seen("bilateral-sciatica", 5))


def test_both_legs_named_by_this_encounter_count_and_one_leg_alone_does_not():
    left = fact("sciatica", 700, side="left", encounter="Encounter/7")
    right = fact("sciatica", 600, side="right", encounter="Encounter/7")
    check(SUSPECTED, LONG, left, right, encounter="Encounter/7")
    check(NONE, LONG, left, fact("sciatica", 600, side="right"), encounter="Encounter/7")
    one_leg = order([reason("sciatica", side="left")])
    check(NONE, LONG, left, fact("sciatica", 600, side="right"), order=one_leg)
    check(POSSIBLE, LONG, fact("sciatica", 600, side="right"), order=one_leg)  # since when the left leg is not said


def test_weakness_of_both_legs_without_a_date_is_at_least_a_possible():
    found = check(POSSIBLE, LONG, strength(4, None, side="left"), strength(4, None, side="right"))
    assert all("date uncertain" in each.marks for each in found.because)


def test_both_legs_in_a_short_episode_count():
    check(SUSPECTED, SHORT, fact("sciatica", 84, side="left"), fact("sciatica", 60, side="right"))


# --- what never cancels, what answers --------------------------------------------------------------------------------


def test_a_normal_rectal_examination_or_bladder_scan_never_cancels_and_is_shown():
    exam = seen("rectal-examination-normal", 0, ref="Observation/pr")
    scan = seen("post-void-residual", 0, ref="Observation/pvr", value=20.0, present=False)
    found = check(SUSPECTED, LONG, fact("saddle-anaesthesia", 1), exam, scan)
    assert set(references(found.against)) == {"Observation/pr", "Observation/pvr"}
    alone = check(NONE, LONG, exam)
    assert alone.presumed is True  # it does not answer the question either


def test_a_number_beside_a_normal_rectal_examination_is_no_residual_of_the_bladder():
    exam = seen("rectal-examination-normal", 0, ref="Observation/pr", value=200.0)
    found = check(SUSPECTED, LONG, fact("saddle-anaesthesia", 1), exam)
    assert references(found.against) == ["Observation/pr"]
    assert check(NONE, LONG, exam).presumed is True


def test_a_newer_denial_of_a_feature_does_not_undo_it_and_both_are_shown():
    found = check(SUSPECTED, LONG, fact("saddle-anaesthesia", 5), absent("saddle-anaesthesia", 0, ref="Observation/no"))
    assert references(found.against) == ["Observation/no"]


@pytest.mark.parametrize(
    ("facts", "presumed"),
    [
        ([], True),
        ([absent("cauda-equina-features", 0)], False),
        ([absent("cauda-equina-features", 200)], True),  # asked in another episode
        ([fact("cauda-equina-syndrome", 3, present=False)], False),  # refuted
        ([absent("urinary-retention", 3)], True),  # one feature absent is not "asked and absent"
        ([absent("urinary-retention", 3), absent("faecal-incontinence", 3)], True),
        ([absent("urinary-retention", 3), absent("faecal-incontinence", 3), absent("saddle-anaesthesia", 3)], False),
    ],
)
def test_a_documented_no_needs_the_whole_question(facts, presumed):
    assert check(NONE, LONG, *facts).presumed is presumed


def test_the_answers_new_or_worse_settle_a_possible():
    lone = fact("urinary-incontinence", 40)
    yes = order([reason("low-back-pain"), reason("new-or-worse-yes")])
    no = order([reason("low-back-pain"), reason("new-or-worse-no")])
    assert "statement" in check(SUSPECTED, LONG, lone, order=yes).marks
    settled = check(NONE, LONG, lone, order=no)
    assert (settled.presumed, settled.notes) == (False, ("stated-not-new",))
    check(SUSPECTED, LONG, fact("urinary-incontinence", 700), order=yes)
    check(SUSPECTED, LONG, fact("saddle-anaesthesia", 3), order=no)  # nothing talks a strong feature away
    check(NONE, LONG, order=yes)  # there is no feature that could be new


def test_windows_are_parameters():
    lone = fact("urinary-retention", 20)
    check(POSSIBLE, LONG, lone)
    check(SUSPECTED, LONG, lone, changed={"cauda_equina_window_days": 20})
    check(SUSPECTED, LONG, lone, changed={"cauda_equina_episode_days": 85})


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        ((LONG, fact("myelopathy", None)), POSSIBLE),
        ((LONG, reason("myelopathy")), POSSIBLE),  # naming it on the order does not make it new
        ((LONG, fact("myelopathy", 3)), SUSPECTED),
        ((LONG, fact("myelopathy", 60)), POSSIBLE),
        ((LONG, fact("myelopathy", 900)), NONE),
        ((LONG, fact("myelopathy", 900, course="worsening")), SUSPECTED),
    ],
)
def test_a_cord_that_may_be_compressed_is_never_waved_through(facts, level):
    check(level, *facts)
