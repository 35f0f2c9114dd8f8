"""Radiculopathy: coded, a positive leg raise, or a root deficit with leg pain."""

import pytest

from rules.finding import Answer
from tests.rules.findings.builders import BACK_PAIN, absent, answers, fact, order, past, reason, seen

LEG_PAIN = fact("lower-limb-pain", 10)


def roots(*facts, **more):
    return answers(BACK_PAIN, *facts, **more).radiculopathy


@pytest.mark.parametrize(
    ("facts", "answer", "marks"),
    [
        ([], Answer.NO, set()),
        ([fact("sciatica", 10)], Answer.YES, {"coded"}),
        ([fact("lumbar-radiculopathy", 10, suspected=True)], Answer.YES, {"coded"}),
        ([past("sciatica", 300)], Answer.NO, set()),
        ([fact("sciatica", 10, present=False)], Answer.NO, set()),
        ([seen("straight-leg-raise", 3, side="left")], Answer.YES, {"leg-raise"}),
        ([seen("crossed-straight-leg-raise", 3, side="left")], Answer.YES, {"leg-raise"}),
        ([absent("straight-leg-raise", 3, side="left")], Answer.NO, set()),
        ([seen("straight-leg-raise", 300, side="left")], Answer.NO, set()),  # of another episode
        ([seen("ankle-reflex-reduced", 3, side="left")], Answer.NO, set()),  # without leg pain
        ([seen("ankle-reflex-reduced", 3, side="left"), LEG_PAIN], Answer.YES, {"deficit"}),
        ([seen("dermatomal-sensory-loss", 3, site="l5", side="left"), LEG_PAIN], Answer.YES, {"deficit"}),
        ([fact("sciatica", 10, side="left"), fact("sciatica", 5, side="right")], Answer.YES, {"coded", "bilateral"}),
        ([fact("sciatica", 10, side="bilateral")], Answer.YES, {"coded", "bilateral"}),
        ([fact("bilateral-sciatica", 10)], Answer.YES, {"coded", "bilateral"}),
    ],
)
def test_radiculopathy_is_coded_or_shown_by_signs(facts, answer, marks):
    found = roots(*facts)
    assert (found.answer, set(found.marks)) == (answer, marks)


def test_silence_is_presumed_and_a_negative_leg_raise_is_not():
    assert roots().presumed is True
    assert roots(absent("straight-leg-raise", 3)).presumed is False
    assert roots(seen("lower-limb-sensation-normal", 3)).presumed is False


def test_a_positive_and_a_negative_sign_are_both_shown():
    found = roots(fact("sciatica", 10), absent("straight-leg-raise", 3))
    assert (found.answer, len(found.against)) == (Answer.YES, 1)


def test_the_orders_own_reason_counts():
    assert roots(order=order([reason("sciatica", side="left")])).answer is Answer.YES


def test_a_deficit_without_leg_pain_is_named():
    assert len(roots(seen("knee-reflex-reduced", 3, side="left")).considered) == 1
