"""The story of a decision: facts, questions and answers, the row that decided, what would have changed it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from click import unstyle
from msgspec.structs import replace

from audit_trail.packing import packed, unpacked
from audit_trail.record import DecisionRecord, FeedbackItem
from audit_trail.story import Happened, Section, Story, story_of
from audit_trail.story_words import rating_in_words
from cds_service.story_text import story_lines
from sandbox.samples import samples
from tests.audit_trail.recorded import NOON, recorded
from tests.cds_service.service_under_test import a_call

CALLS = [name for name, sample in samples().items() if sample.kind == "requests"]


def record_of(name: str) -> DecisionRecord:
    text = samples()[name].filled(NOON.date(), lambda: "11111111-1111-4111-8111-111111111111")
    return recorded(json.loads(text))


def sections(story: Story) -> dict[str, Section]:
    return {section.title: section for section in story.sections}


def text_of(section: Section) -> str:
    return "\n".join([*section.text, *section.points, *("; ".join(row) for row in section.rows)])


@pytest.mark.parametrize("name", CALLS)
def test_every_judged_order_is_told_with_its_facts_its_questions_and_its_row(name: str) -> None:
    record = record_of(name)
    story = story_of(record)
    titles = [section.title for section in story.sections]
    assert titles[0] == "The call"
    assert titles[-1] == "By what it was made"
    for part in ("The order", "The facts", "Questions and answers", "The row that decided"):
        assert sum(title.startswith(part) for title in titles) == len(record.orders)
    advice = msgspec.json.decode(unpacked(record.details)).get("advice", []) if record.details else []
    told = "\n".join(text_of(section) for section in story.sections)
    for each in advice:
        assert each["leading"]["label"] in told
        for finding in each["findings"].values():
            if isinstance(finding, dict) and finding.get("answer") == "yes":
                assert all(evidence["says"] in told for evidence in finding["because"])
    for card in json.loads(unpacked(record.answer)).get("cards", []):
        assert card["summary"] in told


def test_the_story_of_an_emergency() -> None:
    story = story_of(record_of("saddle-numbness-and-retention-radiograph"))
    parts = sections(story)
    assert "Act now" in story.lead
    assert any("Saddle" in point or "saddle" in point for point in parts["The facts"].points)
    questions = {row[0]: row for row in parts["Questions and answers"].rows}
    assert questions["Is cauda equina syndrome suspected?"][1].startswith("yes: suspected")
    row = text_of(parts["The row that decided"])
    assert "The first row that fits leads: " in row
    assert "[ACR Low Back Pain 2021, variant 4" in row
    assert "Urgency: emergency." in row
    assert "not weighed against further answers" in text_of(parts["What would have changed it"])


def test_what_would_have_changed_it_and_what_was_presumed() -> None:
    parts = sections(story_of(record_of("acute-low-back-pain-three-weeks-mri")))
    assert "new bladder, bowel, saddle or two-leg symptoms: then usually appropriate, an emergency, today" in (
        parts["What would have changed it"].points
    )
    assert "Presumed absent, because nothing is on record: " in text_of(parts["Questions and answers"])


def test_what_could_not_be_read_is_part_of_the_story() -> None:
    parts = sections(story_of(record_of("problem-list-could-not-be-read-mri")))
    assert "Condition: failed" in text_of(parts["What could not be read"])


def test_feedback_is_told_in_the_order_of_what_happened_with_reason_and_comment() -> None:
    record = record_of("acute-low-back-pain-three-weeks-mri")
    card = record.cards[0].uuid
    first = FeedbackItem(
        card=card,
        outcome="overridden",
        reason_code="planned-procedure",
        comment="injection on Friday",
        outcome_timestamp="2026-11-25T12:05:00Z",
    )
    then = FeedbackItem(card=card, outcome="accepted", outcome_timestamp="2026-11-25T13:00:00Z")
    late = [Happened(then, NOON + timedelta(hours=2)), Happened(first, NOON + timedelta(hours=3))]
    rows = sections(story_of(record, late))["What happened next"].rows
    assert rows == (
        ("2026-11-25 12:05 UTC", "overridden", "A procedure is planned; “injection on Friday”"),
        ("2026-11-25 13:00 UTC", "accepted", "no reason given"),
    )


OTHERS: dict[str, tuple[DecisionRecord, str]] = {
    "left alone": (record_of("head-ct-stays-silent"), "nothing was assessed and no chart was opened"),
    "refused": (recorded({**a_call(), "prefetch": {}}), "The call was not answered: status 412, PatientUnavailable."),
    "pruned": (replace(recorded(a_call()), details=b"", answer=b"", request=b""), "no card was needed"),
    "damaged": (replace(recorded(a_call()), details=b"damaged"), "it said: Check red flags"),
    "silent client": (replace(recorded(a_call()), silent=True), "it said: Check red flags"),
    "of a later version": (
        replace(recorded(a_call()), details=packed(b'{"advice":[],"picture":{"of":"another time"},"more":1}')),
        "it said: Check red flags",
    ),
}


@pytest.mark.parametrize(("record", "lead"), OTHERS.values(), ids=list(OTHERS))
def test_every_record_has_a_story(record: DecisionRecord, lead: str) -> None:
    story = story_of(record)
    assert lead in story.lead
    assert list(story_lines(story))


@pytest.mark.parametrize("width", ["60", "80", "120"])
@pytest.mark.parametrize("name", CALLS)
def test_no_line_is_wider_than_the_terminal_nor_ends_in_a_blank(
    name: str, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    for line in story_lines(story_of(record_of(name))):
        plain = unstyle(line)
        assert len(plain) <= int(width)
        assert plain == plain.rstrip()


def test_what_a_record_says_cannot_steer_a_terminal() -> None:
    call: dict[str, Any] = a_call()
    call["context"]["draftOrders"]["entry"][0]["resource"]["reasonCode"] = [{"text": "low back pain \x1b[2J\x07"}]
    lines = "".join(unstyle(line) for line in story_lines(story_of(recorded(call))))
    assert "\x1b" not in lines
    assert "\x07" not in lines


@pytest.mark.parametrize(
    ("guideline", "said"),
    [
        ("acr", "The order was rated not-appropriate (1 of 9, usually not appropriate) by ACR."),
        ("acp", "The order was rated not-appropriate by ACP (ACR: 1 of 9, usually not appropriate)."),
    ],
)
def test_the_steps_of_acr_are_not_called_those_of_whoever_decided(guideline: str, said: str) -> None:
    rating = {"pama": "not-appropriate", "score": 1, "category": "usually-not-appropriate", "guideline": guideline}
    assert rating_in_words(rating, "") == said
