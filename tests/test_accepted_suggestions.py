"""Every suggestion of every case, accepted by a tiny EHR: what is promised is what the next call says."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import pytest

from tests.acr_grid import acr_cells
from tests.answer_reading import (
    CHECKED_NONE,
    DEFERRED,
    NOT_QUESTIONS,
    Reply,
    answers_offered,
    changes,
    changes_study,
    defers,
    offers_checked_none,
    own_reasons,
    ratings,
    suggestions,
    words,
)
from tests.case_reader import Case, cases_in, read_cases
from tests.clinic import ask
from tests.ehr_client import accept, drafts_of

Json = dict[str, Any]

RANKS = {
    "usually-appropriate": 4,
    "may-be-appropriate": 3,
    "may-be-appropriate-disagreement": 2,
    "usually-not-appropriate": 1,
}
PRIORITIES = ("", "routine", "urgent", "asap", "stat")


@cache
def _asked() -> tuple[tuple[Case, Reply], ...]:
    cases = [
        case for case in (*read_cases(), *acr_cells()) if not case.settings and case.expect.get("status", 200) == 200
    ]
    return tuple((case, ask(case.request, as_of=case.as_of)) for case in cases)


def _names() -> list[str]:
    return [f"{case.file}: {case.name}" for case, _ in _asked()]


def rank_of(reply: Reply, order_id: str) -> tuple[bool, int]:
    """How good the rating on an order is: appropriate at all, then the category; lowest where no criteria apply."""
    codes = ratings(reply.body).get(order_id, [])
    return "appropriate" in codes, max((RANKS.get(code, 0) for code in codes), default=0)


def _worse(then: Reply, before: Reply, order_id: str) -> bool:
    """ACR's alternatives for who may not have MRI rate below it by nature; they must be appropriate all the same."""
    now, was = rank_of(then, order_id), rank_of(before, order_id)
    rows = [note.row for each in before.advice or () for note in each.safety if not note.ask]
    return now[0] < was[0] if any(row.startswith("mr_") for row in rows) else now < was


def follow_up_problems(case_request: Json, reply: Reply, as_of: date) -> list[str]:
    """What is wrong after accepting each suggestion that changes a study."""
    wrong = []
    drafts = drafts_of(case_request)
    for card, suggestion in suggestions(reply.body):
        for action in suggestion["actions"]:
            before = next((d for d in drafts if d["id"] == action.get("resource", {}).get("id")), None)
            if action["type"] != "update" or before is None or not changes_study(before, action["resource"]):
                continue
            following = accept(case_request, suggestion)
            then = ask(following, as_of=as_of)
            order = action["resource"]["id"]
            label = f"{card['summary']!r} -> {suggestion['label']!r}"
            if _worse(then, reply, order):
                wrong.append(f"{label}: rated worse, {ratings(then.body)} after {ratings(reply.body)}")
            again = [each for each in changes(then.body, drafts_of(following)) if each.order_id == order]
            if any(changes_study(action["resource"], each.resource) and each.recommended for each in again):
                wrong.append(f"{label}: followed by another change to {again[0].study}")
            for each in again:
                if PRIORITIES.index(each.priority) > PRIORITIES.index(action["resource"].get("priority", "")):
                    wrong.append(f"{label}: priority raised again to {each.priority}")
    return wrong


@pytest.mark.parametrize("number", range(len(_asked())), ids=_names())
def test_an_accepted_change_is_never_rated_worse_and_never_followed_by_another(number: int):
    case, reply = _asked()[number]
    assert follow_up_problems(case.request, reply, case.as_of) == []


@pytest.mark.parametrize("number", range(len(_asked())), ids=_names())
def test_an_answer_given_by_a_button_is_read_by_the_next_call(number: int):
    case, reply = _asked()[number]
    for _, suggestion in suggestions(reply.body):
        answers = _new_answers(suggestion, case.drafts)
        if not answers:
            continue
        following = accept(case.request, suggestion)
        then = ask(following, as_of=case.as_of)
        assert then.status == 200
        again = set(answers_offered(then.body, drafts_of(following)))
        assert not again & set(answers), f"{suggestion['label']!r} is asked again"
        questions = {code.rsplit("-", 1)[0] for code in answers}
        assert not {code.rsplit("-", 1)[0] for code in again} & questions, f"{suggestion['label']!r} changed nothing"


def _new_answers(suggestion: Json, drafts: list[Json]) -> list[str]:
    found = []
    for action in suggestion["actions"]:
        if action["type"] == "update":
            before = next((draft for draft in drafts if draft["id"] == action["resource"].get("id")), {})
            new = [code for code in own_reasons(action["resource"]) if code not in own_reasons(before)]
            found += [code for code in new if code not in NOT_QUESTIONS]
    return found


@pytest.mark.parametrize("number", range(len(_asked())), ids=_names())
def test_a_deferral_accepted_takes_the_order_away(number: int):
    case, reply = _asked()[number]
    for _, suggestion in suggestions(reply.body):
        if any(action["type"] == "delete" for action in suggestion["actions"]):
            following = accept(case.request, suggestion)
            deleted = {action["resourceId"] for action in suggestion["actions"] if action["type"] == "delete"}
            assert not deleted & {f"ServiceRequest/{draft['id']}" for draft in drafts_of(following)}
            assert ask(following, as_of=case.as_of).status == 200


def _plain(**changes_: Any) -> Case:
    entry = {
        "name": "three weeks of pain",
        "patient": {"age": 45, "sex": "male"},
        "chart": [{"problem": "low-back-pain", "began": "21 days ago"}],
        "expect": {"defers": True},
        **changes_,
    }
    (case,) = cases_in(entry)
    return case


def test_a_deferral_deletes_the_order_and_leaves_a_plan():
    case = _plain()
    reply = ask(case.request, as_of=case.as_of)
    recommended = [each for _, each in suggestions(reply.body) if each.get("isRecommended")]
    assert len(recommended) == 1
    kinds = {action["type"] for action in recommended[0]["actions"]}
    assert "delete" in kinds
    following = accept(case.request, recommended[0])
    assert ask(following, as_of=case.as_of).body == {"cards": []}


def test_with_a_client_that_only_updates_the_next_answer_says_deferred():
    case = _plain()
    reply = ask(case.request, as_of=case.as_of, profile="sandbox")
    assert all(action["type"] == "update" for _, each in suggestions(reply.body) for action in each["actions"])
    deferring = [
        each
        for _, each in suggestions(reply.body)
        if any(DEFERRED in own_reasons(action["resource"]) for action in each["actions"])
    ]
    assert deferring, "no deferral is offered to a client that only updates"
    answers = own_reasons(deferring[0]["actions"][0]["resource"])
    assert CHECKED_NONE in answers
    following = accept(case.request, deferring[0], update_only=True)
    then = ask(following, as_of=case.as_of, profile="sandbox")
    assert "deferred" in words(then.body).casefold()
    assert "do not sign" in words(then.body).casefold()


def test_a_client_that_only_updates_can_apply_every_suggestion_of_every_case():
    for case, _ in _asked():
        reply = ask(case.request, as_of=case.as_of, profile="sandbox")
        for _, suggestion in suggestions(reply.body):
            assert {action["type"] for action in suggestion["actions"]} == {"update"}, (case.name, suggestion["label"])
            for action in suggestion["actions"]:
                _can_be_applied_by_the_public_sandbox(action["resource"])


def _can_be_applied_by_the_public_sandbox(resource: Json) -> None:
    assert resource["code"]["coding"][0]["display"]
    assert all(reason.get("coding") for reason in resource.get("reasonCode", [{}])), resource.get("reasonCode")
    assert any(each["url"].endswith("/pama-rating") for each in resource["extension"])


NEGATIVES = [
    {"answer": "cauda-equina-features", "value": False},
    {"answer": "infection-features", "value": False},
    {"answer": "cancer-features", "value": False},
    {"answer": "fracture-features", "value": False},
    {"answer": "major-trauma-features", "value": False},
    {"answer": "weakness-features", "value": False},
]


def test_the_first_line_of_a_deferral_says_that_red_flags_are_not_recorded():
    case = _plain()
    reply = ask(case.request, as_of=case.as_of)
    first_line = reply.cards[0]["detail"].strip().splitlines()[0]
    assert "not recorded" in first_line.casefold() or "not on record" in first_line.casefold(), first_line
    assert offers_checked_none(reply.body)


def test_with_coded_negatives_on_record_the_line_and_the_statement_fall_away():
    case = _plain(chart=[{"problem": "low-back-pain", "began": "21 days ago"}, *NEGATIVES])
    reply = ask(case.request, as_of=case.as_of)
    first_line = reply.cards[0]["detail"].strip().splitlines()[0]
    assert "not recorded" not in first_line.casefold()
    assert not offers_checked_none(reply.body)
    assert defers(reply.body)


def test_the_statement_that_nothing_was_found_answers_every_silent_red_flag():
    case = _plain(order="mri-lumbar-without-contrast for low-back-pain; own:red-flags-checked-none")
    reply = ask(case.request, as_of=case.as_of)
    (decided,) = reply.advice or ()
    for name in ("cauda_equina", "infection", "cancer", "fracture_risk", "major_trauma", "weakness"):
        finding = getattr(decided.findings, name)
        assert (finding.answer.value, finding.presumed) == ("no", False), name
    assert not offers_checked_none(reply.body)
