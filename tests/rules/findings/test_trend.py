"""Improving, unchanged or worse: by serial scores from the minimal important change on, or a stated course."""

import pytest

from rules.finding import Answer
from tests.rules.findings.builders import (
    BACK_PAIN,
    absent,
    answers,
    fact,
    month,
    order,
    pain,
    reason,
    references,
    seen,
)


def trend(*facts, **more):
    found = answers(BACK_PAIN, *facts, **more).trend
    assert found.answer is (Answer.YES if found.level else Answer.UNKNOWN)
    assert found.presumed is False
    return found


def odi(score, began):
    return seen("oswestry-disability-index", began, value=score)


def peg(score, began):
    return seen("function-score", began, value=score, site="peg")


def promis(score, began):
    return seen("function-score", began, value=score, site="promis-physical-function")


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        ([], ""),
        ([pain(6, 1)], ""),
        ([pain(8, 20), pain(6, 1)], "improving"),
        ([pain(8, 20), pain(6.1, 1)], "unchanged"),
        ([pain(6, 20), pain(8, 1)], "worse"),
        ([pain(6, 20), pain(7.9, 1)], "unchanged"),
        ([pain(6, 20), pain(6, 1)], "unchanged"),
        # two to six weeks apart
        ([pain(8, 13), pain(5, 0)], ""),
        ([pain(8, 14), pain(5, 0)], "improving"),
        ([pain(8, 42), pain(5, 0)], "improving"),
        ([pain(8, 43), pain(5, 0)], ""),
        # the latest is of the last six weeks
        ([pain(8, 60), pain(5, 42)], "improving"),
        ([pain(8, 61), pain(5, 43)], ""),
        # scales are not mixed
        ([pain(8, 20), pain(50, 1, "vas")], ""),
        ([pain(80, 20, "vas"), pain(65, 1, "vas")], "improving"),
        ([pain(80, 20, "vas"), pain(66, 1, "vas")], "unchanged"),
        ([odi(40, 20), odi(30, 1)], "improving"),
        ([odi(40, 20), odi(31, 1)], "unchanged"),
        ([odi(30, 20), odi(40, 1)], "worse"),
        ([peg(7, 20), peg(5.25, 1)], "improving"),
        ([peg(7, 20), peg(5.3, 1)], "unchanged"),
        ([promis(40, 20), promis(43.6, 1)], "improving"),  # a higher score is better
        ([promis(40, 20), promis(36.4, 1)], "worse"),
        ([seen("function-score", 20, value=4.0, site="other"), seen("function-score", 1, value=9.0, site="other")], ""),
        # several before
        ([pain(8, 40), pain(7, 25), pain(6, 0)], "improving"),  # against the oldest
        ([pain(8, 40), pain(3, 20), pain(5, 0)], "worse"),  # a relapse outweighs
        # several on one day: the worst
        ([pain(8, 20), pain(5, 1), pain(7, 1)], "unchanged"),
        # undated, partial
        ([pain(8, 20), seen("pain-score", None, value=3.0, site="nrs")], ""),
        ([seen("pain-score", month(2026, 10), value=8.0, site="nrs"), pain(3, 1)], ""),
        # measures together: any worsening outweighs
        ([pain(8, 20), pain(5, 1), odi(30, 20), odi(45, 1)], "worse"),
        ([pain(8, 20), pain(5, 1), odi(30, 20), odi(31, 1)], "improving"),
        # as stated
        ([seen("course-improving", 3, course="improving")], "improving"),
        ([seen("course-unchanged", 3, course="unchanged")], "unchanged"),
        ([seen("course-worsening", 42, course="worsening")], "worse"),
        ([seen("course-worsening", 43, course="worsening")], ""),
        ([seen("course-worsening", None, course="worsening")], ""),
        ([absent("course-worsening", 3, course="worsening")], ""),
        (
            [seen("course-worsening", 20, course="worsening"), seen("course-improving", 3, course="improving")],
            "improving",
        ),
        ([fact("sciatica", 10, course="worsening")], "worse"),
        ([seen("course-worsening", 3)], "worse"),
    ],
)
def test_the_trend(facts, level):
    assert trend(*facts).level == level
    assert trend(*reversed(facts), *facts) == trend(*facts)


def test_a_course_in_the_orders_reason_is_of_today():
    assert trend(order=order([reason("low-back-pain", course="worsening")])).level == "worse"


def test_where_the_number_comes_from_is_noted_and_disagreement_is_said():
    found = trend(pain(8, 20), pain(5, 1), odi(30, 20), odi(45, 1))
    assert found.notes == ("measures-disagree", "minimal-important-change-ostelo-2008")
    assert set(found.marks) == {"nrs", "oswestry"}
    assert len(found.because) == 2
    assert len(found.against) == 2
    assert trend(peg(7, 20), peg(5, 1)).notes == ("minimal-important-change-peg-reed-2024",)
    assert trend(promis(40, 20), promis(44, 1)).notes == ("minimal-important-change-promis-29",)
    assert set(trend(pain(80, 20, "vas"), pain(60, 1, "vas")).marks) == {"vas"}
    assert set(trend(seen("course-improving", 3, course="improving")).marks) == {"coded"}


def test_the_two_scores_that_were_compared_are_the_evidence():
    found = trend(pain(8, 40), pain(7, 25), pain(6, 0))
    assert references(found.because) == [
        "Observation/pain-score-nrs-8-2026-10-16",
        "Observation/pain-score-nrs-6-2026-11-25",
    ]


@pytest.mark.parametrize(
    ("name", "value", "facts"),
    [
        ("trend_change_nrs", 3.0, [pain(8, 20), pain(6, 1)]),
        ("trend_change_vas_mm", 16.0, [pain(80, 20, "vas"), pain(65, 1, "vas")]),
        ("trend_change_oswestry", 11.0, [odi(40, 20), odi(30, 1)]),
        ("trend_change_peg", 2.0, [peg(7, 20), peg(5.25, 1)]),
        ("trend_change_promis_physical_function", 4.0, [promis(40, 20), promis(43.6, 1)]),
        ("trend_min_days", 15, [pain(8, 14), pain(5, 0)]),
        ("trend_max_days", 41, [pain(8, 42), pain(5, 0)]),
    ],
)
def test_each_number_is_a_parameter(name, value, facts):
    assert trend(*facts).level == "improving"
    assert trend(*facts, changed={name: value}).level != "improving"
