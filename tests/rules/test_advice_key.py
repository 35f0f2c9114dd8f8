"""Same advice, same facts: the key under which a clinician's "no" is remembered, and everything that ends it."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from rules.advice_key import advice_key
from rules.dates import DateInterval
from rules.draft_order import DraftOrder, Recognition
from rules.evidence import Evidence
from rules.facts import AgeRange, ClinicalPicture, Fact, FactKind, SourceGap
from rules.finding import Findings
from rules.procedures import Procedure
from rules.recommendation import Recommendation
from tests.cards.builders import a_picture, a_reason, advise, an_order, answers, yes

PAIN = Fact("low-back-pain", FactKind.CONDITION, Evidence("Condition/1", "Low back pain", "2026-11-04", version="1"))
WALKS = Fact("physiotherapy", FactKind.PROCEDURE, Evidence("Procedure/2", "Physiotherapy", "2026-11-10"), state="done")
DRAFT = Fact("epidural", FactKind.DRAFT, Evidence("ServiceRequest/d-2", "Epidural injection"))
PICTURE = a_picture(facts=(PAIN, WALKS, DRAFT))
ORDER = an_order(reasons=(a_reason("low-back-pain"),))
ADVICE = advise(order=ORDER, picture=PICTURE)
KEY = advice_key(ADVICE, PICTURE)


def renamed(order: DraftOrder, draft: str) -> DraftOrder:
    """The same order, begun again as another draft."""
    reasons = tuple(
        replace(fact, evidence=replace(fact.evidence, reference=f"{draft}#reasonCode")) for fact in order.reasons
    )
    return replace(order, reference=draft, reasons=reasons)


SAME = {
    "asked again": (ADVICE, PICTURE),
    "listed in another order": (ADVICE, replace(PICTURE, facts=PICTURE.facts[::-1])),
    "draft begun again": (replace(ADVICE, order=renamed(ORDER, "ServiceRequest/9")), PICTURE),
    "other draft begun again": (
        ADVICE,
        replace(PICTURE, facts=(PAIN, WALKS, replace(DRAFT, evidence=replace(DRAFT.evidence, reference="")))),
    ),
    "the next day, with the same advice": (ADVICE, replace(PICTURE, as_of=date(2026, 11, 26))),
}


@pytest.mark.parametrize("told", SAME.values(), ids=list(SAME))
def test_the_same_advice_on_the_same_facts_has_the_same_key(told: tuple[Recommendation, ClinicalPicture]) -> None:
    assert advice_key(*told) == KEY


def with_fact(index: int, **changes: object) -> ClinicalPicture:
    """The picture with one fact changed."""
    facts = list(PICTURE.facts)
    facts[index] = replace(facts[index], **changes)
    return replace(PICTURE, facts=tuple(facts))


CHANGED_FACTS = {
    "a fact more": replace(PICTURE, facts=(*PICTURE.facts, replace(PAIN, concept="fever"))),
    "a fact twice": replace(PICTURE, facts=(*PICTURE.facts, PAIN)),
    "a fact less": replace(PICTURE, facts=(PAIN, DRAFT)),
    "a corrected entry": with_fact(0, evidence=replace(PAIN.evidence, version="2")),
    "another date": with_fact(0, began=DateInterval(date(2026, 11, 3), date(2026, 11, 3))),
    "resolved": with_fact(0, current=False),
    "now suspected only": with_fact(0, suspected=True),
    "a grade": with_fact(0, grade=4),
    "a value": with_fact(0, value=38.5),
    "a side": with_fact(0, side="left"),
    "the other entry of two alike": with_fact(0, evidence=replace(PAIN.evidence, reference="Condition/7")),
    "a source that could not be read": replace(PICTURE, gaps=(SourceGap("Condition", "failed", True),)),
    "a code that is not known": replace(PICTURE, unmapped_codes=frozenset({("urn:local", "X1")})),
    "a text that is not known": replace(PICTURE, unread_texts=1),
    "a current problem that is not read": replace(PICTURE, unread_current_problems=(Evidence("Condition/3", "?"),)),
    "an entry that was dropped": replace(PICTURE, dropped_entries=1),
    "a birthday": replace(PICTURE, age=AgeRange(46, 46)),
    "a specialist asks": replace(PICTURE, requester_specialties=("specialty-neurosurgery",)),
}


@pytest.mark.parametrize("picture", CHANGED_FACTS.values(), ids=list(CHANGED_FACTS))
def test_a_change_of_any_fact_changes_the_key(picture: ClinicalPicture) -> None:
    changed = advice_key(ADVICE, picture)
    assert changed.facts != KEY.facts
    assert replace(changed, facts=KEY.facts) == KEY


def about(findings: Findings | None = None, **changes: object) -> Recommendation:
    """The advice on a changed order."""
    return advise(findings, replace(ORDER, **changes), PICTURE)


CHANGED_ADVICE = {
    "another study": about(procedure=Procedure.CT_WITHOUT),
    "another study that is not recognised": about(procedure=None, recognition=Recognition.NOT_RECOGNISED, name="x"),
    "a higher priority": about(priority="stat"),
    "another reason": about(reasons=(a_reason("sciatica"),)),
    "a reason that is not read": about(unread_reasons=("seen by Dr X",)),
    "a chart entry as its reason": about(reason_references=("Condition/1",)),
    "a red flag": about(answers(cancer=yes("cancer", Evidence("Condition/5", "Cancer")))),
    "the next row by the calendar": about(answers(days=29)),
    "a second lumbar study": replace(ADVICE, duplicates=("CT lumbar spine",)),
}


@pytest.mark.parametrize("advice", CHANGED_ADVICE.values(), ids=list(CHANGED_ADVICE))
def test_other_advice_has_another_key(advice: Recommendation) -> None:
    assert advice_key(advice, PICTURE) != KEY
