"""Reads the stories (``chapters/*.toml``), strictly: a word that is not known is a mistake, never ignored.

[[story]]
id       = "juniper"
title    = "Three weeks of low back pain, getting better"
twin     = "larch"
patient  = { given = "Juniper", age = 38, sex = "female" }
text     = "What the clinician knows and wants."
chart    = [{ problem = "low-back-pain", began = "21 days ago" }]
everyday = ["thirties"]                    # entries that every chart is full of (everyday.toml)

[[story.order]]
label   = "MRI, as the patient wishes"
study   = "mri-lumbar-without-contrast"
reasons = ["low-back-pain"]
expect  = { kind = "not-appropriate", indicator = "warning", rating = "not-appropriate" }
# together = ["xr-lumbar"]                 # selected with it, for the same reasons
# beside = ["epidural-injection"]          # drafted in the same session, and not selected
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any

from sandbox.days import shifted
from sandbox.stories.chart import chart_for, encounter, resource_of
from sandbox.stories.fhir_parts import Chart
from sandbox.stories.people import PRACTICES, clinician, practitioner_id
from sandbox.stories.story import DraftOrder, ExpectedCard, Resource, Story
from sandbox.stories.vocabulary import concept

_DAYS_SINCE_BIRTHDAY = 100
_STORY_WORDS = {
    "id", "title", "text", "patient", "chart", "everyday", "order", "twin", "dangerous", "practice", "visit",
    "unreadable",
}  # fmt: skip
_NEEDED = {"id", "title", "text", "patient", "chart", "order", "twin"}
_PATIENT_WORDS = {"given", "age", "sex"}
_ORDER_WORDS = {"label", "hook", "study", "reasons", "priority", "together", "beside", "expect", "note"}
_EXPECT_WORDS = {"kind", "indicator", "rating", "study", "priority", "words", "never", "others", "ratings"}
_LISTS = ("words", "never", "others", "ratings")


class StoryMistake(ValueError):
    """A story that cannot be told as written."""


def load(today: date | None = None) -> tuple[Story, ...]:
    """Every story, in the order of the chapters, with dates relative to ``today`` (this day, in UTC, if not given)."""
    return _load(today or datetime.now(tz=UTC).date())


@lru_cache(maxsize=4)
def _load(today: date) -> tuple[Story, ...]:
    stories = tuple(story_of(entry, chapter, today) for chapter, entry in _entries())
    twins = {story.id: story.twin for story in stories}
    if len(twins) != len(stories):
        raise StoryMistake("two stories have the same id")
    for own, twin in twins.items():
        if twin not in twins:
            raise StoryMistake(f"{own}: there is no story {twin!r}")
    return stories


def _entries() -> Iterator[tuple[str, Mapping[str, Any]]]:
    folder = files("sandbox.stories").joinpath("chapters")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            table = tomllib.loads(file.read_text(encoding="utf-8"))
            for entry in table["story"]:
                yield table["chapter"], entry


@lru_cache(maxsize=1)
def _everyday() -> dict[str, dict[str, list[dict[str, Any]]]]:
    return tomllib.loads(files("sandbox.stories").joinpath("everyday.toml").read_text(encoding="utf-8"))


def story_of(entry: Mapping[str, Any], chapter: str, today: date) -> Story:
    """One story on one day; what cannot be told as written is refused, by name."""
    own = str(entry.get("id", "a story without an id"))
    _only(entry, _STORY_WORDS, own)
    if missing := _NEEDED - set(entry):
        raise StoryMistake(f"{own}: needs {', '.join(sorted(missing))}")
    encounter_id = f"visit-{own}"
    practice = entry.get("practice", "general-practice")
    if practice not in PRACTICES:
        raise StoryMistake(f"{own}: practice is one of {', '.join(PRACTICES)}")
    chart = chart_for(own, encounter_id, today)
    try:
        resources = _resources(entry, chart, practice, today)
        orders = tuple(
            _draft_order(order, number, chart, practice) for number, order in enumerate(entry["order"], start=1)
        )
    except (LookupError, TypeError, ValueError) as problem:
        raise StoryMistake(f"{own}: {problem}") from problem
    return Story(
        id=own,
        chapter=chapter,
        title=entry["title"],
        text=entry["text"],
        dangerous=entry.get("dangerous", False),
        twin=entry["twin"],
        patient_id=own,
        encounter_id=encounter_id,
        practitioner_id=practitioner_id(practice),
        resources=resources,
        orders=orders,
        unreadable=tuple(entry.get("unreadable", ())),
    )


def _resources(entry: Mapping[str, Any], chart: Chart, practice: str, today: date) -> tuple[Resource, ...]:
    lines = [*entry["chart"], *(line for pack in entry.get("everyday", ()) for line in _everyday()[pack]["lines"])]
    numbers: Counter[str] = Counter()
    found: list[Resource] = []
    for line in lines:
        resource = resource_of(line, chart)
        kind = resource.pop("resourceType")
        numbers[kind] += 1
        found.append({"resourceType": kind, "id": f"{chart.patient_id}-{kind.lower()}-{numbers[kind]}", **resource})
    visit = {"kind": "ambulatory", "reason": "low-back-pain", **entry.get("visit", {})}
    begun = encounter(chart, visit["reason"], visit["kind"], chart.day("today"), finished=False)
    begun["participant"] = [{"individual": {"reference": f"Practitioner/{practitioner_id(practice)}"}}]
    patient = _patient(entry["patient"], chart.patient_id, today)
    today_visit = {"resourceType": begun.pop("resourceType"), "id": chart.encounter_id, **begun}
    return (patient, *found, today_visit, *clinician(practice))


def _patient(stated: Mapping[str, Any], own: str, today: date) -> Resource:
    _only(stated, _PATIENT_WORDS, own)
    birthday = shifted(shifted(today, -_DAYS_SINCE_BIRTHDAY, "day"), -int(stated["age"]), "year")
    return {
        "resourceType": "Patient",
        "id": own,
        "identifier": [{"system": "https://sandbox.example.org/patients", "value": f"SANDBOX-{own.upper()}"}],
        "active": True,
        "name": [{"use": "official", "family": "Testcase", "given": [stated["given"]]}],
        "gender": stated["sex"],
        "birthDate": birthday.isoformat(),
    }


def _draft_order(entry: Mapping[str, Any], number: int, chart: Chart, practice: str) -> DraftOrder:
    _only(entry, _ORDER_WORDS, f"order {number}")
    requester = f"Practitioner/{practitioner_id(practice)}"
    own = f"{chart.patient_id}-order-{number}"
    together = (entry["study"], *entry.get("together", ()))
    words = (*together, *entry.get("beside", ()))
    drafts = [_draft(word, own if at == 1 else f"{own}-{at}", chart, requester) for at, word in enumerate(words, 1)]
    for draft in drafts[: len(together)]:
        draft["priority"] = entry.get("priority", "routine")
        if reasons := entry.get("reasons"):
            draft["reasonCode"] = [concept(reason) for reason in reasons]
    if note := entry.get("note"):
        drafts[0]["note"] = [{"text": note}]
    return DraftOrder(
        id=f"{chart.patient_id}-{number}",
        label=entry["label"],
        hook=entry.get("hook", "order-select"),
        study=entry["study"],
        drafts=tuple(drafts),
        expected=_expected(entry["expect"], own),
        selected=len(together),
    )


def _draft(word: str, own: str, chart: Chart, requester: str) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": own,
        "status": "draft",
        "intent": "order",
        "code": concept(word),
        "subject": chart.subject,
        "encounter": {"reference": f"Encounter/{chart.encounter_id}"},
        "authoredOn": chart.day("today"),
        "requester": {"reference": requester},
    }


def _expected(stated: Mapping[str, Any], where: str) -> ExpectedCard:
    _only(stated, _EXPECT_WORDS, where)
    lists = {name: tuple(stated[name]) for name in _LISTS if name in stated}
    return ExpectedCard(**{**stated, **lists})


def _only(table: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := set(table) - known:
        raise StoryMistake(f"{where}: unknown word {sorted(unknown)[0]!r}; known are {', '.join(sorted(known))}")
