"""Every button of every case, pressed on the public sandbox's imaging screen, twice in a row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import pytest
from msgspec import Struct

from tests.acr_grid import acr_cells
from tests.answer_reading import DEFERRED, KEPT, Reply, suggestions, words
from tests.case_reader import Case, cases_in, read_cases
from tests.clinic import ask
from tests.sandbox_screen import PageBreaks, Screen, screen_of

Json = dict[str, Any]

RATED = ("appropriate", "not-appropriate", "no-criteria-apply")
CLICKS = 2


class Click(Struct, frozen=True):
    """One button pressed: the screen and answer before, right after the click, and after the next answer."""

    case: str
    label: str
    before: Screen
    asked: Reply
    clicked: Screen
    after: Screen
    then: Reply

    @property
    def added(self) -> list[str]:
        """Codes among the reasons that were not there before."""
        return [each["code"] for each in self.after.reasons if each not in self.before.reasons]


def _ask(screen: Screen, as_of: date, call: int) -> Reply:
    reply = ask(screen.request(call), as_of=as_of, profile="sandbox")
    assert reply.status == 200
    screen.answered(reply.body)
    return reply


def _clicks(case: Case, screen: Screen, asked: Reply, depth: int) -> Iterator[Click]:
    for _, suggestion in suggestions(asked.body):
        clicked = screen.copy()
        clicked.clicked(suggestion)
        after = clicked.copy()
        then = _ask(after, case.as_of, CLICKS - depth + 1)
        yield Click(f"{case.file}: {case.name}", suggestion["label"], screen, asked, clicked, after, then)
        if depth > 1:
            yield from _clicks(case, after, then, depth - 1)


@cache
def _all_clicks() -> tuple[Click, ...]:
    found: list[Click] = []
    for case in (*read_cases(), *acr_cells()):
        screen = screen_of(case.request) if case.expect.get("status", 200) == 200 and not case.settings else None
        if screen is not None:
            found += _clicks(case, screen, _ask(screen, case.as_of, 0), CLICKS)
    assert len(found) > 500, "too few buttons were pressed to say anything"
    return tuple(found)


def _told(clicks: list[Click]) -> list[str]:
    return [f"{each.case}: {each.label!r} after {[c['summary'] for c in each.asked.cards]}" for each in clicks]


def _seen(screen: Screen, reply: Reply) -> Any:
    """What a clinician can see: the page, and the words of the cards."""
    cards = [
        (card["indicator"], card["summary"], card["detail"], [each["label"] for each in card.get("suggestions", ())])
        for card in reply.cards
    ]
    return screen.study, screen.reasons, cards


def test_no_button_is_dead():  # PX-11, SUG-4
    dead = [each for each in _all_clicks() if _seen(each.before, each.asked) == _seen(each.after, each.then)]
    assert not dead, _told(dead)


def test_a_button_that_was_pressed_is_not_offered_again():
    again = [
        each for each in _all_clicks() if any(each.label == label["label"] for _, label in suggestions(each.then.body))
    ]
    assert not again, _told(again)


def test_the_rating_that_a_button_promises_is_the_next_one():
    broken = [
        each for each in _all_clicks() if each.clicked.rating in RATED and each.after.rating != each.clicked.rating
    ]
    assert not broken, _told(broken)


def test_a_rating_that_was_left_open_is_given_by_the_next_answer():
    left = [each for each in _all_clicks() if each.clicked.rating not in RATED and each.after.rating not in RATED]
    assert not left, _told(left)


def test_after_a_deferral_the_next_card_says_do_not_sign():
    deferrals = [each for each in _all_clicks() if DEFERRED in each.added]
    assert deferrals
    silent = [each for each in deferrals if "do not sign" not in words(each.then.body).casefold()]
    assert not silent, _told(silent)


def test_reasons_that_were_given_stay_on_the_order():
    others = [each for each in _all_clicks() if not each.label.startswith("Reopen")]
    lost = [each for each in others if not all(reason in each.after.reasons for reason in each.before.reasons)]
    assert not lost, _told(lost)


def _entered(order: str, *chart: Json) -> tuple[Case, Screen, Reply]:
    (case,) = cases_in(
        {"name": "entered by hand", "patient": {"age": 45, "sex": "male"}, "order": order, "chart": list(chart)}
        | {"expect": {"status": 200}}
    )
    screen = screen_of(case.request)
    assert screen is not None
    return case, screen, _ask(screen, case.as_of, 0)


def _press(case: Case, screen: Screen, reply: Reply, start: str) -> Reply:
    (button,) = [each for _, each in suggestions(reply.body) if each["label"].startswith(start)]
    screen.clicked(button)
    return _ask(screen, case.as_of, 1)


def test_a_priority_that_was_raised_is_seen_and_not_asked_for_again():
    case, screen, reply = _entered("mri-lumbar-without-contrast for low-back-pain; urinary-retention")
    then = _press(case, screen, reply, "Make it stat")
    assert [each["display"] for each in screen.reasons][-1] == "Priority: stat"
    assert then.cards[0]["indicator"] == "critical"
    assert not list(suggestions(then.body))
    assert "make it stat" not in words(then.body).casefold()


def test_another_study_at_another_priority_keeps_both():
    case, screen, reply = _entered("ct-lumbar-with-contrast for cauda-equina-syndrome")
    then = _press(case, screen, reply, "Change to MRI")
    assert [each["display"] for each in screen.reasons][-1] == "Priority: stat"
    assert screen.rating == "appropriate"
    assert not list(suggestions(then.body))


def test_an_order_without_a_reason_is_the_same_after_a_deferral_was_taken_back():
    problem = {"problem": "low-back-pain", "began": "21 days ago"}
    case, screen, reply = _entered("mri-lumbar-without-contrast for no reason", problem)
    assert screen.reasons == []
    deferred = _press(case, screen, reply, "Defer")
    again = _press(case, screen, deferred, "Reopen")
    assert _seen(screen, again)[2] == _seen(screen, reply)[2]
    assert [each["display"] for each in screen.reasons] == ["Reason not stated"]


def test_a_keep_is_seen_on_the_order():
    case, screen, reply = _entered("mri-lumbar-without-contrast for low-back-pain")
    _press(case, screen, reply, "Keep")
    assert KEPT in [each["code"] for each in screen.reasons]


@pytest.mark.parametrize(
    "order",
    [
        {"code": {"coding": [{"code": "x", "display": "x"}]}, "reasonCode": []},
        {"code": {"text": "x"}, "reasonCode": [], "extension": []},
    ],
    ids=["no rating", "no coding"],
)
def test_the_screen_of_these_tests_breaks_where_the_page_does(order):
    screen = Screen({"code": "y", "display": "y"}, [], "p", {})
    with pytest.raises(PageBreaks):
        screen.clicked({"actions": [{"type": "update", "resource": order}]})
