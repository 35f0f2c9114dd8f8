"""A date or a number of days that stands for "for ever", or is a slip, ends no call."""

from datetime import date

import pytest

from rules.dates import DateInterval, days_after, days_before
from rules.facts import Fact
from rules.recommend import recommend
from tests.cards.builders import GUIDELINES
from tests.rules.findings.builders import BACK_PAIN_ORDER, fact, picture, taken

NEVER = DateInterval(date.max, date.max)
FIRST = DateInterval(date.min, date.min)
FAR_TOO_MANY = 10**12


@pytest.mark.parametrize(
    ("days", "before", "after"),
    [
        (0, date(2026, 11, 23), date(2026, 11, 23)),
        (1, date(2026, 11, 22), date(2026, 11, 24)),
        (-1, date(2026, 11, 24), date(2026, 11, 22)),
        (800_000, date.min, date(4217, 3, 22)),
        (FAR_TOO_MANY, date.min, date.max),
        (-FAR_TOO_MANY, date.max, date.min),
        (1e308, date.min, date.max),
    ],
)
def test_days_beyond_all_dates_are_the_first_or_the_last(days, before, after):
    assert days_before(date(2026, 11, 23), days) == before
    assert days_after(date(2026, 11, 23), days) == after


@pytest.mark.parametrize(
    "facts",
    [
        [fact("symptom-duration", 1, value=800_000.0)],
        [fact("symptom-duration", 1, value=1e12), taken("nsaid", 20, days_supplied=FAR_TOO_MANY)],
        [taken("other-analgesic", NEVER)],
        [taken("nsaid", NEVER), taken("nsaid", FIRST, ended=NEVER)],
        [taken("nsaid", 20, days_supplied=FAR_TOO_MANY), taken("nsaid", FIRST, days_supplied=FAR_TOO_MANY)],
        [fact("low-back-pain", FIRST)],
        [fact("low-back-pain", FIRST, ended=NEVER), fact("low-back-pain", DateInterval(None, date.min))],
        [taken("systemic-corticosteroid", 100, ended=NEVER), taken("systemic-corticosteroid", 50, ended=NEVER)],
    ],
    ids=lambda facts: ", ".join(each.concept for each in facts),
)
def test_such_entries_of_a_record_leave_an_advice(facts: list[Fact]):
    back_pain = fact("low-back-pain", 10, ref="Condition/back")
    for several in (facts, [back_pain, *facts]):
        assert recommend(BACK_PAIN_ORDER, picture(*several), GUIDELINES).rating is not None
