"""The start: everything is read and tried before the first call, and what is left out is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import cds_service.rehearsal as rehearsal
from cds_service.collaborators import GuidelinesByDay, build_collaborators
from cds_service.consultation import Consultation
from cds_service.rehearsal import RehearsalFailed, rehearse
from cds_service.settings import Settings
from tests.clinic import usual_tools

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("settings", "left_out"),
    [
        pytest.param(Settings(), 0, id="everything"),
        pytest.param(Settings(without_cpt=True), 1, id="without-cpt"),
        pytest.param(Settings(without_licensed_snomed=True), 1, id="without-licensed-snomed"),
        pytest.param(Settings(without_cpt=True, without_licensed_snomed=True), 2, id="without-both"),
        pytest.param(Settings(rating_guideline="nice"), 0, id="nice-rates"),
        pytest.param(Settings(rating_guideline="acp"), 0, id="acp-rates"),
    ],
)
def test_the_service_starts_and_says_what_it_cannot_recognise(settings: Settings, left_out: int) -> None:
    tools = build_collaborators(settings, NOW.date())
    rehearse(tools, NOW)
    said: Any = tools.health().get("notRecognised", [])
    assert len(said) == left_out
    assert all(each["codes"] > 0 and each["system"] for each in said)


def test_a_service_that_has_nothing_to_say_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Consultation(answer=b'{"cards":[]}', hook_differs=False)
    monkeypatch.setattr(rehearsal, "consult", lambda *_: silent)
    with pytest.raises(RehearsalFailed):
        rehearse(usual_tools(), NOW)


def test_guidelines_are_those_of_the_day_and_few_days_are_kept() -> None:
    by_day = GuidelinesByDay(Settings())
    first = by_day.on(date(2026, 3, 1))
    assert by_day.on(date(2026, 3, 1)) is first
    for ahead in range(12):
        by_day.on(date(2026, 3, 1) + timedelta(days=ahead))
    assert len(by_day._loaded) <= GuidelinesByDay.DAYS_KEPT
