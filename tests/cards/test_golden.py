"""Every kind of card as a file that a clinician can read; UPDATE_GOLDEN=1 writes them anew."""

import os
from pathlib import Path

import pytest

from cards.card import Answer
from tests.cards.builders import UPDATE_ONLY, cards
from tests.cards.situations import situations

GOLDEN = Path(__file__).parent / "golden"
CASES = situations()
# What the client that only updates sees differs in its buttons.
UPDATE_ONLY_CASES = (
    "not_appropriate_red_flags_not_recorded",
    "answer_missing_candidate",
    "prior_imaging",
    "deferred",
    "emergency_with_pacemaker",
    "appropriate_planned_injection",
)


def readable(answer: Answer) -> str:
    """An answer as text: what is read, what can be clicked, what it does."""
    lines: list[str] = []
    for card in answer.cards:
        lines += [f"[{card.indicator}] {card.summary}", "", card.detail, ""]
        for suggestion in card.suggestions:
            lines.append(f"{'(*)' if suggestion.is_recommended else '( )'} {suggestion.label}")
            lines += [f"      {action.type}: {action.description}" for action in suggestion.actions]
        lines += [f"-> {link.label}: {link.url}" for link in card.links]
        lines += [f"disagree: {reason.display}" for reason in card.override_reasons]
        if card.source is not None:
            lines.append(f"source: {card.source.label}")
        lines.append("")
    for action in answer.system_actions:
        assert action.resource is not None
        codings = action.resource["extension"][-3]["valueCodeableConcept"]["coding"]
        lines.append("rating: " + ", ".join(coding["code"] for coding in codings))
    return "\n".join(lines) + "\n"


def matches(name: str, text: str) -> bool:
    path = GOLDEN / f"{name}.md"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", CASES)
def test_a_card_reads_as_agreed(name):
    text = readable(cards(CASES[name]))
    assert matches(name, text), text


@pytest.mark.parametrize("name", UPDATE_ONLY_CASES)
def test_a_client_that_only_updates_gets_buttons_that_work_for_it(name):
    answer = cards(CASES[name], rendering=UPDATE_ONLY)
    actions = {action.type for card in answer.cards for each in card.suggestions for action in each.actions}
    assert actions <= {"update"}
    text = readable(answer)
    assert matches(f"{name}.update_only", text), text


def test_no_golden_file_is_left_over():
    expected = {f"{name}.md" for name in CASES} | {f"{name}.update_only.md" for name in UPDATE_ONLY_CASES}
    assert {path.name for path in GOLDEN.glob("*.md")} == expected
