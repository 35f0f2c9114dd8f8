"""What the code of an entry says: by its codings, else by its text, worked out once for every way of writing it.

Records repeat the same few codes thousands of times, byte for byte; the bytes are the key of a bounded memo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from sys import intern
from typing import Generic, TypeVar

from msgspec import Raw, Struct

from fhir_mappings.body_site_words import sites_in_words
from fhir_mappings.code_words import (
    BACK_WORDS,
    FROM_TEXT,
    READ_CONCEPTS,
    Statement,
    contradicts,
    extra_mentions,
    side_of,
    statements_in,
    texts_of,
    with_words,
)
from fhir_mappings.elements import CodeableConcept, Coding, Unreadable, concept_in, concepts_in
from fhir_mappings.finding_names import FindingName, read_finding_name
from fhir_mappings.medicines import concepts_of_medicine
from fhir_mappings.order_recognition import recognise
from fhir_mappings.own_codes import Observable
from fhir_mappings.record_text import shown
from fhir_mappings.terminology import Meaning, Terminology
from fhir_mappings.text_reading import has_red_flag_stem
from rules.concepts import GROUPS

T = TypeVar("T")

_MEMO_ENTRIES = 4096
_MEMO_BYTES = 2_000_000  # of all keys of one memo
_LONGEST_KEY = 16_384  # bytes; a longer code is read each time
_LONGEST_TEXT = 1024  # of a key made from the parts of a concept
_LUMBAR_STUDIES = frozenset(GROUPS["lumbar-study"].concepts)
_AGING = frozenset({"body-temperature", "body-weight"})
_LOINC = "http://loinc.org"
_SPECIALTY = "specialty-"
_INJURY = "S"  # ICD-10-CM chapter XIX: injuries, that is traumatic ones
# What happened at one moment; a sequela code speaks of its after-effects, not of a new event.
_EVENTS = frozenset({"fall", "low-velocity-trauma", "major-trauma", "spinal-cord-injury", "lumbar-nerve-root-injury"})


NOTHING_UNMAPPED: frozenset[tuple[str, str]] = frozenset()


class Memo(Generic[T]):
    """Readings by the raw JSON they were made from; emptied when full, so that callers cannot make it grow."""

    def __init__(self, read: Callable[[Raw], T]) -> None:
        self._read = read
        self._found: dict[bytes, T] = {}
        self._bytes = 0
        self.get = self._found.get

    def of(self, raw: Raw) -> T:
        """The reading of this JSON."""
        key = b"" + raw  # bytes(raw) takes twice the time; as everywhere where each record is looked at
        found = self._found.get(key)
        if found is None:
            found = self._read(raw)
            if len(key) <= _LONGEST_KEY:
                self._keep(key, found)
        return found

    def _keep(self, key: bytes, found: T) -> None:
        if len(self._found) >= _MEMO_ENTRIES or self._bytes + len(key) > _MEMO_BYTES:
            self._found.clear()
            self._bytes = 0
        self._found[key] = found
        self._bytes += len(key)


class CodeReading(Struct, frozen=True, gc=False):
    """A CodeableConcept, read.

    ``observable`` is set where the value of an Observation answers (own codes, and names of examination findings).
    ``only_observable``: the codes name something to be measured (LOINC), so that without a value nothing is said.
    ``unread``: it says something that we do not understand. ``contradicted``: its codings and its text disagree about
    whether it is so. ``silent``: it says nothing that a rule could use. ``may_matter``: unread, and its words speak of
    the back or of a red flag, or there are none. ``ages``: a vital sign, which an old entry says nothing about today.
    ``plain``: by its codes it says one thing, and nothing is left over.
    ``clutter``: codes of no table, whose words say nothing that may matter; of such is most of a record.
    """

    says: str = ""
    statements: tuple[Statement, ...] = ()
    observable: Observable | None = None
    from_text: bool = False
    only_observable: bool = False
    fraction_only: bool = False
    only_without_value: bool = False
    unmapped: frozenset[tuple[str, str]] = NOTHING_UNMAPPED
    unread: bool = False
    contradicted: bool = False
    red_flag_stem: bool = False
    side: str = ""
    silent: bool = False
    may_matter: bool = False
    ages: bool = False
    plain: bool = False
    clutter: bool = False


NOTHING_SAID = CodeReading(silent=True)
_NO_CONCEPT = CodeReading(unread=True, silent=True)
# A code that is no CodeableConcept: nobody can say that it names no red flag.
_SPOILED = CodeReading(unread=True, silent=True, may_matter=True, red_flag_stem=True)


class _Known(Struct, frozen=True):
    """What the codings of a concept say. ``statements`` is None where no coding stands in any table."""

    statements: tuple[Statement, ...] | None
    observable: Observable | None
    only_observable: bool
    unmapped: frozenset[tuple[str, str]]


class CodeReader:
    """Reads codes with one set of terminology tables: of problems, findings and procedures, medicines, and studies."""

    def __init__(self, terminology: Terminology) -> None:
        self.terminology = terminology
        self.memo = Memo(lambda raw: self._of_raw(raw, self.of))
        self.findings = Memo(lambda raw: self._of_raw(raw, self.of_finding))
        self.lists = Memo(self._of_list)
        self.specialties = Memo(lambda raw: specialties_in(self._of_list(raw)))
        self._said: dict[tuple[object, ...], CodeReading] = {}
        self.medicines = Memo(lambda raw: self.medicine_concepts(_or_none(raw), ""))
        self._by_route: dict[tuple[bytes, str], tuple[str, ...]] = {}
        self.studies = Memo(lambda raw: self.study_concepts(_or_none(raw), ()))

    def _of_raw(self, raw: Raw, read: Callable[[CodeableConcept | None], CodeReading]) -> CodeReading:
        try:
            return read(concept_in(raw))
        except Unreadable:
            return _SPOILED

    def _of_list(self, raw: Raw) -> tuple[CodeReading, ...]:
        try:
            return tuple(self.of(each) for each in concepts_in(raw))
        except Unreadable:
            return (_NO_CONCEPT,)

    def of(self, concept: CodeableConcept | None) -> CodeReading:
        """What a CodeableConcept says of a problem, a reason, a procedure or a substance."""
        if concept is None:
            return NOTHING_SAID
        key = (concept.text, *as_tuples(concept))
        found = self._said.get(key)
        if found is None:
            found = self._of(concept)
            if len(str(key)) <= _LONGEST_TEXT:
                if len(self._said) >= _MEMO_ENTRIES:
                    self._said.clear()
                self._said[key] = found
        return found

    def _of(self, concept: CodeableConcept) -> CodeReading:
        known = self._codings(concept)
        if known.statements is not None or known.observable is not None:
            return _coded(concept, known)
        return _worded(concept, known.unmapped)

    def of_finding(self, concept: CodeableConcept | None) -> CodeReading:
        """What the code of an Observation or of a component says, or asks for."""
        if concept is None:
            return NOTHING_SAID
        known = self._codings(concept)
        if known.statements is not None or known.observable is not None:
            return _coded(concept, known)
        for text in texts_of(concept):
            name = read_finding_name(text)
            if name is not None:
                return self._named(concept, name, known.unmapped)
        return _worded(concept, known.unmapped, only_without_value=True)

    def _named(self, concept: CodeableConcept, name: FindingName, unmapped: frozenset[tuple[str, str]]) -> CodeReading:
        own = self.terminology.own
        observable = own.observable(name.code) if name.code else None
        if name.code:
            said = own.says(name.code)
            statements = tuple(
                Statement(each.concept, each.present, site=each.site, marks=(FROM_TEXT,)) for each in said
            )
        else:
            statements = (Statement(name.concept, site=name.site, marks=(FROM_TEXT,)),)
        statements = tuple(each for each in statements if each.concept in READ_CONCEPTS)
        return CodeReading(
            says=shown(concept.words),
            statements=statements,
            observable=observable,
            from_text=True,
            only_observable=name.measure,
            fraction_only=name.fraction_only,
            unmapped=unmapped,
            side=name.side or side_of(concept.words),
            silent=not statements and observable is None,
        )

    def _codings(self, concept: CodeableConcept) -> _Known:
        statements: dict[str, Statement] = {}
        unmapped: list[tuple[str, str]] = []
        observable: Observable | None = None
        only_observable, known = True, False
        for coding in concept.coding or ():
            if coding is None or not coding.code:
                continue
            system = coding.system or ""
            own = self.terminology.observable(system, coding.code)
            meanings = self.terminology.meanings(system, coding.code)
            observable = observable or own
            known = known or bool(meanings)
            if not meanings and own is None:
                unmapped.append((intern(system), coding.code))  # the same few systems stand before all codes
            for meaning in meanings:
                statement = _of_meaning(meaning, coding)
                if statement is not None and statement.concept in READ_CONCEPTS:
                    only_observable = only_observable and self.terminology.system_uri(system) == _LOINC
                    statements.setdefault(statement.concept, statement)
        found = tuple(statements.values())
        left = NOTHING_UNMAPPED if known or observable is not None else frozenset(unmapped)
        return _Known(found if known else None, observable, only_observable and bool(found), left)

    def medicine_by_route(self, raw: Raw, routes: str) -> tuple[str, ...]:
        """The groups of a medicine that is given in this way: a local form of a steroid is none of the body's."""
        if not routes:
            return self.medicines.of(raw)
        key = (b"" + raw, routes)
        found = self._by_route.get(key)
        if found is None:
            found = self.medicine_concepts(_or_none(raw), routes)
            if len(self._by_route) >= _MEMO_ENTRIES:
                self._by_route.clear()
            if len(key[0]) + len(routes) <= _LONGEST_TEXT:
                self._by_route[key] = found
        return found

    def medicine_concepts(self, medicine: CodeableConcept | None, routes: str) -> tuple[str, ...]:
        """The groups that a medicine's ingredients belong to; ``routes`` are the ways it is given, in words."""
        if medicine is None:
            return ()
        text = " ".join(part for part in (medicine.text or "", routes) if part)
        return tuple(concepts_of_medicine(as_tuples(medicine), text, self.terminology))

    def study_concepts(self, code: CodeableConcept | None, sites: Sequence[CodeableConcept]) -> tuple[str, ...]:
        """The order concepts of a lumbar imaging study: by code, else by words; none for anything else."""
        if code is None:
            return ()
        codings = as_tuples(code)
        found = (
            meaning.concept for system, value, _ in codings for meaning in self.terminology.meanings(system, value)
        )
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
            for system, code, _ in as_tuples(site)
            for meaning in self.terminology.meanings(system, code)
        )
        return coded or sites_in_words(site.words)


def specialties_in(readings: Iterable[CodeReading]) -> tuple[str, ...]:
    """The concepts of specialties among what codes say ("specialty-…")."""
    return tuple(
        statement.concept
        for reading in readings
        for statement in reading.statements
        if statement.concept.startswith(_SPECIALTY)
    )


def as_tuples(concept: CodeableConcept) -> list[tuple[str, str, str]]:
    """The codings as (system, code, display), missing parts empty."""
    return [
        (each.system or "", each.code or "", each.display or "") for each in concept.coding or () if each is not None
    ]


def _or_none(raw: Raw) -> CodeableConcept | None:
    try:
        return concept_in(raw)
    except Unreadable:
        return None


def _of_meaning(meaning: Meaning, coding: Coding) -> Statement | None:
    """What one row says, with the stage of care that an ICD-10-CM injury code names in its seventh character."""
    concept, phase = meaning.concept, meaning.phase
    if phase == "sequela" and concept in _EVENTS:
        return None
    if concept == "vertebral-fracture" and (coding.code or "").strip().upper().startswith(_INJURY):
        concept = "vertebral-fracture-aftercare" if phase in ("healing", "sequela") else "traumatic-vertebral-fracture"
    return Statement(
        concept=concept,
        present=not meaning.absent,
        history=phase == "sequela",
        side=meaning.side,
        site=meaning.site,
        marks=(phase,) if phase in ("healing", "sequela") else (),
    )


def _coded(concept: CodeableConcept, known: _Known) -> CodeReading:
    statements = known.statements or ()
    mentions = extra_mentions(concept)
    side = side_of(concept.words)
    contradicted = any(contradicts(statement, mentions) for statement in statements)
    return CodeReading(
        says=shown(concept.words),
        statements=tuple(with_words(statement, mentions, side) for statement in statements),
        observable=known.observable,
        only_observable=known.only_observable,
        unread=contradicted,
        contradicted=contradicted,
        red_flag_stem=contradicted and has_red_flag_stem(concept.words),
        side=side,
        silent=not statements and known.observable is None,
        may_matter=contradicted,
        plain=len(statements) == 1 and known.observable is None and not contradicted,
        ages=bool(statements) and known.observable is None and all(each.concept in _AGING for each in statements),
    )


def _worded(
    concept: CodeableConcept, unmapped: frozenset[tuple[str, str]], only_without_value: bool = False
) -> CodeReading:
    texts = texts_of(concept)
    statements = statements_in(texts, from_display=not (concept.text and concept.text.strip()))
    unread = statements is None and bool(texts or unmapped)
    stem = unread and any(has_red_flag_stem(text) for text in texts)
    may_matter = unread and (stem or not texts or any(map(BACK_WORDS.search, texts)))
    return CodeReading(
        says=shown(concept.words),
        statements=statements or (),
        from_text=bool(statements),
        only_without_value=only_without_value,
        unmapped=unmapped,
        unread=unread,
        red_flag_stem=stem,
        side=side_of(concept.words),
        silent=not statements,
        may_matter=may_matter,
        clutter=bool(unmapped) and not statements and not may_matter,
    )
