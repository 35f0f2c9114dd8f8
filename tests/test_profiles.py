"""Every case in every profile: the same recommendation, whoever reads it, and nothing that matters lost on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from cards.drawing import as_plain
from cards.lint import losses
from cards.profiles import DEFAULT_PROFILE, PROFILES
from cds_service.output_check import check_answer
from rules.recommendation import Recommendation, Situation
from tests.acr_grid import acr_cells
from tests.answer_reading import Reply
from tests.case_reader import Case, read_cases
from tests.clinic import ask, tools_of

OTHERS = [name for name in PROFILES if name != DEFAULT_PROFILE]
# What may stand on a card in one profile only: what to do by hand, in place of buttons.
BY_HAND = "By hand: "


@cache
def _cases() -> tuple[Case, ...]:
    return tuple(case for case in (*read_cases(), *acr_cells()) if case.expect.get("status", 200) == 200)


@cache
def _asked(profile: str) -> tuple[tuple[Case, Reply], ...]:
    return tuple(
        (case, ask(case.request, as_of=case.as_of, tools=tools_of(case), profile=profile)) for case in _cases()
    )


def _pairs(profile: str) -> Iterator[tuple[str, Reply, Reply]]:
    for (case, usual), (_, theirs) in zip(_asked(DEFAULT_PROFILE), _asked(profile), strict=True):
        yield f"{case.file}: {case.name}", usual, theirs


def _heads(reply: Reply) -> list[tuple[str, str, str]]:
    return [(card["indicator"], card["summary"], card["source"]["label"]) for card in reply.cards]


def _ratings(reply: Reply) -> Any:
    return [
        (action["resource"]["id"], each["valueCodeableConcept"]["coding"])
        for action in reply.body.get("systemActions", ())
        for each in action["resource"]["extension"]
        if each["url"].endswith("/pama-rating")
    ]


@pytest.mark.parametrize("profile", OTHERS)
def test_a_profile_never_changes_the_advice_its_order_its_urgency_or_its_rating(profile: str):
    for name, usual, theirs in _pairs(profile):
        assert theirs.advice == usual.advice, name
        assert _heads(theirs) == _heads(usual), name
        assert _ratings(theirs) == _ratings(usual), name


@pytest.mark.parametrize("profile", OTHERS)
def test_every_answer_of_a_profile_is_valid_and_no_part_of_it_is_dropped_by_its_client(profile: str):
    for name, _, theirs in _pairs(profile):
        check_answer(theirs.body)
        dropped = [loss for loss in losses(theirs.body, PROFILES[profile]) if loss.consequence != "note"]
        assert dropped == [], (name, dropped)


@pytest.mark.parametrize("profile", OTHERS)
def test_every_word_of_a_card_reaches_every_client(profile: str):
    for name, usual, theirs in _pairs(profile):
        for card, other in zip(usual.cards, theirs.cards, strict=True):
            said = _squeezed(other["detail"])
            for line in _lines(card["detail"]):
                assert line in said, (name, line, other["detail"])


def _lines(detail: str) -> Iterator[str]:
    """The card line by line, each without markup; of a table the cells."""
    for line in detail.splitlines():
        cells = re.split(r"(?<!\\)\|", line)[1:-1] if line.startswith("|") else [line]
        for cell in cells:
            if not set(cell) <= set(":- ") and cell.strip() not in ("Guideline", "Says"):
                yield _squeezed(cell)


def _squeezed(text: str) -> str:
    return " ".join(as_plain(text).split())


@pytest.mark.parametrize("profile", ["epic", "plain"])
def test_what_has_no_button_is_said_in_words(profile: str):
    for name, usual, theirs in _pairs(profile):
        if not usual.advice or len(usual.advice) > 1 or not usual.cards:
            continue
        (advice,) = usual.advice
        offered = {action["type"] for action in _actions(theirs)}
        for wanted in _must_be_said(advice, usual):
            said = _squeezed(theirs.cards[0]["detail"])
            done = "create" in offered if "change the order" in wanted else "delete" in offered
            assert done or wanted in said, (name, wanted, said)


def _actions(reply: Reply) -> list[dict[str, Any]]:
    return [action for card in reply.cards for each in card.get("suggestions", ()) for action in each["actions"]]


def _must_be_said(advice: Recommendation, usual: Reply) -> Iterator[str]:
    """For the buttons of the usual answer: what a clinician without them has to be told."""
    for suggestion in usual.cards[0].get("suggestions", ()):
        if suggestion["label"].startswith("Change to "):
            yield f"{BY_HAND}change the order to "
        elif suggestion["label"].startswith("Make it "):
            yield f"{BY_HAND}set the priority of the order to {suggestion['label'].removeprefix('Make it ')}"
        elif suggestion["label"].startswith(("Defer", "Cancel: see")):
            yield "remove the order"
    if advice.situation in (Situation.ANSWER_MISSING, Situation.POSSIBLE_CAUDA_EQUINA):
        yield BY_HAND


def test_epic_offers_no_update_and_nothing_that_a_site_without_codes_could_not_place():
    for case, theirs in _asked("epic"):
        for action in _actions(theirs):
            assert action["type"] in ("create", "delete"), case.name
            assert action["type"] == "delete" or case.settings.get("order_catalogue"), case.name
