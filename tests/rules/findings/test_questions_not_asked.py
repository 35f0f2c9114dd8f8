"""A question that the record says nothing to is not asked: its answer is always what asking would have brought."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from msgspec.structs import replace

import rules.findings
from rules.concepts import CONCEPTS
from rules.dates import DateInterval
from rules.facts import AgeRange, Fact, FactKind
from rules.finding import Findings
from tests.rules.findings.builders import TODAY, fact, order, reason
from tests.rules.findings.test_properties_of_findings import STATES, ages, answered, orders, records

AGES = (AgeRange(16, 16), AgeRange(78, 78))
VALUES = (None, 39.2, 250.0)
KINDS = (FactKind.CONDITION, FactKind.OBSERVATION, FactKind.PROCEDURE, FactKind.MEDICATION, FactKind.REQUEST,
         FactKind.REPORT, FactKind.DEVICE)  # fmt: skip
OF_ONE_GROUP = {"statement", "deferred"}  # the entry itself is the answer: without one there is nothing to ask
REASONS: tuple[list[Fact], ...] = ([], [reason("low-back-pain")], [reason("red-flags-checked-none")])


def _all_asked(held: list[Fact], draft, age) -> Findings:
    """The answers when every question is asked, whatever the record holds."""
    asked = rules.findings._questions_touched
    rules.findings._questions_touched = lambda facts: asked(facts) | (set(rules.findings._READ_BY) - OF_ONE_GROUP)
    try:
        return answered(held, draft, age)
    finally:
        rules.findings._questions_touched = asked


def _told(findings: Findings) -> Findings:
    """Aftercare of an old fracture is told under the strength of the bone; alone it says nothing of a recent trauma."""
    return replace(findings, major_trauma=replace(findings.major_trauma, considered=()))


@given(records(), orders, ages)
def test_leaving_out_questions_never_changes_an_answer(held, draft, age):
    assert _told(answered(held, draft, age)) == _told(_all_asked(held, draft, age))


@pytest.mark.parametrize("concept", sorted(CONCEPTS))
def test_one_entry_alone_reaches_every_question_that_reads_it(concept: str):
    for kind, ago, present, value, age, reasons in product(KINDS, (0, 400), (True, False), VALUES, AGES, REASONS):
        day = TODAY - timedelta(days=ago)
        entry = fact(
            concept,
            DateInterval(day, day),
            kind,
            present=present,
            value=value,
            grade=3 if concept == "muscle-strength" else None,
            site="ankle-dorsiflexion" if concept == "muscle-strength" else "",
            side="left",
            state=STATES.get(kind, ("",))[0],
            days_supplied=90,
        )
        draft = order(list(reasons))
        asked, all_asked = answered([entry], draft, age), _all_asked([entry], draft, age)
        assert _told(asked) == _told(all_asked), (kind, ago, present, value, age)
