"""Weakness: per muscle and side, in this episode; what is older and stable or otherwise explained is only named."""

import pytest

from rules.facts import FactKind
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
    recorded,
    references,
    seen,
    strength,
    year,
)

DF, GT, PF, KE, HF = (
    "ankle-dorsiflexion", "great-toe-extension", "ankle-plantarflexion", "knee-extension", "hip-flexion",
)  # fmt: skip
LONG = fact("low-back-pain", 100)  # an episode that holds all the examinations below


def weakness(*facts, **more):
    return answers(LONG, *facts, **more).weakness


@pytest.mark.parametrize(
    ("grades", "level", "marks"),
    [
        ([], "none", set()),
        ([(5, 3)], "none", set()),
        ([(4, 3)], "mild", {"new"}),
        ([(3, 3)], "severe", {"new"}),
        ([(0, 3)], "severe", {"new"}),
        ([(5, 20), (4, 3)], "worsening", set()),  # by any step
        ([(4, 20), (3, 3)], "worsening", set()),
        ([(5, 20), (3, 3)], "worsening", set()),
        ([(4, 20), (4, 3)], "mild", set()),  # a second dated examination: stable
        ([(3, 20), (3, 3)], "severe", set()),
        ([(5, 30), (3, 20), (4, 3)], "mild", {"recovering"}),  # graded by the latest
        ([(5, 30), (2, 20), (3, 3)], "severe", {"recovering"}),
        ([(5, 30), (3, 20), (5, 3)], "none", set()),
        ([(3, 20), (5, 3)], "none", set()),
        ([(5, 30), (4, 20), (4, 3)], "mild", set()),
        ([(4, 30), (5, 20), (4, 3)], "worsening", set()),
        ([(4, 3), (5, 3)], "mild", {"new"}),  # several on one day: the lowest
        ([(5, 20), (4, 20), (4, 3)], "mild", set()),
        ([(4, 20), (5, 3), (4, 3)], "mild", set()),
        ([(5, 20), (5, 3), (4, 3)], "worsening", set()),
        ([(4, None)], "mild", {"new"}),  # undated: counts
        ([(5, 3), (4, None)], "mild", set()),
        ([(4, month(2026, 11)), (5, 3)], "mild", {"new"}),  # not to be told apart: taken together, at the lowest
        ([(5, month(2026, 10)), (4, 3)], "worsening", set()),
    ],
)
def test_one_muscle_and_side_is_graded_by_its_course(grades, level, marks):
    found = weakness(*(strength(grade, when) for grade, when in grades))
    assert (found.level, set(found.marks)) == (level, marks)
    assert found.answer is (Answer.NO if level == "none" else Answer.YES)


def test_four_plus_and_four_minus_arrive_as_four_and_are_mild():
    assert weakness(strength(4, 3)).level == "mild"


def test_silence_is_presumed_and_a_normal_grade_is_not():
    silent, normal = weakness(), weakness(strength(5, 3))
    assert (silent.level, silent.presumed, silent.because) == ("none", True, ())
    assert (normal.level, normal.presumed, len(normal.because)) == ("none", False, 1)


@pytest.mark.parametrize("concept", ["lower-limb-strength-normal", "neuro-exam-normal"])
def test_a_normal_examination_of_this_episode_is_a_documented_no(concept):
    assert weakness(seen(concept, 3)).presumed is False
    assert weakness(seen(concept, 300)).presumed is True


def test_different_muscles_and_sides_are_never_compared():
    mixed = weakness(strength(5, 20, DF, "left"), strength(4, 3, DF, "right"))
    assert (mixed.level, set(mixed.marks)) == ("mild", {"new"})
    mixed = weakness(strength(5, 20, DF), strength(4, 3, GT))
    assert (mixed.level, set(mixed.marks)) == ("mild", {"new"})


@pytest.mark.parametrize(
    ("muscles", "marks"),
    [
        ([(DF, "left"), (GT, "left")], set()),  # L5
        ([(KE, "left"), (DF, "left")], set()),  # L4
        ([(GT, "left"), (PF, "left")], {"multilevel"}),
        ([(HF, "left"), (DF, "left")], {"multilevel"}),
        ([(DF, "left"), (DF, "right")], {"multilevel", "bilateral"}),
        ([(GT, "left"), (PF, "right")], {"multilevel", "bilateral"}),
        ([(DF, "bilateral")], {"multilevel", "bilateral"}),
        ([(GT, ""), (PF, "")], {"multilevel"}),
        ([(GT, "left"), (PF, "")], {"multilevel"}),  # on whichever side it is, no single root explains it
        ([(DF, "left"), (GT, "")], set()),
    ],
)
def test_several_levels_are_told_by_the_root_table_or_by_both_legs(muscles, marks):
    found = weakness(*(strength(4, 3, site, side) for site, side in muscles))
    assert set(found.marks) - {"new"} == marks
    assert found.level == "mild"


def test_a_muscle_of_normal_strength_adds_no_level_and_says_nothing_against_another():
    found = weakness(strength(4, 3, GT), strength(5, 3, PF), strength(5, 3, DF, "right"))
    assert set(found.marks) == {"new"}
    assert found.against == ()


@pytest.mark.parametrize(
    ("facts", "level", "marks"),
    [
        ([fact("foot-drop", 3)], "severe", {"foot-drop"}),
        ([fact("foot-drop", 3, suspected=True)], "severe", {"foot-drop"}),
        ([fact("foot-drop")], "severe", {"foot-drop"}),
        ([fact("foot-drop", 3, present=False)], "none", set()),
        ([past("foot-drop", 60)], "none", set()),  # resolved: not a current symptom
        ([fact("lower-limb-weakness", 3, side="left")], "mild", {"new"}),
        ([fact("lower-limb-weakness", 3, side="left", course="worsening")], "worsening", {"new"}),
        ([fact("lower-limb-paralysis", 3)], "severe", set()),
        ([fact("paraparesis", 3)], "severe", {"bilateral", "multilevel"}),
        ([seen("heel-walk-unable", 3)], "mild", {"new"}),
        ([seen("heel-walk-unable", 3), seen("toe-walk-unable", 3)], "mild", {"new", "multilevel"}),
        ([seen("progressive-weakness", 3)], "worsening", set()),
        ([seen("progressive-weakness")], "worsening", set()),
        ([absent("progressive-weakness", 3)], "none", set()),
        ([seen("weakness-features", 3)], "mild", {"new"}),
        ([absent("weakness-features", 3)], "none", set()),
        ([strength(4, 3), fact("foot-drop", 3, side="left")], "severe", {"new", "foot-drop"}),
        ([fact("foot-drop", 3, side="left"), fact("lower-limb-weakness", 3, side="right")], "severe",
         {"foot-drop", "new", "bilateral", "multilevel"}),
        ([seen("weakness-unspecified", 3)], "none", set()),  # proves no deficit of a leg
    ],
)  # fmt: skip
def test_coded_weakness_counts_without_a_grade(facts, level, marks):
    found = weakness(*facts)
    assert (found.level, set(found.marks)) == (level, marks)


# --- older and stable ------------------------------------------------------------------------------------------------


def test_a_foot_drop_since_2015_is_named_and_not_counted():
    found = answers(BACK_PAIN, fact("foot-drop", year(2015))).weakness
    assert (found.answer, found.level, len(found.considered)) == (Answer.NO, "none", 1)
    assert found.notes == ("older-and-stable",)
    alone = answers(fact("foot-drop", year(2015))).weakness  # and also where no episode is dated
    assert (alone.level, len(alone.considered)) == ("none", 1)


@pytest.mark.parametrize(("when", "level"), [(180, "severe"), (181, "none"), (recorded(400), "none")])
def test_older_means_before_the_episode_and_over_180_days_ago(when, level):
    assert answers(BACK_PAIN, fact("foot-drop", when)).weakness.level == level


def test_progression_and_several_grades_of_an_earlier_episode_are_named():
    found = answers(BACK_PAIN, seen("progressive-weakness", 700)).weakness
    assert (found.level, len(found.considered)) == ("none", 1)
    found = answers(BACK_PAIN, strength(5, 900), strength(4, 800), strength(4, 700)).weakness
    assert (found.level, len(found.considered), found.notes) == ("none", 1, ("older-and-stable",))
    assert answers(BACK_PAIN, strength(4, 900), strength(5, 800)).weakness.presumed is True


def test_within_a_long_episode_nothing_is_older():
    chronic = [fact("low-back-pain", 600), seen("pain-score", 450, value=5.0), seen("pain-score", 300, value=5.0),
               seen("pain-score", 150, value=5.0)]  # fmt: skip
    assert answers(*chronic, strength(5, 500), strength(4, 3)).weakness.level == "worsening"
    assert answers(BACK_PAIN, strength(5, 500), strength(4, 3)).weakness.level == "mild"


@pytest.mark.parametrize(
    ("old", "now", "level", "considered"),
    [
        (4, 4, "none", True),  # the same as years ago: stable
        (3, 4, "none", True),  # better than years ago
        (3, 3, "none", True),
        (4, 3, "severe", False),  # worse than years ago
        (5, 4, "mild", False),
    ],
)
def test_a_grade_of_this_episode_is_measured_against_an_older_one(old, now, level, considered):
    found = answers(BACK_PAIN, strength(old, 2000), strength(now, 3)).weakness
    assert (found.level, bool(found.considered)) == (level, considered)
    assert "new" not in found.marks


def test_an_old_stable_deficit_that_gets_worse_in_this_episode_counts():
    assert answers(BACK_PAIN, strength(4, 2000), strength(4, 15), strength(3, 3)).weakness.level == "worsening"
    worse = fact("foot-drop", year(2015), course="worsening")
    assert answers(BACK_PAIN, worse).weakness.level == "worsening"


# --- explained by something else -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "weak", "level"),
    [
        (fact("stroke-old", 3000), strength(4, 3), "none"),
        (fact("poliomyelitis", 9000), strength(3, 3), "none"),
        (fact("peroneal-neuropathy", 60), fact("foot-drop", 50), "none"),
        (fact("peroneal-neuropathy", 60), strength(3, 3, DF), "none"),
        (fact("peroneal-neuropathy", 60), strength(3, 3, KE), "severe"),  # not its muscle
        (fact("peroneal-neuropathy", 60, side="right"), strength(3, 3, DF, "left"), "severe"),  # the other leg
        (fact("peroneal-neuropathy", 60, suspected=True), strength(3, 3, DF), "severe"),  # only suspected
        (fact("peroneal-neuropathy", 60, present=False), strength(3, 3, DF), "severe"),
        (fact("peroneal-neuropathy", 60), fact("lower-limb-weakness", 3), "mild"),  # which muscle is not said
        (fact("stroke-old", 3000), strength(4, 3, side="bilateral"), "mild"),  # one stroke explains one leg
        (fact("poliomyelitis", 9000, side="bilateral"), strength(4, 3, side="bilateral"), "none"),
    ],
)
def test_another_coded_cause_explains_only_what_it_can(cause, weak, level):
    found = weakness(cause, weak)
    assert found.level == level
    assert ("explained-by-another-cause" in found.notes) is (level == "none")
    assert bool(found.considered) is (level == "none")


def test_weakness_that_gets_worse_is_never_explained_away():
    assert weakness(fact("stroke-old", 3000), strength(5, 20), strength(4, 3)).level == "worsening"


# --- statements, contradictions, text --------------------------------------------------------------------------------


def test_the_clinicians_answer_that_it_is_new_or_worse_counts_today():
    stated = order([reason("low-back-pain"), reason("weakness-new-or-worse-yes")])
    assert weakness(strength(4, 20), strength(4, 3), order=stated).level == "worsening"
    assert weakness(seen("weakness-new-or-worse-yes", 0)).level == "worsening"
    assert weakness(seen("weakness-new-or-worse-yes", 30)).level == "none"  # of another day


def test_the_clinicians_answer_that_it_is_not_new_takes_the_mark_and_keeps_the_weakness():
    stated = order([reason("low-back-pain"), reason("weakness-new-or-worse-no")])
    found = weakness(strength(4, 3), order=stated)
    assert (found.level, set(found.marks), len(found.against)) == ("mild", set(), 1)
    assert weakness(order=stated).presumed is False


def test_a_newer_normal_examination_does_not_undo_a_coded_weakness_and_is_shown():
    found = weakness(fact("foot-drop", 10), seen("neuro-exam-normal", 1, ref="Observation/exam"))
    assert (found.level, references(found.against)) == ("severe", ["Observation/exam"])


def test_an_abnormal_examination_is_no_normal_one():
    assert weakness(seen("neuro-exam-normal", 1, present=False)).presumed is True


def test_what_was_read_from_text_says_so():
    from_text = fact("foot-drop", 3, marks=("from text",))
    assert "from-text" in weakness(from_text).marks


def test_undated_weakness_says_that_its_date_is_uncertain():
    assert "date uncertain" in weakness(fact("foot-drop")).because[0].marks
    named = order([reason("foot-drop")])
    assert "date uncertain" not in weakness(order=named).because[0].marks


def test_a_bilateral_grade_worsens_on_both_sides():
    found = weakness(strength(5, 20, side="bilateral"), strength(4, 3, side="bilateral"))
    assert (found.level, set(found.marks)) == ("worsening", {"bilateral", "multilevel"})


def test_a_grade_by_interpretation_worse_is_worsening():
    worse = seen("muscle-strength", 3, grade=4, site=DF, side="left", course="worsening")
    assert weakness(worse).level == "worsening"


def test_a_grade_without_a_number_says_nothing():
    assert weakness(seen("muscle-strength", 3, site=DF, side="left")).presumed is True


def test_medicines_and_requests_are_no_examination():
    assert weakness(fact("unrelated", 3)).presumed is True
    assert weakness(fact("physical-therapy", ago(1), FactKind.REQUEST, state="planned")).presumed is True
