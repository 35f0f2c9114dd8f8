"""Problems, encounter diagnoses and health concerns to facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fhir_mappings.body_sites import side_in
from fhir_mappings.code_words import Statement
from fhir_mappings.codes import CodeReading
from fhir_mappings.elements import anything_in, is_given, period_in, quantity_in, range_in
from fhir_mappings.encounter_and_user import encounter_of
from fhir_mappings.fhir_records import NOTHING, Condition
from fhir_mappings.page import Page, evidence_of
from fhir_mappings.partial_dates import at_age, days_in, since_at_least, spanning
from fhir_mappings.status_codes import ERROR, REFUTED, SUSPECTED, OlderFhir, Verified, is_current, verified
from rules.dates import DateInterval
from rules.evidence import Evidence
from rules.facts import Fact, FactKind

_CONDITION = FactKind.CONDITION
_KIDNEY_STAGE = re.compile(r"\b(?:stage|grade|g|ckd)?\s*([1-5])[ab]?\b", re.IGNORECASE)
_KIDNEY_CONCEPTS = {"3": "ckd-3", "4": "ckd-4-5-esrd", "5": "ckd-4-5-esrd"}


def condition_facts(condition: Condition, reading: CodeReading, page: Page) -> list[Fact]:
    """What one Condition says, ``reading`` its code; nothing for one entered in error, or about a relative."""
    if is_older_fhir(condition):
        raise OlderFhir
    sure = verified(condition.verification_status)
    if sure is ERROR:
        return []
    active = is_current(condition.clinical_status)
    began, dated = onset_of(condition, page)
    ended, current = None, active is not False
    if _says_of_its_end(condition):
        ended = abatement_of(condition, page)
        current = _still_current(condition, active, ended, page)
    if reading.unread or reading.unmapped:
        page.tally.count_code(reading)
        if current and reading.unread and sure is not REFUTED:
            _keep_unread_problem(condition, reading, began, dated, page)
    if reading.contradicted:
        return []
    side = "" if condition.body_site is NOTHING else side_in(condition.body_site, page.codes)
    encounter = encounter_of(condition.encounter)
    stated_onset = began is not None and began.earliest is not None
    statements = reading.statements if condition.stage is NOTHING else _with_stage(reading.statements, condition)
    facts: list[Fact] = []
    for statement in statements:
        start = began
        if not stated_onset and statement.says_since_when:
            start = page.began(statement, page.past_day(condition.recorded_date)) or began
        facts.append(_fact(condition, reading, statement, sure, current, start, ended, dated, side, encounter))
    return facts


def is_older_fhir(condition: Condition) -> bool:
    """DSTU2 names the patient otherwise; DSTU2 and STU3 have a bare code for the status."""
    if condition.patient is not None and condition.subject is None:
        return True
    if condition.asserted_date is not None or condition.date_recorded is not None:
        return True
    return (b"" + condition.clinical_status)[:1] == b'"' or (b"" + condition.verification_status)[:1] == b'"'


def named_at_this_visit(condition: Condition, page: Page) -> bool:
    """Does it belong to the encounter of the call?"""
    text = None if condition.encounter is None else condition.encounter.reference
    if not text or not page.encounter or page.encounter_id not in text:
        return False
    return encounter_of(condition.encounter) == page.encounter


def _fact(
    condition: Condition,
    reading: CodeReading,
    statement: Statement,
    sure: Verified,
    current: bool,
    began: DateInterval | None,
    ended: DateInterval | None,
    dated: str | None,
    side: str,
    encounter: str,
) -> Fact:
    refuted = sure is REFUTED
    suspected = statement.suspected or sure is SUSPECTED
    past = statement.history or not current
    marks = statement.marks
    if refuted or suspected or past:
        said = ("refuted" if refuted else "", "suspected" if suspected else "", "history" if past else "")
        marks = (*said, *marks)
    return Fact(
        statement.concept,
        _CONDITION,
        evidence_of(condition, reading.says, dated, marks),
        statement.present and not refuted,
        suspected,
        not past,
        since_at_least(began) if "healing" in statement.marks else began,
        ended,
        None,
        "",
        statement.grade,
        side or statement.side,
        statement.site,
        statement.course,
        "",
        encounter,
    )


def _says_of_its_end(condition: Condition) -> bool:
    return (
        condition.abatement_date_time is not None
        or condition.abatement_string is not None
        or condition.abatement_period is not NOTHING
        or condition.abatement_age is not NOTHING
        or condition.abatement_range is not NOTHING
    )


def _still_current(condition: Condition, active: bool | None, ended: DateInterval | None, page: Page) -> bool:
    if active is False:
        return False
    if ended is not None:
        return ended.earliest is not None and ended.earliest > page.as_of
    return not _abated_undated(condition)


def _abated_undated(condition: Condition) -> bool:
    """It is over, though the record does not say readably when."""
    if condition.abatement_date_time or condition.abatement_string:
        return True
    return (
        is_given(condition.abatement_period) or is_given(condition.abatement_age) or is_given(condition.abatement_range)
    )


def onset_of(condition: Condition, page: Page) -> tuple[DateInterval | None, str | None]:
    """When it began, and the date as the record gives it; a recorded date says only "at least since"."""
    if condition.onset_date_time:
        found = page.past_day(condition.onset_date_time)
        if found is not None:
            return found, condition.onset_date_time
    elif condition.onset_string:
        found = page.past_day(condition.onset_string)
        if found is not None:
            return found, condition.onset_string
    else:
        found, dated = _onset_by_period_or_age(condition, page)
        if found is not None:
            return found, dated
    return since_at_least(page.past_day(condition.recorded_date)), condition.recorded_date


def _onset_by_period_or_age(condition: Condition, page: Page) -> tuple[DateInterval | None, str | None]:
    period = period_in(condition.onset_period)
    if period is not None:
        return spanning(page.past_day(period.start), page.past_day(period.end)), period.start
    age = quantity_in(condition.onset_age)
    if age is not None and age.value is not None:
        lowest = days_in(age.value, age.code or age.unit)
        highest = days_in(age.value + 1, age.code or age.unit)  # "at 40" holds until the 41st birthday
        return at_age(page.birth, lowest, highest), None
    ages = range_in(condition.onset_range)
    if ages is not None and ages.low is not None and ages.high is not None and ages.high.value is not None:
        lowest = days_in(ages.low.value, ages.low.code or ages.low.unit)
        highest = days_in(ages.high.value + 1, ages.high.code or ages.high.unit)
        return at_age(page.birth, lowest, highest), None
    return None, None


def abatement_of(condition: Condition, page: Page) -> DateInterval | None:
    """When it ended, where the record gives a date."""
    found = page.day(condition.abatement_date_time) or page.day(condition.abatement_string)
    if found is not None:
        return found
    period = period_in(condition.abatement_period)
    return None if period is None else page.day(period.end) or page.day(period.start)


def _with_stage(statements: Sequence[Statement], condition: Condition) -> Iterator[Statement]:
    """Kidney disease with its stage beside it is the disease of that stage."""
    concepts = {statement.concept for statement in statements}
    yield from statements
    if "chronic-kidney-disease" not in concepts or not is_given(condition.stage):
        return
    concept = _KIDNEY_CONCEPTS.get(_stage_number(condition))
    if concept is not None and concept not in concepts:
        yield Statement(concept)


def _stage_number(condition: Condition) -> str:
    stages = anything_in(condition.stage)
    for stage in stages if isinstance(stages, list) else [stages]:
        summary = stage.get("summary") if isinstance(stage, dict) else None
        text = summary.get("text") if isinstance(summary, dict) else None
        codings = summary.get("coding") if isinstance(summary, dict) else None
        displays = [each.get("display") for each in codings or () if isinstance(each, dict)]
        for words in (text, *displays):
            found = _KIDNEY_STAGE.search(words) if isinstance(words, str) else None
            if found is not None:
                return found[1]
    return ""


def _keep_unread_problem(
    condition: Condition, reading: CodeReading, began: DateInterval | None, dated: str | None, page: Page
) -> None:
    """An active problem that may belong to this episode is quoted as not read."""
    if named_at_this_visit(condition, page) or (page.of_this_episode(began) and reading.may_matter):
        page.tally.quote(_unread(condition, reading, dated), stem=reading.red_flag_stem)


def _unread(condition: Condition, reading: CodeReading, dated: str | None) -> Evidence:
    return evidence_of(condition, reading.says or "no code and no text", dated, ("not read",))
