"""The words of the patient's page, one file for each language, loaded strictly."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import msgspec
from msgspec import Struct

LANGUAGES: Final = ("en", "es")


class TextError(ValueError):
    """Text that cannot be shown; the message names the file and what is wrong."""


class Sentence(Struct, frozen=True, forbid_unknown_fields=True):
    """One point of a list, and the facts that it states."""

    says: str
    facts: tuple[str, ...] = ()


class Dates(Struct, frozen=True, forbid_unknown_fields=True):
    """How a day is written."""

    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    form: str

    def written(self, day: date) -> str:
        """The day, with its weekday."""
        return self.form.format(
            weekday=self.weekdays[day.weekday()], day=day.day, month=self.months[day.month - 1], year=day.year
        )


class PageWords(Struct, frozen=True, forbid_unknown_fields=True):
    """What frames the page."""

    title: str
    lead: str
    print: str
    other_language: str
    skip: str


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A heading and its points."""

    heading: str
    items: tuple[Sentence, ...]
    intro: str = ""
    outro: str = ""


class NextVisit(Struct, frozen=True, forbid_unknown_fields=True):
    """The day to come back, or why it is not there."""

    heading: str
    come_back: str
    was_due: str
    passed: str
    write_date: str
    not_known: str
    not_now: str
    items: tuple[Sentence, ...]


class Why(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a picture can wait; ``imaged``: where one has been taken."""

    heading: str
    items: tuple[Sentence, ...]
    imaged: tuple[Sentence, ...]


class Ask(Struct, frozen=True, forbid_unknown_fields=True):
    """What to ask."""

    heading: str
    question: str
    items: tuple[Sentence, ...]
    notes: str


class Mark(Struct, frozen=True, forbid_unknown_fields=True):
    """A sign to draw on the map, and what it means."""

    mark: str
    says: str


class MapWords(Struct, frozen=True, forbid_unknown_fields=True):
    """The symptom map."""

    heading: str
    intro: str
    front: str
    back: str
    right: str
    left: str
    drawing: str
    marks_heading: str
    marks: tuple[Mark, ...]
    questions: tuple[str, ...]
    weeks_heading: str
    weeks: str
    columns: tuple[str, ...]


class About(Struct, frozen=True, forbid_unknown_fields=True):
    """What this page is."""

    heading: str
    items: tuple[Sentence, ...]
    version: str


class Texts(Struct, frozen=True, forbid_unknown_fields=True):
    """All words of the patient's page in one language."""

    language: str
    name: str
    direction: Literal["ltr", "rtl"]
    date: Dates
    page: PageWords
    now: Section
    today: Section
    next: NextVisit
    usual: Section
    why: Why
    when: Section
    ask: Ask
    map: MapWords
    about: About

    def sentences(self) -> tuple[Sentence, ...]:
        """Every point of every list."""
        return (
            *self.now.items,
            *self.today.items,
            *self.next.items,
            *self.usual.items,
            *self.why.imaged,
            *self.why.items,
            *self.when.items,
            *self.ask.items,
            *self.about.items,
        )


@cache
def texts(language: str) -> Texts:
    """The words of the patient's page in a language of ``LANGUAGES``."""
    path = files("leaflets").joinpath("texts", f"{language}.toml")
    return read_texts(path.read_text(encoding="utf-8"), f"{language}.toml")


def read_texts(text: str, name: str) -> Texts:
    """Words from TOML text; raises :class:`TextError` for what a page would lack."""
    try:
        loaded = msgspec.convert(tomllib.loads(text), Texts, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise TextError(f"{name}: {problem}") from problem
    if len(loaded.date.weekdays) != 7 or len(loaded.date.months) != 12:
        raise TextError(f"{name}: a week has 7 days and a year 12 months")
    try:
        loaded.date.written(date(2026, 1, 5))
    except (KeyError, IndexError, ValueError) as problem:
        raise TextError(f"{name}: date.form: {problem!r}") from problem
    return loaded
