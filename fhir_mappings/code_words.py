"""What the words of a code add to it, or say where no code is known."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from fhir_mappings.elements import CodeableConcept
from fhir_mappings.text_reading import Mention, read_text
from rules.concepts import CONCEPTS, GROUPS
from rules.dates import DayRange

# What the rules read, and what the readers need to know in order to say it.
READ_CONCEPTS = CONCEPTS | frozenset(
    {
        "bpi-pain-interference", "chronic-kidney-disease", "ckd-3", "pain-intensity", "pain-severity-nrs",
        "pain-severity-vas", "peg-score", "pregnancy-status", "promis-pain-interference", "promis-physical-function",
        "symptom-onset",
    }
)  # fmt: skip
# Contrast agents: a hazard as an allergy, and none as a medicine that was given.
CONTRAST = frozenset(
    concept
    for name in ("contrast-reaction-gadolinium", "contrast-reaction-iodinated", "contrast-reaction-unspecified")
    for concept in GROUPS[name].concepts
)
# Words that tell an unread problem of the back or of the legs from any other.
BACK_WORDS = re.compile(
    r"back|lumb|spin|sciat|radic|vertebr|disc|disk|\blbp\b|\bleg|\bfoot|feet|numb|weak|sacr|coccy|buttock",
    re.IGNORECASE,
)
FROM_TEXT = "from text"
# One clause about relatives, whatever the disease: family history never counts, so it need not be understood.
_FAMILY_HISTORY = re.compile(r"\s*(?:family (?:history|hx)|fhx?|f/h)\b[^;,.\n]*", re.IGNORECASE)
_LONGEST_SIDED = 4000  # characters
_MOST_DISPLAYS = 16  # one concept under more codings than this is no record that a person made
_BOTH = re.compile(r"\b(?:bilateral|bilaterally|both)\b", re.IGNORECASE)
_LEFT = re.compile(r"\b(?:left|lt)\b", re.IGNORECASE)
_RIGHT = re.compile(r"\b(?:right|rt)\b", re.IGNORECASE)
_AND = re.compile(r"\b(?:and|&)\b|\+", re.IGNORECASE)


class Statement(Struct, frozen=True, gc=False):
    """One thing that a code or its text says. ``days_ago`` and ``since``: when it began, as the text has it."""

    concept: str
    present: bool = True
    suspected: bool = False
    history: bool = False
    side: str = ""
    site: str = ""
    course: str = ""
    marks: tuple[str, ...] = ()
    days_ago: DayRange | None = None
    since: str = ""
    grade: int | None = None

    @property
    def says_since_when(self) -> bool:
        """Do the words themselves say when it began?"""
        return self.days_ago is not None or bool(self.since)


def side_of(text: str) -> str:
    """Left, right or bilateral, where the words say exactly one of them. Of an endless text nothing is read."""
    if len(text) > _LONGEST_SIDED:
        return ""
    if _BOTH.search(text):
        return "bilateral"
    left, right = _LEFT.search(text) is not None, _RIGHT.search(text) is not None
    if left and right:
        return "bilateral" if _AND.search(text) else ""
    return "left" if left else "right" if right else ""


def texts_of(concept: CodeableConcept) -> tuple[str, ...]:
    """What may be read where no code is known: the text, else the displays."""
    if concept.text and concept.text.strip():
        return (concept.text,)
    codings = (concept.coding or ())[:_MOST_DISPLAYS]
    displays = (each.display for each in codings if each is not None)
    return tuple(dict.fromkeys(display for display in displays if display and display.strip()))


def statements_in(texts: Sequence[str], from_display: bool) -> tuple[Statement, ...] | None:
    """What the first text that is understood says of this patient; ``None``: none is understood.

    The display of a code that we do not know may name a problem; it is never evidence that something is absent.
    """
    for text in texts:
        reading = read_text(text)
        if reading is not None:
            own = (mention for mention in reading.mentions if not mention.family and mention.concept in READ_CONCEPTS)
            return tuple(_statement(mention) for mention in own if mention.present or not from_display)
    return () if any(map(_FAMILY_HISTORY.fullmatch, texts)) else None


def _statement(mention: Mention) -> Statement:
    return Statement(
        concept=mention.concept,
        present=mention.present,
        suspected=mention.suspected,
        history=mention.history,
        side=mention.side,
        site=mention.site,
        course=mention.course,
        marks=(FROM_TEXT,),
        days_ago=mention.days_ago,
        since=mention.since,
        grade=mention.grade,
    )


def extra_mentions(concept: CodeableConcept) -> tuple[Mention, ...]:
    """What the text adds to known codings: nothing where it only repeats a display, or is not understood."""
    text = (concept.text or "").strip()
    displays = [each.display.strip() for each in concept.coding or () if each is not None and each.display]
    if not text or text in displays:
        return ()
    reading = read_text(text)
    return () if reading is None else reading.mentions


def contradicts(statement: Statement, mentions: tuple[Mention, ...]) -> bool:
    """The text denies what the code states, or says that it concerns a relative."""
    if not mentions:
        return False
    if all(mention.family for mention in mentions):
        return True
    same = [mention for mention in mentions if mention.concept == statement.concept]
    if same:
        return all(mention.present != statement.present or mention.family for mention in same)
    return statement.present and all(not mention.present for mention in mentions)


def with_words(statement: Statement, mentions: tuple[Mention, ...], side: str) -> Statement:
    """The code's statement with what its text adds: side, suspicion, history, course, time."""
    meant = [mention for mention in mentions if mention.concept == statement.concept] or list(mentions)
    if not meant and (not side or statement.side):
        return statement
    return Statement(
        concept=statement.concept,
        present=statement.present,
        suspected=statement.suspected or (bool(meant) and all(mention.suspected for mention in meant)),
        history=statement.history or (bool(meant) and all(mention.history for mention in meant)),
        side=statement.side or side or next((mention.side for mention in meant if mention.side), ""),
        site=statement.site or next((mention.site for mention in meant if mention.site), ""),
        course=statement.course or next((mention.course for mention in meant if mention.course), ""),
        marks=statement.marks,
        days_ago=next((mention.days_ago for mention in meant if mention.days_ago is not None), None),
        since=next((mention.since for mention in meant if mention.since), ""),
        grade=next((mention.grade for mention in meant if mention.grade is not None), None),
    )
