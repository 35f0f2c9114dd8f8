"""What CDS Hooks allows, over every wording that the decision can ask for."""

import itertools

import pytest

from cards.card import LABEL_LIMIT, OVERRIDE_DISPLAY_LIMIT, SUMMARY_LIMIT, Action, Card, CardError, Source, Suggestion
from cards.override_reasons import override_reasons
from cards.wording import wording
from rules.dates import DayRange
from rules.draft_order import Recognition
from rules.facts import SourceGap
from rules.finding import Finding
from rules.procedures import Procedure
from rules.recommendation import Situation
from tests.cards.builders import (
    OWN,
    UPDATE_ONLY,
    a_picture,
    a_reason,
    adequate_care,
    advise,
    an_order,
    answers,
    cards,
    checked,
    entry,
    safety,
    yes,
)
from tests.cards.situations import NO_ALLERGIES, NO_CONDITIONS, situations

RED_FLAGS: dict[str, list[Finding]] = {
    "nothing": [],
    "cauda equina": [yes("cauda_equina", level="suspected", marks=("saddle",))],
    "aorta": [yes("aortic", marks=("aneurysm",))],
    "worsening weakness": [yes("weakness", level="worsening")],
    "several levels": [yes("weakness", level="mild", marks=("multilevel",))],
    "severe weakness": [yes("weakness", level="severe")],
    "mild weakness": [yes("weakness", level="mild")],
    "major trauma": [yes("major_trauma", marks=("mechanism",))],
    "spinal infection": [yes("infection", marks=("spinal-infection-coded",))],
    "fever": [yes("infection", marks=("fever",))],
    "cancer with deficit": [yes("cancer", level="known", marks=("history",)), yes("weakness", level="mild")],
    "cancer": [yes("cancer", level="known", marks=("history",))],
    "immunosuppression": [yes("immunosuppression", marks=("hiv",))],
    "fracture risk": [yes("fracture_risk", marks=("osteoporosis",))],
    "age alone": [yes("fracture_risk", level="age-alone", marks=("older-age",))],
    "surgery": [yes("prior_surgery")],
    "candidate": [yes("candidate", level="potential"), adequate_care()],
    "imaged": [yes("prior_imaging", entry("MRI", "2026-09-14"))],
    "possible cauda equina": [Finding("cauda_equina", yes("x").answer.UNKNOWN, "possible")],
    "asked": [adequate_care()],
}
HAZARDS = {
    "none": safety(),
    "pacemaker": safety(mr_device=yes("mr_device", marks=("mr_cardiac_device_unlabelled",))),
    "clip": safety(mr_device=yes("mr_device", marks=("mr_aneurysm_clip",))),
    "pregnant": safety(pregnancy=yes("pregnancy")),
    "kidney": safety(kidney=yes("kidney", marks=("egfr-below-30",))),
    "reaction": safety(contrast_reaction=yes("contrast_reaction", marks=("unspecified",))),
}


def every_order():
    for procedure in Procedure:
        yield an_order(procedure)
    for choices in (
        (Procedure.MRI_WITHOUT, Procedure.MRI_WITH, Procedure.MRI_WITHOUT_AND_WITH),
        (Procedure.CT_WITH, Procedure.CT_WITHOUT),
    ):
        yield an_order(None, recognition=Recognition.CONTRAST_NOT_STATED, candidates=choices)
    yield an_order(None, recognition=Recognition.NOT_RECOGNISED, name="x" * 400)
    yield an_order(None, recognition=Recognition.NOT_AMONG_ELEVEN, name="Myelography")


@pytest.mark.parametrize("hazard", HAZARDS)
@pytest.mark.parametrize("flags", RED_FLAGS)
def test_every_card_keeps_every_limit(flags, hazard):
    findings = answers(DayRange(400, None), safety=HAZARDS[hazard], **{each.name: each for each in RED_FLAGS[flags]})
    for order, age in itertools.product(every_order(), (45, 15)):
        advice = advise(findings, order, a_picture(age))
        for rendering in (UPDATE_ONLY, None):
            answer = cards(advice, rendering=rendering) if rendering is not None else cards(advice)
            for card in answer.cards:
                check(card)


def check(card: Card) -> None:
    """The limits, once more and from outside."""
    assert 0 < len(card.summary) < SUMMARY_LIMIT
    assert card.summary == card.summary.strip()
    assert "{" not in card.summary + card.detail
    lines = card.detail.splitlines()
    assert lines[0].startswith("**")
    assert lines[0].endswith("**")
    assert "** " not in lines[0][2:]
    assert sum(bool(line) for line in lines) <= 26, card.detail
    assert not lines[-1].startswith("|"), "a table never ends a card"
    assert "|" not in lines[-1]
    assert len(card.suggestions) <= 3
    assert all(0 < len(each.label) < LABEL_LIMIT for each in card.suggestions)
    assert len({each.label for each in card.suggestions}) == len(card.suggestions)
    assert sum(each.is_recommended for each in card.suggestions) <= 1
    assert not any(each.is_recommended for each in card.suggestions[1:])
    assert all(action.description for each in card.suggestions for action in each.actions)


def test_of_several_grades_the_first_and_the_latest_are_quoted():
    grades = [entry(f"Strength: {grade}", f"2026-11-{day:02}") for grade, day in ((5, 3), (4, 9), (4, 16), (3, 24))]
    (card,) = cards(advise(answers(weakness=yes("weakness", *grades, level="worsening")))).cards
    assert "“Strength: 5” (2026-11-03); “Strength: 3” (2026-11-24); and 2 more" in card.detail


@pytest.mark.parametrize(
    "gaps",
    [
        (NO_CONDITIONS,),
        (NO_CONDITIONS, NO_ALLERGIES),
        tuple(SourceGap(source, "unsupported version", hides_red_flags=True) for source in wording().source),
    ],
)
def test_a_source_that_was_not_read_is_named_whatever_its_number(gaps):
    for order in every_order():
        for card in cards(advise(order=order, picture=a_picture(gaps=gaps))).cards:
            check(card)
            assert wording().source["Condition"] in card.detail
            assert card.indicator == "warning"


@pytest.mark.parametrize("name", situations())
def test_nothing_that_could_be_read_as_wait_or_cancel_stands_in_an_emergency(name):
    advice = situations()[name]
    if advice.situation not in (Situation.EMERGENCY, Situation.IMMEDIATE):
        return
    (card,) = cards(advice).cards
    assert card.indicator == "critical"
    kinds = {action.type for each in card.suggestions for action in each.actions}
    assert "delete" not in kinds
    for word in ("defer", "Defer", "cancel", "Cancel", "Already imaged", "recheck", "Worth asking"):
        assert word not in card.summary + card.detail


@pytest.mark.parametrize("situation", list(Situation))
def test_override_reasons_fit_one_menu_line(situation):
    reasons = override_reasons(situation, OWN)
    assert all(0 < len(reason.display) < OVERRIDE_DISPLAY_LIMIT for reason in reasons)
    assert len({(reason.system, reason.code) for reason in reasons}) == len(reasons)


def test_a_kept_order_is_not_argued_with_again():
    for findings in (answers(), checked(), answers(prior_imaging=yes("prior_imaging", entry("MRI", "2026-09-14")))):
        (card,) = cards(advise(findings, an_order(reasons=(a_reason("order-kept-with-reason"),)))).cards
        assert (card.indicator, card.suggestions, card.override_reasons) == ("info", (), ())


def test_keeping_an_order_does_not_silence_a_red_flag():
    order = an_order(Procedure.RADIOGRAPHY, reasons=(a_reason("order-kept-with-reason"),))
    (card,) = cards(advise(answers(infection=yes("infection", marks=("fever",))), order)).cards
    assert card.indicator == "warning"
    assert [each.label for each in card.suggestions] == ["Change to MRI without and with contrast"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Card("x" * 140, "info", source=Source("s"), uuid="u"),
        lambda: Card("", "info", source=Source("s"), uuid="u"),
        lambda: Card("x", "loud", source=Source("s"), uuid="u"),
        lambda: Card("x", "info", uuid="u"),
        lambda: Card("x", "info", source=Source("s")),
        lambda: Card("x", "info", source=Source("s"), uuid="u", selection_behavior="any"),
        lambda: Suggestion("x" * 45, "u", actions=(Action("update"),)),
        lambda: Suggestion("x", "u"),
    ],
)
def test_a_card_that_the_specification_does_not_allow_is_not_built(make):
    with pytest.raises(CardError):
        make()
