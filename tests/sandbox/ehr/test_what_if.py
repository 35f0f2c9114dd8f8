"""Facts changed one by one: where they lead is what the service itself would say."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from rules.concepts import CONCEPTS
from rules.facts import FactKind
from sandbox.ehr.clinic import Clinic
from sandbox.ehr.desk import Desk
from sandbox.ehr.hypothetical import examples, questions
from sandbox.ehr.service_client import ServiceClient
from sandbox.ehr.what_if import decided, nobody_in_particular, outcome, with_order
from sandbox.ehr.what_if_page import what_if_view
from sandbox.ehr.work import Work
from sandbox.stories import Story, load

STORIES = load()
OPTIONS = [(question, option) for question in questions() for option in question.option]
START = {question.id: question.usual for question in questions()}
HOST = {"base_url": "http://127.0.0.1"}


@pytest.mark.parametrize("story", STORIES, ids=[story.id for story in STORIES])
def test_with_nothing_changed_it_says_what_the_service_says(
    story: Story, clinic: Clinic, service: ServiceClient
) -> None:
    work = Work(clinic, service, story, Desk())
    order = story.orders[0]
    work.place(order.id)
    if order.selected > 1:
        work.select(order.drafts[0]["id"])  # it is about one order
    view = what_if_view(clinic.today(), clinic.visit(story), story, work.desk, {})
    assert work.desk.advice is not None
    # Without a server to ask, the service calls an unreadable part "not provided", where the EHR knows that it failed.
    compared = ("indicator", "summary") if story.unreadable else ("indicator", "summary", "detail")
    said = [[shown.card[member] for member in compared] for shown in work.desk.advice.cards]
    assert [[card[member] for member in compared] for card in view.cards] == said


@pytest.mark.parametrize(("question", "option"), OPTIONS, ids=[f"{q.id}-{o.id}" for q, o in OPTIONS])
def test_an_option_stands_for_entries_that_the_rules_read_and_takes_the_place_of_the_others(question, option) -> None:
    for entry in option.entries:
        assert entry.concept in CONCEPTS
        FactKind(entry.kind)
        assert entry.concept in question.concepts or question.id == "onset", "two options would add up"


def test_every_question_starts_somewhere() -> None:
    for question in questions():
        assert question.chosen(question.usual) is not None, question.id
    for example in examples():
        for name, own in example.choices.items():
            known = {question.id: question for question in questions()}
            assert name in ("order", "priority") or known[name].chosen(own) is not None, example.says


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({}, "Not appropriate"),
        ({"weakness": "worsening"}, "At once"),
        ({"weakness": "multilevel"}, "At once"),
        ({"weakness": "severe"}, "At once"),
        ({"weakness": "mild"}, "Not appropriate"),
        ({"weakness": "recovering"}, "Not appropriate"),
        ({"cauda-equina": "saddle"}, "Emergency"),
        ({"cauda-equina": "retention"}, "Emergency"),
        ({"cauda-equina": "undated"}, "Possible cauda equina"),
        ({"infection": "both"}, "At once"),
        ({"infection": "discitis"}, "At once"),
        ({"infection": "fever"}, "Appropriate, but sooner, within days"),
        ({"cancer": "history"}, "Appropriate, but sooner, within days"),
        ({"cancer": "night"}, "Not appropriate"),
        ({"cancer": "weight"}, "Not appropriate"),
        ({"cancer": "weight", "age": "58"}, "Appropriate, but sooner, within days"),
        ({"immunity": "transplant"}, "Appropriate, but sooner, review soon"),
        ({"fracture": "osteoporosis"}, "Appropriate"),
        ({"age": "75"}, "Appropriate"),
        ({"age": "16"}, "No criteria apply"),
        ({"trauma": "crash"}, "Emergency, by another study"),
        ({"aorta": "aneurysm", "onset": "1"}, "Emergency"),
        ({"aorta": "aneurysm", "onset": "26"}, "Not appropriate"),
        ({"surgery": "fusion"}, "Appropriate"),
        ({"onset": "9", "care": "adequate", "trend": "unchanged", "candidate": "planned"}, "Appropriate"),
        ({"onset": "9", "care": "adequate", "trend": "unchanged"}, "Asks first"),
        ({"onset": "9", "care": "adequate", "trend": "unchanged", "candidate": "no"}, "Not appropriate"),
        ({"onset": "9", "care": "adequate", "trend": "improving", "candidate": "planned"}, "Not appropriate"),
        ({"imaging": "mri"}, "See the last report"),
        ({"device": "clip"}, "Safety first"),
    ],
    ids=lambda value: "+".join(f"{k}={v}" for k, v in value.items()) or "start" if isinstance(value, dict) else None,
)
def test_a_fact_moves_the_decision_as_the_guidelines_have_it(choices: dict, words: str, clinic: Clinic) -> None:
    base = nobody_in_particular(clinic.today().day)
    assert outcome(decided(base, {**START, **choices})).words.startswith(words)


def test_a_radiograph_for_fever_and_drugs_is_another_study_at_once(clinic: Clinic) -> None:
    base = with_order(nobody_in_particular(clinic.today().day), "radiography_lumbar_spine", "as-drafted")
    assert outcome(decided(base, {**START, "infection": "both"})).words == "At once, by another study"


def test_a_fact_taken_away_no_longer_counts(clinic: Clinic) -> None:
    """The patient's own record says that the foot is getting weaker; with normal strength in its place it does not."""
    story = clinic.today().story("left-foot-getting-weaker")
    visit = clinic.visit(story)
    before = what_if_view(clinic.today(), visit, story, Desk(), {})
    after = what_if_view(clinic.today(), visit, story, Desk(), {"weakness": "normal"})
    assert before.now.words == "At once"
    assert after.now.words == "Not appropriate"
    assert after.before == before.now


def test_each_choice_says_where_it_leads_with_everything_else_as_it_stands(clinic: Clinic) -> None:
    asked = {"weakness": "worsening"}
    view = what_if_view(clinic.today(), None, None, Desk(), asked)
    for fact in view.facts:
        for choice in fact.choices:
            there = what_if_view(clinic.today(), None, None, Desk(), {**asked, fact.id: choice.id}).now
            assert choice.same == (there == view.now), (fact.id, choice.id)
            if not choice.same:
                assert choice.leads.startswith(there.words)
            assert not choice.chosen or choice.same


def test_values_that_nobody_offers_leave_the_facts_as_they_were(browser: FlaskClient) -> None:
    odd = browser.get("/what-if?weakness=<b>&order=nothing&priority=never&unknown=1", **HOST)
    plain = browser.get("/what-if", **HOST)
    assert odd.status_code == 200
    assert odd.data == plain.data


def test_exactly_one_choice_of_each_fact_is_checked(browser: FlaskClient) -> None:
    page = browser.get("/what-if?cancer=history&age=67", **HOST).get_data(as_text=True)
    for fieldset in re.findall(r"<fieldset.*?</fieldset>", page, re.S):
        assert fieldset.count(" checked") == 1


def test_a_patient_without_a_lumbar_draft_starts_from_nothing_but_back_pain(clinic: Clinic) -> None:
    story = clinic.today().story("three-weeks-of-low-back-pain")
    hip = {"resourceType": "ServiceRequest", "id": "x", "code": {"text": "X-ray hip, 2 views"}}
    view = what_if_view(clinic.today(), clinic.visit(story), story, Desk(drafts=[hip]), {})
    assert not view.lumbar
    assert view.now.words == "Not appropriate"
