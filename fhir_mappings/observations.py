"""Examination, vital signs, laboratory, surveys and social history to facts."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from fhir_mappings.body_sites import side_in
from fhir_mappings.code_words import Statement
from fhir_mappings.codes import CodeReading
from fhir_mappings.elements import Quantity, is_given, period_in
from fhir_mappings.encounter_and_user import encounter_of
from fhir_mappings.fhir_records import NOTHING, Observation
from fhir_mappings.named_by_value import may_hide_a_red_flag, speaks_of_a_red_flag, value_reading
from fhir_mappings.observation_values import (
    NO_RESULT,
    HasValue,
    Result,
    answer_word,
    components_in,
    grade_of,
    is_raised,
    may_be_a_fever,
    number_of,
    result_of,
    says_nothing,
)
from fhir_mappings.own_codes import Observable
from fhir_mappings.page import Page, evidence_of
from fhir_mappings.partial_dates import since_at_least
from fhir_mappings.record_text import shown
from fhir_mappings.text_reading import has_red_flag_stem
from fhir_mappings.units import Number
from fhir_mappings.unread_results import may_be_a_finding
from fhir_mappings.usual_numbers import MEASURED, NUMBERS, SCORES, in_words, usual_number
from rules.dates import DateInterval
from rules.facts import Fact, FactKind

_STATUSES = frozenset({"final", "amended", "corrected", "preliminary"})
# Names of tests: without a result they say that the test was ordered, no more.
_TESTS = frozenset({"blood-culture", "pregnancy-test", "straight-leg-raise", "crossed-straight-leg-raise"})
_PRESENT = frozenset({"yes", "present", "positive", "abnormal"})
_ABSENT = frozenset({"no", "absent", "negative", "normal"})
_PLAIN = Statement("")
_OBSERVATION = FactKind.OBSERVATION


def observation_facts(observation: Observation, reading: CodeReading, page: Page) -> list[Fact]:
    """What one Observation, whose code is read, and its components say."""
    status = observation.status
    if status not in _STATUSES and status is not None:
        return []
    dated = observation.effective_date_time
    began = page.past_day(dated)
    if began is None:
        began, dated = _observed(observation, page)
    side = "" if observation.body_site is NOTHING else side_in(observation.body_site, page.codes)
    encounter = encounter_of(observation.encounter)
    marks = ("preliminary",) if status == "preliminary" else ()
    if reading.plain and reading.statements[0].concept in NUMBERS:
        number = usual_number(observation, reading, began, dated, side, encounter, marks)
        if number is not None:
            return [number]
    item = _Item(observation, reading, page, observation, began, dated, side, encounter, marks)
    if observation.component is NOTHING or not is_given(observation.component):
        return item.facts(panel=False)
    components = components_in(observation.component)
    found = item.facts(panel=bool(components))
    for component in components:
        inner = page.codes.findings.of(component.code)
        item = _Item(component, inner, page, observation, began, dated, side, encounter, marks)
        found += item.facts(panel=False)
    return found


def _observed(observation: Observation, page: Page) -> tuple[DateInterval | None, str | None]:
    """When it was observed; an issue date only says that it was so by then."""
    stated = observation.effective_date_time or observation.effective_instant
    if stated is None and observation.effective_period is not NOTHING:
        period = period_in(observation.effective_period)
        stated = None if period is None else period.start or period.end
    began = page.past_day(stated)
    if began is not None:
        return began, stated
    return since_at_least(page.past_day(observation.issued)), observation.issued


class _Item(Struct, gc=False):
    """One result: what was looked at, what was found, and the facts that come of it.

    The components of a panel share with it all that follows ``_page``: it is the entry that they stand in.
    """

    _item: HasValue
    _reading: CodeReading
    _page: Page
    _observation: Observation
    _began: DateInterval | None
    _dated: str | None
    _side: str
    _encounter: str
    _marks: tuple[str, ...]
    _result: Result = NO_RESULT
    _found: list[Fact] = []

    def facts(self, panel: bool) -> list[Fact]:
        """The facts; an answer that is not understood is counted."""
        item, reading, page = self._item, self._reading, self._page
        tally = page.tally
        if reading.unmapped or reading.unread:
            tally.count_code(reading)
        if item.data_absent_reason is not NOTHING and says_nothing(item):
            return self._found
        if reading.silent and (self._named_by_its_value() or not reading.red_flag_stem):
            return self._found
        result = self._result = result_of(item, page.codes)
        if reading.silent or reading.contradicted:
            self._quote(named=False)
            return self._found
        if panel and not result.given and not result.interpreted:
            return self._found
        if reading.only_without_value and result.given:
            tally.unread_texts += 1  # a text that states something, and a value beside it
            self._quote(named=False)
            return self._found
        if reading.observable is not None:
            self._asked(reading.observable)
        else:
            for statement in reading.statements:
                _READERS.get(statement.concept, _Item._finding)(self, statement)
        if not self._found and result.given:
            tally.unread_texts += 1
            self._quote(named=True)
        return self._found

    def _named_by_its_value(self) -> bool:
        """Where the name tells nothing: does the value, as a finding, or as one that may hide there?"""
        if self._item.value_codeable_concept is NOTHING and self._item.value_string is NOTHING:
            return False
        result, codes, name = result_of(self._item, self._page.codes), self._page.codes, self._reading.says
        self._result = result
        value = value_reading(name, result, codes)
        if value is None:
            hidden = result.concept is not None and may_hide_a_red_flag(name, codes.of(result.concept))
        elif value.unread or not _ABSENT.isdisjoint(result.interpreted):
            self._page.tally.count_code(value)
            hidden = value.red_flag_stem or speaks_of_a_red_flag(value)
        else:
            return self._said_by_the_value(value)
        if hidden and self._page.of_this_episode(self._began):
            self._show_unread()
        return hidden

    def _said_by_the_value(self, value: CodeReading) -> bool:
        for statement in value.statements:
            began = self._page.began(statement, self._began)
            self._say(statement.concept, statement, present=statement.present, began=began)
        return bool(value.statements)

    def _show_unread(self) -> None:
        says = _said(self._reading.says, self._result)
        self._page.tally.quote(evidence_of(self._observation, says, self._dated, ("not read",)), stem=True)

    def _quote(self, *, named: bool) -> None:
        """A result that is not understood and may be a red flag is quoted: passed over, it would look like an absence.

        ``named``: what was looked at is understood, so that any result but an empty or a normal one may matter.
        """
        result, reading = self._result, self._reading
        says = _said(reading.says, result)
        graded = reading.observable is not None and reading.observable.how == "grade"
        if not (graded or has_red_flag_stem(says)) or not self._page.of_this_episode(self._began):
            return
        word = answer_word(result, self._page.codes)
        understood = named and not reading.fraction_only  # a movement alone may be measured in degrees
        if may_be_a_finding(reading.says, word, _value_in_words(result), understood):
            self._show_unread()

    def _say(
        self,
        concept: str,
        statement: Statement = _PLAIN,
        *,
        present: bool = True,
        number: Number | None = None,
        grade: int | None = None,
        site: str = "",
        began: DateInterval | None = None,
        marks: tuple[str, ...] = (),
    ) -> None:
        result = self._result
        said = _said(self._reading.says, result)
        self._found.append(
            Fact(
                concept,
                _OBSERVATION,
                evidence_of(self._observation, said, self._dated, self._marks + statement.marks + marks),
                present,
                statement.suspected,
                not statement.history,
                began or self._began,
                None,  # nothing observed has an end
                None if number is None else number.value,
                "" if number is None else number.comparator,
                statement.grade if grade is None else grade,
                self._side or statement.side or self._reading.side,
                site or statement.site,
                result.course or statement.course,
                "",
                self._encounter,
            )
        )

    def _asked(self, observable: Observable) -> None:
        """One of our own codes, or an examination by its name, with the value types that it takes."""
        if observable.how == "grade":
            grade = grade_of(self._result, self._page.codes, self._reading.fraction_only)
            if grade is not None:
                self._say(observable.concept, grade=grade, site=observable.site)
        elif observable.how == "number":
            result = self._result
            if result.whole is not None:  # a whole number is in the unit of the code
                result = Result(quantity=Quantity(value=float(result.whole), code=observable.unit))
            number = number_of(result, observable.concept)
            if number is not None:
                self._say(observable.concept, number=number, site=observable.site)
        else:
            self._answered(observable)

    def _answered(self, observable: Observable) -> None:
        words = (answer_word(self._result, self._page.codes), *self._result.interpreted)
        said = next((found for word in words if word and (found := observable.read(word)) is not None), None)
        for each in said or ():
            self._say(each.concept, present=each.present, site=each.site)
        if said is None and not self._result.given and not self._result.interpreted:
            for statement in self._reading.statements:
                self._say(statement.concept, statement, present=statement.present)

    def _score(self, statement: Statement) -> None:
        name, instrument, kind = SCORES[statement.concept]
        number = number_of(self._result, kind)
        if number is not None:
            self._say(name, statement, number=number, site=instrument)

    def _measured(self, statement: Statement) -> None:
        number = number_of(self._result, statement.concept)
        if number is not None:
            self._say(statement.concept, statement, number=number)
        elif statement.concept == "body-temperature" and may_be_a_fever(self._result):
            if self._page.of_this_episode(self._began):
                self._show_unread()

    def _strength(self, statement: Statement) -> None:
        grade = grade_of(self._result, self._page.codes)
        if grade is not None:
            self._say(statement.concept, statement, grade=grade)

    def _onset(self, statement: Statement) -> None:
        began = self._page.past_day(self._result.day or self._result.text)
        if began is not None:
            self._say(statement.concept, statement, began=began)

    def _marker(self, statement: Statement) -> None:
        """ESR and CRP: present means raised. Without interpretation or range the number is left to the rules."""
        number = number_of(self._result, statement.concept)
        raised = is_raised(self._item, self._result, number, statement.concept)
        if number is None and raised is None:
            return
        marks = ("high",) if raised else ("normal",) if raised is False else ()
        self._say(statement.concept, statement, present=raised is not False, number=number, marks=marks)

    def _pregnancy(self, _: Statement) -> None:
        """A pregnancy status is answered by a coded or written status."""
        if self._result.concept is not None:
            for statement in self._page.codes.of(self._result.concept).statements:
                if statement.concept in ("pregnancy", "pregnancy-possible"):
                    self._say(statement.concept, statement, present=statement.present)
                    return
        word = answer_word(self._result, self._page.codes)
        if word in _PRESENT or word in _ABSENT:
            self._say("pregnancy", present=word in _PRESENT)

    def _finding(self, statement: Statement) -> None:
        """Something that is there or not. A positive value beside a normal interpretation counts as positive."""
        result = self._result
        words = (answer_word(result, self._page.codes), *result.interpreted)
        word = next((each for each in words if each in _PRESENT or each in _ABSENT), "")
        if word:
            if not statement.present and word in _ABSENT:
                return  # "not pregnant: no" means two things
            self._say(statement.concept, statement, present=statement.present and word in _PRESENT)
        elif result.course or not (result.given or self._reading.only_observable or statement.concept in _TESTS):
            began = self._page.began(statement, self._began)
            self._say(statement.concept, statement, present=statement.present, began=began)


_READERS: dict[str, Callable[[_Item, Statement], None]] = {
    **dict.fromkeys(SCORES, _Item._score),
    **dict.fromkeys(MEASURED, _Item._measured),
    **dict.fromkeys(("esr", "crp"), _Item._marker),
    "muscle-strength": _Item._strength,
    "symptom-onset": _Item._onset,
    "pregnancy-status": _Item._pregnancy,
}


def _said(name: str, result: Result) -> str:
    """The name of what was looked at, and the value as the record gives it."""
    value = _value_in_words(result)
    return shown(f"{name}: {value}") if name and value else name or shown(value)


def _value_in_words(result: Result) -> str:
    quantity = result.quantity
    if quantity is not None and quantity.value is not None:
        return in_words(quantity)
    if result.concept is not None:
        return result.concept.words
    if result.answer is not None:
        return "yes" if result.answer else "no"
    if result.whole is not None:
        return str(result.whole)
    return result.text or result.day or ", ".join(result.interpreted)
