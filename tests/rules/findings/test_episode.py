"""Which episode is the current one, and since when."""

from datetime import date

import pytest

from rules.dates import DateInterval, DayRange
from rules.facts import FactKind
from tests.rules.findings.builders import (
    absent,
    ago,
    answers,
    done,
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


def episode(*facts, **more):
    return answers(*facts, **more).episode


def days(*facts, **more):
    found = episode(*facts, **more).days
    return None if found is None else (found.shortest, found.longest)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], None),
        ([fact("low-back-pain", 21)], (21, 21)),
        ([fact("low-back-pain")], None),  # undated: no duration
        ([fact("low-back-pain", recorded(21))], (21, None)),  # recorded only: at least since
        ([past("low-back-pain", 90, ended=ago(60)), fact("sciatica", 21)], (90, 90)),
        ([fact("low-back-pain", 21), fact("hypertension", 400)], (21, 21)),
        ([fact("low-back-pain", 21, present=False)], None),
        ([pain(6, 21)], (21, None)),  # a score says "at least since"
        ([pain(0, 21)], None),  # no pain
        ([done("physical-therapy", 30), fact("low-back-pain", 21)], (30, None)),
        ([fact("low-back-pain", 30), done("physical-therapy", 21)], (30, 30)),
        ([fact("physical-therapy", 30, FactKind.REQUEST, state="planned"), fact("low-back-pain", 21)], (21, 21)),
        ([fact("low-back-pain", month(2026, 10))], (25, 55)),  # 1 to 31 October, seen from 25 November
        ([fact("low-back-pain", month(2026, 10)), done("physical-therapy", ago(40))], (40, 55)),
    ],
)
def test_low_back_diagnoses_therapy_and_scores_date_the_episode(facts, expected):
    assert days(*facts) == expected


@pytest.mark.parametrize(
    ("gap", "expected"),
    [(179, (199, 199)), (180, (200, 200)), (181, (20, 20))],
)
def test_a_gap_of_over_180_days_starts_a_new_episode_even_if_the_old_problem_was_never_closed(gap, expected):
    assert days(fact("low-back-pain", 20 + gap), fact("sciatica", 20)) == expected


@pytest.mark.parametrize(("last", "known"), [(179, True), (180, True), (181, False)])
def test_after_180_silent_days_todays_pain_is_an_episode_of_unknown_start(last, known):
    found = episode(fact("low-back-pain", last))
    assert (found.days is not None) is known
    assert (found.earlier_episodes == ()) is known


def test_what_is_dated_today_is_of_todays_episode_even_where_its_start_is_unknown():
    assert answers(seen("conservative-care-done-yes", 0)).conservative_care.level == "adequate"
    assert answers(seen("conservative-care-done-yes", 1)).conservative_care.level == "none"


def test_entries_in_between_bridge_a_gap():
    assert days(fact("low-back-pain", 330), pain(5, 170), fact("sciatica", 5)) == (330, 330)


def test_a_closed_problem_lasts_until_its_end():
    assert days(past("low-back-pain", 400, ended=ago(100))) == (400, 400)
    assert days(past("low-back-pain", 400, ended=ago(190)), fact("sciatica", 5)) == (5, 5)


def test_a_partial_date_that_may_bridge_the_gap_bridges_it():
    # 181 days before 25 November is 28 May: "2026-05" may be closer than that or not.
    assert days(fact("low-back-pain", month(2026, 5)), fact("sciatica", 5)) == (178, 208)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (seen("symptom-duration", 0, value=21.0), (21, 21)),
        (seen("symptom-duration", 10, value=21.0), (31, 31)),
        (seen("symptom-duration", month(2026, 11), value=21.0), (21, 45)),
        (reason("symptom-duration", value=42.0), (42, 42)),
        (seen("symptom-onset", 33), (33, 33)),
        (seen("symptom-duration", 181, value=21.0), (300, 300)),  # said of another episode
        (absent("symptom-duration", 0, value=21.0), (300, 300)),
    ],
)
def test_a_stated_onset_overrides_what_the_entries_say(stated, expected):
    reasons = [stated] if stated.kind is FactKind.REASON else []
    facts = [] if reasons else [stated]
    chain = [fact("low-back-pain", 300), pain(5, 150), pain(5, 1)]
    assert days(*chain, *facts, order=order([reason("low-back-pain"), *reasons])) == expected


def test_the_newest_statement_counts():
    first, second = seen("symptom-duration", 10, value=100.0), seen("symptom-duration", 1, value=14.0)
    assert days(first, second) == days(second, first) == (15, 15)


def test_the_episode_is_the_one_that_the_orders_reason_points_to():
    old, new = fact("lumbar-radiculopathy", 240, ref="Condition/old"), fact("low-back-pain", 20)
    assert days(old, new) == (20, 20)
    pointed = order(reason_references=("Condition/old",))
    assert days(old, new, order=pointed) == (240, 240)
    assert references(episode(old, new, order=pointed).because) == ["Condition/old"]


def test_a_pointed_problem_without_an_onset_carries_its_own_chain():
    old = fact("low-back-pain", recorded(240), ref="Condition/old")
    pointed = order(reason_references=("Condition/old",))
    assert days(old, order=pointed) == (240, None)
    assert days(old, pain(5, 300), order=pointed) == (300, None)


def test_a_future_onset_is_no_onset():
    future = DateInterval(date(2027, 1, 1), date(2027, 1, 1))
    assert (
        days(fact("low-back-pain", future, ref="Condition/1"), order=order(reason_references=("Condition/1",))) is None
    )


def test_the_episode_shows_what_dates_it_and_what_came_before():
    found = episode(
        fact("low-back-pain", 500, ref="Condition/old"), fact("sciatica", 30, ref="Condition/new"), pain(5, 3)
    )
    assert references(found.because) == ["Condition/new"]
    assert references(found.earlier_episodes) == ["Condition/old"]
    assert found.began == ago(30)
    assert found.days == DayRange(30, 30)


def test_the_gap_is_a_parameter():
    facts = [fact("low-back-pain", 220), fact("sciatica", 20)]
    assert days(*facts) == (20, 20)
    assert days(*facts, changed={"episode_gap_days": 200}) == (220, 220)
