"""Facts that can be changed: what the "what if" page offers, and a patient's picture with some of it taken up."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from rules.concepts import GROUPS
from rules.dates import DateInterval
from rules.draft_order import DraftOrder
from rules.evidence import Evidence
from rules.facts import AgeRange, ClinicalPicture, Fact, FactKind

RECORDED = "recorded"  # leave it as the record has it


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of a record that an option stands for."""

    concept: str
    kind: str
    says: str
    days_ago: int | None = None
    value: float | None = None
    grade: int | None = None
    side: str = ""
    site: str = ""
    course: str = ""
    state: str = ""
    current: bool = True
    suspected: bool = False


class Option(Struct, frozen=True, forbid_unknown_fields=True):
    """One answer to a question about the patient."""

    id: str
    says: str
    entries: tuple[Entry, ...] = ()
    age: int | None = None
    sex: str = ""
    specialist: bool | None = None


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that can be different, and the concept groups whose entries it takes the place of."""

    id: str
    ask: str
    groups: tuple[str, ...]
    usual: str
    option: tuple[Option, ...]

    def chosen(self, own_id: str) -> Option | None:
        """The option of this id; none where the record is left as it is."""
        return next((each for each in self.option if each.id == own_id), None)

    @property
    def concepts(self) -> frozenset[str]:
        """Everything that this question takes out of a record before an option is put in."""
        return frozenset(concept for group in self.groups for concept in GROUPS[group].concepts)


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """A case worth a look."""

    says: str
    choices: dict[str, str]


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    fact: tuple[Question, ...]
    example: tuple[Example, ...]


def questions() -> tuple[Question, ...]:
    """What can be changed, in the order of the page."""
    return _file().fact


def examples() -> tuple[Example, ...]:
    """Cases worth a look."""
    return _file().example


@lru_cache(maxsize=1)
def _file() -> _File:
    text = files("sandbox.ehr").joinpath("what_if.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _File, strict=True)


class Hypothetical(Struct, frozen=True):
    """A picture and an order in which some facts have been changed."""

    picture: ClinicalPicture
    order: DraftOrder


def changed(picture: ClinicalPicture, order: DraftOrder, choices: Mapping[str, str]) -> Hypothetical:
    """The same patient and order with these options taken; what is left "recorded" stays as it is."""
    taken = [(each, option) for each in questions() if (option := each.chosen(choices.get(each.id, RECORDED)))]
    gone = frozenset(concept for question, _ in taken for concept in question.concepts)
    facts = [fact for fact in picture.facts if fact.concept not in gone]
    age, sex = picture.age, picture.sex
    specialties, specialist = picture.requester_specialties, picture.encounter_specialist
    for question, option in taken:
        facts += [
            _fact(entry, f"{question.id}-{number}", picture) for number, entry in enumerate(option.entries, start=1)
        ]
        sex = option.sex or sex
        if option.age is not None:
            age = AgeRange(option.age, option.age)
        if option.specialist is not None:
            specialties, specialist = (), option.specialist
    return Hypothetical(
        msgspec.structs.replace(
            picture,
            facts=tuple(facts),
            age=age,
            sex=sex,
            requester_specialties=specialties,
            encounter_specialist=specialist,
        ),
        msgspec.structs.replace(order, reasons=tuple(each for each in order.reasons if each.concept not in gone)),
    )


def _fact(entry: Entry, own_id: str, picture: ClinicalPicture) -> Fact:
    began = None if entry.days_ago is None else _on(picture.as_of - timedelta(days=entry.days_ago))
    dated = "" if began is None or began.latest is None else began.latest.isoformat()
    return Fact(
        concept=entry.concept,
        kind=FactKind(entry.kind),
        evidence=Evidence(f"What-if/{own_id}", entry.says, dated, ("suspected",) if entry.suspected else ()),
        suspected=entry.suspected,
        current=entry.current,
        began=began,
        value=entry.value,
        grade=entry.grade,
        side=entry.side,
        site=entry.site,
        course=entry.course,
        state=entry.state,
    )


def _on(day: date) -> DateInterval:
    return DateInterval(day, day)


def nobody(day: date) -> ClinicalPicture:
    """Somebody of whom nothing is known before a fact is chosen."""
    return ClinicalPicture(as_of=day, facts=(), sex="male")
