"""What the "what if" page shows: every fact with its choices, what each leads to, and the advice as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from cards.answer_json import answer_as_dict
from cards.wording import wording
from rules.procedures import Procedure
from rules.recommendation import GuidelineView, Recommendation
from sandbox.ehr.clinic import Today
from sandbox.ehr.desk import Desk, Visit
from sandbox.ehr.drafts import PRIORITIES, reference_of
from sandbox.ehr.hypothetical import RECORDED, Option, Question, examples, questions
from sandbox.ehr.what_if import (
    AS_DRAFTED,
    Base,
    Outcome,
    base_of,
    cards,
    decided,
    nobody_in_particular,
    outcome,
    with_order,
)
from sandbox.stories import Story

Json = dict[str, Any]
_URGENCY = {
    "emergency": "Emergency, same day",
    "immediate": "Immediate",
    "within-24-hours": "Within 24 hours",
    "days": "Within days",
    "urgent-review": "Urgent review, no emergency",
    "routine": "Routine",
}
_GUIDELINES = {"acr": "ACR", "acp": "ACP", "nice": "NICE"}


class Choice(Struct, frozen=True):
    """One option, and where it leads with everything else as it stands."""

    id: str
    says: str
    chosen: bool
    leads: str
    level: str
    same: bool


class FactView(Struct, frozen=True):
    """One fact with its choices."""

    id: str
    ask: str
    changed: bool
    choices: tuple[Choice, ...]


class WhatIf(Struct, frozen=True):
    """The whole page."""

    about: str  # the order, in words
    facts: tuple[FactView, ...]
    orders: FactView
    priorities: FactView
    now: Outcome
    before: Outcome
    advice: Recommendation
    urgency: str
    leading: str
    rating: str
    views: tuple[tuple[str, GuidelineView], ...]
    cards: tuple[Json, ...]
    changes: int
    examples: tuple[tuple[str, str], ...]  # words, and the query of the address
    lumbar: bool = True


def what_if_view(
    today: Today, visit: Visit | None, story: Story | None, desk: Desk, asked: Mapping[str, str]
) -> WhatIf:
    """The page for a patient's story, or for nobody in particular."""
    base = _base(today, visit, story, desk)
    lumbar = base is not None
    base = base or nobody_in_particular(today.day)
    start = {each.id: RECORDED if story is not None and lumbar else each.usual for each in questions()}
    choices = {each.id: _valid(each, asked.get(each.id, ""), start[each.id]) for each in questions()}
    study = _among(asked.get("order", ""), (AS_DRAFTED, *(each.value for each in Procedure)))
    priority = _among(asked.get("priority", ""), (AS_DRAFTED, *PRIORITIES))
    case = with_order(base, study, priority)
    advice = decided(case, choices)
    now = outcome(advice)
    facts = tuple(_fact(each, case, choices, now, RECORDED in start.values(), start[each.id]) for each in questions())
    answer = answer_as_dict(cards(advice, case))
    return WhatIf(
        about=_capital(case.order.name),
        facts=facts,
        orders=_orders(base, study, priority, choices, now),
        priorities=_priorities(base, study, priority, choices, now),
        now=now,
        before=outcome(decided(base, start)),
        advice=advice,
        urgency=_URGENCY[advice.urgency.value],
        leading=_leading(advice),
        rating=_rating(advice),
        views=tuple((_GUIDELINES.get(view.guideline, view.guideline), view) for view in advice.views),
        cards=tuple(answer["cards"]),
        changes=sum(each.changed for each in facts),
        examples=() if story is not None else tuple((each.says, urlencode(each.choices)) for each in examples()),
        lumbar=lumbar or story is None,
    )


def _base(today: Today, visit: Visit | None, story: Story | None, desk: Desk) -> Base | None:
    if story is None or visit is None:
        return None
    if not desk.drafts:
        first = story.orders[0]
        desk = Desk(drafts=[dict(each) for each in first.drafts], selected=(reference_of(first.drafts[0]),))
    return base_of(visit, desk, _readable(story), story.unreadable, today.day)


def _readable(story: Story) -> Json:
    bundle = story.bundle()
    kept = [each for each in bundle["entry"] if each["resource"]["resourceType"] not in story.unreadable]
    return {**bundle, "entry": kept}


def _valid(question: Question, own_id: str, usual: str) -> str:
    if own_id == RECORDED and usual == RECORDED:
        return RECORDED
    return own_id if question.chosen(own_id) is not None else usual


def _among(value: str, known: tuple[str, ...]) -> str:
    return value if value in known else AS_DRAFTED


def _fact(
    question: Question, case: Base, choices: Mapping[str, str], now: Outcome, of_a_patient: bool, start: str
) -> FactView:
    options = (Option(RECORDED, "As recorded"), *question.option) if of_a_patient else question.option
    chosen = choices[question.id]
    return FactView(
        question.id,
        question.ask,
        chosen != start,
        tuple(
            _choice(
                each.id, each.says, each.id == chosen, outcome(decided(case, {**choices, question.id: each.id})), now
            )
            for each in options
        ),
    )


def _choice(own_id: str, says: str, chosen: bool, leads: Outcome, now: Outcome) -> Choice:
    words = leads.words
    if words == now.words and leads != now:  # the same in a word, and not the same
        words = f"{words} ({leads.rated.lower()})" if leads.rated not in words else f"{words}, otherwise worded"
    return Choice(own_id, says, chosen, words, leads.level, leads == now)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _orders(base: Base, study: str, priority: str, choices: Mapping[str, str], now: Outcome) -> FactView:
    words = wording().study
    offered = [
        (AS_DRAFTED, f"As drafted: {base.order.name}"),
        *((each.value, _capital(words[each.value].name)) for each in Procedure),
    ]
    return FactView(
        "order",
        "Study ordered",
        study != AS_DRAFTED,
        tuple(
            _choice(own, says, own == study, outcome(decided(with_order(base, own, priority), choices)), now)
            for own, says in offered
        ),
    )


def _priorities(base: Base, study: str, priority: str, choices: Mapping[str, str], now: Outcome) -> FactView:
    drafted = PRIORITIES.get(base.order.priority, base.order.priority or "none")
    offered = [(AS_DRAFTED, f"As drafted: {drafted}"), *PRIORITIES.items()]
    return FactView(
        "priority",
        "Priority",
        priority != AS_DRAFTED,
        tuple(
            _choice(own, says, own == priority, outcome(decided(with_order(base, study, own), choices)), now)
            for own, says in offered
        ),
    )


def _leading(advice: Recommendation) -> str:
    row = advice.leading
    if row is None:
        return ""
    label = row.label[0].upper() + row.label[1:]
    return f"{label} (ACR variant {row.variant})" if row.variant is not None else label


def _rating(advice: Recommendation) -> str:
    rating = advice.rating
    if rating is None:
        return f"None: {advice.not_rated_because.replace('-', ' ')}" if advice.not_rated_because else "None"
    words = rating.pama.value.replace("-", " ").capitalize()
    if rating.category is None:
        return words
    score = f", {rating.score} of 9" if rating.score is not None else ""
    return f"{words} (ACR: {rating.category.value.replace('-', ' ')}{score})"
