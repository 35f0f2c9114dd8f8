"""A story with a mistake in it is refused: a word that is ignored would make a chart say something else."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest

from sandbox.stories.chart import resource_of
from sandbox.stories.fhir_parts import Chart, UnreadableLine
from sandbox.stories.reading import StoryMistake, story_of

DAY = date(2026, 3, 31)
GOOD: dict[str, Any] = {
    "id": "a-story",
    "title": "A title",
    "text": "One sentence. Another.",
    "twin": "another",
    "patient": {"given": "Pebble", "age": 40, "sex": "female"},
    "chart": [{"problem": "low-back-pain", "began": "3 days ago"}],
    "order": [
        {"label": "MRI", "study": "mri-lumbar-without-contrast", "reasons": ["low-back-pain"], "expect": {"kind": ""}}
    ],
}


def changed(**more: Any) -> dict[str, Any]:
    return {name: value for name, value in {**copy.deepcopy(GOOD), **more}.items() if value is not None}


def test_the_story_itself_is_read() -> None:
    story = story_of(GOOD, "A chapter", DAY)
    assert story.patient["birthDate"] == "1985-12-21"
    assert story.orders[0].selections == ("ServiceRequest/a-story-order-1",)


@pytest.mark.parametrize(
    "spoilt",
    [
        changed(colour="red"),
        changed(text=None),
        changed(practice="circus"),
        changed(everyday=["nineties"]),
        changed(chart=[{"mood": "good"}]),
        changed(chart=[{"problem": "no-such-word"}]),
        changed(chart=[{"problem": "low-back-pain", "began": "lately"}]),
        changed(chart=[{"problem": "low-back-pain", "since": "3 days ago"}]),
        changed(patient={"given": "Pebble", "age": 40, "sex": "female", "shoe": 42}),
        changed(order=[{**GOOD["order"][0], "expect": {"kind": "", "colour": "red"}}]),
        changed(order=[{**GOOD["order"][0], "study": "no-such-study"}]),
        changed(order=[{"label": "nothing"}]),
    ],
    ids=lambda spoilt: ",".join(name for name in {**GOOD, **spoilt} if spoilt.get(name) != GOOD.get(name)),
)
def test_a_mistake_is_refused_and_names_the_story(spoilt: dict[str, Any]) -> None:
    with pytest.raises(StoryMistake, match="a-story"):
        story_of(spoilt, "A chapter", DAY)


@pytest.mark.parametrize(("value", "code"), [(3, "N"), (9, "H"), (0.5, "L")], ids=["within", "above", "below"])
def test_a_result_is_marked_by_its_reference_range(value: float, code: str) -> None:
    chart = Chart("p", lambda words: "2026-03-31", "v")
    line = {"lab": "crp", "value": value, "unit": "mg/L", "normal": "1-5", "on": "today"}
    assert resource_of(line, chart)["interpretation"][0]["coding"][0]["code"] == code


def test_an_empty_line_is_refused() -> None:
    with pytest.raises(UnreadableLine):
        resource_of({}, Chart("p", lambda words: "2026-03-31", "v"))
