"""What the code of an entry says: by its codings, else by its text, worked out once for every way of writing it.

Records repeat the same few codes thousands of times, byte for byte; the bytes are the key of a bounded memo.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from msgspec import Raw, Struct

from fhir_mappings.body_site_words import sites_in_words
from fhir_mappings.elements import CodeableConcept, Unreadable, concept_in, concepts_in
from fhir_mappings.medicines import concepts_of_medicine
from fhir_mappings.order_recognition import recognise
from fhir_mappings.own_codes import Observable
from fhir_mappings.record_text import shown
from fhir_mappings.terminology import Terminology
from fhir_mappings.text_reading import Mention, has_red_flag_stem, read_text
from rules.concepts import CONCEPTS, GROUPS
from rules.dates import DayRange

T = TypeVar("T")

_MEMO_ENTRIES = 4096
_LONGEST_KEY = 1024  # bytes; a longer code is read each time
_BOTH = re.compile(r"\b(?:bilateral|bilaterally|both)\b", re.IGNORECASE)
_LEFT = re.compile(r"\b(?:left|lt)\b", re.IGNORECASE)
_RIGHT = re.compile(r"\b(?:right|rt)\b", re.IGNORECASE)


class Memo(Generic[T]):
    """Readings by the raw JSON they were made from; emptied when full, so that callers cannot make it grow."""

    def __init__(self, read: Callable[[Raw], T]) -> None:
        self._read = read
        self._found: dict[bytes, T] = {}
        self.get = self._found.get

    def of(self, raw: Raw) -> T:
        """The reading of this JSON."""
        key = bytes(raw)
        found = self._found.get(key)
        if found is None:
            found = self._read(raw)
            if len(key) <= _LONGEST_KEY:
                if len(self._found) >= _MEMO_ENTRIES:
                    self._found.clear()
                self._found[key] = found
        return found


class Statement(Struct, frozen=True, gc=False):
    """One thing that a code or its text says."""

    concept: str
    present: bool = True
    suspected: bool = False
    history: bool = False
    side: str = ""
    site: str = ""
    course: str = ""
    marks: tuple[str, ...] = ()
    days_ago: DayRange | None = None  # when it began, before the entry's own date
    since: str = ""  # a partial date at which it began
    grade: int | None = None


class CodeReading(Struct, frozen=True, gc=False):
    """A CodeableConcept, read.

    ``observable`` is set for one of our own codes that asks for a value. ``only_observable``: its codes name something
    to be measured or looked at (LOINC), so that without a value nothing is said. ``unread``: it says something that we
    do not understand. ``contradicted``: its codings and its text say the opposite.
    """

    says: str = ""
    statements: tuple[Statement, ...] = ()
    observable: Observable | None = None
    from_text: bool = False
    only_observable: bool = False
    unmapped: tuple[tuple[str, str], ...] = ()
    unread: bool = False
    contradicted: bool = False
    red_flag_stem: bool = False
    side: str = ""
    silent: bool = False  # it says nothing that a rule could use
    may_matter: bool = False  # unread, and its words speak of the back, of a red flag, or there are none


_LUMBAR_STUDIES = frozenset(GROUPS["lumbar-study"].concepts)
# What the rules read, and what the readers here need to know in order to say it.
READ_CONCEPTS = CONCEPTS | frozenset(
    {
        "bpi-pain-interference", "chronic-kidney-disease", "ckd-3", "pain-intensity", "pain-severity-nrs", "pain-severity-vas",
        "peg-score", "pregnancy-status", "promis-pain-interference", "promis-physical-function", "symptom-onset",
    }
)  # fmt: skip
# Words that tell an unread problem of the back or of the legs from any other.
BACK_WORDS = re.compile(
    r"back|lumb|spin|sciat|radic|vertebr|disc|disk|\blbp\b|\bleg|\bfoot|feet|numb|weak|sacr|coccy|buttock", re.IGNORECASE
)
NOTHING_SAID = CodeReading(silent=True)
_LOINC = "http://loinc.org"


class CodeReader:
    """Reads codes with one set of terminology tables: of problems, findings and procedures, medicines, and studies."""

    def __init__(self, terminology: Terminology) -> None:
        self.terminology = terminology
        self.memo = Memo(self._of_raw)
        self.lists = Memo(self._of_list)
        self.medicines = Memo(lambda raw: self.medicine_concepts(_or_none(raw), ""))
        self.studies = Memo(lambda raw: self.study_concepts(_or_none(raw), ()))

    def medicine_concepts(self, medicine: CodeableConcept | None, routes: str) -> tuple[str, ...]:
        """The groups that a medicine's ingredients belong to; ``routes`` are the ways it is given, in words."""
        if medicine is None:
            return ()
        text = " ".join(part for part in (medicine.text or "", routes) if part)
        return tuple(concepts_of_medicine(_as_tuples(medicine), text, self.terminology))

    def study_concepts(self, code: CodeableConcept | None, sites: Sequence[CodeableConcept]) -> tuple[str, ...]:
        """The order concepts of a lumbar imaging study: by code, else by words; none for anything else."""
        if code is None:
            return ()
        codings = _as_tuples(code)
        found = (meaning.concept for system, value, _ in codings for meaning in self.terminology.meanings(system, value))
        coded = _LUMBAR_STUDIES.intersection(found)
        if coded:
            return tuple(sorted(coded))
        places = tuple(concept for site in sites for concept in self.site_concepts(site))
        concept = recognise(codings, code.text or "", places, None, self.terminology).concept
        return (concept,) if concept in _LUMBAR_STUDIES else ()

    def site_concepts(self, site: CodeableConcept) -> tuple[str, ...]:
        """The concepts of a body site ("body-site-lumbar-spine"), by code, else by its words."""
        coded = tuple(
            meaning.concept
            for system, code, _ in _as_tuples(site)
            for meaning in self.terminology.meanings(system, code)
        )
        return coded or sites_in_words(site.words)

    def _of_raw(self, raw: Raw) -> CodeReading:
        try:
            return self.of(concept_in(raw))
        except Unreadable:
            return CodeReading(unread=True, silent=True)

    def _of_list(self, raw: Raw) -> tuple[CodeReading, ...]:
        try:
            return tuple(self.of(each) for each in concepts_in(raw))
        except Unreadable:
            return (CodeReading(unread=True, silent=True),)

    def of(self, concept: CodeableConcept | None) -> CodeReading:
        """What a CodeableConcept says."""
        if concept is None:
            return NOTHING_SAID
        known, unmapped, observable, only_observable = self._codings(concept)
        words = concept.words
        side = side_of(words)
        if known is not None or observable is not None:
            return self._coded(concept, known or (), observable, only_observable, unmapped, side)
        texts = _texts(concept)
        statements = _from_texts(texts)
        stem = statements is None and any(has_red_flag_stem(text) for text in texts)
        return CodeReading(
            says=shown(words),
            statements=statements or (),
            from_text=bool(statements),
            unmapped=unmapped,
            unread=statements is None and bool(texts or unmapped),
            red_flag_stem=stem,
            side=side,
            silent=not statements,
            may_matter=statements is None and (stem or not texts or any(map(BACK_WORDS.search, texts))),
        )

    def _codings(
        self, concept: CodeableConcept
    ) -> tuple[tuple[Statement, ...] | None, tuple[tuple[str, str], ...], Observable | None, bool]:
        statements: dict[str, Statement] = {}
        unmapped: list[tuple[str, str]] = []
        observable: Observable | None = None
        only_observable = True
        known = False
        for coding in concept.coding or ():
            if coding is None or not coding.code:
                continue
            system = coding.system or ""
            own = self.terminology.observable(system, coding.code)
            meanings = self.terminology.meanings(system, coding.code)
            observable = observable or own
            if not meanings and own is None:
                unmapped.append((system, coding.code))
            known = known or bool(meanings)
            for meaning in meanings:
                if meaning.concept not in READ_CONCEPTS:
                    continue
                only_observable = only_observable and self.terminology.system_uri(system) == _LOINC
                statements.setdefault(
                    meaning.concept,
                    Statement(
                        concept=meaning.concept,
                        present=not meaning.absent,
                        history=meaning.phase == "sequela",
                        side=meaning.side,
                        site=meaning.site,
                        marks=(meaning.phase,) if meaning.phase in ("healing", "sequela") else (),
                    ),
                )
        found = tuple(statements.values())
        left = () if known or observable else tuple(unmapped)
        return (found if known else None), left, observable, only_observable and bool(found)

    def _coded(
        self,
        concept: CodeableConcept,
        known: tuple[Statement, ...],
        observable: Observable | None,
        only_observable: bool,
        unmapped: tuple[tuple[str, str], ...],
        side: str,
    ) -> CodeReading:
        mentions = _extra_words(concept)
        contradicted = bool(mentions) and any(_contradicts(statement, mentions) for statement in known)
        return CodeReading(
            says=shown(concept.words),
            statements=tuple(_with_words(statement, mentions, side) for statement in known),
            observable=observable,
            only_observable=only_observable,
            unmapped=unmapped,
            unread=contradicted,
            contradicted=contradicted,
            red_flag_stem=contradicted and has_red_flag_stem(concept.words),
            side=side,
            silent=not known and observable is None,
            may_matter=contradicted,
        )


def _or_none(raw: Raw) -> CodeableConcept | None:
    try:
        return concept_in(raw)
    except Unreadable:
        return None


def _as_tuples(concept: CodeableConcept) -> list[tuple[str, str, str]]:
    return [(each.system or "", each.code or "", each.display or "") for each in concept.coding or () if each is not None]


def side_of(text: str) -> str:
    """Left, right or bilateral, where the words say exactly one of them."""
    if _BOTH.search(text):
        return "bilateral"
    left, right = _LEFT.search(text) is not None, _RIGHT.search(text) is not None
    if left and right:
        return "bilateral" if re.search(r"\b(?:and|&)\b|\+", text) else ""
    return "left" if left else "right" if right else ""


def _texts(concept: CodeableConcept) -> tuple[str, ...]:
    """What may be read where no code is known: the text, else the displays."""
    if concept.text and concept.text.strip():
        return (concept.text,)
    displays = (each.display for each in concept.coding or () if each is not None)
    return tuple(dict.fromkeys(display for display in displays if display and display.strip()))


def _from_texts(texts: Sequence[str]) -> tuple[Statement, ...] | None:
    """What one of the texts says, as far as every word of it is understood; ``None``: nothing was understood."""
    for text in texts:
        mentions = _mentions(text)
        if mentions is not None:
            own = (mention for mention in mentions if not mention.family and mention.concept in READ_CONCEPTS)
            return tuple(_statement(mention) for mention in own)
    return None


def _mentions(text: str) -> tuple[Mention, ...] | None:
    reading = read_text(text)
    return None if reading is None else tuple(reading.mentions)


def _statement(mention: Mention) -> Statement:
    return Statement(
        concept=mention.concept,
        present=mention.present,
        suspected=mention.suspected,
        history=mention.history,
        side=mention.side,
        site=mention.site,
        course=mention.course,
        marks=("from text",),
        days_ago=mention.days_ago,
        since=mention.since,
        grade=mention.grade,
    )


def _extra_words(concept: CodeableConcept) -> tuple[Mention, ...]:
    """What the text adds to the codings: nothing where it only repeats a display, or is not understood."""
    text = (concept.text or "").strip()
    if not text or any(each is not None and each.display and each.display.strip() == text for each in concept.coding or ()):
        return ()
    return _mentions(text) or ()


def _contradicts(statement: Statement, mentions: tuple[Mention, ...]) -> bool:
    """The text denies what the code states, or says that it concerns a relative."""
    if all(mention.family for mention in mentions):
        return True
    same = [mention for mention in mentions if mention.concept == statement.concept]
    if same:
        return all(mention.present != statement.present or mention.family for mention in same)
    return statement.present and all(not mention.present for mention in mentions)


def _with_words(statement: Statement, mentions: tuple[Mention, ...], side: str) -> Statement:
    """The code's statement with what its text adds: side, suspicion, history, course."""
    if not mentions:
        if not side or statement.side:
            return statement
        return Statement(
            statement.concept, statement.present, statement.suspected, statement.history, side, statement.site,
            statement.course, statement.marks,
        )  # fmt: skip
    meant = [mention for mention in mentions if mention.concept == statement.concept] or list(mentions)
    return Statement(
        concept=statement.concept,
        present=statement.present,
        suspected=statement.suspected or all(mention.suspected for mention in meant),
        history=statement.history or all(mention.history for mention in meant),
        side=statement.side or side or next((mention.side for mention in meant if mention.side), ""),
        site=statement.site or next((mention.site for mention in meant if mention.site), ""),
        course=statement.course or next((mention.course for mention in meant if mention.course), ""),
        marks=statement.marks,
        days_ago=next((mention.days_ago for mention in meant if mention.days_ago is not None), None),
        since=next((mention.since for mention in meant if mention.since), ""),
        grade=next((mention.grade for mention in meant if mention.grade is not None), None),
    )
