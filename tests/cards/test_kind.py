"""What is worked out once for a kind of case holds nothing of a patient's and is never taken for another kind's."""

from typing import Any

import pytest
from msgspec.structs import replace

from cards import kind as kinds
from cards.ids import ids_of_call
from cards.kind import MOST_KINDS, around
from cards.profiles import PROFILES
from cards.rendering import Rendering
from cards.several import cards_of, speaking_about
from cards.speaking import Call
from cards.wording import wording
from rules.dates import DayRange
from rules.recommendation import Recommendation
from tests.cards.builders import GUIDELINES, TERMINOLOGY, adequate_care, advise, advised, answers, cards, entry
from tests.cards.builders import yes as a_yes
from tests.cards.situations import situations

SITUATIONS = situations()


@pytest.fixture(autouse=True)
def nothing_known():
    kinds._kinds.clear()


def said_of(recommendation: Recommendation, **changed: Any) -> str:
    """The answer in a call with other contents."""
    usual: dict[str, Any] = {
        "rendering": Rendering(),
        "terminology": TERMINOLOGY,
        "guidelines": GUIDELINES,
        "wording": wording(),
    }
    call = Call(ids=ids_of_call("c", "s", "h", "b"), day="2026-11-25", **{**usual, **changed})
    return repr(cards_of(speaking_about([advised(recommendation)], call)))


def test_nothing_of_a_patient_is_kept():
    found = (
        a_yes("cancer", entry("Zebrafish tumour", "1987-03-04", "Condition/zebra-1"), level="active"),
        a_yes("prior_surgery", entry("Zebrafish operation", "1988-05-06", "Procedure/zebra-2")),
        a_yes("radiculopathy", entry("Zebrafish leg", "1989-07-08", "Condition/zebra-3")),
        replace(adequate_care(), because=(entry("Zebrafish exercise", "1990-09-10", "Procedure/zebra-4"),)),
        replace(a_yes("trend"), because=(entry("Zebrafish better", "1991-11-12", "Observation/zebra-5"),)),
    )
    days = DayRange(37, 37)
    for finding in found:
        for profile in PROFILES.values():
            cards(advise(answers(days, **{finding.name: finding})), rendering=Rendering(profile=profile))
    for recommendation in SITUATIONS.values():
        cards(recommendation)
    texts = [evidence.says for evidence in _evidence(SITUATIONS.values())]
    kept = repr([_without_contents(kind) for kind in kinds._kinds.values()])
    assert kept
    for trace in ("Zebra", "zebra", "1987-", "1990-", "5 weeks", "2026-", "ServiceRequest", "Patient/", *texts):
        assert trace not in kept, trace


def _evidence(recommendations):
    for each in recommendations:
        findings = each.findings
        for name in ("cancer", "weakness", "radiculopathy", "conservative_care", "prior_imaging", "candidate"):
            yield from getattr(findings, name).because


def _without_contents(kind: kinds.Kind) -> list[object]:
    contents = {"wording", "profile", "terminology", "guidelines"}
    return [getattr(kind, name) for name in kind.__struct_fields__ if name not in contents]


@pytest.mark.parametrize("name", sorted(SITUATIONS))
def test_a_case_of_a_known_kind_reads_as_one_of_a_kind_not_met_before(name):
    first = said_of(SITUATIONS[name])
    assert said_of(SITUATIONS[name]) == first
    kinds._kinds.clear()
    assert said_of(SITUATIONS[name]) == first


def test_another_wording_is_never_answered_in_the_words_of_the_first():
    other = replace(wording(), detail={**wording().detail, "agree": "All of one mind.", "no-conflict": "No quarrel."})
    recommendation = SITUATIONS["not_appropriate_red_flags_not_recorded"]
    first = said_of(recommendation)
    assert ("All of one mind." in first, "No quarrel." in first) == (False, False)
    assert first != said_of(recommendation, wording=other)
    assert first == said_of(recommendation)


def test_other_guidelines_are_never_answered_for_by_the_first():
    other = replace(GUIDELINES, acp_rows=tuple(replace(row, modality=("scan",)) for row in GUIDELINES.acp_rows))
    differ = 0
    for recommendation in SITUATIONS.values():
        afresh = said_of(recommendation, guidelines=other)
        kinds._kinds.clear()
        first = said_of(recommendation)
        assert said_of(recommendation, guidelines=other) == afresh
        assert said_of(recommendation) == first
        differ += first != afresh
    assert differ


def test_advice_that_shares_parts_with_other_advice_has_its_own_words():
    wait = SITUATIONS["not_appropriate_red_flags_not_recorded"]
    strict = replace(wait, may_defer=False)
    robust = replace(wait, robust=not wait.robust, would_change=())
    apart = [said_of(each) for each in (wait, strict, robust)]
    together = []
    for each in (wait, strict, robust):
        kinds._kinds.clear()
        together.append(said_of(each))
    assert apart == together
    assert len(set(apart)) == 3


def test_no_more_kinds_are_kept_than_set(monkeypatch):
    assert MOST_KINDS == 1024
    monkeypatch.setattr(kinds, "MOST_KINDS", 3)
    for recommendation in SITUATIONS.values():
        said_of(recommendation)
        assert len(kinds._kinds) <= 3


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("Kept on {day}: {why}.", "Kept on today: pain {day}."),
        ("{day}", "today"),
        ("{day} and {day}", "today and today"),
        ("Nothing at all", "Nothing at all"),
    ],
)
def test_a_value_is_put_in_once_and_never_read_as_a_template(template, said):
    assert "today".join(around("day", template, {"why": "pain {day}"})) == said


def test_two_patients_of_one_kind_share_its_words_and_nothing_else():
    one, other = (
        advise(answers(21, cancer=a_yes("cancer", entry(says, "2019-01-01", f"Condition/{says}"), level="history")))
        for says in ("Cancer of the colon", "Cancer of the breast")
    )
    (first,) = cards(one).cards
    (second,) = cards(other).cards
    assert len(kinds._kinds) == 1
    assert first.summary == second.summary
    assert first.detail.replace("colon", "breast") == second.detail
    assert "colon" not in second.detail
