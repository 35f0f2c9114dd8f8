"""Conservative care: documented, directed at the back, in this episode, attended; adequate after 42 days."""

import pytest

from rules.facts import FactKind
from rules.finding import Answer
from tests.rules.findings.builders import (
    absent,
    ago,
    answers,
    done,
    fact,
    month,
    order,
    pain,
    reason,
    recorded,
    references,
    seen,
    taken,
    year,
)

PAIN = fact("low-back-pain", 100)
ADEQUATE, POSSIBLE, NONE = "adequate", "possible", "none"
ANSWERS = {ADEQUATE: Answer.YES, POSSIBLE: Answer.UNKNOWN, NONE: Answer.NO}


def care(*facts, **more):
    found = answers(*facts, **more).conservative_care
    assert found.answer is ANSWERS[found.level]
    return found


@pytest.mark.parametrize(
    ("facts", "level", "marks"),
    [
        ([], NONE, set()),
        ([done("physical-therapy", 41)], POSSIBLE, {"active-therapy", "during-care"}),
        ([done("physical-therapy", 42)], ADEQUATE, {"active-therapy"}),
        ([done("physical-therapy", 43)], ADEQUATE, {"active-therapy"}),
        ([done("home-exercise-programme", 60)], ADEQUATE, {"active-therapy"}),
        ([seen("home-exercise-programme", 60)], ADEQUATE, {"active-therapy"}),
        ([fact("physical-therapy", 60, FactKind.PROCEDURE, state="ongoing")], ADEQUATE, {"active-therapy"}),
        ([taken("nsaid", 60)], POSSIBLE, set()),  # one kind, no active therapy
        ([taken("nsaid", 60), taken("nsaid", 20)], POSSIBLE, set()),
        ([taken("nsaid", 60), taken("acetaminophen", 20)], ADEQUATE, {"two-kinds"}),
        ([taken("nsaid", 60), taken("gabapentinoid", 50)], ADEQUATE, {"two-kinds"}),
        ([taken("acetaminophen", 60), taken("opioid-analgesic", 50)], POSSIBLE, set()),  # both "other analgesic"
        ([taken("tricyclic", 60), taken("snri", 50)], POSSIBLE, set()),
        ([done("chiropractic-manipulation", 60)], POSSIBLE, set()),
        ([done("chiropractic-manipulation", 60), taken("nsaid", 41)], ADEQUATE, {"two-kinds"}),
        ([done("physical-therapy", 50), taken("nsaid", 60)], ADEQUATE, {"active-therapy", "two-kinds"}),
        ([taken("nsaid", 41), taken("gabapentinoid", 30)], POSSIBLE, {"two-kinds", "during-care"}),
        # not attended, not done, not for the back
        ([fact("physical-therapy", 60, FactKind.REQUEST, state="planned")], NONE, set()),
        ([fact("physical-therapy", 60, FactKind.PROCEDURE, state="planned")], NONE, set()),
        ([fact("physical-therapy", 60, FactKind.PROCEDURE, state="not-done")], NONE, set()),
        ([done("physical-therapy", 60, stated_other_indication=True)], NONE, set()),
        ([taken("gabapentinoid", 60, stated_other_indication=True), taken("nsaid", 60)], POSSIBLE, set()),
        ([taken("nsaid", 60, present=False)], NONE, set()),
        ([fact("physical-therapy-referral", 60, FactKind.REQUEST)], NONE, set()),
        ([done("physical-therapy-evaluation", 60)], NONE, set()),  # assessed, not yet treated
        ([taken("aspirin", 60), done("acupuncture", 60)], NONE, set()),
        # before the episode
        ([done("physical-therapy", 99)], ADEQUATE, {"active-therapy"}),
        ([taken("nsaid", 101), taken("gabapentinoid", 101)], NONE, set()),
        # uncertain dates are not enough
        ([taken("nsaid"), taken("gabapentinoid")], POSSIBLE, set()),
        (
            [taken("nsaid", month(2026, 8)), taken("gabapentinoid", month(2026, 8))],
            POSSIBLE,
            set(),
        ),  # pain since 17 August
        ([done("physical-therapy", month(2026, 10))], POSSIBLE, {"active-therapy"}),  # 42 days ago is 14 October
        ([done("physical-therapy", month(2026, 9))], ADEQUATE, {"active-therapy"}),
    ],
)
def test_care_of_this_episode(facts, level, marks):
    found = care(PAIN, *facts)
    assert (found.level, set(found.marks)) == (level, marks)


def test_one_ibuprofen_prescription_in_2019_is_none():
    ibuprofen = taken("nsaid", year(2019))
    for history in ([PAIN], [fact("low-back-pain", year(2015))], [fact("low-back-pain", recorded(10))], []):
        found = care(*history, ibuprofen)
        assert found.level == NONE
        assert len(found.considered) == 1
    pointed = order(reason_references=("Condition/old",))
    assert care(fact("low-back-pain", year(2015), ref="Condition/old"), ibuprofen, order=pointed).level == NONE


def test_recent_care_without_a_dated_episode_is_possible():
    found = care(taken("nsaid", 60), taken("gabapentinoid", 60))
    assert (found.level, found.notes) == (POSSIBLE, ("date-uncertain",))
    assert "date uncertain" in found.because[0].marks


def test_therapy_dates_an_episode_by_itself():
    assert care(done("physical-therapy", 60), done("physical-therapy", 10)).level == ADEQUATE


def test_care_that_nothing_followed_for_over_180_days_is_of_another_course():
    pointed = order(reason_references=("Condition/old",))
    old = fact("low-back-pain", 900, ref="Condition/old")
    early = [done("physical-therapy", 600), done("physical-therapy", 560)]
    assert care(old, *early, order=pointed).level == NONE
    assert care(old, done("physical-therapy", 180), order=pointed).level == ADEQUATE
    assert care(old, done("physical-therapy", 600, ended=ago(180)), order=pointed).level == ADEQUATE
    supply = [taken("nsaid", 300, days_supplied=120), taken("gabapentinoid", 300, days_supplied=119)]
    assert care(old, *supply, order=pointed).level == ADEQUATE
    assert care(old, supply[1], order=pointed).level == NONE
    assert care(old, done("physical-therapy", 181), order=pointed).level == NONE


@pytest.mark.parametrize(
    ("facts", "ordered", "level"),
    [
        ([pain(6, 3)], None, ADEQUATE),
        ([pain(0, 3)], None, POSSIBLE),  # no pain any more
        ([pain(6, 30), pain(0, 3)], None, POSSIBLE),
        ([pain(0, 30), pain(4, 3)], None, ADEQUATE),
        ([], order([reason("scoliosis")]), POSSIBLE),  # not for the back any more
    ],
)
def test_adequate_needs_symptoms_that_persist(facts, ordered, level):
    more = {} if ordered is None else {"order": ordered}
    assert care(PAIN, done("physical-therapy", 60), *facts, **more).level == level


def test_the_start_is_the_first_entry():
    found = care(PAIN, taken("nsaid", 60), done("physical-therapy", 20))
    assert found.since == ago(60)
    assert len(found.because) == 2
    assert care(PAIN, taken("nsaid", 60), taken("nsaid", 90)).since == ago(90)


def test_what_is_missing_is_said():
    assert care(PAIN, taken("nsaid", 60)).notes == ("one-kind-without-active-therapy",)
    assert care(PAIN, done("physical-therapy", 60), pain(0, 1)).notes == ("symptoms-not-shown-to-persist",)


def test_silence_is_presumed():
    assert care(PAIN).presumed is True
    assert care(PAIN, taken("nsaid", 101)).presumed is True


@pytest.mark.parametrize(
    ("stated", "facts", "level"),
    [
        (reason("conservative-care-done-yes"), [], ADEQUATE),
        (reason("conservative-care-done-no"), [], NONE),
        (reason("conservative-care-done-no"), [done("physical-therapy", 60)], NONE),
        (reason("conservative-care-duration", value=42.0), [], ADEQUATE),
        (reason("conservative-care-duration", value=41.0), [], NONE),
    ],
)
def test_the_clinicians_answer_counts(stated, facts, level):
    found = care(PAIN, *facts, order=order([reason("low-back-pain"), stated]))
    assert found.level == level
    if stated.concept != "conservative-care-duration":
        assert set(found.marks) == {"stated"}
        assert found.presumed is False
    assert references(found.against) == references(f.evidence for f in facts)


def test_an_answer_as_an_observation_belongs_to_its_episode():
    assert care(PAIN, seen("conservative-care-done-yes", 30)).level == ADEQUATE
    assert care(PAIN, seen("conservative-care-done-yes", 300)).level == NONE
    assert care(PAIN, absent("conservative-care-done-yes", 3)).level == NONE


def test_forty_two_days_are_a_parameter():
    assert care(PAIN, done("physical-therapy", 42), changed={"adequate_care_days": 43}).level == POSSIBLE
