"""The value of an Observation or of one of its components: a word that answers, a number, or a grade."""

from __future__ import annotations

from typing import Annotated, Protocol, TypeVar

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.answers import read_answer, read_grade
from fhir_mappings.codes import CodeReader
from fhir_mappings.elements import (
    CodeableConcept,
    Quantity,
    Unreadable,
    concept_in,
    concepts_in,
    is_given,
    quantity_in,
    reference_ranges_in,
)
from fhir_mappings.fhir_records import NOTHING
from fhir_mappings.own_codes import ANSWER_WORDS
from fhir_mappings.units import Number, in_unit_of, number_in_text

_T = TypeVar("_T")

# http://terminology.hl7.org/CodeSystem/v2-0136 (yes/no indicator); records name the system in several ways.
_YES_NO = {"Y": "yes", "N": "no"}
_ANSWERS = frozenset(
    {
        "yes", "no", "present", "absent", "positive", "negative", "normal", "abnormal", "reduced", "increased", "able",
        "unable", "worsening", "improving", "unchanged",
    }
)  # fmt: skip
_GRADE_UNITS = frozenset(
    {
        "",
        "1",
        "/5",
        "5",
        "out of 5",
        "{score}",
        "score",
        "{grade}",
        "grade",
        "mrc",
        "{mrc}",
        "mrc grade",
        "{mrc grade}",
        "points",
    }
)
# Interpretations that say how a number lies, and those that say how things are going.
_COURSES = {"course-worsening": "worsening", "course-improving": "improving", "course-unchanged": "unchanged"}
_RAISED = frozenset({"increased", "abnormal", "positive"})
_NOT_RAISED = frozenset({"normal", "negative", "reduced"})


class HasValue(Protocol):
    """What an Observation and a component have in common."""

    @property
    def code(self) -> Raw: ...
    @property
    def value_quantity(self) -> Raw: ...
    @property
    def value_codeable_concept(self) -> Raw: ...
    @property
    def value_string(self) -> Raw: ...
    @property
    def value_boolean(self) -> Raw: ...
    @property
    def value_integer(self) -> Raw: ...
    @property
    def value_date_time(self) -> Raw: ...
    @property
    def data_absent_reason(self) -> Raw: ...
    @property
    def interpretation(self) -> Raw: ...
    @property
    def reference_range(self) -> Raw: ...


class Component(Struct, frozen=True, gc=False, rename="camel"):
    """One result of a panel."""

    code: Raw = NOTHING
    value_quantity: Raw = NOTHING
    value_codeable_concept: Raw = NOTHING
    value_string: Raw = NOTHING
    value_boolean: Raw = NOTHING
    value_integer: Raw = NOTHING
    value_date_time: Raw = NOTHING
    data_absent_reason: Raw = NOTHING
    interpretation: Raw = NOTHING
    reference_range: Raw = NOTHING


class ComponentName(Struct, frozen=True, gc=False, rename="camel"):
    """As much of a component as tells whether it is worth reading."""

    code: Raw = NOTHING
    value_codeable_concept: Raw = NOTHING
    value_string: Raw = NOTHING


class Result(Struct, frozen=True, gc=False):
    """A value, decoded. ``interpreted``: answer words of its interpretations; ``course``: their say on the trend."""

    quantity: Quantity | None = None
    concept: CodeableConcept | None = None
    text: str = ""
    answer: bool | None = None
    whole: int | None = None
    day: str | None = None
    interpreted: tuple[str, ...] = ()
    course: str = ""

    @property
    def given(self) -> bool:
        """Is there any value?"""
        return (
            self.quantity is not None
            or self.concept is not None
            or bool(self.text)
            or self.answer is not None
            or self.whole is not None
            or self.day is not None
        )


NO_RESULT = Result()
_COMPONENTS = msgspec.json.Decoder(list[Component | None] | None)
_COMPONENT_CODES = msgspec.json.Decoder(list[ComponentName | None] | None)
_TEXT = msgspec.json.Decoder(str | None)
_BOOLEAN = msgspec.json.Decoder(bool | None)
# FHIR has integers of 32 bits; one of more than 64 is no count of anything, and no floating point number holds it.
_WHOLE = msgspec.json.Decoder(Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None)


def components_in(raw: Raw) -> tuple[Component, ...]:
    """The components of a panel."""
    return tuple(each for each in _decoded(_COMPONENTS, raw) or () if each is not None)


def component_names(raw: Raw) -> list[ComponentName | None]:
    """Of a panel's components, what is needed to choose."""
    try:
        return _COMPONENT_CODES.decode(raw) or []
    except (msgspec.DecodeError, RecursionError):
        raise Unreadable from None


def result_of(item: HasValue, codes: CodeReader) -> Result:
    """The value of an item, whatever type it has."""
    words, course = ((), "") if item.interpretation is NOTHING else _interpretations(item.interpretation, codes)
    if item.value_quantity is not NOTHING:
        quantity = quantity_in(item.value_quantity)
        if quantity is not None:
            return Result(quantity, None, "", None, None, None, words, course)
    if is_given(item.value_codeable_concept):
        return Result(concept=concept_in(item.value_codeable_concept), interpreted=words, course=course)
    if is_given(item.value_boolean):
        return Result(answer=_decoded(_BOOLEAN, item.value_boolean), interpreted=words, course=course)
    if is_given(item.value_integer):
        return Result(whole=whole_in(item.value_integer), interpreted=words, course=course)
    if is_given(item.value_date_time):
        return Result(day=_decoded(_TEXT, item.value_date_time), interpreted=words, course=course)
    text = (_decoded(_TEXT, item.value_string) or "").strip()
    return Result(text=text, interpreted=words, course=course)


def whole_in(raw: Raw) -> int | None:
    """A whole number."""
    return _decoded(_WHOLE, raw)


def _decoded(decoder: msgspec.json.Decoder[_T], raw: Raw) -> _T | None:
    if raw is NOTHING or not len(raw):
        return None
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise Unreadable from None


def may_be_a_fever(result: Result) -> bool:
    """Would a temperature whose unit is not stated be a high one in degrees Celsius, or in degrees Fahrenheit?

    It is not taken for one, as a unit is never assumed: it is shown. Limits: parameters.toml, fever_celsius.
    """
    quantity = result.quantity or number_in_text(result.text)
    value = quantity.value if quantity is not None else result.whole
    return value is not None and (38.0 <= value <= 46.0 or 100.4 <= value <= 115.0)


def says_nothing(item: HasValue) -> bool:
    """Is the value stated to be missing?"""
    return is_given(item.data_absent_reason)


def _interpretations(raw: Raw, codes: CodeReader) -> tuple[tuple[str, ...], str]:
    if not is_given(raw):
        return (), ""
    words: list[str] = []
    course = ""
    for concept in concepts_in(raw):
        word = word_of(concept, codes)
        if word in _COURSES.values():
            course = course or word
        elif word:
            words.append(word)
    return tuple(words), course


def word_of(concept: CodeableConcept, codes: CodeReader) -> str:
    """The answer word of a coded value: our own code, a standard yes or no, else what its text says."""
    terminology = codes.terminology
    for coding in concept.coding or ():
        if coding is None or not coding.code:
            continue
        system = terminology.system_uri(coding.system or "")
        if system == terminology.own.url:
            return coding.code
        if "0136" in system and coding.code in _YES_NO:
            return _YES_NO[coding.code]
        for meaning in terminology.meanings(system, coding.code):
            if meaning.concept in ANSWER_WORDS:
                return ANSWER_WORDS[meaning.concept]
    for words in (concept.text, *(each.display for each in concept.coding or () if each is not None)):
        answer = read_answer(words) if words else ""
        if answer in _ANSWERS:
            return answer
    return ""


def answer_word(result: Result, codes: CodeReader) -> str:
    """The answer that a value gives ("yes", "reduced"); empty where it gives none that we understand."""
    if result.answer is not None:
        return "yes" if result.answer else "no"
    if result.concept is not None:
        return word_of(result.concept, codes)
    answer = read_answer(result.text) if result.text else ""
    return answer if answer in _ANSWERS else ""


def number_of(result: Result, kind: str) -> Number | None:
    """The value as a number in the unit of this kind of measurement."""
    if result.quantity is not None:
        return in_unit_of(kind, result.quantity)
    if result.whole is not None:
        return in_unit_of(kind, Quantity(value=float(result.whole)))
    quantity = number_in_text(result.text) if result.text else None
    return None if quantity is None else in_unit_of(kind, quantity)


def grade_of(result: Result, codes: CodeReader, fraction_only: bool = False) -> int | None:
    """An MRC grade from 0 to 5; 4+ and 4- are 4, and half grades count as the grade below.

    ``fraction_only``: the name does not say that strength is graded, so only "4/5" is a grade (4 may be degrees).
    """
    if fraction_only and not (result.text or result.concept):
        return None
    if result.whole is not None:
        return result.whole if 0 <= result.whole <= 5 else None
    quantity = result.quantity
    if quantity is not None:
        unit = (quantity.unit or quantity.code or "").strip().lower()
        known = quantity.value is not None and not quantity.comparator and unit in _GRADE_UNITS
        return int(quantity.value) if known and quantity.value is not None and 0 <= quantity.value <= 5 else None
    texts = (result.text,) if result.concept is None else _texts(result.concept)
    for text in texts:
        grade = read_grade(text, fraction_only) if text else None
        if grade is not None:
            return grade
    return 5 if answer_word(result, codes) == "normal" and not fraction_only else None


def _texts(concept: CodeableConcept) -> tuple[str, ...]:
    displays = (each.display or "" for each in concept.coding or () if each is not None)
    return (concept.text or "", *displays)


def is_raised(item: HasValue, result: Result, number: Number | None, kind: str) -> bool | None:
    """Is a laboratory value above normal, by its interpretation, else by the reference range that came with it?"""
    said = {*result.interpreted, read_answer(result.text) if result.text else ""}
    if said & _RAISED:
        return True
    if said & _NOT_RAISED:
        return False
    if number is None or not is_given(item.reference_range):
        return None
    for limits in reference_ranges_in(item.reference_range):
        if limits.high is None or limits.high.value is None:
            continue
        highest = in_unit_of(kind, _with_unit(limits.high, result))
        if highest is not None:
            return number.value > highest.value and number.comparator != "<"
    return None


def _with_unit(limit: Quantity, result: Result) -> Quantity:
    if limit.unit or limit.code or result.quantity is None:
        return limit
    return Quantity(limit.value, limit.comparator, result.quantity.unit, result.quantity.system, result.quantity.code)
