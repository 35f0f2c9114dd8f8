"""Advice that the same clinician overrode on the same facts: one line, except where silence could hurt."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cards import Answer, cards_for
from cards.rendering import Advised, Overridden
from rules.recommendation import Recommendation, Situation
from tests.cards.builders import CALL, DEFAULT, GUIDELINES, TERMINOLOGY, a_draft, advise, an_order, cards
from tests.cards.situations import situations

CASES = situations()
TEN_O_FIVE = Overridden("10:05", "18:05", "planned-procedure")
LOUD = (Situation.EMERGENCY, Situation.IMMEDIATE, Situation.POSSIBLE_CAUDA_EQUINA, Situation.APPROPRIATE)


def again(*advice: Recommendation, overridden: Overridden | None = TEN_O_FIVE) -> Answer:
    """The answer where all of this advice was overridden before."""
    told = [Advised(each, a_draft(each.order), overridden) for each in advice]
    return cards_for(told, CALL, DEFAULT, TERMINOLOGY, GUIDELINES)


@pytest.mark.parametrize("name", CASES)
def test_overridden_advice_is_one_info_line_unless_it_is_critical_or_may_be_an_emergency(name: str) -> None:
    advice = CASES[name]
    before, now = cards(advice), again(advice)
    if not before.cards:
        assert now == before
        return
    (was,), (card,) = before.cards, now.cards
    if was.indicator == "critical" or _situation(advice) in LOUD:
        assert now == before
        return
    assert card.indicator == "info"
    assert (card.suggestions, card.links, card.override_reasons) == ((), (), ())
    assert "10:05" in card.summary
    assert "A procedure is planned" in card.detail
    assert "18:05" in card.detail
    assert len(card.detail.split("\n\n")) == 2
    assert card.uuid == was.uuid
    assert card.source == was.source


@pytest.mark.parametrize("name", CASES)
def test_the_rating_is_written_on_the_order_all_the_same(name: str) -> None:
    assert again(CASES[name]).system_actions == cards(CASES[name]).system_actions


def test_a_critical_card_is_said_in_full_however_often_it_is_overridden() -> None:
    critical = [advice for advice in CASES.values() if any(c.indicator == "critical" for c in cards(advice).cards)]
    assert len(critical) >= 8
    for advice in critical:
        assert again(advice) == cards(advice)


def test_a_reason_that_is_not_ours_is_not_repeated_on_a_card() -> None:
    (card,) = again(
        CASES["not_appropriate_red_flags_not_recorded"], overridden=Overridden("10:05", "18:05", "Jane <b>Roe</b>")
    ).cards
    assert "Roe" not in card.detail
    assert "Overridden at 10:05. " in card.detail


def test_what_was_overridden_stands_below_what_was_not() -> None:
    first = CASES["not_appropriate_red_flags_not_recorded"]
    second = replace(first, order=replace(first.order, reference="ServiceRequest/mri-2"))
    told = [Advised(first, a_draft(first.order), TEN_O_FIVE), Advised(second, a_draft(second.order))]
    answer = cards_for(told, CALL, DEFAULT, TERMINOLOGY, GUIDELINES)
    assert [card.indicator for card in answer.cards] == ["warning", "info"]


def test_several_orders_past_the_third_card_count_an_overridden_one_as_a_line() -> None:
    orders = [advise(order=an_order(reference=f"ServiceRequest/{at}")) for at in range(5)]
    told = [Advised(each, a_draft(each.order), TEN_O_FIVE) for each in orders]
    answer = cards_for(told, CALL, DEFAULT, TERMINOLOGY, GUIDELINES)
    assert len(answer.cards) == 3
    assert {card.indicator for card in answer.cards} == {"info"}


def _situation(advice: Recommendation) -> Situation:
    return advice.secondary[0] if advice.situation is Situation.DEFERRED and advice.secondary else advice.situation
