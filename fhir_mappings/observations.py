"""Examination, vital signs, laboratory, surveys and social history to facts."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from fhir_mappings.body_sites import side_in
from fhir_mappings.code_words import Statement
from fhir_mappings.codes import CodeReading
from fhir_mappings.elements import Quantity, is_given, period_in
from fhir_mappings.encounter_and_user import encounter_of
from fhir_mappings.fhir_records import Observation
from fhir_mappings.observation_values import (
    HasValue,
    Result,
    answer_word,
    components_in,
    grade_of,
    is_raised,
    number_of,
    result_of,
    says_nothing,
)
from fhir_mappings.own_codes import Observable
from fhir_mappings.page import Page, evidence_of
from fhir_mappings.partial_dates import since_at_least
from fhir_mappings.record_text import shown
from rules.dates import DateInterval
from rules.facts import Fact, FactKind

_STATUSES = frozenset({"final", "amended", "corrected", "preliminary"})
# Scores under the names that the rules use: concept of the code to (concept, instrument).
_SCORES = {
    "pain-severity-nrs": ("pain-score", "nrs"),
    "pain-intensity": ("pain-score", "nrs"),
    "pain-severity-vas": ("pain-score", "vas"),
    "oswestry-disability-index": ("oswestry-disability-index", ""),
    "peg-score": ("function-score", "peg"),
    "bpi-pain-interference": ("function-score", "bpi-pain-interference"),
    "promis-physical-function": ("function-score", "promis-physical-function"),
    "promis-pain-interference": ("function-score", "promis-pain-interference"),
}
_MEASURED = frozenset({"body-temperature", "body-weight", "egfr", "post-void-residual", "symptom-duration"})
_MARKERS = frozenset({"esr", "crp"})
_PRESENT = frozenset({"yes", "present", "positive", "abnormal"})
_ABSENT = frozenset({"no", "absent", "negative", "normal"})


_PLAIN = Statement("")


class _Frame(Struct, frozen=True):
    """What the components of a panel share with it."""

    observation: Observation
    began: DateInterval | None
    dated: str | None
    side: str
    encounter: str
    marks: tuple[str, ...]


def observation_facts(observation: Observation, page: Page) -> Iterator[Fact]:
    """What one Observation and its components say."""
    if observation.status not in _STATUSES and observation.status is not None:
        return
    began, dated = _observed(observation, page)
    frame = _Frame(
        observation=observation,
        began=began,
        dated=dated,
        side=side_in(observation.body_site, page.codes) if is_given(observation.body_site) else "",
        encounter=encounter_of(observation.encounter),
        marks=("preliminary",) if observation.status == "preliminary" else (),
    )
    components = components_in(observation.component) if is_given(observation.component) else ()
    yield from _item_facts(observation, frame, page, panel=bool(components))
    for component in components:
        yield from _item_facts(component, frame, page, panel=False)


def _observed(observation: Observation, page: Page) -> tuple[DateInterval | None, str | None]:
    """When it was observed; an issue date only says that it was so by then."""
    stated = observation.effective_date_time or observation.effective_instant
    if stated:
        return page.past_day(stated), stated
    period = period_in(observation.effective_period)
    if period is not None and (period.start or period.end):
        return page.past_day(period.start) or page.past_day(period.end), period.start or period.end
    return since_at_least(page.past_day(observation.issued)), observation.issued


def _item_facts(item: HasValue, frame: _Frame, page: Page, panel: bool) -> Iterator[Fact]:
    reading = page.codes.findings.of(item.code)
    page.tally.count_code(reading)
    if reading.silent or reading.contradicted or says_nothing(item):
        return
    result = result_of(item, page.codes)
    if panel and not result.given and not result.interpreted:
        return
    if reading.only_without_value and result.given:
        page.tally.unread_texts += 1  # a text that states something, and a value beside it
        return
    facts = list(_own_facts(reading.observable, item, result, reading, frame, page) if reading.observable else ())
    if reading.observable is None:
        for statement in reading.statements:
            facts += _statement_facts(statement, item, result, reading, frame, page)
    if not facts and result.given:
        page.tally.unread_texts += 1  # an answer that is not understood
    yield from facts


def _fact(
    concept: str,
    frame: _Frame,
    reading: CodeReading,
    result: Result,
    statement: Statement = _PLAIN,
    *,
    present: bool = True,
    value: float | None = None,
    comparator: str = "",
    grade: int | None = None,
    site: str = "",
    began: DateInterval | None = None,
    marks: tuple[str, ...] = (),
) -> Fact:
    return Fact(
        concept=concept,
        kind=FactKind.OBSERVATION,
        evidence=evidence_of(
            frame.observation, _said(reading, result), frame.dated, (*frame.marks, *statement.marks, *marks)
        ),
        present=present,
        suspected=statement.suspected,
        current=not statement.history,
        began=began or frame.began,
        value=value,
        comparator=comparator,
        grade=statement.grade if grade is None else grade,
        side=frame.side or statement.side or reading.side,
        site=site or statement.site,
        course=result.course or statement.course,
        encounter=frame.encounter,
    )


def _said(reading: CodeReading, result: Result) -> str:
    """The name of what was looked at, and the value as the record gives it."""
    value = _value_in_words(result)
    name = reading.says
    return shown(f"{name}: {value}" if name and value else name or value)


def _value_in_words(result: Result) -> str:
    if result.quantity is not None and result.quantity.value is not None:
        quantity = result.quantity
        number = f"{quantity.value:g}"
        return f"{quantity.comparator or ''}{number} {quantity.unit or quantity.code or ''}".strip()
    if result.concept is not None:
        return result.concept.words
    if result.answer is not None:
        return "yes" if result.answer else "no"
    if result.whole is not None:
        return str(result.whole)
    return result.text or result.day or ", ".join(result.interpreted)


def _own_facts(
    observable: Observable, item: HasValue, result: Result, reading: CodeReading, frame: _Frame, page: Page
) -> Iterator[Fact]:
    """One of our own codes, with the value types that it takes."""
    if observable.how == "grade":
        grade = grade_of(result, page.codes, reading.fraction_only)
        if grade is not None:
            yield _fact(observable.concept, frame, reading, result, grade=grade, site=observable.site)
        return
    if observable.how == "number":
        number = number_of(result, observable.concept)
        if number is None and result.whole is not None:
            number = number_of(Result(quantity=_whole_in(observable, result.whole)), observable.concept)
        if number is not None:
            yield _fact(
                observable.concept, frame, reading, result,
                value=number.value, comparator=number.comparator, site=observable.site,
            )  # fmt: skip
        return
    yield from _answered(observable, result, reading, frame, page)


def _whole_in(observable: Observable, whole: int) -> Quantity:
    return Quantity(value=float(whole), code=observable.unit)


def _answered(
    observable: Observable, result: Result, reading: CodeReading, frame: _Frame, page: Page
) -> Iterator[Fact]:
    word = answer_word(result, page.codes)
    said = observable.read(word) if word else None
    if said is None:
        said = next((found for each in result.interpreted if (found := observable.read(each)) is not None), None)
    if said is None and not result.given and not result.interpreted:
        for statement in reading.statements:
            yield _fact(statement.concept, frame, reading, result, statement, present=statement.present)
        return
    for each in said or ():
        yield _fact(each.concept, frame, reading, result, present=each.present, site=each.site)


def _statement_facts(
    statement: Statement, item: HasValue, result: Result, reading: CodeReading, frame: _Frame, page: Page
) -> Iterator[Fact]:
    concept = statement.concept
    if concept in _SCORES:
        yield from _score(statement, result, reading, frame)
    elif concept in _MEASURED:
        number = number_of(result, concept)
        if number is not None:
            yield _fact(concept, frame, reading, result, statement, value=number.value, comparator=number.comparator)
    elif concept in _MARKERS:
        yield from _marker(statement, item, result, reading, frame)
    elif concept == "muscle-strength":
        grade = grade_of(result, page.codes)
        if grade is not None:
            yield _fact(concept, frame, reading, result, statement, grade=grade)
    elif concept == "symptom-onset":
        began = page.past_day(result.day or result.text)
        if began is not None:
            yield _fact(concept, frame, reading, result, statement, began=began)
    elif concept == "pregnancy-status":
        yield from _pregnancy(result, reading, frame, page)
    else:
        yield from _finding(statement, result, reading, frame, page)


def _score(statement: Statement, result: Result, reading: CodeReading, frame: _Frame) -> Iterator[Fact]:
    concept, instrument = _SCORES[statement.concept]
    number = number_of(result, f"{concept}/{instrument}" if instrument else concept)
    if number is not None:
        yield _fact(concept, frame, reading, result, statement, value=number.value, site=instrument)


def _marker(
    statement: Statement, item: HasValue, result: Result, reading: CodeReading, frame: _Frame
) -> Iterator[Fact]:
    """ESR and CRP: present means raised. Without interpretation or range the number is kept, unjudged."""
    number = number_of(result, statement.concept)
    raised = is_raised(item, result, number, statement.concept)
    if number is None and raised is None:
        return
    marks = ("high",) if raised else ("normal",) if raised is False else ()
    yield _fact(
        statement.concept, frame, reading, result, statement,
        present=raised is not False,
        value=None if number is None else number.value,
        comparator="" if number is None else number.comparator,
        marks=marks,
    )  # fmt: skip


def _pregnancy(result: Result, reading: CodeReading, frame: _Frame, page: Page) -> Iterator[Fact]:
    """A pregnancy status is answered by a coded or written status."""
    if result.concept is not None:
        for statement in page.codes.of(result.concept).statements:
            if statement.concept in ("pregnancy", "pregnancy-possible"):
                yield _fact(statement.concept, frame, reading, result, statement, present=statement.present)
                return
    word = answer_word(result, page.codes)
    if word in _PRESENT or word in _ABSENT:
        yield _fact("pregnancy", frame, reading, result, present=word in _PRESENT)


def _finding(statement: Statement, result: Result, reading: CodeReading, frame: _Frame, page: Page) -> Iterator[Fact]:
    """Something that is there or not. A positive value beside a normal interpretation counts as positive."""
    word = answer_word(result, page.codes)
    if word not in _PRESENT and word not in _ABSENT:
        word = next((each for each in result.interpreted if each in _PRESENT or each in _ABSENT), "")
    if word:
        if not statement.present and word in _ABSENT:
            return  # "not pregnant: no" means two things
        yield _fact(
            statement.concept, frame, reading, result, statement, present=statement.present and word in _PRESENT
        )
    elif result.course or not (result.given or reading.only_observable):
        began = page.began(statement, frame.began)
        yield _fact(statement.concept, frame, reading, result, statement, present=statement.present, began=began)
